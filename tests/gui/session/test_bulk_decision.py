"""A step on thousands of images is saved in the background; the rule is the same at any size."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.core.store.review_store import ReviewStore
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.session import decisions as review_actions
from tests.gui.conftest import PATIENCE_MS


@pytest.fixture
def large(open_window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """The open_window where a handful of images counts as many, all of them selected."""
    monkeypatch.setattr(review_actions, "BULK", 5)
    open_window.controller.show_case(0)
    open_window.review.list_panel.select_all()
    return open_window


def labels(window: MainWindow) -> list[str | None]:
    session = window.controller.session
    assert session is not None
    return [session.decision(case).label for case in range(len(session.table))]


def wait(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.controller.decisions.busy, timeout=PATIENCE_MS)


def test_the_window_goes_on_while_it_is_saved_and_shows_it_afterwards(
    large: MainWindow, qtbot: QtBot
) -> None:
    large.shortcuts["label_2"].trigger()
    assert large.controller.decisions.busy
    assert labels(large) == [None] * 13
    large.controller.move(1)
    assert large.controller.current == 1
    wait(large, qtbot)
    assert labels(large) == ["Normal"] * 13
    assert large.status.notice == "13 images changed. Undo takes all of it back."


def test_undo_and_redo_take_all_of_it(large: MainWindow, qtbot: QtBot) -> None:
    large.shortcuts["label_2"].trigger()
    wait(large, qtbot)
    large.shortcuts["undo"].trigger()
    wait(large, qtbot)
    assert labels(large) == [None] * 13
    assert large.status.notice == "13 images changed."
    large.shortcuts["redo"].trigger()
    wait(large, qtbot)
    assert labels(large) == ["Normal"] * 13


def test_another_decision_meanwhile_is_refused_with_a_sentence(
    large: MainWindow, qtbot: QtBot
) -> None:
    large.shortcuts["label_2"].trigger()
    large.controller.decisions.toggle_flag()
    assert "still being saved" in large.status.notice
    wait(large, qtbot)
    assert not large.controller.session.decision(0).flagged
    assert labels(large) == ["Normal"] * 13


def test_closing_waits_until_it_is_on_the_disk(large: MainWindow, film_folder: Path) -> None:
    manifest = large.controller.session.panel.manifest
    large.shortcuts["label_3"].trigger()
    large.controller.close_folder()
    with ReviewStore.open(film_folder, manifest) as store:
        kept = store.decisions()
    assert {item.label for item in kept.values()} == {"Viral Pneumonia"}
    assert len(kept) == 13


def test_pressing_the_same_key_again_changes_nothing_and_says_so(
    large: MainWindow, qtbot: QtBot
) -> None:
    for _ in range(2):
        large.shortcuts["label_2"].trigger()
        wait(large, qtbot)
    assert large.status.notice == "Nothing changed: these images are so already."


def test_progress_is_reported_while_a_large_step_is_written(
    large: MainWindow, qtbot: QtBot
) -> None:
    notices: list[str] = []
    large.controller.notice_raised.connect(notices.append)
    large.shortcuts["label_2"].trigger()
    wait(large, qtbot)
    assert notices[0] == "Saving 0 of 13 decisions; other decisions wait for it."
