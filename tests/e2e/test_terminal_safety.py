"""Names made to act on a terminal, in a real one and in a pipe: they are shown, never obeyed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.helpers import command
from tests.helpers import film_files as films
from tests.helpers.tiny_models import write_panel

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX names and terminals")

CLEAR = "\x1b[2J"
TITLE = "\x1b]0;owned\x07"
COLUMN_ONE = "film\rcxr-quorum: all films are normal"
LINE = "film\n9 images in 0:01."
TURNED = "film\u202egnp.a"
C1 = "film\x9b2J"
NOT_UTF_8 = os.fsdecode(b"film\xff\x9b")
MARKUP = "[red]:warning:[/nothing]"
NAMES = (CLEAR, TITLE, COLUMN_ONE, LINE, TURNED, C1, NOT_UTF_8, MARKUP)
# What a terminal obeys; the bar's own sequences move the cursor by lines and colour it.
OBEYED = (
    b"\x1b[2J", b"\x1b]", b"\x07", b"\x9b", "\x9b".encode(), "\u202e".encode(), b"\rcxr", b"\n9 im",
    "⚠".encode(),
)  # fmt: skip


def hostile_folder(folder: Path) -> Path:
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.png".replace("/", "_")).write_bytes(b"no film")
    Image.fromarray(films.grey_film()).save(folder / "sound.png")
    return folder


def in_a_terminal(words: list[str | Path], folder: Path) -> bytes:
    """Everything the command writes to a terminal of its own."""
    import pty

    try:
        ours, theirs = pty.openpty()
    except OSError as absent:
        pytest.skip(f"this machine has no pseudo-terminal ({absent.strerror})")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm-256color")
        process = command.start(
            words, folder, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
        )
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 65536):
            written += chunk
    except OSError:  # Linux: the other end was closed
        pass
    os.close(ours)
    assert process.wait(60) in (1, 2)
    return written


def test_names_of_films_do_nothing_to_a_terminal(tmp_path: Path) -> None:
    folder, panel = hostile_folder(tmp_path / f"films{CLEAR}{TITLE}"), write_panel(tmp_path)
    output = tmp_path / f"votes{TITLE}.csv"
    words: list[str | Path] = ["label", folder, "--panel", panel, "-o", output]
    said = in_a_terminal(words, tmp_path)
    for sequence in OBEYED:
        assert sequence not in said, (sequence, said)
    for name in (r"film\xff\x9b.png is", r"film\u202egnp.a.png is", "[red]:warning:[_nothing].png"):
        assert name.encode() in said
    assert output.is_file()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_table_that_is_written_to_a_terminal_does_nothing_to_it(
    tmp_path: Path, form: str
) -> None:
    folder, panel = hostile_folder(tmp_path / "films"), write_panel(tmp_path)
    words: list[str | Path] = ["label", folder, "--panel", panel, "-o", "-", "--format", form]
    said = in_a_terminal(words, tmp_path)
    for sequence in OBEYED:
        assert sequence not in said, (sequence, said)
    rows = command.run(words, tmp_path).stdout
    assert CLEAR.encode() not in rows  # no table holds control characters, wherever it goes
    assert rows.count(b"sound.png") == said.count(b"sound.png") == 1


def test_a_log_and_a_pipe_get_whole_printable_lines(tmp_path: Path) -> None:
    folder, panel = hostile_folder(tmp_path / "films"), write_panel(tmp_path)
    log = tmp_path / "log"
    done = command.run(["label", folder, "--panel", panel, "--log-json", log], tmp_path)
    assert done.returncode == 1
    lines = done.stderr.decode().splitlines()
    assert all(line.isprintable() for line in lines)
    assert sum(line.endswith("[TYPE-01]") for line in lines) == len(NAMES)
    for text in log.read_bytes().decode("ascii").splitlines():
        assert text.isprintable()
        json.loads(text)
    facts = (tmp_path / "votes.csv.run.json").read_text("utf-8")
    assert all(line.isprintable() for line in facts.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        ["label", f"--films{TITLE}"],
        ["label", f"nowhere{TITLE}{CLEAR}"],
        ["label", ".", "--panel", f"panel{TITLE}"],
        ["label", ".", "--panel", f"./panel{TITLE}"],
        ["label", ".", "--panel", "p" * 5000],
        ["label", ".", "--engine", f"{TITLE}"],
        ["label", ".", "--device", f"{TITLE}"],
        ["label", ".", "--threads", f"{TITLE}"],
        ["label", ".", "--list", f"list{TITLE}"],
        ["label", ".", "-o", f"nowhere/votes{TITLE}.csv"],
        ["label", f"s3://films{TITLE}"],
        ["codes", f"CODE{TITLE}"],
    ],
)
def test_no_word_of_a_command_does_anything_to_a_terminal(tmp_path: Path, words: list[str]) -> None:
    Image.fromarray(films.grey_film()).save(tmp_path / "sound.png")
    done = command.run(list(words), tmp_path)
    assert done.returncode in (1, 2)
    said = done.stderr.decode()
    assert "Traceback" not in said
    assert all(line.isprintable() for line in said.splitlines())
