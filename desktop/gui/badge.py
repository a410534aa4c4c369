"""Quiet badges: grey, icon and two or three words; one sentence on hover or Enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QAbstractButton, QWidget


@dataclass(frozen=True)
class BadgeFacts:
    """One badge.

    Attributes:
        key: Stable name, e.g. ``ood``.
        icon: Icon name.
        words: Two or three words.
        sentence: What it means and what to do, shown on hover or Enter.
    """

    key: str
    icon: str
    words: str
    sentence: str


class Badge(QAbstractButton):
    """One badge, 24 px; hover or Enter opens its sentence.

    Signals:
        opened(str): The sentence of this badge was opened, with its key.
    """

    opened = Signal(str)

    def __init__(self, facts: BadgeFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts = facts


class BadgeRow(QWidget):
    """At most two badges in a row, the others behind "+1".

    Signals:
        opened(str): As in ``Badge``.
    """

    opened = Signal(str)

    def set_badges(self, badges: Sequence[BadgeFacts]) -> None:
        """Show these, most important first."""
