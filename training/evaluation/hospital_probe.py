"""Can the last features of a network tell hospitals apart, within one class?

What a network knows of a film's origin it can use instead of the disease. A linear probe (Alain and
Bengio 2016, "Understanding intermediate layers using linear classifier probes") learns the hospital
from the pooled features on half of the patients and is asked of the other half, class by class; its
balanced accuracy is compared with chance, one over the number of hospitals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Fewer films of a hospital say nothing.
SMALLEST_HOSPITAL = 30
_RIDGE = 1.0


@dataclass(frozen=True)
class HospitalProbe:
    """What the probe found within one class.

    Attributes:
        label: Class index.
        hospitals: Names, sorted.
        films: How many were asked.
        accuracy: Balanced over hospitals, 0 to 1.
        chance: One over the number of hospitals.
    """

    label: int
    hospitals: tuple[str, ...]
    films: int
    accuracy: float
    chance: float


def probe_hospitals(
    features: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64],
    hospitals: Sequence[str],
    groups: Sequence[str],
    *,
    seed: int = 5,
) -> list[HospitalProbe]:
    """Probe each class that at least two hospitals have films of.

    Args:
        features: Pooled features of the last convolution, [N, C].
        labels: Class of each film, [N].
        hospitals: Hospital of each film, N names.
        groups: Whose film it is; a person is in one half only.
        seed: Of the halves.

    Returns:
        One result a class, in the order of the classes.
    """
    places, people = np.array(hospitals), np.array(groups)
    random = np.random.default_rng(seed)
    found = []
    for label in np.unique(labels):
        names = [
            str(name)
            for name in np.unique(places[labels == label])
            if ((labels == label) & (places == name)).sum() >= SMALLEST_HOSPITAL
        ]
        if len(names) < 2:
            continue
        chosen = np.flatnonzero((labels == label) & np.isin(places, names))
        known = np.unique(people[chosen])
        halves = dict(zip(known.tolist(), random.permutation(len(known)) % 2, strict=True))
        half = np.array([halves[person] for person in people[chosen].tolist()])
        truth = np.array([names.index(name) for name in places[chosen].tolist()])
        said = np.full(len(chosen), -1)
        for learnt in (0, 1):
            weights = _fit(features[chosen[half == learnt]], truth[half == learnt], len(names))
            said[half != learnt] = _say(weights, features[chosen[half != learnt]])
        recalls = [float((said[truth == k] == k).mean()) for k in range(len(names))]
        found.append(
            HospitalProbe(
                int(label), tuple(names), len(chosen), float(np.mean(recalls)), 1 / len(names)
            )
        )
    return found


_Weights = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]


def _fit(features: npt.NDArray[np.float32], truth: npt.NDArray[np.int64], count: int) -> _Weights:
    """Ridge regression on one-hot hospitals, every hospital counted the same."""
    values = features.astype(np.float64)
    mean, spread = values.mean(0), values.std(0) + 1e-6
    scaled = np.c_[(values - mean) / spread, np.ones(len(values))]
    sizes = np.bincount(truth, minlength=count)
    weight = (1.0 / np.maximum(sizes, 1))[truth] * len(truth) / count
    wanted = np.eye(count)[truth]
    left = scaled.T @ (scaled * weight[:, np.newaxis]) + _RIDGE * np.eye(scaled.shape[1])
    return np.linalg.solve(left, scaled.T @ (wanted * weight[:, np.newaxis])), mean, spread


def _say(weights: _Weights, features: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    matrix, mean, spread = weights
    scaled = np.c_[(features.astype(np.float64) - mean) / spread, np.ones(len(features))]
    return (scaled @ matrix).argmax(1)
