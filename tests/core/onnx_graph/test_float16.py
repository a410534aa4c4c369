"""The 16-bit form of real models, run by ONNX Runtime on the processor."""

from __future__ import annotations

import numpy as np
import pytest

from desktop.core.inference.session import drawn_films, make_session
from desktop.core.onnx_graph.float16 import halved
from desktop.core.onnx_graph.graph import read_graph
from desktop.core.onnx_graph.outline import read_outline
from desktop.core.panels.registry import open_panel, read_verified
from tests.helpers.tiny_models import CLASS_NAMES, tiny_card, tiny_graph, with_card


@pytest.mark.parametrize("name", ["scnn", "ccnn"])
def test_the_shipped_models_give_the_same_answers_with_sixteen_bits(name: str) -> None:
    panel = open_panel("covid19")
    model = next(model for model in panel.models if model.name == name)
    content = read_verified(model)
    half = halved(content)
    images = drawn_films(model.card.input_size)
    given, wanted = (
        make_session(form, None, ["CPUExecutionProvider"]).run(None, {"pixels": images})
        for form in (half, content)
    )
    names = [output.name for output in read_outline(half).outputs]
    assert names == [output.name for output in read_outline(content).outputs]
    place = names.index("probabilities")
    assert given[place].dtype == np.float32
    assert np.allclose(given[place], wanted[place], atol=0.02)


def test_every_convolution_computes_with_sixteen_bits_and_nothing_before_them() -> None:
    panel = open_panel("covid19")
    graph = read_graph(halved(read_verified(panel.models[1])))
    convolutions = [node for node in graph.nodes if node.op_type == "Conv"]
    assert convolutions
    for node in convolutions:
        weights = graph.constant(node.inputs[1])
        assert weights is not None
        assert weights.dtype == np.float16
    first = next(place for place, node in enumerate(graph.nodes) if node.op_type == "Conv")
    before = {name for node in graph.nodes[:first] for name in node.inputs if "_half" in name}
    assert before == set()


def test_a_model_without_convolutions_has_no_such_form() -> None:
    sound = with_card(
        tiny_graph("scnn", 3, (64, 64)), tiny_card("scnn", "covid19", CLASS_NAMES, (64, 64))
    ).SerializeToString()
    with pytest.raises(ValueError, match="no convolution"):
        halved(sound)
