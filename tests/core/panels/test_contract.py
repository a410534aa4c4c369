"""What a model's card says of itself, and what is refused."""

from __future__ import annotations

import dataclasses
import json

import pytest

from desktop.core.errors import ModelRefused
from desktop.core.panels.contract import ModelCard, PanelManifest, PanelMember
from desktop.core.panels.lungs_card import LungsCard

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


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "SCNN net", "lower snake case"),
        ("panel", "../covid19", "lower snake case"),
        ("class_names", ("Covid",), "two classes"),
        ("class_names", ("Covid", "covid"), "different names"),
        ("class_names", ("Covid", "???"), "a letter or a digit"),
        ("input_size", (8, 224), "between 16 and 2048"),
        ("input_size", (224,), "between 16 and 2048"),
        ("temperature", 0.0, "above 0"),
        ("operating_points", {"Covid": 1.5}, "between 0 and 1"),
        ("exported_commit", 7, "the commit is text"),
        ("shift", {"Covid": "much"}, "a number"),
    ],
)
def test_a_card_that_contradicts_the_contract_cannot_exist(
    field: str, value: object, words: str
) -> None:
    with pytest.raises(ModelRefused, match=words) as refusal:
        dataclasses.replace(CARD, **{field: value})  # type: ignore[arg-type]
    assert refusal.value.code == "MODEL-03"


def test_another_version_of_the_contract_is_told_from_damage() -> None:
    with pytest.raises(ModelRefused, match="keeps contract version 99") as refusal:
        dataclasses.replace(CARD, contract_version=99)
    assert refusal.value.code == "MODEL-02"


@pytest.mark.parametrize(
    ("name", "file", "sha256"),
    [
        ("scnn", "scnn.onnx", "a" * 63),
        ("scnn", "scnn.onnx", "A" * 64),
        ("S C", "S C.onnx", "a" * 64),
        ("scnn", "../scnn.onnx", "a" * 64),
    ],
)
def test_a_manifest_names_models_by_sound_names_and_hashes(
    name: str, file: str, sha256: str
) -> None:
    with pytest.raises(ModelRefused) as refusal:
        PanelMember(name, file, sha256)
    assert refusal.value.code == "MODEL-04"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("class_names", ("Covid",), "MODEL-04"),
        ("name", "Mine!", "MODEL-04"),
        ("members", (), "MODEL-04"),
        ("contract_version", 99, "MODEL-02"),
    ],
)
def test_a_manifest_that_makes_no_panel_is_refused(field: str, value: object, code: str) -> None:
    members = (PanelMember("scnn", "scnn.onnx", "a" * 64),)
    sound = PanelManifest("mine", "Mine", ("Sick", "Well"), members, 1.5, "1")
    with pytest.raises(ModelRefused) as refusal:
        dataclasses.replace(sound, **{field: value})  # type: ignore[arg-type]
    assert refusal.value.code == code


MANIFEST = PanelManifest(
    "mine", "Mine", ("Sick", "Well"), (PanelMember("scnn", "scnn.onnx", "a" * 64),), 1.0, "1"
)
LUNGS_CARD = LungsCard(
    version="1",
    input_size=(128, 128),
    threshold=0.5,
    smallest_share=0.06,
    training_data_sha256="",
    commit="",
    created="2026-11-28",
)


def test_lungs_and_the_limit_of_none_of_the_classes_travel_with_the_manifest() -> None:
    whole = dataclasses.replace(
        MANIFEST, lungs=PanelMember("lungs", "lungs.onnx", "b" * 64), none_limit=0.4
    )
    assert PanelManifest.from_json(whole.to_json()) == whole


def test_a_manifest_of_version_1_is_read_and_has_neither_lungs_nor_limit() -> None:
    values = json.loads(dataclasses.replace(MANIFEST, contract_version=1).to_json())
    assert "lungs" not in values
    assert "none_limit" not in values
    old = PanelManifest.from_json(json.dumps(values))
    assert (old.lungs, old.none_limit, old.contract_version) == (None, None, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"lungs": {"name": "heart", "file": "heart.onnx", "sha256": "b" * 64}},
        {"lungs": {"name": "lungs", "file": "../lungs.onnx", "sha256": "b" * 64}},
        {"lungs": {"name": "lungs"}},
        {"none_limit": "0.5"},
        {"none_limit": float("nan")},
    ],
)
def test_damaged_lungs_or_limits_of_a_manifest_are_refused(change: dict[str, object]) -> None:
    values = json.loads(MANIFEST.to_json()) | change
    with pytest.raises(ModelRefused) as refusal:
        PanelManifest.from_json(json.dumps(values))
    assert refusal.value.code == "MODEL-04"


def test_the_card_of_the_lungs_comes_back_as_it_was() -> None:
    assert LungsCard.from_json(LUNGS_CARD.to_json()) == LUNGS_CARD


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"threshold": 1.0}, "MODEL-03"),
        ({"smallest_share": -0.1}, "MODEL-03"),
        ({"input_size": (8, 8)}, "MODEL-03"),
        ({"metrics": {"dice": 0.9}}, "MODEL-03"),
        ({"facts": {"data": 5}}, "MODEL-03"),
        ({"version": ""}, "MODEL-03"),
        ({"commit": 5}, "MODEL-03"),
        ({"contract_version": 1}, "MODEL-02"),
    ],
)
def test_a_damaged_card_of_the_lungs_is_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(ModelRefused) as refusal:
        dataclasses.replace(LUNGS_CARD, **change)  # type: ignore[arg-type]
    assert refusal.value.code == code
