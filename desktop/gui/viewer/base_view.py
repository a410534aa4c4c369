"""Where a film lies and how it is windowed: the geometry and commands below every image view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, Signal
from PySide6.QtWidgets import QWidget

from desktop.core.imaging.decode import Radiograph, Window
from desktop.gui.images import geometry
from desktop.gui.images.renderer import FilmRenderer
from desktop.gui.images.view_state import MAX_ZOOM, ViewState
from desktop.gui.images.view_types import HudText, WindowPreset
from desktop.gui.images.voi_presets import preset_of, window_of
from desktop.gui.viewer.hud import HudLines, corner_height, corner_width

_MARGIN = 8


class FilmView(QWidget):
    """Zoom, pan, orientation and grey window of one film, drawn from a shared state.

    Signals (past events):
        window_changed(float, float): Width and level in stored grey values, as now drawn.
        zoom_changed(float): Device pixels per film pixel as now drawn.
    """

    window_changed = Signal(float, float)
    zoom_changed = Signal(float)

    def __init__(self, state: ViewState | None = None) -> None:
        """Build a view; without ``state`` it has its own."""
        super().__init__()
        self._state = state or ViewState(self)
        self._renderer: FilmRenderer | None = None
        self._hud = HudText()
        self._keep_window = self._keep_zoom = False
        self._hud_visible = True
        self._fills_view = False
        self._reported_window: tuple[float, float] | None = None
        self._reported_zoom = 0.0
        self._first_preset = "file"
        self._state.changed.connect(self._refresh)
        self._state.cursor_moved.connect(self._on_cursor)

    @property
    def state(self) -> ViewState:
        return self._state

    def set_state(self, state: ViewState) -> None:
        """Draw from another state (linking and unlinking)."""
        self._state.changed.disconnect(self._refresh)
        self._state.cursor_moved.disconnect(self._on_cursor)
        self._state = state
        state.changed.connect(self._refresh)
        state.cursor_moved.connect(self._on_cursor)
        self._refresh()

    @property
    def film(self) -> Radiograph | None:
        """The film on show, None in the other states."""
        return self._renderer.film if self._renderer is not None else None

    def show_position(self, position: str) -> None:
        """Say where the film on show stands in a list that has changed."""
        if position != self._hud.position:
            self._hud = replace(self._hud, position=position)
            self._describe()
            self.update()

    def set_keep(self, window: bool, zoom: bool) -> None:
        """Whether window and zoom stay when the next film comes. Both are off at first."""
        self._keep_window, self._keep_zoom = window, zoom

    def set_first_preset(self, key: str) -> None:
        """Preset at first sight: ``file`` (its own, else full range), ``full``, ``p1``, ``p5``."""
        self._first_preset = key
        self._refresh()

    def presets(self) -> Sequence[WindowPreset]:
        """Presets of the film on show: the file's own first, then full, 1-99 %, 5-95 %."""
        return self._renderer.presets if self._renderer is not None else ()

    def apply_preset(self, key: str) -> None:
        """Use a preset by key; unknown keys do nothing."""
        for preset in self.presets():
            if preset.key == key:
                self._state.set_window(preset.width, preset.level)

    def grey_window(self) -> tuple[float, float]:
        """(width, level) in force, in stored grey values."""
        if self._state.window is not None:
            return self._state.window
        presets = self.presets()
        if not presets:
            return 255.0, 127.5
        # A file whose full range is its own has no preset called full.
        first = next((item for item in presets if item.key == self._first_preset), presets[0])
        return first.width, first.level

    def preset(self) -> WindowPreset | None:
        """The preset in force, None where the window is the reader's own."""
        return preset_of(self.presets(), *self.grey_window())

    def shown_window(self) -> Window:
        """The window in force as the decoder knows it: with its curve, as the file states it."""
        return window_of(self.presets(), *self.grey_window())

    def grey_range(self) -> float:
        """Width of the film's full grey range, the measure of a window drag."""
        return self._renderer.full_width if self._renderer is not None else 256.0

    def set_window(self, width: float, level: float) -> None:
        self._state.set_window(width, level)

    def reset_window(self) -> None:
        """Back to the film's default window; zoom stays."""
        self._state.reset_window()

    def effective_zoom(self) -> float:
        """Device pixels per film pixel as drawn, also while fitted."""
        return self._place().zoom

    def fit(self) -> None:
        """Fit the film to the view; the window stays."""
        self._state.fit()

    def one_to_one(self) -> None:
        """One film pixel a device pixel, around the middle of what is seen."""
        if self._renderer is not None:
            centre = self._place().film_point(self._area().center())
            self._state.set_view(1.0, geometry.inside_film(centre, self._film_size()))

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Multiply the zoom, keeping the film position under ``at`` (widget px) where it is."""
        if self._renderer is None:
            return
        size = self._film_size()
        placed, area = self._place(), self._area()
        lowest = geometry.fit_zoom(size, area, self._state.orientation) / 2
        zoom = min(MAX_ZOOM, max(min(lowest, 1.0), placed.zoom * factor))
        ratio = self.devicePixelRatioF()
        anchor = area.center() if at is None else at * ratio
        centre = geometry.centre_keeping(placed, area, zoom, anchor, self._state.orientation)
        self._state.set_view(zoom, geometry.inside_film(centre, size))

    def pan_by(self, step: QPointF) -> None:
        """Move the film by widget px; some of it always stays in sight."""
        placed, area = self._place(), self._area()
        centre = placed.film_point(area.center() - step * self.devicePixelRatioF())
        self._state.set_view(placed.zoom, geometry.inside_film(centre, self._film_size()))

    def rotate_right(self) -> None:
        """A quarter turn clockwise; the heatmap turns along."""
        self._state.set_orientation(self._state.orientation.turned(1))

    def flip(self) -> None:
        """Mirror left to right as seen."""
        self._state.set_orientation(self._state.orientation.mirrored())

    def set_inverted(self, inverted: bool) -> None:
        self._state.set_inverted(inverted)

    def film_position(self, point: QPointF, *, clamp: bool = False) -> QPointF | None:
        """Film pixel under a widget position; off the film None, or the nearest if ``clamp``."""
        if self._renderer is None:
            return None
        position = self._place().film_point(point * self.devicePixelRatioF())
        width, height = self._renderer.size
        if clamp:
            return geometry.inside_film(position, self._renderer.size)
        inside = 0 <= position.x() < width and 0 <= position.y() < height
        return position if inside else None

    def widget_position(self, film_point: QPointF) -> QPointF:
        """Where a film position is drawn, in widget px."""
        return self._place().to_device.map(film_point) / self.devicePixelRatioF()

    # Geometry ------------------------------------------------------------------------------------
    def _film_size(self) -> tuple[int, int]:
        """(width, height) in film pixels."""
        return self._renderer.size if self._renderer is not None else (1, 1)

    def _device_size(self, ratio: float) -> tuple[int, int]:
        return max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))

    def _area(self, ratio: float | None = None) -> QRectF:
        """Where a fitted film goes, device pixels: clear of the words unless it fills the view."""
        scale = ratio or self.devicePixelRatioF()
        view = QRectF(0, 0, *self._device_size(scale))
        if self._fills_view:
            return view
        edge = _MARGIN * scale
        roomy = view.adjusted(edge, edge, -edge, -edge)
        if not self._hud_visible:
            return roomy
        size = self._film_size()
        zoom = geometry.fit_zoom(size, roomy, self._state.orientation)
        width, _ = geometry.oriented_size(*size, self._state.orientation)
        side = (view.width() - width * zoom) / 2
        if self._renderer is not None and side >= corner_width(self._lines_for_room()) * scale:
            return roomy
        band = corner_height() * scale
        return view.adjusted(edge, band, -edge, -band)

    def _lines_for_room(self) -> HudLines:
        """Corner words as wide as they ever get, so that a window drag never moves the film."""
        return HudLines(top_left=(self._hud.name, self._hud.position), ramp=True)

    def _place(self, ratio: float | None = None) -> geometry.FilmGeometry:
        scale = ratio or self.devicePixelRatioF()
        zoom = self._state.zoom
        if zoom is not None and ratio is not None:
            zoom *= ratio / self.devicePixelRatioF()
        return geometry.place_film(
            self._film_size(),
            self._device_size(scale),
            self._area(scale),
            zoom,
            self._state.centre,
            self._state.orientation,
        )

    # Keeping in step -----------------------------------------------------------------------------
    def _on_cursor(self, _position: object) -> None:
        # The view under the pointer draws no cross, so it need not draw at all.
        if not self.underMouse():
            self.update()

    def _refresh(self) -> None:
        """Tell what changed as it is really drawn, then draw."""
        if self._renderer is not None:
            zoom = self.effective_zoom()
            if abs(zoom - self._reported_zoom) > 1e-6:
                self._reported_zoom = zoom
                self.zoom_changed.emit(zoom)
            window = self.grey_window()
            if window != self._reported_window:
                self._reported_window = window
                self.window_changed.emit(*window)
        self._describe()
        self.update()

    def _describe(self) -> None:
        """Describe the state for screen readers; the base shows nothing."""
