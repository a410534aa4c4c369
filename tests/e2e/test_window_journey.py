"""A reader's day in the real program on a real X display: real keys, kill -9 in the middle."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageGrab

from desktop.core.panels.registry import open_panel
from desktop.core.store.review_store import ReviewStore
from tests.helpers.film_files import draw_films
from tests.helpers.tiny_models import write_panel

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
    draw_films(tmp_path / "ward", 14)
    return tmp_path / "ward"


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

    def place(self, title: str) -> tuple[int, int, int, int]:
        """Left, top, width and height of a window's inside on the screen."""
        window = self.xdotool("search", "--onlyvisible", "--name", title).splitlines()[-1]
        words = self.xdotool("getwindowgeometry", "--shell", window).splitlines()
        facts = dict(word.split("=", 1) for word in words)
        return tuple(int(facts[name]) for name in ("X", "Y", "WIDTH", "HEIGHT"))

    def point(self, title: str, x: int, y: int) -> None:
        left, top, _, _ = self.place(title)
        self.xdotool("mousemove", "--sync", str(left + x), str(top + y))

    def drag(self, title: str, start: tuple[int, int], end: tuple[int, int]) -> None:
        """With the left button, in steps as a hand does."""
        self.point(title, *start)
        self.xdotool("mousedown", "1")
        for step in range(1, 6):
            between = (a + (b - a) * step // 5 for a, b in zip(start, end, strict=True))
            self.point(title, *between)
        self.xdotool("mouseup", "1")

    def wheel(self, title: str, at: tuple[int, int], up: int) -> None:
        self.point(title, *at)
        self.xdotool("click", "--repeat", str(up), "--delay", "80", "4")

    def picture(self, title: str) -> Image.Image:
        """List and film as they stand on the screen, without what changes by itself around them."""
        left, top, width, height = self.place(title)
        screen = ImageGrab.grab(xdisplay=self.environment["DISPLAY"])
        return screen.crop((left, top + 100, left + width - 360, top + height - 40)).convert("RGB")

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


def alike(one: Image.Image, other: Image.Image) -> bool:
    """Same size, and at most one pixel in two hundred looks otherwise."""
    if one.size != other.size:
        return False
    apart = np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).max(axis=2)
    return float((apart > 16).mean()) < 0.005


def test_everything_is_as_it_was_after_a_kill(
    start: Callable[..., Program],
    films: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """Mouse and keys set the film, the panels, a filter, blind reading and the theme; then -9."""
    monkeypatch.setenv("CXR_QUORUM_HOME", str(tmp_path / "home"))
    manifest = open_panel(tmp_path / "panels" / "tiny").manifest
    store = ReviewStore.open(films, manifest)
    request.addfinalizer(store.close)

    def look() -> dict[str, Any]:
        return dict(store.session().view)

    file = tmp_path / "home" / "config" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"theme": "light"}')

    def settings() -> dict[str, Any]:
        return dict(json.loads(file.read_text()))

    program = start(str(films))
    program.wait_for_window("ward")
    wait_until(lambda: len(store.finished()) == 14, "the models have voted on every film")
    program.press("l")
    wait_until(lambda: settings().get("keep_window") is True, "window and zoom are kept")

    # A drag on the film changes the grey window; the wheel zooms at the pointer.
    program.drag("ward", (700, 400), (820, 340))
    wait_until(lambda: look().get("grey_window") is not None, "the drag has changed the window")
    program.wheel("ward", (700, 400), up=3)
    wait_until(lambda: (look().get("zoom") or 0) > 0, "the wheel has zoomed")
    # The edge between list and film.
    program.drag("ward", (337, 500), (400, 500))
    wait_until(
        lambda: settings().get("window_state", {}).get("panels", "0 0") != "0 0",
        "the list is wider now",
    )
    program.press("1")
    wait_until(lambda: len(store.decisions()) >= 1, "the first film is labelled")
    program.press("b")
    wait_until(lambda: settings().get("blind_first") is True, "votes are hidden")
    program.press("slash")
    program.type("film_0")
    program.press("Return")
    wait_until(lambda: store.session().query == "film_0", "the list is filtered")
    program.press("2")
    wait_until(
        lambda: sum(item.reviewed for item in store.decisions().values()) == 2, "a second label"
    )
    # The label led on to the next one, where the next start begins.
    wait_until(lambda: store.session().current_image == "film_03.png", "the third film is shown")
    time.sleep(1.5)  # what is on the way to the screen arrives
    before, kept, picture = look(), settings(), program.picture("ward")
    program.kill()

    program = start(str(films))
    program.wait_for_window("ward")
    # The screen itself is the witness: list, film, panels and bars as they stood.
    wait_until(
        lambda: alike(picture, program.picture("ward")),
        "the window looks as it did before the kill",
    )
    now = settings()
    moving = ("recent", "window_state")  # with a time, and with the frame's own few pixels
    assert {name: now[name] for name in kept if name not in moving} == {
        name: value for name, value in kept.items() if name not in moving
    }
    assert now["window_state"]["panels"] == kept["window_state"]["panels"]
    assert look() == before
    assert store.session().query == "film_0"
    program.press("ctrl+q")
    wait_until(lambda: program.process.poll() is not None, "the program has ended")
    assert program.process.returncode == 0
