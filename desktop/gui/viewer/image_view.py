"""The film with its heatmap, words and distances, and what mouse and keyboard do with it."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy

from desktop.core.imaging.decode import Radiograph
from desktop.gui.images import geometry
from desktop.gui.images.renderer import FilmRenderer
from desktop.gui.images.view_state import ViewState
from desktop.gui.images.view_types import HeatStyle, HudText, MapLayer, Measurement, Tool
from desktop.gui.style import theme
from desktop.gui.style.paint import KeyboardFocus, stroke_round
from desktop.gui.viewer.base_view import FilmView
from desktop.gui.viewer.gestures import Gestures
from desktop.gui.viewer.heatmap_layer import HeatPainter, draw_crosshair
from desktop.gui.viewer.hud import HudLines, hud_lines, paint_caption, paint_hud
from desktop.gui.viewer.measure import measurement, paint_measurements
from desktop.gui.viewer.message import loading_progress, paint_loading, paint_message

_WHEEL_STEP = 1.2


class ImageView(KeyboardFocus, FilmView):
    """Shows one radiograph at full depth.

    Mouse: left drag = the tool (window/level: right = wider, up = brighter), right drag = zoom,
    middle drag = pan, wheel = zoom at the cursor, double click = fit. Keys: Space held
    = bare image, + and - zoom, Escape gives up a measurement, Delete removes the last; all other
    keys are left to the window.

    Signals (past events):
        measured(Measurement): A distance was finished.
        cursor_moved(object): (x, y, grey value) of the film under the pointer, or None.
        activated(): The view was pressed.
        images_wheeled(int): The wheel asked for another image, 1 = next; see ``set_mouse_tools``.
    """

    measured = Signal(object)
    cursor_moved = Signal(object)
    activated = Signal()
    images_wheeled = Signal(int)

    def __init__(self, state: ViewState | None = None) -> None:
        """Build a view; without ``state`` it has its own."""
        super().__init__(state)
        self._failure: tuple[str, str] | None = None
        self._thumbnail: QImage | None = None
        self._loading_size: tuple[int, int] | None = None
        self._loading_since: float | None = None
        self._heat = HeatPainter()
        self._region_text = ""
        self._style = HeatStyle()
        self._tool = Tool.WINDOW
        self._bare = False
        self._caption = ""
        self._selected = False
        self._gestures = Gestures(self)
        self._wheel_shows_images = False
        self._wheel_rest = 0
        self._loading_timer = QTimer(self, interval=50, timeout=self.update)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Radiograph"))
        theme.notifier().theme_changed.connect(self._on_theme_changed)
        self._describe()

    # What is shown -------------------------------------------------------------------------------
    def show_film(self, film: Radiograph, hud: HudText) -> None:
        """Show a film. Zoom, window and orientation stay or start anew as ``set_keep`` says."""
        before = self.film
        self._hud, self._failure, self._thumbnail = hud, None, None
        self._stop_loading()
        if film is not before:
            depth_differs = before is None or before.values.dtype != film.values.dtype
            self._renderer = FilmRenderer(film)
            self._gestures.clear()
            self._heat.set_layer(None, self._renderer.size)
            self._heat.set_region(None, self._renderer.size)
            if not self._keep_window or (depth_differs and before is not None):
                self._state.reset_window()
            if not self._keep_zoom:
                self._state.reset_geometry()
        self._refresh()

    def show_loading(
        self, hud: HudText, thumbnail: QImage | None = None, size: tuple[int, int] | None = None
    ) -> None:
        """Show that a film is on its way: the thumbnail stretched to where the film will be.

        ``size`` is the film's (height, width) where known. A 2 px line appears after 150 ms.
        """
        self._drop_film()
        if self._loading_since is None or hud.name != self._hud.name:
            self._loading_since = time.monotonic()
        self._hud, self._failure = hud, None
        self._thumbnail, self._loading_size = thumbnail, size
        self._loading_timer.start()
        self._refresh()

    def show_failure(self, hud: HudText, title: str, sentence: str) -> None:
        """Show the reason instead of the image."""
        self._drop_film()
        self._hud, self._failure = hud, (title, sentence)
        self._stop_loading()
        self._refresh()

    def show_nothing(self) -> None:
        """Empty the image area."""
        self._drop_film()
        self._hud, self._failure = HudText(), None
        self._stop_loading()
        self._refresh()

    def show_map(self, layer: MapLayer | None) -> None:
        """Lay a heatmap over the film; None takes it away. An all-zero map is said in words."""
        self._heat.set_layer(layer, self._film_size())
        self._describe()
        self.update()

    def show_contour(
        self, region: npt.NDArray[np.bool_] | npt.NDArray[np.float32] | None, text: str = ""
    ) -> None:
        """Outline a region [h, w] (a mask, or a map whose half is the outline); None removes it."""
        self._heat.set_region(region, self._film_size())
        self._region_text = text
        self.update()

    def set_heat_style(self, style: HeatStyle) -> None:
        """Opacity, threshold, contour or colour, visible or not."""
        if style != self._style:
            self._style = style
            self.update()

    def set_hud_visible(self, visible: bool) -> None:
        """Show or leave out the words at the corners."""
        self._hud_visible = visible
        self._refresh()

    def set_fills_view(self, fills: bool) -> None:
        """Fit without room for the corner words, as in the compare grid."""
        self._fills_view = fills
        self._refresh()

    def set_caption(self, text: str) -> None:
        """One line at the lower left, used where the HUD is off."""
        self._caption = text
        self.update()

    def set_selected(self, selected: bool) -> None:
        """Draw the accent edge of a chosen cell."""
        self._selected = selected
        self.update()

    # Commands ------------------------------------------------------------------------------------
    @property
    def tool(self) -> Tool:
        return self._tool

    def set_tool(self, tool: Tool) -> None:
        self._tool = tool
        self._gestures.draft = None
        shape = {
            Tool.MEASURE: Qt.CursorShape.CrossCursor,
            Tool.PAN: Qt.CursorShape.OpenHandCursor,
        }.get(tool, Qt.CursorShape.ArrowCursor)
        self.setCursor(shape)
        self.update()

    def set_mouse_tools(self, right: Tool, *, wheel_shows_images: bool) -> None:
        """Choose what the right button and the wheel do; with Ctrl the wheel always zooms."""
        self._gestures.right = right
        self._wheel_shows_images = wheel_shows_images

    @property
    def bare(self) -> bool:
        return self._bare

    def set_bare(self, bare: bool) -> None:
        """Hide heatmap, measurements and HUD (which then says "Bare image")."""
        if bare != self._bare:
            self._bare = bare
            self.update()

    def measurement_of(self, start: QPointF, end: QPointF) -> Measurement:
        """Distance of two film positions, in mm where the film says its spacing."""
        film = self.film
        if film is None:
            return measurement(start, end, None)
        return measurement(start, end, film.spacing_mm, film.spacing_kind)

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        return tuple(self._gestures.done)

    def snapshot(self, width: int | None = None) -> QImage:
        """The view with overlays and words as an image, for export; ``width`` in device px."""
        ratio = self.devicePixelRatioF() if width is None else width / max(1, self.width())
        image = QImage(
            round(self.width() * ratio), round(self.height() * ratio), QImage.Format.Format_RGB32
        )
        image.setDevicePixelRatio(ratio)
        image.fill(QColor(theme.current().canvas))
        painter = QPainter(image)
        self._paint(painter, ratio)
        painter.end()
        return image

    # Drawing -------------------------------------------------------------------------------------
    def sizeHint(self) -> QSize:
        return QSize(640, 640)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint(painter, self.devicePixelRatioF())

    def _paint(self, painter: QPainter, ratio: float) -> None:
        tokens = theme.current()
        rect = QRectF(self.rect())
        painter.fillRect(rect, QColor(tokens.canvas))
        if self._renderer is not None:
            placed = self._place(ratio)
            self._renderer.paint(
                painter,
                placed,
                self._state.orientation,
                self.grey_window(),
                self._state.inverted,
                ratio,
            )
            to_view = placed.to_device * QTransform.fromScale(1 / ratio, 1 / ratio)
            if not self._bare:
                self._paint_overlays(painter, placed, to_view, ratio)
        elif self._failure is not None:
            paint_message(painter, rect, *self._failure)
        elif self._loading_since is not None:
            self._paint_loading(painter, rect)
        self._paint_text(painter, rect)
        if self._selected or self.shows_focus():
            stroke_round(painter, rect, 0, theme.DARK.accent, 2 if self.shows_focus() else 1)

    def _paint_overlays(
        self, painter: QPainter, placed: geometry.FilmGeometry, to_view: QTransform, ratio: float
    ) -> None:
        painter.save()
        visible = QRectF(placed.visible)
        painter.setClipRect(QRectF(visible.topLeft() / ratio, visible.bottomRight() / ratio))
        self._heat.paint(painter, to_view, self._style, placed.visible, ratio)
        painter.restore()
        drawn = list(self._gestures.done)
        if self._gestures.draft is not None:
            drawn.append(self.measurement_of(*self._gestures.draft))
        paint_measurements(painter, drawn, to_view)
        if self._state.cursor is not None and not self.underMouse():
            draw_crosshair(painter, to_view.map(self._state.cursor))

    def _paint_loading(self, painter: QPainter, rect: QRectF) -> None:
        ratio = self.devicePixelRatioF()
        target = None
        if self._thumbnail is not None and not self._thumbnail.isNull():
            own = self._thumbnail.height(), self._thumbnail.width()
            height, width = self._loading_size or own
            placed = geometry.place_film(
                (width, height),
                self._device_size(ratio),
                self._area(ratio),
                self._state.zoom if self._keep_zoom else None,
                self._state.centre if self._keep_zoom else None,
                self._state.orientation,
            )
            small = self._thumbnail.width(), self._thumbnail.height()
            target = geometry.crop_to_view(small, (width, height), placed, ratio)
        progress = loading_progress(time.monotonic() - (self._loading_since or 0.0))
        paint_loading(painter, rect, self._thumbnail, target, progress)

    def _paint_text(self, painter: QPainter, rect: QRectF) -> None:
        if self._bare and self._renderer is not None:
            paint_hud(painter, rect, HudLines(bottom_left=(self.tr("Bare image"),)))
        elif self._hud_visible:
            paint_hud(painter, rect, self._lines())
        elif self._caption and self._renderer is not None:
            paint_caption(painter, rect, self._caption)

    def _lines(self) -> HudLines:
        return hud_lines(
            self.film,
            self._hud,
            self.shown_window(),
            self._reported_zoom,
            self._state.orientation,
            self._heat.layer if self._style.visible else None,
            self._heat.evident(),
            self._style,
            self._region_text if self._heat.has_region else "",
        )

    # Events --------------------------------------------------------------------------------------
    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.activated.emit()
        self._gestures.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._report_cursor(self.film_position(event.position()))
        self._gestures.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        finished = self._gestures.release(event)
        if finished is not None:
            self.measured.emit(finished)
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._tool is not Tool.MEASURE:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta().y() / 120
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if self._wheel_shows_images and not control:
            # A touch pad sends many small turns; one image a notch of a wheel.
            self._wheel_rest += event.angleDelta().y()
            notches = int(self._wheel_rest / 120)
            self._wheel_rest -= 120 * notches
            if notches:
                self.images_wheeled.emit(-notches)
        elif steps and self._renderer is not None:
            self.zoom_by(_WHEEL_STEP**steps, event.position())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        self._report_cursor(None)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.set_bare(True)
        elif key == Qt.Key.Key_Space:
            pass
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom_by(1 / _WHEEL_STEP if key == Qt.Key.Key_Minus else _WHEEL_STEP)
        elif (key == Qt.Key.Key_Escape and self._gestures.give_up()) or (
            key == Qt.Key.Key_Delete and self._gestures.remove_last()
        ):
            self.update()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.set_bare(False)
        else:
            super().keyReleaseEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        # Without the focus the release of Space is not seen: the overlays would stay hidden.
        self.set_bare(False)
        self.update()
        super().focusOutEvent(event)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._refresh()

    def _report_cursor(self, position: QPointF | None) -> None:
        self._state.set_cursor(position)
        if position is None or self._renderer is None:
            self.cursor_moved.emit(None)
            return
        x, y = int(position.x()), int(position.y())
        self.cursor_moved.emit((x, y, int(self._renderer.film.values[y, x])))

    # Keeping in step -----------------------------------------------------------------------------
    def _on_theme_changed(self, _tokens: object) -> None:
        self._refresh()

    def _drop_film(self) -> None:
        self._renderer = None
        self._gestures.clear()
        self._thumbnail = None
        self._heat.set_layer(None, (1, 1))
        self._heat.set_region(None, (1, 1))

    def _stop_loading(self) -> None:
        self._loading_since = None
        self._loading_timer.stop()

    def _describe(self) -> None:
        """What a screen reader says of the view."""
        if self._failure is not None:
            text = ". ".join(self._failure)
        elif self._loading_since is not None:
            text = self.tr("Loading {name}").format(name=self._hud.name)
        elif self._renderer is None:
            text = self.tr("No image")
        else:
            lines = self._lines()
            corners = (*lines.top_left, *lines.top_right, *lines.bottom_left, *lines.bottom_right)
            text = ", ".join(line for line in corners if line)
        if text != self.accessibleDescription():
            self.setAccessibleDescription(text)
