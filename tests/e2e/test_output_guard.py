"""A slip of the command must not cost a film, a model or a list; said before any work."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from desktop.__main__ import main
from tests.helpers import film_files as films
from tests.helpers.tiny_models import write_panel

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    monkeypatch.setenv("CXR_QUORUM_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    Image.fromarray(films.grey_film()).save(tmp_path / "films" / "film.png")
    (tmp_path / "films" / "1.2.3").write_bytes(films.dicom(films.grey_film()))
    (tmp_path / "list.txt").write_text("films/film.png\n")
    write_panel(tmp_path)
    (tmp_path / "other.csv").write_text("image,sha256\r\n", "utf-8-sig")
    (tmp_path / "other.jsonl").write_text('{"image": "a.png"}\n')
    (tmp_path / "other.csv.run.json").write_text("{}")
    (tmp_path / "run.log").write_text('{"time": "2026-11-28T10:43:15.761Z"}\n')
    for name in ("other.csv.journal", "reviews.db"):
        with sqlite3.connect(tmp_path / name) as database:
            database.execute("CREATE TABLE cases (image TEXT)")
        database.close()
    if os.name == "posix":
        os.mkfifo(tmp_path / "pipe")

    def run(*words: str) -> tuple[int, str]:
        code = main(["label", "films", "--panel", str(tmp_path / "covid19"), *words])
        return code, capsys.readouterr().err

    return run


def contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("-o", "films/film.png"), "USAGE-05"),
        (("-o", "films/new.dcm"), "USAGE-05"),
        (("-o", "films/1.2.3"), "USAGE-05"),
        (("-o", "covid19/manifest.json"), "USAGE-05"),
        (("-o", "covid19/scnn.onnx"), "USAGE-05"),
        (("-o", "list.txt", "--list", "list.txt"), "USAGE-05"),
        (("-o", "votes.csv", "--log-json", "films/film.png"), "USAGE-05"),
        (("-o", "-", "--log-json", "films/1.2.3"), "USAGE-05"),
        (("-o", "films"), "OUTPUT-05"),
        (("-o", "votes.csv", "--log-json", "films"), "OUTPUT-05"),
        (("-o", "other.csv.journal"), "USAGE-05"),
        (("-o", "Other.CSV.Journal"), "USAGE-05"),
        (("-o", "new.csv.journal"), "USAGE-05"),
        (("-o", "other.csv.journal.damaged-1"), "USAGE-05"),
        (("-o", "other.csv.run.json"), "USAGE-05"),
        (("-o", "run.log"), "USAGE-05"),
        (("-o", "reviews.db"), "USAGE-05"),
        (("-o", "votes.csv", "--log-json", "other.csv.journal"), "USAGE-05"),
        (("-o", "votes.csv", "--log-json", "votes.csv.run.json"), "USAGE-05"),
        (("-o", "votes.csv", "--log-json", "./votes.csv"), "USAGE-05"),
        (("-o", "votes.csv", "--log-json", "other.csv"), "USAGE-05"),
        (("-o", "votes.csv", "--log-json", "other.jsonl"), "USAGE-05"),
        (("-o", "/dev/null"), "OUTPUT-05"),
        (("-o", "pipe"), "OUTPUT-05"),
    ],
)
def test_nothing_that_matters_is_written_over(
    say: Say, tmp_path: Path, words: tuple[str, ...], code: str
) -> None:
    before = contents(tmp_path)
    devices = set(Path("/dev").glob("null*"))
    ended, spoken = say(*words)
    assert set(Path("/dev").glob("null*")) == devices
    assert ended == (2 if code.startswith("USAGE") else 1)
    assert f"[{code}]" in spoken
    assert contents(tmp_path) == before


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_links_are_looked_through(say: Say, tmp_path: Path) -> None:
    (tmp_path / "votes.csv").symlink_to("films/film.png")
    (tmp_path / "lost.csv").symlink_to("nowhere/votes.csv")
    before = contents(tmp_path)
    assert "[USAGE-05]" in say("-o", "votes.csv")[1]
    assert "[OUTPUT-03]" in say("-o", "lost.csv")[1]
    assert contents(tmp_path) == before


def test_an_old_table_is_replaced_and_a_log_grows(say: Say, tmp_path: Path) -> None:
    (tmp_path / "votes.csv").write_text("old")
    (tmp_path / "run.log").write_text("old\n")
    (tmp_path / "other.log").write_text('{"time": "2026-11-28T10:43:15.761Z"}\n')
    assert say("-o", "votes.csv", "--log-json", "run.log")[0] == 0
    assert len((tmp_path / "votes.csv").read_text("utf-8-sig").splitlines()) == 3
    assert (tmp_path / "run.log").read_text().startswith("old\n{")
    assert say("-o", "votes.csv", "--log-json", "other.log")[0] == 0
    assert len((tmp_path / "other.log").read_text().splitlines()) > 3
