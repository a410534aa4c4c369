"""A watch through a bad day: slow copies, a thousand at once, a share that goes and comes back."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from desktop.core.imaging.phantoms import draw_phantom
from tests.helpers import command
from tests.helpers.tiny_models import write_panel

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def events(log: Path, name: str) -> list[dict[str, object]]:
    if not log.exists():
        return []
    lines = [line for line in log.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    return [event for event in map(json.loads, lines) if event["event"] == name]


def until(log: Path, name: str, count: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 400
    while len(events(log, name)) < count:
        assert process.poll() is None
        assert time.monotonic() < deadline, (name, len(events(log, name)))
        time.sleep(0.05)


def copy_slowly(content: bytes, target: Path) -> None:
    """In twenty pieces, as a slow share does; the file has its name from the start."""
    with target.open("wb", buffering=0) as stream:
        for start in range(0, len(content), len(content) // 20):
            stream.write(content[start : start + len(content) // 20])
            time.sleep(0.15)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_every_film_is_labelled_once_whatever_the_folder_does(
    tmp_path: Path, ending: signal.Signals
) -> None:
    inbox, log, table = tmp_path / "inbox", tmp_path / "watch.log", tmp_path / "votes.csv"
    inbox.mkdir()
    films = []
    for number in range(3):
        path = tmp_path / f"drawn{number}.png"
        Image.fromarray(draw_phantom("normal", number, (160, 140))).save(path)
        films.append(path.read_bytes())
    process = command.start(
        ["label", inbox, "--panel", write_panel(tmp_path), "-o", table, "--watch",
         "--interval", "0.5", "--log-json", log],
        tmp_path, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        until(log, "models_loaded", 1, process)
        slow = threading.Thread(target=copy_slowly, args=(films[0], inbox / "slow.png"))
        slow.start()
        for number in range(1000):
            if number % 2:
                (inbox / f"burst{number}.png").write_bytes(films[number % 3])
            else:  # moved in
                part = tmp_path / "moving"
                part.write_bytes(films[number % 3])
                part.rename(inbox / f"burst{number}.png")
        slow.join()
        until(log, "image", 1001, process)
        inbox.rename(tmp_path / "away")
        until(log, "folder_away", 1, process)
        time.sleep(1.5)
        (tmp_path / "away").rename(inbox)
        (inbox / "burst7.png").write_bytes(films[2])  # replaced by another content
        (inbox / "last.png").write_bytes(films[1])
        until(log, "image", 1003, process)
        process.send_signal(ending)
        _, said = process.communicate(timeout=200)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["status"] for row in rows} == {"ok"}
    assert max(Counter(row["image"] for row in rows).values()) == 1
    assert len(rows) == 1002
    assert len(events(log, "image")) == 1003  # the replaced one twice, every other once
    assert len(events(log, "folder_away")) == 1
