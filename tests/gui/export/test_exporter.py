"""CSV, report, view and class folders, written by the real window."""

from __future__ import annotations

import csv
from pathlib import Path

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from desktop.__main__ import main
from desktop.gui.mainwindow.main_window import MainWindow
from tests.gui.conftest import PATIENCE_MS, MakeWindow, child, wait_for_votes


def test_the_listed_rows_only(open_window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    open_window.case_filter.apply("is:failed")
    with qtbot.waitSignal(open_window.exporter.exported, timeout=PATIENCE_MS):
        open_window.exporter.write_csv(tmp_path / "failed.csv", listed_only=True)
    with (tmp_path / "failed.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [row["image"] for row in csv.DictReader(stream)] == ["film_07_broken.png"]


def test_a_folder_of_an_earlier_day_gives_the_bytes_of_the_command_line(
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


def test_decisions_are_in_the_table(open_window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
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


def test_a_folder_that_cannot_be_written_is_reported(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    with qtbot.waitSignal(open_window.exporter.notice_raised, timeout=PATIENCE_MS):
        open_window.exporter.write_csv(tmp_path / "nowhere" / "votes.csv")
    assert open_window.exporter.latest != tmp_path / "nowhere" / "votes.csv"
    assert open_window.status.notice


def test_the_view_is_saved_as_png(open_window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    qtbot.waitUntil(lambda: open_window.review.image.film is not None, timeout=PATIENCE_MS)
    with qtbot.waitSignal(open_window.exporter.exported, timeout=PATIENCE_MS):
        open_window.exporter.write_view(tmp_path / "view.png")
    saved = QImage(str(tmp_path / "view.png"))
    assert saved.width() > 400
    # Below the film stands that this is no diagnosis.
    strip = saved.copy(0, saved.height() - 28, saved.width(), 28)
    inks = {strip.pixel(x, y) for x in range(0, 420) for y in range(28)}
    assert len(inks) > 20
    assert child(open_window.status, QAbstractButton, "Show in folder").isVisible()


def test_the_report_counts_what_was_decided(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    open_window.controller.decisions.label(0)
    with qtbot.waitSignal(open_window.exporter.exported, timeout=PATIENCE_MS):
        open_window.exporter.write_report(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "not a diagnosis" in text
    assert "film_07_broken.png" in text


def test_labelled_films_are_copied_into_class_folders(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path
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
