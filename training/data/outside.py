"""Swap what lies outside the lungs for another film's, in training only.

A network that names the class by the margin of a film (collimation, letters, the scanner's black)
is wrong in the next hospital. When the margin is a random other film's, it tells nothing. The mask
comes from the lungs' network; it is widened, because the mediastinum and the edge of the pleura
belong to the finding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

#: Probability of lung above which a position counts, deliberately low: consolidations are kept.
LEAST_PROBABILITY = 0.35
#: Positions of 128 by which the lungs are widened.
WIDENED = 6
#: Smaller lungs were not found; such a film keeps its own outside. Share of the soft mask.
SMALLEST_SHARE = 0.12


def soft_masks(probabilities: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.uint8]:
    """What is kept of each film, soft at its edge: uint8 [N, side, side], 255 = kept.

    Args:
        probabilities: float32 [N, 128, 128], of the lungs' network.
        side: Side of the images that will be swapped, pixels.
    """
    lungs = tf.cast(probabilities[..., np.newaxis] > LEAST_PROBABILITY, tf.float32)
    for _ in range(WIDENED // 3):
        lungs = tf.nn.max_pool2d(lungs, 7, 1, "SAME")
    for size in (7, 5):
        lungs = tf.nn.avg_pool2d(lungs, size, 1, "SAME")
    resized = tf.image.resize(lungs, [side, side])[..., 0]
    return np.rint(np.clip(resized.numpy(), 0, 1) * 255).astype(np.uint8)


def swap_outside(images: Any, masks: Any, share: float) -> Any:
    """Give a share of the films another film of the batch as their outside.

    The other film is brought to the same mean and spread, and mirrored half of the time.

    Args:
        images: float32 [N, h, w, 1], 0 to 255.
        masks: float32 [N, h, w, 1], 0 to 1, of :func:`soft_masks`.
        share: Share of the films, 0 to 1.
    """
    count = tf.shape(images)[0]

    def draw() -> Any:
        return tf.random.uniform([count, 1, 1, 1])

    other = tf.gather(images, tf.random.shuffle(tf.range(count)))
    other = tf.where(draw() < 0.5, other[:, :, ::-1], other)
    mean, spread = _moments(images)
    other_mean, other_spread = _moments(other)
    other = (other - other_mean) / (other_spread + 0.25) * spread + mean
    found = tf.reduce_mean(masks, axis=(1, 2), keepdims=True) > SMALLEST_SHARE
    kept = tf.where((draw() < share) & found, masks, 1.0)
    return images * kept + other * (1 - kept)


def _moments(images: Any) -> tuple[Any, Any]:
    mean = tf.reduce_mean(images, axis=(1, 2), keepdims=True)
    return mean, tf.math.reduce_std(images, axis=(1, 2), keepdims=True)
