"""The settings dialog: every setting explains itself, and a change holds at once."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QSpinBox
from pytestqt.qtbot import QtBot

from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.settings.dialog import SettingsDialog
from desktop.gui.settings.file import load_settings
from desktop.gui.settings.schema import explanations


def test_every_setting_explains_itself(open_window: MainWindow, qtbot: QtBot) -> None:
    dialog = SettingsDialog(open_window.preferences, open_window)
    qtbot.addWidget(dialog)
    words = {label.text() for label in dialog.findChildren(QLabel)}
    for name, explanation in explanations().items():
        if name not in ("panel", "panel_folders"):
            assert explanation.text in words, name
            assert dialog.editor(name).accessibleName()


def test_a_change_holds_at_once_and_is_saved(open_window: MainWindow, qtbot: QtBot) -> None:
    dialog = SettingsDialog(open_window.preferences, open_window)
    qtbot.addWidget(dialog)
    box = dialog.editor("heatmap_opacity_percent")
    assert isinstance(box, QSpinBox)
    box.setValue(70)
    assert open_window.preferences.settings.heatmap_opacity_percent == 70
    assert load_settings(open_window.preferences.path).settings.heatmap_opacity_percent == 70
