"""A progress bar."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent

from desktop.gui.style import theme
from desktop.gui.style.paint import Restyled, fill_round


class ProgressBar(Restyled):
    """Shows a share of work done; its owner gives it a size."""

    def __init__(self) -> None:
        super().__init__()
        self._share = 0.0
        self.setAccessibleName(self.tr("Progress"))

    def set_share(self, share: float) -> None:
        """Show a share, 0 to 1."""
        self._share = min(1.0, max(0.0, share))
        self.setAccessibleDescription(f"{100 * self._share:.0f} %")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        fill_round(painter, self.rect(), 2, tokens.track)
        if self._share > 0:
            done = QRectF(0, 0, max(4.0, self.width() * self._share), self.height())
            fill_round(painter, done, 2, tokens.accent)
