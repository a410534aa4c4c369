"""Menus made from records: the menu bar from actions, and menus that change from entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QMenuBar

from desktop.gui.actions.action import SEPARATOR, Item, Menu, Submenu
from desktop.gui.actions.shortcuts import Shortcuts

# Where macOS expects them.
_ROLES = {
    "about": QAction.MenuRole.AboutRole,
    "settings": QAction.MenuRole.PreferencesRole,
    "quit": QAction.MenuRole.QuitRole,
}


@dataclass(frozen=True)
class Entry:
    """A line of a menu that changes while the window is open.

    Attributes:
        text: Translated; & marks the mnemonic.
        run: What choosing it does.
        checked: Of several choices, whether it is the one in force; None where it is no choice.
        tip: Status tip, may be empty.
        entries: Lines of a submenu; ``run`` is not used then.
    """

    text: str
    run: Callable[[], object] = lambda: None
    checked: bool | None = None
    tip: str = ""
    entries: Sequence[Entry] = ()


def build_menus(
    bar: QMenuBar, shortcuts: Shortcuts, menus: Mapping[Menu, Sequence[Item]]
) -> dict[str, QMenu]:
    """Fill a menu bar with actions.

    Returns:
        The submenus by id; those without actions are empty until :func:`fill_menu`.
    """
    submenus: dict[str, QMenu] = {}

    def fill(menu: QMenu, items: Sequence[Item]) -> None:
        for item in items:
            if item is SEPARATOR:
                menu.addSeparator()
            elif isinstance(item, Submenu):
                submenus[item.id] = menu.addMenu(item.title)
                fill(submenus[item.id], item.items)
            else:
                menu.addAction(shortcuts[item.id])

    for menu, items in menus.items():
        fill(bar.addMenu(menu.title), items)
    for action_id, role in _ROLES.items():
        shortcuts[action_id].setMenuRole(role)
    return submenus


def fill_menu(menu: QMenu, entries: Sequence[Entry | None]) -> None:
    """Replace what is in a menu; None is a separator. Without entries it is disabled."""
    for kind in (QMenu, QActionGroup):
        for old in menu.findChildren(kind, options=Qt.FindChildOption.FindDirectChildrenOnly):
            old.deleteLater()
    menu.clear()
    _add(menu, entries, QActionGroup(menu))
    menu.setEnabled(bool(entries))


def _add(menu: QMenu, entries: Sequence[Entry | None], choices: QActionGroup) -> None:
    for entry in entries:
        if entry is SEPARATOR:
            menu.addSeparator()
            continue
        if entry.entries:
            _add(menu.addMenu(entry.text), entry.entries, choices)
            continue
        action = menu.addAction(entry.text)
        action.setStatusTip(entry.tip)
        action.triggered.connect(lambda _checked=False, run=entry.run: run())
        if entry.checked is not None:
            action.setCheckable(True)
            action.setChecked(entry.checked)
            choices.addAction(action)
