"""Structured damage and small bombs through the real decoder processes: coded, in time, bounded."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from desktop.core.cases import ImageFile
from desktop.core.imaging.decode import IMAGE_REFUSALS
from desktop.core.imaging.decoders.decoder import Decoded, decode_file
from desktop.core.imaging.decoders.pool import DecodePool
from tests.helpers import film_files as films
from tests.hostile.attack import peak_megabytes
from tests.hostile.bombs import bombs
from tests.hostile.structures import structured

SIZE = (64, 64)
LIMIT_S = 60.0
MOST_MEGABYTES = 1500
"""Peak memory of one decoder; the bombs ask for terabytes."""


def decoded(paths: list[Path], limit_s: float = LIMIT_S) -> tuple[dict[Path, Decoded], int]:
    """Results of all files, and the most memory that a decoder took."""
    found: dict[Path, Decoded] = {}
    peak = 0
    with DecodePool(2, sizes=(SIZE,), time_limit_s=limit_s) as pool:
        waiting = list(enumerate(paths))[::-1]
        while waiting or pool.in_progress:
            while waiting and pool.room:
                key, path = waiting.pop()
                pool.submit(key, ImageFile(path, path.name), (SIZE,))
            for key, result in pool.collect(0.05):
                assert paths[key] not in found, "answered twice"
                found[paths[key]] = result
            pids = [worker.pid for worker in pool._workers]
            peak = max(peak, *map(peak_megabytes, pids))
    return found, peak


def check_structures(folder: Path, count: int, seed: int) -> None:
    sound = folder / "sound.png"
    sound.write_bytes(films.encoded(films.grey_film(), "PNG"))
    paths = []
    for name, content in structured(count, seed):
        paths.append(folder / name)
        paths[-1].write_bytes(content)
    found, peak = decoded([*paths, sound])
    assert len(found) == count + 1
    assert peak < MOST_MEGABYTES
    expected = decode_file(ImageFile(sound, sound.name), (SIZE,), film=False)
    assert (found[sound].pixels[SIZE] == expected.pixels[SIZE]).all()
    for path, result in found.items():
        if result.code:
            assert result.code in IMAGE_REFUSALS, (path.name, result.code)
            assert result.code not in ("DECODE-06", "DECODE-07"), path.name
            assert result.reason.startswith(path.name)
            assert result.reason.isprintable()
            assert "Error" not in result.reason.removeprefix(path.name)
    read = sum(not result.code for result in found.values())
    assert 0.1 * count < read < 0.7 * count


def test_structured_damage_is_read_or_refused_and_others_are_unharmed(tmp_path: Path) -> None:
    check_structures(tmp_path, 144, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_much_structured_damage_is_read_or_refused(tmp_path: Path, seed: int) -> None:
    check_structures(tmp_path, 1200, seed)


SLOW_BOMBS = frozenset(
    {"progressive.jpg", "j2k lies.dcm", "png 60000 x 2000.png", "tiff of one strip.tif",
     "deflated.dcm", "many items.dcm"}
)  # fmt: skip
"""They take a second of a processor or more; the first all the time there is."""


@pytest.mark.parametrize(
    "slow", [False, pytest.param(True, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_small_files_that_ask_for_much_end_as_they_should(tmp_path: Path, slow: bool) -> None:
    codes = {}
    for name, content, expected in bombs():
        if (name in SLOW_BOMBS) == slow:
            (tmp_path / name).write_bytes(content)
            codes[tmp_path / name] = expected
    begun = time.monotonic()
    found, peak = decoded(list(codes), LIMIT_S)
    for path, result in found.items():
        assert result.code in codes[path], (path.name, result.code, result.reason)
        assert result.reason.isprintable()
    assert time.monotonic() - begun < 300
    if sys.platform == "linux":
        assert 0 < peak < MOST_MEGABYTES
