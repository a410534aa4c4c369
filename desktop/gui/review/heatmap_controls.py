"""The heatmap's controls: class, opacity, threshold, colour or contour."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.gui.images.view_types import HeatStyle
from desktop.gui.panel_info import PanelInfo
from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, draw_key_cap, draw_text, key_cap_width, text_width
from desktop.gui.widgets.label import ElidedLabel
from desktop.gui.widgets.layout import column, row
from desktop.gui.widgets.segmented_control import RING, SegmentedControl
from desktop.gui.widgets.slider import PercentSlider


class KeyHint(Restyled):
    """``Hold [Space] for the bare image``, right-aligned; words leave before the key does."""

    def __init__(self) -> None:
        super().__init__()
        self._key = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_key("Space")

    def set_key(self, key: str) -> None:
        self._key = key
        self.setAccessibleName(self.tr("Hold {key} for the bare image").format(key=key))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, theme.dp(20))

    def paintEvent(self, _event: QPaintEvent) -> None:
        before, after = self.tr("Hold"), self.tr("for the bare image")
        tokens, font, painter = theme.current(), theme.font(12), QPainter(self)
        cap = key_cap_width(self._key, theme.font(11, 500))
        gap = 6
        full = text_width(font, before) + cap + text_width(font, after) + 2 * gap
        if full > self.width():
            after = self.tr("bare image")
            before = ""
            full = cap + text_width(font, after) + gap
        x = self.width() - full
        height = self.height()
        if before:
            width = text_width(font, before)
            draw_text(painter, QRectF(x, 0, width + 1, height), before, font, tokens.text3)
            x += width + gap
        box = QRectF(x, (height - theme.dp(18)) / 2, cap, theme.dp(18))
        draw_key_cap(painter, box, self._key)
        x += cap + gap
        draw_text(painter, QRectF(x, 0, self.width() - x, height), after, font, tokens.text3)


class HeatmapControls(QWidget):
    """Class switch "Predicted | Covid | Normal | Viral", opacity, threshold, colour or contour.

    Signals:
        class_chosen(int): Class index, -1 = what each model predicted.
        style_changed(HeatStyle): Opacity, threshold, contour or visibility.
    """

    class_chosen = Signal(int)
    style_changed = Signal(object)

    def __init__(self, panel: PanelInfo) -> None:
        super().__init__()
        self._style = HeatStyle()
        self._blind = False
        self.setAccessibleName(self.tr("Heatmap"))
        self.setToolTip(self.tr("Shows where a model looked, not where disease is."))
        self.hint = KeyHint()
        self.classes = SegmentedControl(self.tr("Heatmap class"))
        self.classes.chosen.connect(lambda index: self.class_chosen.emit(index - 1))
        self.opacity = PercentSlider(self.tr("Opacity"), 5, 100)
        self.threshold = PercentSlider(self.tr("Threshold"), 0, 95)
        self.threshold.setToolTip(
            self.tr("Below this share of the map's maximum nothing is drawn.")
        )
        self.opacity.moved.connect(lambda share: self._change(opacity=share))
        self.threshold.moved.connect(lambda share: self._change(threshold=share))
        title = ElidedLabel(self.tr("Heatmap"), "secondary", "text2")
        inner = (RING, 0, RING, 0)
        column(
            row(title, (self.hint, 1), margins=inner),
            theme.GAP_S - RING,
            self.classes,
            theme.GAP_S - RING,
            column(self.opacity, self.threshold, margins=inner, spacing=theme.GAP_XS),
            of=self,
            margins=(theme.GAP_L - RING, theme.GAP_M, theme.GAP_L - RING, theme.GAP_M),
            spacing=0,
        )
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_panel(panel)
        self.set_style(self._style)

    def set_panel(self, panel: PanelInfo) -> None:
        """Another panel's classes; the choice goes back to "Predicted"."""
        self.classes.set_segments(
            [self.tr("Predicted"), *panel.short_names],
            [None, *panel.slots],
            [self.tr("The class that each model votes for"), *panel.class_names],
        )
        self.classes.set_index(0)

    @property
    def map_class(self) -> int:
        """Class index, -1 = predicted."""
        return self.classes.index - 1

    def set_class(self, index: int) -> None:
        """Show a class as chosen (-1 = predicted) without a signal."""
        self.classes.set_index(index + 1)

    def set_style(self, style: HeatStyle) -> None:
        """Show a style without a signal."""
        self._style = style
        self.opacity.set_share(style.opacity)
        self.threshold.set_share(style.threshold)
        self._enable()

    def set_blind(self, blind: bool) -> None:
        """Disable everything while the votes are hidden."""
        self._blind = blind
        self._enable()

    def set_key(self, key: str) -> None:
        """Key that shows the bare image, as words, e.g. ``Space``."""
        self.hint.set_key(key)

    def _enable(self) -> None:
        """Only what would change something can be moved."""
        drawn = self._style.visible and not self._blind
        self.classes.setEnabled(not self._blind)
        self.threshold.setEnabled(drawn)
        self.opacity.setEnabled(drawn and not self._style.contour)

    def _change(self, **values: float) -> None:
        style = replace(self._style, **values)  # type: ignore[arg-type]
        if style != self._style:
            self._style = style
            self.style_changed.emit(style)
