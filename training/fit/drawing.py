"""How often each training film is drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.data.split import SplitData


def drawing_shares(data: SplitData, train: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Probability of drawing each training film, sum 1.

    With ``finding_shares`` in the recipe, every finding is drawn as often as it says, and within a
    finding every data set by the square root of its films: one hospital's films do not drown the
    others', and no handful of films is shown a thousand times. Otherwise balanced recipes give
    every class the same sum.

    Args:
        data: The films.
        train: Indices of the films to draw from.
    """
    if data.recipe.finding_shares:
        shares = _mixed(data, train)
    else:
        shares = data.weights[train].copy()
        if data.recipe.balance:
            for label in np.unique(data.labels[train]):
                chosen = data.labels[train] == label
                shares[chosen] /= shares[chosen].sum()
    result: npt.NDArray[np.float64] = shares / shares.sum()
    return result


def _mixed(data: SplitData, train: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    findings = np.array([data.findings[index] for index in train])
    sources = np.array([data.films[index].source for index in train])
    shares = np.zeros(len(train))
    for finding in np.unique(findings):
        wanted = data.recipe.finding_shares.get(str(finding), 0.0)
        names, counts = np.unique(sources[findings == finding], return_counts=True)
        parts = np.sqrt(counts) / np.sqrt(counts).sum()
        for name, count, part in zip(names, counts, parts, strict=True):
            shares[(findings == finding) & (sources == name)] = wanted * part / count
    return shares
