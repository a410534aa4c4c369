"""Whatever a file holds: a radiograph or a coded refusal in time, and no harm to others."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.core.cases import ImageFile
from desktop.core.errors import ImageRefused
from desktop.core.files.listing import list_folder
from desktop.core.imaging.decode import (
    IMAGE_REFUSALS,
    Radiograph,
    decode,
    eight_bit,
    window_presets,
)
from desktop.core.imaging.decoders.decoder import Decoded, decode_file
from desktop.core.imaging.decoders.pool import DecodePool
from desktop.core.imaging.file_reader import FileBytes
from desktop.core.imaging.file_type import sniff
from desktop.core.system.text import display_name
from tests.helpers import film_files as films
from tests.hostile.files import WorstCase, mutated, mutations, seeds, write_worst_cases
from tests.hostile.structures import more_seeds

SIZE = (64, 64)
LIMIT_S = 20.0
SAFE_IN_THIS_PROCESS = ("jpeg", "png", "bmp", "tiff-16", "dicom-explicit", "dicom-implicit")


def decode_all(paths: list[Path]) -> list[Decoded]:
    with DecodePool(2, sizes=(SIZE,), time_limit_s=LIMIT_S) as pool:
        return list(pool.decode([ImageFile(path, path.name) for path in paths], (SIZE,)))


def check_mutations(folder: Path, count: int, seed: int) -> None:
    """Decode mutated films with sound ones between them."""
    sound = folder / "sound.png"
    sound.write_bytes(films.encoded(films.grey_film(), "PNG"))
    paths: list[Path] = []
    for number, (name, data) in enumerate(mutations(count, seed)):
        path = folder / name
        path.write_bytes(data)
        paths += [path, sound] if number % 10 == 0 else [path]
    expected = decode_file(ImageFile(sound, sound.name), (SIZE,), film=False)
    results = decode_all(paths)
    assert len(results) == len(paths)
    read = 0
    for path, result in zip(paths, results, strict=True):
        assert result.source.path == path
        if path == sound:
            assert (result.pixels[SIZE] == expected.pixels[SIZE]).all()
        elif result.code:
            assert result.code in IMAGE_REFUSALS, (path.name, result.code)
            assert result.reason.startswith(path.name), result.reason
            # A crash or a hang is survived, but none is known: look at what brings one.
            assert result.code not in ("DECODE-06", "DECODE-07"), path.name
        else:
            read += 1
            assert result.pixels[SIZE].shape == (*SIZE, 1)
    # The mutations are neither harmless nor all fatal.
    assert 0.02 * count < read < 0.9 * count


def test_mutated_films_are_read_or_refused_and_the_others_are_unharmed(tmp_path: Path) -> None:
    check_mutations(tmp_path, 156, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_mutated_films_are_read_or_refused(seed: int, tmp_path: Path) -> None:
    check_mutations(tmp_path, 520, seed=seed)


def test_the_cage_changes_no_answer(tmp_path: Path) -> None:
    """Every format and compression: what a decoder needs is loaded before its cage closes."""
    sound = sorted((seeds() | more_seeds()).items())
    files = []
    for place, (name, data) in enumerate(sound):
        # A DICOM film first, and one after rasters: each kind loads its own.
        path = tmp_path / f"{'dicom' not in name}-{place}-{name}"
        path.write_bytes(data)
        files.append(ImageFile(path, path.name))
    for order in (files, files[::-1]):
        with DecodePool(1, sizes=(SIZE,)) as pool:
            for result in pool.decode(order, (SIZE,)):
                here = decode_file(result.source, (SIZE,), film=False)
                assert (result.code, result.reason) == (here.code, here.reason), result.source.image
                for size, pixels in here.pixels.items():
                    np.testing.assert_array_equal(result.pixels[size], pixels)


@pytest.fixture(scope="module")
def worst(tmp_path_factory: pytest.TempPathFactory) -> list[WorstCase]:
    return write_worst_cases(tmp_path_factory.mktemp("worst"))


def test_the_worst_cases_end_as_they_should(worst: list[WorstCase]) -> None:
    results = decode_all([case.path for case in worst])
    for case, result in zip(worst, results, strict=True):
        assert result.code in case.codes, (case.path.name[:60], result.code, result.reason)
        assert result.reason.isprintable()


def test_the_worst_folder_is_listed_whole_and_ends(worst: list[WorstCase]) -> None:
    root = worst[0].path.parent
    listed = {found.path for batch in list_folder(root, recursive=True) for found in batch}
    for case in worst:
        special = case.path.name in ("folder.png", "gone.png") or len(case.path.name) > 255
        assert (case.path in listed) != special, case.path.name[:60]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SAFE_IN_THIS_PROCESS), st.integers(0, 2**32 - 1))
def test_the_decoder_raises_nothing_but_refusals(name: str, seed: int) -> None:
    radiograph = decoded_or_refused(mutated(SEEDS[name], random.Random(seed)))
    if radiograph is not None:
        assert radiograph.values.max() < 2**radiograph.bits
        assert eight_bit(radiograph).shape == radiograph.values.shape
        assert window_presets(radiograph)


def decoded_or_refused(data: bytes) -> Radiograph | None:
    """None where it is refused, with a code of the table; every other exception goes through."""
    try:
        return decode(FileBytes(Path("film"), data, ""))
    except ImageRefused as refusal:
        if refusal.code not in IMAGE_REFUSALS:
            raise
        return None


SEEDS = seeds()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_have_a_type_or_none(data: bytes) -> None:
    assert sniff(data).readable or decoded_or_refused(data) is None
    decoded_or_refused(data)


@given(st.binary(min_size=1, max_size=300))
def test_any_name_can_be_shown(name: bytes) -> None:
    text = display_name(os.fsdecode(name.replace(b"/", b"")))
    assert text.isprintable()
    assert len(text) <= 80
    text.encode("utf-8")
