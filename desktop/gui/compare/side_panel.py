"""Right of the compare grid: verdict, legend, overlap of the maps and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from desktop.core.cases import CaseResult
from desktop.gui.images.view_types import HeatStyle
from desktop.gui.panel_info import PanelInfo
from desktop.gui.presenters.maps import FloatMap, maps_of, overlap_of, overlap_sentence
from desktop.gui.presenters.verdict import tie_counts, verdict_text
from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, draw_text
from desktop.gui.viewer.heatmap_layer import stroke_contour
from desktop.gui.viewer.legend import Legend
from desktop.gui.votes.vote_strip import CELL_VERDICT, VoteStrip
from desktop.gui.widgets.charts import MatrixChart
from desktop.gui.widgets.containers import Hairline
from desktop.gui.widgets.label import ElidedLabel, WrappedLabel
from desktop.gui.widgets.layout import Item, column
from desktop.gui.widgets.slider import PercentSlider


class _ContourKey(Restyled):
    """A piece of the dashed line and what it means."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_text(self, text: str) -> None:
        self._text = text
        self.setAccessibleName(text)
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
        draw_text(painter, box, self._text, theme.font(12), tokens.text2)


class ComparePanel(QWidget):
    """Verdict, opacity, legend, overlap matrix and its sentence.

    Signals:
        style_changed(HeatStyle): Opacity moved.
    """

    style_changed = Signal(object)

    def __init__(self, panel: PanelInfo) -> None:
        super().__init__()
        self._panel = panel
        self._style = HeatStyle()
        self.title = ElidedLabel("", "verdict")
        self.sentence = WrappedLabel("", "secondary", "text2")
        self.strip = VoteStrip(panel, CELL_VERDICT)
        self.opacity = PercentSlider(self.tr("Opacity"), 5, 100)
        self.opacity.moved.connect(self._on_opacity)
        self.contour_key = _ContourKey()
        self.matrix = MatrixChart(self.tr("Overlap of the maps"))
        self.overlap_text = WrappedLabel("", "secondary", "text2")
        self.caveat = WrappedLabel(
            self.tr("Shows where a model looked, not where disease is."), "secondary", "text3"
        )
        heading = ElidedLabel(self.tr("Overlap of the maps"), "secondary", "text2")
        strip = (self.strip, 0, Qt.AlignmentFlag.AlignLeft)
        column(
            _section(self.title, self.sentence, strip),
            Hairline(),
            _section(self.opacity, Legend(), self.contour_key),
            Hairline(),
            _section(heading, self.matrix, self.overlap_text, self.caveat),
            of=self,
            margins=(0, theme.GAP_L, 0, theme.GAP_M),
            spacing=theme.GAP_M,
        )
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.set_panel(panel)
        self.set_style(self._style)

    def set_panel(self, panel: PanelInfo) -> None:
        self._panel = panel
        self.strip.set_panel(panel)
        self.contour_key.set_text(
            self.tr("{needed} of {models} maps above half").format(
                needed=panel.majority, models=len(panel.models)
            )
        )
        self.show_result(None)

    def show_result(
        self, result: CaseResult | None, *, blind: bool = False, map_class: int = -1
    ) -> None:
        """Verdict, and the overlap of the maps of ``map_class`` (-1 = each model's own)."""
        text = verdict_text(result, self._panel, blind=blind)
        voted = text.state == "voted" and result is not None
        verdict = result.verdict if voted and result is not None else None
        tied = verdict is not None and verdict.consensus is None
        self.title.set_text(text.title)
        self.sentence.setText(
            tie_counts(verdict, self._panel) if verdict and tied else text.sentence
        )
        votes = verdict.votes if verdict else (None,) * len(self._panel.models)
        self.strip.set_votes(votes, text.state)
        self._show_overlap(maps_of(result if voted else None, self._panel, map_class))

    def _show_overlap(self, maps: Sequence[tuple[FloatMap, int] | None]) -> None:
        matrix = overlap_of([None if item is None else item[0] for item in maps])
        titles = [model.title for model in self._panel.models]
        letters = [model.letter for model in self._panel.models]
        shown = np.isfinite(matrix) & ~np.eye(len(titles), dtype=bool)
        cells = [
            [f"{value:.2f}" if visible else "" for value, visible in zip(*line, strict=True)]
            for line in zip(matrix, shown, strict=True)
        ]
        self.matrix.set_matrix(titles, letters, cells, np.nan_to_num(matrix).tolist())
        there = [index for index, item in enumerate(maps) if item is not None]
        sentence = ""
        if len(there) > 1:
            part = matrix[np.ix_(there, there)]
            sentence = overlap_sentence(part, [titles[index] for index in there])
        self.overlap_text.setText(sentence)

    def set_style(self, style: HeatStyle) -> None:
        """Show a style without a signal."""
        self._style = style
        self.opacity.set_share(style.opacity)

    def _on_opacity(self, share: float) -> None:
        self._style = replace(self._style, opacity=share)
        self.style_changed.emit(self._style)


def _section(*items: Item) -> QVBoxLayout:
    return column(*items, margins=(theme.GAP_L, 0, theme.GAP_L, 0), spacing=theme.GAP_S)
