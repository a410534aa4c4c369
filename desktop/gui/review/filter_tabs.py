"""The five counts above the list: a click shows only those images."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QWidget

from desktop.gui.formatting import grouped
from desktop.gui.style import theme
from desktop.gui.style.paint import draw_text, fill_round, stroke_round
from desktop.gui.widgets.button import PaintedButton
from desktop.gui.widgets.layout import row


class FilterBar(QWidget):
    """All, Unreviewed, Disagree, Flagged, Failed.

    Signals:
        tab_chosen(str): Key of ``TAB_QUERIES``.
    """

    tab_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        titles = {
            "all": self.tr("All"),
            "unreviewed": self.tr("Unreviewed"),
            "disagree": self.tr("Disagree"),
            "flagged": self.tr("Flagged"),
            "failed": self.tr("Failed"),
        }
        self._group = QButtonGroup(self, exclusive=True)
        self._tabs: dict[str, _Tab] = {}
        for key, title in titles.items():
            tab = _Tab(title)
            tab.setObjectName(f"filter_{key}")
            tab.clicked.connect(lambda _checked=False, key=key: self.tab_chosen.emit(key))
            self._group.addButton(tab)
            self._tabs[key] = tab
        row(*((tab, 1) for tab in self._tabs.values()), of=self, margins=(12, 0, 12, 0), spacing=0)
        self._tabs["all"].setChecked(True)

    def set_counts(self, counts: dict[str, int | None]) -> None:
        """Show how many images each tab holds; None hides the number (the votes are hidden)."""
        for key, count in counts.items():
            self._tabs[key].set_count(count)

    def set_tab(self, key: str) -> None:
        """Mark a tab without a signal; an empty key marks none (another filter is at work)."""
        self._group.setExclusive(False)
        for name, tab in self._tabs.items():
            tab.setChecked(name == key)
        self._group.setExclusive(True)

    def tab(self, key: str) -> QAbstractButton:
        return self._tabs[key]


class _Tab(PaintedButton):
    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.MinimumExpanding, QSizePolicy.Policy.Fixed)
        self._count: int | None = 0
        self.set_count(0)

    def set_count(self, count: int | None) -> None:
        self._count = count
        self.setAccessibleName(f"{self.text()}, {self._number()}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        title = QFontMetrics(theme.font(12, 500)).horizontalAdvance(self.text())
        number = QFontMetrics(theme.font(13, 600)).horizontalAdvance(self._number())
        return QSize(max(title, number) + 6, theme.dp(48))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        strong = self.isChecked() or self.underMouse()
        ink = tokens.text1 if strong else tokens.text2
        centre = Qt.AlignmentFlag.AlignHCenter
        top = QRect(0, theme.dp(5), self.width(), theme.dp(18))
        below = QRect(0, top.bottom() + 1, self.width(), theme.dp(18))
        draw_text(painter, top, self._number(), theme.font(13, 600), ink, centre, elide=None)
        draw_text(painter, below, self.text(), theme.font(12), ink, centre)
        if self.isChecked():
            width = QFontMetrics(theme.font(12)).horizontalAdvance(self.text())
            line = QRect((self.width() - width) // 2, self.height() - 2, width, 2)
            fill_round(painter, line, 1, tokens.accent)
        if self.hasFocus():
            stroke_round(
                painter, self.rect().adjusted(1, 1, -1, -1), theme.RADIUS_KEY, tokens.accent, 2
            )

    def _number(self) -> str:
        return "–" if self._count is None else grouped(self._count)
