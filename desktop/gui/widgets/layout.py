"""Rows and columns of widgets, each in one expression."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

# A widget or a layout, also with its stretch and alignment; px of space; or (None, stretch).
Part = QWidget | QLayout | None
Item = Part | int | tuple[Part, int] | tuple[Part, int, Qt.AlignmentFlag]
Margins = tuple[int, int, int, int]
STRETCH: Item = (None, 1)
_NO_MARGINS = (0, 0, 0, 0)


def column(
    *items: Item,
    of: QWidget | None = None,
    margins: Margins = _NO_MARGINS,
    spacing: int | None = None,
) -> QVBoxLayout:
    """Items from top to bottom.

    Args:
        items: See `Item`.
        of: The widget that they fill, None for a part of another layout.
        margins: Left, top, right, bottom in px.
        spacing: Px between two items, None for that of the layout around this one.
    """
    layout = QVBoxLayout() if of is None else QVBoxLayout(of)
    _fill(layout, items, margins, spacing)
    return layout


def row(
    *items: Item,
    of: QWidget | None = None,
    margins: Margins = _NO_MARGINS,
    spacing: int | None = None,
) -> QHBoxLayout:
    """Items from left to right; arguments as in `column`."""
    layout = QHBoxLayout() if of is None else QHBoxLayout(of)
    _fill(layout, items, margins, spacing)
    return layout


def _fill(
    layout: QBoxLayout, items: tuple[Item, ...], margins: Margins, spacing: int | None
) -> None:
    layout.setContentsMargins(*margins)
    if spacing is not None:
        layout.setSpacing(spacing)
    add_items(layout, items)


def add_items(layout: QBoxLayout, items: Iterable[Item]) -> None:
    """Add items at the end of a row or column."""
    for item in items:
        part, *how = item if isinstance(item, tuple) else (item,)
        if part is None:
            layout.addStretch(*how)
        elif isinstance(part, int):
            layout.addSpacing(part)
        elif isinstance(part, QLayout):
            layout.addLayout(part, *how)
        else:
            layout.addWidget(part, *how)
