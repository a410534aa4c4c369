"""Open a folder, list with verdicts, image, heatmap, four votes, CSV; closing in the middle."""

from __future__ import annotations

import csv
import dataclasses
import signal
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.gui.app import close_on_signals
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.presenters.case_row import RowView, row_view, short_reason
from desktop.gui.session.case_list_model import ROW_VIEW_ROLE
from tests.gui.conftest import PATIENCE_MS, wait_for_votes


def rows_of(window: MainWindow) -> list[RowView]:
    model = window.controller.list.model
    return [model.index(row, 0).data(ROW_VIEW_ROLE) for row in range(model.rowCount())]


def test_an_opened_folder_is_listed_in_natural_order_with_its_verdicts(
    open_window: MainWindow,
) -> None:
    rows = rows_of(open_window)
    names = [row.name for row in rows]
    assert len(rows) == 13
    assert names == sorted(names)
    voted = [row for row in rows if row.state == "voted"]
    assert len(voted) == 12
    assert all(len(row.votes) == 4 and None not in row.votes for row in voted)


def test_a_broken_file_is_listed_with_its_reason_and_stops_nothing(open_window: MainWindow) -> None:
    failed = [row for row in rows_of(open_window) if row.state == "failed"]
    assert [row.name for row in failed] == ["film_07_broken.png"]
    assert failed[0].line.startswith("Not read: ")
    assert failed[0].status == "failed"


def test_the_film_comes_up_with_heatmap_and_four_votes(
    open_window: MainWindow, qtbot: QtBot
) -> None:
    controller = open_window.controller
    assert controller.current == 0
    qtbot.waitUntil(lambda: open_window.review.image.film is not None, timeout=PATIENCE_MS)
    result = controller.current_result()
    assert result is not None
    assert len(result.predictions) == 4
    assert all(item.cams is not None for item in result.predictions)


def test_the_csv_holds_one_row_an_image_failures_included(
    open_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "votes.csv"
    with qtbot.waitSignal(open_window.exporter.exported, timeout=PATIENCE_MS):
        open_window.exporter.write_csv(path)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 13
    assert [row["image"] for row in rows if row["status"] == "failed"] == ["film_07_broken.png"]
    assert all(row["scnn_label"] for row in rows if row["status"] == "ok")


def test_closing_while_the_models_run_is_clean(
    window: MainWindow, qtbot: QtBot, film_folder: Path
) -> None:
    window.opener.open_folder(film_folder)
    qtbot.waitUntil(lambda: window.controller.current is not None, timeout=PATIENCE_MS)
    assert window.close()
    assert window.controller.session is None


def test_answers_of_an_earlier_day_are_there_at_once(
    make_window, qtbot: QtBot, film_folder: Path
) -> None:
    first = make_window()
    first.opener.open_folder(film_folder)
    wait_for_votes(qtbot, first)
    first.close()
    second = make_window()
    asked: list[object] = []
    second.controller.run.answered.connect(asked.append)
    second.opener.open_folder(film_folder)
    qtbot.waitUntil(lambda: len(rows_of(second)) == 13, timeout=PATIENCE_MS)
    assert all(row.state != "waiting" for row in rows_of(second))
    assert asked == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_only_after_the_interrupted_work(
    window: MainWindow, qtbot: QtBot, number: signal.Signals
) -> None:
    before = {item: signal.getsignal(item) for item in (signal.SIGINT, signal.SIGTERM)}
    try:
        close_on_signals(window)
        window.show()
        signal.raise_signal(number)
        # Here the interrupted code may hold the engine's lock; closing would wait for ever.
        assert window.isVisible()
        qtbot.waitUntil(lambda: not window.isVisible(), timeout=PATIENCE_MS)
    finally:
        for item, handler in before.items():
            signal.signal(item, handler)


def test_a_narrow_list_says_why_a_file_was_not_read_and_what_is_no_usual_film(
    open_window: MainWindow,
) -> None:
    failed = next(row for row in rows_of(open_window) if row.state == "failed")
    assert failed.short_line == failed.line.removeprefix("Not read: ").capitalize()
    session, result = open_window.controller.session, open_window.controller.current_result()
    assert session is not None
    assert result is not None
    assert result.verdict is not None
    odd = dataclasses.replace(result.verdict, ood=True, ood_score=9.0)
    session.table.set_result(dataclasses.replace(result, verdict=odd))
    view = row_view(session.table, 0, session.facts, blind=False)
    assert view.short_line.startswith("OOD, ")
    assert len(view.short_line) < len(view.line)


def test_a_reason_keeps_its_capitals() -> None:
    sentence = "CT.dcm is a DICOM image of another kind (CT). Only plain radiographs are read."
    assert short_reason(sentence, "CT.dcm") == "DICOM image of another kind (CT)"
    assert short_reason("a.png Ends early. Fetch it again.", "a.png") == "ends early"
