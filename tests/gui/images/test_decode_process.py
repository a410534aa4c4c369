"""What the decoding process hands over: whole, prepared, and without a copy too many."""

from __future__ import annotations

import multiprocessing
import queue
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.error_codes import refused
from desktop.core.imaging.decode import value_range, window_presets
from desktop.core.imaging.decoder import DECODE_LIMIT_S
from desktop.gui.images.decode_process import (
    Picture,
    PictureJob,
    PictureProcess,
    decode_picture,
    receive_bytes,
    send_bytes,
)
from desktop.gui.images.pyramid import FilmPyramid, halvings


@pytest.fixture
def film_file(tmp_path: Path) -> Path:
    path = tmp_path / "film.png"
    values = np.random.default_rng(3).integers(0, 60_000, (1500, 1300)).astype(np.uint16)
    Image.fromarray(values).save(path)
    return path


def test_a_buffer_larger_than_any_pipe_arrives_whole() -> None:
    ours, theirs = multiprocessing.Pipe()
    sent = np.random.default_rng(1).integers(0, 256, 5_000_000, dtype=np.uint8)
    sender = threading.Thread(target=send_bytes, args=(theirs, memoryview(sent)))
    sender.start()
    received = receive_bytes(ours, sent.nbytes)
    sender.join()
    np.testing.assert_array_equal(received, sent)
    # The pipe still carries messages afterwards.
    theirs.send("next")
    assert ours.recv() == "next"
    ours.close()
    theirs.close()


def test_a_child_that_dies_in_the_middle_of_a_film_is_noticed() -> None:
    ours, theirs = multiprocessing.Pipe()
    send_bytes(theirs, memoryview(b"only this much"))
    theirs.close()
    with pytest.raises((EOFError, OSError)):
        receive_bytes(ours, 1_000)
    ours.close()


@pytest.mark.parametrize(
    ("limit_s", "ended", "code", "detail"),
    [(0.0, False, "DECODE-06", "0 s"), (DECODE_LIMIT_S, True, "DECODE-07", "")],
)
def test_a_late_or_dead_decoder_is_told_in_the_words_of_the_batch(
    limit_s: float,
    ended: bool,
    code: str,
    detail: str,
    film_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("desktop.gui.images.decode_process.DECODE_LIMIT_S", limit_s)
    pictures: queue.SimpleQueue[Picture] = queue.SimpleQueue()
    process = PictureProcess(pictures.put, "decoder of a test")
    try:
        if ended:
            process.want([PictureJob(0, film_file)])
            pictures.get(timeout=60)
            (child,) = (one for one in multiprocessing.active_children() if "of a test" in one.name)
            child.kill()
        process.want([PictureJob(1, film_file)])
        told = pictures.get(timeout=60).refusal
    finally:
        process.close()
    assert told is not None
    assert (told.code, str(told)) == (code, str(refused(code, film_file, detail)))


def test_a_film_comes_with_what_the_window_would_have_to_count(film_file: Path) -> None:
    picture = decode_picture(PictureJob(0, film_file))
    assert picture.film is not None
    assert picture.prepared is not None
    assert picture.prepared.windows == window_presets(picture.film)
    assert picture.prepared.full == value_range(picture.film)
    assert [half.shape for half in picture.prepared.halvings] == [(750, 650), (375, 325)]


def test_the_film_is_the_same_after_its_way_from_the_child(film_file: Path) -> None:
    arrived: list[Picture] = []
    done = threading.Event()

    def take(picture: Picture) -> None:
        arrived.append(picture)
        done.set()

    process = PictureProcess(take, "films under test")
    process.want([PictureJob(7, film_file)])
    assert done.wait(60)
    process.close()
    here, there = decode_picture(PictureJob(7, film_file)), arrived[0]
    assert here.film is not None
    assert there.film is not None
    assert there.prepared is not None
    np.testing.assert_array_equal(there.film.values, here.film.values)
    for mine, other in zip(halvings(here.film.values), there.prepared.halvings, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_prepared_halvings_draw_the_same_picture_as_own_ones(film_file: Path) -> None:
    film = decode_picture(PictureJob(0, film_file)).film
    assert film is not None
    box = (10.0, 20.0, 1210.0, 1420.0)
    alone = FilmPyramid(film.values).sample(box, 300, 350)
    prepared = FilmPyramid(film.values, halvings(film.values)).sample(box, 300, 350)
    np.testing.assert_array_equal(alone, prepared)
