"""Which drag of the mouse does what on a film. Only state: the view does the work."""

from __future__ import annotations

import math
from typing import Protocol

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QCursor, QMouseEvent

from desktop.core.imaging.decode import Radiograph
from desktop.gui.images.view_types import Measurement, Tool

# A drag over this many pixels moves the window by the film's whole grey range.
DRAG_RANGE_PX = 400.0
_ZOOM_PX = 150.0


class FilmCanvas(Protocol):
    """What a drag needs of the view that it happens on; `ImageView` says what each does."""

    @property
    def tool(self) -> Tool: ...
    @property
    def film(self) -> Radiograph | None: ...
    def set_tool(self, tool: Tool) -> None: ...
    def grey_range(self) -> float: ...
    def grey_window(self) -> tuple[float, float]: ...
    def set_window(self, width: float, level: float) -> None: ...
    def zoom_by(self, factor: float, at: QPointF | None = None) -> None: ...
    def pan_by(self, step: QPointF) -> None: ...
    def film_position(self, point: QPointF, *, clamp: bool = False) -> QPointF | None: ...
    def measurement_of(self, start: QPointF, end: QPointF) -> Measurement: ...
    def setCursor(self, cursor: QCursor | Qt.CursorShape, /) -> None: ...
    def update(self) -> None: ...


class Gestures:
    """The drag in progress and the distances already measured."""

    def __init__(self, view: FilmCanvas) -> None:
        self._view = view
        self._drag: tuple[Tool, Qt.MouseButton, QPointF, QPointF] | None = None
        self.draft: tuple[QPointF, QPointF] | None = None
        self.done: list[Measurement] = []
        self.right = Tool.ZOOM

    def clear(self) -> None:
        """Forget drag and distances: another film."""
        self._drag = self.draft = None
        self.done.clear()

    def press(self, event: QMouseEvent) -> None:
        """Begin a drag; a second button does not disturb the first."""
        tool = {
            Qt.MouseButton.LeftButton: self._view.tool,
            Qt.MouseButton.RightButton: self.right,
            Qt.MouseButton.MiddleButton: Tool.PAN,
        }.get(event.button())
        if tool is None or self._view.film is None or self._drag is not None:
            return
        self._drag = tool, event.button(), event.position(), event.position()
        if tool is Tool.MEASURE:
            start = self._view.film_position(event.position())
            self.draft = (start, start) if start is not None else None
        elif tool is Tool.PAN:
            self._view.setCursor(Qt.CursorShape.ClosedHandCursor)

    def move(self, event: QMouseEvent) -> None:
        """Go on with the drag in progress."""
        if self._drag is None:
            return
        tool, button, first, last = self._drag
        step = event.position() - last
        self._drag = tool, button, first, event.position()
        if tool is Tool.WINDOW:
            unit = self._view.grey_range() / DRAG_RANGE_PX
            width, level = self._view.grey_window()
            # Right is wider; up is brighter, which is a lower level.
            self._view.set_window(width + step.x() * unit, level + step.y() * unit)
        elif tool is Tool.ZOOM:
            self._view.zoom_by(math.exp(-step.y() / _ZOOM_PX), first)
        elif tool is Tool.PAN:
            self._view.pan_by(step)
        elif self.draft is not None:
            end = self._view.film_position(event.position(), clamp=True)
            if end is not None:
                self.draft = self.draft[0], end
                self._view.update()

    def release(self, event: QMouseEvent) -> Measurement | None:
        """End the drag; a finished distance is kept and returned."""
        if self._drag is None or event.button() != self._drag[1]:
            return None
        tool, draft = self._drag[0], self.draft
        self._drag = self.draft = None
        self._view.set_tool(self._view.tool)
        if tool is not Tool.MEASURE or draft is None:
            return None
        finished = self._view.measurement_of(*draft)
        if finished.pixels < 1:
            return None
        self.done.append(finished)
        return finished

    def give_up(self) -> bool:
        """Escape: drop an unfinished distance, True if there was one."""
        had = self.draft is not None
        self._drag = self.draft = None
        return had

    def remove_last(self) -> bool:
        """Delete: remove the newest distance, True if there was one."""
        if not self.done:
            return False
        self.done.pop()
        return True
