"""How the reader left the window and the film: the next start finds both so, also after a kill.

Grey window, zoom and orientation belong to the folder and come back only while they are kept from
image to image; place and widths of the window are the reader's and come back everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QPointF, QTimer

from desktop.gui.images.view_state import Orientation, ViewState

if TYPE_CHECKING:
    from desktop.gui.mainwindow.main_window import MainWindow

_SETTLED_MS = 400


def view_to_json(state: ViewState, *, window: bool, zoom: bool) -> dict[str, Any]:
    """The kept part of a view's state as plain values for the store."""
    values: dict[str, Any] = {}
    if window:
        values["grey_window"] = list(state.window) if state.window is not None else None
        values["inverted"] = state.inverted
    if zoom:
        centre = state.centre
        values["zoom"] = state.zoom
        values["centre"] = None if centre is None else [centre.x(), centre.y()]
        values["turned"] = state.orientation.quarter_turns
        values["flipped"] = state.orientation.flipped
    return values


def restore_look(state: ViewState, values: Mapping[str, Any], *, window: bool, zoom: bool) -> None:
    """Put a view as it was; what makes no sense is left out."""
    try:
        if window and values.get("grey_window") is not None:
            width, level = values["grey_window"]
            state.set_window(float(width), float(level))
        if window:
            state.set_inverted(values.get("inverted") is True)
        if zoom and "zoom" in values:
            turned = int(values.get("turned", 0)) % 4
            state.set_orientation(Orientation(turned, values.get("flipped") is True))
            centre = values.get("centre")
            where = None if centre is None else QPointF(float(centre[0]), float(centre[1]))
            factor = values["zoom"]
            state.set_view(None if factor is None else float(factor), where)
    except (TypeError, ValueError, IndexError):
        return


class WindowState(QObject):
    """Saves a moment after the last change and restores at opening."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._state = window.review.image.state
        window.controller.look = self._look
        window.controller.session_opened.connect(self._restore)
        self._state.changed.connect(window.controller.look_changed)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLED_MS)
        self._timer.timeout.connect(self.save)
        window.review.splitter.splitterMoved.connect(lambda *_: self._timer.start())
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """The window itself was moved or resized."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move) and self._window.isVisible():
            self._timer.start()
        return False

    def save(self) -> None:
        """Size, place and widths, now."""
        self._timer.stop()
        self._window.preferences.remember_window(self._window, self._window.review.panel_widths)

    def _kept(self) -> dict[str, bool]:
        settings = self._window.preferences.settings
        return {"window": settings.keep_window, "zoom": settings.keep_zoom}

    def _look(self) -> dict[str, Any]:
        return view_to_json(self._state, **self._kept())

    def _restore(self) -> None:
        restore_look(self._state, self._window.controller.saved_view, **self._kept())
