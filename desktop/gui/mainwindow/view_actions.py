"""The View menu: pages, moving on, heatmap, the image and its grey window."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QCoreApplication

from desktop.gui.actions.action import SEPARATOR, Action, Item, Menu, Needs, Submenu
from desktop.gui.mainwindow.context import Context
from desktop.gui.mainwindow.image_tools import PRESET_COUNT
from desktop.gui.mainwindow.review_actions import MOVE

_ZOOM_STEP = 1.25


def _change_heatmap(context: Context, **changes: bool) -> None:
    choices = context.controller.choices
    context.controller.set_choices(replace(choices, style=replace(choices.style, **changes)))


def _toggle_heatmap(context: Context) -> None:
    _change_heatmap(context, visible=not context.controller.choices.style.visible)


def _toggle_contour(context: Context) -> None:
    style = context.controller.choices.style
    _change_heatmap(context, contour=not style.contour, visible=style.visible or not style.contour)


def _next_model(context: Context) -> None:
    session, choices = context.controller.session, context.controller.choices
    if session is not None:
        model = (choices.model + 1) % len(session.facts.models)
        context.controller.set_choices(replace(choices, model=model))


def _next_class(context: Context) -> None:
    """Each class in turn, then the one that each model votes for (-1)."""
    session, choices = context.controller.session, context.controller.choices
    if session is not None:
        index = choices.map_class + 1
        count = len(session.facts.class_names)
        context.controller.set_choices(replace(choices, map_class=index if index < count else -1))


def _toggle_keep(context: Context) -> None:
    settings = context.preferences.settings
    keep = not (settings.keep_window and settings.keep_zoom)
    context.preferences.change(keep_window=keep, keep_zoom=keep)


def _toggle_facts(context: Context) -> None:
    context.preferences.toggle("show_file_facts")
    shown, review = context.preferences.settings.show_file_facts, context.review
    if shown and review.isVisible() and review.list_panel.rail:
        context.status.show_notice(
            QCoreApplication.translate(
                "ViewActions",
                "Facts of the file stand below the whole list; here only its rail is shown.",
            )
        )


def _toggle_full_screen(context: Context) -> None:
    window = context.window
    window.showNormal() if window.isFullScreen() else window.showFullScreen()


def _preset(number: int) -> Action:
    return Action(
        f"preset_{number}",
        "Window preset {number}",
        Menu.VIEW,
        lambda c: c.image_tools.apply_preset(number - 1),
        keys=(f"Alt+{number}",),
        checkable=True,
        needs=Needs.FILM,
        number=str(number),
    )


VIEW: tuple[Item, ...] = (
    Action("page_review", "&Review", Menu.VIEW, lambda c: c.show_page("review"),
           keys=("Ctrl+1",)),
    Action("page_compare", "&Compare", Menu.VIEW, lambda c: c.show_page("compare"),
           keys=("Ctrl+2",), icon="grid", needs=Needs.FOLDER),
    Action("page_batch", "B&atch", Menu.VIEW, lambda c: c.show_page("batch"), keys=("Ctrl+3",)),
    Action("page_scorecard", "&Scorecard", Menu.VIEW, lambda c: c.show_page("scorecard"),
           keys=("Ctrl+4",)),
    SEPARATOR,
    *MOVE,
    SEPARATOR,
    Action("heatmap", "&Heatmap", Menu.VIEW, _toggle_heatmap,
           keys=("H",), icon="heatmap", checkable=True, needs=Needs.FILM),
    Action("contour", "C&ontour", Menu.VIEW, _toggle_contour,
           keys=("O",), icon="contour", checkable=True, needs=Needs.FILM),
    Action("next_model", "Next &model's map", Menu.VIEW, _next_model,
           keys=("M",), needs=Needs.FILM),
    Action("next_class", "Map of the next c&lass", Menu.VIEW, _next_class,
           keys=("X",), needs=Needs.FILM),
    SEPARATOR,
    Submenu("window", "&Window", (
        *(_preset(number) for number in range(1, PRESET_COUNT + 1)),
        SEPARATOR,
        Action("reset_window", "Reset &window", Menu.VIEW, lambda c: c.view.reset_window(),
               keys=("R",), needs=Needs.FILM),
        Action("keep_view", "&Keep window and zoom for the next image", Menu.VIEW, _toggle_keep,
               keys=("L",), checkable=True, needs=Needs.FOLDER),
    )),
    Submenu("image", "&Image", (
        Action("invert", "&Invert", Menu.VIEW,
               lambda c: c.view.set_inverted(not c.view.state.inverted),
               keys=("I",), icon="invert", checkable=True, needs=Needs.FILM),
        Action("rotate", "&Rotate by 90°", Menu.VIEW, lambda c: c.view.rotate_right(),
               keys=("]",), icon="rotate-right", needs=Needs.FILM),
        Action("flip", "&Flip", Menu.VIEW, lambda c: c.view.flip(),
               keys=("[",), icon="flip", needs=Needs.FILM),
        SEPARATOR,
        Action("fit", "Fi&t", Menu.VIEW, lambda c: c.view.fit(),
               keys=("F",), icon="fit", needs=Needs.FILM),
        Action("actual_size", "&100 %", Menu.VIEW, lambda c: c.view.one_to_one(),
               keys=("Ctrl+0",), needs=Needs.FILM),
        Action("zoom_in", "Zoom i&n", Menu.VIEW, lambda c: c.view.zoom_by(_ZOOM_STEP),
               keys=("+", "="), needs=Needs.FILM),
        Action("zoom_out", "Zoom o&ut", Menu.VIEW, lambda c: c.view.zoom_by(1 / _ZOOM_STEP),
               keys=("-",), needs=Needs.FILM),
    )),
    Action("measure", "M&easure", Menu.VIEW, lambda c: c.image_tools.toggle_measure(),
           keys=("E",), icon="ruler", needs=Needs.FILM),
    Action("facts", "&DICOM facts", Menu.VIEW, _toggle_facts,
           keys=("Ctrl+I",), checkable=True, needs=Needs.FOLDER),
    SEPARATOR,
    Action("blind_first", "&Blind first", Menu.VIEW, lambda c: c.preferences.toggle("blind_first"),
           keys=("B",), icon="eye-off", checkable=True,
           tip="You label before the votes appear. Both are kept."),
    Submenu("theme", "&Theme"),
    Action("full_screen", "F&ull screen", Menu.VIEW, _toggle_full_screen,
           keys=("F11",), checkable=True),
)  # fmt: skip
