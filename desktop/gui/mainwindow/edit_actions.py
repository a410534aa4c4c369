"""The Edit menu: undo, the reader's decisions, finding images."""

from __future__ import annotations

from collections.abc import Callable

from desktop.gui.actions.action import SEPARATOR, Action, Item, Menu, Needs, Submenu
from desktop.gui.mainwindow.context import Context
from desktop.gui.mainwindow.review_actions import DECIDE


def _undo_or_redo(context: Context, step: Callable[[], None]) -> None:
    """Do it, and go to where its images are seen."""
    step()
    if not context.review.isVisible():
        context.show_page("review")


EDIT: tuple[Item, ...] = (
    Action("undo", "&Undo", Menu.EDIT, lambda c: _undo_or_redo(c, c.decisions.undo),
           keys=("Ctrl+Z",), icon="undo", needs=Needs.FOLDER),
    Action("redo", "&Redo", Menu.EDIT, lambda c: _undo_or_redo(c, c.decisions.redo),
           keys=("Ctrl+Y", "Ctrl+Shift+Z"), needs=Needs.FOLDER),
    SEPARATOR,
    *DECIDE,
    SEPARATOR,
    Action("find", "&Search", Menu.EDIT, lambda c: c.case_filter.focus_search(),
           keys=("/", "Ctrl+F"), needs=Needs.FOLDER),
    Action("select_all", "Select &all listed", Menu.EDIT,
           lambda c: c.review.list_panel.select_all(), keys=("Ctrl+A",), needs=Needs.FILM),
    Submenu("filters", "Show &only"),
    Action("save_filter", "Sa&ve this filter…", Menu.EDIT, lambda c: c.case_filter.save(),
           needs=Needs.FOLDER),
    Action("clear_filters", "Sho&w all images", Menu.EDIT, lambda c: c.case_filter.apply("", ""),
           keys=("Ctrl+Shift+F",), needs=Needs.FOLDER),
)  # fmt: skip
