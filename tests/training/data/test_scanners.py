"""Imitated scanners change how a film looks, not what lies where; swapping keeps the lungs."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from desktop.core.imaging.phantoms import draw_phantom
from training.data.outside import soft_masks, swap_outside
from training.data.scanners import (
    add_noise,
    change_low_frequencies,
    change_sharpness,
    change_tone,
    imitate_scanners,
    paint_frames_and_markers,
    resize_down_and_up,
)

SIDE = 64


@pytest.fixture
def films() -> tf.Tensor:
    """Sixteen drawn films, float32 [16, 64, 64, 1], 0 to 255."""
    drawn = [draw_phantom("covid", seed, (SIDE, SIDE)) for seed in range(16)]
    tf.random.set_seed(5)
    return tf.constant(np.stack(drawn)[..., np.newaxis].astype(np.float32))


def test_a_tone_curve_never_changes_the_order_of_grey_levels() -> None:
    ramp = tf.reshape(
        tf.tile(tf.linspace(0.0, 1.0, SIDE * SIDE)[tf.newaxis], [8, 1]), [8, 64, 64, 1]
    )
    curved = change_tone(ramp, share=1.0).numpy().reshape(8, -1)
    assert (np.diff(curved, axis=1) >= -1e-6).all()
    assert np.abs(curved[:, 0]).max() < 1e-6
    assert np.abs(curved[:, -1] - 1).max() < 1e-3
    assert np.abs(curved - ramp.numpy().reshape(8, -1)).max() > 0.05


def test_only_the_slow_changes_of_brightness_are_changed(films: tf.Tensor) -> None:
    grey = films / 255
    difference = (change_low_frequencies(grey, share=1.0) - grey).numpy()
    fine = difference - tf.nn.avg_pool2d(difference, 5, 1, "SAME").numpy()
    assert np.abs(difference).mean() > 5 * np.abs(fine[:, 4:-4, 4:-4]).mean()


@pytest.mark.parametrize("change", [resize_down_and_up, change_sharpness, add_noise])
def test_the_shape_stays_and_something_changes(films: tf.Tensor, change: object) -> None:
    after = change(films / 255)  # type: ignore[operator]
    assert after.shape == films.shape
    assert np.isfinite(after.numpy()).all()
    assert np.abs(after.numpy() - films.numpy() / 255).max() > 0.01


def test_frames_and_markers_leave_the_middle_alone(films: tf.Tensor) -> None:
    grey = films / 255
    after = paint_frames_and_markers(grey, share=1.0, marked=1.0).numpy()
    middle = slice(24, 40)
    assert np.array_equal(after[:, middle, middle], grey.numpy()[:, middle, middle])
    assert (after != grey.numpy()).mean() > 0.01


def test_each_film_and_each_call_draws_anew(films: tf.Tensor) -> None:
    same = tf.tile(films[:1], [16, 1, 1, 1])
    once, again = imitate_scanners(same).numpy(), imitate_scanners(same).numpy()
    assert not np.allclose(once, again)
    assert not np.allclose(once[0], once[1])


def test_a_changed_film_still_shows_the_same_chest(films: tf.Tensor) -> None:
    after = imitate_scanners(films).numpy()[..., 0]
    before = films.numpy()[..., 0]
    own = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(after, before, strict=True)]
    assert np.median(own) > 0.6


def test_it_runs_inside_a_traced_step(films: tf.Tensor) -> None:
    step = tf.function(imitate_scanners, input_signature=[tf.TensorSpec([None, SIDE, SIDE, 1])])
    assert step(films).shape == films.shape
    assert step(films[:5]).shape == (5, SIDE, SIDE, 1)


def _masks() -> np.ndarray:
    lungs = np.zeros((16, 128, 128), np.float32)
    lungs[:, 30:100, 20:56] = lungs[:, 30:100, 72:108] = 0.9
    return lungs


def test_inside_the_lungs_nothing_is_swapped_and_the_corner_is_another_films() -> None:
    tf.random.set_seed(1)
    levels = tf.reshape(tf.range(16, dtype=tf.float32) * 10 + 20, [16, 1, 1, 1])
    pattern = tf.random.uniform([1, SIDE, SIDE, 1]) * 50
    films = levels + pattern * tf.reshape(tf.linspace(0.2, 1.0, 16), [16, 1, 1, 1])
    masks = tf.constant(soft_masks(_masks(), SIDE)[..., np.newaxis], tf.float32) / 255
    after = swap_outside(films, masks, 1.0).numpy()
    assert np.allclose(after[:, 25:40, 16:22], films.numpy()[:, 25:40, 16:22], atol=0.01)
    assert np.abs(after - films.numpy())[:, :3, :3].max() > 1


def test_a_film_without_lungs_keeps_its_outside(films: tf.Tensor) -> None:
    none = tf.constant(soft_masks(np.zeros((16, 128, 128), np.float32), SIDE)[..., np.newaxis])
    assert np.array_equal(swap_outside(films, tf.cast(none, tf.float32), 1.0), films)


def test_the_share_is_kept() -> None:
    tf.random.set_seed(3)
    films = tf.random.uniform([400, 16, 16, 1]) * 255
    masks = tf.fill([400, 16, 16, 1], 0.5)
    changed = np.abs((swap_outside(films, masks, 0.3) - films).numpy()).max(axis=(1, 2, 3)) > 1e-3
    assert 0.2 < changed.mean() < 0.4


def test_the_mask_is_wider_than_the_lungs_and_soft() -> None:
    soft = soft_masks(_masks(), 128)
    assert soft[0, 60, 38] == 255
    assert soft[0, 60, 64] > 100  # between the lungs: the mediastinum is kept
    assert soft[0, 60, 2] < 60
    assert ((soft > 20) & (soft < 235)).mean() > 0.02


def test_only_the_asked_share_of_the_films_is_changed() -> None:
    tf.random.set_seed(4)
    films = tf.random.uniform([300, 16, 16, 1]) * 255
    changed = np.abs((imitate_scanners(films, 0.4) - films).numpy()).max(axis=(1, 2, 3)) > 1e-3
    assert 0.3 < changed.mean() < 0.5
