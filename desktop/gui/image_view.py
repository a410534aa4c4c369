"""The film: window, zoom, pan, heatmap, HUD, measuring. One widget, many may share one ViewState."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from desktop.core.pixels import Radiograph
from desktop.gui.view_state import ViewState
from desktop.gui.view_values import HeatStyle, HudFacts, MapLayer, Tool, WindowPreset


class ImageView(QWidget):
    """Shows one radiograph at full depth.

    Mouse: left drag = the tool (window/level: right = wider, up = brighter), right drag = zoom,
    middle drag = pan, wheel = zoom at the cursor, double click = fit. Keys while focused: Space held
    = bare image, arrows are left to the list, + and - zoom, Escape gives up a measurement, Delete
    removes the last one.

    Signals (past events):
        window_changed(float, float): Width and level in stored grey values.
        zoom_changed(float): Device pixels per film pixel as now drawn.
        measured(Measurement): A distance was finished.
        bare_changed(bool): Overlays were hidden or shown again.
        cursor_moved(object): (x, y, grey value) of the film under the pointer, or None.
        activated(): The view was clicked.
    """

    window_changed = Signal(float, float)
    zoom_changed = Signal(float)
    measured = Signal(object)
    bare_changed = Signal(bool)
    cursor_moved = Signal(object)
    activated = Signal()

    def __init__(self, state: ViewState | None = None, parent: QWidget | None = None) -> None:
        """Build a view; without ``state`` it has its own."""
        super().__init__(parent)
        self._state = state or ViewState(self)

    # What is shown -------------------------------------------------------------------------------
    def show_film(self, film: Radiograph, hud: HudFacts) -> None:
        """Show a film. Zoom, window and orientation stay or start anew as ``set_keep`` says."""

    def show_loading(
        self, hud: HudFacts, thumbnail: QImage | None = None, size: tuple[int, int] | None = None
    ) -> None:
        """Show that a film is on its way: the thumbnail stretched to where the film will be.

        ``size`` is the film's (height, width) where known. A 2 px line appears after 150 ms.
        """

    def show_failure(self, hud: HudFacts, title: str, sentence: str) -> None:
        """Put the reason in the image's place."""

    def show_nothing(self) -> None:
        """Empty well."""

    def show_map(self, layer: MapLayer | None) -> None:
        """Lay a heatmap over the film; None takes it away. An all-zero map is said in words."""

    def show_contour(self, mask: npt.NDArray[np.bool_] | None, words: str = "") -> None:
        """Outline a region [h, w] (consensus of the maps); None takes it away."""

    def set_heat_style(self, style: HeatStyle) -> None:
        """Opacity, threshold, contour or colour, visible or not."""

    def set_hud_visible(self, visible: bool) -> None:
        """Show or leave out the words at the corners."""

    # Commands ------------------------------------------------------------------------------------
    @property
    def state(self) -> ViewState:
        """The shared state."""
        return self._state

    @property
    def film(self) -> Radiograph | None:
        """The film on show, None in the other states."""
        return None

    def set_keep(self, window: bool, zoom: bool) -> None:
        """Whether window and zoom stay when the next film comes. Both are off at first."""

    def set_tool(self, tool: Tool) -> None:
        """What the left button does."""

    @property
    def tool(self) -> Tool:
        return Tool.WINDOW

    def set_bare(self, bare: bool) -> None:
        """Hide heatmap, measurements and HUD (which then says "Bare image")."""

    def presets(self) -> Sequence[WindowPreset]:
        """Presets of the film on show: the file's own first, then full, 1-99 %, 5-95 %."""
        return ()

    def apply_preset(self, key: str) -> None:
        """Use a preset by key; unknown keys do nothing."""

    def window(self) -> tuple[float, float]:
        """(width, level) in force, in stored grey values."""
        return 1.0, 0.0

    def set_window(self, width: float, level: float) -> None:
        """Set the grey window."""

    def reset_window(self) -> None:
        """Back to the film's default window; zoom stays."""

    def effective_zoom(self) -> float:
        """Device pixels per film pixel as drawn, also while fitted."""
        return 1.0

    def fit(self) -> None:
        """Fit the film to the view; the window stays."""

    def one_to_one(self) -> None:
        """One film pixel a device pixel, around the middle."""

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Multiply the zoom, keeping the film position under ``at`` (widget px) where it is."""

    def rotate_right(self) -> None:
        """A quarter turn clockwise; the heatmap turns along."""

    def rotate_left(self) -> None:
        """A quarter turn counter-clockwise."""

    def flip(self) -> None:
        """Mirror left to right as seen."""

    def set_inverted(self, inverted: bool) -> None:
        """Exchange black and white."""

    def clear_measurements(self) -> None:
        """Remove all distances."""

    def snapshot(self, width: int | None = None) -> QImage:
        """The view with overlays and words as an image, for export; ``width`` in device px."""
        return QImage()

    def film_position(self, point: QPointF) -> QPointF | None:
        """Film pixel under a widget position; None where there is no film."""
        return None
