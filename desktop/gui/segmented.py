"""Segmented switch, 28 px: one of a few, with the accent underline."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


class Segmented(QWidget):
    """One choice out of two to six; arrow keys move, each segment may carry a class colour dot.

    Signals:
        chosen(int): The reader took another segment.
    """

    chosen = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """``name`` is what screen readers say first, e.g. "Heatmap class"."""
        super().__init__(parent)
        self.setAccessibleName(name)

    def set_segments(
        self, words: Sequence[str], slots: Sequence[int | None] = (), tips: Sequence[str] = ()
    ) -> None:
        """Set the segments; ``slots`` gives each a class colour dot or None."""

    @property
    def index(self) -> int:
        """Chosen segment."""
        return 0

    def set_index(self, index: int) -> None:
        """Choose without telling."""
