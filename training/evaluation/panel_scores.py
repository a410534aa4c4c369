"""Every number about a panel, from what its models said: for export, report and tables to check.

The same function reads the answers kept at export and those of a CSV that ``cxr-quorum label``
wrote, so that the report can be computed again from the outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.panels.contract import ModelCard
from training.data.split import VALIDATION
from training.evaluation.abstention import coverage_curve, near_ties
from training.evaluation.predictions import PanelPredictions, together
from training.evaluation.scores import (
    Predictions,
    before_measures,
    measures_for,
    named_recalls,
    panel_votes,
    side_prefix,
    verdict_measures,
)
from training.evaluation.subgroups import Traits, known_traits, subgroup_scores, traits_of
from training.evaluation.vote_rules import compare_rules
from training.metrics import classification as metrics
from training.metrics.reliability import Bin, reliability_bins, uncalibrated

Floats = npt.NDArray[np.float64]

PANEL = "panel"
_CURVE_POINTS = 80


@dataclass(frozen=True)
class CardSettings:
    """What a card says of its model's answers.

    Attributes:
        temperature: Of the calibration.
        shift: Of the calibration, by class name.
        operating_points: Class name -> probability at or above which the class is called.
    """

    temperature: float = 1.0
    shift: Mapping[str, float] = field(default_factory=dict)
    operating_points: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, card: ModelCard) -> CardSettings:
        return cls(card.temperature, card.shift, card.operating_points)


def befores(
    members: list[Predictions],
    models: tuple[str, ...],
    class_names: tuple[str, ...],
    settings: Mapping[str, CardSettings],
) -> list[Floats]:
    """Probabilities [N, K] of each model before calibration."""
    return [
        uncalibrated(
            member.probabilities, settings[model].temperature, settings[model].shift, class_names
        )
        for model, member in zip(models, members, strict=True)
    ]


def panel_scores(
    members: list[Predictions], class_names: tuple[str, ...], before: list[Floats] | None = None
) -> dict[str, dict[str, float]]:
    """Scores of the panel on one side: of the mean probability, under the names of
    :func:`training.evaluation.scores.scores`, and of the verdict.
    """
    whole = together(members)
    votes, _ = panel_votes([member.probabilities for member in members])
    measures = measures_for(whole.labels, class_names)
    parts = [whole.probabilities]
    if before is not None:
        measures |= before_measures(len(class_names))
        parts.append(np.mean(before, axis=0))
    # The bootstrap resamples rows, so the votes are one more column.
    rows = np.column_stack([*parts, votes.astype(np.float64)])
    measures |= verdict_measures()
    result = metrics.with_intervals(measures, whole.labels, rows)
    return result | named_recalls(result, class_names)


def panel_numbers(
    answers: PanelPredictions,
    settings: Mapping[str, CardSettings],
    metadata: Mapping[str, Traits] | None = None,
) -> dict[str, Any]:
    """``scores``, ``coverage``, ``near_ties``, ``vote_rules`` and ``subgroups``, ready for JSON.

    Args:
        answers: Of all models on all sides.
        settings: By model.
        metadata: Traits of films by path or name; without it what the data sets tell.
    """
    names = answers.class_names
    found: dict[str, Any] = {"scores": {}, "coverage": {}, "near_ties": {}, "subgroups": {}}
    for side in answers.sides:
        members = answers.members(side)
        whole = together(members)
        probabilities = [member.probabilities for member in members]
        before = befores(members, answers.models, names, settings)
        for name, values in panel_scores(members, names, before).items():
            found["scores"][f"{side_prefix(side)}_{name}"] = values
        found["coverage"][side] = coverage_curve(whole.labels, probabilities)
        found["near_ties"][side] = near_ties(whole.labels, probabilities)
        traits = [_traits(name, metadata) for name in whole.names]
        found["subgroups"][side] = subgroup_scores(whole, probabilities, traits, names)
        if side == VALIDATION and whole.groups:
            found["vote_rules"] = compare_rules(
                whole.labels,
                probabilities,
                np.array(whole.groups, np.int64),
                [name.split("/", 1)[0] for name in whole.names],
            )
    return found


def _traits(name: str, metadata: Mapping[str, Traits] | None) -> Traits | None:
    if metadata is not None:
        return traits_of(name, metadata)
    return known_traits(name.split("/", 1)[0], name.rsplit("/", 1)[-1])


def panel_figures(
    answers: PanelPredictions, settings: Mapping[str, CardSettings]
) -> dict[str, Any]:
    """Points of the report's figures: side -> ``roc`` and so on.

    ``roc`` is class -> model or ``panel`` -> ``[[false positive share], [true positive share]]``;
    ``operating`` is model -> class -> the two shares at the card's operating point;
    ``reliability`` is model or ``panel`` -> ``before`` and ``after``, bins of equal mass as
    ``[films, confidence, accuracy]``; ``confusion`` is counts ``[true][called]``, for ``verdict``
    with one more column for no consensus.
    """
    names = answers.class_names
    result: dict[str, Any] = {}
    for side in answers.sides:
        members = answers.members(side)
        whole = together(members)
        before = befores(members, answers.models, names, settings)
        given = {
            model: (member.probabilities, earlier)
            for model, member, earlier in zip(answers.models, members, before, strict=True)
        }
        given[PANEL] = (whole.probabilities, np.mean(before, axis=0))
        result[side] = {
            "roc": {
                names[k]: {
                    model: _roc(whole.labels == k, after[:, k])
                    for model, (after, _) in given.items()
                }
                for k in _classes_to_draw(whole.labels, len(names))
            },
            "operating": {
                model: {
                    name: _at_point(whole.labels == k, given[model][0][:, k], point)
                    for k, name in enumerate(names)
                    if (point := settings[model].operating_points.get(name)) is not None
                }
                for model in answers.models
            },
            "reliability": {
                model: {
                    "before": _bins(reliability_bins(whole.labels, earlier, equal_mass=True)),
                    "after": _bins(reliability_bins(whole.labels, after, equal_mass=True)),
                }
                for model, (after, earlier) in given.items()
            },
            "confusion": {
                model: metrics.confusion(whole.labels, after.argmax(1), len(names)).tolist()
                for model, (after, _) in given.items()
            }
            | {"verdict": _verdicts(whole.labels, members, len(names))},
        }
    return result


def _classes_to_draw(labels: npt.NDArray[np.int64], classes: int) -> list[int]:
    """Classes with a curve of their own; of two that occur the second is the first's mirror."""
    present = [int(label) for label in np.unique(labels)]
    if len(present) < 2:
        return []
    if classes == 2:
        return [1]
    return present[:1] if len(present) == 2 else present


def _verdicts(
    labels: npt.NDArray[np.int64], members: list[Predictions], classes: int
) -> list[list[int]]:
    votes, _ = panel_votes([member.probabilities for member in members])
    called = np.where(votes < 0, classes, votes)
    return metrics.confusion(labels, called, classes + 1)[:classes].tolist()


def _bins(bins: tuple[Bin, ...]) -> list[list[float]]:
    return [[one.films, round(one.confidence, 4), round(one.accuracy, 4)] for one in bins]


def _at_point(positive: npt.NDArray[np.bool_], scores: Floats, point: float) -> list[float]:
    called = scores >= point
    return [
        round(float(called[chosen].mean()), 4) if chosen.any() else 0.0
        for chosen in (~positive, positive)
    ]


def _roc(positive: npt.NDArray[np.bool_], scores: Floats) -> list[list[float]]:
    """Corners of the ROC curve, from (0, 0) to (1, 1), at most 80."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_equals = np.append(ordered[1:] != ordered[:-1], True)
    true = np.append(0, np.cumsum(positive[order])[last_of_equals])
    false = np.append(0, np.cumsum(~positive[order])[last_of_equals])
    # A point on a straight line between its neighbours draws nothing.
    bends = (np.diff(true[:-1]) * np.diff(false[1:])) != (np.diff(true[1:]) * np.diff(false[:-1]))
    corners = np.flatnonzero(np.concatenate([[True], bends, [True]]))
    if len(corners) > _CURVE_POINTS:
        chosen = np.linspace(0, len(corners) - 1, _CURVE_POINTS).round().astype(int)
        corners = corners[np.unique(chosen)]
    return [
        [round(float(value), 4) for value in false[corners] / max(1, (~positive).sum())],
        [round(float(value), 4) for value in true[corners] / max(1, positive.sum())],
    ]
