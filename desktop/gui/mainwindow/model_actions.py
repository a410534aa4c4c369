"""The Models menu: panels, the run over the folder, near-duplicates."""

from __future__ import annotations

from desktop.gui.actions.action import SEPARATOR, Action, Item, Menu, Needs, Submenu
from desktop.gui.mainwindow.context import Context


def _pause_or_resume(context: Context) -> None:
    run = context.controller.run
    run.pause() if run.state == "running" else run.resume()


def _retry_failed(context: Context) -> None:
    controller, session = context.controller, context.controller.session
    if session is not None:
        failed = [case for case in range(len(session.table)) if session.failed(case)]
        controller.films.forget(failed)
        controller.run.ask_again(failed)


MODELS: tuple[Item, ...] = (
    Submenu("panels", "&Panel"),
    Action("open_panel", "&Add a panel folder…", Menu.MODELS,
           lambda c: c.opener.add_panel_folder()),
    SEPARATOR,
    Action("label_folder", "Label the whole &folder", Menu.MODELS,
           lambda c: c.controller.run.resume(), keys=("Ctrl+R",), needs=Needs.FOLDER),
    Action("label_selection", "Label the &selection", Menu.MODELS,
           lambda c: c.controller.run.ask_again(c.selection), needs=Needs.FOLDER),
    Action("pause_run", "Pa&use", Menu.MODELS, _pause_or_resume,
           keys=("Ctrl+P",), icon="pause", checkable=True, needs=Needs.FOLDER),
    Action("stop_run", "S&top and keep", Menu.MODELS, lambda c: c.controller.run.stop(),
           icon="stop", needs=Needs.FOLDER),
    Action("retry_failed", "&Retry all failed", Menu.MODELS, _retry_failed, needs=Needs.FOLDER),
    SEPARATOR,
    Action("find_duplicates", "Look for &near-duplicates", Menu.MODELS,
           lambda c: c.controller.duplicates.search(), icon="duplicate", needs=Needs.FOLDER,
           tip="Marks films that are nearly the same."),
)  # fmt: skip
