"""Weights of calibration: classes and data sets alike, but no handful of films speaks for a set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.metrics.calibration import CALIBRATION_NAME, balanced_weights, read_calibration


def test_classes_and_data_sets_count_the_same_whatever_their_size() -> None:
    labels = np.array([0] * 40 + [0] * 20 + [1] * 30)
    sources = ["a"] * 40 + ["b"] * 20 + ["a"] * 30
    weights = balanced_weights(labels, sources)
    assert weights.sum() == pytest.approx(1)
    assert weights[labels == 1].sum() == pytest.approx(0.5)
    assert weights[:40].sum() == pytest.approx(0.25)
    assert weights[40:60].sum() == pytest.approx(0.25)


def test_two_films_weigh_a_fifth_of_a_data_set() -> None:
    labels = np.zeros(52, np.int64)
    weights = balanced_weights(labels, ["large"] * 50 + ["small"] * 2)
    assert weights[50:].sum() == pytest.approx(0.2 / 1.2)


def test_a_kept_calibration_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_calibration(tmp_path) is None
    values = {"temperature": 1.5, "shift": [0.25, -0.25]}
    (tmp_path / CALIBRATION_NAME).write_text(json.dumps(values))
    found = read_calibration(tmp_path)
    assert found is not None
    assert (found.temperature, found.shift) == (1.5, (0.25, -0.25))
