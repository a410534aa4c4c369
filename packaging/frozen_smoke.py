"""Tries a frozen app as a user would: the command line on a folder of phantoms, then the window.

usage: python packaging/frozen_smoke.py FOLDER-OR-PROGRAM [--xvfb]

Needs nothing of the project but the drawn films, so it also runs against an installed package. The
environment is emptied, so that the frozen app cannot borrow this Python's libraries.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

FILMS = 4
PATIENCE_S = 180


def draw_films(folder: Path) -> None:
    """Write a few phantoms and one broken file."""
    from PIL import Image

    from desktop.core.phantoms import FILM_KINDS, draw_phantom

    folder.mkdir(parents=True)
    for number in range(FILMS):
        kind = FILM_KINDS[number % len(FILM_KINDS)]
        Image.fromarray(draw_phantom(kind, number)).save(folder / f"phantom_{number}_{kind}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")


def run(command: list[str], home: Path, expected: int = 0) -> str:
    """Run one command in a bare environment; returns its standard output.

    Raises:
        SystemExit: Another exit code than expected.
    """
    environment = {
        "HOME": str(home),
        "CXR_QUORUM_HOME": str(home / "cxr-quorum"),
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "QT_QPA_PLATFORM": "offscreen",
    }
    for name in ("DISPLAY", "XAUTHORITY", "SYSTEMROOT", "TEMP"):
        if name in os.environ:
            environment[name] = os.environ[name]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=home, timeout=PATIENCE_S,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode != expected:
        print(done.stdout[-3000:], done.stderr[-3000:], sep="\n", file=sys.stderr)
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}, not {expected}")
    return done.stdout


def smoke(program: Path) -> None:
    """Every part of the app once.

    Raises:
        SystemExit: Something did not work.
    """
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        films = home / "films"
        draw_films(films)
        app = str(program)
        print(run([app, "--version"], home).strip())
        print(run([app, "models"], home).strip())
        run([app, "doctor"], home)
        votes = home / "votes.csv"
        maps = home / "maps"
        # 1: one of the files is broken, and that is said.
        run([app, "label", str(films), "--output", str(votes), "--heatmaps", str(maps)], home, 1)
        with votes.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
        good = [row for row in rows if row["status"] == "ok"]
        if len(rows) != FILMS + 1 or len(good) != FILMS or not all(r["consensus"] for r in good):
            raise SystemExit(f"expected {FILMS} labelled films and 1 refusal, got {rows}")
        if len(list(maps.rglob("*.png"))) < FILMS:
            raise SystemExit("heatmaps are missing")
        start = time.perf_counter()
        run([app, "--quit-after-start", str(films)], home)
        print(f"window offscreen: started and closed in {time.perf_counter() - start:.1f} s")
    print(f"{FILMS} films labelled, 1 refused, window opened: the frozen app works")


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path, help="frozen folder, or the program itself")
    given: Path = parser.parse_args().program
    program = given / "cxr-quorum" if given.is_dir() else given
    found = shutil.which(str(program))
    if not found:
        raise SystemExit(f"{program} is not a program")
    smoke(Path(found).absolute())
    return 0


if __name__ == "__main__":
    sys.exit(main())
