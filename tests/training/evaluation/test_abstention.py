"""Saying nothing: curves, near-ties, and whether another rule of voting would be better."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.abstention import coverage_curve, leaders, near_ties
from training.evaluation.vote_rules import MAJORITY, STACKED, compare_rules
from training.metrics.classification import softmax


def _votes(*classes: int, sure: float = 0.9) -> list[np.ndarray]:
    """One film, one vote a model."""
    rest = (1 - sure) / 2
    return [np.full((1, 3), rest) + (sure - rest) * np.eye(3)[[k]] for k in classes]


def test_a_leader_among_equal_votes_has_the_larger_mean_probability() -> None:
    weak, strong = _votes(0, sure=0.6)[0], _votes(2, sure=0.9)[0]
    leader, agreement, confidence = leaders([weak, weak, strong, strong])
    assert (leader[0], agreement[0]) == (2, 2)
    assert confidence[0] == pytest.approx(np.mean([0.2, 0.2, 0.9, 0.9]))


def test_full_coverage_is_plain_accuracy_and_sure_films_come_first() -> None:
    random = np.random.default_rng(5)
    labels = random.integers(0, 3, 400)
    members = [softmax(random.normal(size=(400, 3)) + 2 * np.eye(3)[labels]) for _ in range(4)]
    curve = coverage_curve(labels, members)
    leader, agreement, _ = leaders(members)
    assert curve["at"]["100%"] == pytest.approx(np.mean(leader == labels))
    assert curve["coverage"][-1] == 1
    assert curve["at"]["50%"] > curve["at"]["100%"]
    assert sum(row["films"] for row in curve["by_agreement"]) == 400
    unanimous = curve["by_agreement"][0]
    assert unanimous["votes"] == 4
    assert unanimous["accuracy"] == pytest.approx(np.mean((leader == labels)[agreement == 4]))


def test_every_split_vote_says_no_consensus() -> None:
    films = [(0, 0, 1, 1), (0, 0, 1, 2), (0, 0, 0, 1), (2, 2, 2, 2)]
    members = [np.concatenate([_votes(film[m])[0] for film in films]) for m in range(4)]
    found = near_ties(np.array([0, 0, 0, 1]), members)
    assert found["films"] == 4
    assert found["split_votes"] == 2
    assert found["split_no_consensus"] == 2
    assert found["near"] == 1
    assert found["near_no_consensus"] == 1


def test_a_tie_in_probability_that_the_votes_decide_is_counted() -> None:
    members = [*_votes(0, 0, 0, sure=0.5), *_votes(1, sure=0.96)]
    found = near_ties(np.array([0]), members)
    assert (found["split_votes"], found["near_consensus"], found["near_consensus_right"]) == (
        0,
        1,
        1,
    )


def _said(labels: np.ndarray, strengths: tuple[float, ...]) -> list[np.ndarray]:
    random = np.random.default_rng(9)
    return [
        softmax(random.normal(size=(len(labels), 3)) + strength * np.eye(3)[labels])
        for strength in strengths
    ]


def test_stacking_beats_the_majority_where_one_model_knows_and_three_guess() -> None:
    labels = np.random.default_rng(1).integers(0, 3, 600)
    found = compare_rules(labels, _said(labels, (6, 0, 0, 0)), np.arange(600), ["one"] * 600)
    by_name = {row["rule"]: row for row in found["rules"]}
    assert by_name[STACKED]["beats_majority"]
    assert by_name[STACKED]["balanced_accuracy"]["value"] > 0.95
    assert not by_name[MAJORITY]["beats_majority"]


def test_nothing_beats_the_majority_of_equal_models_by_chance() -> None:
    labels = np.random.default_rng(2).integers(0, 3, 300)
    found = compare_rules(labels, _said(labels, (2, 2, 2, 2)), np.arange(300) // 3, ["one"] * 300)
    assert found["groups"] == 100
    assert abs(found["rules"][1]["difference"]["value"]) < 0.05
    for row in found["rules"]:
        gap = row["difference"]
        assert gap["low"] <= gap["value"] <= gap["high"]


def test_what_a_rule_learns_of_a_person_is_not_asked_of_the_same_person() -> None:
    """Labels that only the person's other films tell: grouped folds must not find them."""
    random = np.random.default_rng(4)
    people = np.repeat(np.arange(60), 5)
    labels = random.integers(0, 2, 60)[people]
    traces = random.uniform(0.2, 0.8, (60, 4))[people]
    members = [np.column_stack([traces[:, m], 1 - traces[:, m]]) for m in range(4)]
    found = compare_rules(labels, members, people, ["one"] * 300)
    stacked = next(row for row in found["rules"] if row["rule"] == STACKED)
    assert stacked["balanced_accuracy"]["value"] < 0.75
