"""Four models side by side on one film, with linked zoom, window and cursor."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, sqrt

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.core.cases import CaseResult, Prediction
from desktop.core.heatmaps.grad_cam import has_evidence, margin_share
from desktop.core.imaging.decode import Radiograph
from desktop.gui.compare.cell import CompareCell
from desktop.gui.compare.side_panel import ComparePanel
from desktop.gui.images.view_state import ViewState
from desktop.gui.images.view_types import HeatStyle, HudText, MapLayer, Tool
from desktop.gui.panel_info import PanelInfo
from desktop.gui.presenters.maps import FloatMap, consensus_region, difference_maps, maps_of
from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, horizontal_line
from desktop.gui.viewer.hud import window_text, zoom_text
from desktop.gui.viewer.image_view import ImageView
from desktop.gui.votes.probability_bar import probability_text
from desktop.gui.widgets.button import Button
from desktop.gui.widgets.label import ElidedLabel
from desktop.gui.widgets.layout import column, row
from desktop.gui.widgets.segmented_control import SegmentedControl

__all__ = ["ComparePanel", "CompareView"]

_TOOLS_HEIGHT = 40
_WORDS_FROM = 800


class _Tools(Restyled):
    """The row above the grid: bar colour and a line below."""

    def restyle(self) -> None:
        self.setFixedHeight(theme.dp(_TOOLS_HEIGHT) + 1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        painter.fillRect(self.rect(), QColor(tokens.bg))
        horizontal_line(painter, 0, self.width(), self.height() - 1, tokens.line)


class CompareView(QWidget):
    """Tool row and grid of image views.

    Signals:
        class_chosen(int): Class of the maps, -1 = what each model predicted.
        model_chosen(int): The reader pressed a cell.
    """

    class_chosen = Signal(int)
    model_chosen = Signal(int)

    def __init__(self, panel: PanelInfo) -> None:
        super().__init__()
        self._panel = panel
        # Of all cells while they are linked.
        self.state = ViewState(self)
        self._result: CaseResult | None = None
        self._blind = False
        self._style = HeatStyle()
        self._tool = Tool.WINDOW
        self._selected = 0
        self.cells: list[CompareCell] = []
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.classes = SegmentedControl(self.tr("Heatmap class"))
        self.classes.chosen.connect(self._on_class)
        self.linked = _toggle(
            self.tr("Linked"),
            "link",
            self.tr("Zoom, window and cursor are the same in all images"),
            on=True,
        )
        self.consensus = _toggle(
            self.tr("Consensus"),
            "contour",
            self.tr("Dashed line: where the majority of the maps is above half"),
            on=True,
        )
        self.difference = _toggle(
            self.tr("Difference"),
            "difference",
            self.tr("Where each model looks and the others do not"),
            on=False,
        )
        self.linked.toggled.connect(self._on_linked)
        self.consensus.toggled.connect(lambda _on: self._show_maps())
        self.difference.toggled.connect(lambda _on: self._show_maps())
        self.readout = ElidedLabel("", "secondary", "text2", align=Qt.AlignmentFlag.AlignRight)
        self._toggles = (self.linked, self.consensus, self.difference)
        tools = _Tools()
        tools.restyle()
        items = (self.classes, *self._toggles, (self.readout, 1))
        row(*items, of=tools, margins=(theme.GAP_M - 3, 0, theme.GAP_M, 1), spacing=theme.GAP_S)
        self._grid_widget = QWidget()
        self._grid = QGridLayout(self._grid_widget)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(1)
        column(tools, (self._grid_widget, 1), of=self, spacing=0)
        self.set_panel(panel)

    # what is shown -------------------------------------------------------------------------------
    def set_panel(self, panel: PanelInfo) -> None:
        self._panel = panel
        for cell in self.cells:
            self._grid.removeWidget(cell)
            cell.hide()
            cell.deleteLater()
        count = len(panel.models)
        columns = max(1, ceil(sqrt(count)))
        self.cells = []
        for index in range(count):
            cell = CompareCell(panel, index, self.state)
            cell.chosen.connect(self._on_cell)
            cell.view.window_changed.connect(lambda _width, _level: self._read_out())
            cell.view.zoom_changed.connect(lambda _zoom: self._read_out())
            self._grid.addWidget(cell, index // columns, index % columns)
            self.cells.append(cell)
        for index in range(self._grid.columnCount()):
            self._grid.setColumnStretch(index, 1 if index < columns else 0)
        for index in range(self._grid.rowCount()):
            self._grid.setRowStretch(index, 1 if index < ceil(count / columns) else 0)
        self.classes.set_segments(
            [self.tr("Predicted"), *panel.short_names],
            [None, *panel.slots],
            ["", *panel.class_names],
        )
        self.classes.set_index(0)
        self._result = None
        self.set_style(self._style)
        self.set_tool(self._tool)
        self.select(0)
        self._show_answers()

    def show_film(self, film: Radiograph, hud: HudText) -> None:
        for view in self.views():
            view.show_film(film, hud)
        self._show_maps()
        self._read_out()

    def show_loading(self, hud: HudText) -> None:
        for view in self.views():
            view.show_loading(hud)
        self._read_out()

    def show_failure(self, hud: HudText, title: str, sentence: str) -> None:
        for view in self.views():
            view.show_failure(hud, title, sentence)
        self._read_out()

    def show_result(self, result: CaseResult | None, *, blind: bool = False) -> None:
        """Votes and maps, hidden while ``blind``."""
        self._result, self._blind = result, blind
        self._show_answers()
        self._show_maps()

    # commands ------------------------------------------------------------------------------------
    @property
    def map_class(self) -> int:
        """Class of the maps, -1 = predicted."""
        return self.classes.index - 1

    def set_class(self, index: int) -> None:
        """Maps of this class, -1 = predicted, without a signal."""
        self.classes.set_index(index + 1)
        self._show_maps()

    def set_style(self, style: HeatStyle) -> None:
        """Opacity and so on of all maps. They stay visible: this page is about them."""
        self._style = replace(style, visible=True)
        for view in self.views():
            view.set_heat_style(self._style)

    def set_tool(self, tool: Tool) -> None:
        self._tool = tool
        for view in self.views():
            view.set_tool(tool)

    def set_bare(self, bare: bool) -> None:
        for view in self.views():
            view.set_bare(bare)

    def select(self, index: int) -> None:
        """Select a cell without a signal."""
        self._selected = index
        for position, cell in enumerate(self.cells):
            cell.view.set_selected(position == index)
        self._read_out()

    def views(self) -> tuple[ImageView, ...]:
        return tuple(cell.view for cell in self.cells)

    def setFocus(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        """The keyboard goes to the selected cell."""
        self.cells[self._selected].view.setFocus(reason)

    # showing -------------------------------------------------------------------------------------
    def _show_answers(self) -> None:
        predictions = {}
        if self._result is not None:
            predictions = {item.model: item for item in self._result.predictions}
        for model, cell in zip(self._panel.models, self.cells, strict=True):
            prediction = predictions.get(model.name)
            if self._blind:
                cell.header.set_answer(None, self.tr("Hidden until you label"))
            elif prediction is not None:
                cell.header.set_answer(prediction, alarm=self._alarm(prediction))
            elif self._result is not None:
                cell.header.set_answer(None, self.tr("No answer"))
            else:
                cell.header.set_answer(None, self.tr("Waiting"))

    def _alarm(self, prediction: Prediction) -> str:
        """A short badge where much of the map lies where no lung is."""
        if prediction.cams is None:
            return ""
        share = margin_share(prediction.cams[prediction.vote])
        if not share.alarming:
            return ""
        percent = round(100 * max(share.border, share.corners))
        return self.tr("{percent} % at the border").format(percent=percent)

    def _show_maps(self) -> None:
        result = None if self._blind else self._result
        found = maps_of(result, self._panel, self.map_class)
        cams = [None if item is None else item[0] for item in found]
        region = None
        if self.consensus.isChecked():
            region = consensus_region(
                [cam for cam in cams if cam is not None], self._panel.majority
            )
        differences = difference_maps(cams) if self.difference.isChecked() else None
        text = self.tr("{needed} of {models} maps above half").format(
            needed=self._panel.majority, models=len(self._panel.models)
        )
        for index, (cell, item) in enumerate(zip(self.cells, found, strict=True)):
            cell.view.show_contour(region, text)
            if item is None:
                cell.view.show_map(None)
                cell.view.set_caption("")
                continue
            title = self._panel.models[index].title
            name = self._panel.class_names[item[1]]
            if differences is not None:
                values, kind = differences[index], "difference"
                caption = self.tr("More than the others, {name}").format(name=name)
            else:
                values, kind = item[0], "map"
                caption = self._caption(index, item[1], item[0])
            layer = MapLayer(values, title, name, kind) if values is not None else None
            cell.view.show_map(layer)
            cell.view.set_caption(caption)

    def _caption(self, model_index: int, class_index: int, cam: FloatMap) -> str:
        """``Map for Covid, p 0.71``, or that there is nothing to draw."""
        name = self._panel.class_names[class_index]
        if not has_evidence(cam):
            return self.tr("{name}: no positive evidence").format(name=name)
        assert self._result is not None
        model = self._panel.models[model_index].name
        prediction = next(item for item in self._result.predictions if item.model == model)
        figure = probability_text(prediction.probabilities[class_index])
        return self.tr("Map for {name}, p {figure}").format(name=name, figure=figure)

    def _read_out(self) -> None:
        view = self.cells[min(self._selected, len(self.cells) - 1)].view
        if view.film is None:
            self.readout.set_text("")
            return
        window = window_text(view.film, view.shown_window())
        self.readout.set_text(f"{window}   {zoom_text(view.effective_zoom())}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for button in self._toggles:
            button.set_text_hidden(self.width() < theme.dp(_WORDS_FROM))

    # reacting ------------------------------------------------------------------------------------
    def _on_class(self, index: int) -> None:
        self._show_maps()
        self.class_chosen.emit(index - 1)

    def _on_cell(self, index: int) -> None:
        if index != self._selected:
            self.select(index)
            self.model_chosen.emit(index)

    def _on_linked(self, on: bool) -> None:
        if on:
            source = self.cells[self._selected].view.state
            if source is not self.state:
                self.state.copy_from(source)
        for view in self.views():
            if on:
                view.set_state(self.state)
            else:
                own = ViewState(view)
                own.copy_from(self.state)
                view.set_state(own)


def _toggle(text: str, icon: str, tip: str, *, on: bool) -> Button:
    button = Button(text, icon, kind="tool")
    button.setCheckable(True)
    button.setChecked(on)
    button.setToolTip(tip)
    return button
