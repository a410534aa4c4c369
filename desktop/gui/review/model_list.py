"""The answers of all models of a panel, one below the other."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import QWidget

from desktop.core.cases import Prediction
from desktop.core.heatmaps.grad_cam import margin_share
from desktop.gui.panel_info import PanelInfo
from desktop.gui.presenters.verdict import alarm_sentence
from desktop.gui.review.model_row import ModelRow
from desktop.gui.widgets.layout import column


class ModelRows(QWidget):
    """All rows of a panel; up and down move between them.

    Signals:
        model_chosen(int): Index of the model whose map is wanted.
        retry_requested(int): As in ``ModelRow``.
    """

    model_chosen = Signal(int)
    retry_requested = Signal(int)

    def __init__(self, panel: PanelInfo) -> None:
        super().__init__()
        self._panel = panel
        self._rows: list[ModelRow] = []
        self._compact = False
        self._selected = 0
        self._layout = column(of=self, margins=(0, 4, 0, 4), spacing=0)
        self.setAccessibleName(self.tr("Answers of the models"))
        self.set_panel(panel)

    def set_panel(self, panel: PanelInfo) -> None:
        self._panel = panel
        for row in self._rows:
            self._layout.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = [ModelRow(panel, index) for index in range(len(panel.models))]
        for row in self._rows:
            row.set_compact(self._compact)
            row.chosen.connect(self._on_chosen)
            row.retry_requested.connect(self.retry_requested)
            row.installEventFilter(self)
            self._layout.addWidget(row)
        self.select(min(self._selected, len(self._rows) - 1))

    def row(self, index: int) -> ModelRow:
        return self._rows[index]

    @property
    def selected(self) -> int:
        return self._selected

    def show_predictions(
        self,
        predictions: tuple[Prediction, ...] | None,
        *,
        blind: bool = False,
        map_class: int = -1,
        running: bool = False,
        failed: Mapping[str, str] | None = None,
        unread: bool = False,
    ) -> None:
        """Fill all rows; None = waiting.

        Args:
            predictions: Predictions of the models that gave one.
            blind: Hide them all.
            map_class: Class of the thumbnails, -1 = each model's own.
            running: The models work on it now.
            failed: Sentence by model name for those that failed.
            unread: The image could not be read, so no answer will come.
        """
        found = {item.model: item for item in predictions or ()}
        for model, row in zip(self._panel.models, self._rows, strict=True):
            prediction = found.get(model.name)
            if unread:
                row.set_state("absent")
            elif blind:
                row.set_state("hidden")
            elif prediction is not None:
                row.set_prediction(prediction, map_class=map_class)
                row.set_alarm(self._alarm(prediction, model.title, map_class))
            elif failed and model.name in failed:
                row.set_state("failed", failed[model.name])
            else:
                row.set_state("running" if running else "waiting")

    def set_thumbnail(self, film: QImage | None, size: tuple[int, int] | None = None) -> None:
        """The film under the maps: a square crop, and (width, height) of the whole if known."""
        aspect = size[0] / size[1] if size and size[1] else 1.0
        for row in self._rows:
            row.set_thumbnail(film, aspect)

    def set_compact(self, compact: bool) -> None:
        """As in ``ModelRow``."""
        self._compact = compact
        for row in self._rows:
            row.set_compact(compact)

    def select(self, index: int) -> None:
        """Select without a signal."""
        self._selected = index
        for position, row in enumerate(self._rows):
            row.setChecked(position == index)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
            if step is not None and watched in self._rows:
                index = self._rows.index(watched) + step
                if 0 <= index < len(self._rows):
                    self._rows[index].setFocus(Qt.FocusReason.TabFocusReason)
                    self._on_chosen(index)
                return True
        return super().eventFilter(watched, event)

    def _on_chosen(self, index: int) -> None:
        self.select(index)
        self.model_chosen.emit(index)

    @staticmethod
    def _alarm(prediction: Prediction, title: str, map_class: int) -> str:
        if prediction.cams is None:
            return ""
        index = map_class if map_class >= 0 else prediction.vote
        share = margin_share(prediction.cams[index])
        return alarm_sentence(title, share) if share.alarming else ""
