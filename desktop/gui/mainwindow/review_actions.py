"""Deciding, which stands in the Edit menu, and moving from image to image, in the View menu."""

from __future__ import annotations

from desktop.gui.actions.action import Action, Item, Menu, Needs, Submenu

LABEL_COUNT = 9


def _label(number: int) -> Action:
    return Action(
        f"label_{number}",
        "Label with class {number} and go on",
        Menu.DECIDE,
        lambda c: c.decisions.label(number - 1, c.selection),
        keys=(str(number),),
        needs=Needs.FILM,
        number=str(number),
    )


DECIDE: tuple[Item, ...] = (
    Submenu("labels", "&Label", tuple(_label(number) for number in range(1, LABEL_COUNT + 1))),
    Action("accept", "Accept the &consensus and go on", Menu.DECIDE,
           lambda c: c.decisions.accept(c.selection),
           keys=("Return", "Enter"), icon="check", needs=Needs.FILM),
    Action("unsure", "U&nsure and go on", Menu.DECIDE,
           lambda c: c.decisions.mark_unsure(c.selection), keys=("U",), needs=Needs.FILM),
    Action("flag", "&Flag", Menu.DECIDE, lambda c: c.decisions.toggle_flag(c.selection),
           keys=("K",), icon="flag", needs=Needs.FILM),
    Action("comment", "Co&mment", Menu.DECIDE, lambda c: c.review.focus_comment(),
           keys=("C",), needs=Needs.FILM),
    Action("clear_decision", "&Take the decision back", Menu.DECIDE,
           lambda c: c.decisions.clear(c.selection), keys=("Backspace",), needs=Needs.FILM),
)  # fmt: skip

MOVE: tuple[Item, ...] = (
    Action("next", "&Next image", Menu.MOVE, lambda c: c.controller.move(1),
           keys=("D", "Right", "Down"), needs=Needs.FILM),
    Action("previous", "&Previous image", Menu.MOVE, lambda c: c.controller.move(-1),
           keys=("A", "Left", "Up"), needs=Needs.FILM),
    Action("next_unreviewed", "Ne&xt unreviewed", Menu.MOVE,
           lambda c: c.controller.move_to_unreviewed(1),
           keys=("Ctrl+Shift+D", "N"), icon="chevron-right", needs=Needs.FILM),
    Action("previous_unreviewed", "Pre&vious unreviewed", Menu.MOVE,
           lambda c: c.controller.move_to_unreviewed(-1),
           keys=("Ctrl+Shift+A",), needs=Needs.FILM),
    Action("first", "&First image", Menu.MOVE, lambda c: c.controller.move_to_end(last=False),
           keys=("Home",), needs=Needs.FILM),
    Action("last", "Last ima&ge", Menu.MOVE, lambda c: c.controller.move_to_end(last=True),
           keys=("End",), needs=Needs.FILM),
)  # fmt: skip
