"""Batch page, scorecard and badges say what is so, also in the odd cases."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QStyle
from pytestqt.qtbot import QtBot

from desktop.gui.batch.page import BatchPage
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.presenters.badges import BadgeSpec
from desktop.gui.scorecard.charts import share_axis
from desktop.gui.session.model_run import Progress
from desktop.gui.style import animation as fade
from desktop.gui.style import theme
from desktop.gui.widgets.badge import BadgeRow
from desktop.gui.widgets.charts import RateCurve
from desktop.gui.widgets.containers import Card
from tests.gui.conftest import PATIENCE_MS, draw_films

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


def test_the_page_without_a_folder_has_words_too(window: MainWindow) -> None:
    assert isinstance(window.batch, BatchPage)
    assert window.batch.title.text == "No folder open"


def test_models_that_are_equally_close_are_not_ranked(open_window: MainWindow) -> None:
    closeness = open_window.scorecard._closeness
    assert closeness([(0.5001, "SCNN"), (0.4999, "CCNN")]) == (
        "All models are equally close to you: 0.50."
    )
    assert closeness([(0.4, "SCNN"), (0.6, "CCNN")]) == (
        "Closest to you: CCNN, 0.60. Furthest: SCNN, 0.40."
    )


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


@pytest.mark.parametrize(
    ("lowest", "highest", "axis"),
    [
        (0.0, 1.0, (0.0, 1.0, 0.25)),
        (0.8, 0.95, (0.75, 1.0, 0.05)),
        (0.55, 0.95, (0.5, 1.0, 0.1)),
        (0.71, 0.84, (0.65, 0.9, 0.05)),
        (1.0, 1.0, (0.95, 1.0, 0.05)),
        (0.0, 0.0, (0.0, 0.05, 0.05)),
    ],
)
def test_an_axis_of_shares_has_round_ends_and_room_beside_the_data(
    lowest: float, highest: float, axis: tuple[float, float, float]
) -> None:
    assert share_axis(lowest, highest) == pytest.approx(axis)


@pytest.fixture
def badges(qtbot: QtBot) -> BadgeRow:
    row = BadgeRow()
    qtbot.addWidget(row)
    row.resize(400, 30)
    row.show()
    return row


OOD = BadgeSpec("ood", "out-of-distribution", "Out of distribution", "Unlike the training.")
LUNGS = BadgeSpec("lungs", "lungs-covered", "Stays without lungs", "See the card.")


def test_a_badge_comes_up_in_120_ms_and_one_that_stays_stands_still(
    badges: BadgeRow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fade, "motion_wanted", lambda _widget: True)
    badges.set_badges([OOD])
    first = badges.badges[0].fade
    assert first.running
    assert first._animation.duration() == 120
    qtbot.waitUntil(lambda: not first.running, timeout=PATIENCE_MS)
    assert first.opacity == 1.0
    badges.set_badges([OOD, LUNGS])
    assert [badge.fade.running for badge in badges.badges] == [False, True]


def test_nothing_moves_where_the_desktop_asks_for_no_motion(
    badges: BadgeRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fade, "motion_wanted", lambda _widget: False)
    badges.set_badges([OOD])
    assert not badges.badges[0].fade.running
    assert badges.badges[0].fade.opacity == 1.0


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5, 2.0])
def test_the_menu_bar_is_no_higher_than_its_words_so_they_are_centred(
    window: MainWindow, scale: float
) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    try:
        theme.apply_choice(application, "dark", scale)
        bar = window.top_bar.menu_bar
        window.top_bar.layout().activate()
        words = bar.actionGeometry(bar.actions()[0])
        above = bar.y() + words.top()
        below = window.top_bar.height() - above - words.height()
        assert abs(above - below) <= 2
    finally:
        theme.apply_choice(application, "dark", 1.0)


def test_the_style_can_switch_motion_off(badges: BadgeRow) -> None:
    hint = QStyle.StyleHint.SH_Widget_Animation_Duration
    wanted = badges.style().styleHint(hint, None, badges) > 0
    assert fade.motion_wanted(badges) == wanted


def test_menus_and_tips_fade_only_where_the_desktop_lets_things_move(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    effects = (Qt.UIEffect.UI_FadeMenu, Qt.UIEffect.UI_FadeTooltip)
    monkeypatch.setattr(fade, "_WITHOUT_STACKING", ())
    try:
        for milliseconds, wanted in ((0, False), (200, True)):
            monkeypatch.setattr(fade, "animation_ms", lambda _style, ms=milliseconds: ms)
            fade.let_popups_fade(qapp)
            assert [qapp.isEffectEnabled(effect) for effect in effects] == [wanted] * 2
    finally:
        monkeypatch.undo()
        fade.let_popups_fade(qapp)


def test_an_empty_page_leads_to_what_fills_it(open_window: MainWindow, window: MainWindow) -> None:
    window.show_page("batch")
    assert window.batch._note.isVisible()
    assert not window.batch.export_button.isVisible()
    open_window.show_page("scorecard")
    open_window.scorecard.review_asked.emit()
    assert open_window.page == "review"
    assert open_window.controller.current == 0
