"""The keys of the commands: no two claim one, and every command is in a menu."""

from __future__ import annotations

from desktop.gui.actions.shortcuts import conflict
from desktop.gui.mainwindow.main_window import MainWindow


def test_no_two_actions_claim_one_key(open_window: MainWindow) -> None:
    keys = open_window.shortcuts.keys_with({})
    assert len(keys) > 70
    for name, own in keys.items():
        for key in own:
            assert conflict(keys, name, key) is None, f"{key} of {name}"


def test_a_key_that_is_taken_is_found_however_it_is_written(open_window: MainWindow) -> None:
    keys = open_window.shortcuts.keys_with({"flag": ("Ctrl++",), "gone": ("Return",)})
    assert "gone" not in keys
    assert conflict(keys, "undo", "shift+ctrl+o") == "open_folder"
    assert conflict(keys, "undo", "ctrl++") == "flag"
    assert conflict(keys, "flag", "Ctrl++") is None
    assert conflict(keys, "undo", "Ctrl+Shift+J") is None


def test_every_action_is_in_a_menu(open_window: MainWindow) -> None:
    found: set[str] = set()

    def walk(actions: list) -> None:  # type: ignore[type-arg]
        for action in actions:
            found.add(action.objectName())
            if action.menu() is not None:
                walk(action.menu().actions())

    walk(open_window.top_bar.menu_bar.actions())
    hidden = {f"label_{number}" for number in range(4, 10)}
    assert set(open_window.shortcuts.records) - hidden <= found
