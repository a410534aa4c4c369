"""Fit one network: draw films in balance, augment, AdamW with a cosine, average the weights, keep
the best.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.configs import FitConfig
from training.data.augment import augment
from training.data.outside import soft_masks, swap_outside
from training.data.scanners import imitate_scanners
from training.data.split import TRAIN, TRAIN_NONE, VALIDATION, SplitData
from training.fit.curves import draw_curves
from training.fit.drawing import drawing_shares
from training.fit.networks import build_body, load_best
from training.fit.teacher import Teacher
from training.metrics import classification as metrics
from training.metrics.classification import softmax
from training.models.layers import LOGITS, float_variables, front
from training.models.onnx_weights import take_exported_weights
from training.runtime.files import read_weights, write_atomically, write_json, write_weights
from training.runtime.git_commit import current_commit
from training.runtime.lungs_run import find_lungs
from training.runtime.progress import Progress

# Its advice on retracing is about us, not for the person who trains.
tf.get_logger().setLevel("ERROR")

_EVALUATION_BATCH = 64
_STATISTICS_FILMS = 512


@dataclass
class RunState:
    """What a run knows beside its weights; lives in ``last.npz`` and ``metrics.json``."""

    epoch: int = 0
    best_epoch: int = -1
    best_score: float = -math.inf
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


@contextlib.contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Build layers with a Keras dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def logit_function(body: Any, reduce: int, side: int | None = None) -> Callable[[Any], Any]:
    """``pixels`` -> logits in inference mode, traced once: keep it for repeated use.

    Args:
        body: The network.
        reduce: Averaging factor of the front.
        side: Resize the reduced image to this side, pixels; None leaves it.
    """

    @tf.function(reduce_retracing=True)
    def step(batch: Any) -> Any:
        images = front(batch, reduce)
        if side is not None and side != images.shape[1]:
            images = tf.image.resize(images, [side, side], antialias=True)
        return tf.cast(body(images, training=False)[LOGITS], tf.float32)

    return step  # type: ignore[no-any-return]


def predict_logits(
    step: Callable[[Any], Any], pixels: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float32]:
    """Logits float32 [N, K] of ``pixels`` uint8 [N, H, W, 1], batch by batch."""
    parts = [
        step(tf.constant(pixels[start : start + _EVALUATION_BATCH])).numpy()
        for start in range(0, len(pixels), _EVALUATION_BATCH)
    ]
    return np.concatenate(parts)


class Fit:
    """One training run in one folder; call :meth:`run`, kill it at any time, call it again.

    Args:
        config: What decides the run.
        data: Films with their sides.
        folder: For checkpoints, curves and metrics.
        network: Builds a network of other layers than the configuration's own, for studies.
    """

    def __init__(
        self,
        config: FitConfig,
        data: SplitData,
        folder: Path,
        network: Callable[[], Any] | None = None,
    ) -> None:
        self.config, self.data, self.folder = config, data, folder
        keras.utils.set_random_seed(config.seed)
        self.train = np.concatenate([data.indices(TRAIN), data.indices(TRAIN_NONE)])
        self.validation = data.indices(VALIDATION)
        if not len(self.train) or not len(self.validation):
            raise ValueError(
                f"{len(self.train)} training and {len(self.validation)} validation films: both are "
                "needed. Add images, or class folders with more than a few patients."
            )
        classes = len(data.recipe.class_names)
        logits = classes + data.recipe.teaches_none
        self.state = RunState()
        resuming = (folder / "last.npz").is_file()
        if network is None:
            with _dtype_policy(config.precision):
                self.body = build_body(config, logits, weights="none" if resuming else None)
            if config.weights.endswith(".onnx") and not resuming:
                take_exported_weights(self.body, Path(config.weights), self._films_for_statistics())
        else:
            self.body = network()
        self.steps_per_epoch = max(1, (config.epoch_images or len(self.train)) // config.batch)
        self.optimizer = keras.optimizers.AdamW(
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            clipnorm=5.0,
        )
        self.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.optimizer.build(self.body.trainable_variables)
        self._averaged = float_variables(self.body)
        self._average = [
            tf.Variable(variable.numpy(), trainable=False) for variable in self._averaged
        ]
        if resuming:
            self._restore()
        self._masks = self._lung_masks() if config.outside else None
        self._teacher = self._make_teacher() if config.teacher else None
        self._step = tf.function(self._train_step, reduce_retracing=True)
        # At the size that the run ends with: a network judged at another one looks like chance.
        self._logits = logit_function(self.body, config.reduce, config.stages[-1][1])

    def _films_for_statistics(self) -> npt.NDArray[np.float32]:
        """Training films as drawn, at the size that the run begins with: [N, side, side, 1]."""
        random = np.random.default_rng(self.config.seed)
        shares = drawing_shares(self.data, self.train)
        drawn = random.choice(self.train, _STATISTICS_FILMS, p=shares)
        images = front(tf.constant(self.data.pixels[drawn]), self.config.reduce)
        side = self.config.side_of_epoch(0)
        return tf.image.resize(images, [side, side], antialias=True).numpy()  # type: ignore[no-any-return]

    def _lung_masks(self) -> npt.NDArray[np.uint8]:
        """What is kept of each film when its outside is swapped: [N, side, side], 255 = kept."""
        kept = np.full((len(self.data.films), *[self.config.body_side] * 2), 255, np.uint8)
        network = Path(self.config.lungs).read_bytes()
        found = find_lungs(network, self.data.pixels[self.train])
        kept[self.train] = soft_masks(found, self.config.body_side)
        return kept

    def _make_teacher(self) -> Teacher:
        _, _, body = load_best(Path(self.config.teacher))
        return Teacher(body, self.config.teacher_share)

    # ---- one step -------------------------------------------------------------------------------

    def _train_step(self, pixels: Any, masks: Any, labels: Any, side: Any, decay: Any) -> Any:
        config = self.config
        images = front(pixels, config.reduce)
        if masks is not None:
            images = swap_outside(images, tf.cast(masks, tf.float32) / 255, config.outside)
        images = tf.cond(
            tf.equal(tf.shape(images)[1], side),
            lambda: images,
            lambda: tf.image.resize(images, [side, side], antialias=True),
        )
        images = augment(images, config.augmentation)
        if config.scanners:
            images = imitate_scanners(images, config.scanners)
        if self.body.input_shape[1] is not None:
            images = tf.ensure_shape(images, [None, *self.body.input_shape[1:]])
        else:
            images = tf.ensure_shape(images, [None, None, None, 1])
        with tf.GradientTape() as tape:
            logits = tf.cast(self.body(images, training=True)[LOGITS], tf.float32)
            smooth = config.label_smoothing
            classes = logits.shape[-1]
            target = tf.one_hot(labels, classes) * (1 - smooth) + smooth / classes
            if self._teacher is not None:
                target = self._teacher.targets(images, target)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(target, logits))
        gradients = tape.gradient(loss, self.body.trainable_variables)
        self.optimizer.apply(gradients, self.body.trainable_variables)
        for average, variable in zip(self._average, self._averaged, strict=True):
            average.assign_sub((1 - decay) * (average - variable.value))
        return loss

    def _rate(self, step: int) -> float:
        """Cosine with a linear warm-up; ``step`` counts over the whole run."""
        total = self.config.epochs * self.steps_per_epoch
        warm = max(1, round(self.config.warmup * total))
        if step < warm:
            return self.config.learning_rate * (step + 1) / warm
        return (
            self.config.learning_rate
            * 0.5
            * (1 + math.cos(math.pi * (step - warm) / (total - warm + 1)))
        )

    # ---- the run --------------------------------------------------------------------------------

    def run(
        self,
        *,
        on_progress: Callable[[Progress], None] = lambda _: None,
        on_epoch: Callable[[dict[str, float]], None] = lambda _: None,
    ) -> RunState:
        """Train what is left of the run; write checkpoints, curves and metrics after each epoch."""
        config = self.config
        self.folder.mkdir(parents=True, exist_ok=True)
        self._describe()
        shares = drawing_shares(self.data, self.train)
        masks = self._masks
        while self.state.epoch < config.epochs:
            if (
                self.state.epoch - self.state.best_epoch > config.patience
                and self.state.best_epoch >= 0
            ):
                break
            started = time.monotonic()
            epoch = self.state.epoch
            random = np.random.default_rng([config.seed, epoch])
            tf.random.set_seed(config.seed + epoch)
            drawn = random.choice(self.train, self.steps_per_epoch * config.batch, p=shares)
            side = tf.constant(config.side_of_epoch(epoch))
            loss_sum = 0.0
            for index in range(self.steps_per_epoch):
                step = epoch * self.steps_per_epoch + index
                films = drawn[index * config.batch : (index + 1) * config.batch]
                self.optimizer.learning_rate.assign(self._rate(step))
                decay = min(config.average, (1 + step) / (10 + step))
                loss_sum += float(
                    self._step(
                        tf.constant(self.data.pixels[films]),
                        None if masks is None else tf.constant(masks[films][..., np.newaxis]),
                        tf.constant(self.data.labels[films]),
                        side,
                        tf.constant(decay, tf.float32),
                    )
                )
                on_progress(
                    Progress(
                        epoch,
                        config.epochs,
                        step + 1,
                        config.epochs * self.steps_per_epoch,
                        loss_sum / (index + 1),
                    )
                )
            row = {"epoch": float(epoch + 1), "loss": loss_sum / self.steps_per_epoch}
            row |= self._validate()
            self.state.epoch += 1
            self.state.seconds += time.monotonic() - started
            row["seconds"] = time.monotonic() - started
            self.state.history.append(row)
            if row["score"] > self.state.best_score:
                self.state.best_score, self.state.best_epoch = row["score"], epoch
                self._save_best()
            self._save_last()
            on_epoch(row)
        return self.state

    def _validate(self) -> dict[str, float]:
        """Score the averaged weights on the validation films."""
        raw = [variable.numpy() for variable in self._averaged]
        for variable, average in zip(self._averaged, self._average, strict=True):
            variable.assign(average)
        logits = predict_logits(self._logits, self.data.pixels[self.validation])
        for variable, value in zip(self._averaged, raw, strict=True):
            variable.assign(value)
        classes = len(self.data.recipe.class_names)
        labels, probabilities = self.data.labels[self.validation], softmax(logits[:, :classes])
        area = metrics.macro_auc(labels, probabilities)
        balanced = metrics.balanced_accuracy(labels, probabilities)
        return {
            "val_macro_auc": area,
            "val_balanced_accuracy": balanced,
            "val_log_loss": metrics.log_loss(labels, probabilities),
            # Neither rewards the majority class; the area alone is flat near 1.
            "score": balanced if area != area else (area + balanced) / 2,
        }

    # ---- files ----------------------------------------------------------------------------------

    def _describe(self) -> None:
        path = self.folder / "config.json"
        # A resumed run keeps the commit that began it, also where that is not known.
        begun = json.loads(path.read_text()).get("commit", "") if path.is_file() else ""
        counts: dict[str, dict[str, int]] = {}
        for film, side in zip(self.data.films, self.data.sides, strict=True):
            row = counts.setdefault(side, {})
            key = f"{film.source}: {film.label}"
            row[key] = row.get(key, 0) + 1
        write_json(
            path,
            {
                "commit": begun if self.state.epoch else current_commit(),
                "panel": self.data.recipe.panel,
                "class_names": list(self.data.recipe.class_names),
                "none_of_these": self.data.recipe.teaches_none,
                "fit": self.config.to_dict(),
                "training_data_sha256": self.data.training_hash,
                "films": counts,
                "notes": self.data.notes,
                "parameters": int(self.body.count_params()),
            },
        )

    def _save_best(self) -> None:
        values = {
            variable.path: average.numpy()
            for variable, average in zip(self._averaged, self._average, strict=True)
        }
        write_weights(self.folder / "best.npz", values)

    def _save_last(self) -> None:
        values: dict[str, npt.NDArray[Any]] = {
            f"model:{variable.path}": variable.numpy() for variable in self._averaged
        }
        for variable, average in zip(self._averaged, self._average, strict=True):
            values[f"average:{variable.path}"] = average.numpy()
        for index, variable in enumerate(self.optimizer.variables):
            values[f"optimizer:{index}"] = variable.numpy()
        values["state"] = np.array(json.dumps(vars(self.state)))
        write_weights(self.folder / "last.npz", values)
        columns = list(self.state.history[0])
        lines = [",".join(columns)]
        lines += [",".join(f"{row[name]:.6g}" for name in columns) for row in self.state.history]
        write_atomically(self.folder / "curves.csv", ("\n".join(lines) + "\n").encode())
        write_atomically(self.folder / "curves.png", draw_curves(self.state.history))
        write_json(self.folder / "metrics.json", vars(self.state))

    def _restore(self) -> None:
        values = read_weights(self.folder / "last.npz")
        state = json.loads(str(values["state"]))
        self.state = RunState(**state)
        for variable in self._averaged:
            variable.assign(values[f"model:{variable.path}"])
        for variable, average in zip(self._averaged, self._average, strict=True):
            average.assign(values[f"average:{variable.path}"])
        for index, variable in enumerate(self.optimizer.variables):
            variable.assign(values[f"optimizer:{index}"])
