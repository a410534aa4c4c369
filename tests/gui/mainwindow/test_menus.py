"""The menus: made from records, one for each command, and each entry has a letter of its own."""

from __future__ import annotations

import runpy
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QDialog, QLabel, QMenu
from pytestqt.qtbot import QtBot

from desktop.gui.actions.action import Action, Menu, Needs, Submenu, texts_in
from desktop.gui.export.class_folders_dialog import ClassFoldersDialog
from desktop.gui.mainwindow.context import Context
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.mainwindow.menu_bar import MENUS
from desktop.gui.settings.dialog import SettingsDialog
from desktop.gui.settings.file import load_settings
from desktop.gui.settings.shortcuts_dialog import ShortcutsDialog
from desktop.gui.viewer.window_level_dialog import WindowEntry
from tests.gui.conftest import MakeWindow, press, wait_for_votes

GENERATE = Path(__file__).parents[3] / "docs" / "generate.py"


def menus_in(menu: QMenu) -> Iterator[QMenu]:
    """A menu and everything that opens out of it."""
    yield menu
    for action in menu.actions():
        if action.menu() is not None:
            yield from menus_in(action.menu())


def bar_menus(window: MainWindow) -> list[QMenu]:
    tops = [action.menu() for action in window.top_bar.menu_bar.actions()]
    return [menu for top in tops for menu in menus_in(top)]


class TestANewRecord:
    """One entry in the tuple of a menu; nothing else is changed."""

    @pytest.fixture
    def contexts(self, monkeypatch: pytest.MonkeyPatch) -> list[Context]:
        """What the new action was run with; it stands in a submenu at the end of the Edit menu."""
        ran_with: list[Context] = []
        new = Action(
            "count_films",
            "Count the &films",
            Menu.EDIT,
            ran_with.append,
            keys=("Ctrl+Shift+K",),
            needs=Needs.FOLDER,
            tip="Says how many there are.",
        )
        longer = (*MENUS[Menu.EDIT], Submenu("more", "Mor&e", (new,)))
        monkeypatch.setitem(MENUS, Menu.EDIT, longer)
        return ran_with

    def test_is_in_its_menu_and_a_screen_reader_gets_its_name(
        self, contexts: list[Context], make_window: MakeWindow
    ) -> None:
        menu = next(menu for menu in bar_menus(make_window()) if menu.title() == "Mor&e")
        assert [action.objectName() for action in menu.actions()] == ["count_films"]
        interface = QAccessible.queryAccessibleInterface(menu)
        assert interface is not None
        assert interface.child(0).text(QAccessible.Text.Name) == "Count the films"

    def test_runs_by_its_key_once_what_it_needs_is_there(
        self,
        contexts: list[Context],
        make_window: MakeWindow,
        qtbot: QtBot,
        film_folder: Path,
    ) -> None:
        window = make_window()
        window.activateWindow()
        press(window, "Ctrl+Shift+K")
        assert contexts == []
        window.opener.open_folder(film_folder)
        wait_for_votes(qtbot, window)
        press(window, "Ctrl+Shift+K")
        (context,) = contexts
        assert context.controller is window.controller
        window.controller.close_folder()
        assert not window.shortcuts["count_films"].isEnabled()

    def test_is_on_the_key_sheet_and_its_new_key_is_in_the_settings(
        self, contexts: list[Context], make_window: MakeWindow, qtbot: QtBot
    ) -> None:
        window = make_window()
        dialog = ShortcutsDialog(window.shortcuts, window.preferences, window)
        qtbot.addWidget(dialog)
        dialog.choose("count_films")
        index = dialog.view.currentIndex()
        assert index.data() == "Count the films"
        assert index.parent().data() == "Edit"
        assert dialog.rebind("count_films", "G")
        assert load_settings(window.preferences.path).settings.shortcuts["count_films"] == ("G",)
        assert make_window().shortcuts.keys("count_films") == ("G",)

    def test_is_in_the_manual_and_given_to_translators(self, contexts: list[Context]) -> None:
        page = runpy.run_path(str(GENERATE))["keyboard"]()
        assert "| `Ctrl+Shift+K` | Count the films. Says how many there are. |" in page
        texts = list(texts_in(MENUS[Menu.EDIT]))
        assert {"Mor&e", "Count the &films", "Says how many there are."} <= set(texts)


def mnemonics(texts: list[str]) -> list[str]:
    """The letters that Qt underlines, in small letters."""
    plain = [text.replace("&&", "") for text in texts]
    return [text[text.index("&") + 1].lower() for text in plain if "&" in text]


def doubled(texts: list[str]) -> list[str]:
    return [letter for letter, count in Counter(mnemonics(texts)).items() if count > 1]


def test_each_letter_of_a_menu_leads_to_one_entry(
    open_window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    popped_up: list[QMenu] = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _position: popped_up.append(menu))
    open_window.review.bulk_menu_asked.emit(QPoint(0, 0))
    open_window.review.tool_bar.presets_asked.emit()
    open_window.case_filter.sort_menu.aboutToShow.emit()
    others = [
        *popped_up,
        open_window.case_filter.sort_menu,
        open_window.review.tool_bar.preset_menu,
    ]
    menus = bar_menus(open_window) + [menu for other in others for menu in menus_in(other)]
    assert len(popped_up) == 1
    assert len(menus) > 15
    assert doubled([top.text() for top in open_window.top_bar.menu_bar.actions()]) == []
    for menu in menus:
        texts = [action.text() for action in menu.actions() if action.isVisible()]
        assert doubled(texts) == [], f"{menu.title()}: {texts}"


def test_a_doubled_letter_would_be_found() -> None:
    assert doubled(["&Open", "Close &one", "Salt && &pepper"]) == ["o"]


@pytest.mark.parametrize("name", ["class folders", "settings", "grey window"])
def test_each_letter_of_a_dialog_leads_to_the_field_beside_it(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, name: str
) -> None:
    dialog: QDialog = {
        "class folders": lambda: ClassFoldersDialog(tmp_path, window),
        "settings": lambda: SettingsDialog(window.preferences, window),
        "grey window": lambda: WindowEntry(100, 50, window),
    }[name]()
    qtbot.addWidget(dialog)
    labels = [label for label in dialog.findChildren(QLabel) if "&" in label.text()]
    assert [label.text() for label in labels if label.buddy() is None] == []
    assert doubled([label.text() for label in labels]) == []
