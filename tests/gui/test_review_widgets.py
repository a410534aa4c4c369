"""Verdict, model rows, heatmap controls and decision: values in, signals out, nothing leaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.case_table import CaseTable
from desktop.core.cases import CaseResult
from desktop.core.vote import verdict
from desktop.gui import theme
from desktop.gui.badge import BadgeFacts, BadgeRow, fitting
from desktop.gui.decision_panel import DecisionPanel
from desktop.gui.heatmap_controls import HeatmapControls
from desktop.gui.model_rows import ModelRows
from desktop.gui.panel_facts import make_panel_facts
from desktop.gui.probability_bar import probability_words
from desktop.gui.row_words import row_view
from desktop.gui.segmented import Segmented
from desktop.gui.verdict_panel import VerdictPanel
from desktop.gui.view_values import HeatStyle
from tests.gui.samples import KEYS, MODELS, cam, covid_panel, decision, prediction, result

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
    assert "out of distribution" in marked.words
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


def test_blind_tells_nothing_of_the_votes(verdict_panel: VerdictPanel) -> None:
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
    keys = [badge.facts.key for badge in verdict_panel.badges.badges]
    assert keys == ["ood", "shortcut"]
    alarm = verdict_panel.badges.badges[1].facts.sentence
    assert "DACCNN" in alarm
    assert "Compare with the lungs covered." in alarm
    verdict_panel.show_case(result("agree"))
    assert "ood" not in [badge.facts.key for badge in verdict_panel.badges.badges]


def test_enter_without_a_consensus_is_answered(verdict_panel: VerdictPanel) -> None:
    verdict_panel.show_case(result("tie"))
    verdict_panel.say_no_consensus()
    assert "Nothing to accept" in verdict_panel.sentence.text


# badges ------------------------------------------------------------------------------------------
def facts(count: int) -> tuple[BadgeFacts, ...]:
    return tuple(BadgeFacts(f"b{n}", "info", f"Badge {n}", f"Sentence {n}.") for n in range(count))


def test_a_third_badge_hides_behind_plus_one(qtbot: QtBot) -> None:
    shown = fitting(facts(3), 400)
    assert [fact.words for fact in shown] == ["Badge 0", "Badge 1", "+1"]
    assert shown[-1].sentence == "Badge 2. Sentence 2."


def test_a_narrow_row_shows_one_badge_and_the_count_of_the_rest(qtbot: QtBot) -> None:
    assert [fact.words for fact in fitting(facts(3), 130)] == ["Badge 0", "+2"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
def test_a_badge_opens_its_sentence_with_the_keyboard(qtbot: QtBot, key: Qt.Key) -> None:
    row = BadgeRow()
    qtbot.addWidget(row)
    row.resize(400, 30)
    row.set_badges(facts(1))
    row.show()
    badge = row.badges[0]
    assert badge.accessibleDescription() == "Sentence 0."
    with qtbot.waitSignal(row.opened) as told:
        qtbot.keyClick(badge, key)
    assert told.args == ["b0"]


# segmented ---------------------------------------------------------------------------------------
@pytest.fixture
def switch(qtbot: QtBot) -> Segmented:
    made = Segmented("Heatmap class")
    qtbot.addWidget(made)
    made.set_segments(["Predicted", "Covid", "Normal"], [None, 0, 1])
    made.resize(312, made.sizeHint().height())
    made.show()
    return made


def test_a_click_chooses_and_tells_once(switch: Segmented, qtbot: QtBot) -> None:
    told: list[int] = []
    switch.chosen.connect(told.append)
    middle = switch.segment_rect(2).center().toPoint()
    for _ in range(2):
        qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=middle)
    assert told == [2]


def test_arrow_keys_move_and_stop_at_the_ends(switch: Segmented, qtbot: QtBot) -> None:
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right):
        qtbot.keyClick(switch, key)
    assert switch.index == 2
    assert switch.accessibleDescription() == "Normal, 3 of 3"


def test_choosing_from_outside_is_silent(switch: Segmented) -> None:
    told: list[int] = []
    switch.chosen.connect(told.append)
    switch.set_index(1)
    switch.set_index(9)
    assert (switch.index, told) == (1, [])


def test_the_chosen_segment_carries_the_accent(switch: Segmented) -> None:
    switch.set_index(1)
    box = switch.segment_rect(1)
    image = switch.grab().toImage()
    under = image.pixelColor(QPoint(int(box.center().x()), int(box.bottom()) - 2))
    assert under.name().upper() == theme.current().accent.upper()


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
    assert [rows.row(place).row_state for place in range(4)] == [
        "voted",
        "voted",
        "failed",
        "running",
    ]
    rows.show_predictions(None, unread=True)
    assert {rows.row(place).row_state for place in range(4)} == {"absent"}


def test_try_again_asks_for_that_model(rows: ModelRows, qtbot: QtBot) -> None:
    rows.show_predictions(None, failed={"daccnn": "Ran out of memory."})
    retry = next(
        child
        for child in rows.row(2).findChildren(QAbstractButton)
        if child.isVisibleTo(rows.row(2))
    )
    with qtbot.waitSignal(rows.retry_requested) as told:
        qtbot.mouseClick(retry, Qt.MouseButton.LeftButton)
    assert told.args == [2]


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
    told: list[int] = []
    rows.model_chosen.connect(told.append)
    rows.row(0).setFocus()
    qtbot.keyClick(rows.row(0), Qt.Key.Key_Down)
    qtbot.keyClick(rows.row(1), Qt.Key.Key_Down)
    qtbot.keyClick(rows.row(2), Qt.Key.Key_Up)
    assert told == [1, 2, 1]
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

    def length(place: int) -> int:
        image = rows.row(place).grab().toImage()
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
    assert probability_words(value) == words


# heatmap controls --------------------------------------------------------------------------------
def test_heatmap_controls_tell_class_and_style(qtbot: QtBot) -> None:
    controls = HeatmapControls(covid_panel())
    qtbot.addWidget(controls)
    with qtbot.waitSignal(controls.class_chosen) as told:
        qtbot.keyClick(controls.classes, Qt.Key.Key_Right)
    assert told.args == [0]
    with qtbot.waitSignal(controls.style_changed) as told:
        qtbot.keyClick(controls.opacity.slider, Qt.Key.Key_Right)
    assert told.args == [HeatStyle(opacity=0.46)]
    with qtbot.waitSignal(controls.style_changed) as told:
        qtbot.keyClick(controls.threshold.slider, Qt.Key.Key_PageUp)
    assert told.args[0].threshold == pytest.approx(0.35)


def test_showing_a_style_is_silent(qtbot: QtBot) -> None:
    controls = HeatmapControls(covid_panel())
    qtbot.addWidget(controls)
    told: list[object] = []
    controls.style_changed.connect(told.append)
    controls.class_chosen.connect(told.append)
    controls.set_style(HeatStyle(opacity=0.8, threshold=0.5))
    controls.set_class(1)
    assert told == []
    assert controls.opacity.share == 0.8


def test_only_what_would_change_something_can_be_moved(qtbot: QtBot) -> None:
    controls = HeatmapControls(covid_panel())
    qtbot.addWidget(controls)
    parts = (controls.classes, controls.threshold, controls.opacity)
    assert [part.isEnabled() for part in parts] == [True, True, True]
    controls.set_style(HeatStyle(contour=True))
    assert [part.isEnabled() for part in parts] == [True, True, False]
    controls.set_style(HeatStyle(visible=False))
    assert [part.isEnabled() for part in parts] == [True, False, False]
    controls.set_style(HeatStyle())
    controls.set_blind(True)
    assert [part.isEnabled() for part in parts] == [False, False, False]


# decision ----------------------------------------------------------------------------------------
@pytest.fixture
def desk(qtbot: QtBot) -> DecisionPanel:
    made = DecisionPanel(covid_panel())
    qtbot.addWidget(made)
    made.resize(344, 300)
    made.set_keys(KEYS)
    made.show_decision(None)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_buttons_tell_wishes_and_change_nothing_themselves(
    desk: DecisionPanel, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(desk.labelled) as told:
        qtbot.mouseClick(desk.class_buttons[2], Qt.MouseButton.LeftButton)
    assert told.args == ["Viral Pneumonia"]
    assert not desk.class_buttons[2].isChecked()
    with qtbot.waitSignal(desk.flag_toggled) as told:
        qtbot.mouseClick(desk.flag, Qt.MouseButton.LeftButton)
    assert told.args == [True]
    desk.show_decision(decision(flagged=True))
    with qtbot.waitSignal(desk.flag_toggled) as told:
        qtbot.mouseClick(desk.flag, Qt.MouseButton.LeftButton)
    assert told.args == [False]


def test_what_stands_is_marked(desk: DecisionPanel) -> None:
    desk.show_decision(decision("Normal", comment="look again"))
    assert [button.isChecked() for button in desk.class_buttons] == [False, True, False]
    assert "Your choice" in desk.class_buttons[1].accessibleDescription()
    assert desk.comment.text() == "look again"


def test_key_caps_follow_rebinding(desk: DecisionPanel) -> None:
    before = desk.class_buttons[0].grab().toImage()
    desk.set_keys({**KEYS, "label_1": "F2"})
    assert desk.class_buttons[0].key == "F2"
    assert "Key F2" in desk.class_buttons[0].accessibleDescription()
    assert desk.class_buttons[0].grab().toImage() != before


def test_a_comment_is_told_once_when_it_is_finished(desk: DecisionPanel, qtbot: QtBot) -> None:
    told: list[str] = []
    desk.comment_edited.connect(told.append)
    desk.focus_comment()
    qtbot.keyClicks(desk.comment, "effusion?")
    assert told == []
    qtbot.keyClick(desk.comment, Qt.Key.Key_Return)
    desk.commit_comment()
    assert told == ["effusion?"]


def test_escape_takes_a_comment_back(desk: DecisionPanel, qtbot: QtBot) -> None:
    desk.show_decision(decision(comment="old"))
    told: list[str] = []
    desk.comment_edited.connect(told.append)
    desk.focus_comment()
    qtbot.keyClicks(desk.comment, "new")
    with qtbot.waitSignal(desk.comment_left):
        qtbot.keyClick(desk.comment, Qt.Key.Key_Escape)
    desk.commit_comment()
    assert (desk.comment.text(), told) == ("old", [])


def test_the_undo_line_names_what_it_takes_back(desk: DecisionPanel, qtbot: QtBot) -> None:
    assert not desk.undo.isVisible()
    desk.set_undo("00415 flagged")
    assert desk.undo.isVisible()
    assert desk.undo.accessibleName() == "Undo: 00415 flagged"
    with qtbot.waitSignal(desk.undo_requested):
        qtbot.mouseClick(desk.undo, Qt.MouseButton.LeftButton)
    desk.set_undo_visible(False)
    assert not desk.undo.isVisible()


def test_tab_walks_every_control_in_reading_order(desk: DecisionPanel, qtbot: QtBot) -> None:
    desk.set_undo("x")
    desk.activateWindow()
    desk.class_buttons[0].setFocus()
    visited = []
    for _ in range(8):
        focused = desk.focusWidget()
        assert focused is not None
        visited.append(focused)
        assert focused.accessibleName()
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert visited == [
        *desk.class_buttons,
        desk.unsure,
        desk.flag,
        desk.comment,
        desk.undo,
        desk.next_unreviewed,
    ]


def test_another_panel_gets_its_own_buttons(desk: DecisionPanel) -> None:
    models = [("a", "A", {}, ""), ("b", "B", {}, "")]
    desk.set_panel(make_panel_facts("own", "Own", ("One", "Two", "Three", "Four", "Five"), models))
    assert [button.text() for button in desk.class_buttons] == [
        "One",
        "Two",
        "Three",
        "Four",
        "Five",
    ]


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
    models = [(f"m{place}", f"M{place}", {}, "") for place in range(5)]
    panel = make_panel_facts("own", "Own", names, models)
    cams = np.stack([cam()] * 5)
    answers = tuple(
        prediction(f"m{place}", tuple(0.6 if n == place else 0.1 for n in range(5)), cams)
        for place in range(5)
    )
    judged = verdict(answers, [f"m{place}" for place in range(5)], 5, 1.0)
    made = VerdictPanel(panel)
    rows = ModelRows(panel)
    for widget in (made, rows):
        qtbot.addWidget(widget)
    made.show_case(CaseResult("x", "", "ok", predictions=answers, verdict=judged))
    rows.show_predictions(answers)
    assert "Majority needs 3 of 5." in made.sentence.text
    assert len(rows.row(4).shown_classes()) == 3
    assert made.grab().toImage().width() > 0
