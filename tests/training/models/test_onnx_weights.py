"""Shipped networks can be trained on: taken back into Keras they are the same networks."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import onnx
import pytest
import tensorflow as tf
from onnx import numpy_helper

from desktop.core.imaging.decode import model_pixels
from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom
from desktop.core.panels.contract import OUTPUT_CAMS
from desktop.core.panels.registry import shipped_panels_folder
from training.models import build
from training.models.layers import FEATURES, front
from training.models.onnx_weights import take_exported_weights
from training.runtime.onnx_run import run_onnx

SHIPPED = shipped_panels_folder() / "covid19" / "resnet50.onnx"
Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def films() -> Pixels:
    return np.stack(
        [
            model_pixels(draw_phantom(kind, seed), (224, 224))
            for kind in FILM_KINDS
            for seed in range(2)
        ]
    )


@pytest.fixture(scope="module")
def taken(films: Pixels) -> keras.Model:
    body = build("resnet50", 2, 112, dropout=0.0, weights="none")
    take_exported_weights(body, SHIPPED, front(tf.constant(films), 2).numpy())
    return body


def _last_kernel() -> npt.NDArray[np.float32]:
    """[2048, 3] of the exported file."""
    found = [
        numpy_helper.to_array(tensor)
        for tensor in onnx.load(SHIPPED).graph.initializer
        if list(tensor.dims) == [2048, 3]
    ]
    assert len(found) == 1
    return found[0].astype(np.float32)


def test_it_sees_what_the_exported_file_sees(taken: keras.Model, films: Pixels) -> None:
    (expected,) = run_onnx(SHIPPED.read_bytes(), films, [OUTPUT_CAMS])
    features = taken(front(tf.constant(films), 2), training=False)[FEATURES].numpy()
    maps = np.maximum(np.einsum("nhwc,ck->nkhw", features, _last_kernel()), 0)
    maps /= features.shape[1] * features.shape[2]
    assert expected.max() > 0
    np.testing.assert_allclose(maps, expected, atol=1e-4 * expected.max())


def test_its_normalisation_has_the_statistics_of_the_films(
    taken: keras.Model, films: Pixels
) -> None:
    grey = front(tf.constant(films), 2)
    for name in ("conv1", "conv3_block2_2"):
        inner = keras.Model(taken.input, taken.get_layer(f"{name}_conv").output)
        values = inner(grey, training=False).numpy()
        layer = taken.get_layer(f"{name}_bn")
        mean, variance = values.mean(axis=(0, 1, 2)), values.var(axis=(0, 1, 2))
        np.testing.assert_allclose(layer.moving_mean.numpy(), mean, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(layer.moving_variance.numpy(), variance, rtol=1e-2, atol=1e-5)


def test_another_network_is_refused(films: Pixels) -> None:
    body = build("resnet50", 2, None, dropout=0.0, weights="none")
    other: Path = SHIPPED.with_name("scnn.onnx")
    with pytest.raises(ValueError, match="normalised convolutions, resnet50 has 53"):
        take_exported_weights(body, other, front(tf.constant(films), 2).numpy())


@pytest.mark.parametrize(("model", "last"), [("scnn", [48, 24, 5, 5]), ("ccnn", [256, 96, 3, 3])])
def test_small_networks_see_what_their_exported_files_see(
    model: str, last: list[int], films: Pixels
) -> None:
    """Also with the network that looks for outliers beside them, whose first kernel is alike."""
    file = SHIPPED.with_name(f"{model}.onnx")
    grey = front(tf.constant(films), 2)
    body = build(model, 3, 112, dropout=0.0, weights="none")
    take_exported_weights(body, file, grey.numpy())
    graph = onnx.load(file)
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.graph.initializer}
    shapes |= {n.output[0]: shapes.get(n.input[0]) for n in graph.graph.node if n.op_type == "Cast"}
    (before,) = [
        node.output[0]
        for node in graph.graph.node
        if node.op_type == "Conv" and shapes.get(node.input[1]) == last
    ]
    (name,) = [
        node.output[0]
        for node in graph.graph.node
        if node.op_type == "Relu" and before in node.input
    ]
    graph.graph.output.append(onnx.ValueInfoProto(name=name))
    (expected,) = run_onnx(graph.SerializeToString(), films, [name])
    features = body(grey, training=False)[FEATURES].numpy().transpose(0, 3, 1, 2)
    np.testing.assert_allclose(features, expected, atol=1e-3 * expected.max())
