"""Where film pixels land on the screen, turned, mirrored and zoomed."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF

from desktop.gui.images.geometry import centre_keeping, place_film, side_at_left
from desktop.gui.images.pyramid import FilmPyramid
from desktop.gui.images.renderer import sample_film
from desktop.gui.images.view_state import Orientation, ViewState

EVERY_WAY = [Orientation(turns, flipped) for turns in range(4) for flipped in (False, True)]
WAYS = pytest.mark.parametrize("orientation", EVERY_WAY, ids=str)


def placed(orientation: Orientation, zoom: float | None = None, centre: QPointF | None = None):  # type: ignore[no-untyped-def]
    return place_film((300, 200), (640, 640), QRectF(0, 0, 640, 640), zoom, centre, orientation)


@WAYS
def test_a_fitted_film_is_centred_and_wholly_in_sight(orientation: Orientation) -> None:
    where = placed(orientation)
    assert where.zoom == pytest.approx(640 / 300)
    assert where.box == pytest.approx((0, 0, 300, 200), abs=0.5)
    assert abs(where.visible.center().x() - 320) <= 1
    assert abs(where.visible.center().y() - 320) <= 1


@WAYS
def test_drawing_and_pointing_agree(orientation: Orientation) -> None:
    """The grey value under a device pixel is that of the film position computed for it."""
    rows, columns = np.mgrid[0:200, 0:300].astype(np.uint16)
    where = placed(orientation, zoom=4.0, centre=QPointF(140, 90))
    drawn_rows = sample_film(FilmPyramid(rows), where, orientation)
    drawn_columns = sample_film(FilmPyramid(columns), where, orientation)
    for x, y in ((50, 60), (400, 300), (600, 620)):
        point = where.film_point(QPointF(x + 0.5, y + 0.5))
        spot = y - where.visible.top(), x - where.visible.left()
        assert drawn_rows[spot] == pytest.approx(point.y() - 0.5, abs=0.75)
        assert drawn_columns[spot] == pytest.approx(point.x() - 0.5, abs=0.75)


@WAYS
def test_zooming_keeps_the_film_position_under_the_pointer(orientation: Orientation) -> None:
    area, anchor = QRectF(0, 0, 640, 640), QPointF(200, 450)
    before = placed(orientation)
    fixed = before.film_point(anchor)
    centre = centre_keeping(before, area, before.zoom * 3, anchor, orientation)
    after = placed(orientation, before.zoom * 3, centre)
    moved = after.film_point(anchor)
    assert (moved.x(), moved.y()) == pytest.approx((fixed.x(), fixed.y()), abs=1e-6)


def test_mirroring_twice_and_turning_four_times_changes_nothing() -> None:
    for way in EVERY_WAY:
        assert way.mirrored().mirrored() == way
        assert way.turned().turned().turned().turned() == way


def test_mirroring_is_left_to_right_as_seen_also_after_a_turn() -> None:
    turned = Orientation().turned()
    before = placed(turned).to_device.map(QPointF(0, 0))
    after = placed(turned.mirrored()).to_device.map(QPointF(0, 0))
    assert after.y() == pytest.approx(before.y())
    assert after.x() == pytest.approx(640 - before.x())


def test_the_side_marker_follows_the_film() -> None:
    sides = ("R", "H")
    assert side_at_left(sides, Orientation()) == "R"
    assert side_at_left(sides, Orientation().mirrored()) == "L"
    assert side_at_left(sides, Orientation().turned()) == "F"
    assert side_at_left(sides, Orientation().turned(2)) == "L"
    assert side_at_left(sides, Orientation().turned(-1)) == "H"


def test_reducing_averages_instead_of_skipping() -> None:
    """Single bright pixels must not vanish or flicker."""
    values = np.zeros((1024, 1024), np.uint16)
    values[::8, ::8] = 64 * 256
    small = FilmPyramid(values).sample((0, 0, 1024, 1024), 100, 100)
    assert small.dtype == np.uint16
    assert abs(int(small.mean()) - 256) <= 16
    assert small.std() < 40


def test_the_full_depth_survives_sampling_at_1_to_1() -> None:
    values = np.arange(256 * 256, dtype=np.uint16).reshape(256, 256)
    same = FilmPyramid(values).sample((0, 0, 256, 256), 256, 256)
    assert np.array_equal(same, values)


def test_a_state_reports_only_real_changes() -> None:
    state = ViewState()
    reported: list[str] = []
    state.changed.connect(lambda: reported.append("changed"))
    state.inverted_changed.connect(lambda on: reported.append(f"inverted {on}"))
    state.set_window(100, 50)
    state.set_window(100, 50)
    state.fit()
    state.set_inverted(False)
    assert reported == ["changed"]
    state.set_inverted(True)
    assert reported == ["changed", "inverted True", "changed"]


def test_a_window_never_gets_narrower_than_one_grey_value() -> None:
    state = ViewState()
    state.set_window(-20, 50)
    assert state.window == (1.0, 50.0)
