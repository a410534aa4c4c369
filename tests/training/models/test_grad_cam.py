"""The closed forms equal automatic differentiation, for each kind of head."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

from training.models.grad_cam import grad_cams, grad_cams_by_tape, inference_outputs
from training.models.layers import FEATURES, HIDDEN, LOGITS, body


def _features(inputs: object) -> object:
    return layers.Conv2D(6, 3, activation="relu", padding="same", name=FEATURES)(inputs)


def _average(features: object) -> object:
    return layers.GlobalAveragePooling2D()(features)


def _flattened_pool(features: object) -> object:
    # 13 is not a multiple of 4: the last row and column are in no pool.
    return layers.Flatten()(layers.MaxPooling2D(4)(features))


def _hidden(features: object) -> object:
    pooled = layers.GlobalAveragePooling2D()(features)
    hidden = layers.Dense(9, activation="relu", name=HIDDEN)(pooled)
    return layers.Dropout(0.5)(hidden)


@pytest.mark.parametrize("head", [_average, _flattened_pool, _hidden])
def test_maps_equal_the_gradient_tape(head: Callable[[object], object]) -> None:
    keras.utils.set_random_seed(11)
    inputs = keras.Input((13, 13, 1))
    features = _features(inputs)
    network = body(inputs, features, layers.Dense(3, name=LOGITS)(head(features)), "net")
    films = np.random.default_rng(4).normal(size=(5, 13, 13, 1)).astype("float32")
    values = inference_outputs(network)(films, training=False)
    maps = grad_cams(network, values[FEATURES], values.get(HIDDEN)).numpy()
    expected = grad_cams_by_tape(network, films).numpy()
    assert maps.shape == (5, 3, 13, 13)
    assert expected.max() > 0
    assert np.abs(maps - expected).max() <= 1e-5 * expected.max()


def test_a_head_without_a_closed_form_is_refused() -> None:
    inputs = keras.Input((8, 8, 1))
    features = _features(inputs)
    flat = layers.Flatten()(layers.AveragePooling2D(2)(features))
    network = body(inputs, features, layers.Dense(3, name=LOGITS)(flat), "net")
    values = inference_outputs(network)(np.zeros((1, 8, 8, 1), "float32"), training=False)
    with pytest.raises(ValueError, match="No closed form"):
        grad_cams(network, values[FEATURES], None)
