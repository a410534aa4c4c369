"""Settings that explain themselves."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QWidget

from desktop.gui.preferences import Preferences


class SettingsDialog(QDialog):
    """Stub until the settings of the core are there."""

    settings_changed = Signal()

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
