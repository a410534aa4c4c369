"""What the actions do to the image on show: geometry, grey window, tools, and the map over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QActionGroup

from desktop.gui.actions.action import BY_NAME, PRESET_COUNT
from desktop.gui.formatting import literal
from desktop.gui.images.view_types import Tool
from desktop.gui.viewer.window_level_dialog import WindowEntry

if TYPE_CHECKING:
    from desktop.gui.mainwindow.main_window import MainWindow
    from desktop.gui.viewer.image_view import ImageView

_ZOOM_STEP = 1.25


class ImageActions(QObject):
    """Ties the actions of View and Heatmap to the image views."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._left_drag = Tool.WINDOW.value
        shortcuts = window.shortcuts
        for name, command in self._commands().items():
            shortcuts[name].triggered.connect(lambda _checked=False, run=command: run())
        for number in range(1, PRESET_COUNT + 1):
            shortcuts[f"preset_{number}"].triggered.connect(
                lambda _checked=False, index=number - 1: self._apply_preset(index)
            )
        shortcuts["heatmap"].toggled.connect(self._on_heatmap)
        shortcuts["contour"].toggled.connect(self._on_contour)
        shortcuts["invert"].toggled.connect(
            lambda on: self._on_image(lambda view: view.set_inverted(on))
        )
        shortcuts["keep_view"].toggled.connect(
            lambda on: window.preferences.change(keep_window=on, keep_zoom=on)
        )
        # Of two that are equal only one is ticked; none where the window is the reader's own.
        group = QActionGroup(self)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        for number in range(1, PRESET_COUNT + 1):
            group.addAction(shortcuts[f"preset_{number}"])
        window.menus.window.aboutToShow.connect(self._name_presets)
        window.review.tool_bar.window_entry_asked.connect(self._ask_window)
        window.review.image.images_wheeled.connect(window.controller.move)
        window.controller.choices_changed.connect(self._on_choices)

    def _commands(self) -> dict[str, Callable[[], None]]:
        return {
            "next_model": self._cycle_model,
            "next_class": self._cycle_class,
            "rotate": lambda: self._on_image(lambda view: view.rotate_right()),
            "flip": lambda: self._on_image(lambda view: view.flip()),
            "fit": lambda: self._on_image(lambda view: view.fit()),
            "actual_size": lambda: self._on_image(lambda view: view.one_to_one()),
            "zoom_in": lambda: self._on_image(lambda view: view.zoom_by(_ZOOM_STEP)),
            "zoom_out": lambda: self._on_image(lambda view: view.zoom_by(1 / _ZOOM_STEP)),
            "reset_window": lambda: self._on_image(lambda view: view.reset_window()),
            "measure": self._choose_measure,
        }

    def apply_settings(self) -> None:
        """Settings of the image views; those of the comparison are new with each panel."""
        window, settings = self._window, self._window.preferences.settings
        for view in (window.review.image, *window.review.compare.views()):
            view.set_keep(settings.keep_window, settings.keep_zoom)
            view.set_first_preset(settings.window_preset)
        right = Tool(settings.right_drag)
        # Side by side the wheel always zooms: all four show the same image.
        for view in window.review.compare.views():
            view.set_mouse_tools(right, wheel_shows_images=False)
        window.review.image.set_mouse_tools(right, wheel_shows_images=settings.wheel == "images")
        if settings.left_drag != self._left_drag:
            self._left_drag = settings.left_drag
            self._choose_tool(Tool(settings.left_drag))

    def _on_image(self, command: Callable[[ImageView], None]) -> None:
        """Views side by side share one state, so the first of them speaks for all."""
        for view in self._window.review.active_images()[:1]:
            command(view)

    def _apply_preset(self, index: int) -> None:
        for view in self._window.review.active_images()[:1]:
            presets = view.presets()
            if index < len(presets):
                view.apply_preset(presets[index].key)

    def _name_presets(self) -> None:
        """Name the presets of the film on show in the menu and tick the one in force."""
        views = self._window.review.active_images()
        presets, chosen = (views[0].presets(), views[0].preset()) if views else ((), None)
        for number in range(1, PRESET_COUNT + 1):
            action = self._window.shortcuts[f"preset_{number}"]
            preset = presets[number - 1] if number <= len(presets) else None
            general = BY_NAME[f"preset_{number}"].title
            action.setText(general if preset is None else literal(preset.title))
            action.setChecked(preset is not None and preset is chosen)

    def _ask_window(self) -> None:
        views = self._window.review.active_images()
        if views and views[0].film is not None:
            entry = WindowEntry(*views[0].grey_window(), self._window, film=views[0].film)
            entry.window_entered.connect(views[0].set_window)
            entry.open()

    def _choose_measure(self) -> None:
        review = self._window.review
        before = Tool(self._left_drag)
        self._choose_tool(before if review.image.tool is Tool.MEASURE else Tool.MEASURE)

    def _choose_tool(self, tool: Tool) -> None:
        review = self._window.review
        review.tool_bar.show_tool(tool)
        review.image.set_tool(tool)
        review.compare.set_tool(tool)

    def _cycle_model(self) -> None:
        controller = self._window.controller
        if controller.session is not None:
            count = len(controller.session.facts.models)
            model = (controller.choices.model + 1) % count
            controller.set_choices(replace(controller.choices, model=model))

    def _cycle_class(self) -> None:
        controller = self._window.controller
        if controller.session is not None:
            count = len(controller.session.facts.class_names)
            index = controller.choices.map_class + 1
            controller.set_choices(
                replace(controller.choices, map_class=index if index < count else -1)
            )

    def _on_choices(self, _choices: object) -> None:
        window, choices = self._window, self._window.controller.choices
        for name, on in (
            ("heatmap", choices.style.visible),
            ("contour", choices.style.contour),
        ):
            window.shortcuts[name].setChecked(on)

    def _on_heatmap(self, on: bool) -> None:
        controller = self._window.controller
        style = replace(controller.choices.style, visible=on)
        controller.set_choices(replace(controller.choices, style=style))

    def _on_contour(self, on: bool) -> None:
        controller = self._window.controller
        style = controller.choices.style
        style = replace(style, contour=on, visible=style.visible or on)
        controller.set_choices(replace(controller.choices, style=style))
