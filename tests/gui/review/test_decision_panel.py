"""Decision, heatmap controls and segments: values in, wishes out, nothing changed by themselves."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from desktop.gui.images.view_types import HeatStyle
from desktop.gui.panel_info import make_panel_facts
from desktop.gui.review.decision_panel import DecisionPanel
from desktop.gui.review.heatmap_controls import HeatmapControls
from desktop.gui.style import theme
from desktop.gui.widgets.segmented_control import SegmentedControl
from tests.gui.sample_values import KEYS, covid_panel, decision


# segmented ---------------------------------------------------------------------------------------
@pytest.fixture
def switch(qtbot: QtBot) -> SegmentedControl:
    made = SegmentedControl("Heatmap class")
    qtbot.addWidget(made)
    made.set_segments(["Predicted", "Covid", "Normal"], [None, 0, 1])
    made.resize(312, made.sizeHint().height())
    made.show()
    return made


def test_a_click_chooses_and_emits_once(switch: SegmentedControl, qtbot: QtBot) -> None:
    reported: list[int] = []
    switch.chosen.connect(reported.append)
    middle = switch.segment_rect(2).center().toPoint()
    for _ in range(2):
        qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=middle)
    assert reported == [2]


def test_arrow_keys_move_and_stop_at_the_ends(switch: SegmentedControl, qtbot: QtBot) -> None:
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right):
        qtbot.keyClick(switch, key)
    assert switch.index == 2
    assert switch.accessibleDescription() == "Normal, 3 of 3"


def test_choosing_from_outside_is_silent(switch: SegmentedControl) -> None:
    reported: list[int] = []
    switch.chosen.connect(reported.append)
    switch.set_index(1)
    switch.set_index(9)
    assert (switch.index, reported) == (1, [])


def test_the_chosen_segment_carries_the_accent(switch: SegmentedControl) -> None:
    switch.set_index(1)
    box = switch.segment_rect(1)
    image = switch.grab().toImage()
    under = image.pixelColor(QPoint(int(box.center().x()), int(box.bottom()) - 2))
    assert under.name().upper() == theme.current().accent.upper()


# heatmap controls --------------------------------------------------------------------------------
def test_heatmap_controls_tell_class_and_style(qtbot: QtBot) -> None:
    controls = HeatmapControls(covid_panel())
    qtbot.addWidget(controls)
    with qtbot.waitSignal(controls.class_chosen) as reported:
        qtbot.keyClick(controls.classes, Qt.Key.Key_Right)
    assert reported.args == [0]
    with qtbot.waitSignal(controls.style_changed) as reported:
        qtbot.keyClick(controls.opacity.slider, Qt.Key.Key_Right)
    assert reported.args == [HeatStyle(opacity=0.46)]
    with qtbot.waitSignal(controls.style_changed) as reported:
        qtbot.keyClick(controls.threshold.slider, Qt.Key.Key_PageUp)
    assert reported.args[0].threshold == pytest.approx(0.35)


def test_showing_a_style_is_silent(qtbot: QtBot) -> None:
    controls = HeatmapControls(covid_panel())
    qtbot.addWidget(controls)
    reported: list[object] = []
    controls.style_changed.connect(reported.append)
    controls.class_chosen.connect(reported.append)
    controls.set_style(HeatStyle(opacity=0.8, threshold=0.5))
    controls.set_class(1)
    assert reported == []
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
def panel(qtbot: QtBot) -> DecisionPanel:
    made = DecisionPanel(covid_panel())
    qtbot.addWidget(made)
    made.resize(344, 300)
    made.set_keys(KEYS)
    made.show_decision(None)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_buttons_emit_requests_and_change_nothing_themselves(
    panel: DecisionPanel, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(panel.labelled) as reported:
        qtbot.mouseClick(panel.class_buttons[2], Qt.MouseButton.LeftButton)
    assert reported.args == ["Viral Pneumonia"]
    assert not panel.class_buttons[2].isChecked()
    with qtbot.waitSignal(panel.flag_toggled) as reported:
        qtbot.mouseClick(panel.flag, Qt.MouseButton.LeftButton)
    assert reported.args == [True]
    panel.show_decision(decision(flagged=True))
    with qtbot.waitSignal(panel.flag_toggled) as reported:
        qtbot.mouseClick(panel.flag, Qt.MouseButton.LeftButton)
    assert reported.args == [False]


def test_what_stands_is_marked(panel: DecisionPanel) -> None:
    panel.show_decision(decision("Normal", comment="look again"))
    assert [button.isChecked() for button in panel.class_buttons] == [False, True, False]
    assert "Your choice" in panel.class_buttons[1].accessibleDescription()
    assert panel.comment.text() == "look again"


def test_key_caps_follow_rebinding(panel: DecisionPanel) -> None:
    before = panel.class_buttons[0].grab().toImage()
    panel.set_keys({**KEYS, "label_1": "F2"})
    assert panel.class_buttons[0].key == "F2"
    assert "Key F2" in panel.class_buttons[0].accessibleDescription()
    assert panel.class_buttons[0].grab().toImage() != before


def test_a_comment_is_emitted_once_when_it_is_finished(panel: DecisionPanel, qtbot: QtBot) -> None:
    reported: list[str] = []
    panel.comment_edited.connect(reported.append)
    panel.focus_comment()
    qtbot.keyClicks(panel.comment, "effusion?")
    assert reported == []
    qtbot.keyClick(panel.comment, Qt.Key.Key_Return)
    panel.commit_comment()
    assert reported == ["effusion?"]


def test_escape_takes_a_comment_back(panel: DecisionPanel, qtbot: QtBot) -> None:
    panel.show_decision(decision(comment="old"))
    reported: list[str] = []
    panel.comment_edited.connect(reported.append)
    panel.focus_comment()
    qtbot.keyClicks(panel.comment, "new")
    with qtbot.waitSignal(panel.comment_left):
        qtbot.keyClick(panel.comment, Qt.Key.Key_Escape)
    panel.commit_comment()
    assert (panel.comment.text(), reported) == ("old", [])


def test_the_undo_line_names_what_it_takes_back(panel: DecisionPanel, qtbot: QtBot) -> None:
    assert not panel.undo.isVisible()
    panel.set_undo("00415 flagged")
    assert panel.undo.isVisible()
    assert panel.undo.accessibleName() == "Undo: 00415 flagged"
    with qtbot.waitSignal(panel.undo_requested):
        qtbot.mouseClick(panel.undo, Qt.MouseButton.LeftButton)
    panel.set_undo_visible(False)
    assert not panel.undo.isVisible()


def test_tab_reaches_every_control_in_reading_order(panel: DecisionPanel, qtbot: QtBot) -> None:
    panel.set_undo("x")
    panel.activateWindow()
    panel.class_buttons[0].setFocus()
    visited = []
    for _ in range(8):
        focused = panel.focusWidget()
        assert focused is not None
        visited.append(focused)
        assert focused.accessibleName()
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert visited == [
        *panel.class_buttons,
        panel.unsure,
        panel.flag,
        panel.comment,
        panel.undo,
        panel.next_unreviewed,
    ]


def test_another_panel_gets_its_own_buttons(panel: DecisionPanel) -> None:
    models = [("a", "A", {}, ""), ("b", "B", {}, "")]
    panel.set_panel(make_panel_facts("own", "Own", ("One", "Two", "Three", "Four", "Five"), models))
    assert [button.text() for button in panel.class_buttons] == [
        "One",
        "Two",
        "Three",
        "Four",
        "Five",
    ]


def test_a_chosen_class_keeps_its_text_in_the_narrow_panel(qtbot: QtBot) -> None:
    panel = DecisionPanel(covid_panel())
    qtbot.addWidget(panel)
    panel.resize(328, 240)
    panel.set_keys({"label_1": "1", "label_2": "2", "label_3": "3"})
    panel.show()
    for button, chosen in zip(panel.class_buttons, ("Covid", "Normal", "Viral"), strict=True):
        panel.show_decision(decision(button.text()))
        assert button.shown_text() == chosen
