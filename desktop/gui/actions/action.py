"""What a command of the window is: one record, from which everything that shows it is made.

The records stand in the order of their menus in ``desktop/gui/mainwindow/*_actions.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from PySide6.QtCore import QCoreApplication

CONTEXT = "Actions"  # of the translations; packaging/translation_template.py collects the texts
SEPARATOR = None


class Menu(StrEnum):
    """Menus of the bar and headings of the key sheet, in this order.

    ``DECIDE`` and ``MOVE`` are headings only: their actions stand in the menus Edit and View.
    """

    FILE = "&File"
    EDIT = "&Edit"
    DECIDE = "Decide"
    MOVE = "Move"
    VIEW = "&View"
    MODELS = "&Models"
    HELP = "&Help"

    @property
    def title(self) -> str:
        """Text of the menu in the user's language, with its mnemonic."""
        return _translate(self.value)

    @property
    def heading(self) -> str:
        """The same without the mnemonic."""
        return _plain(self.title)


class Needs(Enum):
    """What must be there for an action to be enabled."""

    NOTHING = "nothing"
    FOLDER = "an open folder"
    FILM = "a film or its list on the screen"


@dataclass(frozen=True)
class Action:
    """One command.

    Attributes:
        id: Stable name; a rebinding in the settings is stored under it.
        text: English text with its mnemonic; ``...`` ends it where a dialog follows.
        menu: Its heading in the key sheet, and its menu unless that is a heading only.
        run: Does it; called with the ``Context`` of ``desktop.gui.mainwindow.context``.
        keys: Default key sequences in Qt's portable text, the first is the one shown.
        icon: Name of an icon for buttons, empty for none.
        checkable: True for a state that is on or off. ``run`` switches the state itself; the check
            mark follows the state, not the other way round.
        needs: When it is enabled.
        tip: One more sentence for the status tip and the manual, may be empty.
        number: What ``{number}`` in the text stands for, empty for none.
    """

    id: str
    text: str
    menu: Menu
    run: Callable[[Any], object]
    keys: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False
    needs: Needs = Needs.NOTHING
    tip: str = ""
    number: str = ""

    @property
    def title(self) -> str:
        """The text in the user's language, with its mnemonic."""
        return _translate(self.text).replace("{number}", self.number)

    @property
    def plain_title(self) -> str:
        """The same without mnemonic and dots."""
        return _plain(self.title)

    @property
    def status_tip(self) -> str:
        """The tip in the user's language."""
        return _translate(self.tip) if self.tip else ""


@dataclass(frozen=True)
class Submenu:
    """A menu within a menu; the window fills one without items when it is known what goes in."""

    id: str
    text: str
    items: tuple[Item, ...] = ()

    @property
    def title(self) -> str:
        """The text in the user's language, with its mnemonic."""
        return _translate(self.text)


Item = Action | Submenu | None


def actions_in(items: Iterable[Item]) -> Iterator[Action]:
    """All actions of a menu and its submenus, in order."""
    for item in items:
        if isinstance(item, Action):
            yield item
        elif isinstance(item, Submenu):
            yield from actions_in(item.items)


def texts_in(items: Iterable[Item]) -> Iterator[str]:
    """Every text of a menu that needs a translation."""
    for item in items:
        if item is not SEPARATOR:
            yield item.text
        if isinstance(item, Action) and item.tip:
            yield item.tip
        if isinstance(item, Submenu):
            yield from texts_in(item.items)


def _translate(text: str) -> str:
    return QCoreApplication.translate(CONTEXT, text)


def _plain(title: str) -> str:
    return title.replace("&", "").removesuffix("...").removesuffix("…")
