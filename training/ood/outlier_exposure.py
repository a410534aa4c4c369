"""A small network inside the graph that was shown what is no upright, whole, frontal chest film.

Distances to the training films (:mod:`training.ood.score`) notice what looks like nothing
they saw, but a film cut to its middle half, or a lateral one, still looks like lungs. Showing a
classifier made-up outliers repairs that and carries over to outliers that it was not shown
(Hendrycks et al. 2019, "Deep Anomaly Detection with Outlier Exposure"). The outliers here are made
from training films only: turned, upside down, inverted, cut, or small on a page. Hands, CT slices,
photographs, text, lateral films and blurred films are never shown, so that the measured rows of
those say what is carried over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers
from PIL import Image

from training.models.layers import front
from training.ood.outlier_images import crop

Pixels = npt.NDArray[np.uint8]

_SIDE = 28
_FILMS = 6000
_EPOCHS = 12
_BATCH = 64
_RATE = 2e-3
_BILINEAR = Image.Resampling.BILINEAR


@dataclass(frozen=True)
class ExposureHead:
    """The network and where its answers lie on usual films.

    Attributes:
        network: Thumbnail float32 [N, 28, 28, 1] -> logit [N, 1] of "no usual film".
        middle: Median logit of validation.
        spread: From there to the 99th percentile of validation.
    """

    network: Any
    middle: float
    spread: float

    def distance(self, grey: Any) -> Any:
        """float32 [N], 1 at the 99th percentile of validation, from grey float32 [N, h, w, 1]."""
        logits = self.network(standardised_thumbnail(grey), training=False)
        return (tf.reshape(logits, [-1]) - self.middle) / self.spread


def standardised_thumbnail(grey: Any) -> Any:
    """float32 [N, h, w, 1] -> [N, 28, 28, 1] averages with mean 0 and variance 1 (blank: zeros)."""
    factor = max(1, grey.shape[1] // _SIDE)
    small = tf.nn.avg_pool2d(grey, factor, factor, "VALID")
    centred = small - tf.reduce_mean(small, (1, 2, 3), keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), (1, 2, 3), keepdims=True)
    return centred / tf.sqrt(variance + 1.0)


def usual_film(film: Pixels, random: np.random.Generator) -> Pixels:
    """A film as another technician might have taken it: mirrored, a little turned, cut or framed.

    Args:
        film: uint8 [H, W].
        random: Where the changes come from.
    """
    height, width = film.shape
    image = Image.fromarray(film[:, ::-1] if random.random() < 0.5 else film)
    edge = int(random.integers(0, 60))
    image = image.rotate(random.uniform(-10, 10), resample=_BILINEAR, fillcolor=edge)
    left, top, right, bottom = random.uniform(-0.08, 0.08, 4)
    box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    return np.asarray(image.transform((width, height), Image.Transform.EXTENT, box, _BILINEAR))


def odd_film(film: Pixels, random: np.random.Generator) -> Pixels:
    """One outlier made from a film uint8 [H, W]; see the module for the kinds."""
    kind = random.integers(0, 8)
    if kind == 0:
        return 255 - film
    if kind == 1:
        turned = Image.fromarray(np.rot90(film, random.integers(1, 4)))
        return usual_film(np.asarray(turned.resize(film.shape[::-1])), random)
    if kind == 2:
        angle = random.choice([-1, 1]) * random.uniform(30, 150)
        grey = int(random.integers(0, 256))
        return np.asarray(Image.fromarray(film).rotate(angle, resample=_BILINEAR, fillcolor=grey))
    if kind == 3:
        return usual_film(film[::-1], random)
    if kind == 4:
        return _on_a_page(film, random)
    return _cut(film, random)


def _cut(film: Pixels, random: np.random.Generator) -> Pixels:
    """At most six tenths of a side, of both or of one."""
    part_y, part_x = random.uniform(0.2, 0.6, 2)
    kind = random.random()
    if kind < 0.3:
        part_x = random.uniform(0.85, 1)
    elif kind < 0.5:
        part_y = random.uniform(0.85, 1)
    top, left = random.uniform(0, 1 - part_y), random.uniform(0, 1 - part_x)
    return np.asarray(crop(Image.fromarray(film), left, top, part_x, part_y))


def _on_a_page(film: Pixels, random: np.random.Generator) -> Pixels:
    height, width = film.shape
    page = Image.new("L", (width, height), int(random.choice([0, 255, random.integers(0, 256)])))
    part_x, part_y = random.uniform(0.2, 0.55, 2)
    small = Image.fromarray(film).resize(
        (max(1, int(width * part_x)), max(1, int(height * part_y)))
    )
    left, top = random.integers(0, width - small.width), random.integers(0, height - small.height)
    page.paste(small, (int(left), int(top)))
    return np.asarray(page)


def _network(side: int) -> keras.Model:
    inputs = keras.Input((side, side, 1), name="thumbnail")
    images = layers.Conv2D(24, 5, strides=2, padding="same", activation="relu")(inputs)
    images = layers.Conv2D(48, 3, strides=2, padding="same", activation="relu")(images)
    values = layers.Dropout(0.3)(layers.Flatten()(images))
    values = layers.Dense(48, activation="relu")(values)
    return keras.Model(inputs, layers.Dense(1)(values), name="outlier_exposure")


def _thumbnails_of(pixels: Pixels, reduce: int) -> npt.NDArray[np.float32]:
    parts = [
        standardised_thumbnail(front(tf.constant(pixels[start : start + 64]), reduce)).numpy()
        for start in range(0, len(pixels), 64)
    ]
    return np.concatenate(parts)


def fit_exposure(
    train: Pixels,
    weights: npt.NDArray[np.float64],
    validation: Pixels,
    validation_weights: npt.NDArray[np.float64],
    *,
    reduce: int,
    seed: int,
) -> tuple[ExposureHead, npt.NDArray[np.float32]]:
    """Train on training films and outliers made of them; place the scale on validation films.

    Args:
        train: uint8 [N, H, W, 1].
        weights: How often each is drawn, [N].
        validation: uint8 [M, H, W, 1].
        validation_weights: [M], so that each source counts the same.
        reduce: Averaging factor of the front.
        seed: Of drawing and weights.

    Returns:
        The head, and its distances float32 [M] on the validation films.
    """
    from training.metrics.classification import weighted_percentile
    from training.models.layers import round_kernels

    random = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    count = min(_FILMS, 4 * len(train))
    # The root keeps a small source in view without repeating its few films too often.
    shares = np.sqrt(weights) / np.sqrt(weights).sum()

    def changed(change: Any) -> npt.NDArray[np.float32]:
        drawn = random.choice(len(train), count, p=shares)
        films = [change(train[index, ..., 0], random) for index in drawn]
        return _thumbnails_of(np.stack(films)[..., np.newaxis], reduce)

    images = np.concatenate([changed(usual_film), changed(odd_film)])
    labels = np.repeat([0.0, 1.0], count)
    network = _network(images.shape[1])
    steps = _EPOCHS * -(-len(images) // _BATCH)
    network.compile(
        keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(_RATE, steps), weight_decay=0.02
        ),
        loss=keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.02),
    )
    network.fit(images, labels, batch_size=_BATCH, epochs=_EPOCHS, verbose=0)
    round_kernels(network)
    thumbs = _thumbnails_of(validation, reduce)
    logits = network(tf.constant(thumbs), training=False).numpy().reshape(-1)
    middle = weighted_percentile(logits, validation_weights, 0.5)
    high = weighted_percentile(logits, validation_weights, 0.99)
    head = ExposureHead(network, middle, max(1e-3, high - middle))
    return head, ((logits - head.middle) / head.spread).astype(np.float32)
