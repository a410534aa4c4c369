"""Tries a frozen app as a user would: the commands on a folder of phantoms, then the window.

usage: python packaging/frozen_smoke.py FOLDER-OR-PROGRAM [--on-screen]

Runs against an installed package too. The environment is emptied, so that the frozen app cannot
borrow this Python's libraries.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

FILMS = 4
PATIENCE_S = 180
PASSED_ON = ("DISPLAY", "XAUTHORITY", "SYSTEMROOT", "TEMP")


def draw_films(folder: Path) -> None:
    """Write a few phantoms and one broken file."""
    from PIL import Image

    from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom

    folder.mkdir(parents=True)
    for number in range(FILMS):
        kind = FILM_KINDS[number % len(FILM_KINDS)]
        Image.fromarray(draw_phantom(kind, number)).save(folder / f"phantom_{number}_{kind}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")


def bare_environment(home: Path, *, on_screen: bool = False) -> dict[str, str]:
    """What a program needs at least, and a home of its own."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
        "HOME": str(home),
        "CXR_QUORUM_HOME": str(home / "cxr-quorum"),
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
    }
    return environment if on_screen else environment | {"QT_QPA_PLATFORM": "offscreen"}


def run(command: list[str], home: Path, expected: int = 0) -> str:
    """Run one command; returns its standard output.

    Raises:
        SystemExit: Another exit code than expected.
    """
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=bare_environment(home),
        cwd=home,
        timeout=PATIENCE_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != expected:
        print(done.stdout[-3000:], done.stderr[-3000:], sep="\n", file=sys.stderr)
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}, not {expected}")
    return done.stdout


def try_commands(program: Path, home: Path, films: Path) -> None:
    """Every command once.

    Raises:
        SystemExit: Something did not work.
    """
    app = str(program)
    print(run([app, "--version"], home).strip())
    run([app, "models", "--verify"], home)
    run([app, "doctor"], home)
    run([app, "demo", "--no-window", "--output", str(home / "demo")], home)
    if not list((home / "demo" / "samples").glob("*.dcm")):
        raise SystemExit("the sample film is missing")
    votes, maps = home / "votes.csv", home / "maps"
    # 1: one of the files is broken, and that is said.
    run([app, "label", str(films), "--output", str(votes), "--heatmaps", str(maps)], home, 1)
    with votes.open(newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    good = [row for row in rows if row["status"] == "ok"]
    if len(rows) != FILMS + 1 or len(good) != FILMS or not all(row["consensus"] for row in good):
        raise SystemExit(f"expected {FILMS} labelled films and 1 refusal, got {rows}")
    if len(list(maps.rglob("*.png"))) < FILMS:
        raise SystemExit("heatmaps are missing")


def try_window(program: Path, home: Path, films: Path, *, on_screen: bool) -> dict[str, float]:
    """Open the window on a folder, wait for its answers, close it.

    Returns:
        Seconds from the start to the events that were waited for.

    Raises:
        SystemExit: It did not come, did not label or did not close.
    """
    start = time.perf_counter()
    times: dict[str, float] = {}
    process = subprocess.Popen(
        [str(program), str(films)],
        env=bare_environment(home, on_screen=on_screen),
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def wait_for(what: str, happened: Callable[[], bool]) -> None:
        while not happened():
            if process.poll() is not None or time.perf_counter() - start > PATIENCE_S:
                process.kill()
                output = process.communicate()[0]
                raise SystemExit(f"the window never came to: {what}\n{output[-3000:]}")
            time.sleep(0.02)
        times[what] = time.perf_counter() - start

    try:
        if on_screen and shutil.which("xdotool"):
            wait_for("window on the screen", _visible)
        wait_for("all films labelled", lambda: stored_results(home) >= FILMS)
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=30)[0]
    finally:
        process.kill()
    if process.returncode != 0:
        raise SystemExit(f"the window ended with {process.returncode}\n{output[-3000:]}")
    return times


def stored_results(home: Path) -> int:
    """How many answers the window has written into its store."""
    count = 0
    for store in (home / "cxr-quorum").rglob("review.sqlite"):
        try:
            with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
                count += connection.execute("SELECT count(*) FROM result").fetchone()[0]
        except sqlite3.Error:
            pass  # not made yet
    return count


def _visible() -> bool:
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", "CXR Quorum"],
        capture_output=True,
        check=False,
    )
    return bool(found.stdout.strip())


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path, help="frozen folder, or the program itself")
    parser.add_argument("--on-screen", action="store_true", help="a real window on DISPLAY")
    options = parser.parse_args()
    given: Path = options.program
    found = shutil.which(str(given / "cxr-quorum" if given.is_dir() else given))
    if not found:
        raise SystemExit(f"{given} is not a program")
    program = Path(found).absolute()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        films = home / "films"
        draw_films(films)
        try_commands(program, home, films)
        for attempt in ("first", "warm"):
            shutil.rmtree(home / "cxr-quorum", ignore_errors=True)
            times = try_window(program, home, films, on_screen=options.on_screen)
            words = ", ".join(f"{what} after {seconds:.1f} s" for what, seconds in times.items())
            print(f"{attempt} start: {words}")
    print(f"{FILMS} films labelled, 1 refused, window opened and closed: it works")
    return 0


if __name__ == "__main__":
    sys.exit(main())
