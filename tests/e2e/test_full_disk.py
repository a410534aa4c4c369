"""Outputs on a disk that is full, read-only or gone: real small disks, the real command."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desktop.__main__ import main
from tests.helpers.film_files import blur_films

DISK_BYTES = 400_000
Say = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blur_films(tmp_path_factory.mktemp("films"), 5, seed=3, size=(200, 180))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of its own, a few hundred kilobytes large."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = f"size={DISK_BYTES},mode=700"
    if (
        mount is None
        or subprocess.run(
            [mount, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        ).returncode
    ):
        pytest.skip("this machine does not let the test make a disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    monkeypatch.setenv("CXR_QUORUM_HOME", str(tmp_path / "home"))

    def run(*words: str | Path) -> tuple[int, str]:
        try:
            code = main(list(map(str, words)))
        except SystemExit as left:
            code = int(left.code or 0)
        return code, capsys.readouterr().err

    return run


def fill(disk: Path) -> Path:
    """Take the last byte."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as stream:
        while stream.write(bytes(4096)):
            pass
    return ballast


def hidden(disk: Path) -> list[str]:
    return [path.name for path in disk.iterdir() if path.name.startswith(".")]


def test_a_full_disk_is_said_keeps_the_old_table_and_costs_only_time(
    say: Say, disk: Path, films: Path, panel_folder: Path
) -> None:
    votes = disk / "votes.csv"
    words = ("label", films, "--panel", panel_folder, "--output", votes, "--device", "cpu")
    assert say(*words)[0] == 0
    before = votes.read_bytes()
    ballast = fill(disk)
    code, spoken = say(*words, "--fresh")
    assert code not in (0, 130)
    assert "OUTPUT-01" in spoken
    assert "Traceback" not in spoken
    assert votes.read_bytes() == before
    assert hidden(disk) == []
    ballast.unlink()
    assert say(*words)[0] == 0
    assert votes.read_bytes() == before


def test_heatmaps_that_do_not_fit_end_the_run_with_a_sentence(
    say: Say, disk: Path, tmp_path: Path, films: Path, panel_folder: Path
) -> None:
    fill(disk)
    votes, maps = tmp_path / "votes.csv", disk / "maps"
    words = ("label", films, "--panel", panel_folder, "--output", votes, "--device", "cpu")
    code, spoken = say(*words, "--heatmaps", maps)
    assert code not in (0, 130)
    assert "OUTPUT-01" in spoken
    assert "Traceback" not in spoken


def test_a_log_on_a_full_disk_costs_no_row(
    say: Say, disk: Path, tmp_path: Path, films: Path, panel_folder: Path
) -> None:
    votes, log = tmp_path / "votes.csv", disk / "run.jsonl"
    log.touch()
    fill(disk)
    words = ("label", films, "--panel", panel_folder, "--output", votes, "--device", "cpu")
    code, spoken = say(*words, "--log-json", log)
    assert "Traceback" not in spoken
    if code == 0:
        assert len(votes.read_text("utf-8-sig").splitlines()) == 6
        assert "log" in spoken
    else:
        assert "OUTPUT-01" in spoken


def test_a_read_only_disk_is_said_before_any_work(
    say: Say, disk: Path, films: Path, panel_folder: Path
) -> None:
    votes = disk / "votes.csv"
    votes.write_text("old")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    code, spoken = say(
        "label", films, "--panel", panel_folder, "--output", votes, "--device", "cpu"
    )
    assert code not in (0, 130)
    assert "OUTPUT-02" in spoken
    assert votes.read_text() == "old"
    assert [path.name for path in disk.iterdir()] == ["votes.csv"]
