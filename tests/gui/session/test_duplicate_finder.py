"""Near-duplicates: looked for when the models are through, marked, filtered, and hinted at."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from desktop.core.imaging.phantoms import draw_phantom
from desktop.gui.mainwindow.main_window import MainWindow
from tests.gui.conftest import PATIENCE_MS, MakeWindow, child, wait_for_votes


@pytest.fixture
def copies(make_window: MakeWindow, qtbot: QtBot, tmp_path: Path) -> MainWindow:
    """A window on three films, of which one was saved twice."""
    ward = tmp_path / "copies"
    ward.mkdir()
    for number, kind in enumerate(("normal", "covid"), start=1):
        Image.fromarray(draw_phantom(kind, number, (220, 200))).save(ward / f"film_{number}.png")
    Image.open(ward / "film_2.png").save(ward / "film_2_again.jpg", quality=85)
    window = make_window()
    window.opener.open_folder(ward)
    wait_for_votes(qtbot, window)
    return window


def row_of(window: MainWindow, name: str) -> int:
    row = window.controller.session.table.row(name)
    assert row is not None
    return row


def searched(window: MainWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.controller.duplicates.found, timeout=PATIENCE_MS):
        window.shortcuts["find_duplicates"].trigger()


def badges(window: MainWindow) -> list[str]:
    return [badge.spec.key for badge in window.review.verdict.badges.badges]


def test_asking_for_it_marks_both_and_offers_to_show_them(copies: MainWindow, qtbot: QtBot) -> None:
    searched(copies, qtbot)
    assert copies.status.notice == "2 near-duplicates found."
    model = copies.controller.list.model
    words = {
        model.data(model.index(row, 0), int(Qt.ItemDataRole.AccessibleTextRole)) for row in range(3)
    }
    assert sum("has a near-duplicate" in text for text in words) == 2
    child(copies.status, QAbstractButton, "Show them").click()
    assert copies.controller.list.query == "is:duplicate"
    assert [copies.controller.session.image(case) for case in copies.controller.list.shown] == [
        "film_2.png",
        "film_2_again.jpg",
    ]


def test_it_is_looked_for_by_itself_when_the_models_are_through(
    make_window: MakeWindow, copies: MainWindow, qtbot: QtBot
) -> None:
    root = copies.controller.session.root
    copies.preferences.change(find_duplicates=True)
    with qtbot.waitSignal(copies.controller.duplicates.found, timeout=PATIENCE_MS):
        copies.opener.open_folder(root)
    assert copies.controller.session.table.column("duplicate_group").max() >= 0


def test_labels_that_differ_are_said_at_once_and_stay_marked(
    copies: MainWindow, qtbot: QtBot
) -> None:
    searched(copies, qtbot)
    one, other = row_of(copies, "film_2.png"), row_of(copies, "film_2_again.jpg")
    copies.controller.show_case(one)
    assert "duplicate" in badges(copies) or "more" in badges(copies)
    copies.controller.decisions.label(0)
    copies.controller.show_case(other)
    copies.controller.decisions.label(1)
    assert "nearly the same film as film_2.png, which is Covid" in copies.status.notice
    child(copies.status, QAbstractButton, "Show them").click()
    assert copies.controller.list.query == "is:conflict"
    assert sorted(copies.controller.list.shown) == sorted([one, other])
    copies.controller.show_case(one)
    assert "conflict" in badges(copies)
    copies.controller.decisions.label(1)
    assert "conflict" not in badges(copies)


def test_closing_the_folder_gives_a_search_up(copies: MainWindow) -> None:
    copies.shortcuts["find_duplicates"].trigger()
    assert copies.controller.duplicates.busy
    copies.controller.close_folder()
    assert not copies.controller.duplicates.busy


def test_a_copy_that_is_gone_from_the_folder_is_no_copy(copies: MainWindow, qtbot: QtBot) -> None:
    searched(copies, qtbot)
    root = copies.controller.session.root
    (root / "film_2_again.jpg").unlink()
    copies.opener.open_folder(root)
    wait_for_votes(qtbot, copies)
    searched(copies, qtbot)
    assert copies.status.notice == "No near-duplicates among 3 films."
    shutil.rmtree(root)
