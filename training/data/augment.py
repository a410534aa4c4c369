"""Random changes of training films inside the TensorFlow graph: one resampling for all of them.

A horizontal flip puts the heart on the other side. It is used because the label does not depend on
the side (all classes here are mostly bilateral or occur on both sides), because the public sets
hold mirrored films, and because it takes the burnt-in side marks' place away as a cue. A vertical
flip is never used.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from training.configs import Augmentation


def augment(images: Any, settings: Augmentation) -> Any:
    """Change each film of a batch.

    Args:
        images: float32 [N, h, w, 1], 0 to 255.
        settings: How far.

    Returns:
        float32 [N, h, w, 1]; what lies outside the film is filled with its edge.
    """
    if settings == Augmentation():
        return images
    shape = tf.shape(images)
    count, height, width = shape[0], shape[1], shape[2]

    def draw(limit: float) -> Any:
        return tf.random.uniform([count], -limit, limit)

    angle = draw(settings.rotation * 2 * math.pi)
    scale_x, scale_y = tf.exp(draw(settings.zoom)), tf.exp(draw(settings.zoom))
    if settings.flip:
        scale_x *= tf.sign(tf.random.uniform([count]) - 0.5)
    middle_x = (tf.cast(width, tf.float32) - 1) / 2
    middle_y = (tf.cast(height, tf.float32) - 1) / 2
    # Output pixel -> input pixel about the middle: a0 x + a1 y + a2, b0 x + b1 y + b2.
    a0, a1 = tf.cos(angle) * scale_x, -tf.sin(angle) * scale_y
    b0, b1 = tf.sin(angle) * scale_x, tf.cos(angle) * scale_y
    a2 = middle_x - a0 * middle_x - a1 * middle_y + draw(settings.shift) * middle_x * 2
    b2 = middle_y - b0 * middle_x - b1 * middle_y + draw(settings.shift) * middle_y * 2
    zeros = tf.zeros([count])
    images = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a0, a1, a2, b0, b1, b2, zeros, zeros], axis=1),
        output_shape=[height, width],
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )
    if settings.contrast:
        gamma = (1 + draw(settings.contrast))[:, tf.newaxis, tf.newaxis, tf.newaxis]
        images = 255.0 * tf.pow(tf.clip_by_value(images / 255.0, 0.0, 1.0), gamma)
    if settings.sharpness:
        share = draw(settings.sharpness)[:, tf.newaxis, tf.newaxis, tf.newaxis]
        images += share * (tf.nn.avg_pool2d(images, 3, 1, "SAME") - images)
    if settings.frame:
        images = _framed(images, settings.frame)
    return images


def _framed(images: Any, widest: float) -> Any:
    """Cover the edges of half of the films with one grey level each."""
    shape = tf.shape(images)
    count, height, width = shape[0], shape[1], shape[2]
    covered = tf.cast(tf.random.uniform([count, 1]) < 0.5, tf.float32)
    edges = tf.random.uniform([count, 4], 0.0, widest) * covered
    y = tf.linspace(0.0, 1.0, height)[tf.newaxis, :]
    x = tf.linspace(0.0, 1.0, width)[tf.newaxis, :]
    rows = tf.logical_and(y >= edges[:, 0:1], y <= 1 - edges[:, 1:2])
    columns = tf.logical_and(x >= edges[:, 2:3], x <= 1 - edges[:, 3:4])
    inside = tf.logical_and(rows[:, :, tf.newaxis], columns[:, tf.newaxis, :])[..., tf.newaxis]
    # Black as a collimator's edge, or any grey.
    grey = tf.random.uniform([count, 1, 1, 1], -128.0, 255.0)
    return tf.where(inside, images, tf.maximum(grey, 0.0))
