"""Verdict, badges and model rows: values in, words and pictures out, nothing leaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.cases import CaseResult
from desktop.core.review.case_table import CaseTable
from desktop.core.vote import verdict
from desktop.gui.panel_info import make_panel_facts
from desktop.gui.presenters.badges import BadgeSpec
from desktop.gui.presenters.case_row import row_view
from desktop.gui.review.decision_panel import DecisionPanel
from desktop.gui.review.heatmap_controls import HeatmapControls
from desktop.gui.review.model_list import ModelRows
from desktop.gui.review.verdict_panel import VerdictPanel
from desktop.gui.style import theme
from desktop.gui.votes.probability_bar import probability_text
from desktop.gui.widgets.badge import BadgeRow, fitting
from tests.gui.sample_values import MODELS, cam, covid_panel, prediction, result

CLASS_WORDS = ("Covid", "Normal", "Viral")


@pytest.fixture
def verdict_panel(qtbot: QtBot) -> VerdictPanel:
    made = VerdictPanel(covid_panel())
    qtbot.addWidget(made)
    made.resize(344, made.height())
    made.set_keys("Enter", ["1", "2", "3"])
    made.show()
    return made


def texts(widget: QWidget) -> str:
    """All words on a widget, as a screen reader finds them."""
    found = [widget.accessibleName(), widget.accessibleDescription(), widget.toolTip()]
    for child in widget.findChildren(QWidget):
        if child.isVisibleTo(widget):
            found += [child.accessibleName(), child.accessibleDescription(), child.toolTip()]
    return " | ".join(found)


# the row in the list -----------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["tie", "dissent"])
def test_a_row_says_that_its_picture_is_no_usual_film(kind: str) -> None:
    case = result(kind)
    assert case.verdict is not None
    facts = covid_panel()
    table = CaseTable(facts.class_names, [name for name, _ in MODELS])
    usual = table.set_result(replace(case, image="a.png", verdict=replace(case.verdict, ood=False)))
    odd = table.set_result(replace(case, image="b.png", verdict=replace(case.verdict, ood=True)))
    plain = row_view(table, usual, facts, blind=False)
    marked = row_view(table, odd, facts, blind=False)
    assert marked.line == f"{plain.line}, OOD"
    assert "out of distribution" in marked.spoken
    assert "OOD" not in row_view(table, odd, facts, blind=True).line


# verdict -----------------------------------------------------------------------------------------
def test_a_tie_names_the_count_and_the_rule(verdict_panel: VerdictPanel) -> None:
    verdict_panel.show_case(result("tie"))
    assert verdict_panel.title.text == "No consensus"
    assert verdict_panel.sentence.text == "2 Covid, 2 Viral Pneumonia. Majority needs 3 of 4."


def test_a_majority_names_the_dissent_and_the_key(verdict_panel: VerdictPanel) -> None:
    verdict_panel.show_case(result("dissent"))
    assert verdict_panel.title.text == "Covid"
    assert verdict_panel.sentence.text == "3 of 4. CCNN says Normal. Enter accepts."


def test_a_silent_model_is_said(verdict_panel: VerdictPanel) -> None:
    whole = result("agree")
    some = whole.predictions[:3]
    names = [name for name, _ in MODELS]
    partial = replace(whole, predictions=some, verdict=verdict(some, names, 3, 1.0))
    verdict_panel.show_case(partial)
    assert "ResNet50 gave no answer." in verdict_panel.sentence.text


def test_a_rebound_key_is_the_one_that_is_named(verdict_panel: VerdictPanel) -> None:
    verdict_panel.set_keys("G", ["7", "8", "9"])
    verdict_panel.show_case(result("dissent"))
    assert "G accepts." in verdict_panel.sentence.text
    verdict_panel.show_case(result("dissent"), blind=True)
    assert verdict_panel.sentence.text == "The votes appear after you press 7, 8 or 9."


def test_blind_shows_nothing_of_the_votes(verdict_panel: VerdictPanel) -> None:
    verdict_panel.show_case(result("tie"), blind=True)
    assert verdict_panel.title.text == "Your label first"
    words = texts(verdict_panel)
    assert not any(name in words for name in CLASS_WORDS)
    assert "0." not in words
    assert verdict_panel.badges.badges == ()


def test_blind_pictures_of_different_results_are_the_same(verdict_panel: VerdictPanel) -> None:
    pictures = []
    for kind in ("tie", "agree"):
        verdict_panel.show_case(result(kind), blind=True)
        pictures.append(verdict_panel.grab().toImage())
    assert pictures[0] == pictures[1]


def test_a_file_that_failed_shows_its_whole_reason(verdict_panel: VerdictPanel) -> None:
    failed = result("failed")
    verdict_panel.show_case(failed)
    assert verdict_panel.title.text == "Not read"
    assert verdict_panel.reason.text() == failed.reason
    assert not verdict_panel.mean.isVisible()


def test_the_panel_never_changes_its_height(verdict_panel: VerdictPanel) -> None:
    heights = set()
    for shown in (None, result("tie"), result("agree"), result("failed")):
        verdict_panel.show_case(shown)
        heights.add(verdict_panel.height())
    assert len(heights) == 1


def test_out_of_distribution_and_shortcut_come_by_themselves(verdict_panel: VerdictPanel) -> None:
    verdict_panel.show_case(result("tie"))
    keys = [badge.spec.key for badge in verdict_panel.badges.badges]
    assert keys == ["ood", "shortcut"]
    alarm = verdict_panel.badges.badges[1].spec.sentence
    assert "DACCNN" in alarm
    assert "Compare with the lungs covered." in alarm
    verdict_panel.show_case(result("agree"))
    assert "ood" not in [badge.spec.key for badge in verdict_panel.badges.badges]


def test_enter_without_a_consensus_is_answered(verdict_panel: VerdictPanel) -> None:
    verdict_panel.show_case(result("tie"))
    verdict_panel.show_no_consensus()
    assert "Nothing to accept" in verdict_panel.sentence.text


# badges ------------------------------------------------------------------------------------------
def facts(count: int) -> tuple[BadgeSpec, ...]:
    return tuple(BadgeSpec(f"b{n}", "info", f"Badge {n}", f"Sentence {n}.") for n in range(count))


def test_a_third_badge_hides_behind_plus_one(qtbot: QtBot) -> None:
    shown = fitting(facts(3), 400)
    assert [spec.text for spec in shown] == ["Badge 0", "Badge 1", "+1"]
    assert shown[-1].sentence == "Badge 2. Sentence 2."


def test_a_narrow_row_shows_one_badge_and_the_count_of_the_rest(qtbot: QtBot) -> None:
    assert [spec.text for spec in fitting(facts(3), 130)] == ["Badge 0", "+2"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_a_badge_opens_its_sentence_with_the_keyboard(qtbot: QtBot, key: Qt.Key) -> None:
    row = BadgeRow()
    qtbot.addWidget(row)
    row.resize(400, 30)
    row.set_badges(facts(1))
    row.show()
    badge = row.badges[0]
    assert badge.accessibleDescription() == "Sentence 0."
    with qtbot.waitSignal(row.opened) as reported:
        qtbot.keyClick(badge, key)
    assert reported.args == ["b0"]


# model rows --------------------------------------------------------------------------------------
@pytest.fixture
def rows(qtbot: QtBot) -> ModelRows:
    made = ModelRows(covid_panel())
    qtbot.addWidget(made)
    made.resize(344, made.sizeHint().height())
    made.show()
    return made


def test_rows_say_model_label_and_operating_points(rows: ModelRows) -> None:
    rows.show_predictions(result("tie").predictions)
    assert rows.row(1).accessibleName() == "CCNN, Viral Pneumonia 0.61"
    assert "Covid 0.34 (called from 0.40)" in rows.row(1).accessibleDescription()


def test_a_missing_answer_waits_runs_or_failed(rows: ModelRows) -> None:
    two = result("tie").predictions[:2]
    rows.show_predictions(two, running=True, failed={"daccnn": "Ran out of memory."})
    assert [rows.row(index).row_state for index in range(4)] == [
        "voted",
        "voted",
        "failed",
        "running",
    ]
    rows.show_predictions(None, unread=True)
    assert {rows.row(index).row_state for index in range(4)} == {"absent"}


def test_try_again_asks_for_that_model(rows: ModelRows, qtbot: QtBot) -> None:
    rows.show_predictions(None, failed={"daccnn": "Ran out of memory."})
    retry = next(
        child
        for child in rows.row(2).findChildren(QAbstractButton)
        if child.isVisibleTo(rows.row(2))
    )
    with qtbot.waitSignal(rows.retry_requested) as reported:
        qtbot.mouseClick(retry, Qt.MouseButton.LeftButton)
    assert reported.args == [2]


def test_blind_rows_tell_no_class(rows: ModelRows) -> None:
    rows.show_predictions(result("tie").predictions, blind=True)
    words = texts(rows)
    assert not any(name in words for name in CLASS_WORDS)
    assert "0." not in words


def test_compact_rows_show_the_vote_and_the_runner_up(rows: ModelRows) -> None:
    rows.show_predictions(result("tie").predictions)
    assert rows.row(1).shown_classes() == [0, 1, 2]
    rows.set_compact(True)
    assert rows.row(1).shown_classes() == [2, 0]
    assert rows.row(1).sizeHint().height() == 64


def test_up_and_down_choose_another_map(rows: ModelRows, qtbot: QtBot) -> None:
    rows.show_predictions(result("tie").predictions)
    reported: list[int] = []
    rows.model_chosen.connect(reported.append)
    rows.row(0).setFocus()
    qtbot.keyClick(rows.row(0), Qt.Key.Key_Down)
    qtbot.keyClick(rows.row(1), Qt.Key.Key_Down)
    qtbot.keyClick(rows.row(2), Qt.Key.Key_Up)
    assert reported == [1, 2, 1]
    assert rows.row(1).isChecked()
    assert not rows.row(2).isChecked()


def test_a_map_without_evidence_is_said(rows: ModelRows) -> None:
    empty = prediction("scnn", (0.1, 0.8, 0.1), np.zeros((3, 7, 7), np.float32))
    rows.show_predictions((empty,))
    assert "No positive evidence" in rows.row(0).accessibleDescription()


def test_the_thumbnail_shows_the_map_of_the_chosen_class(rows: ModelRows) -> None:
    answers = result("tie").predictions
    rows.show_predictions(answers)
    own = rows.row(0).grab().toImage()
    rows.show_predictions(answers, map_class=2)
    assert rows.row(0).grab().toImage() != own


def test_the_voted_bar_is_full_strength_and_as_long_as_the_probability(rows: ModelRows) -> None:
    sure = prediction("scnn", (1.0, 0.0, 0.0))
    half = prediction("ccnn", (0.5, 0.3, 0.2))
    rows.show_predictions((sure, half))
    colour = theme.current().classes[0].upper()

    def length(index: int) -> int:
        image = rows.row(index).grab().toImage()
        middle = 8 + 10 + 10 + 7
        lines = [
            sum(image.pixelColor(x, y).name().upper() == colour for x in range(90, 295))
            for y in range(middle - 8, middle + 4)
        ]
        return max(lines)

    assert length(0) > 180
    assert length(1) == pytest.approx(length(0) / 2, abs=4)


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.0, "1.00"), (0.9973, ">0.99"), (0.994, "0.99"), (0.004, "<0.01"), (0.0, "0.00")],
)
def test_figures_never_claim_a_certainty_that_is_not_there(value: float, words: str) -> None:
    assert probability_text(value) == words


# all together ------------------------------------------------------------------------------------
@pytest.mark.parametrize("width", [328, 344, 440])
@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_nothing_needs_more_than_the_panels_width(
    qtbot: QtBot, qapp: object, width: int, scale: float
) -> None:
    theme.apply_theme(qapp, theme.DARK, scale)  # type: ignore[arg-type]
    try:
        panel = covid_panel()
        for made in (
            VerdictPanel(panel),
            ModelRows(panel),
            HeatmapControls(panel),
            DecisionPanel(panel),
        ):
            qtbot.addWidget(made)
            assert made.minimumSizeHint().width() <= width * scale
    finally:
        theme.apply_theme(qapp, theme.DARK)  # type: ignore[arg-type]


def test_a_result_of_five_models_and_five_classes_is_shown_whole(qtbot: QtBot) -> None:
    names = tuple(f"Class {letter}" for letter in "ABCDE")
    models = [(f"m{index}", f"M{index}", {}, "") for index in range(5)]
    panel = make_panel_facts("own", "Own", names, models)
    cams = np.stack([cam()] * 5)
    answers = tuple(
        prediction(f"m{index}", tuple(0.6 if n == index else 0.1 for n in range(5)), cams)
        for index in range(5)
    )
    judged = verdict(answers, [f"m{index}" for index in range(5)], 5, 1.0)
    made = VerdictPanel(panel)
    rows = ModelRows(panel)
    for widget in (made, rows):
        qtbot.addWidget(widget)
    made.show_case(CaseResult("x", "", "ok", predictions=answers, verdict=judged))
    rows.show_predictions(answers)
    assert "Majority needs 3 of 5." in made.sentence.text
    assert len(rows.row(4).shown_classes()) == 3
    assert made.grab().toImage().width() > 0
