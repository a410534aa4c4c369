"""The window warns where a model keeps its votes for a class although the lungs are covered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from desktop.core.panels.contract import ModelCard
from desktop.gui.panel_info import PanelInfo, panel_facts
from desktop.gui.review.model_list import ModelRows
from desktop.gui.review.verdict_panel import VerdictPanel
from tests.gui.sample_values import COVID_CLASSES, MODELS, result
from tests.helpers.tiny_models import tiny_card

KEPT = {"Covid": 0.1, "Normal": 1.0, "Viral Pneumonia": 0.5}


def card(name: str, title: str, kept: dict[str, float]) -> ModelCard:
    lungs = {label: {"share_inside": 0.6, "kept_without_lungs": kept[label]} for label in kept}
    made = tiny_card(name, "covid19", COVID_CLASSES, (224, 224))
    return replace(made, title=title, lungs=lungs)


@pytest.fixture
def facts() -> PanelInfo:
    """SCNN and CCNN keep "Normal"; DACCNN was never measured; ResNet50 keeps nothing."""
    kept = (KEPT, KEPT, {}, dict.fromkeys(COVID_CLASSES, 0.0))
    cards = [card(*model, shares) for model, shares in zip(MODELS, kept, strict=True)]
    return panel_facts("covid19", "COVID-19", cards)


def test_the_badge_names_the_models_and_their_shares(facts: PanelInfo, qtbot: QtBot) -> None:
    verdict = VerdictPanel(facts)
    qtbot.addWidget(verdict)
    verdict.show_case(result("agree"))
    badges = {badge.spec.key: badge.spec.sentence for badge in verdict.badges.badges}
    assert "Normal" in badges["lungs"]
    assert "SCNN 100 %, CCNN 100 %." in badges["lungs"]
    assert "DACCNN" not in badges["lungs"]


def test_a_label_that_needs_the_lungs_gets_no_badge(facts: PanelInfo, qtbot: QtBot) -> None:
    verdict = VerdictPanel(facts)
    qtbot.addWidget(verdict)
    verdict.show_case(replace(result("tie"), sha256="0" * 64))
    assert "lungs" not in [badge.spec.key for badge in verdict.badges.badges]


def test_blind_reading_does_not_tell_the_vote_through_the_caution(
    facts: PanelInfo, qtbot: QtBot
) -> None:
    verdict = VerdictPanel(facts)
    rows = ModelRows(facts)
    for widget in (verdict, rows):
        qtbot.addWidget(widget)
    verdict.show_case(result("agree"), blind=True)
    rows.show_predictions(result("agree").predictions, blind=True)
    assert not verdict.badges.badges
    assert "lungs" not in rows.row(0).toolTip() + rows.row(0).accessibleDescription()


def test_the_row_of_a_model_says_it_in_its_tip_and_to_a_screen_reader(
    facts: PanelInfo, qtbot: QtBot
) -> None:
    rows = ModelRows(facts)
    qtbot.addWidget(rows)
    rows.show_predictions(result("agree").predictions)
    sentence = "With the lungs covered, SCNN kept 100 % of its votes for Normal."
    assert sentence in rows.row(0).toolTip()
    assert sentence in rows.row(0).accessibleDescription()
    assert "lungs covered" not in rows.row(2).toolTip() + rows.row(3).toolTip()


def test_old_cards_without_figures_give_no_caution(qtbot: QtBot) -> None:
    verdict = VerdictPanel(panel_facts("p", "P", [card(*model, {}) for model in MODELS]))
    qtbot.addWidget(verdict)
    verdict.show_case(result("agree"))
    assert "lungs" not in [badge.spec.key for badge in verdict.badges.badges]
