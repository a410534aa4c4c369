"""Scores with bootstrap intervals, in numpy, for any number of classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Measure = Callable[[Labels, Floats], float]


def auc(positive: npt.NDArray[np.bool_], scores: Floats) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney), ties count half; NaN with one class."""
    count = int(positive.sum())
    others = len(positive) - count
    if not count or not others:
        return float("nan")
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    # Equal scores share one place: positives there meet half of the others there.
    rank = np.concatenate([[0], np.cumsum(ordered[1:] != ordered[:-1])])
    found = np.bincount(rank, positive[order])
    other = np.bincount(rank, ~positive[order])
    below = np.cumsum(other) - other / 2
    return float(found @ below) / (count * others)


def macro_auc(labels: Labels, probabilities: Floats) -> float:
    """Mean one-against-rest AUC over the classes that occur; for two classes the plain AUC."""
    with np.errstate(invalid="ignore"):
        areas = [auc(labels == k, probabilities[:, k]) for k in range(probabilities.shape[1])]
    known = [area for area in areas if area == area]
    return float(np.mean(known)) if known else float("nan")


def softmax(logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Probabilities float64 [N, K]."""
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    powers = np.exp(shifted)
    result: npt.NDArray[np.float64] = powers / powers.sum(1, keepdims=True)
    return result


def accuracy(labels: Labels, probabilities: Floats) -> float:
    """Share of films whose most probable class is right."""
    return float(np.mean(probabilities.argmax(1) == labels))


def balanced_accuracy(labels: Labels, probabilities: Floats) -> float:
    """Mean recall over the classes that occur."""
    votes = probabilities.argmax(1)
    return float(np.mean([np.mean(votes[labels == k] == k) for k in np.unique(labels)]))


def recall(class_index: int) -> Measure:
    """Share of a class's films that are called so (sensitivity of that class)."""

    def of(labels: Labels, probabilities: Floats) -> float:
        chosen = labels == class_index
        if not chosen.any():
            return float("nan")
        return float(np.mean(probabilities[chosen].argmax(1) == class_index))

    return of


def log_loss(labels: Labels, probabilities: Floats) -> float:
    """Mean negative log-likelihood, in nats.

    Probabilities below 1e-5 count as 1e-5: a table of six decimals gives the same, and a single
    film cannot outweigh all others.
    """
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.mean(np.log(np.clip(chosen, 1e-5, 1))))


def equal_width_bins(confidence: Floats, bins: int = 10) -> npt.NDArray[np.int64]:
    """Bin of each film, 0 to ``bins - 1``, equally wide over 0 to 1; some may be empty."""
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def equal_mass_bins(confidence: Floats, bins: int = 10) -> npt.NDArray[np.int64]:
    """Bin of each film, by rising confidence, as many films in each as in any other (or one more).

    Films of equal confidence may fall into two bins, in the order in which they came.
    """
    result = np.empty(len(confidence), np.int64)
    places = np.arange(len(confidence)) * min(bins, len(confidence)) // len(confidence)
    result[np.argsort(confidence, kind="stable")] = places
    return result


def _gap(labels: Labels, probabilities: Floats, bins: npt.NDArray[np.int64]) -> float:
    """Sum over bins of |right - confidence|, over all films."""
    gaps = (probabilities.argmax(1) == labels) - probabilities.max(1)
    return float(np.abs(np.bincount(bins, gaps)).sum() / len(labels))


def calibration_error(labels: Labels, probabilities: Floats) -> float:
    """Expected calibration error of the top class, equal-width bins (Guo et al. 2017, eq. 3)."""
    return _gap(labels, probabilities, equal_width_bins(probabilities.max(1)))


def calibration_error_equal_mass(labels: Labels, probabilities: Floats) -> float:
    """The same over bins of as many films each (Nguyen and O'Connor 2015)."""
    return _gap(labels, probabilities, equal_mass_bins(probabilities.max(1)))


def confusion(labels: Labels, votes: Labels, classes: int) -> npt.NDArray[np.int64]:
    """Counts [true, called]; films without a call (vote -1) are left out."""
    table = np.zeros((classes, classes), np.int64)
    for label, vote in zip(labels.tolist(), votes.tolist(), strict=True):
        if vote >= 0:
            table[label, vote] += 1
    return table


def with_intervals(
    measures: Mapping[str, Measure],
    labels: Labels,
    probabilities: Floats,
    *,
    samples: int = 1000,
    seed: int = 7,
) -> dict[str, dict[str, float]]:
    """Estimates and 95 % bootstrap intervals (percentiles), resampled within each class.

    All measures see the same samples, so one of them alone gets the same interval.

    Args:
        measures: Name -> what to measure.
        labels: True class of N films.
        probabilities: [N, any]; whatever the measures read.
        samples: How many.
        seed: Of the draw.

    Returns:
        For each name ``value``, ``low``, ``high`` and ``n``.
    """
    random = np.random.default_rng(seed)
    per_class = [np.flatnonzero(labels == k) for k in np.unique(labels)]
    values: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(samples):
        drawn = np.concatenate([random.choice(films, len(films)) for films in per_class])
        truth, rows = labels[drawn], probabilities[drawn]
        for name, measure in measures.items():
            values[name].append(measure(truth, rows))
    result = {}
    for name, measure in measures.items():
        known = np.array(values[name])[~np.isnan(values[name])]
        low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
        result[name] = {
            "value": float(measure(labels, probabilities)),
            "low": float(low),
            "high": float(high),
            "n": float(len(labels)),
        }
    return result


def with_interval(
    measure: Measure,
    labels: Labels,
    probabilities: Floats,
    *,
    samples: int = 1000,
    seed: int = 7,
) -> dict[str, float]:
    """One measure of :func:`with_intervals`."""
    found = with_intervals({"": measure}, labels, probabilities, samples=samples, seed=seed)
    return found[""]


def interval(values: Mapping[str, float]) -> str:
    """``0.953 (0.931 to 0.972)``."""
    return f"{values['value']:.3f} ({values['low']:.3f} to {values['high']:.3f})"


def weighted_percentile(
    values: npt.NDArray[Any], weights: npt.NDArray[np.float64], share: float
) -> float:
    """Smallest value with at least ``share`` of the weight at or below it."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(np.searchsorted(reached, share), len(values) - 1)])
