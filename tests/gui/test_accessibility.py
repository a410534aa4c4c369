"""Every control of the real window has a name, as Qt itself gives it to a screen reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from desktop.gui.help.about_dialog import AboutDialog
from desktop.gui.help.manual_window import ManualWindow
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.settings.dialog import SettingsDialog
from desktop.gui.settings.shortcuts_dialog import ShortcutsDialog

Role = QAccessible.Role
CONTROLS = {
    Role.Button,
    Role.CheckBox,
    Role.RadioButton,
    Role.ComboBox,
    Role.EditableText,
    Role.Slider,
    Role.SpinBox,
    Role.PageTab,
    Role.MenuItem,
    Role.Table,
    Role.List,
    Role.Tree,
    Role.ButtonMenu,
}
DIALOGS: dict[str, Callable[[MainWindow], QWidget]] = {
    "settings": lambda window: SettingsDialog(window.preferences, window),
    "shortcuts": lambda window: ShortcutsDialog(window.shortcuts, window.preferences, window),
    "about": AboutDialog,
    "manual": ManualWindow,
}


def reported(interface: QAccessibleInterface, depth: int = 0) -> Iterator[QAccessibleInterface]:
    """An element and everything below it that is on the screen."""
    yield interface
    # Rows come from the models, one an image; their words have tests of their own.
    if depth > 30 or interface.role() in (Role.Table, Role.Tree, Role.List):
        return
    for index in range(interface.childCount()):
        child = interface.child(index)
        if child is not None and child.isValid() and not child.state().invisible:
            yield from reported(child, depth + 1)


def nameless(widget: QWidget) -> list[str]:
    """Controls that Qt tells without a name, and widgets that take the keyboard without one."""
    root = QAccessible.queryAccessibleInterface(widget)
    assert root is not None
    missing = []
    for element in reported(root):
        thing = element.object()
        inside = isinstance(thing, QWidget) and thing.objectName().startswith("qt_")
        if element.role() in CONTROLS and not element.text(QAccessible.Text.Name) and not inside:
            missing.append(f"{element.role().name} {type(thing).__name__}")
    for child in widget.findChildren(QWidget):
        takes_keys = child.focusPolicy() & Qt.FocusPolicy.TabFocus
        if not takes_keys or not child.isVisibleTo(widget) or child.objectName().startswith("qt_"):
            continue
        element = QAccessible.queryAccessibleInterface(child)
        if element is not None and not element.text(QAccessible.Text.Name):
            missing.append(f"focus {type(child).__name__} {child.objectName()}")
    return missing


def test_on_the_start_page(window: MainWindow) -> None:
    assert nameless(window) == []


@pytest.mark.parametrize("page", ["review", "compare", "batch", "scorecard"])
def test_on_every_page(open_window: MainWindow, page: str) -> None:
    open_window.show_page(page)
    assert nameless(open_window) == []


@pytest.mark.parametrize("name", sorted(DIALOGS))
def test_in_every_dialog(window: MainWindow, qtbot: QtBot, name: str) -> None:
    dialog = DIALOGS[name](window)
    dialog.show()
    try:
        assert nameless(dialog) == []
    finally:
        dialog.close()
        dialog.deleteLater()


def test_the_walk_would_find_a_control_without_a_name(qapp: QApplication) -> None:
    from PySide6.QtWidgets import QPushButton, QVBoxLayout

    dialog = QDialog()
    QVBoxLayout(dialog).addWidget(QPushButton())
    dialog.show()
    assert nameless(dialog)
    dialog.close()


def test_every_command_can_be_reached_from_a_menu(window: MainWindow) -> None:
    reached = set()

    def walk(actions: list) -> None:  # type: ignore[type-arg]
        for action in actions:
            reached.add(action)
            if action.menu() is not None:
                walk(action.menu().actions())

    walk(window.top_bar.menu_bar.actions())
    missing = [
        name
        for name, action in window.shortcuts.actions.items()
        # Labels of classes that the open panel does not have are in no menu.
        if action not in reached and not name.startswith("label_")
    ]
    assert missing == []
