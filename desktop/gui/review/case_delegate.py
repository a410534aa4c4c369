"""Paints a list row in one pass: thumbnail, name, verdict, strip and status; or the narrow rail."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPainterPath
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop.gui.panel_info import PanelInfo
from desktop.gui.presenters.case_row import RowView
from desktop.gui.session.case_list_model import CASE_ROLE, ROW_VIEW_ROLE
from desktop.gui.style import icons, theme
from desktop.gui.style.paint import draw_text, fill_round, stroke_round
from desktop.gui.votes.vote_strip import CELL_LIST, CELL_RAIL, paint_vote_strip, strip_width

ROW_HEIGHT = 56
RAIL_ROW_HEIGHT = 92
RAIL_WIDTH = 88
THUMB = 44
RAIL_THUMB = 62
_SHORT_BELOW = 320
_COPY_ICON = 13
_LONGEST_ENDING = 5
_MARKS = {"decided": "check", "unsure": "unsure", "flagged": "flag-filled", "failed": "cross"}


class CaseDelegate(QStyledItemDelegate):
    """The painter of the list."""

    def __init__(self, thumbnail: Callable[[int], QImage | None], parent: QWidget) -> None:
        """Build a delegate.

        Args:
            thumbnail: Gives the picture of a case, None while it is not read.
            parent: The view.
        """
        super().__init__(parent)
        self._thumbnail = thumbnail
        self.facts: PanelInfo | None = None
        self.rail = False
        self.focused = False

    def sizeHint(
        self, option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(option.rect.width(), row_height(self.rail))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        view = index.data(ROW_VIEW_ROLE)
        if view is None or self.facts is None:
            return
        tokens = theme.current()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hover = bool(option.state & QStyle.StateFlag.State_MouseOver)
        rect = option.rect
        surface = tokens.selected if selected else tokens.raised if hover else tokens.panel
        painter.save()
        painter.fillRect(rect, QColor(surface))
        is_current = bool(option.state & QStyle.StateFlag.State_HasFocus)
        if selected:
            edge = QRect(rect.left(), rect.top(), 2, rect.height())
            painter.fillRect(edge, QColor(tokens.accent))
        picture = self._thumbnail(index.data(CASE_ROLE))
        if self.rail:
            self._paint_rail(painter, rect, view, picture, surface)
        else:
            self._paint_row(painter, rect, view, picture, selected)
        if is_current and self.focused:
            stroke_round(painter, QRectF(rect).adjusted(1, 1, -1, -1), 4, tokens.accent, 2.0)
        painter.restore()

    def _paint_row(
        self, painter: QPainter, rect: QRect, view: RowView, picture: QImage | None, selected: bool
    ) -> None:
        tokens, facts = theme.current(), self.facts
        assert facts is not None
        gap, side, mark = theme.dp(theme.GAP_M), theme.dp(THUMB), theme.dp(16)
        thumb = QRect(rect.left() + gap, rect.top() + (rect.height() - side) // 2, side, side)
        _paint_thumb(painter, thumb, picture, view)
        _paint_copies(painter, thumb, view, tokens.selected if selected else tokens.panel)
        cell = theme.dp(CELL_LIST)
        strip = strip_width(len(facts.models), cell)
        mark_left = rect.right() + 1 - gap - mark
        strip_left = mark_left - theme.dp(theme.GAP_S) - strip
        strip_box = QRect(strip_left, rect.top(), strip, rect.height())
        paint_vote_strip(painter, strip_box, view.votes, view.state, facts, tokens, cell)
        _paint_mark(painter, QRectF(mark_left, rect.center().y() - mark / 2 + 1, mark, mark), view)
        left = thumb.right() + 1 + gap
        width = strip_left - theme.dp(theme.GAP_S) - left
        name_ink = tokens.text2 if view.decided else tokens.text1
        name_font = theme.font(13, 500)
        name = QRect(left, rect.top() + theme.dp(8), width, theme.dp(20))
        elided = elided_name(view.name, name_font, width)
        draw_text(painter, name, elided, name_font, name_ink, elide=None)
        short = rect.width() < theme.dp(_SHORT_BELOW)
        line_ink = tokens.text2 if selected or view.state in ("voted", "failed") else tokens.text3
        line = QRect(left, name.bottom() + 1, width, theme.dp(18))
        font = theme.font(12)
        text = view.short_line if short else _fitting_line(view, font, width)
        draw_text(painter, line, text, font, line_ink)

    def _paint_rail(
        self, painter: QPainter, rect: QRect, view: RowView, picture: QImage | None, surface: str
    ) -> None:
        facts = self.facts
        assert facts is not None
        side = theme.dp(RAIL_THUMB)
        left = rect.left() + (rect.width() - side) // 2
        thumb = QRect(left, rect.top() + theme.dp(6), side, side)
        _paint_thumb(painter, thumb, picture, view)
        _paint_copies(painter, thumb, view, surface)
        cell = theme.dp(CELL_RAIL)
        strip = strip_width(len(facts.models), cell)
        strip_left = rect.left() + (rect.width() - strip) // 2
        strip_box = QRect(strip_left, thumb.bottom() + 1, strip, theme.dp(22))
        tokens = theme.current()
        paint_vote_strip(painter, strip_box, view.votes, view.state, facts, tokens, cell)
        if view.status != "open":
            mark = theme.dp(14)
            box = QRectF(thumb.right() - mark, thumb.top() + 2, mark, mark)
            fill_round(painter, box.adjusted(-2, -2, 2, 2), theme.RADIUS_KEY, surface)
            _paint_mark(painter, box, view)


def row_height(rail: bool) -> int:
    """Height of every row, scaled with the text."""
    return theme.dp(RAIL_ROW_HEIGHT if rail else ROW_HEIGHT)


def elided_name(name: str, font: QFont, width: int) -> str:
    """The path without its folders, then elided in the middle: the end tells images apart."""
    metrics = QFontMetrics(font)
    if metrics.horizontalAdvance(name) <= width:
        return name
    base = name.rsplit("/", 1)[-1]
    if base != name and metrics.horizontalAdvance(f"…/{base}") <= width:
        return f"…/{base}"
    # In a narrow list the ending is the first to go: the number before it is the name.
    stem, dot, ending = base.rpartition(".")
    if dot and stem and len(ending) <= _LONGEST_ENDING:
        base = stem
    return metrics.elidedText(base, Qt.TextElideMode.ElideMiddle, width)


def _fitting_line(view: RowView, font: QFont, width: int) -> str:
    if QFontMetrics(font).horizontalAdvance(view.line) <= width or view.state == "failed":
        return view.line
    return view.short_line


def _paint_thumb(painter: QPainter, box: QRect, picture: QImage | None, view: RowView) -> None:
    tokens = theme.current()
    if view.state == "failed":
        stroke_round(painter, box, theme.RADIUS_CELL, tokens.border, dashed=True)
        size = theme.dp(16)
        middle = QRectF(
            box.center().x() - size / 2 + 1, box.center().y() - size / 2 + 1, size, size
        )
        icons.paint_icon(painter, "image", middle, tokens.text3)
        return
    if picture is None:
        fill_round(painter, box, theme.RADIUS_CELL, tokens.raised)
        return
    path = QPainterPath()
    path.addRoundedRect(QRectF(box), theme.RADIUS_CELL, theme.RADIUS_CELL)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setClipPath(path)
    painter.drawImage(box, picture)
    painter.setClipping(False)


def _paint_copies(painter: QPainter, thumb: QRect, view: RowView, surface: str) -> None:
    """Two sheets in the corner of a near-duplicate; as bright as a name where the labels differ."""
    if not view.copies:
        return
    tokens, side = theme.current(), theme.dp(_COPY_ICON)
    box = QRectF(thumb.right() + 1 - side, thumb.bottom() + 1 - side, side, side)
    fill_round(painter, box.adjusted(-3, -3, 0, 0), theme.RADIUS_CELL, surface)
    ink = tokens.text1 if view.copies == "conflict" else tokens.text2
    icons.paint_icon(painter, "duplicate", box, ink)


def _paint_mark(painter: QPainter, box: QRectF, view: RowView) -> None:
    name = _MARKS.get(view.status)
    if name is None:
        return
    tokens = theme.current()
    ink = tokens.text2 if view.status == "failed" else tokens.accent
    icons.paint_icon(painter, name, box, ink)
