"""One model in the compare grid: its answer in a header, its map on the film below."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.core.cases import Prediction
from desktop.gui.images.view_state import ViewState
from desktop.gui.panel_info import PanelInfo
from desktop.gui.style import theme
from desktop.gui.style.icons import paint_icon
from desktop.gui.style.paint import Restyled, draw_text, fill_round, stroke_round, text_width
from desktop.gui.viewer.image_view import ImageView
from desktop.gui.votes.probability_bar import probability_text
from desktop.gui.widgets.layout import column

_HEIGHT = 32
_CELL = 18


class CellHeader(Restyled):
    """``SCNN  [18 % at the border]  says Covid 0.71 [C]`` in 32 px."""

    def __init__(self, panel: PanelInfo, index: int) -> None:
        super().__init__()
        self._panel, self._index = panel, index
        self._prediction: Prediction | None = None
        self._text = ""
        self._alarm = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_answer(self, prediction: Prediction | None, text: str = "", alarm: str = "") -> None:
        """Show an answer, or ``text`` for the state without one; ``alarm`` is a short badge."""
        self._prediction, self._text, self._alarm = prediction, text, alarm
        title = self._panel.models[self._index].title
        if prediction is None:
            self.setAccessibleName(f"{title}, {text}")
        else:
            name = self._panel.class_names[prediction.vote]
            figure = probability_text(prediction.probabilities[prediction.vote])
            self.setAccessibleName(
                self.tr("{model} says {name} {figure}").format(
                    model=title, name=name, figure=figure
                )
            )
        self.setAccessibleDescription(alarm)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, theme.dp(_HEIGHT))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        painter.fillRect(self.rect(), QColor(tokens.bg))
        inner = QRectF(self.rect()).adjusted(theme.GAP_M, 0, -theme.GAP_M, 0)
        taken = self._paint_answer(painter, inner)
        title, font = self._panel.models[self._index].title, theme.font(13, 600)
        room = inner.width() - taken - theme.GAP_M
        box = QRectF(inner.left(), 0, max(16.0, room), self.height())
        draw_text(painter, box, title, font, tokens.text1)
        if self._alarm:
            self._paint_alarm(painter, inner.left() + text_width(font, title) + theme.GAP_M, room)

    def _paint_answer(self, painter: QPainter, inner: QRectF) -> float:
        tokens, plain, strong = theme.current(), theme.font(12), theme.font(12, 500)
        right = Qt.AlignmentFlag.AlignRight
        if self._prediction is None:
            draw_text(painter, inner, self._text, plain, tokens.text2, right)
            return text_width(plain, self._text)
        vote = self._prediction.vote
        slot, side = self._panel.slots[vote], theme.dp(_CELL)
        cell = QRectF(inner.right() - side, (self.height() - side) / 2, side, side)
        fill_round(painter, cell, theme.RADIUS_CELL, tokens.class_colour(slot))
        centre = Qt.AlignmentFlag.AlignHCenter
        letter = self._panel.class_letters[vote]
        draw_text(
            painter, cell, letter, theme.font(11, 600), tokens.on_class(slot), centre, elide=None
        )
        figure = probability_text(self._prediction.probabilities[vote])
        name = self._panel.class_names[vote]
        if inner.width() < theme.dp(300):
            name = self._panel.short_names[vote]
        text = f"{name} {figure}"
        x = cell.left() - theme.GAP_S - text_width(strong, text)
        box = QRectF(x, 0, text_width(strong, text) + 1, self.height())
        draw_text(painter, box, text, strong, tokens.text1, elide=None)
        says = self.tr("says")
        width = text_width(plain, says)
        box = QRectF(x - width - 5, 0, width + 1, self.height())
        draw_text(painter, box, says, plain, tokens.text2)
        return inner.right() - (x - width - 5)

    def _paint_alarm(self, painter: QPainter, left: float, room: float) -> None:
        tokens, font, icon = theme.current(), theme.font(12), theme.dp(14)
        width = 8 + icon + 6 + text_width(font, self._alarm) + 8
        title_width = left - theme.GAP_M
        text = self._alarm
        if title_width + width > room + theme.GAP_M:
            width, text = icon + 12, ""
        height = theme.dp(20)
        box = QRectF(left, (self.height() - height) / 2, width, height)
        fill_round(painter, box, theme.RADIUS_KEY, tokens.raised)
        stroke_round(painter, box, theme.RADIUS_KEY, tokens.border)
        x = box.left() + (8 if text else 6)
        mark = QRectF(x, box.center().y() - icon / 2, icon, icon)
        paint_icon(painter, "shortcut-alarm", mark, tokens.text2)
        text_box = QRectF(x + icon + 6, box.top(), width, height)
        draw_text(painter, text_box, text, font, tokens.text1, elide=None)


class CompareCell(QWidget):
    """Header and film of one model.

    Signals:
        chosen(int): The cell was pressed.
    """

    chosen = Signal(int)

    def __init__(self, panel: PanelInfo, index: int, state: ViewState) -> None:
        super().__init__()
        self.header = CellHeader(panel, index)
        self.view = ImageView(state)
        self.view.set_hud_visible(False)
        self.view.set_fills_view(True)
        title = panel.models[index].title
        self.view.setAccessibleName(
            self.tr("Radiograph with the map of {model}").format(model=title)
        )
        self.view.activated.connect(lambda: self.chosen.emit(index))
        column(self.header, (self.view, 1), of=self, spacing=0)
