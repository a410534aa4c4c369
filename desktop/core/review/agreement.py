"""How well readers and models agree: the statistics. Pure functions on class indices.

A class index below 0 means "said nothing" (no label, no answer, no consensus); each function says
what becomes of those. Intervals are 95 % by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.signedinteger[Any]]
Matrix = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_DRAWS = 2000  # of the bootstrap


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval.

    Attributes:
        value: The estimate, NaN where there is nothing to estimate from.
        low: Lower end of the interval, NaN where there is none.
        high: Upper end.
        n: Number of cases it rests on.
    """

    value: float
    low: float
    high: float
    n: int


def wilson(successes: int, total: int, *, confidence: float = 0.95) -> Estimate:
    """A proportion with Wilson's score interval (Wilson 1927), which stays inside [0, 1].

    Args:
        successes: Between 0 and ``total``.
        total: Number of trials; 0 gives NaN.
        confidence: Coverage of the interval.
    """
    if not 0 <= successes <= total:
        raise ValueError("there are at most as many successes as trials")
    if not total:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / total
    scale = 1 + z * z / total
    centre = (share + z * z / (2 * total)) / scale
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / scale
    # Rounding must not put the estimate outside its own interval at 0 and 1.
    return Estimate(
        share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)), total
    )


def confusion_matrix(truth: Labels, calls: Labels, class_count: int) -> Matrix:
    """Counts [K, K], row = truth, column = calls; cases where either said nothing are left out."""
    both = (truth >= 0) & (calls >= 0)
    flat = truth[both].astype(np.int64) * class_count + calls[both]
    counts = np.bincount(flat, minlength=class_count * class_count)
    return counts.reshape(class_count, class_count).astype(np.int64)


def accuracy(matrix: Matrix) -> Estimate:
    """Share of equal answers, with Wilson's interval."""
    return wilson(int(np.trace(matrix)), int(matrix.sum()))


def sensitivity(matrix: Matrix, index: int) -> Estimate:
    """Share of the cases of class ``index`` that were called so (recall)."""
    return wilson(int(matrix[index, index]), int(matrix[index].sum()))


def specificity(matrix: Matrix, index: int) -> Estimate:
    """Share of the cases of other classes that were not called ``index``."""
    others = int(matrix.sum() - matrix[index].sum())
    false_calls = int(matrix[:, index].sum() - matrix[index, index])
    return wilson(others - false_calls, others)


def cohen_kappa(matrix: Matrix) -> float:
    """Agreement of two raters beyond chance (Cohen 1960, eq. 1).

    Returns:
        At most 1; NaN without cases, or where both always say the same one class, since then chance
        alone explains everything.
    """
    total = matrix.sum()
    if not total:
        return float("nan")
    observed = np.trace(matrix) / total
    expected = float(matrix.sum(axis=0) @ matrix.sum(axis=1)) / float(total) ** 2
    return float("nan") if expected == 1 else float((observed - expected) / (1 - expected))


def kappa_with_interval(matrix: Matrix) -> Estimate:
    """Cohen's kappa of counts [K, K] with its 95 % percentile bootstrap interval (Efron 1979).

    Kappa needs nothing but the counts, so drawing cases with replacement is drawing counts from a
    multinomial distribution: the cost does not grow with the number of cases. Draws without a
    kappa are left out; equal counts give equal intervals.
    """
    total = int(matrix.sum())
    if not total:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    draws = np.random.default_rng(0).multinomial(total, matrix.ravel() / total, size=_DRAWS)
    counts = draws.reshape(_DRAWS, *matrix.shape) / total
    observed = np.trace(counts, axis1=1, axis2=2)
    expected = (counts.sum(axis=1) * counts.sum(axis=2)).sum(axis=1)
    defined = expected < 1
    kappas = (observed[defined] - expected[defined]) / (1 - expected[defined])
    if not len(kappas):
        return Estimate(cohen_kappa(matrix), float("nan"), float("nan"), total)
    low, high = np.percentile(kappas, [2.5, 97.5])
    return Estimate(cohen_kappa(matrix), float(low), float(high), total)


def fleiss_kappa(votes: Labels, class_count: int) -> float:
    """Agreement of several raters beyond chance (Fleiss 1971, eq. 1-7).

    Args:
        votes: Class index of each rater, [N, R]; cases where a rater said nothing are left out,
            because the formula wants the same number of ratings for each case.
        class_count: K.

    Returns:
        NaN without complete cases, with one rater, or where all ratings are one class.
    """
    complete = votes[(votes >= 0).all(axis=1)]
    raters = votes.shape[1]
    if not len(complete) or raters < 2:
        return float("nan")
    counts = np.stack([(complete == index).sum(axis=1) for index in range(class_count)], axis=1)
    per_case = (np.square(counts).sum(axis=1) - raters) / (raters * (raters - 1))
    shares = counts.sum(axis=0) / (len(complete) * raters)
    chance = float(np.square(shares).sum())
    return float("nan") if chance == 1 else float((per_case.mean() - chance) / (1 - chance))


@dataclass(frozen=True)
class ReliabilityBin:
    """Cases whose stated confidence lies in one interval.

    Attributes:
        low: Lower end (excluded, except in the first bin).
        high: Upper end (included).
        count: Number of cases.
        confidence: Their mean stated confidence, NaN for none.
        accuracy: Share of them that was right, NaN for none.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def reliability_bins(
    confidence: Floats, correct: npt.NDArray[np.bool_], *, bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Bins of equal width over [0, 1] (Guo et al. 2017, eq. 2).

    Args:
        confidence: Probability of the voted class, [N].
        correct: Whether the vote was right, [N].
        bins: Number of bins.
    """
    edges = np.linspace(0, 1, bins + 1)
    bin_of = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    found = []
    for index in range(bins):
        inside = bin_of == index
        count = int(inside.sum())
        found.append(
            ReliabilityBin(
                float(edges[index]),
                float(edges[index + 1]),
                count,
                float(confidence[inside].mean()) if count else float("nan"),
                float(correct[inside].mean()) if count else float("nan"),
            )
        )
    return tuple(found)


def expected_calibration_error(bins: tuple[ReliabilityBin, ...]) -> float:
    """Mean distance of confidence and accuracy, weighted by cases (Guo et al. 2017, eq. 3).

    Returns:
        In [0, 1]; NaN without cases.
    """
    total = sum(item.count for item in bins)
    if not total:
        return float("nan")
    return (
        sum(item.count * abs(item.accuracy - item.confidence) for item in bins if item.count)
        / total
    )


def brier_score(probabilities: Floats, truth: Labels) -> float:
    """Mean squared distance of the probabilities from the truth, summed over classes (Brier 1950).

    Args:
        probabilities: [N, K]; rows with NaN are left out, as are cases without truth.
        truth: Class index, [N].

    Returns:
        In [0, 2]; NaN without cases.
    """
    used = (truth >= 0) & ~np.isnan(probabilities).any(axis=1)
    if not used.any():
        return float("nan")
    wanted = np.eye(probabilities.shape[1])[truth[used]]
    return float(np.square(probabilities[used] - wanted).sum(axis=1).mean())
