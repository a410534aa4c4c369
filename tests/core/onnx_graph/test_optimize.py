"""Forms of a model that leave products out: the same answers, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from desktop.core.inference.session import drawn_films, make_session
from desktop.core.onnx_graph.graph import read_graph
from desktop.core.onnx_graph.optimize import lean_form, processor_form
from desktop.core.onnx_graph.winograd import map_sizes
from desktop.core.panels.registry import open_panel, read_verified

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


def strides(content: bytes) -> list[tuple[int, ...]]:
    nodes = read_graph(content).nodes
    return [node.integers("strides") or (1, 1) for node in nodes if node.op_type == "Conv"]


@pytest.mark.parametrize("panel", PANELS)
def test_resnet50_without_unread_positions_answers_the_same_to_the_last_bit(panel: str) -> None:
    model = next(model for model in open_panel(panel).models if model.name == "resnet50")
    content = read_verified(model)
    lean = lean_form(content)
    # Each of the three stages that a stride follows ends with a 3x3 at that stride.
    assert strides(content).count((2, 2)) == 9
    assert strides(lean).count((2, 2)) == 6
    films = drawn_films(model.card.input_size)
    for mine, theirs in zip(_answers(lean, films), _answers(content, films), strict=True):
        assert np.array_equal(mine, theirs)


@pytest.mark.parametrize("panel", PANELS)
def test_resnet50_in_the_processors_form_differs_by_rounding_only(panel: str) -> None:
    model = next(model for model in open_panel(panel).models if model.name == "resnet50")
    content = read_verified(model)
    form = processor_form(content)
    kinds = [node.op_type for node in read_graph(form).nodes]
    # Three 3x3 of 4x4 maps and five of 7x7; the sixth of those ends its stage with a stride.
    assert kinds.count("Split") == 8
    films = drawn_films(model.card.input_size)
    for mine, theirs in zip(_answers(form, films), _answers(content, films), strict=True):
        assert np.abs(mine - theirs).max() < 2e-6


@pytest.mark.parametrize("name", ["scnn", "ccnn", "daccnn"])
def test_small_networks_have_nothing_to_leave_out(name: str) -> None:
    model = next(model for model in open_panel("covid19").models if model.name == name)
    content = read_verified(model)
    assert lean_form(content) is content
    assert processor_form(content) is content


def test_answers_do_not_depend_on_who_else_is_in_the_batch() -> None:
    """Otherwise a run that is resumed in the middle of a batch would give other bytes."""
    model = next(model for model in open_panel("covid19").models if model.name == "resnet50")
    films = drawn_films(model.card.input_size)
    session = make_session(processor_form(read_verified(model)), None, ["CPUExecutionProvider"])
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
    form = lean_form(drawn.model())
    # The 3x3 of the branch took the stride; its pointwise follower and both readers lost theirs.
    assert strides(form) == [(1, 1), (2, 2), (1, 1), (1, 1), (1, 1)]
    thinner = [node for node in read_graph(form).nodes if node.op_type == "MaxPool"]
    assert [node.integers("strides") for node in thinner] == [(2, 2)]
    drawn.assert_same(form)


def test_strides_that_differ_by_axis_move_as_well() -> None:
    drawn = Drawn((9, 8))
    drawn.outputs = [drawn.conv(drawn.conv("start", 4, 6, 3), 6, 5, stride=(3, 1))]
    form = lean_form(drawn.model())
    assert strides(form) == [(3, 1), (1, 1)]
    drawn.assert_same(form)


def test_a_chain_of_pointwise_strides_multiplies() -> None:
    drawn = Drawn((17, 17))
    middle = drawn.conv(drawn.conv("start", 4, 6, 3, stride=2), 6, 5, stride=2)
    drawn.outputs = [drawn.conv(middle, 5, 3, stride=2)]
    form = lean_form(drawn.model())
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
    assert lean_form(content) is content


def test_padding_that_sizes_itself_keeps_its_stride() -> None:
    drawn = Drawn((8, 8))
    made = drawn.conv("start", 4, 6, 3, auto_pad="SAME_UPPER")
    drawn.outputs = [drawn.conv(made, 6, 5, stride=2)]
    content = drawn.model()
    assert lean_form(content) is content


def test_a_picture_that_is_added_keeps_the_map_whole() -> None:
    drawn = Drawn((8, 8))
    made = drawn.conv("start", 4, 6, 3)
    tilted = drawn.add("Add", made, drawn.constant(drawn.random.random((1, 6, 8, 8))))
    drawn.outputs = [drawn.conv(tilted, 6, 5, stride=2)]
    form = lean_form(drawn.model())
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
    assert lean_form(content) is content
    assert processor_form(content) is content


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
    drawn.assert_same(lean_form(drawn.model()))
    drawn.assert_same(processor_form(drawn.model()), tolerance=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 5), (4, 4), (7, 7), (8, 1), (6, 8)])
@pytest.mark.parametrize("rectified", [True, False])
def test_transformed_convolutions_are_as_exact_as_direct_ones(
    size: tuple[int, int], rectified: bool
) -> None:
    drawn = Drawn(size, channels=128)
    made = drawn.per_channel("Mul", drawn.conv("start", 128, 136, 3), 136)
    made = drawn.per_channel("Add", made, 136)
    drawn.outputs = [drawn.add("Relu", made) if rectified else made]
    form = processor_form(drawn.model())
    assert "Conv" not in {node.op_type for node in read_graph(form).nodes}
    (mine,), (theirs,) = drawn.answers(form), drawn.answers(drawn.model())
    exact = _exact(drawn, rectified)
    assert np.abs(mine - exact).max() < 4 * np.abs(theirs - exact).max() + 1e-6


def _exact(drawn: Drawn, rectified: bool) -> Any:
    """The same network summed in float64."""
    filters, bias, factor, offset = (
        numpy_helper.to_array(item).astype(np.float64) for item in drawn.weights
    )
    values = np.random.default_rng(1).standard_normal((3, drawn.channels, *drawn.size))
    padded = np.pad(values.astype(np.float32).astype(np.float64), [(0, 0), (0, 0), (1, 1), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    found = np.einsum("nchwij,kcij->nkhw", windows, filters) + bias[:, None, None]
    found = found * factor + offset
    return np.maximum(found, 0) if rectified else found


@pytest.mark.parametrize(
    "change",
    [
        {"stride": 2},
        {"dilations": [2, 2]},
        {"dilations": [2, 2], "pads": [2, 2, 2, 2]},
        {"pads": [0, 0, 0, 0]},
        {"kernel": 5},
    ],
)
def test_other_convolutions_stay_direct(change: dict[str, Any]) -> None:
    drawn = Drawn((6, 6), channels=128)
    drawn.outputs = [drawn.conv("start", 128, 128, **{"kernel": 3, **change})]
    content = drawn.model()
    assert processor_form(content) is content


def test_maps_that_are_large_or_shallow_stay_direct() -> None:
    for size, channels in (((9, 9), 128), ((4, 4), 64)):
        drawn = Drawn(size, channels=channels)
        drawn.outputs = [drawn.conv("start", channels, 128, 3)]
        content = drawn.model()
        assert processor_form(content) is content


def test_a_repeated_channel_is_read_once() -> None:
    drawn = Drawn((6, 6))
    thrice = drawn.add("Concat", "start", "start", "start", axis=1)
    drawn.outputs = [drawn.conv(thrice, 12, 5, 3)]
    form = processor_form(drawn.model())
    drawn.assert_same(form, tolerance=1e-5)
    (convolution,) = [node for node in read_graph(form).nodes if node.op_type == "Conv"]
    weights = read_graph(form).constant(convolution.inputs[1])
    assert weights is not None
    assert weights.shape == (5, 4, 3, 3)


def test_different_channels_and_groups_of_them_are_left_alone() -> None:
    drawn = Drawn((6, 6))
    mixed = drawn.add("Concat", "start", drawn.add("Relu", "start"), axis=1)
    rows = drawn.add("Concat", "start", "start", axis=2)
    drawn.outputs = [drawn.conv(mixed, 8, 5, 3), drawn.conv(rows, 4, 5, 3)]
    content = drawn.model()
    assert processor_form(content) is content


def test_sizes_of_maps_are_those_that_the_runtime_gives() -> None:
    drawn = Drawn((11, 9))
    made = drawn.conv("start", 4, 6, 3, 2, pads=[0, 1, 2, 1])
    padded = drawn.add("Pad", made, drawn.constant([0, 0, 1, 2, 0, 0, 3, 4], np.int64))
    pooled = drawn.add("AveragePool", padded, kernel_shape=[3, 2], strides=[2, 1])
    whole = drawn.add("ReduceMean", pooled, axes=[1, 2, 3], keepdims=1)
    scaled = drawn.add("Div", drawn.add("Sub", pooled, whole), drawn.add("Sqrt", pooled))
    drawn.outputs = [made, padded, pooled, whole, scaled]
    sizes = map_sizes(read_graph(drawn.model()))
    for name, value in zip(drawn.outputs, drawn.answers(drawn.model()), strict=True):
        assert sizes[name] == value.shape[2:]


def test_sizes_that_cannot_be_told_are_not_guessed() -> None:
    drawn = Drawn((11, 9))
    turned = drawn.add("Transpose", "start", perm=[0, 1, 3, 2])
    rounded = drawn.add("MaxPool", "start", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    sized = drawn.conv("start", 4, 4, 3, auto_pad="SAME_LOWER")
    flat = drawn.add("ReduceMean", "start", axes=[2, 3], keepdims=0)
    both = drawn.add("Concat", "start", "start", axis=2)
    drawn.outputs = [turned, rounded, sized, flat, both]
    assert set(map_sizes(read_graph(drawn.model()))) == {"start"}


def _answers(content: bytes, films: Any) -> list[Any]:
    session = make_session(content, None, ["CPUExecutionProvider"])
    return list(session.run(None, {"pixels": films}))
