"""From predictions to a verdict, and the words for it. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log2

from desktop.core.cases import Prediction, Verdict

NO_CONSENSUS = "no consensus"


def majority_needed(member_count: int) -> int:
    """Votes that a strict majority of the panel needs: 3 of 4, 3 of 5, 2 of 3, 1 of 1."""
    return member_count // 2 + 1


def verdict(
    predictions: Sequence[Prediction],
    members: Sequence[str],
    class_count: int,
    ood_limit: float,
    none_limit: float | None = None,
) -> Verdict:
    """What the panel says together.

    The consensus is the class that more than half of the panel's models vote for; a model that gave
    no answer still counts as a member, so a missing answer can never make a majority easier.

    Args:
        predictions: Predictions of the models that gave one, any order, at most one a model.
        members: Names of all models of the panel, panel order.
        class_count: Number of classes K of the panel.
        ood_limit: Mean ``ood_score`` above which the image is called out of distribution.
        none_limit: Mean ``none_of_these`` above which it is called none of the classes; None =
            never.

    Raises:
        ValueError: A prediction is of no member, a second one of a member, or not of K classes.
    """
    by_model = {prediction.model: prediction for prediction in predictions}
    if len(by_model) != len(predictions) or by_model.keys() - set(members):
        raise ValueError("one prediction a member, and of members only")
    if any(len(item.probabilities) != class_count for item in predictions):
        raise ValueError(f"every prediction needs {class_count} probabilities")
    answered = [by_model[name] for name in members if name in by_model]
    votes = tuple(by_model[name].vote if name in by_model else None for name in members)
    counts = Counter(vote for vote in votes if vote is not None)
    # Ties are broken by class order only for the number; a tie is never a majority.
    leader, agreement = counts.most_common(1)[0] if counts else (None, 0)
    mean = _means([item.probabilities for item in answered])
    ood_score = mean_given([item.ood_score for item in answered])
    none_score = mean_given([item.none_of_these for item in answered])
    return Verdict(
        consensus=leader if agreement >= majority_needed(len(members)) else None,
        agreement=agreement,
        votes=votes,
        mean_probabilities=mean,
        entropy=_entropy_bits(mean),
        ood_score=ood_score,
        ood=above(ood_score, ood_limit),
        none_score=none_score,
        none_of_these=above(none_score, none_limit),
    )


def mean_given(scores: Sequence[float | None]) -> float | None:
    """Mean over the models that give a score; None where none does."""
    given = [score for score in scores if score is not None]
    return sum(given) / len(given) if given else None


def above(score: float | None, limit: float | None) -> bool:
    """Whether a panel's score is above its limit; False where either is not known."""
    return score is not None and limit is not None and score > limit


def vote_counts(result: Verdict, class_names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """(class name, votes), most voted first, classes in panel order among equals, none with 0."""
    counts = Counter(vote for vote in result.votes if vote is not None)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple((class_names[index], count) for index, count in ordered)


def consensus_text(result: Verdict, class_names: Sequence[str]) -> str:
    """The consensus' class name, or ``no consensus``: the word of lists and exports."""
    return NO_CONSENSUS if result.consensus is None else class_names[result.consensus]


def verdict_sentence(result: Verdict, class_names: Sequence[str]) -> str:
    """The verdict in words: ``No consensus. 2 Covid, 2 Viral Pneumonia. Majority needs 3 of 4.``"""
    members = len(result.votes)
    missing = sum(vote is None for vote in result.votes)
    silent = f" {missing} without an answer." if missing else ""
    counts = vote_counts(result, class_names)
    if not counts:
        return "No model gave an answer."
    if result.consensus is not None:
        head = f"{class_names[result.consensus]}, {result.agreement} of {members}."
        others = ", ".join(f"{count} {name}" for name, count in counts[1:])
        return head + (f" {others}." if others else "") + silent
    spread = ", ".join(f"{count} {name}" for name, count in counts)
    return (
        f"No consensus. {spread}.{silent} Majority needs {majority_needed(members)} of {members}."
    )


def short_names(class_names: Sequence[str]) -> tuple[str, ...]:
    """The shortest beginnings that tell the classes apart: ``C``, ``N``, ``V``."""
    length = 1
    longest = max(map(len, class_names))
    while length < longest and len({name[:length] for name in class_names}) < len(class_names):
        length += 1
    return tuple(name[:length] for name in class_names)


def rule_text(member_count: int) -> str:
    """The rule as every export names it."""
    return f"majority: at least {majority_needed(member_count)} of {member_count} models"


def _means(rows: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))


def _entropy_bits(probabilities: Sequence[float]) -> float:
    """Shannon entropy; 0 for no or certain answers."""
    return -sum(p * log2(p) for p in probabilities if p > 0) + 0.0
