"""Scores of a frozen model on validation, official test and films that training never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np
import numpy.typing as npt

from desktop.core.panels.contract import snake_case
from training.metrics import classification as metrics

Scores = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Predictions:
    """What a model said of the films of one side.

    Attributes:
        labels: True class indices [N].
        probabilities: [N, K].
        ood_scores: [N].
        names: N file names, so that a row leads back to its film.
        groups: N numbers, the same for films of one person or block; empty where nobody knows.
    """

    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    ood_scores: npt.NDArray[np.float64]
    names: tuple[str, ...]
    groups: tuple[int, ...] = ()


def side_prefix(side: str) -> str:
    """Metric prefix of a side: ``test`` or ``unseen_<set>``."""
    return snake_case(side)


def of_side(values: Scores, side: str) -> dict[str, Mapping[str, float]]:
    """The scores of one side, without its prefix."""
    start = f"{side_prefix(side)}_"
    return {name[len(start) :]: row for name, row in values.items() if name.startswith(start)}


def positive_class(class_names: tuple[str, ...]) -> int | None:
    """In a two-class panel with a normal class, the other one; else None."""
    lowered = [name.lower() for name in class_names]
    if len(lowered) == 2 and "normal" in lowered:
        return 1 - lowered.index("normal")
    return None


def measures_for(
    labels: npt.NDArray[np.int64], class_names: tuple[str, ...]
) -> dict[str, metrics.Measure]:
    """What can be measured on films with these labels; the names are those of :func:`scores`.

    Every measure reads the first K columns of the rows it is given.
    """
    classes = len(class_names)
    present = [int(label) for label in np.unique(labels)]
    found: dict[str, metrics.Measure] = {
        "accuracy": metrics.accuracy,
        "balanced_accuracy": metrics.balanced_accuracy,
        "log_loss": metrics.log_loss,
        "calibration_error": metrics.calibration_error,
        "calibration_error_equal_mass": metrics.calibration_error_equal_mass,
    }
    found |= {f"recall_{snake_case(class_names[k])}": metrics.recall(k) for k in present}
    if classes == 2:
        found["auc"] = lambda truth, values: metrics.auc(truth == 1, values[:, 1])
    elif len(present) == 2:
        first, second = present
        one, other = snake_case(class_names[first]), snake_case(class_names[second])
        found[f"auc_{one}_vs_{other}"] = lambda truth, values: metrics.auc(
            truth == first, values[:, first]
        )
        found[f"{other}_called_{one}"] = lambda truth, values: float(
            np.mean(values[truth == second].argmax(1) == first)
        )
    else:
        found["macro_auc"] = metrics.macro_auc
    return {name: _of_columns(measure, slice(0, classes)) for name, measure in found.items()}


def _of_columns(measure: metrics.Measure, columns: slice) -> metrics.Measure:
    """The measure of some columns of wider rows; the bootstrap resamples rows as a whole."""
    return lambda labels, rows: measure(labels, rows[:, columns])


def verdict_measures() -> dict[str, metrics.Measure]:
    """Measures of verdicts, class indices or -1 for no consensus, in the last column of the rows.

    ``verdict_accuracy`` counts no consensus as wrong, ``consensus_accuracy`` is of the films with
    a consensus only.
    """

    def consensus_accuracy(labels: npt.NDArray[np.int64], rows: npt.NDArray[np.float64]) -> float:
        agreed = rows[:, -1] >= 0
        return float(np.mean(rows[agreed, -1] == labels[agreed])) if agreed.any() else float("nan")

    return {
        "verdict_accuracy": lambda labels, rows: float(np.mean(rows[:, -1] == labels)),
        "consensus_share": lambda _, rows: float(np.mean(rows[:, -1] >= 0)),
        "consensus_accuracy": consensus_accuracy,
    }


def before_measures(classes: int) -> dict[str, metrics.Measure]:
    """Calibration errors of the answers before calibration, in columns K to 2 K of the rows."""
    columns = slice(classes, 2 * classes)
    return {
        f"{name}_before": _of_columns(measure, columns)
        for name, measure in (
            ("calibration_error", metrics.calibration_error),
            ("calibration_error_equal_mass", metrics.calibration_error_equal_mass),
        )
    }


def scores(
    answers: Predictions,
    class_names: tuple[str, ...],
    *,
    before: npt.NDArray[np.float64] | None = None,
    samples: int = 1000,
) -> dict[str, dict[str, float]]:
    """All scores of one side, each with its 95 % bootstrap interval.

    ``accuracy``, ``balanced_accuracy``, ``auc`` (two classes) or ``macro_auc``, ``log_loss``,
    ``calibration_error`` (equal width) and ``calibration_error_equal_mass``, one
    ``recall_<class>`` each, for panels with a normal and one other class ``sensitivity`` and
    ``specificity``, and where only two of several classes occur the area between those two, e.g.
    ``auc_covid_vs_normal``, and the share of the second that is called the first.

    Args:
        answers: Of one side.
        class_names: K names.
        before: Probabilities before calibration [N, K]; adds ``calibration_error_before`` and
            ``calibration_error_equal_mass_before``.
        samples: Of the bootstrap.
    """
    measures = measures_for(answers.labels, class_names)
    rows = answers.probabilities
    if before is not None:
        measures |= before_measures(len(class_names))
        rows = np.concatenate([rows, before], axis=1)
    result = metrics.with_intervals(measures, answers.labels, rows, samples=samples)
    return result | named_recalls(result, class_names)


def known_scores(found: Mapping[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Those that are numbers: a side with one class has no area, and a card's JSON no NaN."""
    return {name: values for name, values in found.items() if all(map(isfinite, values.values()))}


def named_recalls(
    result: Mapping[str, dict[str, float]], class_names: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """``sensitivity`` and ``specificity`` of a panel with a normal and one other class."""
    positive = positive_class(class_names)
    if positive is None:
        return {}
    names = {"sensitivity": positive, "specificity": 1 - positive}
    found = {name: f"recall_{snake_case(class_names[k])}" for name, k in names.items()}
    return {name: result[recall] for name, recall in found.items() if recall in result}


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
