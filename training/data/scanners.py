"""Imitate scanners and their software: what differs between hospitals and is no disease.

Each film of a batch goes through frames and painted markers, a random monotone tone curve, a change
of its low frequencies (weakened, strengthened, or mixed with another film's), resizing down and up
again, unsharp masking or blur, and noise. Everything is drawn anew for each film, the size of the
resizing for each quarter of a batch. The network standardises afterwards, so the result may leave
the range of grey levels.

All four architectures share this: it stands for the preprocessing of a hospital that nobody trained
on. Geometry (:mod:`training.data.augment`) is what DACCNN has and CCNN has not.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_PIECES = 6
_PARTS = 4
#: Side of the grid of low frequencies, positions.
_LOW_SIDE = 7


def imitate_scanners(images: Any, share: float = 1.0) -> Any:
    """Change the films of a batch as other hospitals' chains might have.

    Args:
        images: float32 [N, h, w, 1], 0 to 255.
        share: Share of the films that are changed; the others stay as they are.

    Returns:
        float32 [N, h, w, 1]; about 0 to 255, noise may go beyond.
    """
    grey = tf.clip_by_value(images / 255.0, 0.0, 1.0)
    grey = paint_frames_and_markers(grey)
    grey = change_tone(grey)
    grey = change_low_frequencies(grey)
    grey = resize_down_and_up(grey)
    grey = change_sharpness(grey)
    return tf.where(_some(images, share) > 0, 255.0 * add_noise(grey), images)


def _uniform(images: Any, low: float, high: float) -> Any:
    """One number a film, [N, 1, 1, 1]."""
    return tf.random.uniform([tf.shape(images)[0], 1, 1, 1], low, high)


def _some(images: Any, share: float) -> Any:
    """1 for a random share of the films, else 0: [N, 1, 1, 1]."""
    return tf.cast(_uniform(images, 0.0, 1.0) < share, tf.float32)


def change_tone(grey: Any, share: float = 0.7) -> Any:
    """A random monotone curve of six straight pieces for a share of the films.

    Args:
        grey: float32 [N, h, w, 1], 0 to 1.
        share: Share of the films.
    """
    count = tf.shape(grey)[0]
    rises = tf.random.uniform([count, _PIECES]) ** 1.5 + 0.08
    rises /= tf.reduce_sum(rises, axis=1, keepdims=True)
    knots = tf.concat([tf.zeros([count, 1]), tf.cumsum(rises, axis=1)], axis=1)
    position = tf.clip_by_value(grey * _PIECES, 0.0, _PIECES - 1e-4)
    piece = tf.floor(position)
    flat = tf.reshape(tf.cast(piece, tf.int32), [count, -1])
    low = tf.reshape(tf.gather(knots, flat, batch_dims=1), tf.shape(grey))
    high = tf.reshape(tf.gather(knots, flat + 1, batch_dims=1), tf.shape(grey))
    curved = low + (high - low) * (position - piece)
    chosen = _some(grey, share)
    return chosen * curved + (1 - chosen) * grey


def change_low_frequencies(grey: Any, share: float = 0.6, mixed: float = 0.25) -> Any:
    """Weaken (to 0.3) or strengthen (to 1.4) slow changes of brightness, or mix in another film's.

    Args:
        grey: float32 [N, h, w, 1].
        share: Share of the films whose low frequencies are scaled.
        mixed: Share of the films that take over up to 60 % of another film's.
    """
    small = tf.image.resize(grey, [_LOW_SIDE, _LOW_SIDE], method="area")
    low = tf.image.resize(small, tf.shape(grey)[1:3], method="bicubic")
    low -= tf.reduce_mean(low, axis=(1, 2), keepdims=True)
    changed = grey + _some(grey, share) * _uniform(grey, -0.7, 0.4) * low
    other = tf.gather(low, tf.random.shuffle(tf.range(tf.shape(grey)[0])))
    return changed + _some(grey, mixed) * _uniform(grey, 0.0, 0.6) * (other - low)


def resize_down_and_up(grey: Any, share: float = 0.6, smallest: float = 0.32) -> Any:
    """Resize to ``smallest`` to 0.95 of the side and back, by random kernels.

    Args:
        grey: float32 [N, h, w, 1].
        share: Share of the quarters of a batch.
        smallest: Smallest size as a share of the side.
    """
    side = tf.cast(tf.shape(grey)[1], tf.float32)

    def one(part: Any) -> Any:
        target = tf.cast(side * tf.random.uniform([], smallest, 0.95), tf.int32)
        down = tf.switch_case(
            tf.random.uniform([], 0, 3, tf.int32),
            [
                lambda: tf.image.resize(part, [target, target], antialias=True),
                lambda: tf.image.resize(part, [target, target], method="area"),
                lambda: tf.image.resize(part, [target, target], method="bicubic"),
            ],
        )
        up = tf.image.resize(down, tf.shape(part)[1:3], method="bicubic")
        return tf.cond(tf.random.uniform([]) < share, lambda: up, lambda: part)

    count = tf.shape(grey)[0]
    edges = [count * position // _PARTS for position in range(_PARTS + 1)]
    parts = [one(grey[edges[position] : edges[position + 1]]) for position in range(_PARTS)]
    return tf.ensure_shape(tf.concat(parts, axis=0), grey.shape)


def change_sharpness(grey: Any, share: float = 0.7) -> Any:
    """Blur, or unsharp masking of up to 1.4, with a 3 x 3 mean, for a share of the films."""
    detail = grey - tf.nn.avg_pool2d(grey, 3, 1, "SAME")
    return grey + _some(grey, share) * _uniform(grey, -1.0, 1.4) * detail


def add_noise(grey: Any, largest: float = 0.11, share: float = 0.6) -> Any:
    """White or slightly blurred noise, of up to ``4 x largest`` of the film's own spread."""
    spread = tf.math.reduce_std(grey, axis=(1, 2, 3), keepdims=True)
    amount = _some(grey, share) * _uniform(grey, 0.0, 1.0) ** 2 * (4 * largest) * spread
    white = tf.random.normal(tf.shape(grey))
    blurred = 2.2 * tf.nn.avg_pool2d(white, 3, 1, "SAME")
    fine = _some(grey, 0.5)
    return grey + amount * (fine * white + (1 - fine) * blurred)


def paint_frames_and_markers(
    grey: Any, share: float = 0.35, widest: float = 0.13, marked: float = 0.3
) -> Any:
    """Cover edges as a collimator does, and paint a block of random dots where letters stand.

    Args:
        grey: float32 [N, h, w, 1], 0 to 1.
        share: Share of the films that get a frame.
        widest: Widest frame, as a share of the side.
        marked: Share of the films that get a marker.
    """
    shape = tf.shape(grey)
    count, height, width = shape[0], shape[1], shape[2]
    y = tf.linspace(0.0, 1.0, height)[tf.newaxis, :, tf.newaxis, tf.newaxis]
    x = tf.linspace(0.0, 1.0, width)[tf.newaxis, tf.newaxis, :, tf.newaxis]

    def edge() -> Any:
        return _some(grey, 0.6) * _uniform(grey, 0.0, widest)

    inside = (y >= edge()) & (y <= 1 - edge()) & (x >= edge()) & (x <= 1 - edge())
    inside = inside | (_some(grey, share) == 0)
    level = _some(grey, 0.4) * _uniform(grey, 0.0, 1.0)
    grey = tf.where(inside, grey, level)

    across, down = _uniform(grey, 0.03, 0.12), _uniform(grey, 0.03, 0.09)
    left = _uniform(grey, 0.0, 0.25)
    left = tf.where(_some(grey, 0.5) > 0, 1 - left - across, left)
    top = _uniform(grey, 0.0, 0.22)
    top = tf.where(_some(grey, 0.2) > 0, 1 - top - down, top)
    block = (y >= top) & (y <= top + down) & (x >= left) & (x <= left + across)
    dots = tf.random.uniform([count, height, width, 1]) < 0.6
    paint = block & dots & (_some(grey, marked) > 0)
    return tf.where(paint, _some(grey, 0.75), grey)
