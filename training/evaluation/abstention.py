"""What a panel gains by saying nothing: accuracy against coverage, and what happens at near-ties.

Films are ranked by how sure the panel is: by the number of models behind the most voted class, then
by the mean probability of that class. Accuracy over the surest share of the films, against that
share, is the accuracy-coverage curve (El-Yaniv and Wiener 2010, there as risk). The panel's own
rule, the strict majority, is one point on such a curve, not a setting.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

#: Shares of films kept that tables show.
COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
#: Two mean probabilities nearer than this are called a near-tie.
NEAR = 0.1
_POINTS = 60


def leaders(members: list[Floats]) -> tuple[Labels, Labels, Floats]:
    """The most voted class of each film, how many models voted for it, and its mean probability.

    Among equally voted classes the one with the larger mean probability leads.

    Args:
        members: Probabilities [N, K] of each model.
    """
    stacked = np.stack(members)
    mean = stacked.mean(0)
    counts = (stacked.argmax(2)[..., np.newaxis] == np.arange(stacked.shape[2])).sum(0)
    leader = (counts + 0.5 * mean).argmax(1)
    films = np.arange(len(leader))
    return leader.astype(np.int64), counts[films, leader].astype(np.int64), mean[films, leader]


def coverage_curve(labels: Labels, members: list[Floats]) -> dict[str, Any]:
    """Accuracy against coverage of a panel on one side, ready for JSON.

    Returns:
        ``coverage`` and ``accuracy``, up to 60 points each; ``at``, the accuracy at the shares of
        ``COVERAGES``; ``by_agreement``, films and accuracy for each number of equal votes; and
        ``area``, the mean accuracy over all coverages (1 is best).
    """
    leader, agreement, confidence = leaders(members)
    order = np.lexsort((-confidence, -agreement))
    right = (leader == labels)[order]
    kept = np.arange(1, len(right) + 1)
    accuracy = np.cumsum(right) / kept
    indices = np.unique(np.linspace(0, len(right) - 1, _POINTS).round().astype(int))
    return {
        "coverage": [round(float(kept[index] / len(right)), 4) for index in indices],
        "accuracy": [round(float(accuracy[index]), 4) for index in indices],
        "at": {
            f"{share:.0%}": float(accuracy[max(0, round(share * len(right)) - 1)])
            for share in COVERAGES
        },
        "by_agreement": [
            {
                "votes": votes,
                "films": int((agreement == votes).sum()),
                "accuracy": float((leader == labels)[agreement == votes].mean()),
            }
            for votes in range(len(members), 0, -1)
            if (agreement == votes).any()
        ],
        "area": float(accuracy.mean()),
    }


def near_ties(labels: Labels, members: list[Floats]) -> dict[str, int]:
    """Counts about near-ties on one side.

    Returns:
        ``films``; ``split_votes``, films without a strict majority; ``split_no_consensus``, those
        of them that the rule calls no consensus (all of them, or the rule is broken);
        ``split_leader_right``, those whose leading class would have been right; ``near``, films
        whose two largest mean probabilities are nearer than 0.1; ``near_no_consensus``; and
        ``near_consensus`` with ``near_consensus_right``, near-ties in probability that the votes
        decide.
    """
    from training.evaluation.scores import panel_votes

    consensus, mean = panel_votes(members)
    leader, agreement, _ = leaders(members)
    split = agreement * 2 <= len(members)
    ordered = np.sort(mean, axis=1)
    near = ordered[:, -1] - ordered[:, -2] < NEAR
    decided = near & (consensus >= 0)
    return {
        "films": len(labels),
        "split_votes": int(split.sum()),
        "split_no_consensus": int((split & (consensus < 0)).sum()),
        "split_leader_right": int((leader == labels)[split].sum()),
        "near": int(near.sum()),
        "near_no_consensus": int((near & (consensus < 0)).sum()),
        "near_consensus": int(decided.sum()),
        "near_consensus_right": int((consensus == labels)[decided].sum()),
    }
