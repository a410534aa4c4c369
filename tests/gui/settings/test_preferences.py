"""Settings that a dialog offers do what they say, at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from desktop.core.review.case_table import SafetyRule
from desktop.core.store.review_store import ReviewStore
from desktop.gui.images.view_types import Tool
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.viewer.image_view import ImageView
from tests.gui.conftest import MakeWindow, child, draw_films, wait_for_votes

NONE = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


def wheel(view: ImageView, angle: int, modifier: Qt.KeyboardModifier = NONE) -> None:
    at = QPointF(view.rect().center())
    event = QWheelEvent(
        at,
        view.mapToGlobal(at),
        QPoint(),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def drag(view: ImageView, button: Qt.MouseButton, start: QPoint, end: QPoint) -> None:
    nothing = Qt.MouseButton.NoButton
    for kind, point, which, held in (
        (QEvent.Type.MouseButtonPress, start, button, button),
        (QEvent.Type.MouseMove, end, nothing, button),
        (QEvent.Type.MouseButtonRelease, end, button, nothing),
    ):
        position = QPointF(point)
        event = QMouseEvent(kind, position, view.mapToGlobal(position), which, held, NONE)
        QApplication.sendEvent(view, event)


@pytest.fixture
def film(open_window: MainWindow, qtbot: QtBot) -> ImageView:
    qtbot.waitUntil(lambda: open_window.review.image.film is not None)
    return open_window.review.image


def test_the_wheel_pages_where_that_is_wanted_and_zooms_with_control(
    open_window: MainWindow, film: ImageView
) -> None:
    controller = open_window.controller
    open_window.preferences.change(wheel="images")
    first, zoom = controller.current, film.effective_zoom()
    wheel(film, -60)
    assert controller.current == first
    wheel(film, -60)
    second = controller.current
    assert second != first
    wheel(film, 120)
    assert controller.current == first
    assert film.effective_zoom() == zoom
    wheel(film, 120, CONTROL)
    assert controller.current == first


def test_the_drags_do_what_was_chosen(open_window: MainWindow, film: ImageView) -> None:
    open_window.preferences.change(right_drag="window", left_drag="pan")
    assert film.tool is Tool.PAN
    window, zoom = film.grey_window(), film.effective_zoom()
    drag(film, Qt.MouseButton.RightButton, QPoint(200, 200), QPoint(260, 200))
    assert film.grey_window() != window
    assert film.effective_zoom() == zoom
    # In the comparison too, whose views are made anew for each panel.
    for view in open_window.review.compare.views():
        assert view.tool is Tool.PAN
    open_window.preferences.change(left_drag="window")
    assert film.tool is Tool.WINDOW


def test_the_film_is_first_seen_in_the_preset_that_was_chosen(
    open_window: MainWindow, film: ImageView
) -> None:
    presets = {preset.key: (preset.width, preset.level) for preset in film.presets()}
    first = film.presets()[0]
    assert film.grey_window() == (first.width, first.level)
    open_window.preferences.change(window_preset="p5")
    assert film.grey_window() == presets["p5"] != (first.width, first.level)


def test_the_facts_of_the_file_are_left_out_where_only_the_rail_is_shown(
    open_window: MainWindow,
) -> None:
    facts = open_window.review.list_panel.facts
    open_window.resize(1440, 900)
    open_window.shortcuts["facts"].trigger()
    assert facts.isVisible()
    assert open_window.status.notice == ""
    open_window.show_page("compare")
    assert open_window.review.list_panel.rail
    assert not facts.isVisible()
    open_window.show_page("review")
    assert facts.isVisible()
    open_window.show_page("compare")
    open_window.shortcuts["facts"].trigger()
    open_window.shortcuts["facts"].trigger()
    assert "only its rail" in open_window.status.notice


def test_the_safety_sample_follows_its_settings(open_window: MainWindow) -> None:
    session = open_window.controller.session
    assert session is not None
    assert session.table.safety_rule == SafetyRule(0.05, 0.9)
    open_window.preferences.change(safety_sample_percent=100, safety_confidence_percent=60)
    assert session.table.safety_rule == SafetyRule(1.0, 0.6)


def test_maps_are_not_kept_where_that_is_not_wanted(
    make_window: MakeWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    draw_films(folder, 2)
    window = make_window()
    window.preferences.change(keep_maps=False)
    window.opener.open_folder(folder)
    wait_for_votes(qtbot, window)
    session = window.controller.session
    assert session is not None
    images, panel = list(session.table.images), session.panel.manifest
    window.controller.close_folder()
    with ReviewStore.open(folder, panel) as store:
        for image in images:
            kept = store.case_result(image, maps=True)
            assert kept is not None
            assert all(prediction.cams is None for prediction in kept.predictions)


def test_the_status_bar_counts_what_was_reviewed(open_window: MainWindow, film: ImageView) -> None:
    controller = open_window.controller
    session = controller.session
    assert session is not None
    open_window.shortcuts["label_1"].trigger()
    reviewed = sum(item.reviewed for item in session.table.decided().values())
    assert reviewed >= 1
    count = child(open_window.status, QLabel, "Progress").text()
    assert f">{reviewed}</b>" in count
    assert "of 12 reviewed" in count


def test_a_long_undo_line_does_not_push_the_panel_out_of_the_window(
    open_window: MainWindow, film: ImageView
) -> None:
    open_window.resize(1440, 900)
    for page, panel in (
        ("review", open_window.review.decision),
        ("compare", open_window.review.compare_decision),
    ):
        open_window.show_page(page)
        panel.set_undo("label of an image with a very long name that leaves no room at all")
        QApplication.processEvents()
        edge = panel.next_unreviewed.mapTo(open_window, panel.next_unreviewed.rect().topRight()).x()
        assert edge < open_window.width()
        flag = panel.flag.mapTo(open_window, panel.flag.rect().topRight()).x()
        assert flag < open_window.width()


def test_the_widths_that_the_reader_dragged_hold_when_the_window_grows_and_the_next_day(
    make_window: MakeWindow, film_folder: Path
) -> None:
    window = make_window()
    window.resize(1600, 900)
    window.opener.open_folder(film_folder)
    splitter = window.review.splitter
    handle = splitter.handle(1)
    start = handle.rect().center()
    QTest.mousePress(handle, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(handle, start + QPoint(70, 0))
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=start)
    wide = splitter.sizes()[0]
    assert wide > 380
    window.resize(1700, 950)
    assert splitter.sizes()[0] == wide
    window.close()
    following = make_window()
    following.resize(1600, 900)
    following.opener.open_folder(film_folder)
    assert following.review.splitter.sizes()[0] == wide
