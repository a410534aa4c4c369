"""Failed files with code and reason; a double click or Enter shows the image in the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from desktop.gui.style import theme
from desktop.gui.style.paint import draw_text, horizontal_line, text_width
from desktop.gui.widgets.containers import OverlayBar

Index = QModelIndex | QPersistentModelIndex
Failure = tuple[str, str, str]

_ROW, _GAP = 40, 12


class FailureTable(QTableView):
    """The table.

    Signals:
        failure_chosen(str): Image whose row was activated.
    """

    failure_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._model = _Failures()
        self.setModel(self._model)
        self.setItemDelegate(_Delegate(self))
        self._bar = OverlayBar(self)
        self.setAccessibleName(self.tr("Failed files"))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMinimumHeight(140)
        rows = self.verticalHeader()
        rows.setVisible(False)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        columns = self.horizontalHeader()
        columns.setVisible(False)
        columns.setStretchLastSection(True)
        self.activated.connect(self._on_activated)
        theme.notifier().theme_changed.connect(self._restyle)
        self._restyle()

    def show_failures(self, failures: Sequence[Failure]) -> None:
        """Show (image, code, sentence) of each."""
        self._model.show(failures)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._bar.place(self)

    def _on_activated(self, index: QModelIndex) -> None:
        self.failure_chosen.emit(self._model.failures[index.row()][0])

    def _restyle(self, _tokens: object = None) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.dp(_ROW))
        self.setColumnWidth(0, theme.dp(190))
        self.setColumnWidth(1, theme.dp(104))


class _Failures(QAbstractTableModel):
    def __init__(self) -> None:
        super().__init__()
        self.failures: list[Failure] = []

    def show(self, failures: Sequence[Failure]) -> None:
        listed = list(failures)
        if listed == self.failures:
            return
        if listed[: len(self.failures)] == self.failures:
            # Only more of them: selection and scroll position stay.
            self.beginInsertRows(QModelIndex(), len(self.failures), len(listed) - 1)
            self.failures = listed
            self.endInsertRows()
            return
        self.beginResetModel()
        self.failures = listed
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.failures)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 3

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        image, code, sentence = self.failures[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (image, code, sentence)[index.column()]
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{image}: {sentence} ({code})"
        return None


class _Delegate(QStyledItemDelegate):
    """Name, code and the whole sentence in up to two lines, flush with the card's own words."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = theme.current()
        box = QRectF(option.rect)
        painter.save()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(box, theme.colour(tokens.selected))
        horizontal_line(painter, box.left(), box.right(), box.top(), tokens.line)
        text, room = index.data(), box.adjusted(0, 0, -_GAP, 0)
        if index.column() == 0:
            middle = Qt.TextElideMode.ElideMiddle
            draw_text(painter, room, text, theme.font(13, 500), tokens.text1, elide=middle)
        elif index.column() == 1:
            ink = tokens.text2 if chosen else tokens.text3
            draw_text(painter, room, text, theme.font(12), ink)
        elif text_width(theme.font(12), text) <= room.width():
            draw_text(painter, room, text, theme.font(12), tokens.text2)
        else:
            self._paint_two_lines(painter, room, text)
        painter.restore()

    def _paint_two_lines(self, painter: QPainter, room: QRectF, text: str) -> None:
        font, line = theme.font(12), theme.dp(16)
        first, second = _two_lines(text, font, room.width())
        top = room.center().y() - line
        for half in (first, second):
            box = QRectF(room.left(), top, room.width(), line)
            draw_text(painter, box, half, font, theme.current().text2)
            top += line


def _two_lines(text: str, font: QFont, width: float) -> tuple[str, str]:
    """Break a sentence once, between words; what is too long for both lines is elided later."""
    words = text.split(" ")
    count = len(words)
    while count > 1 and text_width(font, " ".join(words[:count])) > width:
        count -= 1
    return " ".join(words[:count]), " ".join(words[count:])
