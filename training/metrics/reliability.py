"""Are probabilities what they say? Bins of a reliability diagram; answers before calibration.

Expected calibration error of the voted class in ten bins, in two ways: *equal width* (Guo et al.
2017, eq. 3), where nearly empty bins hardly count, and *equal mass* (Nguyen and O'Connor 2015),
where every bin has as many films.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.metrics.classification import equal_mass_bins, equal_width_bins

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

#: float32 in the graph ends here; a probability of 0 has no logarithm.
_SMALLEST = 1e-12


@dataclass(frozen=True)
class Bin:
    """One bar of a reliability diagram.

    Attributes:
        films: How many films fell into it.
        confidence: Their mean probability of the class voted for.
        accuracy: The share of them that was right.
    """

    films: int
    confidence: float
    accuracy: float


def reliability_bins(
    labels: Labels, probabilities: Floats, *, equal_mass: bool = False, bins: int = 10
) -> tuple[Bin, ...]:
    """The bins that hold films, by rising confidence.

    Args:
        labels: True class of N films.
        probabilities: float64 [N, K].
        equal_mass: As many films in every bin; else bins of the same width over 0 to 1.
        bins: How many.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    found = equal_mass_bins(confidence, bins) if equal_mass else equal_width_bins(confidence, bins)
    parts = [np.flatnonzero(found == place) for place in range(bins)]
    return tuple(
        Bin(len(part), float(confidence[part].mean()), float(right[part].mean()))
        for part in parts
        if len(part)
    )


def uncalibrated(
    probabilities: Floats,
    temperature: float,
    shift: Mapping[str, float],
    class_names: Sequence[str],
) -> Floats:
    """What the network would say without temperature and shift.

    With p = softmax(z / T + s) the logits are z = T (log p - s) up to a constant, so the answer
    before calibration follows from the one after it.

    Args:
        probabilities: Calibrated, float64 [N, K].
        temperature: T of the card.
        shift: s of the card, by class name; a class without one has 0.
        class_names: K names in output order.
    """
    added = np.array([float(shift.get(name, 0.0)) for name in class_names])
    logits = temperature * (np.log(np.clip(probabilities, _SMALLEST, 1)) - added)
    powers = np.exp(logits - logits.max(1, keepdims=True))
    result: Floats = powers / powers.sum(1, keepdims=True)
    return result
