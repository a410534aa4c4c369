"""What the decoding process hands over: whole, prepared, and without a copy too many."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import queue
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.error_codes import refused
from desktop.core.imaging.decode import Radiograph, value_range, window_presets
from desktop.core.imaging.decoders.decoder import DECODE_LIMIT_S
from desktop.gui.images.decode_process import (
    Picture,
    PictureJob,
    PictureProcess,
    decode_picture,
)
from desktop.gui.images.pyramid import FilmPyramid, halvings
from tests.helpers import film_files as films


@pytest.fixture
def film_file(tmp_path: Path) -> Path:
    path = tmp_path / "film.png"
    values = np.random.default_rng(3).integers(0, 60_000, (1500, 1300)).astype(np.uint16)
    Image.fromarray(values).save(path)
    return path


def end_children(named: str, how: int, until: threading.Event) -> None:
    """Send a signal to every child of this name, for as long as it takes."""
    while not until.wait(0.05):
        for child in multiprocessing.active_children():
            if child.name == named and child.pid is not None:
                os.kill(child.pid, how)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    ("limit_s", "ended_by", "code", "detail"),
    [
        (0.0, 0, "DECODE-06", "0 s"),
        (DECODE_LIMIT_S, signal.SIGSEGV, "DECODE-07", ""),
        (DECODE_LIMIT_S, signal.SIGKILL, "DECODE-08", ""),  # as where memory runs out
    ],
)
def test_a_late_or_dead_decoder_is_reported_as_in_the_batch(
    limit_s: float,
    ended_by: int,
    code: str,
    detail: str,
    film_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("desktop.gui.images.decode_process.DECODE_LIMIT_S", limit_s)
    pictures: queue.SimpleQueue[Picture] = queue.SimpleQueue()
    process = PictureProcess(pictures.put, "decoder of a test")
    reported = threading.Event()
    killer = threading.Thread(target=end_children, args=("decoder of a test", ended_by, reported))
    try:
        if ended_by:
            killer.start()
        process.want([PictureJob(1, film_file)])
        refusal = pictures.get(timeout=60).refusal
    finally:
        reported.set()
        process.close()
    if ended_by:
        killer.join()
    assert refusal is not None
    assert (refusal.code, str(refusal)) == (code, str(refused(code, film_file, detail)))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_decoder_that_died_in_between_costs_nothing(film_file: Path) -> None:
    pictures: queue.SimpleQueue[Picture] = queue.SimpleQueue()
    process = PictureProcess(pictures.put, "decoder of a test")
    try:
        process.want([PictureJob(0, film_file)])
        pictures.get(timeout=60)
        (child,) = (one for one in multiprocessing.active_children() if "of a test" in one.name)
        child.kill()
        process.want([PictureJob(1, film_file)])
        assert pictures.get(timeout=60).film is not None
    finally:
        process.close()


def test_a_dicom_film_after_others_is_read_too(film_file: Path, tmp_path: Path) -> None:
    dicom = tmp_path / "film.dcm"
    dicom.write_bytes(films.dicom(films.deep_film(12), BitsStored=12, PatientAge="042Y"))
    pictures: queue.SimpleQueue[Picture] = queue.SimpleQueue()
    process = PictureProcess(pictures.put, "decoder of a test")
    try:
        for number, path in enumerate((film_file, dicom, film_file, tmp_path / "none.png")):
            process.want([PictureJob(number, path)])
            picture, here = pictures.get(timeout=60), decode_picture(PictureJob(number, path))
            if here.film is None:
                assert str(picture.refusal) == str(here.refusal)
                continue
            assert picture.film is not None
            np.testing.assert_array_equal(picture.film.values, here.film.values)
            for field in dataclasses.fields(Radiograph):
                if field.name != "values":
                    assert getattr(picture.film, field.name) == getattr(here.film, field.name)
    finally:
        process.close()


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
