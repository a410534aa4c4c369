"""Go only a part of the way from a shipped network to a fine-tuned one, then refit its head.

Fine-tuning on imitated scanners wins other hospitals and forgets some of what the shipped network
knew. The mean of both sets of weights keeps more of either than each alone (Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models", section 3). Two things must follow: the running statistics
of the normalisation are those of neither network and are measured again, and the head, whose last
logit (none of the classes) the shipped network does not have, is fitted again on what the new
network sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers

from training.data.augment import augment
from training.data.scanners import imitate_scanners
from training.data.split import TRAIN, TRAIN_NONE, SplitData
from training.fit.drawing import drawing_shares
from training.fit.networks import load_best
from training.models.layers import HIDDEN, LOGITS, float_variables, front
from training.models.onnx_weights import take_exported_weights
from training.runtime.files import read_weights, write_json, write_weights

TUNED_NAME, BEST_NAME = "tuned.npz", "best.npz"
_HEAD = (HIDDEN, LOGITS)
_STATISTICS_FILMS = 512


@dataclass(frozen=True)
class InterpolateConfig:
    """How far, and how the head is fitted again.

    Attributes:
        share: Of the way from the shipped to the fine-tuned weights, 0 to 1.
        statistics_batches: Batches through which the running statistics are measured.
        head_steps: Steps of the head's fit.
        batch: Films a step.
        learning_rate: Of the head's fit, falling with a cosine.
        seed: Of drawing and augmentation.
    """

    share: float = 0.35
    statistics_batches: int = 40
    head_steps: int = 500
    batch: int = 64
    learning_rate: float = 1.5e-3
    seed: int = 7

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"The share of the way is {self.share}, not between 0 and 1.")


def interpolated(
    first: Mapping[str, npt.NDArray[Any]], second: Mapping[str, npt.NDArray[Any]], share: float
) -> dict[str, npt.NDArray[Any]]:
    """(1 - share) first + share second, variable by variable; the head is the second's.

    Raises:
        ValueError: They are other networks.
    """
    found = {}
    for name, value in second.items():
        head = name.split("/", 1)[0] in _HEAD
        if not head and (name not in first or first[name].shape != value.shape):
            raise ValueError(f"The two networks differ in {name}.")
        found[name] = value if head else (1 - share) * first[name] + share * value
    return found


def interpolate_run(run: Path, shipped: Path, data: SplitData, config: InterpolateConfig) -> None:
    """Replace a finished run's ``best.npz``; the fine-tuned weights stay in ``tuned.npz``.

    Args:
        run: Folder of the run.
        shipped: ``<model>.onnx`` that the run began with.
        data: The split that it was trained on.
        config: How far.
    """
    keras.utils.set_random_seed(config.seed)
    tuned = run / TUNED_NAME
    if not tuned.is_file():
        write_weights(tuned, read_weights(run / BEST_NAME))
    fit, described, body = load_best(run)
    first = keras.models.clone_model(body)
    films = _Films(data, fit, config)
    statistics = front(tf.constant(data.pixels[films.draw(_STATISTICS_FILMS)]), fit.reduce)
    take_exported_weights(first, shipped, statistics.numpy())
    values = interpolated(_values(first), read_weights(tuned), config.share)
    for variable in float_variables(body):
        variable.assign(values[variable.path])
    renew_statistics(body, films, config)
    loss = refit_head(body, films, config)
    write_weights(run / BEST_NAME, _values(body))
    described["interpolation"] = {
        "share": config.share,
        "shipped": shipped.name,
        "head_loss": round(loss, 4),
    }
    write_json(run / "config.json", described)


def _values(body: Any) -> dict[str, npt.NDArray[Any]]:
    return {variable.path: variable.numpy() for variable in float_variables(body)}


class _Films:
    """Training films as the run drew them: balanced, changed, half of them as they are."""

    def __init__(self, data: SplitData, fit: Any, config: InterpolateConfig) -> None:
        self.data, self.fit, self.batch = data, fit, config.batch
        self._random = np.random.default_rng(config.seed)
        self._train = np.concatenate([data.indices(TRAIN), data.indices(TRAIN_NONE)])
        self._shares = drawing_shares(data, self._train)

    def draw(self, count: int) -> npt.NDArray[np.int64]:
        drawn: npt.NDArray[np.int64] = self._random.choice(self._train, count, p=self._shares)
        return drawn

    def next(self) -> tuple[Any, Any]:
        """Grey images float32 [N, h, w, 1] and labels [N]."""
        chosen = self.draw(self.batch)
        images = front(tf.constant(self.data.pixels[chosen]), self.fit.reduce)
        changed = augment(images, self.fit.augmentation)
        if self.fit.scanners:
            changed = imitate_scanners(changed, self.fit.scanners)
        as_they_are = tf.random.uniform([self.batch, 1, 1, 1]) < 0.5
        return tf.where(as_they_are, images, changed), tf.constant(self.data.labels[chosen])


def renew_statistics(body: Any, films: _Films, config: InterpolateConfig) -> None:
    """Measure the running means and variances of the normalisation again, weights unchanged."""
    for _ in range(config.statistics_batches):
        images, _ = films.next()
        body(images, training=True)


def refit_head(body: Any, films: _Films, config: InterpolateConfig) -> float:
    """Fit the dense layers on the frozen network; returns the last loss."""
    for layer in body.layers:
        # Normalisation that cannot be trained uses its running statistics.
        layer.trainable = layer.name in _HEAD or isinstance(layer, layers.Dropout)
    optimizer = keras.optimizers.AdamW(config.learning_rate, weight_decay=0.05)
    optimizer.build(body.trainable_variables)

    @tf.function(reduce_retracing=True)
    def step(images: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = tf.cast(body(images, training=True)[LOGITS], tf.float32)
            wanted = tf.one_hot(labels, logits.shape[-1]) * 0.95 + 0.05 / logits.shape[-1]
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
        gradients = tape.gradient(loss, body.trainable_variables)
        optimizer.apply(gradients, body.trainable_variables)
        return loss

    loss = float("nan")
    for number in range(config.head_steps):
        rate = 0.5 * (1 + np.cos(np.pi * number / config.head_steps))
        optimizer.learning_rate.assign(config.learning_rate * rate + 1e-5)
        loss = float(step(*films.next()))
    for layer in body.layers:
        layer.trainable = True
    return loss
