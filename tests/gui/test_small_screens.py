"""Rows of tools that are too short for their words: icons, then fewer of them, never a cut one."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.gui.compare.view import CompareView
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.review.tool_bar import ToolBar
from desktop.gui.widgets.button import Button
from tests.gui.sample_values import covid_panel


def cut(row: QWidget) -> list[str]:
    """Buttons on show that have less room than they ask for."""
    QApplication.processEvents()
    buttons = [button for button in row.findChildren(Button) if not button.isHidden()]
    return [
        button.accessibleName() or button.text()
        for button in buttons
        if button.width() < button.sizeHint().width() or button.geometry().right() > row.width()
    ]


@pytest.mark.parametrize("width", [900, 720, 560, 500, 440])
def test_no_tool_above_the_image_is_cut(window: MainWindow, qtbot: QtBot, width: int) -> None:
    bar = ToolBar(window.shortcuts)
    qtbot.addWidget(bar)
    bar.resize(width, bar.height())
    bar.show()
    assert cut(bar) == []
    shown = [button for button in bar.findChildren(Button) if not button.isHidden()]
    assert len(shown) == 13 if width >= 560 else len(shown) < 13
    bar.resize(900, bar.height())
    QApplication.processEvents()
    assert all(not button.isHidden() for button in bar.findChildren(Button))


@pytest.mark.parametrize("width", [1000, 728, 640])
def test_no_tool_above_the_comparison_is_cut(qtbot: QtBot, width: int) -> None:
    view = CompareView(covid_panel())
    qtbot.addWidget(view)
    view.resize(width, 600)
    view.show()
    assert cut(view.linked.parentWidget()) == []
