"""A reader's day in the real program on a real X display: real keys, kill -9 in the middle."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from desktop.core.catalogue import open_panel
from desktop.core.phantoms import FILM_KINDS, draw_phantom
from desktop.core.review_store import ReviewStore
from tests.tiny_models import write_panel

NEEDED = ("Xvfb", "xdotool", "openbox")
PATIENCE_S = 90.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(shutil.which(tool) is None for tool in NEEDED),
        reason=f"needs {', '.join(NEEDED)}",
    ),
]


def wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.05)
    pytest.fail(f"waited {PATIENCE_S:.0f} s in vain until {what}")


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An X display with a window manager."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1440x900x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as stream:
        name = f":{stream.readline().strip()}"
    manager = subprocess.Popen(
        ["openbox"], env={**os.environ, "DISPLAY": name}, stderr=subprocess.DEVNULL
    )
    yield name
    for process in (manager, server):
        process.terminate()
        process.wait(10)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "ward"
    folder.mkdir()
    for number in range(1, 15):
        film = draw_phantom(FILM_KINDS[number % len(FILM_KINDS)], number, (200, 180))
        Image.fromarray(film).save(folder / f"film_{number:02d}.png")
    return folder


class Program:
    """The program as a user starts it."""

    def __init__(self, display: str, home: Path, panel: Path, *words: str) -> None:
        self.environment = {
            **os.environ,
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "CXR_QUORUM_HOME": str(home),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "desktop", "--panel", str(panel), *words],
            env=self.environment,
            cwd=Path(__file__).resolve().parents[2],
        )

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words], env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def wait_for_window(self, title: str) -> None:
        wait_until(
            lambda: bool(self.xdotool("search", "--onlyvisible", "--name", title)),
            f"a window called {title} is there",
        )
        self.xdotool("search", "--onlyvisible", "--name", title, "windowactivate", "--sync")

    def press(self, *keys: str) -> None:
        self.xdotool("key", "--delay", "60", *keys)

    def type(self, text: str) -> None:
        self.xdotool("type", "--delay", "20", text)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


@pytest.fixture
def start(display: str, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    panel = write_panel(tmp_path / "panels", name="tiny")
    programs: list[Program] = []

    def begin(*words: str) -> Program:
        programs.append(Program(display, tmp_path / "home", panel, *words))
        return programs[-1]

    yield begin
    for program in programs:
        program.end()


def test_open_review_undo_kill_reopen_export_quit(
    start: Callable[..., Program],
    films: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setenv("CXR_QUORUM_HOME", str(tmp_path / "home"))
    manifest = open_panel(tmp_path / "panels" / "tiny").manifest

    # One reader beside the program, as a second window would be.
    store = ReviewStore.open(films, manifest)
    request.addfinalizer(store.close)

    def decided() -> dict[str, str | None]:
        return {
            image: decision.label
            for image, decision in store.decisions().items()
            if decision.reviewed
        }

    def answered() -> int:
        return len(store.finished())

    program = start(str(films))
    program.wait_for_window("ward")
    wait_until(lambda: answered() == 14, "the models have voted on every film")
    for count, key in enumerate("1231231231", start=1):
        program.press(key)
        wait_until(lambda count=count: len(decided()) == count, f"label {count} is on the disk")
    program.press("ctrl+z")
    wait_until(lambda: len(decided()) == 9, "undo is on the disk")

    # In the middle of everything, as a power cut would.
    program.kill()
    assert len(decided()) == 9
    labels = decided()
    assert labels["film_01.png"] == "Covid"
    assert labels["film_03.png"] == "Viral Pneumonia"

    program = start(str(films))
    program.wait_for_window("ward")
    wait_until(lambda: program.process.poll() is None and len(decided()) == 9, "it is back")
    # It resumes at film 10, the first one without a decision.
    program.press("2")
    wait_until(lambda: decided().get("film_10.png") == "Normal", "the tenth film is labelled")

    # Typing into the search box labels nothing.
    program.press("slash")
    program.type("film_1")
    program.press("Return")
    assert len(decided()) == 10

    table = tmp_path / "votes.csv"
    program.press("ctrl+e")
    program.wait_for_window("Export CSV")
    program.press("ctrl+a")
    program.type(str(table))
    program.press("Return")
    wait_until(table.exists, "the table is written")
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 14
    assert sum(row["final_label"] != "" for row in rows) == 10

    program.wait_for_window("ward")
    program.press("ctrl+q")
    wait_until(lambda: program.process.poll() is not None, "the program has ended")
    assert program.process.returncode == 0
