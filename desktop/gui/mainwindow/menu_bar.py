"""The menus of the window with all their actions."""

from __future__ import annotations

from desktop.gui.actions.action import Action, Item, Menu, actions_in
from desktop.gui.mainwindow.edit_actions import EDIT
from desktop.gui.mainwindow.file_actions import FILE
from desktop.gui.mainwindow.help_actions import HELP
from desktop.gui.mainwindow.model_actions import MODELS
from desktop.gui.mainwindow.view_actions import VIEW

MENUS: dict[Menu, tuple[Item, ...]] = {
    Menu.FILE: FILE,
    Menu.EDIT: EDIT,
    Menu.VIEW: VIEW,
    Menu.MODELS: MODELS,
    Menu.HELP: HELP,
}


def all_actions() -> list[Action]:
    """Every action, in the order of the key sheet."""
    headings = list(Menu)
    found = [action for items in MENUS.values() for action in actions_in(items)]
    return sorted(found, key=lambda action: headings.index(action.menu))
