"""A matrix of figures: grey fill by value, names at the sides, every cell readable."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.gui import theme
from desktop.gui.colour_difference import mix
from desktop.gui.paint import Restyled, draw_text, fill_round, text_width

_GAP = 2
# The strongest fill; text 1 keeps at least 4.5 on it.
_STRONGEST = 0.30


class MatrixChart(Restyled):
    """Figures in [0, 1] (or shares of the largest), rows and columns named.

    Screen readers get every row as a sentence in the accessible description.
    """

    def __init__(self, name: str, parent: QWidget | None = None, *, cell_height: int = 28) -> None:
        super().__init__(parent)
        self._rows: tuple[str, ...] = ()
        self._columns: tuple[str, ...] = ()
        self._cells: tuple[tuple[str, ...], ...] = ()
        self._fills: tuple[tuple[float, ...], ...] = ()
        self._cell_height = cell_height
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_matrix(
        self,
        rows: Sequence[str],
        columns: Sequence[str],
        cells: Sequence[Sequence[str]],
        fills: Sequence[Sequence[float]],
    ) -> None:
        """Show figures.

        Args:
            rows: Name of each row. columns: of each column, short.
            cells: Text of each cell, empty = nothing is drawn.
            fills: Strength of each fill, 0 to 1.
        """
        self._rows, self._columns = tuple(rows), tuple(columns)
        self._cells = tuple(tuple(line) for line in cells)
        self._fills = tuple(tuple(line) for line in fills)
        sentences = []
        for row, line in zip(self._rows, self._cells, strict=True):
            figures = ", ".join(
                f"{column} {text}" for column, text in zip(self._columns, line, strict=True) if text
            )
            sentences.append(f"{row}: {figures}.")
        self.setAccessibleDescription(" ".join(sentences))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        height = theme.dp(20) + len(self._rows) * (theme.dp(self._cell_height) + _GAP)
        return QSize(260, height)

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        if not self._rows:
            return
        font, figures = theme.font(12), theme.font(12, 500)
        names = max(text_width(font, row) for row in self._rows) + theme.GAP_M
        names = min(names, self.width() * 0.4)
        step = (self.width() - names + _GAP) / len(self._columns)
        centre = Qt.AlignmentFlag.AlignHCenter
        head, height = theme.dp(20), theme.dp(self._cell_height)
        for place, column in enumerate(self._columns):
            box = QRectF(names + place * step, 0, step - _GAP, head)
            draw_text(painter, box, column, font, tokens.text2, centre)
        for line, row in enumerate(self._rows):
            top = head + line * (height + _GAP)
            name_box = QRectF(0, top, names - theme.GAP_XS, height)
            draw_text(painter, name_box, row, font, tokens.text1)
            for place, text in enumerate(self._cells[line]):
                if not text:
                    continue
                box = QRectF(names + place * step, top, step - _GAP, height)
                share = 0.04 + (_STRONGEST - 0.04) * min(1.0, max(0.0, self._fills[line][place]))
                fill_round(painter, box, theme.RADIUS_BAR, mix(tokens.matrix, tokens.panel, share))
                draw_text(painter, box, text, figures, tokens.text1, centre)
