"""Panels open only if they keep the contract; every file here is a real ONNX model."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from desktop.core.errors import ModelRefused
from desktop.core.panels.registry import (
    Panel,
    find_panels,
    open_panel,
    read_verified,
    shipped_panels_folder,
    survey_panels,
)
from tests.helpers.tiny_models import CLASS_NAMES, tiny_card, tiny_graph, with_card, write_panel


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXR_QUORUM_HOME", str(tmp_path / "home"))


def refused(folder: Path) -> ModelRefused:
    with pytest.raises(ModelRefused) as caught:
        open_panel(folder)
    return caught.value


def replace_model(panel: Path, content: bytes, name: str = "scnn") -> None:
    """Put other bytes in place of a member and make the manifest agree."""
    (panel / f"{name}.onnx").write_bytes(content)
    manifest = json.loads((panel / "manifest.json").read_text())
    for member in manifest["members"]:
        if member["name"] == name:
            member["sha256"] = hashlib.sha256(content).hexdigest()
    (panel / "manifest.json").write_text(json.dumps(manifest))


def changed_model(change: Callable[[onnx.ModelProto], None]) -> bytes:
    proto = with_card(
        tiny_graph("scnn", 3, (64, 64)), tiny_card("scnn", "covid19", CLASS_NAMES, (64, 64))
    )
    change(proto)
    return proto.SerializeToString()


def test_a_sound_panel_opens_with_its_models_in_order(tmp_path: Path) -> None:
    panel = open_panel(write_panel(tmp_path))
    assert panel.model_names == ("scnn", "ccnn", "daccnn", "resnet50")
    assert panel.class_names == CLASS_NAMES
    assert panel.input_sizes == ((64, 64),)
    assert all(model.has_maps and model.has_ood_score for model in panel.models)
    assert not panel.shipped


def test_equal_panels_have_equal_fingerprints_and_others_do_not(tmp_path: Path) -> None:
    first = open_panel(write_panel(tmp_path / "a"))
    same = open_panel(write_panel(tmp_path / "b"))
    other = open_panel(write_panel(tmp_path / "c", favours={"scnn": 1}))
    assert first.fingerprint == same.fingerprint != other.fingerprint


def test_a_panel_in_the_users_folder_is_found_by_name(tmp_path: Path) -> None:
    write_panel(tmp_path / "home" / "data" / "panels", name="mine")
    assert "mine" in [panel.name for panel in find_panels()]
    assert open_panel("mine").folder.parent == tmp_path / "home" / "data" / "panels"


def test_an_unknown_name_lists_what_there_is(tmp_path: Path) -> None:
    write_panel(tmp_path / "home" / "data" / "panels", name="mine")
    with pytest.raises(ModelRefused, match="mine") as caught:
        open_panel("yours")
    assert caught.value.code == "MODEL-01"


def test_a_folder_without_a_manifest_is_no_panel(tmp_path: Path) -> None:
    assert refused(tmp_path).code == "MODEL-01"


def test_a_refused_panel_is_reported_and_the_others_stay(tmp_path: Path) -> None:
    write_panel(tmp_path, name="good")
    bad = write_panel(tmp_path, name="bad")
    (bad / "scnn.onnx").write_bytes(b"no model")
    found, problems = survey_panels([tmp_path])
    assert "good" in [panel.name for panel in found]
    assert [item.folder.name for item in problems] == ["bad"]
    assert problems[0].problem.code == "MODEL-05"


def test_one_changed_byte_is_noticed(tmp_path: Path) -> None:
    panel = write_panel(tmp_path)
    content = bytearray((panel / "ccnn.onnx").read_bytes())
    content[-10] ^= 1
    (panel / "ccnn.onnx").write_bytes(content)
    assert refused(panel).code == "MODEL-08"


def test_a_file_that_changes_after_opening_is_not_run(tmp_path: Path) -> None:
    panel = open_panel(write_panel(tmp_path))
    model = panel.models[0]
    model.path.write_bytes(model.path.read_bytes() + b"\0")
    with pytest.raises(ModelRefused) as caught:
        read_verified(model)
    assert caught.value.code == "MODEL-08"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "not json",
        "[" * 100_000,
        '{"name": "covid19", "members": 3}',
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, text: str) -> None:
    panel = write_panel(tmp_path)
    (panel / "manifest.json").write_text(text)
    assert refused(panel).code == "MODEL-04"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", 5),
        ("title", None),
        ("ood_limit", "high"),
        ("ood_limit", -1),
        ("class_names", [1, 2]),
        ("members", [{"name": "scnn"}]),
        ("members", [{"name": "scnn", "file": "../../etc/passwd", "sha256": "0" * 64}]),
        ("members", []),
    ],
)
def test_a_manifest_with_wrong_values_is_refused(tmp_path: Path, key: str, value: object) -> None:
    panel = write_panel(tmp_path)
    manifest = json.loads((panel / "manifest.json").read_text())
    (panel / "manifest.json").write_text(json.dumps(manifest | {key: value}))
    assert refused(panel).code == "MODEL-04"


def test_another_contract_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    panel = write_panel(tmp_path)
    manifest = json.loads((panel / "manifest.json").read_text())
    (panel / "manifest.json").write_text(json.dumps(manifest | {"contract_version": 9}))
    problem = refused(panel)
    assert problem.code == "MODEL-02"
    assert "update the app" in str(problem)


def test_a_missing_empty_or_linked_file_is_refused(tmp_path: Path) -> None:
    panel = write_panel(tmp_path)
    model = panel / "scnn.onnx"
    elsewhere = tmp_path / "elsewhere.onnx"
    model.rename(elsewhere)
    assert refused(panel).code == "MODEL-05"
    model.symlink_to(elsewhere)
    assert "link" in str(refused(panel))
    model.unlink()
    model.touch()
    assert "empty" in str(refused(panel))
    model.unlink()
    os.mkfifo(model)
    assert refused(panel).code == "MODEL-05"


def test_an_oversized_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    panel = write_panel(tmp_path)
    with (panel / "scnn.onnx").open("r+b") as stream:
        stream.truncate(3 << 30)  # sparse: takes no room
    assert "MB" in str(refused(panel))


def external_data(proto: onnx.ModelProto) -> None:
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../etc/passwd"


def custom_operator(proto: onnx.ModelProto) -> None:
    proto.graph.node[0].domain = "evil.library"


def custom_domain(proto: onnx.ModelProto) -> None:
    proto.opset_import.append(helper.make_opsetid("evil.library", 1))


def endless_loop(proto: onnx.ModelProto) -> None:
    proto.graph.node[1].op_type = "Loop"


def hidden_external_data(proto: onnx.ModelProto) -> None:
    branch = helper.make_graph([], "branch", [], [])
    tensor = branch.initializer.add()
    tensor.name, tensor.data_location = "w", TensorProto.EXTERNAL
    proto.graph.node.append(
        helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    )


def own_function(proto: onnx.ModelProto) -> None:
    proto.functions.append(
        helper.make_function("local", "F", ["x"], ["y"], [], [helper.make_opsetid("", 17)])
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (external_data, "MODEL-06"),
        (hidden_external_data, "MODEL-06"),
        (custom_operator, "MODEL-07"),
        (custom_domain, "MODEL-07"),
        (endless_loop, "MODEL-07"),
        (own_function, "MODEL-07"),
    ],
)
def test_what_reaches_outside_the_file_is_refused_before_it_is_loaded(
    tmp_path: Path, change: Callable[[onnx.ModelProto], None], code: str
) -> None:
    panel = write_panel(tmp_path)
    replace_model(panel, changed_model(change))
    problem = refused(panel)
    assert problem.code == code
    assert "scnn.onnx" in str(problem)


def test_damaged_bytes_are_refused_whatever_they_are(tmp_path: Path) -> None:
    sound = changed_model(lambda proto: None)
    panel = write_panel(tmp_path)
    for content in (b"\xff" * 64, sound[:100], sound[: len(sound) // 2], b"\x0a\xff\xff\xff\x7f"):
        replace_model(panel, content)
        assert refused(panel).code in ("MODEL-03", "MODEL-05")


def test_a_model_without_a_card_is_refused(tmp_path: Path) -> None:
    panel = write_panel(tmp_path)
    replace_model(panel, with_card(tiny_graph("scnn", 3, (64, 64)), None).SerializeToString())
    assert refused(panel).code == "MODEL-03"


def card_model(**changes: Any) -> bytes:
    card = dataclasses.replace(tiny_card("scnn", "covid19", CLASS_NAMES, (64, 64)), **changes)
    return with_card(tiny_graph("scnn", 3, (64, 64)), card).SerializeToString()


def rename_input(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].name = "image"
    proto.graph.node[0].input[0] = "image"


def fix_batch(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def float_input(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT


def no_probabilities(proto: onnx.ModelProto) -> None:
    del proto.graph.output[0]


def two_classes(proto: onnx.ModelProto) -> None:
    proto.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 2


@pytest.mark.parametrize(
    "content",
    [
        card_model(name="vgg"),
        card_model(panel="other"),
        card_model(class_names=CLASS_NAMES[::-1]),
        card_model(operating_points={"Measles": 0.5}),
        card_model(input_size=(128, 128)),
        changed_model(rename_input),
        changed_model(fix_batch),
        changed_model(float_input),
        changed_model(no_probabilities),
        changed_model(two_classes),
    ],
)
def test_card_graph_and_manifest_must_agree(tmp_path: Path, content: bytes) -> None:
    panel = write_panel(tmp_path)
    replace_model(panel, content)
    assert refused(panel).code == "MODEL-09"


def test_every_shipped_panel_keeps_the_contract() -> None:
    folder = shipped_panels_folder()
    if not any(folder.glob("*/manifest.json")):
        pytest.skip("no panel is shipped yet")
    found, problems = survey_panels()
    assert not problems
    opened: list[Panel] = [open_panel(panel.folder) for panel in found if panel.shipped]
    assert {"covid19", "pneumonia"} <= {panel.name for panel in opened}
