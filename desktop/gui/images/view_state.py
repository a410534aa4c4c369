"""What several image views share: zoom, centre, window, orientation, cursor. All draw from it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, QPointF, Signal

MIN_ZOOM, MAX_ZOOM = 0.02, 32.0


@dataclass(frozen=True)
class Orientation:
    """How the film lies on the screen: flipped left-right first, then turned clockwise.

    Attributes:
        quarter_turns: Clockwise turns by 90°, 0 to 3.
        flipped: Mirrored left to right.
    """

    quarter_turns: int = 0
    flipped: bool = False

    def turned(self, quarters: int = 1) -> Orientation:
        """One more turn clockwise (negative: counter-clockwise) as seen on the screen."""
        return Orientation((self.quarter_turns + quarters) % 4, self.flipped)

    def mirrored(self) -> Orientation:
        """Mirrored left to right as seen on the screen, whatever the turn."""
        return Orientation(-self.quarter_turns % 4, not self.flipped)


class ViewState(QObject):
    """The shared state of one or more image views.

    Every command changes the state once and reports it; a command that changes nothing is silent.

    Attributes (to be read; the commands change them):
        zoom: Device pixels per film pixel; None = fitted to each view.
        centre: Film position in the middle of the view, in film pixels; None = the film's middle.
        window: (width, level) in stored grey values; None = the film's own default.
        orientation: Turned and flipped.
        inverted: Black and white exchanged.
        cursor: Film position under the pointer, None off the film.

    Signals:
        changed(): Anything but the cursor changed; views repaint.
        inverted_changed(bool): Black and white exchanged.
        cursor_moved(object): Film position (QPointF in film pixels) under the pointer, or None.
    """

    changed = Signal()
    inverted_changed = Signal(bool)
    cursor_moved = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.zoom: float | None = None
        self.centre: QPointF | None = None
        self.window: tuple[float, float] | None = None
        self.orientation = Orientation()
        self.inverted = False
        self.cursor: QPointF | None = None

    def set_window(self, width: float, level: float) -> None:
        """Set the grey window; the width is kept at 1 or more."""
        value = (max(1.0, float(width)), float(level))
        if value != self.window:
            self.window = value
            self.changed.emit()

    def reset_window(self) -> None:
        """Back to each film's own default window; views tell what that is."""
        if self.window is not None:
            self.window = None
            self.changed.emit()

    def set_view(self, zoom: float | None, centre: QPointF | None) -> None:
        """Set zoom (device pixels per film pixel, None = fit) and centre (film pixels) together."""
        if zoom is not None:
            zoom = min(MAX_ZOOM, max(MIN_ZOOM, float(zoom)))
        if (zoom, centre) != (self.zoom, self.centre):
            self.zoom, self.centre = zoom, centre
            self.changed.emit()

    def fit(self) -> None:
        self.set_view(None, None)

    def set_orientation(self, orientation: Orientation) -> None:
        if orientation != self.orientation:
            self.orientation = orientation
            self.changed.emit()

    def set_inverted(self, inverted: bool) -> None:
        if inverted != self.inverted:
            self.inverted = inverted
            self.inverted_changed.emit(inverted)
            self.changed.emit()

    def set_cursor(self, position: QPointF | None) -> None:
        """Show a cross at this film position in every linked view; None hides it."""
        if position != self.cursor:
            self.cursor = position
            self.cursor_moved.emit(position)

    def reset_geometry(self) -> None:
        """Fitted, upright, not flipped."""
        self.fit()
        self.set_orientation(Orientation())

    def copy_from(self, other: ViewState) -> None:
        if other.window is not None:
            self.set_window(*other.window)
        self.set_orientation(other.orientation)
        self.set_inverted(other.inverted)
        self.set_view(other.zoom, other.centre)
