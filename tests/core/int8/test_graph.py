"""int8 forms of real networks: what is rounded, what stays exact, what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from desktop.core.inference.session import make_session
from desktop.core.int8.graph import activation_names, convolutions, quantise
from desktop.core.onnx_graph.graph import read_graph, tensor, tensor_values
from desktop.core.onnx_graph.outline import read_outline
from desktop.core.panels.contract import OUTPUT_CAMS, OUTPUT_OOD_SCORE, OUTPUT_PROBABILITIES
from desktop.core.panels.registry import open_panel
from tests.helpers.film_files import phantom_pixels
from tests.helpers.small_networks import residual_network
from training.export.graph_passes import optimise

OUTPUTS = [OUTPUT_PROBABILITIES, OUTPUT_OOD_SCORE, OUTPUT_CAMS]


def ask(content: bytes, pixels: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = make_session(content, options, ["CPUExecutionProvider"])
    return list(session.run(OUTPUTS, {"pixels": pixels}))


def ranges_of(content: bytes, pixels: npt.NDArray[np.uint8]) -> dict[str, tuple[float, float]]:
    names = activation_names(content)
    model = onnx.load_from_string(content)
    for name in names:
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = make_session(model.SerializeToString(), options, ["CPUExecutionProvider"])
    values = session.run(list(names), {"pixels": pixels})
    return {n: (float(v.min()), float(v.max())) for n, v in zip(names, values, strict=True)}


def kernels(content: bytes, tmp_path: Path) -> dict[str, int]:
    """What ONNX Runtime really runs, after its own optimisation."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    make_session(content, options, ["CPUExecutionProvider"])
    found: dict[str, int] = {}
    for node in onnx.load(tmp_path / "optimised.onnx").graph.node:
        found[node.op_type] = found.get(node.op_type, 0) + 1
    return found


def as_exported(content: bytes) -> bytes:
    """With the pool padding by itself."""
    model = onnx.load_from_string(content)
    assert optimise(model)
    return bytes(model.SerializeToString())


def test_convolutions_and_pools_run_on_integers_and_sums_do_not(tmp_path: Path) -> None:
    content = as_exported(residual_network())
    form = quantise(content, ranges_of(content, phantom_pixels(8, 64)))
    found = kernels(form, tmp_path)
    # The convolution that makes the heatmaps stays exact, as do both sums.
    assert found["QLinearConv"] == 5
    assert found.get("QLinearAdd", 0) == 0
    assert found["Add"] >= 2
    assert found["Conv"] == 1
    # The pool works on bytes.
    assert found.get("MaxPool", 0) + found.get("NhwcMaxPool", 0) == 1
    # Bytes are made of the image and of the first sum.
    assert found["QuantizeLinear"] == 2


@pytest.mark.parametrize("bits", [8, 7])
def test_the_int8_form_answers_like_the_file_it_was_made_from(bits: int) -> None:
    content = residual_network()
    pixels = phantom_pixels(16, 64)
    form = quantise(content, ranges_of(content, pixels), 8 if bits == 8 else 7)
    exact, rounded = ask(content, pixels), ask(form, pixels)
    assert np.array_equal(exact[0].argmax(1), rounded[0].argmax(1))
    assert np.abs(exact[0] - rounded[0]).max() < 0.02
    assert np.abs(exact[2] - rounded[2]).mean() < 0.001 * exact[2].max()
    # It is really another computation.
    assert not np.array_equal(exact[0], rounded[0])


def test_the_int8_form_is_a_valid_model_with_the_same_card_and_contract() -> None:
    content = residual_network()
    form = quantise(content, ranges_of(content, phantom_pixels(8, 64)))
    onnx.checker.check_model(onnx.load_from_string(form), full_check=True)
    before, after = read_outline(content), read_outline(form)
    assert after.inputs == before.inputs
    assert after.outputs == before.outputs
    assert after.metadata == before.metadata
    weights = {
        item.data_type
        for item in onnx.load_from_string(form).graph.initializer
        if np.prod(item.dims) > 400
    }
    assert weights == {TensorProto.INT8}


def test_equal_files_and_ranges_give_equal_bytes() -> None:
    content = residual_network()
    ranges = ranges_of(content, phantom_pixels(8, 64))
    hashes = {hashlib.sha256(quantise(content, ranges)).hexdigest() for _ in range(2)}
    assert len(hashes) == 1


def test_seven_bits_never_reach_beyond_63() -> None:
    content = residual_network()
    form = onnx.load_from_string(quantise(content, ranges_of(content, phantom_pixels(8, 64)), 7))
    weights = [
        numpy_helper.to_array(item)
        for item in form.graph.initializer
        if item.data_type == TensorProto.INT8
    ]
    assert max(int(np.abs(values.astype(int)).max()) for values in weights) == 63


def test_kept_convolutions_stay_exact(tmp_path: Path) -> None:
    content = residual_network()
    pixels = phantom_pixels(8, 64)
    names = [item.name for item in convolutions(content)]
    form = quantise(content, ranges_of(content, pixels), 8, names[-1:])
    found = kernels(form, tmp_path)
    assert found["QLinearConv"] == 4
    assert found.get("Conv", 0) + found.get("FusedConv", 0) == 2


def test_the_score_comes_back_to_the_scale_of_fp32() -> None:
    content = residual_network()
    pixels = phantom_pixels(8, 64)
    ranges = ranges_of(content, pixels)
    plain = ask(quantise(content, ranges), pixels)[1]
    scaled = ask(quantise(content, ranges, 8, (), (2.0, -0.25)), pixels)[1]
    assert scaled == pytest.approx(2 * plain - 0.25, abs=1e-5)


def test_a_correction_moves_the_bias_of_its_channels_and_no_other() -> None:
    content = residual_network()
    ranges = ranges_of(content, phantom_pixels(8, 64))
    last = convolutions(content)[-1]
    added = np.zeros(len(last.weights))
    added[3] = 0.25
    plain = onnx.load_from_string(quantise(content, ranges))
    moved = onnx.load_from_string(quantise(content, ranges, corrections={last.name: added}))

    def bias(model: onnx.ModelProto) -> npt.NDArray[np.float64]:
        values = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
        stored, scale = (f"{last.name}_bias_8bit", f"{last.name}_bias_scale")
        return values[stored] * values[scale].astype(np.float64)

    change = bias(moved) - bias(plain)
    assert change[3] == pytest.approx(0.25, abs=1e-3)
    assert not np.delete(change, 3).any()


@pytest.mark.parametrize("values", [[1.0], [float("nan")] * 16, [[0.0] * 16]])
def test_a_correction_that_does_not_fit_is_refused(values: list[float]) -> None:
    content = residual_network()
    first = convolutions(content)[0]
    assert len(first.weights) == 16
    with pytest.raises(ValueError, match="one number a channel"):
        quantise(
            content, ranges_of(content, phantom_pixels(8, 64)), corrections={first.name: values}
        )


def test_a_range_that_is_missing_or_none_is_a_bug_and_not_a_silent_guess() -> None:
    content = residual_network()
    ranges = ranges_of(content, phantom_pixels(8, 64))
    first = next(iter(ranges))
    with pytest.raises(ValueError, match="no ranges"):
        quantise(content, {name: r for name, r in ranges.items() if name != first})
    with pytest.raises(ValueError, match="not a range"):
        quantise(content, {**ranges, first: (float("nan"), 1.0)})
    with pytest.raises(ValueError, match="not a range"):
        quantise(content, {**ranges, first: (2.0, 1.0)})


def test_a_graph_without_convolutions_has_no_int8_form(tmp_path: Path) -> None:
    from tests.helpers.tiny_models import write_panel

    panel = open_panel(write_panel(tmp_path))
    content = panel.models[0].path.read_bytes()
    assert activation_names(content) == ()
    with pytest.raises(ValueError, match="no convolution"):
        quantise(content, {})


def test_a_dead_channel_with_a_large_bias_does_not_overflow() -> None:
    content = residual_network(dead_channel=True)
    pixels = phantom_pixels(8, 64)
    exact = ask(content, pixels)
    rounded = ask(quantise(content, ranges_of(content, pixels)), pixels)
    assert np.abs(exact[0] - rounded[0]).max() < 0.03


@pytest.mark.parametrize("values", [np.float32(0.5), np.arange(6, dtype=np.float16).reshape(2, 3)])
def test_tensors_are_read_as_they_were_written(values: npt.NDArray[np.generic]) -> None:
    written = tensor("weights", np.asarray(values))
    as_onnx = onnx.TensorProto.FromString(written)
    assert np.array_equal(numpy_helper.to_array(as_onnx), values)
    assert as_onnx.name == "weights"
    found = tensor_values(as_onnx.SerializeToString())
    assert found is not None
    assert found.shape == np.shape(values)


def test_a_graph_that_is_not_changed_is_written_as_the_same_model() -> None:
    content = residual_network()
    again = onnx.load_from_string(read_graph(content).serialised())
    before = onnx.load_from_string(content)
    assert [n.SerializeToString() for n in again.graph.node] == [
        n.SerializeToString() for n in before.graph.node
    ]
    assert again.metadata_props == before.metadata_props
    assert again.opset_import == before.opset_import


def test_half_a_file_is_no_graph() -> None:
    content = residual_network()
    with pytest.raises(ValueError, match=r"."):
        read_graph(content[: len(content) // 2])


SHIPPED = [
    path
    for path in sorted((Path(__file__).parents[3] / "exported_models").glob("*/*.onnx"))
    if path.stat().st_size < 5e6 and path.name != "lungs.onnx"
]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_shipped_networks_can_be_quantised(path: Path) -> None:
    content = path.read_bytes()
    pixels = phantom_pixels(4, 224)
    form = quantise(content, ranges_of(content, pixels))
    exact, rounded = ask(content, pixels), ask(form, pixels)
    assert np.abs(exact[0] - rounded[0]).max() < 0.2
    assert len(form) < len(content)
