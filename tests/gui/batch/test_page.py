"""The batch page: progress, votes, failures, and what it says while there is nothing to show."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop.gui.batch.page import BatchPage
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.session.model_run import Progress
from desktop.gui.widgets.charts import RateCurve
from desktop.gui.widgets.containers import Card
from desktop.gui.widgets.label import ElidedLabel
from tests.gui.conftest import child
from tests.helpers.film_files import draw_films

STARTED = datetime(2026, 11, 23, 9, 0)


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(0, 9, 0, 0.0, "idle", None), "The curve begins when the models run."),
        (Progress(9, 9, 0, 0.0, "idle", None), "All answers are from an earlier day"),
        (Progress(1, 9, 0, 0.0, "running", STARTED), "The curve begins in a moment."),
        (Progress(9, 9, 0, 0.0, "idle", STARTED), "The run was too short for a curve."),
    ],
)
def test_the_batch_page_says_why_there_is_no_curve(
    open_window: MainWindow, progress: Progress, words: str
) -> None:
    open_window.show_page("batch")
    open_window.batch.show_session(open_window.controller.session, progress)
    curve = open_window.batch.findChild(RateCurve)
    assert words in curve.accessibleDescription()


def test_the_page_without_a_folder_says_so(window: MainWindow) -> None:
    assert isinstance(window.batch, BatchPage)
    assert window.batch.title.text == "No folder open"


def test_the_batch_page_counts_votes_and_names_failures(open_window: MainWindow) -> None:
    open_window.show_page("batch")
    assert open_window.batch.title.text == "12 of 13 images read"
    assert open_window.batch.failures.model().rowCount() == 1
    assert open_window.batch.failures.model().index(0, 1).data()


def test_review_disagreements_leads_to_them(open_window: MainWindow) -> None:
    open_window.show_page("batch")
    open_window.batch.review_button.click()
    assert open_window.page == "review"
    assert open_window.controller.list.query == "is:split"


def test_the_headings_of_the_cards_stand_at_one_height_with_and_without_controls(
    open_window: MainWindow, tmp_path: Path
) -> None:
    draw_films(tmp_path, 1)
    open_window.show_page("batch")
    for failed in ("1", "0"):
        QApplication.processEvents()
        cards = {card.title.text: card for card in open_window.batch.findChildren(Card)}
        assert {"Agreement", "Images per second", f"Failed, {failed}"} <= set(cards)
        tops = {card.title.geometry().center().y() for name, card in cards.items() if name}
        assert len(tops) == 1
        open_window.opener.open_folder(tmp_path)


def test_an_empty_page_leads_to_what_fills_it(open_window: MainWindow, window: MainWindow) -> None:
    window.show_page("batch")
    text = "The models read a whole folder while you review"
    assert child(window.batch, ElidedLabel, text).isVisible()
    assert not window.batch.export_button.isVisible()
    open_window.show_page("scorecard")
    open_window.scorecard.review_asked.emit()
    assert open_window.page == "review"
    assert open_window.controller.current == 0
