"""One folder with everything that hurts, labelled by the real command: sound rows stay the same."""

from __future__ import annotations

import csv
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom
from tests.helpers import command
from tests.helpers.tiny_models import write_panel
from tests.hostile.files import mutations, write_worst_cases
from tests.hostile.structures import structured

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")


def rows_of(table: Path) -> dict[str, dict[str, str]]:
    with table.open(encoding="utf-8-sig", newline="") as stream:
        return {row["image"]: row for row in csv.DictReader(stream)}


def draw_sound(folder: Path) -> list[Path]:
    sound = []
    for number in range(12):
        film = draw_phantom(FILM_KINDS[number % len(FILM_KINDS)], number, (500, 420))
        sound.append(folder / f"m sound {number}.png")
        Image.fromarray(film).save(sound[-1])
    return sound


def grow(path: Path, stop: threading.Event) -> None:
    with path.open("ab", buffering=0) as stream:
        while not stop.is_set():
            stream.write(b"more")
            time.sleep(0.001)


def test_sound_films_keep_their_rows_among_files_that_hurt(tmp_path: Path) -> None:
    folder, panel = tmp_path / "films", write_panel(tmp_path)
    folder.mkdir()
    sound = draw_sound(folder)
    words: list[str | Path] = ["label", folder, "--recursive", "--panel", panel, "-o"]
    assert command.run([*words, "alone.csv"], tmp_path).returncode == 0
    worst = write_worst_cases(folder)
    for name, content in [*mutations(40, 77), *structured(55, 78)]:
        (folder / f"m {name}.x").write_bytes(content)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "a socket.png")[-100:])
    (folder / "circle").symlink_to(folder, target_is_directory=True)
    growing, going = folder / "zz growing.png", folder / "zz going.png"
    for path in (growing, going):
        path.write_bytes(sound[0].read_bytes())
    stop = threading.Event()
    grower = threading.Thread(target=grow, args=(growing, stop))
    grower.start()
    log = tmp_path / "run.log"
    process = command.start(
        [*words, "all.csv", "--log-json", log], tmp_path, stderr=subprocess.PIPE
    )
    try:
        while process.poll() is None and not (log.exists() and b'"image"' in log.read_bytes()):
            time.sleep(0.01)
        going.unlink()
        _, said = process.communicate(timeout=400)
    finally:
        process.kill()
        stop.set()
        grower.join()
    assert process.returncode == 1, said.decode()
    assert b"Traceback" not in said
    alone, everything = rows_of(tmp_path / "alone.csv"), rows_of(tmp_path / "all.csv")
    for path in sound:
        assert everything[path.name] == alone[path.name]
    failed = [row for row in everything.values() if row["status"] == "failed"]
    assert len(failed) > 40
    for row in everything.values():
        assert (row["status"] == "failed") == (not row["consensus"]), row
        assert bool(row["code"]) == (row["status"] == "failed")
        assert bool(row["reason"]) == bool(row["code"])
        assert not any(
            word in row["reason"] for word in ("Traceback", "Error:", "Exception", " 0x")
        )
    assert everything[going.name]["code"] in ("READ-02", "")  # it may have been read before
    assert everything[growing.name]["code"] in ("READ-05", "DECODE-01", "DECODE-02", "")
    listed = list(folder.iterdir())
    assert len(everything) > len(listed) - 15  # links in a circle and the like are listed once
    assert len(worst) > 30
