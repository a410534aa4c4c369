"""The small network that was shown outliers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from training.data.split import TRAIN, VALIDATION, SplitData
from training.models.layers import front
from training.ood.outlier_exposure import (
    fit_exposure,
    odd_film,
    standardised_thumbnail,
    usual_film,
)
from training.ood.outlier_images import odd_images


def test_films_cut_to_the_middle_half_are_told_from_whole_ones(drawn: SplitData) -> None:
    train, validation = drawn.indices(TRAIN), drawn.indices(VALIDATION)
    even = np.ones(len(validation))
    head, distances = fit_exposure(
        drawn.pixels[train],
        np.ones(len(train)),
        drawn.pixels[validation],
        even,
        reduce=2,
        seed=1,
    )
    assert np.mean(distances <= 1.0) >= 0.9
    cut = odd_images(drawn.pixels[validation])["middle half only"]
    odd = head.distance(front(tf.constant(cut), 2)).numpy()
    assert np.median(odd) > np.quantile(distances, 0.9)


def test_a_blank_film_has_a_finite_thumbnail() -> None:
    blank = tf.fill([2, 112, 112, 1], 90.0)
    np.testing.assert_array_equal(standardised_thumbnail(blank).numpy(), np.zeros((2, 28, 28, 1)))


@pytest.mark.parametrize("change", [usual_film, odd_film])
def test_every_change_keeps_size_and_type_and_depends_on_the_seed_alone(change: object) -> None:
    assert callable(change)
    film = np.random.default_rng(3).integers(0, 256, (64, 48), np.uint8)
    for seed in range(60):
        changed = change(film, np.random.default_rng(seed))
        assert changed.shape == film.shape
        assert changed.dtype == np.uint8
        np.testing.assert_array_equal(changed, change(film, np.random.default_rng(seed)))
