"""CCNN and DACCNN with one thing about their layers changed, for the studies that justify them.

:data:`SHIPPED` builds the network of :mod:`training.models.ccnn` (a test holds them equal), every
other :class:`Layers` differs from it in what its fields say.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

import keras
from keras import layers

from training.models.layers import (
    FEATURES,
    HIDDEN,
    LOGITS,
    NORMALISATION_MOMENTUM,
    Standardise,
    body,
)

_FILTERS = (32, 64, 96, 256)


@dataclass(frozen=True)
class Layers:
    """What a four-convolution network is made of.

    Attributes:
        standardise: Each film to zero mean and unit variance, else grey levels over 255.
        normalise: Batch normalisation after each convolution, else biases.
        head: ``average`` pools each map to one number, ``flatten`` keeps all positions.
        kernels: Sides of the four kernels.
        pool: ``max``, ``average``, or ``stride``: no pooling, the convolution before it strides.
        activation: After each convolution.
    """

    standardise: bool = True
    normalise: bool = True
    head: Literal["average", "flatten"] = "average"
    kernels: tuple[int, int, int, int] = (7, 5, 3, 3)
    pool: Literal["max", "average", "stride"] = "max"
    activation: Literal["relu", "elu", "silu"] = "relu"

    def to_dict(self) -> dict[str, object]:
        """For files; tuples become lists."""
        return dataclasses.asdict(self) | {"kernels": list(self.kernels)}


SHIPPED = Layers()


def build_variant(
    chosen: Layers, classes: int, side: int, *, dropout: float, name: str = "ccnn"
) -> keras.Model:
    """The network: grey float32 [N, side, side, 1] -> ``features`` and ``logits`` [N, classes]."""
    inputs = keras.Input((side, side, 1), name="grey")
    if chosen.standardise:
        images = Standardise(name="standardise")(inputs)
    else:
        images = layers.Rescaling(1 / 255, name="over_255")(inputs)
    first, second, third, fourth = (
        _Block(chosen, filters, kernel)
        for filters, kernel in zip(_FILTERS, chosen.kernels, strict=True)
    )
    shrinks = chosen.pool == "stride"
    images = first(images, "first", stride=4 if shrinks else 2)
    images = _pooled(images, chosen.pool, 3, "same", "first_pool")
    images = second(images, "second")
    images = third(images, "third", stride=2 if shrinks else 1)
    images = _pooled(images, chosen.pool, 2, "valid", "third_pool")
    features = fourth(images, "fourth", output=FEATURES)
    if chosen.head == "average":
        flat = layers.GlobalAveragePooling2D(name="pooled")(features)
    else:
        flat = layers.Flatten(name="flatten")(features)
    flat = layers.Dropout(dropout, name="dropout")(flat)
    hidden = layers.Dense(256, activation="relu", name=HIDDEN)(flat)
    hidden = layers.Dropout(dropout, name="hidden_dropout")(hidden)
    return body(inputs, features, layers.Dense(classes, name=LOGITS)(hidden), name)


@dataclass(frozen=True)
class _Block:
    """Convolution, batch normalisation or a bias, activation."""

    chosen: Layers
    filters: int
    kernel: int

    def __call__(
        self, images: Any, name: str, *, stride: int = 1, output: str | None = None
    ) -> Any:
        images = layers.Conv2D(
            self.filters,
            self.kernel,
            strides=stride,
            padding="same",
            use_bias=not self.chosen.normalise,
            name=f"{name}_conv",
            kernel_initializer="he_normal",
        )(images)
        if self.chosen.normalise:
            images = layers.BatchNormalization(
                momentum=NORMALISATION_MOMENTUM, name=f"{name}_norm"
            )(images)
        named = output or f"{name}_{self.chosen.activation}"
        return layers.Activation(self.chosen.activation, name=named)(images)


def _pooled(images: Any, pool: str, size: int, padding: str, name: str) -> Any:
    if pool == "max":
        return layers.MaxPooling2D(size, strides=2, padding=padding, name=name)(images)
    if pool == "average":
        return layers.AveragePooling2D(size, strides=2, padding=padding, name=name)(images)
    return images
