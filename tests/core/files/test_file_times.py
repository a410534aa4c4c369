"""No time stamp of a file ends anything: listing, run, watch and review take every legal one."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desktop.__main__ import main
from desktop.core.cases import CaseResult, ImageFile
from desktop.core.files.listing import list_folder
from desktop.core.files.watch import FolderWatch
from tests.helpers.film_files import blur_films
from tests.helpers.review_cases import open_store

YEAR_NS = 31_556_952 * 10**9
# 2300 and 1600 are beyond 64 bits of nanoseconds, 2446 is the last year of ext4.
TIMES = st.one_of(
    st.integers(-(2**63) * 10**9, 2**63 * 10**9 - 1),
    st.integers(-400 * YEAR_NS, 500 * YEAR_NS),
    st.sampled_from([0, -1, 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 330 * YEAR_NS]),
)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blur_films(tmp_path_factory.mktemp("times") / "ward", 4, seed=1, size=(200, 180))


def set_times(folder: Path, times: list[int]) -> list[ImageFile]:
    """Give the films these times, as far as the file system takes them; gives the listing."""
    for path, ns in zip(sorted(folder.iterdir()), times, strict=False):
        try:
            os.utime(path, ns=(0, ns))
        except (OSError, OverflowError):
            continue
    return [file for batch in list_folder(folder) for file in batch]


@given(times=st.lists(TIMES, min_size=4, max_size=4))
def test_every_time_is_listed_watched_and_kept_by_the_store(
    tmp_path_factory: pytest.TempPathFactory, ward: Path, times: list[int]
) -> None:
    files = set_times(ward, times)
    assert len(files) == 4
    watch = FolderWatch([ward])
    assert watch.look() == []
    assert watch.look() == files
    assert watch.look() == []
    home = tmp_path_factory.mktemp("home")
    with open_store(home) as store:
        store.record_files(files)
        store.record_results([(refused(file.image), file) for file in files])
        assert store.finished() == {file.image: file.stamp for file in files}


@settings(max_examples=4)
@given(times=st.lists(TIMES, min_size=4, max_size=4))
@example(times=[330 * YEAR_NS, -370 * YEAR_NS, -1, 2**63])
def test_a_run_and_its_repetition_label_films_of_every_time(
    tmp_path_factory: pytest.TempPathFactory,
    ward: Path,
    panel_folder: Path,
    times: list[int],
) -> None:
    set_times(ward, times)
    votes = tmp_path_factory.mktemp("run") / "votes.csv"
    words = ["label", ward, "--panel", panel_folder, "-o", votes, "--device", "cpu", "-q"]
    assert main([str(word) for word in words]) == 0
    first = votes.read_bytes()
    assert main([str(word) for word in words]) == 0
    assert votes.read_bytes() == first
    with votes.open(encoding="utf-8-sig", newline="") as stream:
        assert [row["status"] for row in csv.DictReader(stream)] == ["ok"] * 4


def refused(image: str) -> CaseResult:
    """A result that needs no model."""
    return CaseResult(image, "", "failed", "DECODE-01", "It is damaged.")
