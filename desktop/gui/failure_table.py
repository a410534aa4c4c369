"""Failed files with code and reason; a double click or Enter shows the image in the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop.gui import theme

Index = QModelIndex | QPersistentModelIndex
Failure = tuple[str, str, str]


class FailureTable(QTableView):
    """The table.

    Signals:
        failure_chosen(str): Image whose row was activated.
    """

    failure_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _Failures()
        self.setModel(self._model)
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

    def _on_activated(self, index: QModelIndex) -> None:
        self.failure_chosen.emit(self._model.failures[index.row()][0])

    def _restyle(self, _tokens: object = None) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.dp(36))
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
        tokens = theme.current()
        if role == Qt.ItemDataRole.DisplayRole:
            return (image, code, sentence)[index.column()]
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{image}: {sentence} ({code})"
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor((tokens.text1, tokens.text3, tokens.text2)[index.column()])
        if role == Qt.ItemDataRole.FontRole:
            return theme.font(13, 500) if index.column() == 0 else theme.font(12)
        return None
