"""The four architectures are what their files say."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from training.models import TITLES, build
from training.models.layers import FEATURES, LOGITS, front


def _convolutions(model: keras.Model) -> list[keras.layers.Conv2D]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


@pytest.fixture(scope="module")
def bodies() -> dict[str, keras.Model]:
    return {name: build(name, 3, 112, dropout=0.3, weights="none") for name in TITLES}


def test_scnn_has_two_convolutions_with_max_pooling(bodies: dict[str, keras.Model]) -> None:
    kinds = [type(layer).__name__ for layer in bodies["scnn"].layers]
    assert kinds.count("Conv2D") == kinds.count("MaxPooling2D") == 2


def test_ccnn_has_four_varied_convolutions_and_ten_times_the_parameters(
    bodies: dict[str, keras.Model],
) -> None:
    layers = _convolutions(bodies["ccnn"])
    assert [layer.kernel_size[0] for layer in layers] == [7, 5, 3, 3]
    assert len({layer.strides for layer in layers}) > 1
    pools = [item for item in bodies["ccnn"].layers if isinstance(item, keras.layers.MaxPooling2D)]
    assert len({pool.pool_size for pool in pools}) > 1
    assert bodies["ccnn"].count_params() >= 10 * bodies["scnn"].count_params()


def test_daccnn_is_the_ccnn(bodies: dict[str, keras.Model]) -> None:
    def shapes(model: keras.Model) -> list[tuple[int, ...]]:
        return [tuple(variable.shape) for variable in model.weights]

    assert shapes(bodies["daccnn"]) == shapes(bodies["ccnn"])


def test_resnet50_is_the_one_of_keras_applications(bodies: dict[str, keras.Model]) -> None:
    backbone = keras.applications.ResNet50(weights=None, include_top=False)
    expected = backbone.count_params() + 2048 * 3 + 3
    assert bodies["resnet50"].count_params() == expected


@pytest.mark.parametrize("name", ["scnn", "ccnn"])
def test_brightness_and_contrast_of_a_film_change_nothing(
    bodies: dict[str, keras.Model], name: str
) -> None:
    random = np.random.default_rng(1)
    film = random.uniform(60, 200, (1, 112, 112, 1)).astype("float32")
    other = film * 0.5 + 40
    first = bodies[name](film, training=False)[LOGITS].numpy()
    second = bodies[name](other, training=False)[LOGITS].numpy()
    np.testing.assert_allclose(first, second, atol=2e-3 * np.abs(first).max() + 1e-4)


def test_a_blank_film_gives_finite_answers(bodies: dict[str, keras.Model]) -> None:
    for name in ("scnn", "ccnn"):
        assert np.isfinite(bodies[name](np.zeros((1, 112, 112, 1)), training=False)[LOGITS]).all()


def test_features_are_after_the_relu(bodies: dict[str, keras.Model]) -> None:
    film = np.random.default_rng(2).uniform(0, 255, (1, 112, 112, 1)).astype("float32")
    for name in TITLES:
        features = bodies[name](film, training=False)[FEATURES].numpy()
        assert features.min() == 0
        assert features.max() > 0


def test_the_front_averages_whole_blocks() -> None:
    pixels = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
    expected = pixels.reshape(2, 2, 2, 2).astype(float).mean(axis=(1, 3))
    np.testing.assert_allclose(np.asarray(front(pixels, 2))[0, ..., 0], expected)


def test_unknown_weights_and_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="from scratch"):
        build("scnn", 3, 32, dropout=0.0, weights="imagenet")
    with pytest.raises(FileNotFoundError, match="pretraining"):
        build("resnet50", 3, 32, dropout=0.0, weights=str(tmp_path / "none.npz"))
    with pytest.raises(ValueError, match="No architecture"):
        build("vgg", 3, 32, dropout=0.0, weights="none")
