"""Deciding with the keyboard: label, accept, unsure, flag, comment, undo across a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.core.store.review_store import ReviewStore
from desktop.gui.mainwindow.main_window import MainWindow
from tests.gui.conftest import PATIENCE_MS, MakeWindow, press, wait_for_votes


def decision(window: MainWindow, case: int):  # type: ignore[no-untyped-def]
    session = window.controller.session
    assert session is not None
    return session.decision(case)


def with_focus(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with the keyboard on the image."""
    window.activateWindow()
    window.review.focus_image()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is not None, timeout=PATIENCE_MS)
    return window


@pytest.fixture
def focused(open_window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The open_window with the keyboard on the image."""
    return with_focus(open_window, qtbot)


@pytest.fixture
def own_focused(own_open_window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The same in a window that may be closed."""
    return with_focus(own_open_window, qtbot)


def case_with_consensus(window: MainWindow, wanted: bool) -> int:
    session = window.controller.session
    assert session is not None
    return next(
        case
        for case in range(len(session.table))
        if session.voted(case) and (session.consensus(case) is not None) == wanted
    )


def test_a_number_key_labels_and_goes_on(focused: MainWindow) -> None:
    first = focused.controller.current
    press(focused, "2")
    assert decision(focused, first).label == "Normal"
    assert decision(focused, first).label_source == "own"
    assert focused.controller.current != first


def test_a_label_is_on_the_disk_before_the_next_image_is_shown(
    focused: MainWindow, film_folder: Path, own_home: Path
) -> None:
    session = focused.controller.session
    seen: list[str | None] = []

    def read_back(_case: int) -> None:
        with ReviewStore.open(film_folder, session.panel.manifest, home=None) as store:
            seen.append(store.decision(session.image(0)).label)

    focused.controller.case_shown.connect(read_back)
    press(focused, "1")
    assert seen == ["Covid"]


def test_enter_accepts_the_consensus_and_goes_on(focused: MainWindow) -> None:
    case = case_with_consensus(focused, True)
    focused.controller.show_case(case)
    press(focused, "Return")
    assert decision(focused, case).label == focused.controller.session.consensus(case)
    assert decision(focused, case).label_source == "consensus"
    assert focused.controller.current != case


def test_enter_without_a_consensus_does_nothing_and_says_so(focused: MainWindow) -> None:
    case = case_with_consensus(focused, False)
    focused.controller.show_case(case)
    press(focused, "Return")
    assert not decision(focused, case).reviewed
    assert focused.controller.current == case
    assert "No consensus" in focused.status.notice


def test_unsure_and_flag_have_keys(focused: MainWindow) -> None:
    press(focused, "k")
    assert decision(focused, 0).flagged
    press(focused, "k")
    assert not decision(focused, 0).flagged
    press(focused, "u")
    assert decision(focused, 0).state == "unsure"
    assert focused.controller.current != 0


def test_letters_typed_into_the_comment_label_nothing(focused: MainWindow) -> None:
    press(focused, "c")
    field = QApplication.focusWidget()
    QTest.keyClicks(field, "1 k u rib fracture")
    assert decision(focused, 0).state == "open"
    assert not decision(focused, 0).flagged
    press(focused, "Return")
    assert decision(focused, 0).comment == "1 k u rib fracture"
    assert decision(focused, 0).state == "open"


def test_a_comment_still_being_typed_is_kept_when_the_image_changes(focused: MainWindow) -> None:
    press(focused, "c")
    QTest.keyClicks(QApplication.focusWidget(), "halfway")
    focused.controller.move(1)
    assert decision(focused, 0).comment == "halfway"
    assert decision(focused, focused.controller.current).comment == ""


def test_undo_and_redo_walk_through_every_step(focused: MainWindow) -> None:
    press(focused, "1")
    press(focused, "3")
    press(focused, "k")
    for _ in range(3):
        press(focused, "Ctrl+Z")
    assert all(not decision(focused, case).reviewed for case in range(3))
    assert not any(decision(focused, case).flagged for case in range(4))
    for _ in range(3):
        press(focused, "Ctrl+Y")
    assert decision(focused, 0).label == "Covid"
    assert decision(focused, 1).label == "Viral Pneumonia"
    assert decision(focused, 2).flagged


def test_undo_goes_back_to_the_image_it_changes(focused: MainWindow) -> None:
    press(focused, "1")
    press(focused, "1")
    focused.controller.move_to_end(last=True)
    press(focused, "Ctrl+Z")
    assert focused.controller.current == 1


def test_undo_reaches_across_a_restart(
    own_focused: MainWindow, make_window: MakeWindow, qtbot: QtBot, film_folder: Path
) -> None:
    press(own_focused, "1")
    own_focused.close()
    again = make_window()
    again.opener.open_folder(film_folder)
    wait_for_votes(qtbot, again)
    assert decision(again, 0).label == "Covid"
    again.controller.decisions.undo()
    assert not decision(again, 0).reviewed


def test_reopening_resumes_at_the_next_unreviewed_image(
    own_focused: MainWindow, make_window: MakeWindow, qtbot: QtBot, film_folder: Path
) -> None:
    for _ in range(4):
        press(own_focused, "2")
    own_focused.controller.show_case(1)
    own_focused.close()
    again = make_window()
    again.opener.open_folder(film_folder)
    wait_for_votes(qtbot, again)
    assert again.controller.current == 4


def test_a_selection_is_labelled_in_one_step_and_undone_in_one(focused: MainWindow) -> None:
    focused.controller.show_case(0)
    focused.review.list_panel.select_all()
    press(focused, "2")
    session = focused.controller.session
    assert all(decision(focused, case).label == "Normal" for case in range(len(session.table)))
    assert focused.controller.current == 0
    press(focused, "Ctrl+Z")
    assert not any(decision(focused, case).reviewed for case in range(len(session.table)))


def test_a_decision_can_be_changed_later(focused: MainWindow) -> None:
    press(focused, "1")
    focused.controller.show_case(0)
    press(focused, "2")
    assert decision(focused, 0).label == "Normal"
    assert focused.controller.current == 1


def test_the_decision_is_taken_back_with_backspace(focused: MainWindow) -> None:
    press(focused, "1")
    focused.controller.show_case(0)
    press(focused, "Backspace")
    assert not decision(focused, 0).reviewed


def test_moving_keys_move(focused: MainWindow) -> None:
    for keys in (("d", "a"), ("Right", "Left")):
        press(focused, keys[0])
        assert focused.controller.current == 1
        press(focused, keys[1])
        assert focused.controller.current == 0
    press(focused, "End")
    assert focused.controller.current == 12
    press(focused, "Home")
    assert focused.controller.current == 0


def test_next_unreviewed_passes_over_decided_and_failed_images(focused: MainWindow) -> None:
    session = focused.controller.session
    failed = next(case for case in range(len(session.table)) if session.failed(case))
    focused.controller.show_case(failed - 1)
    press(focused, "n")
    assert focused.controller.current == failed + 1


def test_two_windows_on_one_folder_see_each_others_decisions(
    own_focused: MainWindow, make_window: MakeWindow, qtbot: QtBot, film_folder: Path
) -> None:
    other = make_window()
    other.opener.open_folder(film_folder)
    wait_for_votes(qtbot, other)
    own_focused.controller.decisions.label(0)
    qtbot.waitUntil(lambda: decision(other, 0).label == "Covid", timeout=PATIENCE_MS)


class TestBlindFirst:
    @pytest.fixture
    def blind(self, focused: MainWindow) -> MainWindow:
        focused.shortcuts["blind_first"].trigger()
        focused.controller.show_case(3)
        return focused

    def test_nothing_that_the_models_said_is_shown_or_spoken(self, blind: MainWindow) -> None:
        model = blind.controller.list.model
        words = model.index(3, 0).data(Qt.ItemDataRole.AccessibleTextRole)
        assert not any(name in words for name in ("Covid", "Normal", "Viral", "consensus"))
        assert blind.controller.list.counts()["disagree"] is None

    def test_a_filter_on_votes_is_refused(self, blind: MainWindow) -> None:
        assert not blind.controller.list.set_query("is:split")
        assert "hidden" in blind.status.notice

    def test_enter_does_not_accept_what_is_hidden(self, blind: MainWindow) -> None:
        press(blind, "Return")
        assert not decision(blind, 3).reviewed
        assert "label first" in blind.status.notice

    def test_the_label_reveals_the_votes_and_both_labels_are_kept(self, blind: MainWindow) -> None:
        press(blind, "1")
        assert blind.controller.current == 3
        assert not blind.controller.hidden(3)
        press(blind, "2")
        assert decision(blind, 3).blind_label == "Covid"
        assert decision(blind, 3).label == "Normal"
        assert decision(blind, 3).flipped
        assert blind.controller.current == 4

    def test_the_same_key_again_confirms_and_goes_on(self, blind: MainWindow) -> None:
        press(blind, "1")
        press(blind, "1")
        assert decision(blind, 3).label == decision(blind, 3).blind_label == "Covid"
        assert blind.controller.current == 4


def test_a_change_of_mind_on_the_last_image_is_no_last_unreviewed_image(
    focused: MainWindow,
) -> None:
    focused.controller.move_to_end(last=True)
    last = focused.controller.current
    press(focused, "1")
    focused.controller.show_case(last)
    press(focused, "2")
    assert decision(focused, last).label == "Normal"
    assert focused.status.notice == "This is the last image of the list."


def test_a_selection_says_how_many_images_the_next_key_decides(focused: MainWindow) -> None:
    said = focused.review.decision.advance
    assert said.text == "Saves and moves on"
    focused.shortcuts["select_all"].trigger()
    assert said.text == "For 13 selected images"
    press(focused, "d")
    assert said.text == "Saves and moves on"


def test_the_position_in_the_list_follows_the_list(focused: MainWindow, qtbot: QtBot) -> None:
    said = focused.review.image.accessibleDescription
    focused.case_filter.choose("film_1")
    qtbot.waitUntil(lambda: ", 1 of 3, " in said(), timeout=PATIENCE_MS)
    focused.case_filter.choose("")
    assert ", 11 of 13, " in said()
