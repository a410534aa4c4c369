"""Grad-CAM of every class in forward operations only, so that it can be exported.

Selvaraju et al. 2017 ("Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization"): alpha_kc = 1/Z sum_ij dy^c / dA^k_ij (equation 1) and L^c = ReLU(sum_k alpha_kc A^k)
(equation 2), with y^c the logit before the softmax and A the post-ReLU output of the last
convolution. Gradient operations do not export to ONNX; but alpha needs only the *spatial sum* of
the gradient, and for the heads used here that sum has a closed form (Z = h * w):

- global average, dense W [C, K]: every position gets W / Z, the sum is W, alpha = W / Z;
- max-pooling, flatten, dense W [P * C, K]: max-pooling sends each pooled gradient to one position,
  so the sum over positions is the sum over the P pooled cells, alpha = sum_p W / Z;
- global average, dense W1 [C, J] with ReLU, dense W2 [J, K]: alpha = W1 (W2 where hidden > 0) / Z.

The export proves this against ``tf.GradientTape`` on real images and writes nothing if it is wrong.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers

from training.models.layers import FEATURES, HIDDEN, LOGITS


def inference_outputs(body: Any) -> Any:
    """A network with ``features``, ``logits`` and, where there is one, ``hidden``; same weights."""
    outputs = {FEATURES: body.get_layer(FEATURES).output, LOGITS: body.get_layer(LOGITS).output}
    if any(layer.name == HIDDEN for layer in body.layers):
        outputs[HIDDEN] = body.get_layer(HIDDEN).output
    return keras.Model(body.input, outputs)


def grad_cams(body: Any, features: Any, hidden: Any | None, classes: int | None = None) -> Any:
    """Grad-CAM maps of the classes by the closed form.

    Args:
        body: The network; its last layers decide which closed form holds.
        features: A, float32 [N, h, w, C].
        hidden: Values of the hidden dense layer float32 [N, J], None without one.
        classes: K, the first logits; a logit after them (none of these) has no map. None = all.

    Returns:
        float32 [N, K, h, w], 0 or above, not rescaled.

    Raises:
        ValueError: The head is none of the three with a known closed form.
    """
    height, width, channels = features.shape[1:]
    last = tf.convert_to_tensor(body.get_layer(LOGITS).kernel)[:, :classes]
    positions = float(height * width)
    if hidden is not None:
        first = tf.convert_to_tensor(body.get_layer(HIDDEN).kernel)
        active = tf.cast(hidden > 0, tf.float32)
        # [N, J] * [K, J] -> [N, K, J] -> [N, K, C]
        alphas = tf.matmul(active[:, tf.newaxis, :] * tf.transpose(last), first, transpose_b=True)
        flat = tf.reshape(features, [-1, height * width, channels])
        maps = tf.matmul(alphas / positions, flat, transpose_b=True)
        return tf.nn.relu(tf.reshape(maps, [-1, last.shape[1], height, width]))
    if last.shape[0] == channels:
        alphas = last / positions
    elif last.shape[0] % channels == 0 and _is_flattened_pool(body):
        alphas = tf.reduce_sum(tf.reshape(last, [-1, channels, last.shape[1]]), 0) / positions
    else:
        raise ValueError(
            f"No closed form is known for the head of {body.name}: a last layer of {last.shape[0]} "
            f"inputs over {channels} feature channels."
        )
    # A 1x1 convolution; a tensor product costs a fifth more in ONNX Runtime.
    maps = tf.nn.conv2d(features, alphas[tf.newaxis, tf.newaxis], 1, "VALID")
    return tf.nn.relu(tf.transpose(maps, [0, 3, 1, 2]))


def _is_flattened_pool(body: Any) -> bool:
    kinds = [type(layer) for layer in body.layers]
    return layers.Flatten in kinds and layers.MaxPooling2D in kinds


def grad_cams_by_tape(body: Any, grey: Any) -> Any:
    """The same maps by automatic differentiation, the yardstick of the gate; slow.

    Args:
        body: The network.
        grey: float32 [N, h0, w0, 1] as the body takes it.

    Returns:
        float32 [N, K, h, w].
    """
    outputs = inference_outputs(body)
    features = outputs(grey, training=False)[FEATURES]
    tail = _tail(body)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(features)
        logits = tail(features, training=False)
        columns = [logits[:, k] for k in range(logits.shape[1])]
    maps = []
    for column in columns:
        alphas = tf.reduce_mean(tape.gradient(column, features), axis=(1, 2), keepdims=True)
        maps.append(tf.nn.relu(tf.reduce_sum(alphas * features, axis=3)))
    return tf.stack(maps, axis=1)


def _tail(body: Any) -> Any:
    """The layers after ``features`` as a network of their own: A -> logits."""
    shape = body.get_layer(FEATURES).output.shape[1:]
    entry = keras.Input(shape)
    value = entry
    names = [layer.name for layer in body.layers]
    for layer in body.layers[names.index(FEATURES) + 1 :]:
        value = layer(value)
    return keras.Model(entry, value)
