"""The top row: name, menus, the four pages, the open folder, blind first and export."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QLabel, QMenuBar, QWidget

from desktop.gui.actions.shortcuts import Shortcuts
from desktop.gui.style import icons, theme
from desktop.gui.widgets.button import Button
from desktop.gui.widgets.layout import STRETCH, row

HEIGHT = 40
# Above and below the text, as the style sheet has it.
MENU_PADDING = 6
_NARROW = 1200


class TopBar(QWidget):
    """The row above everything; its buttons follow the window's actions.

    Signals:
        page_chosen(str): ``review``, ``compare``, ``batch`` or ``scorecard``.
    """

    page_chosen = Signal(str)

    def __init__(self, shortcuts: Shortcuts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.menu_bar = QMenuBar()
        self.menu_bar.setAccessibleName(self.tr("Menus"))
        self._mark = _Mark()
        self._pages = QWidget(self)
        self._folder = Button("", "folder", kind="plain")
        self._panel_name = QLabel()
        self._panel_name.setAccessibleName(self.tr("Panel"))
        self._folder.clicked.connect(shortcuts["open_folder"].trigger)
        self.blind_button = Button(icon="eye-off")
        self.blind_button.follow(shortcuts["blind_first"], self.tr("Blind first"))
        self.export_button = Button(icon="export")
        self.export_button.follow(shortcuts["export_csv"], self.tr("Export"))
        self._rule = QFrame()
        self._rule.setFixedSize(1, 16)
        self._folder_name = ""
        row(
            self._mark,
            (self.menu_bar, 0, Qt.AlignmentFlag.AlignVCenter),
            STRETCH,
            self._folder,
            self._panel_name,
            theme.GAP_S,
            self._rule,
            self.blind_button,
            self.export_button,
            of=self,
            margins=(12, 0, 12, 0),
            spacing=theme.GAP_S,
        )
        self._build_pages(shortcuts)
        theme.notifier().theme_changed.connect(self._on_theme_changed)
        self._on_theme_changed(theme.current())
        self.set_folder("", "")

    def set_page(self, page: str) -> None:
        """Mark a page as the one shown."""
        for name, button in self._page_buttons.items():
            button.setChecked(name == page)

    def set_folder(self, name: str, panel: str, path: str = "") -> None:
        """Name the open folder and panel; empty strings where none is open."""
        self._folder_name = name
        self._folder.setVisible(bool(name))
        self._rule.setVisible(bool(name))
        self.blind_button.setVisible(bool(name))
        self.export_button.setVisible(bool(name))
        self._folder.setToolTip(path)
        self._panel_name.setText(self.tr("%s panel").replace("%s", panel) if panel else "")
        self._panel_name.setVisible(bool(name))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(tokens.bg))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.colour(tokens.line))

    def _build_pages(self, shortcuts: Shortcuts) -> None:
        titles = {
            "review": self.tr("Review"),
            "compare": self.tr("Compare"),
            "batch": self.tr("Batch"),
            "scorecard": self.tr("Scorecard"),
        }
        group = QButtonGroup(self)
        group.setExclusive(True)
        self._page_buttons: dict[str, Button] = {}
        for name, title in titles.items():
            button = Button(title, kind="page")
            button.setCheckable(True)
            button.setObjectName(f"page_{name}_button")
            button.clicked.connect(lambda _checked=False, name=name: self.page_chosen.emit(name))
            keys = shortcuts[f"page_{name}"].shortcut().toString()
            button.setToolTip(f"{title} ({keys})" if keys else title)
            group.addButton(button)
            self._page_buttons[name] = button
        row(*self._page_buttons.values(), of=self._pages, spacing=theme.GAP_XS)

    def _fit(self) -> None:
        """Centre the pages in the window as long as the sides leave room, and shorten the rest."""
        narrow = self.width() < theme.dp(_NARROW)
        self.blind_button.set_text_hidden(narrow)
        self.export_button.set_text_hidden(narrow)
        self._panel_name.setVisible(bool(self._folder_name) and not narrow)
        room = theme.dp(140 if self.width() < theme.dp(1400) else 220)
        metrics = QFontMetrics(theme.font(12, 500))
        self._folder.setText(
            metrics.elidedText(self._folder_name, Qt.TextElideMode.ElideMiddle, room)
        )
        self.layout().activate()
        size = self._pages.sizeHint()
        left_end = self.menu_bar.geometry().left() + self.menu_bar.sizeHint().width() + theme.GAP_S
        right_start = self._folder.geometry().left() if self._folder_name else self.width()
        x = (self.width() - size.width()) // 2
        x = max(left_end, min(x, right_start - size.width() - theme.GAP_S))
        self._pages.setGeometry(
            x, (self.height() - size.height()) // 2, size.width(), size.height()
        )

    def _on_theme_changed(self, tokens: theme.Tokens) -> None:
        self.setFixedHeight(theme.dp(HEIGHT))
        self.menu_bar.setFont(theme.font(13))
        # No higher than its text, which Qt puts at the top of what is left over; two more, because
        # Qt rounds up, and hides all menus where one pixel is missing.
        height = QFontMetrics(theme.font(13)).height()
        self.menu_bar.setFixedHeight(height + 2 * theme.dp(MENU_PADDING) + 2)
        self._panel_name.setFont(theme.font(12))
        self._panel_name.setStyleSheet(f"color: {tokens.text3};")
        self._rule.setStyleSheet(f"background: {tokens.border};")
        self._fit()
        self.update()


class _Mark(QWidget):
    """Icon and name of the app."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(QCoreApplication.applicationName() or "CXR Quorum")
        theme.notifier().theme_changed.connect(self._resize)
        self._resize()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = theme.dp(18)
        y = (self.height() - side) // 2
        painter.drawPixmap(0, y, icons.app_mark(side, self.devicePixelRatioF()))
        painter.setFont(theme.font(13, 600))
        painter.setPen(theme.colour(tokens.text1))
        box = self.rect().adjusted(side + theme.GAP_S, 0, 0, 0)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, "CXR Quorum")

    def _resize(self, _tokens: object = None) -> None:
        width = QFontMetrics(theme.font(13, 600)).horizontalAdvance("CXR Quorum")
        self.setFixedWidth(theme.dp(18) + theme.GAP_S + width + theme.GAP_S)
        self.setFixedHeight(theme.dp(HEIGHT) - 1)
        self.update()
