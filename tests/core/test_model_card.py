"""What a model's card says of itself, and what is refused."""

from __future__ import annotations

import dataclasses
import json

import pytest

from desktop.core.contract import ModelCard
from desktop.core.errors import ModelRefused

CARD = ModelCard(
    name="scnn",
    title="SCNN",
    panel="covid19",
    class_names=("Covid", "Normal"),
    input_size=(224, 224),
    version="1",
    temperature=1.0,
    operating_points={},
    training_data_sha256="",
    commit="",
    created="2026-11-23",
)


def test_a_card_without_figures_on_lungs_is_read() -> None:
    values = json.loads(CARD.to_json())
    del values["lungs"]
    assert ModelCard.from_json(json.dumps(values)).lungs == {}


def test_figures_on_lungs_travel_with_the_card() -> None:
    values = json.loads(CARD.to_json())
    values["lungs"] = {"Normal": {"share_inside": 0.6, "kept_without_lungs": 1.0}}
    assert ModelCard.from_json(json.dumps(values)).lungs["Normal"]["kept_without_lungs"] == 1.0


@pytest.mark.parametrize(
    "lungs",
    [[], "all", {"Normal": 0.5}, {"Normal": {"share_inside": 1.5}}, {"Normal": {"x": "0.5"}}],
)
def test_damaged_figures_on_lungs_are_refused(lungs: object) -> None:
    values = json.loads(CARD.to_json())
    values["lungs"] = lungs
    with pytest.raises(ModelRefused) as refusal:
        ModelCard.from_json(json.dumps(values))
    assert refusal.value.code == "MODEL-03"


def test_a_card_names_the_code_that_trained_and_the_code_that_exported() -> None:
    card = dataclasses.replace(CARD, commit="a" * 40, exported_commit="b" * 40)
    assert ModelCard.from_json(card.to_json()) == card


@pytest.mark.parametrize(
    "change", [{"shift": [0.1]}, {"shift": {"Normal": "0.1"}}, {"exported_commit": 7}]
)
def test_a_damaged_shift_or_commit_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ModelRefused) as refusal:
        ModelCard.from_json(json.dumps({**json.loads(CARD.to_json()), **change}))
    assert refusal.value.code == "MODEL-03"
