"""The File menu: opening, exporting, settings."""

from __future__ import annotations

from desktop.gui.actions.action import SEPARATOR, Action, Item, Menu, Needs, Submenu
from desktop.gui.mainwindow.context import Context
from desktop.gui.settings.dialog import SettingsDialog


def _show_settings(context: Context) -> None:
    preferences = context.preferences
    dialog = SettingsDialog(preferences, context.window)
    dialog.settings_changed.connect(lambda: context.apply_theme(preferences.settings.theme))
    dialog.open()


FILE: tuple[Item, ...] = (
    Action("open_folder", "&Open folder…", Menu.FILE, lambda c: c.opener.ask_folder(),
           keys=("Ctrl+Shift+O",), icon="folder"),
    Action("open_files", "Open &files…", Menu.FILE, lambda c: c.opener.ask_files(),
           keys=("Ctrl+O",), icon="image"),
    Submenu("recent", "Open &recent"),
    Action("open_samples", "Try with &samples", Menu.FILE, lambda c: c.opener.open_samples()),
    Action("recursive", "&Include subfolders", Menu.FILE,
           lambda c: c.preferences.toggle("recursive"), checkable=True,
           tip="Lists the images of all folders below the opened one."),
    Action("rescan", "&Look for new files", Menu.FILE, lambda c: c.controller.rescan(),
           keys=("F5",), needs=Needs.FOLDER),
    SEPARATOR,
    Action("export_csv", "&Export CSV…", Menu.FILE,
           lambda c: c.exporter.export_csv(listed_only=False),
           keys=("Ctrl+E",), icon="export", needs=Needs.FOLDER),
    Action("export_filtered_csv", "Export the listed ro&ws as CSV…", Menu.FILE,
           lambda c: c.exporter.export_csv(listed_only=True), needs=Needs.FOLDER),
    Action("export_class_folders", "Copy into &class folders…", Menu.FILE,
           lambda c: c.exporter.export_class_folders(), needs=Needs.FOLDER),
    Action("export_view", "Save this view as &PNG…", Menu.FILE,
           lambda c: c.exporter.export_view(), keys=("Ctrl+Shift+E",), needs=Needs.FILM),
    Action("export_report", "Save a summary repor&t…", Menu.FILE,
           lambda c: c.exporter.export_report(), needs=Needs.FOLDER),
    SEPARATOR,
    Action("close_folder", "Close fol&der", Menu.FILE, lambda c: c.controller.close_folder(),
           keys=("Ctrl+W",), needs=Needs.FOLDER),
    Action("settings", "Settin&gs…", Menu.FILE, _show_settings, keys=("Ctrl+,",)),
    Action("quit", "&Quit", Menu.FILE, lambda c: c.window.close(), keys=("Ctrl+Q",)),
)  # fmt: skip
