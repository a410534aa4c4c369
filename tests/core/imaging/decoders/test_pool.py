"""Decoding in worker processes: same pixels as here, and a death or a hang costs one image."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.core.cases import ImageFile
from desktop.core.errors import CxrError
from desktop.core.imaging.decoders.decoder import Decoded, decode_file
from desktop.core.imaging.decoders.pool import DecodePool
from desktop.core.imaging.phantoms import draw_phantom
from desktop.core.system.cage import try_cage
from tests.helpers import film_files as films

SIZE = (64, 48)
SIZES = (SIZE, (32, 32))
COUNT = 30

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def found(path: Path) -> ImageFile:
    return ImageFile(path, path.name)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[ImageFile]:
    """Small films of several formats, every fifth one broken."""
    folder = tmp_path_factory.mktemp("films")
    film = films.grey_film()
    for number in range(COUNT):
        path = folder / f"film{number:02}"
        if number % 5 == 4:
            path.write_bytes(films.encoded(film, "PNG")[:-300])
        elif number % 5 == 3:
            path.write_bytes(films.dicom(np.roll(films.deep_film(), number), BitsStored=12))
        else:
            path.write_bytes(films.encoded(np.roll(film, number), "PNG"))
    return [found(path) for path in sorted(folder.iterdir())]


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> ImageFile:
    """A film that takes long enough to be caught in the middle: 60 megapixels."""
    path = tmp_path_factory.mktemp("slow") / "slow.png"
    film = Image.fromarray(draw_phantom("normal", 1, (500, 400))).resize((6000, 10000))
    film.save(path, compress_level=1)
    return found(path)


@pytest.fixture(scope="module")
def pool() -> Iterator[DecodePool]:
    with DecodePool(1, sizes=SIZES, film=True) as made:
        yield made


def same(first: Decoded, second: Decoded) -> bool:
    films_equal = (first.film is None) == (second.film is None) and (
        first.film is None or np.array_equal(first.film, second.film)
    )
    return (
        (first.source, first.sha256, first.code, first.reason)
        == (second.source, second.sha256, second.code, second.reason)
        and first.pixels.keys() == second.pixels.keys()
        and all(np.array_equal(first.pixels[size], second.pixels[size]) for size in first.pixels)
        and films_equal
    )


def test_results_are_those_of_this_process_in_order(files: list[ImageFile]) -> None:
    with DecodePool(2, sizes=SIZES, film=True) as pool:
        results = list(pool.decode(iter(files), SIZES, film=True))
    assert len(results) == COUNT
    for result, file in zip(results, files, strict=True):
        assert same(result, decode_file(file, SIZES, film=True))
    assert [result.code for result in results[:5]] == ["", "", "", "", "DECODE-02"]


def test_files_are_taken_no_further_ahead_than_asked(files: list[ImageFile]) -> None:
    taken = 0

    def endless() -> Iterator[ImageFile]:
        nonlocal taken
        while True:
            taken += 1
            yield files[taken % COUNT]

    with DecodePool(1, ahead=4, sizes=SIZES) as pool:
        results = pool.decode(endless(), SIZES)
        for _ in range(20):
            next(results)
        assert 20 <= taken <= 20 + 8
        results.close()  # type: ignore[attr-defined]
        assert pool.in_progress == 0


def test_a_pool_goes_on_after_a_run_was_given_up(pool: DecodePool, files: list[ImageFile]) -> None:
    first = pool.decode(files, SIZES)
    next(first)
    first.close()  # type: ignore[attr-defined]
    again = list(pool.decode(files, SIZES))
    assert [result.source for result in again] == files


def test_larger_sizes_than_announced_still_work(pool: DecodePool, files: list[ImageFile]) -> None:
    large = ((1500, 1200),)
    results = list(pool.decode(files[:3], large, film=True))
    assert [result.pixels[large[0]].shape for result in results] == [(1500, 1200, 1)] * 3


def test_single_files_come_back_under_their_keys(pool: DecodePool, files: list[ImageFile]) -> None:
    assert pool.collect(0.0) == []
    for key in (7, 3):
        pool.submit(key, files[key], SIZES)
    got: dict[int, Decoded] = {}
    while pool.in_progress:
        got.update(pool.collect(60.0))
    assert {key: result.source for key, result in got.items()} == {7: files[7], 3: files[3]}


def test_more_files_than_there_is_room_for_are_turned_away(files: list[ImageFile]) -> None:
    with DecodePool(1, ahead=2, sizes=SIZES) as pool:
        pool.submit(0, files[0], SIZES)
        pool.submit(1, files[1], SIZES)
        assert pool.room == 0
        with pytest.raises(ValueError, match="no room"):
            pool.submit(2, files[2], SIZES)
    with pytest.raises(ValueError, match="closed"):
        pool.submit(3, files[3], SIZES)


def busy_worker(pool: DecodePool, source: ImageFile, but: int | None = None) -> int:
    """Wait until a worker (but that one) is decoding this file; its process id."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        pool._poll(0.01)
        for worker in pool._workers:
            task = worker.in_progress()
            pid = worker.pid
            if task is not None and task.source == source and pid is not None and pid != but:
                return pid
    raise AssertionError("the file was never begun")


@needs_signals
@pytest.mark.parametrize(
    ("how", "code"),
    # The system kills where memory runs out; then the file is not said to be made to crash.
    [("SIGSEGV", "DECODE-07"), ("SIGKILL", "DECODE-08")],
)
def test_a_decoder_that_ends_twice_costs_its_image_and_no_other(
    how: str, code: str, files: list[ImageFile], slow: ImageFile
) -> None:
    with DecodePool(1, sizes=SIZES) as pool:
        for key, file in enumerate([files[0], slow, files[1], files[2]]):
            pool.submit(key, file, SIZES)
        got: dict[int, Decoded] = {}
        first = busy_worker(pool, slow)
        os.kill(first, signal.Signals[how])
        os.kill(busy_worker(pool, slow, but=first), signal.Signals[how])
        while pool.in_progress:
            got.update(pool.collect(60.0))
    assert got[1].code == code
    assert "slow.png" in got[1].reason
    for key, file in ((0, files[0]), (2, files[1]), (3, files[2])):
        assert same(got[key], decode_file(file, SIZES, film=False))


@needs_signals
def test_a_single_death_is_forgiven(slow: ImageFile) -> None:
    with DecodePool(1, sizes=SIZES) as pool:
        pool.submit(0, slow, SIZES)
        os.kill(busy_worker(pool, slow), signal.SIGKILL)
        while pool.in_progress:
            for _, result in pool.collect(60.0):
                assert result.code == ""


@needs_signals
def test_a_decoder_that_hangs_is_ended_after_the_limit(
    files: list[ImageFile], slow: ImageFile
) -> None:
    with DecodePool(1, sizes=SIZES, time_limit_s=3.0) as pool:
        pool.submit(0, files[0], SIZES)
        while pool.in_progress:  # imports are not part of the limit
            pool.collect(60.0)
        pool.submit(1, slow, SIZES)
        pool.submit(2, files[1], SIZES)
        os.kill(busy_worker(pool, slow), signal.SIGSTOP)
        got: dict[int, Decoded] = {}
        while pool.in_progress:
            got.update(pool.collect(60.0))
    assert got[1].code == "DECODE-06"
    assert "3 s" in got[1].reason
    assert got[2].code == ""


@needs_signals
def test_closing_in_the_middle_leaves_no_process(slow: ImageFile) -> None:
    with DecodePool(2, sizes=SIZES) as pool:
        pool.submit(0, slow, SIZES)
        busy_worker(pool, slow)
        pids = [worker.pid for worker in pool._workers]
    pool.close()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.mark.skipif("seccomp" not in try_cage(), reason="NO CAGE: the kernel has no seccomp")
def test_every_worker_is_in_its_cage_once_it_has_seen_a_file(files: list[ImageFile]) -> None:
    with DecodePool(2, sizes=SIZES) as pool:
        list(pool.decode(files, SIZES))
        for worker in pool._workers:
            status = Path(f"/proc/{worker.pid}/status").read_text()
            assert "Seccomp:\t2\n" in status
            assert "NoNewPrivs:\t1\n" in status
            assert Path(f"/proc/{worker.pid}/oom_score_adj").read_text() == "1000\n"


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/shm")
def test_nothing_is_left_in_shared_memory(files: list[ImageFile]) -> None:
    before = set(Path("/dev/shm").iterdir())
    with DecodePool(1, sizes=SIZES) as pool:
        list(pool.decode(files[:3], SIZES))
        # Also while it runs: kill -9 could not leave anything either.
        ours = {path for path in Path("/dev/shm").iterdir() if path not in before}
        assert not [path for path in ours if path.name.startswith(("pym-", "psm_"))]


def test_a_mistake_of_ours_costs_one_image_and_is_told_in_the_log(
    pool: DecodePool, files: list[ImageFile], caplog: pytest.LogCaptureFixture
) -> None:
    impossible = ((0, 5),)
    results = list(pool.decode(files[:1], impossible))
    assert results[0].code == "DECODE-07"
    assert "Traceback" in caplog.text
    assert files[0].image not in caplog.text.split("Traceback")[0]
    (after,) = pool.decode(files[1:2], SIZES)
    assert after.code == ""


@pytest.mark.skipif(sys.platform == "win32", reason="how Python finds its home")
def test_workers_that_cannot_start_end_the_run_with_a_code(
    files: list[ImageFile], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    resource_tracker.ensure_running()
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # no Python starts so
    with DecodePool(1, sizes=SIZES) as pool, pytest.raises(CxrError) as problem:
        list(pool.decode(files, SIZES))
    assert problem.value.code == "DECODER-01"
    capfd.readouterr()
