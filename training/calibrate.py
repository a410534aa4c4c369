"""Calibration on validation films only: one temperature, and one shift a class for an even-handed vote."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from training.train import softmax


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


def class_balanced(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Weight of each film so that every class counts the same; sum 1."""
    counts = np.bincount(labels)
    weights = 1.0 / counts[labels]
    result: npt.NDArray[np.float64] = weights / weights.sum()
    return result


def calibrate(
    logits: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64] | None = None,
) -> Calibration:
    """Fit temperature and shift by the weighted log-likelihood.

    The shift is held near zero by a small penalty: where validation separates the classes completely, the
    likelihood alone would not say where between them the border lies.

    Args:
        logits: Validation logits [N, K].
        labels: [N].
        weights: Weight of each film, sum 1; by default every class counts the same.
    """
    if weights is None:
        weights = class_balanced(labels)
    classes = logits.shape[1]
    chosen = np.arange(len(labels))
    scaled = logits.astype(np.float64)

    def loss(parameters: npt.NDArray[np.float64]) -> float:
        shift = parameters[1:] - parameters[1:].mean()
        values = scaled / np.exp(parameters[0]) + shift
        values = values - values.max(1, keepdims=True)
        likelihood = values[chosen, labels] - np.log(np.exp(values).sum(1))
        return float(-(weights * likelihood).sum() + 0.01 * (shift**2).sum())

    found = minimize(loss, np.zeros(classes + 1), method="L-BFGS-B", bounds=[(-3, 3)] + [(-3, 3)] * classes)
    shift = found.x[1:] - found.x[1:].mean()
    return Calibration(float(np.exp(found.x[0])), tuple(float(value) for value in shift))
