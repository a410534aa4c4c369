"""Settings and tools of the image views: mouse, window presets, measuring."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from desktop.gui.actions.shortcuts import Shortcuts
from desktop.gui.formatting import literal
from desktop.gui.images.view_types import Tool
from desktop.gui.review.page import ReviewPage
from desktop.gui.session.controller import Controller
from desktop.gui.settings.preferences import Preferences
from desktop.gui.viewer.window_level_dialog import WindowEntry

PRESET_COUNT = 4


class ImageTools(QObject):
    """Keeps the image views and the check marks of their actions in step."""

    def __init__(
        self,
        controller: Controller,
        preferences: Preferences,
        shortcuts: Shortcuts,
        window_menu: QMenu,
        review: ReviewPage,
    ) -> None:
        super().__init__(review)
        self._controller = controller
        self._preferences = preferences
        self._shortcuts = shortcuts
        self._review = review
        self._left_drag = Tool.WINDOW.value
        self._presets = [shortcuts[f"preset_{number + 1}"] for number in range(PRESET_COUNT)]
        # Of two that are equal only one is ticked; none where the window is the reader's own.
        group = QActionGroup(self)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        for action in self._presets:
            group.addAction(action)
        window_menu.aboutToShow.connect(self._show_presets)
        review.tool_bar.window_entry_asked.connect(self._ask_window)
        review.image.images_wheeled.connect(controller.move)
        controller.choices_changed.connect(lambda _choices: self.show_state())
        for state in (review.image.state, review.compare.state):
            state.inverted_changed.connect(lambda _inverted: self.show_state())

    def apply_settings(self) -> None:
        """Settings of the image views; those of the comparison are new with each panel."""
        review, settings = self._review, self._preferences.settings
        for view in (review.image, *review.compare.views()):
            view.set_keep(settings.keep_window, settings.keep_zoom)
            view.set_first_preset(settings.window_preset)
        right = Tool(settings.right_drag)
        # Side by side the wheel always zooms: all four show the same image.
        for view in review.compare.views():
            view.set_mouse_tools(right, wheel_shows_images=False)
        review.image.set_mouse_tools(right, wheel_shows_images=settings.wheel == "images")
        if settings.left_drag != self._left_drag:
            self._left_drag = settings.left_drag
            self._choose(Tool(settings.left_drag))

    def show_state(self) -> None:
        """Check marks of what is on or off in the views on show."""
        style = self._controller.choices.style
        self._shortcuts["heatmap"].setChecked(style.visible)
        self._shortcuts["contour"].setChecked(style.contour)
        self._shortcuts["invert"].setChecked(self._review.active_images()[0].state.inverted)

    def apply_preset(self, index: int) -> None:
        """Put a window preset of the film on show in force, if it has so many."""
        view = self._review.active_images()[0]
        presets = view.presets()
        if index < len(presets):
            view.apply_preset(presets[index].key)

    def toggle_measure(self) -> None:
        """Give the left button the ruler, or what it had before."""
        measuring = self._review.image.tool is Tool.MEASURE
        self._choose(Tool(self._left_drag) if measuring else Tool.MEASURE)

    def _choose(self, tool: Tool) -> None:
        self._review.tool_bar.show_tool(tool)
        self._review.image.set_tool(tool)
        self._review.compare.set_tool(tool)

    def _show_presets(self) -> None:
        """Name the presets of the film on show in the menu and tick the one in force."""
        view = self._review.active_images()[0]
        presets, chosen = view.presets(), view.preset()
        for index, action in enumerate(self._presets):
            preset = presets[index] if index < len(presets) else None
            general = self._shortcuts.records[action.objectName()].title
            action.setText(general if preset is None else literal(preset.title))
            action.setChecked(preset is not None and preset is chosen)

    def _ask_window(self) -> None:
        view = self._review.active_images()[0]
        if view.film is not None:
            entry = WindowEntry(*view.grey_window(), self._review.window(), film=view.film)
            entry.window_entered.connect(view.set_window)
            entry.open()
