"""Shortcuts, settings, about; class folders, report, view, filtered CSV; batch and scorecard."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from desktop.__main__ import main
from desktop.gui.actions.shortcuts import conflict
from desktop.gui.help.about_dialog import AboutDialog, licences_text, versions_text
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.settings.dialog import SettingsDialog
from desktop.gui.settings.file import load_settings
from desktop.gui.settings.schema import explanations
from desktop.gui.settings.shortcuts_dialog import ShortcutsDialog
from tests.gui.conftest import PATIENCE_MS, MakeWindow, wait_for_votes


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


def left_ink(widget: QWidget, part: QRect) -> int:
    """Column of ``part`` in which its words begin."""
    picture = widget.grab(part).toImage()
    blank = picture.pixelColor(0, 1).lightness()
    for x in range(picture.width()):
        column = (picture.pixelColor(x, y).lightness() for y in range(picture.height() - 1))
        if any(abs(grey - blank) > 60 for grey in column):
            return x
    raise AssertionError("nothing is written there")


class TestShortcuts:
    @pytest.fixture
    def dialog(self, open_window: MainWindow, qtbot: QtBot) -> ShortcutsDialog:
        dialog = ShortcutsDialog(open_window.shortcuts, open_window.preferences, open_window)
        qtbot.addWidget(dialog)
        dialog.open()
        return dialog

    def test_a_rebound_key_works_at_once_and_is_saved(
        self, open_window: MainWindow, dialog: ShortcutsDialog, qtbot: QtBot
    ) -> None:
        assert dialog.rebind("flag", "G")
        dialog.close()
        open_window.activateWindow()
        open_window.review.focus_image()
        qtbot.waitUntil(open_window.review.image.hasFocus, timeout=PATIENCE_MS)
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_G)
        assert open_window.controller.session.decision(0).flagged
        saved = load_settings(open_window.preferences._path).settings
        assert saved.shortcuts["flag"] == ("G",)

    def test_a_key_that_is_taken_is_refused_and_its_owner_named(
        self, open_window: MainWindow, dialog: ShortcutsDialog
    ) -> None:
        assert not dialog.rebind("flag", "U")
        assert "Unsure" in dialog.message
        assert open_window.shortcuts.keys("flag") == ("K",)

    def test_a_key_is_taken_only_for_a_chosen_command(self, dialog: ShortcutsDialog) -> None:
        assert not dialog.key_edit.isEnabled()
        dialog.choose("flag")
        assert dialog.key_edit.isEnabled()

    def test_the_headings_stand_above_their_columns(self, dialog: ShortcutsDialog) -> None:
        header, view = dialog.view.header(), dialog.view.viewport()
        group = dialog.view.model().index(0, 0)
        first_row = dialog.view.visualRect(group)
        keys = dialog.view.visualRect(dialog.view.model().index(0, 1, group))
        for heading, row in ((0, first_row), (1, keys)):
            left, width = header.sectionViewportPosition(heading), header.sectionSize(heading)
            above = left_ink(header.viewport(), QRect(left, 0, width, header.height() - 2))
            below = left_ink(view, QRect(left, row.top(), width, row.height()))
            assert abs(above - below) <= 1

    def test_the_field_for_the_new_key_is_seen(self, dialog: ShortcutsDialog) -> None:
        dialog.choose("flag")
        picture = dialog.key_edit.grab().toImage()
        inside = picture.pixelColor(picture.width() // 2, 5)
        edge = {picture.pixelColor(x, picture.height() // 2).name() for x in (0, 1, 2)}
        assert edge != {inside.name()}


class TestSettings:
    def test_every_setting_explains_itself(self, open_window: MainWindow, qtbot: QtBot) -> None:
        dialog = SettingsDialog(open_window.preferences, open_window)
        qtbot.addWidget(dialog)
        words = {label.text() for label in dialog.findChildren(QLabel)}
        for name, explanation in explanations().items():
            if name not in ("panel", "panel_folders"):
                assert explanation.text in words, name
                assert dialog.editor(name).accessibleName()

    def test_a_change_holds_at_once_and_is_saved(
        self, open_window: MainWindow, qtbot: QtBot
    ) -> None:
        dialog = SettingsDialog(open_window.preferences, open_window)
        qtbot.addWidget(dialog)
        box = dialog.editor("heatmap_opacity_percent")
        assert isinstance(box, QSpinBox)
        box.setValue(70)
        assert open_window.preferences.settings.heatmap_opacity_percent == 70
        assert load_settings(open_window.preferences._path).settings.heatmap_opacity_percent == 70


def test_the_about_box_names_versions_licences_and_research_use(
    open_window: MainWindow, qtbot: QtBot
) -> None:
    dialog = AboutDialog(open_window)
    qtbot.addWidget(dialog)
    assert "Qt " in versions_text()
    assert "LGPL" in licences_text()
    assert "Open Font License" in licences_text()
    assert any("not a diagnosis" in label.text() for label in dialog.findChildren(QLabel))


class TestExports:
    def test_the_listed_rows_only(
        self, open_window: MainWindow, qtbot: QtBot, tmp_path: Path
    ) -> None:
        open_window.case_filter.apply("is:failed")
        with qtbot.waitSignal(open_window.exporter.exported, timeout=PATIENCE_MS):
            open_window.exporter.write_csv(tmp_path / "failed.csv", listed_only=True)
        with (tmp_path / "failed.csv").open(encoding="utf-8-sig", newline="") as stream:
            assert [row["image"] for row in csv.DictReader(stream)] == ["film_07_broken.png"]

    def test_a_folder_of_an_earlier_day_gives_the_bytes_of_the_command_line(
        self,
        make_window: MakeWindow,
        panel_folder: Path,
        film_folder: Path,
        qtbot: QtBot,
        tmp_path: Path,
    ) -> None:
        words = ["label", film_folder, "--panel", panel_folder, "--device", "cpu", "-r", "-q"]
        expected = tmp_path / "command.csv"
        assert main([*map(str, words), "-o", str(expected)]) in (0, 1)
        for day in ("first", "second"):
            window = make_window()
            window.preferences.change(device="cpu")
            window.opener.open_folder(film_folder)
            wait_for_votes(qtbot, window)
            store = window.controller.store
            assert store is not None
            qtbot.waitUntil(lambda store=store: len(store.finished()) == 13)
            with qtbot.waitSignal(window.exporter.exported, timeout=PATIENCE_MS):
                window.exporter.write_csv(tmp_path / f"{day}.csv")
            assert (tmp_path / f"{day}.csv").read_bytes() == expected.read_bytes()
            # The second window has nothing left to run.
            assert (window.controller.run.device == "cpu") is (day == "first")
            window.close()

    def test_decisions_are_in_the_table(
        self, open_window: MainWindow, qtbot: QtBot, tmp_path: Path
    ) -> None:
        open_window.preferences.change(reviewer="Mira")
        open_window.controller.decisions.label(1)
        open_window.controller.decisions.comment("=second look", [])
        with qtbot.waitSignal(open_window.exporter.exported, timeout=PATIENCE_MS):
            open_window.exporter.write_csv(tmp_path / "votes.csv")
        with (tmp_path / "votes.csv").open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert rows[0]["final_label"] == "Normal"
        assert rows[0]["reviewer"] == "Mira"
        assert rows[1]["comment"] == "'=second look"

    def test_a_folder_that_cannot_be_written_is_told(
        self, open_window: MainWindow, qtbot: QtBot, tmp_path: Path
    ) -> None:
        with qtbot.waitSignal(open_window.exporter.notice_raised, timeout=PATIENCE_MS):
            open_window.exporter.write_csv(tmp_path / "nowhere" / "votes.csv")
        assert open_window.exporter.latest != tmp_path / "nowhere" / "votes.csv"
        assert open_window.status.notice

    def test_the_view_is_saved_as_png(
        self, open_window: MainWindow, qtbot: QtBot, tmp_path: Path
    ) -> None:
        qtbot.waitUntil(lambda: open_window.review.image.film is not None, timeout=PATIENCE_MS)
        with qtbot.waitSignal(open_window.exporter.exported, timeout=PATIENCE_MS):
            open_window.exporter.write_view(tmp_path / "view.png")
        saved = QImage(str(tmp_path / "view.png"))
        assert saved.width() > 400
        # Below the film stands that this is no diagnosis.
        strip = saved.copy(0, saved.height() - 28, saved.width(), 28)
        inks = {strip.pixel(x, y) for x in range(0, 420) for y in range(28)}
        assert len(inks) > 20
        assert open_window.status.notice_button.text() == "Show in folder"

    def test_the_report_counts_what_was_decided(
        self, open_window: MainWindow, qtbot: QtBot, tmp_path: Path
    ) -> None:
        open_window.controller.decisions.label(0)
        with qtbot.waitSignal(open_window.exporter.exported, timeout=PATIENCE_MS):
            open_window.exporter.write_report(tmp_path / "report.html")
        text = (tmp_path / "report.html").read_text()
        assert "not a diagnosis" in text
        assert "film_07_broken.png" in text

    def test_labelled_films_are_copied_into_class_folders(
        self, open_window: MainWindow, qtbot: QtBot, tmp_path: Path
    ) -> None:
        open_window.controller.decisions.label(0)
        open_window.controller.decisions.label(2)
        with qtbot.waitSignal(open_window.exporter.exported, timeout=PATIENCE_MS):
            open_window.exporter.write_class_folders(tmp_path / "classes", "label", "copy")
        names = sorted(
            path.relative_to(tmp_path / "classes").as_posix()
            for path in (tmp_path / "classes").rglob("*.png")
        )
        assert names == ["Covid/film_01.png", "Viral Pneumonia/film_02.png"]


class TestPages:
    def test_the_batch_page_counts_votes_and_names_failures(self, open_window: MainWindow) -> None:
        open_window.show_page("batch")
        assert open_window.batch.title.text == "12 of 13 images read"
        assert open_window.batch.failures.model().rowCount() == 1
        assert open_window.batch.failures.model().index(0, 1).data()

    def test_review_disagreements_leads_to_them(self, open_window: MainWindow) -> None:
        open_window.show_page("batch")
        open_window.batch.review_button.click()
        assert open_window.page == "review"
        assert open_window.controller.list.query == "is:split"

    def test_the_scorecard_measures_the_models_on_the_readers_labels(
        self, open_window: MainWindow, qtbot: QtBot
    ) -> None:
        for index in (0, 1, 2, 0):
            open_window.controller.decisions.label(index)
        with qtbot.waitSignal(open_window.scoring.scorecard_counted, timeout=PATIENCE_MS):
            open_window.show_page("scorecard")
        assert "4 decided images" in open_window.scorecard.title.text

    def test_comparing_shows_four_maps(self, open_window: MainWindow) -> None:
        open_window.show_page("compare")
        assert open_window.review.comparing
        assert len(open_window.review.compare.views()) == 4
        assert open_window.review.list_panel.rail
