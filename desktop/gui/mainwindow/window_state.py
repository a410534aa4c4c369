"""State of window and image view that the next start restores, also after a crash.

Grey window, zoom and orientation belong to the folder and are restored only while they are kept
from image to image; position, size and column widths of the window belong to the user.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPointF, QTimer
from PySide6.QtWidgets import QMainWindow

from desktop.gui.images.view_state import Orientation, ViewState
from desktop.gui.review.page import ReviewPage
from desktop.gui.session.controller import Controller
from desktop.gui.settings.preferences import Preferences

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


def restore_view(state: ViewState, values: Mapping[str, Any], *, window: bool, zoom: bool) -> None:
    """Restore what `view_to_json` kept; values that make no sense are ignored."""
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

    def __init__(
        self,
        window: QMainWindow,
        controller: Controller,
        preferences: Preferences,
        review: ReviewPage,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._controller = controller
        self._preferences = preferences
        self._review = review
        self._view = review.image.state
        controller.look = lambda: view_to_json(self._view, **self._kept())
        controller.session_opened.connect(self._restore)
        self._view.changed.connect(controller.look_changed)
        self._timer = QTimer(self, singleShot=True, interval=_SETTLED_MS, timeout=self.save)
        review.splitter.splitterMoved.connect(lambda *_: self._timer.start())
        window.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """The window itself was moved or resized."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move) and self._window.isVisible():
            self._timer.start()
        return False

    def save(self) -> None:
        """Save position and size of the window and the widths of its columns now."""
        self._timer.stop()
        self._preferences.remember_window(self._window, self._review.panel_widths)

    def _kept(self) -> dict[str, bool]:
        settings = self._preferences.settings
        return {"window": settings.keep_window, "zoom": settings.keep_zoom}

    def _restore(self) -> None:
        restore_view(self._view, self._controller.saved_view, **self._kept())
