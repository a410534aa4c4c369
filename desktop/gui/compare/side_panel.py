"""Right of the compare grid: verdict, legend, overlap of the maps and what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from desktop.core.cases import CaseResult
from desktop.gui.images.view_types import HeatStyle
from desktop.gui.panel_info import PanelInfo
from desktop.gui.presenters.maps import maps_of, overlap_of, overlap_sentence
from desktop.gui.presenters.verdict import tie_counts, verdict_words
from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, draw_text, horizontal_line
from desktop.gui.viewer.heatmap_layer import stroke_contour
from desktop.gui.viewer.legend import Legend
from desktop.gui.votes.vote_strip import CELL_VERDICT, VoteStrip
from desktop.gui.widgets.charts import MatrixChart
from desktop.gui.widgets.label import ElidedLabel, WrappedLabel
from desktop.gui.widgets.slider import PercentSlider


class _ContourKey(Restyled):
    """A piece of the dashed line and what it means."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_words(self, words: str) -> None:
        self._words = words
        self.setAccessibleName(words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, theme.dp(16))

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        path = QPainterPath()
        middle = self.height() / 2
        path.moveTo(2, middle)
        path.lineTo(24, middle)
        ink = QColor("#FFFFFF") if tokens.name == "dark" else QColor(tokens.panel)
        stroke_contour(painter, path, ink, dashed=True)
        box = QRectF(24 + theme.GAP_S, 0, self.width() - 24 - theme.GAP_S, self.height())
        draw_text(painter, box, self._words, theme.font(12), tokens.text2)


class _Rule(Restyled):
    """A separator from edge to edge."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        horizontal_line(QPainter(self), 0, self.width(), 0, theme.current().line)


class ComparePanel(QWidget):
    """Verdict, opacity, legend, overlap matrix and its sentence.

    Signals:
        style_changed(HeatStyle): Opacity moved.
    """

    style_changed = Signal(object)

    def __init__(self, panel: PanelInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._style = HeatStyle()
        self.title = ElidedLabel("", "verdict")
        self.sentence = WrappedLabel("", "secondary", "text2")
        self.strip = VoteStrip(panel, CELL_VERDICT)
        self.opacity = PercentSlider(self.tr("Opacity"), 5, 100)
        self.opacity.moved.connect(self._on_opacity)
        self.contour_key = _ContourKey()
        self.matrix = MatrixChart(self.tr("Overlap of the maps"))
        self.overlap_words = WrappedLabel("", "secondary", "text2")
        self.caveat = WrappedLabel(
            self.tr("Shows where a model looked, not where disease is."), "secondary", "text3"
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.GAP_L, 0, theme.GAP_M)
        column.setSpacing(theme.GAP_M)
        self._section(column, [self.title, self.sentence, self.strip], theme.GAP_S)
        column.addWidget(_Rule())
        self._section(column, [self.opacity, Legend(), self.contour_key], theme.GAP_S)
        column.addWidget(_Rule())
        heading = ElidedLabel(self.tr("Overlap of the maps"), "secondary", "text2")
        section = [heading, self.matrix, self.overlap_words, self.caveat]
        self._section(column, section, theme.GAP_S)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.set_panel(panel)
        self.set_style(self._style)

    @staticmethod
    def _section(column: QVBoxLayout, widgets: list[QWidget], spacing: int) -> None:
        inner = QVBoxLayout()
        inner.setContentsMargins(theme.GAP_L, 0, theme.GAP_L, 0)
        inner.setSpacing(spacing)
        for widget in widgets:
            stays = isinstance(widget, VoteStrip)
            if stays:
                inner.addWidget(widget, 0, Qt.AlignmentFlag.AlignLeft)
            else:
                inner.addWidget(widget)
        column.addLayout(inner)

    def set_panel(self, panel: PanelInfo) -> None:
        """Another panel."""
        self._panel = panel
        self.strip.set_panel(panel)
        self.contour_key.set_words(
            self.tr("{needed} of {models} maps above half").format(
                needed=panel.majority, models=len(panel.models)
            )
        )
        self.show_result(None)

    def show_result(
        self, result: CaseResult | None, *, blind: bool = False, map_class: int = -1
    ) -> None:
        """Verdict, and the overlap of the maps of ``map_class`` (-1 = each model's own)."""
        words = verdict_words(result, self._panel, blind=blind)
        self.title.set_text(words.title)
        verdict = result.verdict if result is not None and words.state == "voted" else None
        tied = verdict is not None and verdict.consensus is None
        sentence = tie_counts(verdict, self._panel) if verdict and tied else words.sentence
        self.sentence.setText(sentence)
        voted = words.state == "voted" and result is not None and result.verdict is not None
        votes: tuple[int | None, ...] = (None,) * len(self._panel.models)
        if voted and result is not None and result.verdict is not None:
            votes = result.verdict.votes
        self.strip.set_votes(votes, words.state)
        found = maps_of(result if voted else None, self._panel, map_class)
        matrix = overlap_of([None if item is None else item[0] for item in found])
        titles = [model.title for model in self._panel.models]
        letters = [model.letter for model in self._panel.models]
        size = range(len(titles))
        cells = [
            [
                f"{matrix[row, column]:.2f}"
                if row != column and np.isfinite(matrix[row, column])
                else ""
                for column in size
            ]
            for row in size
        ]
        fills = [[float(np.nan_to_num(matrix[row, column])) for column in size] for row in size]
        self.matrix.set_matrix(titles, letters, cells, fills)
        there = [place for place in size if found[place] is not None]
        if len(there) < 2:
            self.overlap_words.setText("")
        else:
            part = matrix[np.ix_(there, there)]
            self.overlap_words.setText(overlap_sentence(part, [titles[place] for place in there]))

    def set_style(self, style: HeatStyle) -> None:
        """Show a style without telling."""
        self._style = style
        self.opacity.set_share(style.opacity)

    def _on_opacity(self, share: float) -> None:
        self._style = replace(self._style, opacity=share)
        self.style_changed.emit(self._style)
