"""Calibration on validation films only: one temperature and, where asked, one shift a class."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from training.metrics.classification import softmax

#: In the folder of a run: a calibration on hospitals that were left out of training.
CALIBRATION_NAME = "calibration.json"


@dataclass(frozen=True)
class Calibration:
    """Probabilities = softmax(logits / temperature + shift).

    Attributes:
        temperature: Above 0 (Guo et al. 2017, section 4.2).
        shift: K values with mean 0, added to the scaled logits.
    """

    temperature: float
    shift: tuple[float, ...]

    def probabilities(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Calibrated probabilities float64 [N, K]."""
        return softmax(logits.astype(np.float64) / self.temperature + np.array(self.shift))


_FEW_FILMS = 10


def balanced_weights(
    labels: npt.NDArray[np.int64], sources: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Weight of each film so that every class counts the same, and within a class every data set.

    The next film comes from a hospital that is in no folder; the largest folder does not speak for
    it.
    """
    weights = np.zeros(len(labels))
    names = np.array(sources)
    for label in np.unique(labels):
        present, counts = np.unique(names[labels == label], return_counts=True)
        # Two films must not speak for a hospital: below ten, each counts a tenth of a data set.
        parts = np.minimum(1.0, counts / _FEW_FILMS)
        for name, count, part in zip(present, counts, parts / parts.sum(), strict=True):
            weights[(labels == label) & (names == name)] = part / count
    result: npt.NDArray[np.float64] = weights / weights.sum()
    return result


def calibrate(
    logits: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    *,
    shift: bool = False,
) -> Calibration:
    """Fit the temperature, and with ``shift`` a shift a class, by the weighted log-likelihood.

    The shift is held near zero by a small penalty: where validation separates the classes
    completely, the likelihood alone would not say where between them the border lies.

    Args:
        logits: Validation logits [N, K].
        labels: [N].
        weights: Weight of each film, sum 1.
        shift: Fit the shift too; else it is 0.
    """
    classes = logits.shape[1]
    chosen = np.arange(len(labels))
    scaled = logits.astype(np.float64)

    def loss(parameters: npt.NDArray[np.float64]) -> float:
        added = parameters[1:] - parameters[1:].mean() if shift else np.zeros(classes)
        values = scaled / np.exp(parameters[0]) + added
        values = values - values.max(1, keepdims=True)
        likelihood = values[chosen, labels] - np.log(np.exp(values).sum(1))
        return float(-(weights * likelihood).sum() + 0.01 * (added**2).sum())

    bounds = [(-3.0, 3.0)] * (classes + 1)
    found = minimize(loss, np.zeros(classes + 1), method="L-BFGS-B", bounds=bounds).x
    added = found[1:] - found[1:].mean() if shift else np.zeros(classes)
    return Calibration(float(np.exp(found[0])), tuple(float(value) for value in added))


def read_calibration(run: Path) -> Calibration | None:
    """What was found on hospitals left out of training, from a run's ``calibration.json``.

    Returns:
        None where the run has no such file: validation decides then.
    """
    path = run / CALIBRATION_NAME
    if not path.is_file():
        return None
    values = json.loads(path.read_text("utf-8"))
    return Calibration(float(values["temperature"]), tuple(map(float, values["shift"])))


@dataclass(frozen=True)
class FalseAlarms:
    """How often a film of one class may be called another one.

    Attributes:
        usual: Class whose films raise the false alarm, index.
        alarm: Class they are called, index.
        share: Largest share on validation, the mean over the data sets that hold both classes:
            a data set with one of them only would be told by its looks.
    """

    usual: int
    alarm: int
    share: float


_STEP = 0.05
_LARGEST = 6.0


def limit_false_alarms(
    calibration: Calibration,
    logits: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    sources: Sequence[str],
    limit: FalseAlarms,
) -> Calibration:
    """Lower the alarm's shift until false alarms on validation are rare enough.

    A panel that calls a tenth of the healthy ill is no use for labelling; the price is paid in
    sensitivity, which the report states.

    Args:
        calibration: What :func:`calibrate` found.
        logits: Validation logits [N, K].
        labels: [N].
        sources: Data set of each film, N names.
        limit: What is allowed.
    """
    names = np.array(sources)
    both = [
        name
        for name in np.unique(names)
        if {limit.usual, limit.alarm} <= set(labels[names == name].tolist())
    ]
    scores = logits.astype(np.float64) / calibration.temperature + np.array(calibration.shift)

    def false_alarms(lowered: float) -> float:
        moved = scores.copy()
        moved[:, limit.alarm] -= lowered
        called = moved.argmax(1) == limit.alarm
        shares = [np.mean(called[(names == name) & (labels == limit.usual)]) for name in both]
        return float(np.mean(shares)) if shares else 0.0

    lowered = next(
        (step for step in np.arange(0, _LARGEST, _STEP) if false_alarms(step) <= limit.share),
        _LARGEST,
    )
    shift = np.array(calibration.shift)
    shift[limit.alarm] -= lowered
    shift -= shift.mean()
    return dataclasses.replace(calibration, shift=tuple(float(value) for value in shift))
