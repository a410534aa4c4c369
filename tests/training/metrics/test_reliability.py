"""Bins of a reliability diagram, and the way back from a calibrated answer."""

from __future__ import annotations

import numpy as np
import pytest

from training.metrics import classification as metrics
from training.metrics.calibration import Calibration
from training.metrics.classification import softmax
from training.metrics.reliability import reliability_bins, uncalibrated

CLASSES = ("A", "B", "C")


@pytest.fixture(scope="module")
def said() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    logits = random.normal(size=(503, 3)) * 2
    return random.integers(0, 3, 503), logits


def test_the_answer_before_calibration_follows_from_the_one_after(
    said: tuple[np.ndarray, np.ndarray],
) -> None:
    _, logits = said
    calibration = Calibration(0.6, (0.3, -0.1, -0.2))
    after = calibration.probabilities(logits).astype(np.float32).astype(np.float64)
    before = uncalibrated(after, 0.6, dict(zip(CLASSES, calibration.shift, strict=True)), CLASSES)
    np.testing.assert_allclose(before, softmax(logits), atol=1e-5)
    np.testing.assert_allclose(uncalibrated(after, 1.0, {}, CLASSES), after, atol=1e-9)


def test_a_certain_answer_has_a_finite_answer_before() -> None:
    before = uncalibrated(np.array([[1.0, 0.0, 0.0]]), 0.5, {}, CLASSES)
    assert np.isfinite(before).all()
    assert before.argmax() == 0


@pytest.mark.parametrize("equal_mass", [False, True])
def test_the_bins_hold_every_film_once_and_give_the_error(
    said: tuple[np.ndarray, np.ndarray], equal_mass: bool
) -> None:
    labels, logits = said
    probabilities = softmax(logits)
    bins = reliability_bins(labels, probabilities, equal_mass=equal_mass)
    assert sum(one.films for one in bins) == len(labels)
    by_hand = sum(one.films * abs(one.accuracy - one.confidence) for one in bins) / len(labels)
    name = "calibration_error_equal_mass" if equal_mass else "calibration_error"
    assert getattr(metrics, name)(labels, probabilities) == pytest.approx(by_hand)
    if equal_mass:
        assert max(one.films for one in bins) - min(one.films for one in bins) <= 1


def test_fewer_films_than_bins_are_one_bin_each() -> None:
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.7, 0.3]])
    bins = reliability_bins(np.zeros(3, np.int64), probabilities, equal_mass=True)
    assert [one.films for one in bins] == [1, 1, 1]
    assert [one.confidence for one in bins] == [0.6, 0.7, 0.9]


def test_all_measures_see_the_same_samples(said: tuple[np.ndarray, np.ndarray]) -> None:
    labels, logits = said
    probabilities = softmax(logits)
    measures = {"accuracy": metrics.accuracy, "log_loss": metrics.log_loss}
    both = metrics.with_intervals(measures, labels, probabilities, samples=50)
    for name, measure in measures.items():
        assert both[name] == metrics.with_interval(measure, labels, probabilities, samples=50)
