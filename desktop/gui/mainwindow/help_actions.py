"""The Help menu: manual, report on the models, shortcuts, about."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from desktop.gui.actions.action import Action, Item, Menu
from desktop.gui.help.about_dialog import AboutDialog
from desktop.gui.help.manual_window import REPORT_PAGE, REPORT_START, ManualWindow, manual_folder
from desktop.gui.mainwindow.context import Context
from desktop.gui.settings.shortcuts_dialog import ShortcutsDialog


def _show_manual(context: Context) -> ManualWindow:
    """One manual, in a window of its own that stays beside the main window."""
    manual = context.window.findChild(ManualWindow) or ManualWindow(context.window)
    manual.show()
    manual.raise_()
    manual.activateWindow()
    return manual


def _show_model_report(context: Context) -> None:
    """In the browser, from the disk; in the manual where that does not work."""
    page = manual_folder() / REPORT_PAGE
    if not (page.is_file() and QDesktopServices.openUrl(QUrl.fromLocalFile(str(page)))):
        _show_manual(context).show_page(REPORT_START)


def _show_shortcuts(context: Context) -> None:
    ShortcutsDialog(context.shortcuts, context.preferences, context.window).open()


HELP: tuple[Item, ...] = (
    Action("manual", "&Manual", Menu.HELP, _show_manual, keys=("Shift+F1",), icon="document"),
    Action("model_report", "Model &report", Menu.HELP, _show_model_report,
           tip="How good the models are, and what they cannot do."),
    Action("shortcuts", "&Shortcuts", Menu.HELP, _show_shortcuts, keys=("F1", "?"), icon="help"),
    Action("about", "&About CXR Quorum", Menu.HELP, lambda c: AboutDialog(c.window).open()),
)  # fmt: skip
