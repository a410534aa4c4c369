"""Scores agree with scikit-learn; calibration and operating points do what they promise."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics as reference

from training.evaluation.scores import (
    Predictions,
    known_scores,
    operating_points,
    panel_votes,
    scores,
)
from training.metrics import classification as metrics
from training.metrics.calibration import (
    Calibration,
    FalseAlarms,
    balanced_weights,
    calibrate,
    limit_false_alarms,
)
from training.metrics.classification import softmax


@pytest.fixture(scope="module")
def answers() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    logits = random.normal(size=(300, 3)) + 1.5 * np.eye(3)[labels]
    return labels, softmax(np.round(logits, 1))  # rounded, so that there are ties


def test_areas_and_accuracies_agree_with_scikit_learn(
    answers: tuple[np.ndarray, np.ndarray],
) -> None:
    labels, probabilities = answers
    assert metrics.macro_auc(labels, probabilities) == pytest.approx(
        reference.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    )
    votes = probabilities.argmax(1)
    assert metrics.balanced_accuracy(labels, probabilities) == pytest.approx(
        reference.balanced_accuracy_score(labels, votes)
    )
    assert metrics.log_loss(labels, probabilities) == pytest.approx(
        reference.log_loss(labels, probabilities)
    )
    np.testing.assert_array_equal(
        metrics.confusion(labels, votes, 3), reference.confusion_matrix(labels, votes)
    )


def test_a_score_of_one_class_has_no_area() -> None:
    assert np.isnan(metrics.auc(np.ones(4, bool), np.arange(4.0)))


def test_the_interval_holds_the_value_and_narrows_with_films(
    answers: tuple[np.ndarray, np.ndarray],
) -> None:
    labels, probabilities = answers
    few = metrics.with_interval(metrics.accuracy, labels[:50], probabilities[:50], samples=300)
    many = metrics.with_interval(metrics.accuracy, labels, probabilities, samples=300)
    for found in (few, many):
        assert found["low"] <= found["value"] <= found["high"]
    assert many["high"] - many["low"] < few["high"] - few["low"]
    assert many["n"] == 300


def test_a_certain_and_wrong_model_has_a_large_calibration_error() -> None:
    labels = np.zeros(100, np.int64)
    honest = np.column_stack([np.full(100, 1.0), np.zeros(100)])
    assert metrics.calibration_error(labels, honest) == 0
    assert metrics.calibration_error(labels, honest[:, ::-1]) == 1


def test_the_temperature_undoes_overconfidence() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(size=(4000, 3))
    labels = np.array([random.choice(3, p=row) for row in softmax(logits)])
    weights = balanced_weights(labels, ["one"] * 4000)
    found = calibrate((logits * 3).astype("float32"), labels, weights)
    assert found.temperature == pytest.approx(3, rel=0.15)
    assert found.shift == (0, 0, 0)


def test_the_shift_evens_out_a_favoured_class() -> None:
    random = np.random.default_rng(2)
    logits = random.normal(size=(4000, 2))
    labels = np.array([random.choice(2, p=row) for row in softmax(logits)])
    favoured = (logits + np.array([2.0, 0.0])).astype("float32")
    weights = balanced_weights(labels, ["one"] * 4000)
    found = calibrate(favoured, labels, weights, shift=True)
    # The penalty keeps it a little short of the whole 2.
    assert 1.2 < found.shift[1] - found.shift[0] < 2.1
    assert sum(found.shift) == pytest.approx(0, abs=1e-9)


def test_an_operating_point_between_two_separated_groups_lies_in_the_middle() -> None:
    labels = np.array([0, 0, 1, 1])
    positive = np.array([0.1, 0.2, 0.6, 0.9])
    points = operating_points(labels, np.column_stack([1 - positive, positive]), ("A", "B"))
    assert points["B"] == pytest.approx(0.4)


def test_two_against_two_is_no_consensus() -> None:
    sure = {name: np.eye(3)[[k]] for k, name in enumerate("abc")}
    votes, mean = panel_votes([sure["a"], sure["a"], sure["b"], sure["b"]])
    assert votes.tolist() == [-1]
    np.testing.assert_allclose(mean, [[0.5, 0.5, 0]])
    assert panel_votes([sure["a"], sure["a"], sure["a"], sure["b"]])[0].tolist() == [0]
    assert panel_votes([sure["a"], sure["a"], sure["b"], sure["c"]])[0].tolist() == [-1]


def test_a_side_with_two_of_three_classes_is_scored_between_those_two() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1, 0], [0.2, 0.1, 0.7], [0.3, 0.7, 0], [0.1, 0.9, 0]])
    found = scores(
        Predictions(labels, probabilities, np.ones(4), ("a", "b", "c", "d")),
        ("Covid", "Normal", "Viral Pneumonia"),
        samples=50,
    )
    assert found["auc_covid_vs_normal"]["value"] == pytest.approx(0.75)
    assert found["normal_called_covid"]["value"] == 0
    assert found["recall_covid"]["value"] == pytest.approx(0.5)


def test_a_panel_with_a_normal_class_has_sensitivity_and_specificity() -> None:
    labels = np.array([0, 0, 1, 1])
    positive = np.array([0.1, 0.6, 0.7, 0.9])
    found = scores(
        Predictions(labels, np.column_stack([1 - positive, positive]), np.ones(4), tuple("abcd")),
        ("Normal", "Pneumonia"),
        samples=50,
    )
    assert found["sensitivity"]["value"] == 1
    assert found["specificity"]["value"] == 0.5
    assert found["auc"]["value"] == 1


def test_false_alarms_are_held_down_where_a_data_set_holds_both_classes() -> None:
    random = np.random.default_rng(4)
    labels = np.tile([0, 1], 200)
    sources = ["mixed"] * 200 + ["normal only"] * 200
    labels[200:] = 1
    logits = np.stack([1.0 - 2.0 * labels, 2.0 * labels - 1.0], axis=1)
    logits = (logits + random.normal(0, 2, logits.shape)).astype(np.float32)
    free = Calibration(1.0, (0.0, 0.0))
    held = limit_false_alarms(free, logits, labels, sources, FalseAlarms(1, 0, 0.05))
    mixed = labels[:200] == 1
    called = held.probabilities(logits[:200])[mixed].argmax(1) == 0
    assert np.mean(free.probabilities(logits[:200])[mixed].argmax(1) == 0) > 0.1
    assert np.mean(called) <= 0.05
    assert np.mean(called) > 0.02
    assert sum(held.shift) == pytest.approx(0.0)
    easy = limit_false_alarms(free, logits, labels, sources, FalseAlarms(1, 0, 0.9))
    assert easy == free


def test_scores_that_a_side_of_one_class_does_not_have_are_left_out_of_a_card() -> None:
    found = scores(
        Predictions(np.zeros(4, np.int64), np.full((4, 2), 0.5), np.ones(4), tuple("abcd")),
        ("Normal", "Pneumonia"),
        samples=20,
    )
    kept = known_scores(found)
    assert "auc" in found
    assert "auc" not in kept
    assert "accuracy" in kept
    json.dumps(kept, allow_nan=False)
