"""Samples: named as what they are, and there also without the package of public films."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from desktop.core.errors import OutputFailed
from desktop.core.imaging.samples import write_samples
from desktop.core.system.cancel_token import CancelToken


def test_every_name_says_whether_it_is_a_drawing(tmp_path: Path) -> None:
    for sample in write_samples(tmp_path):
        assert (tmp_path / sample.name).is_file()
        drawn = sample.name.startswith(("phantom_", "something_else_"))
        assert sample.what.startswith("drawn") == drawn
        assert ("real" in sample.what) == sample.name.startswith("chest_real_")


@pytest.mark.parametrize("films", ["no package", "a package of nothing", "an empty folder"])
def test_without_the_public_films_there_are_drawings_only(
    films: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = None
    if films != "no package":
        spec = ModuleSpec("data_store", None, is_package=True)
        spec.submodule_search_locations = [str(tmp_path)] if films == "an empty folder" else []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    samples = write_samples(tmp_path / "samples")
    assert len(samples) == 9
    assert all(sample.what.startswith("drawn") for sample in samples)


def test_a_place_that_takes_no_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputFailed):
        write_samples(tmp_path / "file" / "samples")


def test_it_ends_between_two_samples_when_it_is_cancelled(tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    assert write_samples(tmp_path, cancel) == ()
    assert list(tmp_path.iterdir()) == []
