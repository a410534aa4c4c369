"""The user's settings as the window reads and changes them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtWidgets import QMainWindow

from desktop.core.case_query import SavedFilter
from desktop.gui.empty_state import RecentFolder

MAX_RECENT = 8


@dataclass(frozen=True)
class RecentEntry:
    path: str
    opened: str


class Preferences(QObject):
    """Settings with the window's own memory."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.theme = "dark"
        self.text_scale = 1.0
        self.recursive = True
        self.device = "auto"
        self.blind_first = False
        self.reviewer = ""
        self.panel = "covid19"
        self.panel_folders: tuple[str, ...] = ()
        self.keys: Mapping[str, tuple[str, ...]] = {}
        self.recent: tuple[RecentEntry, ...] = ()
        self.filters: tuple[SavedFilter, ...] = ()
        self.geometry: QRect | None = None

    def set_theme(self, choice: str) -> None:
        self.theme = choice

    def set_recursive(self, on: bool) -> None:
        self.recursive = on

    def set_blind_first(self, on: bool) -> None:
        self.blind_first = on

    def set_panel(self, name: str) -> None:
        self.panel = name

    def add_panel_folder(self, folder: str) -> None:
        self.panel_folders = (*self.panel_folders, folder)

    def set_keys(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        self.keys = dict(keys)

    def add_filter(self, entry: SavedFilter) -> None:
        self.filters = (*self.filters, entry)

    def remove_filter(self, entry: SavedFilter) -> None:
        self.filters = tuple(item for item in self.filters if item != entry)

    def remember_recent(self, path: str, when: datetime.datetime) -> None:
        rest = [entry for entry in self.recent if entry.path != path]
        self.recent = (RecentEntry(path, when.isoformat(timespec="minutes")), *rest)[:MAX_RECENT]

    def forget_recent(self, path: str) -> None:
        self.recent = tuple(entry for entry in self.recent if entry.path != path)

    def clear_recent(self) -> None:
        self.recent = ()

    def recent_rows(self) -> list[RecentFolder]:
        return [RecentFolder(Path(entry.path), opened=entry.opened) for entry in self.recent]

    def remember_window(self, window: QMainWindow) -> None:
        self.geometry = window.geometry()
