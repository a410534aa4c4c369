"""Where "none of the classes" begins, and how often films carry it.

The panel's score is the mean of its members' ``none_of_these``. The limit is set on validation: at
most 8 % of the films of the classes lie above it, every data set counted the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.core.panels.contract import OUTPUT_NONE_OF_THESE
from training.data.split import NONE_PREFIX, VALIDATION, VALIDATION_NONE, SplitData
from training.metrics import classification as metrics
from training.metrics.classification import weighted_percentile
from training.runtime.onnx_run import run_onnx

#: Share of the films of the classes that may carry it.
FALSE_SHARE = 0.08


@dataclass(frozen=True)
class Carried:
    """How many films of one kind carry the mark.

    Attributes:
        side: Side of the split.
        finding: What the films show.
        source: Data set.
        films: How many.
        share: Share above the limit.
    """

    side: str
    finding: str
    source: str
    films: int
    share: float


@dataclass(frozen=True)
class NoneOfThese:
    """A panel's limit and what it does.

    Attributes:
        limit: Panel score above which a film is none of the classes.
        auc: Area under the ROC curve, validation films of none against those of the classes.
        carried: Each kind of film on each side.
    """

    limit: float
    auc: float
    carried: tuple[Carried, ...]


def panel_scores(
    contents: Sequence[bytes], pixels: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float64]:
    """Mean of the members' ``none_of_these``, float64 [N]."""
    found = [run_onnx(content, pixels, [OUTPUT_NONE_OF_THESE])[0] for content in contents]
    return np.mean(found, axis=0, dtype=np.float64)


def limit_for(scores: npt.NDArray[np.float64], sources: Sequence[str]) -> float:
    """Score that 8 % of the classes' films lie above, every data set counted the same.

    Args:
        scores: Of validation films of the classes, [N].
        sources: Their data sets, N names.
    """
    names, counts = np.unique(np.array(sources), return_counts=True)
    size = dict(zip(names.tolist(), counts.tolist(), strict=True))
    weights = np.array([1.0 / size[name] for name in sources])
    return float(weighted_percentile(scores, weights, 1 - FALSE_SHARE))


def measure_none(contents: Sequence[bytes], data: SplitData) -> NoneOfThese:
    """Set the limit on validation and look at every side with it.

    Args:
        contents: The members' files.
        data: The split that they were trained on.

    Raises:
        ValueError: No validation film is none of the classes.
    """
    classes, none = data.indices(VALIDATION), data.indices(VALIDATION_NONE)
    if not len(none):
        raise ValueError("No validation film shows something that is none of the classes.")
    sides = [VALIDATION, VALIDATION_NONE, *data.test_sides]
    sides += [NONE_PREFIX + side for side in data.test_sides]
    scores = {
        side: panel_scores(contents, data.pixels[data.indices(side)])
        for side in sides
        if len(data.indices(side))
    }
    limit = limit_for(scores[VALIDATION], [data.films[index].source for index in classes])
    both = np.concatenate([scores[VALIDATION], scores[VALIDATION_NONE]])
    truth = np.concatenate([np.zeros(len(classes), np.bool_), np.ones(len(none), np.bool_)])
    carried = []
    for side, values in scores.items():
        kinds: dict[tuple[str, str], list[bool]] = {}
        for index, value in zip(data.indices(side), values, strict=True):
            key = (data.findings[index], data.films[index].source)
            kinds.setdefault(key, []).append(bool(value > limit))
        carried += [
            Carried(side, finding, source, len(found), float(np.mean(found)))
            for (finding, source), found in sorted(kinds.items())
        ]
    return NoneOfThese(limit, metrics.auc(truth, both), tuple(carried))
