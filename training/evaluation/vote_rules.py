"""Would another way of voting be better? Asked on validation only, by folds of persons.

Each rule gives every film one class, so that they can be compared: the majority decides where there
is one, and its films without a consensus go to the class with the largest mean probability. What
another rule learns (weights, a logistic regression) it learns on the other folds. A rule beats the
majority only where the interval of the difference, resampled by person, lies above zero. The plain
majority stays what the app uses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluation.scores import panel_votes
from training.metrics import classification as metrics
from training.metrics.calibration import balanced_weights

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

MAJORITY = "majority (near-ties by mean probability)"
MEAN = "mean probability"
WEIGHTED = "votes weighted by validation log loss"
STACKED = "logistic stacking"

_FOLDS = 5
#: Of the folds and the bootstrap.
_SEED = 11
_SAMPLES = 1000
#: Of the logistic regression: the inverse of its L2 penalty.
_FREEDOM = 0.1


def compare_rules(
    labels: Labels, members: list[Floats], groups: Labels, sources: list[str]
) -> dict[str, Any]:
    """All rules on validation, ready for JSON.

    Args:
        labels: True class of N validation films.
        members: Probabilities [N, K] of each model.
        groups: [N], equal for films of one person or block.
        sources: Data set of each film.

    Returns:
        ``films``, ``groups``, ``folds``, and under ``rules`` for each its ``accuracy``,
        ``balanced_accuracy``, the ``difference`` of balanced accuracy to the majority with its
        interval, and ``beats_majority``.
    """
    folds = _folds(groups)
    votes = {
        MAJORITY: _majority(members),
        MEAN: np.mean(members, axis=0).argmax(1),
        WEIGHTED: np.full(len(labels), -1, np.int64),
        STACKED: np.full(len(labels), -1, np.int64),
    }
    for fold in range(_FOLDS):
        held = folds == fold
        if not held.any() or len(np.unique(labels[~held])) < 2:
            continue
        weights = balanced_weights(labels[~held], [sources[i] for i in np.flatnonzero(~held)])
        learnt = [member[~held] for member in members]
        asked = [member[held] for member in members]
        votes[WEIGHTED][held] = _weighted(learnt, labels[~held], weights, asked)
        votes[STACKED][held] = _stacked(learnt, labels[~held], weights, asked)
    return {
        "films": len(labels),
        "groups": len(np.unique(groups)),
        "folds": _FOLDS,
        "rules": _compared(labels, votes, groups),
    }


def _folds(groups: Labels) -> Labels:
    """Fold of each film; films of one group in the same."""
    names, inverse = np.unique(groups, return_inverse=True)
    order = np.random.default_rng(_SEED).permutation(len(names))
    return np.asarray((order % _FOLDS)[inverse], np.int64)


def _majority(members: list[Floats]) -> Labels:
    consensus, mean = panel_votes(members)
    return np.where(consensus >= 0, consensus, mean.argmax(1))


def _weighted(learnt: list[Floats], labels: Labels, weights: Floats, asked: list[Floats]) -> Labels:
    """Each model's vote counts 1 / (its log loss), every class and data set counted the same."""
    chosen = np.arange(len(labels))
    losses = [
        float(-(weights * np.log(np.clip(member[chosen, labels], 1e-7, 1))).sum())
        for member in learnt
    ]
    classes = asked[0].shape[1]
    scores = np.zeros((len(asked[0]), classes))
    for member, loss in zip(asked, losses, strict=True):
        scores[np.arange(len(scores)), member.argmax(1)] += 1 / max(loss, 1e-6)
    return np.asarray((scores + 1e-6 * np.mean(asked, axis=0)).argmax(1), np.int64)


def _stacked(learnt: list[Floats], labels: Labels, weights: Floats, asked: list[Floats]) -> Labels:
    """Logistic regression on the log-probabilities of all models (Wolpert 1992)."""
    from sklearn.linear_model import LogisticRegression

    def features(parts: list[Floats]) -> Floats:
        return np.concatenate([np.log(np.clip(part, 1e-6, 1)) for part in parts], axis=1)

    known = features(learnt)
    centre, scale = known.mean(0), known.std(0) + 1e-9
    model = LogisticRegression(C=_FREEDOM, max_iter=5000)
    model.fit((known - centre) / scale, labels, sample_weight=weights * len(labels))
    return np.asarray(model.predict((features(asked) - centre) / scale), np.int64)


def _compared(labels: Labels, votes: dict[str, Labels], groups: Labels) -> list[dict[str, Any]]:
    names = list(votes)
    sure = np.eye(int(max(labels.max(), *(given.max() for given in votes.values()))) + 1)
    rows = {name: sure[given] for name, given in votes.items()}
    random = np.random.default_rng(_SEED)
    people, inverse = np.unique(groups, return_inverse=True)
    films_of = [np.flatnonzero(inverse == group) for group in range(len(people))]
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    for _ in range(_SAMPLES):
        drawn = np.concatenate([films_of[i] for i in random.integers(0, len(people), len(people))])
        truth = labels[drawn]
        base = metrics.balanced_accuracy(truth, rows[MAJORITY][drawn])
        for name in names:
            given = rows[name][drawn]
            balanced = metrics.balanced_accuracy(truth, given)
            found[name].append((metrics.accuracy(truth, given), balanced, balanced - base))
    base = metrics.balanced_accuracy(labels, rows[MAJORITY])
    result = []
    for name in names:
        low, high = np.percentile(np.array(found[name]), [2.5, 97.5], axis=0)
        balanced = metrics.balanced_accuracy(labels, rows[name])
        values = (metrics.accuracy(labels, rows[name]), balanced, balanced - base)
        kinds = ("accuracy", "balanced_accuracy", "difference")
        result.append(
            {
                "rule": name,
                **{
                    kind: {"value": value, "low": float(lower), "high": float(upper)}
                    for kind, value, lower, upper in zip(kinds, values, low, high, strict=True)
                },
                "beats_majority": name != MAJORITY and bool(low[2] > 0),
            }
        )
    return result
