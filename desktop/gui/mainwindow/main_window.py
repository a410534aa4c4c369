"""The window: top bar, pages, status bar, menus. Composition only; the controller does the work."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from desktop.gui.actions.menus import Menus, SortMenu
from desktop.gui.actions.shortcuts import Shortcuts, is_typing
from desktop.gui.batch.page import BatchPage
from desktop.gui.export.exporter import Exporter
from desktop.gui.mainwindow.actions import WindowActions
from desktop.gui.mainwindow.notices import DuplicateHints
from desktop.gui.mainwindow.status_bar import StatusBar
from desktop.gui.mainwindow.top_bar import TopBar
from desktop.gui.mainwindow.window_state import WindowState
from desktop.gui.review.page import ReviewPage
from desktop.gui.scorecard.job import Scoring
from desktop.gui.scorecard.page import ScorecardPage
from desktop.gui.session.controller import Controller
from desktop.gui.settings.preferences import Preferences
from desktop.gui.start.opener import Opener
from desktop.gui.start.page import StartPage
from desktop.gui.style import icons, theme

MINIMUM = (1120, 720)
DEFAULT = (1440, 900)


class MainWindow(QMainWindow):
    """One window, one folder."""

    def __init__(
        self,
        preferences: Preferences,
        *,
        store_home: Path | None = None,
        panel_folders: tuple[Path, ...] = (),
    ) -> None:
        """Build the window; nothing is opened yet.

        Args:
            preferences: The user's settings.
            store_home: Home of the review stores, None for the user's.
            panel_folders: Panels beside the installed ones.
        """
        super().__init__()
        self.setWindowTitle("CXR Quorum")
        self.setWindowIcon(icons.app_icon())
        self.setMinimumSize(*MINIMUM)
        # The first start on a small screen must not hide half of the window.
        room = self.screen().availableGeometry().size()
        self.resize(min(DEFAULT[0], room.width()), min(DEFAULT[1], room.height()))
        self.setAcceptDrops(True)
        self.preferences = preferences
        self.controller = Controller(store_home=store_home, parent=self)
        self.shortcuts = Shortcuts(self, preferences.keys)
        self.opener = Opener(self, self.controller, preferences, panel_folders)
        self.top_bar = TopBar()
        self.setMenuWidget(self.top_bar)
        self.menus = Menus(self.top_bar.menu_bar, self.shortcuts)
        self.sort_menu = SortMenu()
        self.start = StartPage()
        self.review = ReviewPage(self.controller, self.shortcuts, self.opener.facts)
        self.review.set_panel_widths(*preferences.panel_widths)
        self.batch = BatchPage(self.shortcuts)
        self.scorecard = ScorecardPage()
        self.status = StatusBar()
        self.pages = QStackedWidget()
        for page in (self.start, self.review, self.batch, self.scorecard):
            self.pages.addWidget(page)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.pages, 1)
        column.addWidget(self.status)
        self.setCentralWidget(body)
        self.review.list_panel.header.set_menu(self.sort_menu)
        self.exporter = Exporter(self, self.controller, preferences, self.review.snapshot)
        self.scoring = Scoring(self.controller, self)
        self._page = "review"
        self._commands = WindowActions(self)
        self.case_filter = self._commands.list
        self._duplicate_hints = DuplicateHints(self)
        self._window_state = WindowState(self)
        self._space_held = False
        # Not on the application: a filter in Python costs 20 µs an event, and each image brings
        # dozens. Keys arrive at the widget with the focus, else at the window.
        self._watched: QWidget | None = None
        self.installEventFilter(self)
        QApplication.instance().focusChanged.connect(self._watch)
        self.show_page("review")
        self.start.setFocus()

    # pages -----------------------------------------------------------------------------------
    @property
    def page(self) -> str:
        """Name of the page on show."""
        return self._page

    def show_page(self, name: str) -> None:
        """Show a page; without an open folder the first two are the empty state."""
        self._page = name
        self._commands.refresh_film_commands()
        open_folder = self.controller.session is not None
        self.top_bar.set_page(name)
        if name in ("review", "compare"):
            if not open_folder:
                self.pages.setCurrentWidget(self.start)
                return
            self.review.set_comparing(name == "compare")
            self.pages.setCurrentWidget(self.review)
            return
        self.pages.setCurrentWidget(self.batch if name == "batch" else self.scorecard)
        self._commands.refresh_page()

    # drag and drop ---------------------------------------------------------------------------
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            self.start.drop_zone.set_hot(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.start.drop_zone.set_hot(False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.start.drop_zone.set_hot(False)
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.opener.open_paths(paths)

    # keys ------------------------------------------------------------------------------------
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Space held anywhere shows the bare image, except where it types or presses a button."""
        kind = event.type()
        if kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease) and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Space and self._takes_space(watched):
                if not event.isAutoRepeat():
                    self._hold_space(kind == QEvent.Type.KeyPress)
                return True
        elif kind == QEvent.Type.WindowDeactivate and self._space_held:
            self._hold_space(False)
        return super().eventFilter(watched, event)

    def _watch(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self._watched is not None and isValid(self._watched):
            self._watched.removeEventFilter(self)
        mine = now is not None and now is not self and now.window() is self
        self._watched = now if mine else None
        if self._watched is not None:
            self._watched.installEventFilter(self)

    def _takes_space(self, watched: QObject) -> bool:
        if QApplication.activeModalWidget() is not None or not isinstance(watched, QWidget):
            return False
        if watched.window() is not self or self.pages.currentWidget() is not self.review:
            return False
        if self._space_held:
            return True
        focus = QApplication.focusWidget()
        return not (is_typing(focus) or isinstance(focus, QAbstractButton))

    def _hold_space(self, held: bool) -> None:
        self._space_held = held
        self.review.set_bare(held)

    # life ------------------------------------------------------------------------------------
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange and hasattr(self, "case_filter"):
            self.shortcuts["full_screen"].setChecked(self.isFullScreen())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Everything decided is on the disk already; end the workers and go."""
        self._window_state.save()
        self.exporter.close()
        self.scoring.close()
        self.controller.close()
        super().closeEvent(event)

    def apply_theme(self, choice: str) -> None:
        """Put a theme in force and remember it."""
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        theme.apply_choice(application, choice, self.preferences.text_scale)  # type: ignore[arg-type]
        self.preferences.change(theme=choice)
        self.menus.set_theme(choice)
