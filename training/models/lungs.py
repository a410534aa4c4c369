"""The network that finds the lungs: a small U-Net, 331 thousand parameters.

[N, 128, 128, 1] -> five levels of two 3x3 convolutions (12, 24, 40, 56, 72 channels) with 2x2
max-pooling between, and back with nearest upsampling and the level's own features beside it ->
one logit a position. Ronneberger et al. 2015 ("U-Net: Convolutional Networks for Biomedical Image
Segmentation", figure 1), much narrower, padded, with batch normalisation.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from training.models.layers import NORMALISATION_MOMENTUM, Standardise

SIDE = 128
CHANNELS = (12, 24, 40, 56, 72)


def build_lungs(side: int = SIDE, channels: tuple[int, ...] = CHANNELS) -> keras.Model:
    """The body: grey float32 [N, side, side, 1] on the 0-255 scale -> logits [N, side, side, 1].

    Args:
        side: Pixels; a multiple of 2 to the number of levels less one.
        channels: Of each level, the widest image first.

    Raises:
        ValueError: The side cannot be halved as often as there are levels.
    """
    if side % 2 ** (len(channels) - 1):
        raise ValueError(f"{side} pixels cannot be halved {len(channels) - 1} times.")
    inputs = keras.Input((side, side, 1), name="grey")
    images = Standardise(name="standardise")(inputs)
    kept = []
    for level, width in enumerate(channels):
        if level:
            kept.append(images)
            images = layers.MaxPooling2D(2, name=f"down{level}_pool")(images)
        images = _two(images, width, f"down{level}")
    for level, width in enumerate(channels[-2::-1]):
        images = layers.UpSampling2D(2, name=f"up{level}_sample")(images)
        images = layers.Concatenate(name=f"up{level}_beside")([images, kept.pop()])
        images = _two(images, width, f"up{level}")
    logits = layers.Conv2D(1, 1, name="logits", dtype="float32")(images)
    return keras.Model(inputs, logits, name="lungs")


def _two(images: Any, width: int, name: str) -> Any:
    for place in (1, 2):
        images = layers.Conv2D(
            width, 3, padding="same", use_bias=False, name=f"{name}_conv{place}"
        )(images)
        images = layers.BatchNormalization(
            momentum=NORMALISATION_MOMENTUM, name=f"{name}_norm{place}"
        )(images)
        images = layers.ReLU(name=f"{name}_relu{place}")(images)
    return images


def mask_of(body: keras.Model, pixels: Any) -> Any:
    """``pixels`` uint8 [N, side, side, 1] -> probability of lung float32 [N, side, side]."""
    return ops.sigmoid(body(ops.cast(pixels, "float32"), training=False))[..., 0]
