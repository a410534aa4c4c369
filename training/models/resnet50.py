"""ResNet50 of ``keras.applications`` with a grey input.

[N, h, w, 1] -> standardised, replicated to 3 channels -> 50 layers (He et al. 2016, "Deep Residual
Learning for Image Recognition", table 1) -> A [h/32, w/32, 2048] -> global average -> logits [K].
23.6 million parameters.
"""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from training.models.layers import (
    FEATURES,
    LOGITS,
    NORMALISATION_MOMENTUM,
    Standardise,
    body,
    float_variables,
)

#: Grey-level spread that the ImageNet weights expect after their mean is taken off (Caffe scaling).
_IMAGENET_SPREAD = 58.0


def build(
    classes: int, size: int | None, *, dropout: float = 0.3, weights: str = "none"
) -> keras.Model:
    """The body of ResNet50.

    Args:
        classes: K.
        size: Side of the reduced image in pixels, None for any.
        dropout: Share of the pooled features dropped in training.
        weights: ``none`` (random), ``imagenet`` (downloaded by Keras, needs a network), or the path
            of a ``best.npz`` of an in-domain run: all is taken, its last layer only
            where it has as many classes.

    Raises:
        FileNotFoundError: The checkpoint does not exist.
        RuntimeError: The ImageNet weights could not be downloaded.
    """
    inputs = keras.Input((size, size, 1), name="grey")
    spread = _IMAGENET_SPREAD if weights == "imagenet" else 1.0
    images = Standardise(spread, name="standardise")(inputs)
    images = layers.Concatenate(name="three_channels")([images, images, images])
    try:
        backbone = keras.applications.ResNet50(
            include_top=False,
            weights="imagenet" if weights == "imagenet" else None,
            input_tensor=images,
        )
    except Exception as error:  # Keras raises a bare Exception when the download fails.
        if weights != "imagenet":
            raise
        raise RuntimeError(
            "The ImageNet weights could not be downloaded. Connect to the network once, or train "
            "with "
            "--weights none or with an in-domain checkpoint."
        ) from error
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = NORMALISATION_MOMENTUM
            if weights == "none" and layer.name.endswith("_3_bn"):
                # Each block starts as the identity (Goyal et al. 2017, section 5.1): steadier from
                # scratch.
                layer.gamma.assign(keras.ops.zeros_like(layer.gamma))
    features = layers.Activation("linear", name=FEATURES)(backbone.output)
    pooled = layers.GlobalAveragePooling2D(name="pooled")(features)
    pooled = layers.Dropout(dropout, name="dropout")(pooled)
    logits = layers.Dense(classes, name=LOGITS)(pooled)
    model = body(inputs, features, logits, "resnet50")
    if weights not in ("none", "imagenet"):
        _take_weights(model, Path(weights))
    return model


def _take_weights(model: keras.Model, checkpoint: Path) -> None:
    """Copy every layer from a run's checkpoint; the last only where it has as many classes."""
    if not checkpoint.is_file():
        raise FileNotFoundError(f"{checkpoint} does not exist; run the pretraining first.")
    from training.runtime.files import read_weights

    values = read_weights(checkpoint)
    for variable in float_variables(model):
        value = values[variable.path]
        if value.shape == tuple(variable.shape):
            variable.assign(value)
