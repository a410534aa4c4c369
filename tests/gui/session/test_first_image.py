"""A folder opens on the first image that can be read, and stays where the reader put his hands."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.core.imaging.decode import Radiograph
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.session import folder_scan
from tests.gui.conftest import PATIENCE_MS, draw_films

BROKEN = b"\x89PNG\r\n\x1a\n broken"


def shown(window: MainWindow) -> str:
    session, case = window.controller.session, window.controller.current
    assert session is not None
    return session.image(case) if case is not None else ""


def film_is_shown(window: MainWindow) -> bool:
    return window.controller.current is not None and window.review.image.film is not None


def begins_with(folder: Path, broken: int, films: int) -> Path:
    """``a_0.png`` and on cannot be read, ``film_01.png`` and on can."""
    folder.mkdir()
    for number in range(broken):
        (folder / f"a_{number}.png").write_bytes(BROKEN)
    draw_films(folder, films)
    return folder


def test_files_that_cannot_be_read_are_passed_over_and_stay_listed(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    open_window.opener.open_folder(begins_with(tmp_path / "ward", 3, 2))
    qtbot.waitUntil(lambda: film_is_shown(open_window), timeout=PATIENCE_MS)
    assert shown(open_window) == "film_01.png"
    session = open_window.controller.session
    assert session is not None
    listed = [session.image(case) for case in open_window.controller.list.shown]
    assert listed == ["a_0.png", "a_1.png", "a_2.png", "film_01.png", "film_02.png"]


def test_the_reader_may_go_back_to_one_that_was_passed_over(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    open_window.opener.open_folder(begins_with(tmp_path / "ward", 1, 2))
    qtbot.waitUntil(lambda: shown(open_window) == "film_01.png", timeout=PATIENCE_MS)
    open_window.shortcuts["previous"].trigger()
    words = open_window.review.image.accessibleDescription
    qtbot.waitUntil(lambda: "could not be read" in words(), timeout=PATIENCE_MS)
    assert shown(open_window) == "a_0.png"


def test_where_no_file_can_be_read_the_first_one_says_why(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    open_window.opener.open_folder(begins_with(tmp_path / "ward", 3, 0))
    words = open_window.review.image.accessibleDescription
    qtbot.waitUntil(lambda: "could not be read" in words(), timeout=PATIENCE_MS)
    assert shown(open_window) == "a_0.png"


@pytest.mark.parametrize("touch", ["flag", "next"])
def test_nothing_moves_once_the_reader_has_moved_or_decided(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path, touch: str
) -> None:
    folder = begins_with(tmp_path / "ward", 2, 2)

    def touch_at_once(_case: int) -> None:
        open_window.controller.case_shown.disconnect(touch_at_once)
        open_window.shortcuts[touch].trigger()

    open_window.controller.case_shown.connect(touch_at_once)
    open_window.opener.open_folder(folder)
    words = open_window.review.image.accessibleDescription
    qtbot.waitUntil(lambda: "could not be read" in words(), timeout=PATIENCE_MS)
    assert shown(open_window) == ("a_0.png" if touch == "flag" else "a_1.png")


def test_the_search_goes_on_with_what_the_scan_still_finds(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_scan, "FIRST_BATCH", 2)
    monkeypatch.setattr(folder_scan, "BATCH", 2)
    open_window.opener.open_folder(begins_with(tmp_path / "ward", 5, 2))
    qtbot.waitUntil(lambda: film_is_shown(open_window), timeout=PATIENCE_MS)
    assert shown(open_window) == "film_01.png"


def test_the_film_on_show_stays_when_another_one_fails_later(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = tmp_path / "ward"
    folder.mkdir()
    draw_films(folder, 1)
    (folder / "film_02.png").write_bytes(BROKEN)
    open_window.opener.open_folder(folder)
    films = open_window.controller.films
    qtbot.waitUntil(lambda: films.outcome(1) is not None, timeout=PATIENCE_MS)
    assert isinstance(films.outcome(0), Radiograph)
    assert shown(open_window) == "film_01.png"
