"""Plain versions of the four networks, for the baseline that everything else is compared with.

Textbook settings on purpose: grey levels over 255, no per-image standardisation, no batch
normalisation but ResNet50's own, flatten and one hidden layer, random weights. The networks that
are shipped live in the files beside this one and share nothing with it.
"""

from __future__ import annotations

import keras
from keras import layers


def build_plain(model: str, classes: int, side: int) -> keras.Model:
    """A network from float32 [N, side, side, 1], 0 to 255, to probabilities [N, K].

    Args:
        model: ``scnn`` (two convolutions), ``ccnn`` (four), ``daccnn`` (the same with
        augmentation) or
            ``resnet50``.
        classes: K.
        side: Side of the images, pixels.

    Raises:
        ValueError: Another name.
    """
    inputs = keras.Input((side, side, 1), name="grey")
    images = layers.Rescaling(1 / 255)(inputs)
    if model == "scnn":
        images = _block(images, 32, 3)
        images = _block(images, 64, 3)
        hidden = layers.Dense(64, activation="relu")(layers.Flatten()(images))
    elif model in ("ccnn", "daccnn"):
        if model == "daccnn":
            images = layers.RandomFlip("horizontal")(images)
            images = layers.RandomRotation(0.05)(images)
            images = layers.RandomZoom(0.1)(images)
            images = layers.RandomTranslation(0.1, 0.1)(images)
            images = layers.RandomContrast(0.2)(images)
        for filters, kernel in ((32, 7), (64, 5), (128, 3), (256, 3)):
            images = _block(images, filters, kernel)
        hidden = layers.Dense(128, activation="relu")(layers.Flatten()(images))
    elif model == "resnet50":
        colours = layers.Concatenate()([images, images, images])
        backbone = keras.applications.ResNet50(
            include_top=False, weights=None, input_shape=(side, side, 3)
        )
        hidden = layers.GlobalAveragePooling2D()(backbone(colours))
    else:
        raise ValueError(f"No plain network {model!r}.")
    outputs = layers.Dense(classes, activation="softmax")(hidden)
    return keras.Model(inputs, outputs, name=f"plain_{model}")


def _block(images: object, filters: int, kernel: int) -> object:
    images = layers.Conv2D(filters, kernel, padding="same", activation="relu")(images)
    return layers.MaxPooling2D(2)(images)
