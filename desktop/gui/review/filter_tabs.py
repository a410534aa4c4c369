"""The five counts above the list: a click shows only those images."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from desktop.gui.formatting import grouped
from desktop.gui.style import theme
from desktop.gui.style.paint import draw_text, fill_round, stroke_round


class FilterBar(QWidget):
    """All, Unreviewed, Disagree, Flagged, Failed.

    Signals:
        tab_chosen(str): Key of ``TAB_QUERIES``.
    """

    tab_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        titles = {
            "all": self.tr("All"),
            "unreviewed": self.tr("Unreviewed"),
            "disagree": self.tr("Disagree"),
            "flagged": self.tr("Flagged"),
            "failed": self.tr("Failed"),
        }
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(0)
        group = QButtonGroup(self)
        group.setExclusive(True)
        self._group = group
        self._tabs: dict[str, _Tab] = {}
        for key, title in titles.items():
            tab = _Tab(title)
            tab.setObjectName(f"filter_{key}")
            tab.clicked.connect(lambda _checked=False, key=key: self.tab_chosen.emit(key))
            group.addButton(tab)
            row.addWidget(tab, 1)
            self._tabs[key] = tab
        self._tabs["all"].setChecked(True)

    def set_counts(self, counts: dict[str, int | None]) -> None:
        """Show how many images each tab holds; None hides the number (the votes are hidden)."""
        for key, count in counts.items():
            self._tabs[key].set_count(count)

    def set_tab(self, key: str) -> None:
        """Mark a tab without telling; an empty key marks none (another filter is at work)."""
        self._group.setExclusive(False)
        for name, tab in self._tabs.items():
            tab.setChecked(name == key)
        self._group.setExclusive(True)

    def tab(self, key: str) -> QAbstractButton:
        """The button of a tab."""
        return self._tabs[key]


class _Tab(QAbstractButton):
    def __init__(self, title: str) -> None:
        super().__init__()
        self.setText(title)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.MinimumExpanding, QSizePolicy.Policy.Fixed)
        self._count: int | None = 0
        self.set_count(0)
        theme.notifier().theme_changed.connect(self._on_theme_changed)

    def set_count(self, count: int | None) -> None:
        self._count = count
        number = "–" if count is None else grouped(count)
        self.setAccessibleName(f"{self.text()}, {number}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        words = QFontMetrics(theme.font(12, 500)).horizontalAdvance(self.text())
        number = QFontMetrics(theme.font(13, 600)).horizontalAdvance(self._number())
        return QSize(max(words, number) + 6, theme.dp(48))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            return
        super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        strong = self.isChecked() or self.underMouse()
        ink = tokens.text1 if strong else tokens.text2
        centre = Qt.AlignmentFlag.AlignHCenter
        top = QRect(0, theme.dp(5), self.width(), theme.dp(18))
        below = QRect(0, top.bottom() + 1, self.width(), theme.dp(18))
        draw_text(painter, top, self._number(), theme.font(13, 600), ink, centre, elide=None)
        draw_text(painter, below, self.text(), theme.font(12), ink, centre)
        if self.isChecked():
            words = QFontMetrics(theme.font(12)).horizontalAdvance(self.text())
            line = QRect((self.width() - words) // 2, self.height() - 2, words, 2)
            fill_round(painter, line, 1, tokens.accent)
        if self.hasFocus():
            stroke_round(
                painter, self.rect().adjusted(1, 1, -1, -1), theme.RADIUS_KEY, tokens.accent, 2
            )
        painter.end()

    def _number(self) -> str:
        return "–" if self._count is None else grouped(self._count)

    def _on_theme_changed(self, _tokens: theme.Tokens) -> None:
        self.updateGeometry()
        self.update()
