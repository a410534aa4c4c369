"""Ways in: folder, files, drop, recent, no longer there; filters, order, search."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.core.system.app_dirs import data_home
from desktop.gui.mainwindow import status_bar
from desktop.gui.mainwindow.main_window import MainWindow
from tests.gui.conftest import PATIENCE_MS, MakeWindow, draw_films


def listed(window: MainWindow) -> list[str]:
    session = window.controller.session
    assert session is not None
    return [session.image(case) for case in window.controller.list.shown]


def scanned(window: MainWindow) -> bool:
    session = window.controller.session
    return session is not None and session.scanned


def test_without_a_folder_the_window_says_how_to_begin(window: MainWindow) -> None:
    assert window.pages.currentWidget() is window.start
    assert window.start.open_folder_button.isVisible()
    assert not window.shortcuts["export_csv"].isEnabled()
    assert window.status.progress_text == ""


def test_single_files_are_opened_without_their_neighbours(
    open_window: MainWindow, qtbot: QtBot, film_folder: Path
) -> None:
    files = [film_folder / "film_02.png", film_folder / "film_05.png"]
    open_window.opener.open_paths(files)
    qtbot.waitUntil(lambda: scanned(open_window), timeout=PATIENCE_MS)
    assert listed(open_window) == ["film_02.png", "film_05.png"]


def test_a_dropped_folder_is_opened(open_window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "dropped"
    folder.mkdir()
    draw_films(folder, 2)
    open_window.shortcuts["close_folder"].trigger()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    open_window.dropEvent(event)
    qtbot.waitUntil(
        lambda: scanned(open_window) and len(listed(open_window)) == 2, timeout=PATIENCE_MS
    )
    assert open_window.preferences.settings.recent[0].path == str(folder)


def test_subfolders_are_listed_or_not(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "ward" / "inner").mkdir(parents=True)
    draw_films(tmp_path / "ward", 1)
    draw_films(tmp_path / "ward" / "inner", 1, first=2)
    open_window.opener.open_folder(tmp_path / "ward")
    qtbot.waitUntil(lambda: scanned(open_window), timeout=PATIENCE_MS)
    assert listed(open_window) == ["film_01.png", "inner/film_02.png"]
    open_window.shortcuts["recursive"].trigger()
    qtbot.waitUntil(
        lambda: scanned(open_window) and len(listed(open_window)) == 1, timeout=PATIENCE_MS
    )
    assert not open_window.preferences.settings.recursive


def test_new_files_join_on_request(open_window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "growing"
    folder.mkdir()
    draw_films(folder, 2)
    open_window.opener.open_folder(folder)
    qtbot.waitUntil(lambda: scanned(open_window), timeout=PATIENCE_MS)
    draw_films(folder, 1, first=3)
    open_window.shortcuts["rescan"].trigger()
    qtbot.waitUntil(
        lambda: scanned(open_window) and len(listed(open_window)) == 3, timeout=PATIENCE_MS
    )


def test_a_folder_that_is_gone_leaves_the_recent_list(
    open_window: MainWindow, tmp_path: Path
) -> None:
    open_window.preferences.remember_recent(str(tmp_path / "gone"), datetime.datetime.now())
    open_window.opener.open_folder(tmp_path / "gone")
    assert "no longer there" in open_window.status.notice
    assert all(
        entry.path != str(tmp_path / "gone") for entry in open_window.preferences.settings.recent
    )


def test_a_folder_without_images_says_so(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    open_window.opener.open_folder(tmp_path / "empty")
    qtbot.waitUntil(lambda: scanned(open_window), timeout=PATIENCE_MS)
    assert "No images" in open_window.status.notice


class TestFilters:
    def test_tabs_show_their_images_and_their_counts(self, open_window: MainWindow) -> None:
        counts = open_window.controller.list.counts()
        assert counts["all"] == 13
        assert counts["failed"] == 1
        assert counts["unreviewed"] == 12
        for tab in ("disagree", "failed", "all"):
            open_window.review.list_panel.tabs.tab(tab).click()
            assert len(listed(open_window)) == counts[tab]

    def test_typing_into_the_search_box_filters(
        self, open_window: MainWindow, qtbot: QtBot
    ) -> None:
        open_window.shortcuts["find"].trigger()
        QTest.keyClicks(open_window.review.list_panel.search, "film_1")
        qtbot.waitUntil(lambda: len(listed(open_window)) == 3, timeout=PATIENCE_MS)
        QTest.keyClick(open_window.review.list_panel.search, Qt.Key.Key_Escape)
        assert len(listed(open_window)) == 13

    def test_leaving_the_search_shows_an_image_of_the_list(
        self, open_window: MainWindow, qtbot: QtBot
    ) -> None:
        # Enter there and Enter again must not accept the consensus of a film filtered away.
        assert open_window.controller.current == 0
        open_window.shortcuts["find"].trigger()
        search = open_window.review.list_panel.search
        QTest.keyClicks(search, "film_1")
        assert open_window.controller.current == 0
        QTest.keyClick(search, Qt.Key.Key_Return)
        assert open_window.controller.current in open_window.controller.list.shown
        qtbot.waitUntil(open_window.review.image.hasFocus, timeout=PATIENCE_MS)
        first = open_window.controller.current
        QTest.keyClick(search, Qt.Key.Key_Escape)
        assert open_window.controller.current == first

    def test_a_tab_shows_its_first_image_unless_one_of_it_is_on_show(
        self, open_window: MainWindow
    ) -> None:
        tabs = open_window.review.list_panel.tabs
        tabs.tab("failed").click()
        assert open_window.controller.current == open_window.controller.list.shown[0]
        open_window.controller.show_case(3)
        tabs.tab("all").click()
        assert open_window.controller.current == 3

    def test_a_list_without_images_says_why_and_leads_out(self, open_window: MainWindow) -> None:
        empty = open_window.review.list_panel.empty
        assert empty.text == ""
        open_window.case_filter.choose("nothing is called like this")
        assert listed(open_window) == []
        assert empty.text == "No image matches this filter."
        empty.all_asked.emit()
        assert len(listed(open_window)) == 13
        assert empty.text == ""

    def test_a_query_that_makes_no_sense_is_refused_and_changes_nothing(
        self, open_window: MainWindow
    ) -> None:
        before = listed(open_window)
        open_window.case_filter.apply("is:nonsense")
        assert listed(open_window) == before
        assert open_window.status.notice

    def test_a_labelled_image_leaves_the_unreviewed_list_without_moving_the_reader(
        self, open_window: MainWindow, qtbot: QtBot
    ) -> None:
        open_window.review.list_panel.tabs.tab("unreviewed").click()
        open_window.controller.show_case(2)
        open_window.controller.decisions.label(0)
        assert open_window.controller.current == 3
        qtbot.waitUntil(lambda: "film_03.png" not in listed(open_window), timeout=PATIENCE_MS)
        assert open_window.controller.current == 3

    @pytest.mark.parametrize(
        ("sort", "path"),
        [
            ("agreement,-entropy", ["Disagreement first"]),
            ("-p.covid", ["Probability", "Covid, mean"]),
            ("-scnn.normal", ["Probability", "SCNN", "Normal"]),
            ("name", ["Name"]),
        ],
    )
    def test_orders_keep_every_image(
        self, open_window: MainWindow, sort: str, path: list[str]
    ) -> None:
        names = set(listed(open_window))
        menu = open_window.case_filter.sort_menu
        for title in path:
            menu.aboutToShow.emit()
            action = next(action for action in menu.actions() if action.text() == title)
            menu = action.menu()
        action.trigger()
        assert set(listed(open_window)) == names
        assert open_window.controller.list.sort == sort
        open_window.case_filter.sort_menu.aboutToShow.emit()
        ticked = [
            item.text() for item in open_window.case_filter.sort_menu.actions() if item.isChecked()
        ]
        assert ticked == (path if len(path) == 1 else [])

    def test_the_filter_is_there_again_after_reopening(
        self, open_window: MainWindow, qtbot: QtBot, film_folder: Path
    ) -> None:
        open_window.case_filter.apply("is:split", "-entropy")
        open_window.controller.close_folder()
        open_window.opener.open_folder(film_folder)
        qtbot.waitUntil(lambda: scanned(open_window), timeout=PATIENCE_MS)
        assert (open_window.controller.list.query, open_window.controller.list.sort) == (
            "is:split",
            "-entropy",
        )

    def test_rows_that_come_into_view_when_others_leave_get_their_thumbnails(
        self, open_window: MainWindow, qtbot: QtBot, tmp_path: Path
    ) -> None:
        open_window.resize(1440, 760)
        draw_films(tmp_path, 30)
        open_window.opener.open_folder(tmp_path)
        thumbnails = open_window.controller.thumbnails
        qtbot.waitUntil(lambda: scanned(open_window), timeout=PATIENCE_MS)
        qtbot.waitUntil(
            lambda: thumbnails.picture(0) is not None and not thumbnails.waiting,
            timeout=PATIENCE_MS,
        )
        assert thumbnails.picture(28) is None
        open_window.case_filter.apply("film_2")
        assert len(listed(open_window)) == 10
        qtbot.waitUntil(lambda: thumbnails.picture(28) is not None, timeout=PATIENCE_MS)

    def test_saved_filters_are_in_the_menu(self, open_window: MainWindow) -> None:
        from desktop.core.review.query import SavedFilter

        open_window.preferences.add_filter(SavedFilter("Hard & odd", "entropy>0.5", "-entropy"))
        open_window.case_filter.show_saved()
        titles = [action.text() for action in open_window.menus["filters"].actions()]
        assert "Hard && odd" in titles
        assert "Models disagree" in titles


def test_the_other_panel_votes_after_a_switch_in_the_menu(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    from tests.helpers.tiny_models import write_panel

    other = write_panel(
        tmp_path / "own", name="own_panel", class_names=("Sick", "Well"), models=("one", "two")
    )
    open_window.opener.add_panel(other)
    qtbot.waitUntil(lambda: scanned(open_window), timeout=PATIENCE_MS)
    session = open_window.controller.session
    assert session.panel.name == "own_panel"
    assert session.facts.class_names == ("Sick", "Well")
    assert open_window.shortcuts["label_2"].isEnabled()
    assert not open_window.shortcuts["label_3"].isEnabled()


def test_a_panel_that_breaks_the_contract_is_refused_with_a_sentence(
    open_window: MainWindow, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    open_window.opener.add_panel(tmp_path)
    assert "manifest" in open_window.status.notice
    assert open_window.controller.session.panel.name == "tiny"


def test_the_keyboard_stays_out_of_the_list_while_it_fills(open_window: MainWindow) -> None:
    assert QApplication.focusWidget() is not open_window.review.list_panel.search


def test_samples_are_named_as_what_they_are_for_as_long_as_they_are_new(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_bar, "NOTICE_MS", 1)
    window.shortcuts["open_samples"].trigger()
    qtbot.waitUntil(lambda: scanned(window), timeout=PATIENCE_MS)
    longer = QTimer(singleShot=True, interval=20)
    with qtbot.waitSignal(longer.timeout):
        longer.start()
    assert "Votes on drawings mean nothing" in window.status.notice
    assert all(
        name.startswith(("phantom_", "chest_real_", "something_")) for name in listed(window)
    )


def test_a_window_closed_while_samples_are_drawn_opens_nothing(
    make_window: MakeWindow,
) -> None:
    window = make_window()
    window.shortcuts["open_samples"].trigger()
    window.close()
    QApplication.processEvents()
    assert window.controller.session is None
    assert len(list((data_home() / "samples").glob("phantom_*.png"))) < 7
