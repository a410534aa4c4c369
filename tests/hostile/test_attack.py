"""The long attack does what it says, a short one finds nothing, and a fault would be found."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from desktop.core.cases import ImageFile
from desktop.core.imaging.decoders.decoder import Decoded
from tests.hostile import attack
from tests.hostile.attack import SIZE, rounds, table, verdict


def test_a_short_attack_finds_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(attack, "bombs", lambda: [])
    monkeypatch.setattr(attack, "ROUND", 60)
    tallies, peak = attack.attack(5.0, 11)
    assert {"jpeg", "png", "tiff", "bmp", "webp", "dicom", "sound"} <= set(tallies)
    assert [wrong for tally in tallies.values() for wrong in tally.wrong] == []
    assert tallies["sound"].read == tallies["sound"].files > 5
    text = table(tallies, peak, 5.0, 11)
    assert f"{sum(t.files for t in tallies.values()) - tallies['sound'].files:,} hostile" in text
    assert text.count("\n") == len(tallies) + 3


def test_the_same_seed_makes_the_same_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attack, "ROUND", 40)
    first, again, other = (next(itertools.islice(rounds(seed), 1, None)) for seed in (5, 5, 6))
    assert [data for _, data, _ in first] == [data for _, data, _ in again]
    assert [data for _, data, _ in first] != [data for _, data, _ in other]


@pytest.mark.parametrize(
    ("code", "reason", "pixels", "codes", "right"),
    [
        ("", "", True, None, True),
        ("", "", False, None, False),
        ("DECODE-01", "film.png is damaged.", False, None, True),
        ("DECODE-01", "is damaged.", False, None, False),
        ("DECODE-01", "film.png is\ndamaged.", False, None, False),
        ("DECODE-07", "film.png made its decoder crash.", False, None, False),
        ("DECODE-06", "film.png took long.", False, None, False),
        ("DECODE-06", "film.png took long.", False, frozenset({"DECODE-06"}), True),
        ("DECODE-99", "film.png is odd.", False, None, False),
        ("DECODE-03", "film.png is large.", False, frozenset({""}), False),
    ],
)
def test_a_fault_is_seen(
    code: str, reason: str, pixels: bool, codes: frozenset[str] | None, right: bool
) -> None:
    shape = (*SIZE, 1) if pixels else (1, 1, 1)
    result = Decoded(
        ImageFile(Path("film.png"), "film.png"),
        "",
        {SIZE: np.zeros(shape, np.uint8)},
        code=code,
        reason=reason,
    )
    assert (verdict(result, codes) == "") == right


def test_the_crashes_of_gdcm_are_counted_and_no_finding() -> None:
    path = Path("dicom-jpeg-lossless-1-r")
    result = Decoded(ImageFile(path, path.name), "", code="DECODE-07", reason=f"{path} crashed.")
    assert verdict(result, None) == ""
