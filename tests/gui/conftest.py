"""The window under test: the real one, with real models, on a real folder.

Every test fails that leaves a thread or a process behind, or makes Qt warn.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.batch.pipeline import label
from desktop.core.files.listing import list_folder
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import open_panel
from desktop.core.store.review_store import ReviewStore
from desktop.gui.app import make_application
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.settings.preferences import Preferences
from desktop.gui.settings.schema import DEFAULTS
from desktop.gui.style import theme
from tests.helpers.film_files import draw_films
from tests.helpers.tiny_models import write_panel

PATIENCE_MS = 60_000
W = TypeVar("W", bound=QWidget)


@pytest.fixture(scope="session")
def qapp_cls() -> type:
    """The application is made by the app itself, with its fonts and style."""

    class Made:
        def __new__(cls, _args: list[str]) -> object:
            application = make_application()
            theme.apply_theme(application, theme.DARK)
            return application

    return Made


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings and review stores of one test only."""
    home = tmp_path / "home"
    monkeypatch.setenv("CXR_QUORUM_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test after which threads or child processes live on."""
    before = set(threading.enumerate())
    children_before = set(multiprocessing.active_children())
    yield
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        left = [
            thread
            for thread in threading.enumerate()
            # Qt's threads show up as dummies once Python code has run on them.
            if thread not in before and not isinstance(thread, threading._DummyThread)
        ]
        children = set(multiprocessing.active_children()) - children_before
        if not left and not children:
            return
        time.sleep(0.02)
    pytest.fail(f"left behind: {left} {children}")


@pytest.fixture(scope="session")
def panel_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A panel of four real, tiny ONNX models."""
    return write_panel(tmp_path_factory.mktemp("panels"), name="tiny")


@pytest.fixture(scope="session")
def film_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve drawn films and one broken file; never written to by a test."""
    folder = tmp_path_factory.mktemp("ward")
    draw_films(folder, 12)
    (folder / "film_07_broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    return folder


MakeWindow = Callable[[], MainWindow]


@pytest.fixture
def make_window(qtbot: QtBot, own_home: Path, panel_folder: Path) -> Iterator[MakeWindow]:
    """Make windows that share one home, as one user's windows do."""
    windows: list[MainWindow] = []

    def make() -> MainWindow:
        preferences = Preferences()
        # The search for near-duplicates is a process; only its own tests need it.
        preferences.change(panel="tiny", find_duplicates=False)
        window = MainWindow(preferences, panel_folders=(panel_folder,))
        windows.append(window)
        window.show()
        qtbot.waitExposed(window)
        return window

    yield make
    for window in windows:
        window.close()
        window.deleteLater()


@pytest.fixture
def window(make_window: MakeWindow) -> MainWindow:
    """One window with nothing open."""
    return make_window()


@pytest.fixture(scope="session")
def answered_home(
    tmp_path_factory: pytest.TempPathFactory, panel_folder: Path, film_folder: Path
) -> Path:
    """A home whose review store holds the answers to every film: the models run once a session."""
    home = tmp_path_factory.mktemp("answered")
    panel = open_panel(panel_folder)
    with ReviewStore.open(film_folder, panel.manifest, home=home) as store:
        session = PanelSession(panel, "cpu")
        files = [file for batch in list_folder(film_folder) for file in batch]
        cases = label(files, session)
        store.record_results([(case.result, case.source) for case in cases])
    return home


@pytest.fixture
def own_open_window(
    own_home: Path,
    answered_home: Path,
    make_window: MakeWindow,
    qtbot: QtBot,
    film_folder: Path,
) -> MainWindow:
    """As ``open_window``, in a window of its own that the test may close."""
    shutil.copytree(answered_home, own_home)
    window = make_window()
    window.opener.open_folder(film_folder)
    wait_for_votes(qtbot, window)
    return window


@pytest.fixture(scope="module")
def shared_window(
    qapp: QApplication, tmp_path_factory: pytest.TempPathFactory, panel_folder: Path
) -> Iterator[MainWindow]:
    """One window for the tests of a module: making one costs more than using it."""
    preferences = Preferences(tmp_path_factory.mktemp("config") / "settings.json")
    window = MainWindow(preferences, panel_folders=(panel_folder,))
    window.show()
    # Its processes start on threads; a test must not look like the one that left them behind.
    deadline = time.monotonic() + 30
    while len(multiprocessing.active_children()) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    yield window
    window.close()
    window.deleteLater()


@pytest.fixture
def open_window(
    own_home: Path,
    answered_home: Path,
    shared_window: MainWindow,
    qtbot: QtBot,
    film_folder: Path,
) -> Iterator[MainWindow]:
    """A window in which every film of the folder has its votes, from an earlier day.

    The tests of a module share the window; settings, folder and page are as at a first start.
    """
    shutil.copytree(answered_home, own_home)
    window = shared_window
    window.preferences.settings = dataclasses.replace(DEFAULTS, panel="tiny", find_duplicates=False)
    window.preferences.changed.emit()
    window.shortcuts.apply({})
    window.opener.survey()
    window.show_page("review")
    window.opener.open_folder(film_folder)
    wait_for_votes(qtbot, window)
    yield window
    window.controller.close_folder()
    window.status.clear_notice()


def press(window: QWidget, keys: str) -> None:
    """Press a key, or several at once such as ``Ctrl+Z``, where the keyboard is."""
    combination = QKeySequence(keys)[0]
    target = QApplication.focusWidget() or window
    QTest.keyClick(target, combination.key(), combination.keyboardModifiers())


def child(parent: QWidget, kind: type[W], name: str) -> W:
    """The one widget of its kind within another that screen readers call ``name``."""
    (found,) = [one for one in parent.findChildren(kind) if one.accessibleName() == name]
    return found


def wait_for_votes(qtbot: QtBot, window: MainWindow) -> None:
    """Wait until every listed case has an answer."""

    def done() -> bool:
        session = window.controller.session
        return (
            session is not None
            and session.scanned
            and len(session.table) > 0
            and all(session.has_result(case) for case in range(len(session.table)))
        )

    qtbot.waitUntil(done, timeout=PATIENCE_MS)
