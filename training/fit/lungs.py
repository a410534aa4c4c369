"""Train the network that finds the lungs; resumable, some minutes on two cores.

Films of the three sources are drawn in balance. Each goes through turns, shifts and scales (a fifth
of them far enough to be a small film in a frame), smooth white clouds (dense consolidations, where
lungs are hardest to see), and the imitation of scanners. The loss is cross-entropy plus one less
Dice; the moving average of the weights is kept.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.data.lung_masks import LungFilms, dice
from training.data.scanners import imitate_scanners
from training.models.layers import float_variables
from training.models.lungs import build_lungs, mask_of
from training.runtime.files import read_weights, write_json, write_weights

_BATCH = 64
THRESHOLD = 0.5


@dataclass(frozen=True)
class LungsConfig:
    """What decides a run.

    Attributes:
        steps: Of the whole run.
        batch: Films a step.
        learning_rate: Peak of the cosine.
        weight_decay: Decoupled (AdamW).
        average: Decay of the moving average of the weights.
        checkpoint: Steps between two checkpoints.
        seed: Of weights, drawing and augmentation.
    """

    steps: int = 1800
    batch: int = 16
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    average: float = 0.995
    checkpoint: int = 100
    seed: int = 20261


@dataclass(frozen=True)
class Overlap:
    """Dice on held-out films of one source: mean, 5th percentile, number of films."""

    mean: float
    low: float
    films: int


def overlaps(body: Any, films: LungFilms) -> dict[str, Overlap]:
    """Dice of a network on the held-out films of each source."""
    found = {}
    for source in films.sources:
        chosen = films.indices(held_out=True, source=source)
        if not len(chosen):
            continue
        masks = np.concatenate(
            [
                np.asarray(mask_of(body, tf.constant(films.pixels[chosen[start : start + _BATCH]])))
                for start in range(0, len(chosen), _BATCH)
            ]
        )
        values = dice(masks >= THRESHOLD, films.masks[chosen] > 127)
        low = float(np.percentile(values, 5))
        found[source] = Overlap(float(values.mean()), low, len(chosen))
    return found


def vary(images: Any, masks: Any) -> tuple[Any, Any]:
    """Change films and masks alike, and films alone.

    Args:
        images: float32 [N, side, side, 1], 0 to 255.
        masks: float32 [N, side, side, 1], 0 to 1.

    Returns:
        Both, changed.
    """
    count = tf.shape(images)[0]
    side = tf.cast(tf.shape(images)[1], tf.float32)

    def draw(limit: float) -> Any:
        return tf.random.uniform([count], -limit, limit)

    angle, scale = draw(0.3), tf.exp(draw(0.22))
    tiny = tf.cast(tf.random.uniform([count]) < 0.2, tf.float32)
    scale *= 1 + tiny * tf.random.uniform([count], 0.25, 0.75)
    across = scale * tf.exp(draw(0.1)) * tf.sign(tf.random.uniform([count]) - 0.5)
    down = scale * tf.exp(draw(0.1))
    middle = (side - 1) / 2
    a0, a1 = tf.cos(angle) * across, -tf.sin(angle) * down
    b0, b1 = tf.sin(angle) * across, tf.cos(angle) * down
    a2 = middle * (1 - a0 - a1) + draw(0.08) * side
    b2 = middle * (1 - b0 - b1) + draw(0.08) * side
    zeros = tf.zeros([count])
    transforms = tf.stack([a0, a1, a2, b0, b1, b2, zeros, zeros], axis=1)

    def warp(values: Any, fill: str) -> Any:
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=values,
            transforms=transforms,
            output_shape=tf.shape(images)[1:3],
            interpolation="BILINEAR",
            fill_mode=fill,
            fill_value=0.0,
        )

    framed = tf.random.uniform([count, 1, 1, 1]) < 0.5
    images = tf.where(framed, warp(images, "CONSTANT"), warp(images, "NEAREST"))
    masks = warp(masks, "CONSTANT")
    clouds = tf.image.resize(
        tf.random.normal([count, 5, 5, 1]), tf.shape(images)[1:3], method="bicubic"
    )
    cloudy = tf.cast(tf.random.uniform([count, 1, 1, 1]) < 0.4, tf.float32)
    cover = cloudy * tf.clip_by_value(clouds - 0.3, 0.0, 1.0)
    cover *= tf.random.uniform([count, 1, 1, 1], 0.2, 0.95)
    white = tf.reduce_max(images, axis=(1, 2, 3), keepdims=True)
    white *= tf.random.uniform([count, 1, 1, 1], 0.6, 0.95)
    return imitate_scanners(images * (1 - cover) + cover * white), masks


class LungsFit:
    """One run in one folder; kill it at any time, make it again and go on.

    Args:
        config: What decides the run.
        films: Films with masks.
        folder: For ``last.npz``, ``best.npz`` (the averaged weights) and ``metrics.json``.
        body: Another network, for tests.
    """

    def __init__(
        self, config: LungsConfig, films: LungFilms, folder: Path, body: Any | None = None
    ) -> None:
        keras.utils.set_random_seed(config.seed)
        self.config, self.films, self.folder = config, films, folder
        self.body = build_lungs() if body is None else body
        self.step = 0
        self.optimizer = keras.optimizers.AdamW(
            config.learning_rate, weight_decay=config.weight_decay, clipnorm=5.0
        )
        self.optimizer.build(self.body.trainable_variables)
        self._averaged = float_variables(self.body)
        self._average = [tf.Variable(v.numpy(), trainable=False) for v in self._averaged]
        self._pools = [
            films.indices(held_out=False, source=source)
            for source in films.sources
            if len(films.indices(held_out=False, source=source))
        ]
        if (folder / "last.npz").is_file():
            self._restore()
        self._run_step = tf.function(self._train_step, reduce_retracing=True)

    def _train_step(self, pixels: Any, masks: Any, decay: Any) -> Any:
        images, wanted = vary(tf.cast(pixels, tf.float32), masks)
        with tf.GradientTape() as tape:
            logits = tf.cast(self.body(images, training=True), tf.float32)
            found = tf.sigmoid(logits)
            overlap = 2 * tf.reduce_sum(found * wanted, (1, 2, 3)) + 1
            overlap /= tf.reduce_sum(found, (1, 2, 3)) + tf.reduce_sum(wanted, (1, 2, 3)) + 1
            entropy = tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits)
            loss = tf.reduce_mean(entropy) + 1 - tf.reduce_mean(overlap)
        gradients = tape.gradient(loss, self.body.trainable_variables)
        self.optimizer.apply(gradients, self.body.trainable_variables)
        for average, variable in zip(self._average, self._averaged, strict=True):
            average.assign_sub((1 - decay) * (average - variable.value))
        return loss

    def _draw(self) -> npt.NDArray[np.int64]:
        """As many films of each source, drawn anew for each step."""
        random = np.random.default_rng([self.config.seed, self.step])
        share = -(-self.config.batch // len(self._pools))
        drawn = np.concatenate([random.choice(pool, share) for pool in self._pools])
        return random.permutation(drawn)[: self.config.batch]

    def run(self, on_checkpoint: Callable[[int, float, Mapping[str, Overlap]], None]) -> Any:
        """Train what is left and return the network with its averaged weights.

        Args:
            on_checkpoint: Told the step, the mean loss since the last time, and the overlaps.
        """
        config, losses, started = self.config, [], time.monotonic()
        while self.step < config.steps:
            warm = min(1.0, (self.step + 1) / 60)
            rate = 0.5 * (1 + math.cos(math.pi * self.step / config.steps)) * warm
            self.optimizer.learning_rate.assign(config.learning_rate * rate + 1e-5)
            drawn = self._draw()
            tf.random.set_seed(config.seed + self.step)
            masks = self.films.masks[drawn][..., np.newaxis].astype(np.float32) / 255
            decay = min(config.average, (1 + self.step) / (10 + self.step))
            loss = self._run_step(
                tf.constant(self.films.pixels[drawn]),
                tf.constant(masks),
                tf.constant(decay, tf.float32),
            )
            losses.append(float(loss))
            self.step += 1
            if self.step % config.checkpoint == 0 or self.step == config.steps:
                found = self._with_average(lambda: overlaps(self.body, self.films))
                on_checkpoint(self.step, float(np.mean(losses)), found)
                self._save(found, time.monotonic() - started)
                losses = []
        for variable, average in zip(self._averaged, self._average, strict=True):
            variable.assign(average)
        return self.body

    def _with_average(self, ask: Callable[[], dict[str, Overlap]]) -> dict[str, Overlap]:
        raw = [variable.numpy() for variable in self._averaged]
        for variable, average in zip(self._averaged, self._average, strict=True):
            variable.assign(average)
        answer = ask()
        for variable, value in zip(self._averaged, raw, strict=True):
            variable.assign(value)
        return answer

    def _save(self, found: Mapping[str, Overlap], seconds: float) -> None:
        values: dict[str, npt.NDArray[Any]] = {"step": np.array(self.step)}
        for variable, average in zip(self._averaged, self._average, strict=True):
            values[f"model:{variable.path}"] = variable.numpy()
            values[f"average:{variable.path}"] = average.numpy()
        for index, variable in enumerate(self.optimizer.variables):
            values[f"optimizer:{index}"] = variable.numpy()
        write_weights(self.folder / "last.npz", values)
        best = {v.path: a.numpy() for v, a in zip(self._averaged, self._average, strict=True)}
        write_weights(self.folder / "best.npz", best)
        write_json(
            self.folder / "metrics.json",
            {
                "step": self.step,
                "seconds": round(seconds),
                "dice": {source: vars(overlap) for source, overlap in found.items()},
            },
        )

    def _restore(self) -> None:
        values = read_weights(self.folder / "last.npz")
        self.step = int(values["step"])
        for variable, average in zip(self._averaged, self._average, strict=True):
            variable.assign(values[f"model:{variable.path}"])
            average.assign(values[f"average:{variable.path}"])
        for index, variable in enumerate(self.optimizer.variables):
            variable.assign(values[f"optimizer:{index}"])


def load_lungs(folder: Path) -> Any:
    """The trained network of a run, from ``best.npz``.

    Raises:
        FileNotFoundError: Nothing was trained there.
    """
    path = folder / "best.npz"
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no trained lungs. Run `cxr-train fit-lungs` first."
        )
    body = build_lungs()
    values = read_weights(path)
    for variable in float_variables(body):
        variable.assign(values[variable.path])
    return body


def described(folder: Path) -> dict[str, Any]:
    """What a run wrote into ``metrics.json``; empty where there is none."""
    path = folder / "metrics.json"
    read: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return read
