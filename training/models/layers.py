"""What all four networks share: the front of the graph and the names that export relies on.

A network is two Functional models. The *body* takes a grey image float32 [N, h, w, 1] on the 0-255
scale and gives ``features`` (A, the post-ReLU output of the last convolution, float32 [N, h', w',
C]) and ``logits`` (float32 [N, K], before the softmax). The *front* turns ``pixels`` uint8 [N, H,
W, 1] into that image. Augmentation and growing image sizes act between the two, so that they never
reach the export.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

FEATURES, HIDDEN, LOGITS = "features", "hidden", "logits"
#: Batch normalisation follows its data within ten steps: with 0.99, inference means nothing for
#: epochs.
NORMALISATION_MOMENTUM = 0.9


@keras.saving.register_keras_serializable("cxr_quorum")
class Standardise(layers.Layer):  # type: ignore[misc]
    """Bring each image to zero mean and unit variance: float32 [N, h, w, C] -> the same.

    Makes the answer independent of the scanner's brightness and contrast. A blank image becomes
    zeros.
    """

    def __init__(self, scale: float = 1.0, **kwargs: Any) -> None:
        # Means of grey levels need their digits, whatever the convolutions compute in.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.scale = scale

    def call(self, images: Any) -> Any:
        centred = images - ops.mean(images, axis=(1, 2, 3), keepdims=True)
        variance = ops.mean(ops.square(centred), axis=(1, 2, 3), keepdims=True)
        return centred * (self.scale / ops.sqrt(variance + 1.0))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}


def front(images: Any, reduce: int) -> Any:
    """``pixels`` uint8 [N, H, W, 1] -> grey float32 [N, H/reduce, W/reduce, 1] by averaging."""
    grey = ops.cast(images, "float32")
    return ops.average_pool(grey, reduce, strides=reduce) if reduce > 1 else grey


def convolution(
    images: Any, filters: int, kernel: int, *, stride: int = 1, name: str, last: bool = False
) -> Any:
    """Convolution, batch normalisation, ReLU; the last one's output is called ``features``."""
    images = layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        name=f"{name}_conv",
        kernel_initializer="he_normal",
    )(images)
    images = layers.BatchNormalization(momentum=NORMALISATION_MOMENTUM, name=f"{name}_norm")(images)
    return layers.ReLU(name=FEATURES if last else f"{name}_relu")(images)


def body(inputs: Any, features: Any, logits: Any, name: str) -> keras.Model:
    """Close a network: outputs ``features`` and ``logits``."""
    return keras.Model(inputs, {FEATURES: features, LOGITS: logits}, name=name)


def float_variables(model: keras.Model) -> list[Any]:
    """The variables that are weights or running statistics, not the states of random generators."""
    return [variable for variable in model.variables if variable.dtype.startswith("float")]


def round_kernels(body: Any) -> None:
    """Round the kernels to what 16-bit floats hold, in place: half the file, the same answers.

    Keras and the exported file then have the very same weights, so that their comparison can be
    strict.
    """
    for variable in body.variables:
        if variable.path.endswith("kernel"):
            variable.assign(variable.numpy().astype(np.float16).astype(np.float32))
