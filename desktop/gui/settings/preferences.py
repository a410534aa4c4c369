"""The user's settings as the window reads and changes them; each change is on the disk at once."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QCoreApplication, QLocale, QObject, Signal
from PySide6.QtWidgets import QMainWindow

from desktop.core.errors import CxrError
from desktop.core.review.query import SavedFilter
from desktop.gui.images.view_types import HeatStyle, ViewChoices
from desktop.gui.settings.file import load_settings, save_settings, settings_path
from desktop.gui.settings.schema import RecentEntry, Settings

MAX_RECENT = 8
_GEOMETRY = "geometry"
_PANELS = "panels"


class Preferences(QObject):
    """The settings in force.

    Signals:
        changed(): Some setting has another value.
        not_saved(CxrError): A change holds for this session only, and why.
    """

    changed = Signal()
    not_saved = Signal(object)

    def __init__(self, path: Path | None = None) -> None:
        """Read the settings from ``path``, None = the user's own file."""
        super().__init__()
        self.path = path or settings_path()
        loaded = load_settings(self.path)
        self.settings: Settings = loaded.settings
        self.notices = loaded.notices

    def change(self, **values: Any) -> None:
        """Set some settings and save them.

        Raises:
            UsageError: SETTINGS-01 for a value that cannot be.
        """
        changed = replace(self.settings, **values)
        if changed == self.settings:
            return
        self.settings = changed
        try:
            save_settings(self.path, changed)
        except CxrError as problem:
            self.not_saved.emit(problem)
        self.changed.emit()

    def toggle(self, name: str) -> None:
        """Switch a setting that is on or off."""
        self.change(**{name: not getattr(self.settings, name)})

    @property
    def text_scale(self) -> float:
        """1.0 = 100 %."""
        return self.settings.text_scale_percent / 100

    @property
    def keys(self) -> Mapping[str, tuple[str, ...]]:
        """Keys that replace the default ones, by action."""
        return self.settings.shortcuts

    @property
    def first_choices(self) -> ViewChoices:
        """How a folder is looked at that was never open before."""
        settings = self.settings
        return ViewChoices(
            style=HeatStyle(
                visible=settings.heatmap_shown,
                opacity=settings.heatmap_opacity_percent / 100,
                threshold=settings.heatmap_threshold_percent / 100,
                contour=settings.heatmap_style != "colour",
            )
        )

    def add_panel_folder(self, folder: str) -> None:
        """Remember a panel of one's own."""
        known = tuple(item for item in self.settings.panel_folders if item != folder)
        self.change(panel_folders=(*known, folder))

    def add_filter(self, entry: SavedFilter) -> None:
        """Save a filter; one of the same name is replaced."""
        others = tuple(item for item in self.settings.saved_filters if item.name != entry.name)
        self.change(saved_filters=(*others, entry))

    def remove_filter(self, entry: SavedFilter) -> None:
        """Forget a filter."""
        kept = tuple(item for item in self.settings.saved_filters if item != entry)
        self.change(saved_filters=kept)

    def remember_recent(self, path: str, when: datetime.datetime) -> None:
        """Put a folder first in the recent list."""
        rest = [entry for entry in self.settings.recent if entry.path != path]
        entry = RecentEntry(path, when.isoformat(timespec="seconds"))
        self.change(recent=(entry, *rest)[:MAX_RECENT])

    def forget_recent(self, path: str) -> None:
        """Take a folder from the recent list."""
        self.change(recent=tuple(item for item in self.settings.recent if item.path != path))

    def remember_window(self, window: QMainWindow, panel_widths: tuple[int, int]) -> None:
        """Keep size, position and the widths of the panels for the next start."""
        geometry = bytes(window.saveGeometry().toBase64().data()).decode()
        panels = " ".join(str(width) for width in panel_widths)
        state = {**self.settings.window_state, _GEOMETRY: geometry, _PANELS: panels}
        self.change(window_state=state)

    @property
    def panel_widths(self) -> tuple[int, int]:
        """Widths of list and side panel at 100 % text; 0 where none is remembered."""
        widths = self.settings.window_state.get(_PANELS, "").split()
        if len(widths) != 2 or not all(width.isdecimal() for width in widths):
            return 0, 0
        return int(widths[0]), int(widths[1])

    def restore_window(self, window: QMainWindow) -> bool:
        """Restore size and position; False where nothing valid is remembered."""
        geometry = self.settings.window_state.get(_GEOMETRY)
        if not geometry:
            return False
        return window.restoreGeometry(QByteArray.fromBase64(geometry.encode()))


def opened_text(opened: str) -> str:
    """When a folder was open: ``Today, 14:02`` or a date."""
    try:
        moment = datetime.datetime.fromisoformat(opened)
    except ValueError:
        return ""
    locale = QLocale()
    if moment.date() == datetime.datetime.now().date():
        return QCoreApplication.translate("Preferences", "Today, {time}").format(
            time=locale.toString(moment.time(), QLocale.FormatType.ShortFormat)
        )
    return locale.toString(moment.date(), "d MMM")
