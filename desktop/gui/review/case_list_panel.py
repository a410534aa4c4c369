"""The left side: search, filter tabs, order, and the list; or the narrow rail of thumbnails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QFocusEvent, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QMenu, QTableView, QWidget

from desktop.gui.panel_info import PanelInfo
from desktop.gui.review.case_delegate import RAIL_WIDTH, CaseDelegate, row_height
from desktop.gui.review.dicom_panel import DicomPanel
from desktop.gui.review.filter_tabs import FilterBar
from desktop.gui.session.case_list_model import CaseListModel
from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, draw_text, horizontal_line
from desktop.gui.votes.vote_strip import CELL_LIST, STRIP_GAP, strip_width
from desktop.gui.widgets.button import Button
from desktop.gui.widgets.containers import OverlayBar
from desktop.gui.widgets.layout import STRETCH, column, row
from desktop.gui.widgets.placeholder import ListPlaceholder
from desktop.gui.widgets.text_fields import SearchField

_SETTLE_MS = 30


class CaseListPanel(QFrame):
    """Search, tabs, order and rows.

    Signals:
        case_chosen(int): The reader moved to a case.
        view_settled(): The rows on screen changed and stand still; thumbnails are wanted.
        context_asked(QPoint): Menu for the selection, at a global position.
        selection_counted(int): So many rows are selected now.
    """

    case_chosen = Signal(int)
    view_settled = Signal()
    context_asked = Signal(QPoint)
    selection_counted = Signal(int)

    def __init__(self, model: CaseListModel, thumbnail: Callable[[int], QImage | None]) -> None:
        super().__init__()
        self.setProperty("panel", True)
        self.model = model
        self.search = SearchField()
        self.tabs = FilterBar()
        self.header = _Header()
        self.view = _Rows(model)
        self.delegate = CaseDelegate(thumbnail, self.view)
        self.view.setItemDelegate(self.delegate)
        self.empty = ListPlaceholder(self.view)
        self.view.resized.connect(self.empty.place)
        self._rail = False
        self._facts_wanted = False
        self._selecting = False
        self._settle_timer = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle_timer.timeout.connect(self.view_settled)
        self._search_row = QWidget()
        row(self.search, of=self._search_row, margins=(12, 12, 12, 8))
        self.facts = DicomPanel()
        self.facts.hide()
        rows = (self._search_row, self.tabs, self.header, (self.view, 1), self.facts)
        column(*rows, of=self, spacing=0)
        self.view.selectionModel().currentRowChanged.connect(self._on_current_changed)
        self.view.selectionModel().selectionChanged.connect(self._count_selection)
        model.modelReset.connect(self._count_selection)
        self.view.verticalScrollBar().valueChanged.connect(
            lambda _value: self._settle_timer.start()
        )
        self.view.resized.connect(self._settle_timer.start)
        self.view.focus_changed.connect(self._on_focus_changed)
        self.view.customContextMenuRequested.connect(
            lambda point: self.context_asked.emit(self.view.viewport().mapToGlobal(point))
        )
        model.modelReset.connect(self._settle_timer.start)
        model.rowsInserted.connect(lambda *_: self._settle_timer.start())
        model.rowsRemoved.connect(lambda *_: self._settle_timer.start())
        theme.notifier().theme_changed.connect(self._on_theme_changed)
        self._on_theme_changed(theme.current())

    def set_panel(self, facts: PanelInfo) -> None:
        """Draw strips of this panel."""
        self.delegate.facts = facts
        self.header.set_letters([model.letter for model in facts.models])
        self.view.viewport().update()

    def set_rail(self, rail: bool) -> None:
        """Shrink to a rail of thumbnails, or back."""
        self._rail = rail
        self.delegate.rail = rail
        self._search_row.setVisible(not rail)
        self._place_facts()
        self.tabs.setVisible(not rail)
        self.header.set_rail(rail)
        self._on_theme_changed(theme.current())

    def set_facts_wanted(self, wanted: bool) -> None:
        """Show the facts of the file below the list; the rail has no room for them."""
        self._facts_wanted = wanted
        self._place_facts()

    @property
    def rail(self) -> bool:
        return self._rail

    def show_case(self, case: int | None) -> None:
        """Mark the row of a case and scroll to it, without a signal."""
        row = None if case is None else self.model.row_of(case)
        self._selecting = True
        try:
            selection = self.view.selectionModel()
            if row is None:
                selection.clear()
                return
            index = self.model.index(row, 0)
            if selection.currentIndex() != index or not selection.isSelected(index):
                selection.setCurrentIndex(
                    index,
                    QItemSelectionModel.SelectionFlag.ClearAndSelect
                    | QItemSelectionModel.SelectionFlag.Rows,
                )
            self.view.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)
        finally:
            self._selecting = False

    def selected_cases(self) -> list[int]:
        """Cases of the selected rows, in list order."""
        # Ranges and not rows: a hundred thousand index objects would take half a second.
        shown = self.model.shown
        ranges = sorted(
            (part.top(), part.bottom()) for part in self.view.selectionModel().selection()
        )
        return [case for top, bottom in ranges for case in shown[top : bottom + 1]]

    def select_all(self) -> None:
        """Select every listed row; the image on show stays."""
        if not self.model.rowCount():
            return
        self._selecting = True
        last = self.model.index(self.model.rowCount() - 1, 0)
        self.view.selectionModel().select(
            QItemSelection(self.model.index(0, 0), last),
            QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows,
        )
        self._selecting = False

    def visible_rows(self) -> range:
        """Rows on the screen, also half of them."""
        height = self.view.viewport().height()
        first = self.view.rowAt(0)
        last = self.view.rowAt(height - 1)
        if first < 0:
            return range(0)
        return range(first, (last if last >= 0 else self.model.rowCount() - 1) + 1)

    def _count_selection(self) -> None:
        ranges = self.view.selectionModel().selection()
        self.selection_counted.emit(sum(part.bottom() - part.top() + 1 for part in ranges))

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        case = self.model.case_at(current.row()) if current.isValid() else None
        if case is not None and not self._selecting:
            self.case_chosen.emit(case)

    def _on_focus_changed(self, focused: bool) -> None:
        self.delegate.focused = focused
        self.view.viewport().update()

    def _place_facts(self) -> None:
        self.facts.setVisible(self._facts_wanted and not self._rail)

    def _on_theme_changed(self, _tokens: theme.Tokens) -> None:
        self.view.verticalHeader().setDefaultSectionSize(row_height(self._rail))
        if self._rail:
            self.setMinimumWidth(theme.dp(RAIL_WIDTH))
            self.setMaximumWidth(theme.dp(RAIL_WIDTH))
        else:
            self.setMinimumWidth(theme.dp(280))
            self.setMaximumWidth(theme.dp(480))
        current = self.view.currentIndex()
        if current.isValid():
            # Rows of another height: what was on the screen has moved away.
            self.view.scrollTo(current)
        self.view.viewport().update()
        self._settle_timer.start()


class _Rows(QTableView):
    resized = Signal()
    focus_changed = Signal(bool)

    def __init__(self, model: CaseListModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setAccessibleName(self.tr("Images"))
        self.viewport().setAccessibleName(self.tr("Images"))
        self.horizontalHeader().setVisible(False)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header = self.verticalHeader()
        header.setVisible(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setMinimumSectionSize(1)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setDragDropMode(QAbstractItemView.DragDropMode.NoDragDrop)
        # A bar over the rows instead of beside them, or strips and header would not line up.
        self._bar = OverlayBar(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._bar.place(self)
        self.resized.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit(
            event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        )

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focus_changed.emit(False)

    def keyboardSearch(self, _search: str) -> None:
        """Letters are shortcuts here, never a jump to a row."""


class _Header(Restyled):
    """The order on the left, the models' letters above their cells."""

    def __init__(self) -> None:
        super().__init__()
        self.sort_button = Button("", "sort")
        self.sort_button.setObjectName("sort_button")
        self.sort_button.set_menu_arrow(True)
        self.sort_button.setAccessibleName(self.tr("Order of the list"))
        self._letters: Sequence[str] = ()
        self._rail = False
        row(self.sort_button, STRETCH, of=self, margins=(6, 0, 0, 0))
        self.restyle()

    def set_letters(self, letters: Sequence[str]) -> None:
        self._letters = letters
        self.update()

    def set_rail(self, rail: bool) -> None:
        self._rail = rail
        self.sort_button.set_text_hidden(rail)
        self.sort_button.set_menu_arrow(not rail)
        self.layout().setContentsMargins((theme.dp(RAIL_WIDTH) - 28) // 2 if rail else 6, 0, 0, 0)
        self.update()

    def set_menu(self, menu: QMenu) -> None:
        self.sort_button.clicked.connect(
            lambda: menu.popup(self.sort_button.mapToGlobal(QPoint(0, self.sort_button.height())))
        )

    def sizeHint(self) -> QSize:
        return QSize(200, theme.dp(32))

    def restyle(self) -> None:
        self.setFixedHeight(theme.dp(32))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        horizontal_line(painter, 0, self.width(), 0, tokens.line)
        if not self._rail:
            cell = theme.dp(CELL_LIST)
            strip = strip_width(len(self._letters), cell)
            right = theme.dp(theme.GAP_M) + theme.dp(16) + theme.dp(theme.GAP_S)
            left = self.width() - right - strip
            font, centre = theme.font(11), Qt.AlignmentFlag.AlignHCenter
            for position, letter in enumerate(self._letters):
                box = QRect(left + position * (cell + STRIP_GAP), 0, cell, self.height())
                draw_text(painter, box, letter, font, tokens.text2, centre, elide=None)
