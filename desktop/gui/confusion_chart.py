"""The reader's labels against a model's: counts, row shares, recall and precision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.gui import theme
from desktop.gui.colour_difference import mix
from desktop.gui.paint import Restyled, draw_text, fill_round, text_width

_CELL_HEIGHT = 64
_HEAD = 28
_FOOT = 32
_SIDE = 56
_STRONGEST = 0.30


class ConfusionChart(Restyled):
    """Rows are the reader's classes, columns the model's; the fill is the share of the row."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._slots: tuple[int, ...] = ()
        self._matrix: npt.NDArray[np.int64] = np.zeros((0, 0), np.int64)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_matrix(
        self, names: Sequence[str], slots: Sequence[int], matrix: npt.NDArray[np.int64]
    ) -> None:
        """Show counts int [K, K], row = reader, column = model; names and class colours of K."""
        self._names, self._slots, self._matrix = tuple(names), tuple(slots), matrix
        sentences = []
        for row, name in enumerate(self._names):
            said = ", ".join(
                f"{other} {int(matrix[row, column]):,}" for column, other in enumerate(self._names)
            )
            sentences.append(self.tr("You {name}, the model: {said}.").format(name=name, said=said))
        self.setAccessibleDescription(" ".join(sentences))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        height = theme.dp(_HEAD + _FOOT) + len(self._names) * (theme.dp(_CELL_HEIGHT) + 4)
        return QSize(560, height)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.dp(320), self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        count = len(self._names)
        if not count:
            return
        widest = max(text_width(theme.font(12), name) for name in self._names)
        names = min(widest + 8 + 6 + theme.GAP_L, self.width() * 0.3)
        side = theme.dp(_SIDE)
        step = (self.width() - names - side + 4) / count
        head, height = theme.dp(_HEAD), theme.dp(_CELL_HEIGHT)
        centre = Qt.AlignmentFlag.AlignHCenter
        for column in range(count):
            box = QRectF(names + column * step, 0, step - 4, theme.dp(20))
            self._paint_name(painter, box, column, centred=True)
        right = QRectF(self.width() - side, 0, side, theme.dp(20))
        draw_text(
            painter,
            right,
            self.tr("Recall"),
            theme.font(12),
            tokens.text2,
            Qt.AlignmentFlag.AlignRight,
        )
        for row in range(count):
            top = head + row * (height + 4)
            self._paint_name(painter, QRectF(0, top, names - theme.GAP_S, height), row)
            total = int(self._matrix[row].sum())
            for column in range(count):
                box = QRectF(names + column * step, top, step - 4, height)
                self._paint_cell(painter, box, int(self._matrix[row, column]), total)
            recall = _share(int(self._matrix[row, row]), total)
            box = QRectF(self.width() - side, top, side, height)
            draw_text(
                painter, box, recall, theme.font(13, 500), tokens.text1, Qt.AlignmentFlag.AlignRight
            )
        top = head + count * (height + 4)
        foot = QRectF(0, top, names, theme.dp(_FOOT))
        draw_text(painter, foot, self.tr("Precision"), theme.font(12), tokens.text2)
        for column in range(count):
            box = QRectF(names + column * step, top, step - 4, theme.dp(_FOOT))
            total = int(self._matrix[:, column].sum())
            words = _share(int(self._matrix[column, column]), total)
            draw_text(painter, box, words, theme.font(13, 500), tokens.text1, centre)

    def _paint_name(
        self, painter: QPainter, box: QRectF, index: int, *, centred: bool = False
    ) -> None:
        tokens, font = theme.current(), theme.font(12)
        name = self._names[index]
        width = min(text_width(font, name), box.width() - 14)
        x = box.center().x() - (width + 14) / 2 if centred else box.left()
        dot = QRectF(0, 0, 8, 8)
        dot.moveCenter(QPointF(x + 4, box.center().y()))
        fill_round(painter, dot, theme.RADIUS_BAR, tokens.class_colour(self._slots[index]))
        text_box = QRectF(x + 14, box.top(), width + 1, box.height())
        draw_text(painter, text_box, name, font, tokens.text1)

    def _paint_cell(self, painter: QPainter, box: QRectF, count: int, total: int) -> None:
        tokens = theme.current()
        share = count / total if total else 0.0
        fill = mix(tokens.matrix, tokens.panel, 0.04 + (_STRONGEST - 0.04) * share)
        fill_round(painter, box, theme.RADIUS_CELL, fill)
        centre = Qt.AlignmentFlag.AlignHCenter
        half = theme.dp(18)
        upper = QRectF(box.left(), box.center().y() - half, box.width(), theme.dp(20))
        lower = QRectF(
            box.left(), box.center().y() + half - theme.dp(16), box.width(), theme.dp(16)
        )
        draw_text(painter, upper, f"{count:,}", theme.font(14, 600), tokens.text1, centre)
        percent = self.tr("{percent} %").format(percent=round(100 * share)) if total else "–"
        draw_text(painter, lower, percent, theme.font(12), tokens.text1, centre)


def _share(part: int, total: int) -> str:
    return f"{part / total:.2f}" if total else "–"
