"""The about box names versions, licences and what the app must not be used for."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop.gui.help.about_dialog import AboutDialog, licences_text, versions_text
from desktop.gui.mainwindow.main_window import MainWindow


def test_the_about_box_names_versions_licences_and_research_use(
    open_window: MainWindow, qtbot: QtBot
) -> None:
    dialog = AboutDialog(open_window)
    qtbot.addWidget(dialog)
    assert "Qt " in versions_text()
    assert "LGPL" in licences_text()
    assert "Open Font License" in licences_text()
    assert any("not a diagnosis" in label.text() for label in dialog.findChildren(QLabel))
