"""The statistics against scikit-learn, published examples and their own definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from desktop.core.review.agreement import (
    accuracy,
    brier_score,
    cohen_kappa,
    confusion_matrix,
    expected_calibration_error,
    fleiss_kappa,
    kappa_with_interval,
    reliability_bins,
    sensitivity,
    specificity,
    wilson,
)

sklearn = pytest.importorskip("sklearn.metrics")


def two_raters(count: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.integers(3, size=count)
    said = np.where(random.random(count) < 0.7, truth, random.integers(3, size=count))
    return truth, said


def test_matrix_accuracy_kappa_and_sensitivity_are_scikit_learns() -> None:
    truth, said = two_raters()
    matrix = confusion_matrix(truth, said, 3)
    np.testing.assert_array_equal(matrix, sklearn.confusion_matrix(truth, said))
    assert cohen_kappa(matrix) == pytest.approx(sklearn.cohen_kappa_score(truth, said))
    assert accuracy(matrix).value == pytest.approx(sklearn.accuracy_score(truth, said))
    recalls = sklearn.recall_score(truth, said, average=None)
    for index in range(3):
        assert sensitivity(matrix, index).value == pytest.approx(recalls[index])
        others = sklearn.recall_score(truth != index, said != index)
        assert specificity(matrix, index).value == pytest.approx(others)


def test_calibration_is_scikit_learns() -> None:
    from sklearn.calibration import calibration_curve

    random = np.random.default_rng(1)
    confidence = random.random(500)
    correct = random.random(500) < confidence**2
    bins = reliability_bins(confidence, correct)
    shares, means = calibration_curve(correct, confidence, n_bins=10)
    np.testing.assert_allclose([item.accuracy for item in bins], shares)
    np.testing.assert_allclose([item.confidence for item in bins], means)
    by_hand = sum(
        item.count / 500 * abs(share - mean)
        for item, share, mean in zip(bins, shares, means, strict=True)
    )
    assert expected_calibration_error(bins) == pytest.approx(by_hand)


def test_brier_score_of_two_classes_is_twice_scikit_learns() -> None:
    random = np.random.default_rng(2)
    first = random.random(200)
    truth = (random.random(200) < 0.4).astype(np.int16)
    score = brier_score(np.stack([1 - first, first], axis=1), truth)
    assert score == pytest.approx(2 * sklearn.brier_score_loss(truth, first))


def test_fleiss_kappa_gives_the_published_example() -> None:
    # Ten subjects, fourteen raters, five categories: the worked example that gives 0.210.
    counts = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    votes = np.array([np.repeat(np.arange(5), row) for row in counts])
    assert fleiss_kappa(votes, 5) == pytest.approx(0.210, abs=5e-4)


def test_wilson_gives_the_published_interval() -> None:
    # Newcombe 1998, table I, method 3: 81 of 263.
    estimate = wilson(81, 263)
    assert (estimate.low, estimate.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    nothing = wilson(0, 20)
    assert (nothing.low, nothing.high) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_the_bootstrap_of_kappa_is_that_of_drawing_cases() -> None:
    truth, said = two_raters(300)
    estimate = kappa_with_interval(confusion_matrix(truth, said, 3))
    random = np.random.default_rng(5)
    draws = []
    for _ in range(800):
        rows = random.integers(300, size=300)
        draws.append(sklearn.cohen_kappa_score(truth[rows], said[rows]))
    low, high = np.percentile(draws, [2.5, 97.5])
    assert estimate.low == pytest.approx(low, abs=0.015)
    assert estimate.high == pytest.approx(high, abs=0.015)
    assert estimate.low < estimate.value < estimate.high


def test_whoever_said_nothing_is_left_out() -> None:
    truth = np.array([0, 1, -1, 2, 1])
    said = np.array([0, -1, 1, 2, 0])
    assert confusion_matrix(truth, said, 3).sum() == 3
    votes = np.array([[0, 0, -1], [1, 1, 1], [0, 0, 0]])
    assert fleiss_kappa(votes, 2) == 1.0


@pytest.mark.parametrize(
    "nothing",
    [
        cohen_kappa(np.zeros((3, 3), np.int64)),
        cohen_kappa(np.diag([5, 0, 0])),
        kappa_with_interval(np.zeros((2, 2), np.int64)).value,
        kappa_with_interval(np.diag([5, 0])).low,
        fleiss_kappa(np.zeros((4, 1), np.int16), 2),
        fleiss_kappa(np.zeros((4, 3), np.int16), 2),
        fleiss_kappa(np.full((4, 3), -1, np.int16), 2),
        expected_calibration_error(reliability_bins(np.array([]), np.array([], np.bool_))),
        brier_score(np.full((2, 2), np.nan), np.array([0, 1])),
        wilson(0, 0).value,
    ],
)
def test_nothing_to_estimate_from_is_not_a_number_and_no_crash(nothing: float) -> None:
    assert math.isnan(nothing)


@settings(deadline=None)
@given(st.integers(0, 500), st.integers(0, 500), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_holds_its_estimate_inside_zero_and_one(
    successes: int, failures: int, confidence: float
) -> None:
    estimate = wilson(successes, successes + failures, confidence=confidence)
    if successes + failures:
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    else:
        assert math.isnan(estimate.low)


@settings(deadline=None)
@given(hnp.arrays(np.int64, (3, 3), elements=st.integers(0, 50)))
def test_kappa_is_symmetric_and_at_most_one(matrix: np.ndarray) -> None:
    kappa = cohen_kappa(matrix)
    if math.isnan(kappa):
        return
    assert kappa <= 1 + 1e-12
    assert cohen_kappa(matrix.T) == pytest.approx(kappa)


@settings(deadline=None)
@given(
    hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1)),
    st.integers(1, 15),
)
def test_every_case_is_in_one_bin_and_the_error_lies_between_zero_and_one(
    confidence: np.ndarray, count: int
) -> None:
    correct = confidence > 0.5
    bins = reliability_bins(confidence, correct, bins=count)
    assert sum(item.count for item in bins) == len(confidence)
    for item in bins:
        if item.count:
            assert item.low - 1e-9 <= item.confidence <= item.high + 1e-9
    assert 0 <= expected_calibration_error(bins) <= 1
