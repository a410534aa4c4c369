"""The dialog of the keys: what is rebound holds at once, and a key that is taken is refused."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.settings.file import load_settings
from desktop.gui.settings.shortcuts_dialog import ShortcutsDialog
from tests.gui.conftest import PATIENCE_MS, press


def left_ink(widget: QWidget, part: QRect) -> int:
    """Column of ``part`` in which its words begin."""
    picture = widget.grab(part).toImage()
    blank = picture.pixelColor(0, 1).lightness()
    for x in range(picture.width()):
        column = (picture.pixelColor(x, y).lightness() for y in range(picture.height() - 1))
        if any(abs(grey - blank) > 60 for grey in column):
            return x
    raise AssertionError("nothing is written there")


@pytest.fixture
def dialog(open_window: MainWindow, qtbot: QtBot) -> ShortcutsDialog:
    dialog = ShortcutsDialog(open_window.shortcuts, open_window.preferences, open_window)
    qtbot.addWidget(dialog)
    dialog.open()
    return dialog


def test_a_rebound_key_works_at_once_and_is_saved(
    open_window: MainWindow, dialog: ShortcutsDialog, qtbot: QtBot
) -> None:
    assert dialog.rebind("flag", "G")
    dialog.close()
    open_window.activateWindow()
    open_window.review.focus_image()
    qtbot.waitUntil(open_window.review.image.hasFocus, timeout=PATIENCE_MS)
    press(open_window, "G")
    assert open_window.controller.session.decision(0).flagged
    saved = load_settings(open_window.preferences.path).settings
    assert saved.shortcuts["flag"] == ("G",)


def test_a_key_that_is_taken_is_refused_and_its_owner_named(
    open_window: MainWindow, dialog: ShortcutsDialog
) -> None:
    assert not dialog.rebind("flag", "U")
    assert "Unsure" in dialog.message
    assert open_window.shortcuts.keys("flag") == ("K",)


def test_a_key_is_taken_only_for_a_chosen_command(dialog: ShortcutsDialog) -> None:
    assert not dialog.key_edit.isEnabled()
    dialog.choose("flag")
    assert dialog.key_edit.isEnabled()


def test_the_headings_stand_above_their_columns(dialog: ShortcutsDialog) -> None:
    header, view = dialog.view.header(), dialog.view.viewport()
    group = dialog.view.model().index(0, 0)
    first_row = dialog.view.visualRect(group)
    keys = dialog.view.visualRect(dialog.view.model().index(0, 1, group))
    for heading, row in ((0, first_row), (1, keys)):
        left, width = header.sectionViewportPosition(heading), header.sectionSize(heading)
        above = left_ink(header.viewport(), QRect(left, 0, width, header.height() - 2))
        below = left_ink(view, QRect(left, row.top(), width, row.height()))
        assert abs(above - below) <= 1


def test_the_field_for_the_new_key_is_seen(dialog: ShortcutsDialog) -> None:
    dialog.choose("flag")
    picture = dialog.key_edit.grab().toImage()
    inside = picture.pixelColor(picture.width() // 2, 5)
    edge = {picture.pixelColor(x, picture.height() // 2).name() for x in (0, 1, 2)}
    assert edge != {inside.name()}
