"""Scores with bootstrap intervals, in numpy, for any number of classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def auc(positive: npt.NDArray[np.bool_], scores: Floats) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney), ties count half; NaN with one class."""
    count = int(positive.sum())
    others = len(positive) - count
    if not count or not others:
        return float("nan")
    values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    del values
    total = float(ranks[inverse][positive].sum())
    return (total - count * (count + 1) / 2) / (count * others)


def macro_auc(labels: Labels, probabilities: Floats) -> float:
    """Mean one-against-rest AUC over the classes that occur; for two classes the plain AUC."""
    with np.errstate(invalid="ignore"):
        areas = [auc(labels == k, probabilities[:, k]) for k in range(probabilities.shape[1])]
    known = [area for area in areas if area == area]
    return float(np.mean(known)) if known else float("nan")


def accuracy(labels: Labels, probabilities: Floats) -> float:
    """Share of films whose most probable class is right."""
    return float(np.mean(probabilities.argmax(1) == labels))


def balanced_accuracy(labels: Labels, probabilities: Floats) -> float:
    """Mean recall over the classes that occur."""
    votes = probabilities.argmax(1)
    return float(np.mean([np.mean(votes[labels == k] == k) for k in np.unique(labels)]))


def recall(class_index: int) -> Callable[[Labels, Floats], float]:
    """Share of a class's films that are called so (sensitivity of that class)."""

    def of(labels: Labels, probabilities: Floats) -> float:
        chosen = labels == class_index
        if not chosen.any():
            return float("nan")
        return float(np.mean(probabilities[chosen].argmax(1) == class_index))

    return of


def log_loss(labels: Labels, probabilities: Floats) -> float:
    """Mean negative log-likelihood, in nats."""
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.mean(np.log(np.clip(chosen, 1e-7, 1))))


def calibration_error(labels: Labels, probabilities: Floats, bins: int = 10) -> float:
    """Expected calibration error of the top class, equal-width bins (Guo et al. 2017, eq. 3)."""
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for bin_index in range(bins):
        inside = index == bin_index
        if inside.any():
            error += float(inside.mean()) * abs(
                float(right[inside].mean()) - float(confidence[inside].mean())
            )
    return error


def confusion(labels: Labels, votes: Labels, classes: int) -> npt.NDArray[np.int64]:
    """Counts [true, called]; films without a call (vote -1) are left out."""
    table = np.zeros((classes, classes), np.int64)
    for label, vote in zip(labels.tolist(), votes.tolist(), strict=True):
        if vote >= 0:
            table[label, vote] += 1
    return table


def with_interval(
    measure: Callable[[Labels, Floats], float],
    labels: Labels,
    probabilities: Floats,
    *,
    samples: int = 1000,
    seed: int = 7,
) -> dict[str, float]:
    """Estimate and 95 % bootstrap interval (percentiles), resampled within each class.

    Returns:
        ``value``, ``low``, ``high`` and ``n``.
    """
    random = np.random.default_rng(seed)
    per_class = [np.flatnonzero(labels == k) for k in np.unique(labels)]
    values = []
    for _ in range(samples):
        drawn = np.concatenate([random.choice(films, len(films)) for films in per_class])
        values.append(measure(labels[drawn], probabilities[drawn]))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return {
        "value": float(measure(labels, probabilities)),
        "low": float(low),
        "high": float(high),
        "n": float(len(labels)),
    }
