"""What the export leaves out of a graph: the same answers, run by ONNX Runtime."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from desktop.core.inference.session import PanelSession, drawn_films, make_session
from desktop.core.int8.calibration import Int8Calibration, ModelCalibration, read_calibration
from desktop.core.panels.contract import PanelManifest
from desktop.core.panels.registry import open_panel, read_verified
from tests.helpers.small_networks import write_residual_panel
from training.__main__ import main
from training.export import rewrite
from training.export.graph_passes import optimise
from training.export.rewrite import rewrite_panel

PANELS = ("covid19", "pneumonia")


@dataclass
class Drawn:
    """A graph that is put together by hand; maps are [N, C, H, W] with static C, H, W."""

    size: tuple[int, int]
    channels: int = 4
    nodes: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    random: Any = field(default_factory=lambda: np.random.default_rng(7))

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def add(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, list(inputs), [name], **attributes))
        return name

    def conv(
        self,
        source: str,
        inner: int,
        out: int,
        kernel: int = 1,
        stride: int | Sequence[int] = 1,
        **attributes: Any,
    ) -> str:
        strides = [stride, stride] if isinstance(stride, int) else list(stride)
        scale = (2 / (inner * kernel**2)) ** 0.5
        filters = scale * self.random.standard_normal((out, inner, kernel, kernel))
        if "auto_pad" not in attributes:
            attributes.setdefault("pads", [kernel // 2] * 4)
        return self.add(
            "Conv",
            source,
            self.constant(filters),
            self.constant(self.random.standard_normal(out)),
            strides=strides,
            **attributes,
        )

    def per_channel(self, op_type: str, source: str, channels: int) -> str:
        return self.add(
            op_type, source, self.constant(self.random.uniform(0.5, 1.5, (1, channels, 1, 1)))
        )

    def model(self) -> bytes:
        value = helper.make_tensor_value_info
        shape = ["N", self.channels, *self.size]
        reshape = helper.make_node("Reshape", ["x", "shape"], ["start"])
        start = numpy_helper.from_array(np.array([-1, *shape[1:]], np.int64), "shape")
        graph = helper.make_graph(
            [reshape, *self.nodes],
            "drawn",
            [value("x", TensorProto.FLOAT, shape)],
            [value(name, TensorProto.FLOAT, None) for name in self.outputs],
            [start, *self.weights],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return bytes(model.SerializeToString())

    def answers(self, content: bytes, films: int = 3) -> list[Any]:
        values = np.random.default_rng(1).standard_normal((films, self.channels, *self.size))
        session = make_session(content, None, ["CPUExecutionProvider"])
        return list(session.run(None, {"x": values.astype(np.float32)}))

    def assert_same(self, form: bytes, *, tolerance: float = 0.0) -> None:
        for mine, theirs in zip(self.answers(form), self.answers(self.model()), strict=True):
            assert mine.shape == theirs.shape
            if tolerance:
                assert np.allclose(mine, theirs, rtol=tolerance, atol=tolerance)
            else:
                assert np.array_equal(mine, theirs)


def optimised(content: bytes) -> bytes:
    """The model after the passes; ``content`` itself where they change nothing."""
    model = onnx.load_from_string(content)
    return bytes(model.SerializeToString()) if optimise(model) else content


def nodes(content: bytes, op_type: str) -> list[Any]:
    return [node for node in onnx.load_from_string(content).graph.node if node.op_type == op_type]


def strides(content: bytes, op_type: str = "Conv") -> list[tuple[int, ...]]:
    found = [{item.name: item for item in node.attribute} for node in nodes(content, op_type)]
    return [tuple(item["strides"].ints) if "strides" in item else (1, 1) for item in found]


@pytest.mark.parametrize("panel", PANELS)
def test_the_shipped_files_have_nothing_left_to_leave_out(panel: str) -> None:
    for model in open_panel(panel).models:
        content = read_verified(model)
        assert optimised(content) is content
        if model.name == "resnet50":
            # Nine at first; each of the three stages that a stride follows took one over.
            assert strides(content).count((2, 2)) == 6
            assert strides(content, "MaxPool").count((2, 2)) == 4
            assert not nodes(content, "Pad")


def test_answers_do_not_depend_on_who_else_is_in_the_batch() -> None:
    """Otherwise a run that is resumed in the middle of a batch would give other bytes."""
    model = next(model for model in open_panel("covid19").models if model.name == "resnet50")
    films = drawn_films(model.card.input_size)
    session = make_session(read_verified(model), None, ["CPUExecutionProvider"])
    together = session.run(None, {"pixels": films})
    for size in (1, 2, 3):
        parts = [
            session.run(None, {"pixels": films[start : start + size]})
            for start in range(0, len(films), size)
        ]
        for whole, pieces in zip(together, zip(*parts, strict=True), strict=True):
            assert np.array_equal(whole, np.concatenate(pieces))


@pytest.mark.parametrize("size", [(8, 8), (7, 7), (9, 6), (1, 5)])
def test_the_stride_moves_through_a_residual_block(size: tuple[int, int]) -> None:
    drawn = Drawn(size)
    shortcut = drawn.add("Relu", drawn.conv("start", 4, 8, 3))
    branch = drawn.per_channel("Mul", drawn.conv(shortcut, 8, 4, 3), 4)
    branch = drawn.per_channel("Add", drawn.conv(branch, 4, 8), 8)
    block = drawn.add("Relu", drawn.add("Add", shortcut, branch))
    drawn.outputs = [drawn.conv(block, 8, 5, stride=2), drawn.conv(block, 8, 3, stride=2)]
    form = optimised(drawn.model())
    # The 3x3 of the branch took the stride; its pointwise follower and both readers lost theirs.
    assert strides(form) == [(1, 1), (2, 2), (1, 1), (1, 1), (1, 1)]
    assert strides(form, "MaxPool") == [(2, 2)]
    drawn.assert_same(form)


def test_new_tensors_never_take_a_name_that_is_there() -> None:
    """Two convolutions that share weights, and tensors that are called as new ones would be."""
    drawn = Drawn((8, 8))
    shortcut = drawn.add("Relu", drawn.conv("start", 4, 4, 3))
    drawn.nodes.append(helper.make_node("Identity", [shortcut], [f"{shortcut}_2x2"]))
    block = drawn.add("Add", shortcut, drawn.conv(shortcut, 4, 4, 3))
    thrice = drawn.add("Concat", "start", "start", axis=1)
    shared = drawn.constant(drawn.random.standard_normal((5, 8, 3, 3)))
    drawn.outputs = [f"{shortcut}_2x2", drawn.conv(block, 4, 5, stride=2)]
    drawn.outputs += [drawn.add("Conv", thrice, shared) for _ in range(2)]
    form = optimised(drawn.model())
    assert strides(form, "MaxPool") == [(2, 2)]
    drawn.assert_same(form, tolerance=1e-5)


def test_strides_that_differ_by_axis_move_as_well() -> None:
    drawn = Drawn((9, 8))
    drawn.outputs = [drawn.conv(drawn.conv("start", 4, 6, 3), 6, 5, stride=(3, 1))]
    form = optimised(drawn.model())
    assert strides(form) == [(3, 1), (1, 1)]
    drawn.assert_same(form)


def test_a_chain_of_pointwise_strides_multiplies() -> None:
    drawn = Drawn((17, 17))
    middle = drawn.conv(drawn.conv("start", 4, 6, 3, stride=2), 6, 5, stride=2)
    drawn.outputs = [drawn.conv(middle, 5, 3, stride=2)]
    form = optimised(drawn.model())
    drawn.assert_same(form)
    assert strides(form)[0] == (4, 4)


def _read_by_another(drawn: Drawn, made: str) -> None:
    drawn.outputs.append(drawn.add("GlobalAveragePool", made))


def _read_by_the_world(drawn: Drawn, made: str) -> None:
    drawn.outputs.append(made)


def _read_by_a_wide_kernel(drawn: Drawn, made: str) -> None:
    drawn.outputs.append(drawn.conv(made, 6, 2, 3, stride=2))


def _read_with_another_stride(drawn: Drawn, made: str) -> None:
    drawn.outputs.append(drawn.conv(made, 6, 2, stride=3))


def _read_with_padding(drawn: Drawn, made: str) -> None:
    drawn.outputs.append(drawn.conv(made, 6, 2, stride=2, pads=[1, 1, 0, 0]))


def _read_as_a_factor_of_unknown_shape(drawn: Drawn, made: str) -> None:
    unknown = drawn.add("Transpose", "start", perm=[0, 1, 3, 2])
    summed = drawn.add("ReduceSum", unknown, drawn.constant([1], np.int64))
    drawn.outputs.append(drawn.conv(drawn.add("Mul", made, summed), 6, 2, stride=2))


@pytest.mark.parametrize(
    "reader",
    [
        _read_by_another,
        _read_by_the_world,
        _read_by_a_wide_kernel,
        _read_with_another_stride,
        _read_with_padding,
        _read_as_a_factor_of_unknown_shape,
    ],
)
def test_a_map_that_is_read_in_full_is_made_in_full(reader: Any) -> None:
    drawn = Drawn((8, 8))
    made = drawn.conv("start", 4, 6, 3)
    drawn.outputs = [drawn.conv(made, 6, 5, stride=2)]
    reader(drawn, made)
    content = drawn.model()
    assert optimised(content) is content


def test_padding_that_sizes_itself_keeps_its_stride() -> None:
    drawn = Drawn((8, 8))
    made = drawn.conv("start", 4, 6, 3, auto_pad="SAME_UPPER")
    drawn.outputs = [drawn.conv(made, 6, 5, stride=2)]
    content = drawn.model()
    assert optimised(content) is content


def test_a_picture_that_is_added_keeps_the_map_whole() -> None:
    drawn = Drawn((8, 8))
    made = drawn.conv("start", 4, 6, 3)
    tilted = drawn.add("Add", made, drawn.constant(drawn.random.random((1, 6, 8, 8))))
    drawn.outputs = [drawn.conv(tilted, 6, 5, stride=2)]
    form = optimised(drawn.model())
    assert strides(form) == [(1, 1), (2, 2)]
    drawn.assert_same(form)


def test_an_inner_graph_may_read_anything_so_nothing_is_touched() -> None:
    drawn = Drawn((8, 8))
    made = drawn.conv("start", 4, 6, 3)
    drawn.outputs = [drawn.conv(made, 6, 5, stride=2)]
    branch = helper.make_graph(
        [helper.make_node("Relu", [made], ["inner"])],
        "branch",
        [],
        [helper.make_tensor_value_info("inner", TensorProto.FLOAT, None)],
    )
    condition = drawn.constant(True, np.bool_)
    drawn.outputs.append(drawn.add("If", condition, then_branch=branch, else_branch=branch))
    content = drawn.model()
    assert optimised(content) is content


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_network_answers_the_same(data: st.DataObject) -> None:
    """Random networks of what the rewriting knows, and of what it must leave alone."""
    draw = data.draw
    drawn = Drawn((draw(st.integers(5, 12)), draw(st.integers(5, 12))))
    maps = [("start", 1, 4)]  # name, stride so far, channels
    for _ in range(draw(st.integers(2, 9))):
        name, depth, channels = draw(st.sampled_from(maps))
        kind = draw(st.sampled_from(["conv", "conv", "relu", "add", "mul", "scale", "pool"]))
        alike = [one for one in maps if one[1:] == (depth, channels)]
        if kind == "conv":
            stride = draw(st.sampled_from([1, 1, 2])) if depth < 4 else 1
            out = draw(st.sampled_from([4, 6]))
            made = drawn.conv(name, channels, out, draw(st.sampled_from([1, 1, 3])), stride)
            maps.append((made, depth * stride, out))
        elif kind == "relu":
            maps.append((drawn.add("Relu", name), depth, channels))
        elif kind == "scale":
            operation = draw(st.sampled_from(["Add", "Mul"]))
            maps.append((drawn.per_channel(operation, name, channels), depth, channels))
        elif kind == "pool":
            made = drawn.add("MaxPool", name, kernel_shape=[3, 3], pads=[1] * 4)
            maps.append((made, depth, channels))
        else:
            other = draw(st.sampled_from(alike))[0]
            maps.append((drawn.add(kind.capitalize(), name, other), depth, channels))
    read = {name for node in drawn.nodes for name in node.input}
    drawn.outputs = [name for name, _, _ in maps[1:] if name not in read]
    if not drawn.outputs:
        return
    drawn.assert_same(optimised(drawn.model()))


def test_a_repeated_channel_is_read_once() -> None:
    drawn = Drawn((6, 6))
    thrice = drawn.add("Concat", "start", "start", "start", axis=1)
    drawn.outputs = [drawn.conv(thrice, 12, 5, 3)]
    form = optimised(drawn.model())
    drawn.assert_same(form, tolerance=1e-5)
    (convolution,) = nodes(form, "Conv")
    weights = {
        item.name: tuple(item.dims) for item in onnx.load_from_string(form).graph.initializer
    }
    assert weights.pop(convolution.input[1]) == (5, 4, 3, 3)
    assert (5, 12, 3, 3) not in weights.values()
    assert not nodes(form, "Concat")


def _padded(drawn: Drawn, made: str, *filler: str, **attributes: Any) -> str:
    around = drawn.constant([0, 0, 1, 0, 0, 0, 2, 1], np.int64)
    return drawn.add("Pad", made, around, *filler, **attributes)


@pytest.mark.parametrize("stated", [True, False])
def test_a_pool_pads_the_rectified_map_that_it_reads(stated: bool) -> None:
    drawn = Drawn((7, 8))
    made = drawn.add("Relu", drawn.conv("start", 4, 6, 3))
    padded = _padded(drawn, made, *([drawn.constant(0.0)] if stated else []))
    drawn.outputs = [drawn.add("MaxPool", padded, kernel_shape=[3, 3], strides=[2, 2])]
    form = optimised(drawn.model())
    assert not nodes(form, "Pad")
    drawn.assert_same(form)


def _not_rectified(drawn: Drawn) -> str:
    return drawn.add("MaxPool", _padded(drawn, "start"), kernel_shape=[3, 3])


def _another_filler(drawn: Drawn) -> str:
    padded = _padded(drawn, drawn.add("Relu", "start"), drawn.constant(1.0))
    return drawn.add("MaxPool", padded, kernel_shape=[3, 3])


def _mirrored(drawn: Drawn) -> str:
    padded = _padded(drawn, drawn.add("Relu", "start"), mode="reflect")
    return drawn.add("MaxPool", padded, kernel_shape=[3, 3])


def _a_small_kernel(drawn: Drawn) -> str:
    return drawn.add("MaxPool", _padded(drawn, drawn.add("Relu", "start")), kernel_shape=[2, 2])


def _a_mean(drawn: Drawn) -> str:
    padded = _padded(drawn, drawn.add("Relu", "start"))
    return drawn.add("AveragePool", padded, kernel_shape=[3, 3])


def _with_gaps(drawn: Drawn) -> str:
    padded = _padded(drawn, drawn.add("Relu", "start"))
    return drawn.add("MaxPool", padded, kernel_shape=[3, 3], dilations=[2, 2])


def _told_where(drawn: Drawn) -> str:
    made = drawn.add("MaxPool", _padded(drawn, drawn.add("Relu", "start")), kernel_shape=[3, 3])
    drawn.nodes[-1].output.append("where")
    return made


@pytest.mark.parametrize(
    "reader",
    [
        _not_rectified,
        _another_filler,
        _mirrored,
        _a_small_kernel,
        _a_mean,
        _with_gaps,
        _told_where,
    ],
)
def test_padding_that_a_pool_cannot_do_stays(reader: Any) -> None:
    drawn = Drawn((7, 8))
    drawn.outputs = [reader(drawn)]
    content = drawn.model()
    assert optimised(content) is content


def test_different_channels_and_groups_of_them_are_left_alone() -> None:
    drawn = Drawn((6, 6))
    mixed = drawn.add("Concat", "start", drawn.add("Relu", "start"), axis=1)
    rows = drawn.add("Concat", "start", "start", axis=2)
    drawn.outputs = [drawn.conv(mixed, 8, 5, 3), drawn.conv(rows, 4, 5, 3)]
    content = drawn.model()
    assert optimised(content) is content


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A panel of before the passes: its first model reads the grey film three times."""
    folder = write_residual_panel(tmp_path)
    model = onnx.load(folder / "scnn.onnx")
    stem = next(item for item in model.graph.initializer if item.name == "stem_half")
    thrice = np.repeat(numpy_helper.to_array(stem), 3, axis=1)
    stem.CopyFrom(numpy_helper.from_array(thrice, "stem_half"))
    convolution = next(node for node in model.graph.node if node.output[0] == "stem_conv")
    place = list(model.graph.node).index(convolution)
    convolution.input[0] = "colours"
    copies = helper.make_node("Concat", ["image"] * 3, ["colours"], axis=1)
    model.graph.node.insert(place, copies)
    content = model.SerializeToString()
    (folder / "scnn.onnx").write_bytes(content)
    manifest = PanelManifest.from_json((folder / "manifest.json").read_text())
    members = [
        replace(m, sha256=sha256(content)) if m.name == "scnn" else m for m in manifest.members
    ]
    (folder / "manifest.json").write_text(replace(manifest, members=tuple(members)).to_json())
    ranges = {"colours": (-4.0, 4.0), "stem_relu": (0.0, 9.0)}
    recipe = Int8Calibration(8, {"scnn": ModelCalibration(sha256(content), {}, ranges)})
    (folder / "int8.json").write_text(recipe.to_json())
    (folder / "README.md").write_text("# Panel\n\nVersion 2026.11.1; classes ...\n")
    (folder / "scores.json").write_text(json.dumps({"version": "2026.11.1", "scores": {"a": 0.1}}))
    return folder


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_an_earlier_panel_is_rewritten_once_and_stays_a_sound_panel(earlier: Path) -> None:
    before = open_panel(earlier)
    films = drawn_films(before.models[0].card.input_size)
    exact = PanelSession(before, "cpu", 1).predict(films)
    assert main(["optimise", str(earlier), "--version", "2026.11.2"]) == 0
    after = open_panel(earlier)
    assert after.version == "2026.11.2"
    changed = [m.name for m, n in zip(before.models, after.models, strict=True) if m != n]
    assert changed == list(before.model_names)  # each pads in front of its pool
    assert not nodes(read_verified(after.models[0]), "Concat")
    for one, other in zip(exact, PanelSession(after, "cpu", 1).predict(films), strict=True):
        for mine, theirs in zip(one.predictions, other.predictions, strict=True):
            assert mine.probabilities == pytest.approx(theirs.probabilities, abs=1e-6)
    recipe = read_calibration(after)
    assert recipe is not None
    assert recipe.models["scnn"].sha256 == after.models[0].sha256
    assert set(recipe.models["scnn"].ranges) == {"image", "stem_relu"}
    assert "Version 2026.11.2;" in (earlier / "README.md").read_text()
    scores = json.loads((earlier / "scores.json").read_text())
    assert scores == {"version": "2026.11.2", "scores": {"a": 0.1}}
    kept = {path.name: path.read_bytes() for path in earlier.iterdir()}
    assert not rewrite_panel(earlier, "2026.11.3")
    assert {path.name: path.read_bytes() for path in earlier.iterdir()} == kept


def test_a_rewritten_file_that_answers_differently_is_not_written(
    earlier: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def spoil(model: onnx.ModelProto) -> bool:
        head = next(item for item in model.graph.initializer if item.name == "head")
        head.CopyFrom(numpy_helper.from_array(1.01 * numpy_helper.to_array(head), "head"))
        return True

    monkeypatch.setattr(rewrite, "optimise", spoil)
    kept = {path.name: path.read_bytes() for path in earlier.iterdir()}
    assert main(["optimise", str(earlier), "--version", "2026.11.2"]) == 1
    assert "Nothing was written" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in earlier.iterdir()} == kept
