"""CCNN: the complex convolutional network, four convolutions with kernels 7, 5, 3, 3.

[N, 112, 112, 1] -> 7x7/2, 32 -> [56, 56, 32] -> max-pool 3/2 -> [28, 28, 32] -> 5x5, 64 -> [28, 28,
64] -> 3x3, 96 -> max-pool 2 -> [14, 14, 96] -> 3x3, 256 = A [14, 14, 256] -> global average ->
dense 256, ReLU -> logits [K]. About 400,000 parameters for three classes, eleven times SCNN's.

A wide first kernel with a stride, then narrower ones, follows AlexNet (Krizhevsky et al. 2012,
section 3.5); batch normalisation before the ReLU is Ioffe and Szegedy 2015; global average pooling
is Lin et al. 2014, section 3.2.
"""

from __future__ import annotations

import keras
from keras import layers

from training.models.layers import HIDDEN, LOGITS, Standardise, body, convolution


def build(
    classes: int,
    size: int | None,
    *,
    dropout: float = 0.3,
    weights: str = "none",
    name: str = "ccnn",
) -> keras.Model:
    """The body of CCNN.

    Args:
        classes: K.
        size: Side of the reduced image in pixels, None for any.
        dropout: Share of the pooled features and of the hidden values dropped in training.
        weights: Only ``none``; CCNN has no pretraining.
        name: Name of the network.
    """
    if weights != "none":
        raise ValueError(f"{name.upper()} trains from scratch: weights must be 'none'.")
    inputs = keras.Input((size, size, 1), name="grey")
    images = Standardise(name="standardise")(inputs)
    images = convolution(images, 32, 7, stride=2, name="first")
    images = layers.MaxPooling2D(3, strides=2, padding="same", name="first_pool")(images)
    images = convolution(images, 64, 5, name="second")
    images = convolution(images, 96, 3, name="third")
    images = layers.MaxPooling2D(2, name="third_pool")(images)
    features = convolution(images, 256, 3, name="fourth", last=True)
    pooled = layers.GlobalAveragePooling2D(name="pooled")(features)
    pooled = layers.Dropout(dropout, name="dropout")(pooled)
    hidden = layers.Dense(256, activation="relu", name=HIDDEN)(pooled)
    hidden = layers.Dropout(dropout, name="hidden_dropout")(hidden)
    return body(inputs, features, layers.Dense(classes, name=LOGITS)(hidden), name)
