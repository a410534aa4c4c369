"""Scores of a frozen model on validation, official test and films that training never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.core.contract import snake_case
from training import metrics
from training.splits import OFFICIAL_TEST, UNSEEN_PREFIX

Scores = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Answers:
    """What a model said of the films of one side.

    Attributes:
        labels: True class indices [N].
        probabilities: [N, K].
        ood_scores: [N].
        names: N file names, so that a row leads back to its film.
    """

    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    ood_scores: npt.NDArray[np.float64]
    names: tuple[str, ...]


def side_prefix(side: str) -> str:
    """Metric prefix of a side: ``test`` or ``unseen_<set>``."""
    if side == OFFICIAL_TEST:
        return "test"
    return snake_case(side if side.startswith(UNSEEN_PREFIX) else f"{side}")


def positive_class(class_names: tuple[str, ...]) -> int | None:
    """In a two-class panel with a normal class, the other one; else None."""
    lowered = [name.lower() for name in class_names]
    if len(lowered) == 2 and "normal" in lowered:
        return 1 - lowered.index("normal")
    return None


def scores(
    answers: Answers, class_names: tuple[str, ...], *, samples: int = 1000
) -> dict[str, dict[str, float]]:
    """All scores of one side, each with its 95 % bootstrap interval.

    ``accuracy``, ``balanced_accuracy``, ``auc`` (two classes) or ``macro_auc``, ``log_loss``,
    ``calibration_error``, one ``recall_<class>`` each, for panels with a normal and one other class
    ``sensitivity`` and ``specificity``, and where only two of several classes occur the area
    between those two, e.g. ``auc_covid_vs_normal``.
    """
    labels, probabilities = answers.labels, answers.probabilities
    present = [int(label) for label in np.unique(labels)]
    found = {
        "accuracy": metrics.accuracy,
        "balanced_accuracy": metrics.balanced_accuracy,
        "log_loss": metrics.log_loss,
        "calibration_error": metrics.calibration_error,
    }
    found |= {f"recall_{snake_case(class_names[k])}": metrics.recall(k) for k in present}
    result = {
        name: metrics.with_interval(measure, labels, probabilities, samples=samples)
        for name, measure in found.items()
    }
    if len(class_names) == 2:
        result["auc"] = metrics.with_interval(
            lambda truth, values: metrics.auc(truth == 1, values[:, 1]),
            labels,
            probabilities,
            samples=samples,
        )
    elif len(present) == 2:
        first, second = present
        name = f"auc_{snake_case(class_names[first])}_vs_{snake_case(class_names[second])}"
        result[name] = metrics.with_interval(
            lambda truth, values: metrics.auc(truth == first, values[:, first]),
            labels,
            probabilities,
            samples=samples,
        )
        called = f"{snake_case(class_names[second])}_called_{snake_case(class_names[first])}"
        result[called] = metrics.with_interval(
            lambda truth, values: float(np.mean(values[truth == second].argmax(1) == first)),
            labels,
            probabilities,
            samples=samples,
        )
    else:
        result["macro_auc"] = metrics.with_interval(
            metrics.macro_auc, labels, probabilities, samples=samples
        )
    positive = positive_class(class_names)
    if positive is not None:
        result["sensitivity"] = result[f"recall_{snake_case(class_names[positive])}"]
        result["specificity"] = result[f"recall_{snake_case(class_names[1 - positive])}"]
    return result


def panel_votes(
    members: list[npt.NDArray[np.float64]],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The verdicts of a panel.

    Args:
        members: Probabilities [N, K] of each model.

    Returns:
        Consensus [N], the class of a strict majority of the models or -1; mean probabilities
        [N, K].
    """
    stacked = np.stack(members)
    classes = stacked.shape[2]
    counts = (stacked.argmax(2)[..., np.newaxis] == np.arange(classes)).sum(0)
    best = counts.argmax(1)
    majority = counts.max(1) * 2 > len(members)
    return np.where(majority, best, -1), stacked.mean(0)


def operating_points(
    labels: npt.NDArray[np.int64],
    probabilities: npt.NDArray[np.float64],
    class_names: tuple[str, ...],
) -> dict[str, float]:
    """For each class the probability with the largest sensitivity + specificity (Youden)."""
    points = {}
    for k, name in enumerate(class_names):
        positive = labels == k
        candidates = np.unique(probabilities[:, k])
        middles = np.concatenate([[0.0], (candidates[1:] + candidates[:-1]) / 2, [1.0]])
        if not positive.any() or positive.all():
            points[name] = 0.5
            continue
        ordered_positive = np.sort(probabilities[positive, k])
        ordered_other = np.sort(probabilities[~positive, k])
        sensitivity = 1 - np.searchsorted(ordered_positive, middles) / len(ordered_positive)
        specificity = np.searchsorted(ordered_other, middles) / len(ordered_other)
        gains = sensitivity + specificity
        # The middle of the plateau of equally good points, not its edge.
        plateau = middles[gains >= gains.max() - 1e-12]
        points[name] = round(float(np.median(plateau)), 4)
    return points
