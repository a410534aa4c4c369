"""The bottom row keeps telling the truth in both themes."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop.core.review.queue import Pace
from desktop.gui.app import make_application
from desktop.gui.mainwindow.status_bar import StatusBar
from desktop.gui.style import theme
from tests.gui.conftest import child


def count(bar: StatusBar) -> str:
    return child(bar, QLabel, "Progress").text()


def test_the_count_stays_readable_when_the_theme_changes(qtbot: QtBot) -> None:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show_progress(3, 16, 0.0, "idle")
    assert theme.DARK.text1 in count(bar)
    try:
        theme.apply_theme(make_application(), theme.LIGHT)
        assert theme.LIGHT.text1 in count(bar)
    finally:
        theme.apply_theme(make_application(), theme.DARK)


def test_a_change_of_theme_does_not_bring_an_old_count_back(qtbot: QtBot) -> None:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show_progress(3, 16, 0.0, "idle")
    bar.show_no_folder()
    try:
        theme.apply_theme(make_application(), theme.LIGHT)
        assert count(bar) == "No folder open"
    finally:
        theme.apply_theme(make_application(), theme.DARK)


def test_once_the_models_are_through_it_is_the_reader_who_makes_progress(qtbot: QtBot) -> None:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show_review(5, 16, Pace(images_per_hour=240.0, seconds_left=165.0))
    bar.show_progress(3, 16, 2.0, "running")
    assert "of 16 images" in count(bar)
    bar.show_progress(16, 16, 0.0, "idle")
    assert "5" in count(bar)
    assert "of 16 reviewed" in count(bar)
    assert bar.progress_text == "240 images an hour, 2 min 45 s left"
    bar.show_review(16, 16, Pace(240.0, 0.0))
    assert "of 16 reviewed" in count(bar)
    assert bar.progress_text == ""
