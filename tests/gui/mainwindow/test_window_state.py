"""A start finds window, panels and film as they were left, also after a kill."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from desktop.gui.images.view_state import Orientation, ViewState
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.mainwindow.window_state import restore_view
from tests.gui.conftest import PATIENCE_MS, MakeWindow

SAVED_MS = 5_000


def show(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    window.resize(1500, 900)
    window.opener.open_folder(folder)
    qtbot.waitUntil(lambda: window.review.image.film is not None, timeout=PATIENCE_MS)


def saved_view(window: MainWindow) -> dict[str, object]:
    store = window.controller.store
    assert store is not None
    return dict(store.session().view)


def test_kept_window_zoom_and_orientation_come_back_without_a_proper_end(
    qtbot: QtBot, make_window: MakeWindow, film_folder: Path
) -> None:
    first = make_window()
    show(qtbot, first, film_folder)
    first.shortcuts["keep_view"].trigger()
    first.review.image.set_window(90, 70)
    first.review.image.zoom_by(3, QPointF(100, 100))
    first.review.image.rotate_right()
    first.review.image.set_inverted(True)
    before = first.review.image.state
    qtbot.waitUntil(lambda: saved_view(first).get("inverted") is True, timeout=SAVED_MS)
    # The first window is still open: nothing may depend on its closing.
    second = make_window()
    assert second.shortcuts["keep_view"].isChecked()
    show(qtbot, second, film_folder)
    after = second.review.image.state
    assert after.window == (90, 70)
    assert after.zoom == before.zoom
    assert after.centre == before.centre
    assert after.orientation == Orientation(1, False)
    assert after.inverted


def test_without_keeping_each_start_shows_the_film_afresh(
    qtbot: QtBot, make_window: MakeWindow, film_folder: Path
) -> None:
    first = make_window()
    show(qtbot, first, film_folder)
    first.review.image.set_window(90, 70)
    first.close()
    second = make_window()
    show(qtbot, second, film_folder)
    assert second.review.image.state.window is None
    assert second.review.image.state.zoom is None


def test_a_filter_is_saved_although_the_reader_stays_on_the_image(
    qtbot: QtBot, make_window: MakeWindow, film_folder: Path
) -> None:
    first = make_window()
    show(qtbot, first, film_folder)
    shown = first.controller.current
    first.case_filter.apply("film_0", "-name")
    store = first.controller.store
    assert store is not None
    qtbot.waitUntil(lambda: store.session().query == "film_0", timeout=SAVED_MS)
    assert first.controller.current == shown
    second = make_window()
    show(qtbot, second, film_folder)
    assert (second.controller.list.query, second.controller.list.sort) == ("film_0", "-name")


def test_dragged_panel_widths_are_saved_before_the_window_is_closed(
    qtbot: QtBot, make_window: MakeWindow, film_folder: Path
) -> None:
    first = make_window()
    show(qtbot, first, film_folder)
    splitter = first.review.splitter
    splitter.moveSplitter(400, 1)
    assert splitter.sizes()[0] == 400
    qtbot.waitUntil(lambda: first.preferences.panel_widths[0] == 400, timeout=SAVED_MS)
    second = make_window()
    show(qtbot, second, film_folder)
    assert second.review.splitter.sizes()[0] == 400


def test_the_size_of_the_window_is_saved_before_it_is_closed(
    qtbot: QtBot, make_window: MakeWindow
) -> None:
    # Offscreen the screen is too small to put a window back as it was; what is kept can be read.
    window = make_window()
    window.resize(1411, 877)

    def kept() -> bool:
        saved = window.preferences.settings.window_state.get("geometry", "")
        return saved == bytes(window.saveGeometry().toBase64().data()).decode()

    qtbot.waitUntil(kept, timeout=SAVED_MS)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"grey_window": "wide"},
        {"grey_window": [1]},
        {"zoom": "near", "centre": None},
        {"zoom": 2.0, "centre": ["a", "b"]},
        {"zoom": 2.0, "centre": 5},
        {"zoom": 1.0, "turned": None},
    ],
)
def test_a_saved_look_that_makes_no_sense_changes_nothing_dangerous(
    nonsense: dict[str, object],
) -> None:
    state = ViewState()
    restore_view(state, nonsense, window=True, zoom=True)
    assert state.window is None
    assert state.zoom is None or math.isfinite(state.zoom)
