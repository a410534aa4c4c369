"""SCNN: the simple convolutional network, two convolutions, for a quick vote.

[N, 112, 112, 1] -> 5x5/2, 24 -> [56, 56, 24] -> max-pool 2 -> [28, 28, 24] -> 5x5, 48 = A [28, 28,
48]
-> max-pool 4 -> [7, 7, 48] -> flatten -> logits [K]. About 36,000 parameters for three classes.

The shape (convolution, max-pooling, convolution, max-pooling, dense, softmax) is LeNet's (LeCun et
al. 1998, "Gradient-based learning applied to document recognition", section II-B) with ReLU. Two
convolutions see 23 of 112 pixels: texture, not anatomy. The flattened 7 x 7 grid tells the last
layer *where* the texture is, which global pooling would hide.
"""

from __future__ import annotations

import keras
from keras import layers

from training.models.layers import LOGITS, Standardise, body, convolution


def build(
    classes: int, size: int | None, *, dropout: float = 0.3, weights: str = "none"
) -> keras.Model:
    """The body of SCNN.

    Args:
        classes: K.
        size: Side of the reduced image in pixels; it fixes the last layer's shape.
        dropout: Share of the flattened values dropped in training.
        weights: Only ``none``; SCNN has no pretraining.
    """
    if size is None:
        raise ValueError("SCNN needs a fixed image size: its last layer knows positions.")
    if weights != "none":
        raise ValueError("SCNN trains from scratch: weights must be 'none'.")
    inputs = keras.Input((size, size, 1), name="grey")
    images = Standardise(name="standardise")(inputs)
    images = convolution(images, 24, 5, stride=2, name="first")
    images = layers.MaxPooling2D(2, name="first_pool")(images)
    features = convolution(images, 48, 5, name="second", last=True)
    pooled = layers.MaxPooling2D(min(4, max(1, size // 8)), name="second_pool")(features)
    flat = layers.Dropout(dropout, name="dropout")(layers.Flatten(name="flatten")(pooled))
    return body(inputs, features, layers.Dense(classes, name=LOGITS)(flat), "scnn")
