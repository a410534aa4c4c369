"""One model's answer: map thumbnail, name, label, calibrated bars with the operating point."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy

from desktop.core.cases import Prediction
from desktop.core.heatmaps.grad_cam import has_evidence
from desktop.gui.panel_info import PanelInfo
from desktop.gui.presenters.verdict import lungs_sentence
from desktop.gui.style import theme
from desktop.gui.style.icons import paint_icon
from desktop.gui.style.paint import (
    KeyboardFocus,
    draw_text,
    fill_round,
    ratio_of,
    stroke_round,
    text_width,
)
from desktop.gui.style.tokens import mix
from desktop.gui.viewer.heatmap_thumbnail import map_thumbnail
from desktop.gui.votes.probability_bar import BAR_HEIGHT, paint_probability_line, probability_text
from desktop.gui.widgets.button import Button, PaintedButton

RowState = Literal["voted", "waiting", "running", "hidden", "failed", "absent"]
_THUMB, _THUMB_COMPACT = 60, 48
_LINES, _LINES_COMPACT = 3, 2
_LINE = 14
_CELL = 16


class ModelRow(KeyboardFocus, PaintedButton):
    """A selectable row; the selected model's map is on the film.

    Signals:
        chosen(int): Row (model index) was clicked, or taken with Enter or Space.
        retry_requested(int): "Try again" of a failed model.
    """

    chosen = Signal(int)
    retry_requested = Signal(int)

    def __init__(self, panel: PanelInfo, index: int) -> None:
        super().__init__()
        self._panel, self._index = panel, index
        self._prediction: Prediction | None = None
        self._map_class = -1
        self._state: RowState = "waiting"
        self._sentence = self._alarm = self._lungs = ""
        self._film: QImage | None = None
        self._aspect = 1.0
        self._compact = False
        self._thumbnail: tuple[object, QPixmap] | None = None
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._retry = Button(self.tr("Try again"), kind="link", height=20, parent=self)
        self._retry.clicked.connect(lambda: self.retry_requested.emit(self._index))
        self._retry.hide()
        self.clicked.connect(lambda: self.chosen.emit(self._index))
        self._describe()

    # values --------------------------------------------------------------------------------------
    @property
    def row_state(self) -> RowState:
        return self._state

    def set_prediction(self, prediction: Prediction, *, map_class: int = -1) -> None:
        """Show an answer; ``map_class`` -1 = the predicted one."""
        if prediction is self._prediction and map_class == self._map_class:
            return
        self._prediction, self._map_class, self._state = prediction, map_class, "voted"
        vote = prediction.vote
        self._lungs = lungs_sentence(
            self._panel.models[self._index], vote, self._panel.class_names[vote]
        )
        self._thumbnail = None
        self._show_state()

    def set_state(self, state: RowState, sentence: str = "") -> None:
        """Show a state without an answer; ``sentence`` is the reason of ``failed``."""
        self._prediction, self._state, self._sentence = None, state, sentence
        self._alarm = self._lungs = ""
        self._thumbnail = None
        self._show_state()

    def set_thumbnail(self, film: QImage | None, aspect: float = 1.0) -> None:
        """The film as a square crop (any size), and width / height of the whole film."""
        if film is self._film and aspect == self._aspect:
            return
        self._film, self._aspect = film, aspect
        self._thumbnail = None
        self.update()

    def set_alarm(self, sentence: str) -> None:
        """Mark the name with the shortcut alarm; empty takes it away."""
        if sentence != self._alarm:
            self._alarm = sentence
            self._show_state()

    def set_compact(self, compact: bool) -> None:
        """64 px with vote and runner-up only, for 1280x800."""
        if compact != self._compact:
            self._compact = compact
            self._thumbnail = None
            self.updateGeometry()
            self.update()

    def set_selected(self, selected: bool) -> None:
        """Show as the model whose map is on the film."""
        self.setChecked(selected)

    def shown_classes(self) -> list[int]:
        """Classes that have a bar: in class order, or vote and runner-up while compact."""
        if self._prediction is None:
            return []
        values = self._prediction.probabilities
        ranked = sorted(range(len(values)), key=lambda index: (-values[index], index))
        best = ranked[: _LINES_COMPACT if self._compact else _LINES]
        return best if self._compact else sorted(best)

    # geometry ------------------------------------------------------------------------------------
    def sizeHint(self) -> QSize:
        lines = _LINES_COMPACT if self._compact else _LINES
        content = theme.dp(20) + lines * theme.dp(_LINE)
        thumb = theme.dp(_THUMB_COMPACT if self._compact else _THUMB)
        return QSize(328, max(content, thumb) + 2 * theme.GAP_S)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    def resizeEvent(self, _event: object) -> None:
        self._place_retry()

    def _thumb_box(self) -> QRectF:
        side = theme.dp(_THUMB_COMPACT if self._compact else _THUMB)
        return QRectF(theme.GAP_L, (self.height() - side) // 2, side, side)

    def _text_left(self) -> float:
        return self._thumb_box().right() + theme.GAP_M

    def _place_retry(self) -> None:
        size = self._retry.sizeHint()
        x = self.width() - theme.GAP_L - size.width() + 4
        self._retry.setGeometry(x, theme.GAP_S - 2, size.width(), size.height())

    # drawing -------------------------------------------------------------------------------------
    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        surface = tokens.panel
        if self.isChecked() and self._state not in ("hidden", "absent"):
            surface = tokens.selected
            painter.fillRect(self.rect(), QColor(surface))
            painter.fillRect(QRectF(0, 0, 2, self.height()), QColor(tokens.accent))
        elif self.underMouse():
            surface = tokens.raised
            painter.fillRect(self.rect(), QColor(surface))
        self._paint_thumb(painter)
        left, right = self._text_left(), self.width() - theme.GAP_L
        lines = _LINES_COMPACT if self._compact else _LINES
        content = theme.dp(20) + lines * theme.dp(_LINE)
        top = (self.height() - content) / 2
        head = QRectF(left, top, right - left, theme.dp(20))
        body = QRectF(left, head.bottom(), right - left, lines * theme.dp(_LINE))
        answer_width = self._paint_answer(painter, head)
        self._paint_name(painter, head, answer_width)
        self._paint_body(painter, body, surface)
        if self.shows_focus():
            stroke_round(painter, QRectF(self.rect()).adjusted(3, 1, -3, -1), 4, tokens.accent, 2)

    def _paint_name(self, painter: QPainter, head: QRectF, answer_width: float) -> None:
        tokens, font = theme.current(), theme.font(13, 500)
        title = self._panel.models[self._index].title
        icon = theme.dp(14)
        # The alarm is about this film, the caution about the model; one mark, both in the tip.
        sign = "shortcut-alarm" if self._alarm else "lungs-covered" if self._lungs else ""
        room = head.width() - answer_width - (icon + 6 if sign else 0) - theme.GAP_S
        box = QRectF(head.left(), head.top(), max(8.0, room), head.height())
        draw_text(painter, box, title, font, tokens.text1)
        if sign:
            x = head.left() + min(text_width(font, title), room) + 6
            mark = QRectF(x, head.center().y() - icon / 2, icon, icon)
            paint_icon(painter, sign, mark, tokens.text2)

    def _paint_answer(self, painter: QPainter, head: QRectF) -> float:
        """Label and letter, or the state in a word; returns the width taken."""
        tokens, font = theme.current(), theme.font(12)
        right = Qt.AlignmentFlag.AlignRight
        if self._prediction is None:
            text = {
                "running": self.tr("Running"),
                "waiting": self.tr("Waiting"),
                "absent": self.tr("No answer"),
            }.get(self._state, "")
            draw_text(painter, head, text, font, tokens.text2, right)
            return self._retry.width() if self._state == "failed" else text_width(font, text)
        vote = self._prediction.vote
        slot, side = self._panel.slots[vote], theme.dp(_CELL)
        cell = QRectF(head.right() - side, head.center().y() - side / 2, side, side)
        fill_round(painter, cell, theme.RADIUS_CELL, tokens.class_colour(slot))
        letter = self._panel.class_letters[vote]
        centre = Qt.AlignmentFlag.AlignHCenter
        draw_text(
            painter, cell, letter, theme.font(11, 600), tokens.on_class(slot), centre, elide=None
        )
        title = self._panel.models[self._index].title
        text, font = self._panel.class_names[vote], theme.font(12, 500)
        room = head.width() - side - 6 - text_width(theme.font(13, 500), title) - theme.GAP_M
        if text_width(font, text) > room:
            text = self._panel.short_names[vote]
        box = QRectF(head.left(), head.top(), head.width() - side - 6, head.height())
        draw_text(painter, box, text, font, tokens.text1, right)
        return text_width(font, text) + side + 6

    def _paint_body(self, painter: QPainter, body: QRectF, surface: str) -> None:
        tokens = theme.current()
        if self._prediction is not None:
            facts = self._panel.models[self._index]
            selected = surface != tokens.panel
            height = theme.dp(_LINE)
            for number, index in enumerate(self.shown_classes()):
                line = QRectF(body.left(), body.top() + number * height, body.width(), height)
                paint_probability_line(
                    painter,
                    line,
                    self._panel.class_letters[index],
                    self._panel.slots[index],
                    self._prediction.probabilities[index],
                    voted=index == self._prediction.vote,
                    operating_point=facts.operating_points[index],
                    surface=surface if selected else None,
                )
        elif self._state in ("waiting", "running"):
            count = min(len(self._panel.class_names), 2 if self._compact else 3)
            for number in range(count):
                height = theme.dp(BAR_HEIGHT)
                y = body.top() + (number + 0.5) * theme.dp(_LINE) - height / 2
                bar = QRectF(body.left(), y, body.width(), height)
                fill_round(painter, bar, theme.RADIUS_BAR, mix(tokens.text1, surface, 0.10))
        elif self._state != "absent":
            failed = self._state == "failed"
            text = self._sentence if failed else self.tr("Hidden until you label.")
            _draw_wrapped(painter, body, text, tokens.text2)

    def _paint_thumb(self, painter: QPainter) -> None:
        tokens, box = theme.current(), self._thumb_box()
        if self._state in ("waiting", "running"):
            fill_round(painter, box, theme.RADIUS_CELL, tokens.raised)
            return
        if self._prediction is None:
            dashed = self._state in ("failed", "absent")
            edge = tokens.text3 if dashed else tokens.border
            stroke_round(painter, box, theme.RADIUS_CELL, edge, dashed=dashed)
            side = theme.dp(16)
            mark = QRectF(0, 0, side, side)
            mark.moveCenter(QPointF(box.center()))
            paint_icon(painter, "cross" if dashed else "eye-off", mark, tokens.text2)
            return
        values = self._map()
        if values is not None and not has_evidence(values):
            stroke_round(painter, box, theme.RADIUS_CELL, tokens.border)
            text = self.tr("no\nmap")
            painter.setFont(theme.font(11))
            painter.setPen(QColor(tokens.text2))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            return
        ratio = ratio_of(painter)
        key = (round(box.width()), ratio, self._map_class, tokens.name)
        if self._thumbnail is None or self._thumbnail[0] != key:
            pixmap = map_thumbnail(self._film, values, round(box.width()), ratio, self._aspect)
            self._thumbnail = key, pixmap
        painter.drawPixmap(box.topLeft(), self._thumbnail[1])

    def _map(self) -> npt.NDArray[np.float32] | None:
        if self._prediction is None or self._prediction.cams is None:
            return None
        index = self._map_class if self._map_class >= 0 else self._prediction.vote
        cam: npt.NDArray[np.float32] = self._prediction.cams[index]
        return cam

    # keeping in step -----------------------------------------------------------------------------
    def _on_theme_changed(self, tokens: theme.Tokens) -> None:
        super()._on_theme_changed(tokens)
        self._thumbnail = None
        self._show_state()

    def _show_state(self) -> None:
        self._retry.setVisible(self._state == "failed")
        self._place_retry()
        self._describe()
        self.update()

    def _describe(self) -> None:
        title = self._panel.models[self._index].title
        if self._prediction is None:
            text = {
                "waiting": self.tr("Waiting"),
                "running": self.tr("Running"),
                "hidden": self.tr("Hidden until you label."),
                "failed": self._sentence,
                "absent": self.tr("No answer"),
                "voted": "",
            }[self._state]
            self.setAccessibleName(f"{title}, {text}")
            self.setAccessibleDescription("")
            self.setToolTip(text if self._state == "failed" else "")
            return
        vote = self._prediction.vote
        figure = probability_text(self._prediction.probabilities[vote])
        self.setAccessibleName(f"{title}, {self._panel.class_names[vote]} {figure}")
        sentences = [self._figures()]
        if self._alarm:
            sentences.append(self._alarm)
        if self._lungs:
            sentences.append(self._lungs)
        values = self._map()
        if values is not None and not has_evidence(values):
            sentences.append(self.tr("No positive evidence for this class, so nothing to draw."))
        else:
            sentences.append(self.tr("The map shows where a model looked, not where disease is."))
        self.setAccessibleDescription(" ".join(sentences))
        self.setToolTip("\n".join(sentences))

    def _figures(self) -> str:
        """``Covid 0.71 (called from 0.40), Normal 0.04, ...``"""
        assert self._prediction is not None
        points = self._panel.models[self._index].operating_points
        parts = []
        for name, value, point in zip(
            self._panel.class_names, self._prediction.probabilities, points, strict=True
        ):
            text = f"{name} {probability_text(value)}"
            if point is not None:
                text += self.tr(" (called from {point})").format(point=f"{point:.2f}")
            parts.append(text)
        return ", ".join(parts) + "."


def _draw_wrapped(painter: QPainter, box: QRectF, text: str, colour: str) -> None:
    """Text over the lines that fit, cut with an ellipsis after the last."""
    font = theme.font(12)
    metrics = QFontMetricsF(font)
    flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    shown = text
    while shown and metrics.boundingRect(box, int(flags), shown).height() > box.height() + 1:
        shown = shown.rstrip("… ").rsplit(" ", 1)[0] + "…" if " " in shown else ""
    painter.setFont(font)
    painter.setPen(QColor(colour))
    painter.drawText(box, int(flags), shown)
