"""The film under real hands: drags, wheel, keys, and what stands on the screen afterwards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.core.imaging.decode import DicomMetadata, Radiograph, Window
from desktop.gui.images.view_state import ViewState
from desktop.gui.images.view_types import HeatStyle, HudText, MapLayer, Tool
from desktop.gui.style import theme
from desktop.gui.viewer.hud import film_sides
from desktop.gui.viewer.image_view import ImageView
from tests.gui.sample_values import cam

HUD = HudText("00417.dcm", "417 of 4,812")
LEFT, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)


def ramp_film(height: int = 400, width: int = 300) -> Radiograph:
    """12 bit, darker at the top left."""
    rows, columns = np.mgrid[0:height, 0:width]
    values = ((rows * 4 + columns * 3) % 4096).astype(np.uint16)
    return Radiograph(values, bits=12, windows=(Window("DICOM", 0, 4095),))


@pytest.fixture
def view(qtbot: QtBot) -> ImageView:
    made = ImageView()
    made.resize(600, 600)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    made.show_film(ramp_film(), HUD)
    return made


def drag(qtbot: QtBot, view: ImageView, button: Qt.MouseButton, start: QPoint, end: QPoint) -> None:
    qtbot.mousePress(view, button, pos=start)
    middle = QPoint((start.x() + end.x()) // 2, (start.y() + end.y()) // 2)
    for point in (middle, end):
        qtbot.mouseMove(view, point)
    qtbot.mouseRelease(view, button, pos=end)


def send_drag(view: ImageView, button: Qt.MouseButton, start: QPoint, end: QPoint) -> None:
    """Press, move and release with the button held during the move."""
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    none = Qt.KeyboardModifier.NoModifier
    for kind, point, which, held in (
        (QEvent.Type.MouseButtonPress, start, button, button),
        (QEvent.Type.MouseMove, end, Qt.MouseButton.NoButton, button),
        (QEvent.Type.MouseButtonRelease, end, button, Qt.MouseButton.NoButton),
    ):
        position = QPointF(point)
        event = QMouseEvent(kind, position, view.mapToGlobal(position), which, held, none)
        QApplication.sendEvent(view, event)


def wheel(view: ImageView, at: QPointF, steps: int) -> None:
    event = QWheelEvent(
        at,
        view.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def picture(view: ImageView) -> QImage:
    return view.grab().toImage()


def grey(view: ImageView, point: QPointF) -> int:
    return picture(view).pixelColor(point.toPoint()).red()


def bare_film(view: ImageView) -> ImageView:
    view.set_hud_visible(False)
    return view


def test_dragging_right_widens_and_up_brightens(view: ImageView) -> None:
    width, level = view.grey_window()
    send_drag(view, LEFT, QPoint(200, 300), QPoint(300, 300))
    wider, same = view.grey_window()
    assert wider > width
    assert same == level
    before = grey(view, QPointF(300, 300))
    send_drag(view, LEFT, QPoint(300, 300), QPoint(300, 200))
    assert view.grey_window()[1] < level
    assert grey(view, QPointF(300, 300)) > before


def test_a_window_drag_is_reported_in_stored_grey_values(view: ImageView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.window_changed) as reported:
        send_drag(view, LEFT, QPoint(200, 300), QPoint(240, 310))
    assert reported.args == list(view.grey_window())


def test_the_window_works_at_full_depth(qtbot: QtBot) -> None:
    """Two values that 8 bits cannot tell apart become black and white."""
    values = np.full((64, 64), 30_000, np.uint16)
    values[:, 32:] = 30_002
    film = Radiograph(values, bits=16, windows=(Window("Full range", 0, 65535),))
    view = bare_film(ImageView())
    qtbot.addWidget(view)
    view.resize(400, 400)
    view.show_film(film, HUD)
    left, right = view.widget_position(QPointF(16, 32)), view.widget_position(QPointF(48, 32))
    assert abs(grey(view, left) - grey(view, right)) <= 1
    view.set_window(2, 30_001)
    assert grey(view, left) == 0
    assert grey(view, right) == 255


def test_the_wheel_zooms_and_the_film_under_the_pointer_stays(view: ImageView) -> None:
    at = QPointF(220, 380)
    before = view.film_position(at)
    zoom = view.effective_zoom()
    wheel(view, at, 3)
    after = view.film_position(at)
    assert before is not None
    assert after is not None
    assert view.effective_zoom() == pytest.approx(zoom * 1.2**3)
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()), abs=0.01)


def test_right_drag_zooms_and_middle_drag_pans_with_any_tool(view: ImageView) -> None:
    view.set_tool(Tool.MEASURE)
    zoom = view.effective_zoom()
    send_drag(view, RIGHT, QPoint(300, 300), QPoint(300, 200))
    assert view.effective_zoom() > zoom
    anchor = view.film_position(QPointF(300, 300))
    send_drag(view, MIDDLE, QPoint(300, 300), QPoint(340, 320))
    moved = view.film_position(QPointF(340, 320))
    assert anchor is not None
    assert moved is not None
    assert (moved.x(), moved.y()) == pytest.approx((anchor.x(), anchor.y()), abs=0.01)


def test_a_film_cannot_be_lost_out_of_sight(view: ImageView) -> None:
    for _ in range(10):
        send_drag(view, MIDDLE, QPoint(10, 10), QPoint(590, 590))
    assert view.film_position(QPointF(300, 300)) is not None


def test_double_click_fits_and_keeps_the_window(view: ImageView, qtbot: QtBot) -> None:
    fitted = view.effective_zoom()
    view.set_window(500, 700)
    wheel(view, QPointF(100, 100), 4)
    qtbot.mouseDClick(view, LEFT, pos=QPoint(300, 300))
    assert view.effective_zoom() == pytest.approx(fitted)
    assert view.grey_window() == (500, 700)


def test_reset_window_leaves_the_zoom(view: ImageView) -> None:
    view.set_window(500, 700)
    view.one_to_one()
    view.reset_window()
    assert view.effective_zoom() == 1.0
    assert view.grey_window() == (4095, 2047.5)


def test_space_shows_the_bare_image_while_it_is_held(view: ImageView, qtbot: QtBot) -> None:
    view.show_map(MapLayer(cam(), "ResNet50", "Covid"))
    view.setFocus()
    with_map = picture(view)
    qtbot.keyPress(view, Qt.Key.Key_Space)
    assert view.bare
    bare = picture(view)
    assert bare != with_map
    inside = view.widget_position(QPointF(100, 200)).toPoint()
    colour = bare.pixelColor(inside)
    assert colour.red() == colour.green() == colour.blue()
    qtbot.keyRelease(view, Qt.Key.Key_Space)
    assert picture(view) == with_map


def test_overlays_come_back_when_the_focus_leaves_while_space_is_held(
    view: ImageView, qtbot: QtBot
) -> None:
    view.setFocus()
    qtbot.keyPress(view, Qt.Key.Key_Space)
    view.clearFocus()
    assert not view.bare


def test_the_map_colours_the_film_only_where_it_is_high(view: ImageView) -> None:
    bare_film(view)
    values = np.zeros((14, 14), np.float32)
    values[2:5, 2:5] = 1
    view.show_map(MapLayer(values, "SCNN", "Covid"))
    shown = picture(view)
    hot = shown.pixelColor(view.widget_position(QPointF(75, 100)).toPoint())
    cold = shown.pixelColor(view.widget_position(QPointF(220, 330)).toPoint())
    assert hot.red() > hot.blue() + 20
    assert cold.red() == cold.green() == cold.blue()


def test_the_map_turns_and_flips_with_the_film(view: ImageView) -> None:
    bare_film(view)
    values = np.zeros((14, 14), np.float32)
    values[1:4, 1:4] = 1
    view.show_map(MapLayer(values, "SCNN", "Covid"))
    spot = QPointF(60, 70)
    for command in (view.rotate_right, view.flip, view.rotate_right, view.rotate_right):
        command()
        position = view.widget_position(spot).toPoint()
        colour = picture(view).pixelColor(position)
        assert colour.red() > colour.blue() + 20


def test_opacity_zero_is_the_bare_film(view: ImageView) -> None:
    bare_film(view)
    plain = picture(view)
    view.show_map(MapLayer(cam(), "SCNN", "Covid"))
    view.set_heat_style(HeatStyle(opacity=0))
    assert picture(view) == plain
    view.set_heat_style(HeatStyle(visible=False))
    assert picture(view) == plain


def test_a_map_without_evidence_is_named_and_not_drawn(view: ImageView) -> None:
    view.show_map(MapLayer(np.zeros((7, 7), np.float32), "SCNN", "Normal"))
    assert "SCNN, Normal: no positive evidence" in view.accessibleDescription()
    inside = view.widget_position(QPointF(150, 200)).toPoint()
    colour = picture(view).pixelColor(inside)
    assert colour.red() == colour.green() == colour.blue()


def test_measuring_says_pixels_where_no_spacing_is_known(view: ImageView, qtbot: QtBot) -> None:
    view.set_tool(Tool.MEASURE)
    start, end = view.widget_position(QPointF(50, 100)), view.widget_position(QPointF(200, 100))
    with qtbot.waitSignal(view.measured) as reported:
        send_drag(view, LEFT, start.toPoint(), end.toPoint())
    measured = reported.args[0]
    assert measured.millimetres is None
    assert measured.pixels == pytest.approx(150, abs=2)


def test_measuring_uses_row_and_column_spacing(view: ImageView, qtbot: QtBot) -> None:
    film = replace(ramp_film(), spacing_mm=(0.2, 0.1), spacing_kind="at the detector")
    view.show_film(film, HUD)
    view.set_tool(Tool.MEASURE)
    start, end = view.widget_position(QPointF(100, 100)), view.widget_position(QPointF(100, 200))
    with qtbot.waitSignal(view.measured) as reported:
        send_drag(view, LEFT, start.toPoint(), end.toPoint())
    assert reported.args[0].millimetres == pytest.approx(20, abs=0.4)
    assert reported.args[0].at_detector


def test_delete_removes_the_last_distance_and_a_new_film_all(view: ImageView, qtbot: QtBot) -> None:
    view.set_tool(Tool.MEASURE)
    for y in (200, 300):
        send_drag(view, LEFT, QPoint(200, y), QPoint(350, y))
    assert len(view.measurements) == 2
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert len(view.measurements) == 1
    view.show_film(ramp_film(), HUD)
    assert view.measurements == ()


def test_the_next_film_starts_anew_unless_window_and_zoom_are_kept(view: ImageView) -> None:
    view.set_window(500, 700)
    view.one_to_one()
    view.show_film(ramp_film(), HUD)
    assert view.grey_window() == (4095, 2047.5)
    assert view.state.zoom is None
    view.set_keep(window=True, zoom=True)
    view.set_window(500, 700)
    view.one_to_one()
    view.show_film(ramp_film(), HUD)
    assert view.grey_window() == (500, 700)
    assert view.effective_zoom() == 1.0


def test_a_window_is_not_kept_from_12_bit_to_8_bit(view: ImageView) -> None:
    view.set_keep(window=True, zoom=False)
    view.set_window(500, 3000)
    view.show_film(Radiograph(np.full((50, 50), 90, np.uint8)), HUD)
    assert view.grey_window() == (255, 127.5)


def test_presets_begin_with_the_files_own_window(view: ImageView) -> None:
    film = replace(ramp_film(), windows=(Window("Lung", 100, 900),))
    view.show_film(film, HUD)
    presets = view.presets()
    assert presets[0].title == "Lung"
    assert {"full", "p1", "p5"} <= {preset.key for preset in presets}
    view.apply_preset("full")
    assert view.grey_window()[0] > 800
    view.apply_preset("no such preset")


def test_inverting_exchanges_black_and_white(view: ImageView) -> None:
    bare_film(view)
    at = view.widget_position(QPointF(150, 200))
    before = grey(view, at)
    view.set_inverted(True)
    assert grey(view, at) == 255 - before


def test_a_failure_is_shown_instead_of_the_image_and_read_out(view: ImageView) -> None:
    view.show_failure(HUD, "x.dcm ends early", "Copy it again.")
    assert view.film is None
    assert view.accessibleDescription() == "x.dcm ends early. Copy it again."
    view.show_film(ramp_film(), HUD)
    assert view.film is not None


def test_loading_shows_the_thumbnail_where_the_film_will_be(view: ImageView) -> None:
    film = Radiograph(np.full((300, 300), 200, np.uint8))
    small = QImage(64, 64, QImage.Format.Format_Grayscale8)
    small.fill(200)
    bare_film(view)
    view.show_film(film, HUD)
    full = picture(view)
    view.show_loading(HUD, small, film.values.shape)
    loading = picture(view)
    for point in (QPoint(12, 12), QPoint(300, 300), QPoint(588, 588)):
        assert (full.pixelColor(point).red() > 50) == (loading.pixelColor(point).red() > 50)


def test_linked_views_follow_and_show_the_cursor(qtbot: QtBot) -> None:
    state = ViewState()
    first, second = ImageView(state), ImageView(state)
    for made in (first, second):
        qtbot.addWidget(made)
        made.resize(400, 400)
        made.show_film(ramp_film(), HUD)
    first.zoom_by(3, QPointF(100, 100))
    first.set_window(300, 900)
    assert second.effective_zoom() == first.effective_zoom()
    assert second.grey_window() == (300, 900)
    before = picture(second)
    state.set_cursor(QPointF(100, 130))
    assert picture(second) != before


def test_the_corners_name_what_is_shown(view: ImageView) -> None:
    view.show_map(MapLayer(cam(), "ResNet50", "Covid"))
    words = view.accessibleDescription()
    for part in (
        "00417.dcm",
        "417 of 4,812",
        "300 × 400, 12 bit",
        "W 4,095",
        "ResNet50, Covid, 45 %",
    ):
        assert part in words


def test_the_window_is_given_in_the_units_of_the_file(view: ImageView) -> None:
    """An inverted film stores 4095 - value: its level is given as the file would."""
    film = replace(ramp_film(), slope=-1.0, intercept=4095.0)
    view.show_film(film, HUD)
    view.set_window(1000, 3095)
    assert "W 1,000  L 1,000" in view.accessibleDescription()


def test_a_snapshot_has_the_asked_width_and_the_overlay(view: ImageView) -> None:
    view.show_map(MapLayer(cam(), "ResNet50", "Covid"))
    image = view.snapshot(1200)
    assert (image.width(), image.height()) == (1200, 1200)
    spot = view.widget_position(QPointF(95, 215)) * 2
    assert image.pixelColor(spot.toPoint()).saturation() > 30


def test_the_well_is_black_in_both_themes(qapp: QApplication, view: ImageView) -> None:
    bare_film(view)
    theme.apply_theme(qapp, theme.LIGHT)
    try:
        assert picture(view).pixelColor(2, 300).name().upper() == theme.DARK.canvas
    finally:
        theme.apply_theme(qapp, theme.DARK)


def test_the_side_is_claimed_only_where_the_file_says_it(view: ImageView) -> None:
    assert film_sides(ramp_film()) is None
    said = replace(ramp_film(), facts=DicomMetadata(patient_orientation="L\\F"))
    assert film_sides(said) == ("R", "H")
    assert film_sides(replace(said, facts=DicomMetadata(patient_orientation="X\\"))) is None
    view.show_film(ramp_film(), HUD)
    plain = picture(view)
    view.show_film(said, HUD)
    assert picture(view) != plain
