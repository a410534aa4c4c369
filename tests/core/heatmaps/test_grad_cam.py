"""Maps made visible: no invented evidence, uniform colours, closed contours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from desktop.core.heatmaps.colormap import alpha_table, colour_table
from desktop.core.heatmaps.contours import contours
from desktop.core.heatmaps.grad_cam import (
    HALF,
    composed,
    consensus_map,
    has_evidence,
    margin_share,
    normalised,
    overlap,
    overlay_rgba,
    upsampled,
)

MAPS = arrays(np.float32, (7, 7), elements=st.floats(0, 100, width=32))


def spot(row: int, column: int, side: int = 7) -> npt.NDArray[np.float32]:
    cam = np.zeros((side, side), np.float32)
    cam[row, column] = 3.0
    return cam


@given(MAPS)
def test_a_normalised_map_reaches_one_or_is_empty(cam: npt.NDArray[np.float32]) -> None:
    scaled = normalised(cam)
    assert np.isfinite(scaled).all()
    assert scaled.max() == (1.0 if has_evidence(cam) else 0.0)


@given(MAPS)
def test_an_enlarged_map_stays_within_its_range(cam: npt.NDArray[np.float32]) -> None:
    large = upsampled(normalised(cam), (50, 60))
    assert large.shape == (50, 60)
    assert large.min() >= 0
    assert large.max() <= 1


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_a_map_without_evidence_draws_nothing(value: float) -> None:
    cam = np.full((7, 7), value, np.float32)
    film = np.arange(400, dtype=np.uint8).reshape(20, 20)
    assert not has_evidence(cam)
    assert (overlay_rgba(cam, (20, 20))[..., 3] == 0).all()
    assert (composed(film, cam) == film[..., np.newaxis]).all()


def test_the_peak_is_where_the_model_looked() -> None:
    size = (70, 140)
    row, column = np.unravel_index(upsampled(normalised(spot(1, 5)), size).argmax(), size)
    assert 10 <= row < 20
    assert 100 <= column < 120
    layer = overlay_rgba(spot(1, 5), size)
    assert layer[row, column, 3] == layer[..., 3].max()
    assert layer[60, 20, 3] == 0


def test_nothing_is_drawn_below_the_threshold_and_opacity_is_the_ceiling() -> None:
    alpha = alpha_table(0.25, 0.6)
    assert (alpha[:64] == 0).all()
    assert alpha[255] == 153
    assert (np.diff(alpha.astype(int)) >= 0).all()
    assert (alpha_table(0.25, 0.0) == 0).all()
    assert alpha_table(1.0, 1.0)[:255].max() == 0


def test_opacity_zero_shows_the_bare_film() -> None:
    film = np.random.default_rng(1).integers(0, 256, (30, 30)).astype(np.uint8)
    assert (composed(film, spot(3, 3), opacity=0)[..., 0] == film).all()


def test_colours_only_get_lighter_in_equal_steps() -> None:
    table = colour_table()
    assert table.shape == (256, 3)
    linear = (table / 255.0) ** 2.2
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > -2e-3).all()
    assert luminance[-1] > 0.7
    assert luminance[0] < 0.05
    steps = np.linalg.norm(np.diff(table.astype(float), axis=0), axis=1)
    assert steps.max() < 6  # no band that would look like an edge of disease


def test_the_colour_table_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        colour_table()[0, 0] = 1


def test_consensus_is_where_a_majority_looks() -> None:
    there, elsewhere = spot(2, 2), spot(5, 5)
    size = (70, 70)
    assert consensus_map([there, there, there, elsewhere], size, 3)[25, 25] > HALF
    assert consensus_map([there, there, elsewhere, elsewhere], size, 3).max() <= HALF
    assert consensus_map([there, there], size, 3).max() == 0


def test_overlap_of_equal_apart_and_empty_maps() -> None:
    matrix = overlap([spot(2, 2), spot(2, 2) * 5, spot(6, 6), np.zeros((7, 7), np.float32)])
    assert matrix[0, 1] == 1
    assert matrix[0, 2] == 0
    assert matrix[0, 3] == matrix[3, 0] == 0
    assert (np.diag(matrix) == 1).all()


def test_the_shortcut_alarm_hears_corners_and_borders_not_lungs() -> None:
    assert margin_share(spot(0, 0, 14)).alarming
    edge = np.zeros((14, 14), np.float32)
    edge[:, 0] = 1
    assert margin_share(edge).alarming
    lungs = np.zeros((14, 14), np.float32)
    lungs[4:10, 3:11] = 1
    assert not margin_share(lungs).alarming
    assert not margin_share(np.ones((14, 14), np.float32)).alarming
    assert margin_share(np.zeros((14, 14), np.float32)).border == 0


def area(line: npt.NDArray[np.float64]) -> float:
    x, y = line.T
    return float(abs(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2)


def test_a_contour_goes_round_its_area() -> None:
    values = np.zeros((40, 40), np.float32)
    values[10:20, 20:35] = 1
    (line,) = contours(values, 0.5)
    assert (line[0] == line[-1]).all()
    assert line[:, 0].min() == pytest.approx(20 / 40, abs=0.01)
    assert line[:, 0].max() == pytest.approx(35 / 40, abs=0.01)
    assert area(line) == pytest.approx(150 / 1600, rel=0.02)


def test_islands_holes_and_edges_are_closed_lines() -> None:
    values = np.zeros((40, 40), np.float32)
    values[0:10, 0:10] = 1  # touches two edges
    values[20:39, 20:39] = 1
    values[26:32, 26:32] = 0  # a hole
    lines = contours(values, 0.5)
    assert len(lines) == 3
    assert all((line[0] == line[-1]).all() for line in lines)
    assert all(line.min() >= 0 and line.max() <= 1 for line in lines)


def test_two_areas_that_touch_at_a_corner_are_told_apart_or_joined_but_never_broken() -> None:
    values = np.array([[1, 0], [0, 1]], np.float32)
    for level in (0.3, 0.5, 0.7):
        lines = contours(np.kron(values, np.ones((4, 4), np.float32)), level)
        assert 1 <= len(lines) <= 2
        assert all(len(line) > 4 for line in lines)


def test_nothing_above_the_level_has_no_contour_and_everything_has_one() -> None:
    assert contours(np.zeros((5, 5), np.float32)) == ()
    assert len(contours(np.ones((5, 5), np.float32))) == 1


@given(arrays(np.float32, (9, 9), elements=st.sampled_from([0.0, 0.25, 0.75, 1.0])))
def test_contours_enclose_what_is_above_for_any_map(values: npt.NDArray[np.float32]) -> None:
    lines = contours(values, 0.5)
    assert bool(lines) == bool((values > 0.5).any())
    for line in lines:
        assert (line[0] == line[-1]).all()
        assert np.isfinite(line).all()
