"""The dialogs and side windows of the menus: settings, shortcuts, manual, report, about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from desktop.gui.about_dialog import AboutDialog
from desktop.gui.manual_window import REPORT_PAGE, REPORT_START, ManualWindow, manual_folder
from desktop.gui.settings_dialog import SettingsDialog
from desktop.gui.shortcuts_dialog import ShortcutsDialog

if TYPE_CHECKING:
    from desktop.gui.main_window import MainWindow


class WindowDialogs(QObject):
    """Opens them; the manual stays for the life of the window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._manual: ManualWindow | None = None
        for name, command in {
            "settings": self.show_settings,
            "manual": self.show_manual,
            "model_report": self.show_model_report,
            "shortcuts": self.show_shortcuts,
            "about": self.show_about,
        }.items():
            window.shortcuts[name].triggered.connect(lambda _checked=False, run=command: run())

    def show_settings(self) -> None:
        """The settings dialog."""
        dialog = SettingsDialog(self._window.preferences, self._window)
        dialog.settings_changed.connect(self._apply_look)
        dialog.open()

    def show_shortcuts(self) -> None:
        """The cheat sheet."""
        dialog = ShortcutsDialog(self._window.shortcuts, self._window.preferences, self._window)
        dialog.open()

    def show_manual(self) -> None:
        """The manual, in a window of its own that stays beside this one."""
        if self._manual is None:
            self._manual = ManualWindow(self._window)
        self._manual.show()
        self._manual.raise_()
        self._manual.activateWindow()

    def show_model_report(self) -> None:
        """The report on the models: its page in the browser, from the disk, else in the manual."""
        page = manual_folder() / REPORT_PAGE
        if not (page.is_file() and QDesktopServices.openUrl(QUrl.fromLocalFile(str(page)))):
            self.show_manual()
            if self._manual is not None:
                self._manual.show_page(REPORT_START)

    def show_about(self) -> None:
        """Versions, licences, research use."""
        AboutDialog(self._window).open()

    def _apply_look(self) -> None:
        """Theme and text size, when they were changed in the dialog."""
        self._window.apply_theme(self._window.preferences.settings.theme)
