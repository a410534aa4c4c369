"""Probabilities as bars: one class a line, or the mean of all as one stacked bar."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy

from desktop.gui.panel_info import PanelInfo
from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, draw_text, fill_round, text_width
from desktop.gui.style.tokens import mix

BAR_HEIGHT = 4
STACK_HEIGHT = 8
STACK_GAP = 2
_LEAST = 2.0
_FAINT = 0.55


def probability_text(value: float) -> str:
    """Two decimals; never ``1.00`` or ``0.00`` for what is not certain."""
    if 0.995 <= value < 1:
        return ">0.99"
    if 0 < value < 0.005:
        return "<0.01"
    return f"{value:.2f}"


def paint_probability_line(
    painter: QPainter,
    rect: QRectF,
    letter: str,
    slot: int,
    value: float,
    *,
    voted: bool,
    operating_point: float | None = None,
    surface: str | None = None,
) -> None:
    """One line: letter, bar on its track, tick of the operating point, two decimals.

    Args:
        rect: The line; letter and figures take fixed widths at its ends.
        voted: The class that the model votes for: full strength and text 1.
        operating_point: Probability at which the class is called, None draws no tick.
        surface: Colour under the line, for the faint bars.
    """
    tokens = theme.current()
    under = surface or tokens.panel
    font = theme.font(11, 600 if voted else 500)
    ink = tokens.text1 if voted else tokens.text2 if surface else tokens.text3
    figures_width = theme.dp(32)
    letter_width = theme.dp(18)
    letter_box = QRectF(rect.left(), rect.top(), letter_width, rect.height())
    draw_text(painter, letter_box, letter, font, ink, elide=None)
    figures = QRectF(rect.right() - figures_width, rect.top(), figures_width, rect.height())
    right = Qt.AlignmentFlag.AlignRight
    draw_text(painter, figures, probability_text(value), theme.font(11, 500), ink, right, None)
    bar = QRectF(
        rect.left() + letter_width,
        rect.center().y() - theme.dp(BAR_HEIGHT) / 2,
        rect.width() - letter_width - figures_width - theme.GAP_XS,
        theme.dp(BAR_HEIGHT),
    )
    fill_round(painter, bar, theme.RADIUS_BAR, mix(tokens.text1, under, 0.10))
    colour = tokens.class_colour(slot)
    filled = QRectF(bar)
    filled.setWidth(max(_LEAST, bar.width() * min(1.0, max(0.0, value))))
    fill_round(painter, filled, theme.RADIUS_BAR, colour if voted else mix(colour, under, _FAINT))
    if operating_point is not None:
        paint_tick(painter, bar, operating_point, under)


def paint_tick(painter: QPainter, bar: QRectF, at: float, under: str) -> None:
    """Mark a probability on a bar: 1 px in text 1, cut out of the bar by its surface."""
    tokens = theme.current()
    mark = round(bar.left() + bar.width() * min(1.0, max(0.0, at)))
    x = min(max(mark, bar.left()), bar.right() - 1)
    gap = QRectF(x - 1, bar.top() - 2, 3, bar.height() + 4)
    painter.fillRect(gap, QColor(under))
    painter.fillRect(QRectF(x, bar.top() - 2, 1, bar.height() + 4), QColor(tokens.text2))


def paint_stack(
    painter: QPainter, rect: QRectF, values: Sequence[float], slots: Sequence[int]
) -> None:
    """Shares of a whole in class colours, gaps of 2; shares below 2 px are drawn 2 px wide."""
    tokens = theme.current()
    shown = [max(0.0, value) for value in values]
    total = sum(shown)
    if total <= 0:
        fill_round(painter, rect, theme.RADIUS_BAR, tokens.track)
        return
    room = rect.width() - STACK_GAP * (len(shown) - 1)
    widths = [max(_LEAST, room * value / total) for value in shown]
    spare = sum(widths) - room
    longest = widths.index(max(widths))
    widths[longest] -= spare
    x = rect.left()
    for width, slot in zip(widths, slots, strict=True):
        part = QRectF(x, rect.top(), width, rect.height())
        fill_round(painter, part, theme.RADIUS_BAR, tokens.class_colour(slot))
        x += width + STACK_GAP


class MeanProbability(Restyled):
    """The mean probability of the panel: stacked bar, and the figures below it."""

    def __init__(self, panel: PanelInfo) -> None:
        super().__init__()
        self._panel = panel
        self._values: tuple[float, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Mean probability"))

    def set_panel(self, panel: PanelInfo) -> None:
        self._panel = panel
        self.set_values(())

    def set_values(self, values: Sequence[float]) -> None:
        """Mean probabilities in class order; empty draws the bare track."""
        self._values = tuple(values)
        text = ", ".join(
            f"{name} {probability_text(value)}"
            for name, value in zip(self._panel.class_names, self._values, strict=False)
        )
        self.setAccessibleDescription(text)
        self.setToolTip(text)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, theme.dp(STACK_HEIGHT) + theme.GAP_XS + theme.dp(16))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        bar = QRectF(0, 0, self.width(), theme.dp(STACK_HEIGHT))
        line = QRectF(0, bar.bottom() + theme.GAP_XS, self.width(), theme.dp(16))
        title = self.tr("Mean probability")
        plain, strong = theme.font(12), theme.font(12, 600)
        if not self._values:
            fill_round(painter, bar, theme.RADIUS_BAR, tokens.track)
            draw_text(painter, line, title, plain, tokens.text2)
            return
        paint_stack(painter, bar, self._values, self._panel.slots)
        x = line.right()
        pairs = list(zip(self._panel.class_letters, self._values, strict=True))
        for letter, value in reversed(pairs):
            for text, font, ink, gap in (
                (probability_text(value), strong, tokens.text1, theme.dp(4)),
                (letter, plain, tokens.text2, theme.dp(12)),
            ):
                x -= text_width(font, text)
                box = QRectF(QPointF(x, line.top()), line.bottomRight())
                draw_text(painter, box, text, font, ink, elide=None)
                x -= gap
        title_box = QRectF(line.left(), line.top(), max(0.0, x - line.left()), line.height())
        draw_text(painter, title_box, title, plain, tokens.text2)
