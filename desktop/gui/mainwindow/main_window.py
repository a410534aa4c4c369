"""The window: top bar, pages, status bar, menus, and what is shown where when something changes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QStackedWidget, QWidget

from desktop.core.review.case_table import SafetyRule
from desktop.gui.actions.menus import Entry, build_menus, fill_menu
from desktop.gui.actions.shortcuts import HeldKey, Shortcuts
from desktop.gui.batch.page import BatchPage
from desktop.gui.export.exporter import Exporter
from desktop.gui.formatting import literal
from desktop.gui.mainwindow.case_filter import CaseFilter
from desktop.gui.mainwindow.context import Context
from desktop.gui.mainwindow.image_tools import ImageTools
from desktop.gui.mainwindow.menu_bar import MENUS, all_actions
from desktop.gui.mainwindow.notices import DuplicateNotices, ProgressNotices
from desktop.gui.mainwindow.status_bar import StatusBar
from desktop.gui.mainwindow.top_bar import TopBar
from desktop.gui.mainwindow.window_state import WindowState
from desktop.gui.review.page import ReviewPage
from desktop.gui.scorecard.job import Scoring
from desktop.gui.scorecard.page import ScorecardPage
from desktop.gui.session.controller import Controller
from desktop.gui.session.model_run import Progress
from desktop.gui.settings.preferences import Preferences, opened_text
from desktop.gui.start.opener import Opener
from desktop.gui.start.page import RecentFolder, StartPage
from desktop.gui.style import icons, theme
from desktop.gui.widgets.layout import column

MINIMUM = (1120, 720)
DEFAULT = (1440, 900)
_FILM_PAGES = ("review", "compare")
_BULK_ACTIONS = ("accept", "unsure", "flag", "clear_decision")


class MainWindow(QMainWindow):
    """One window, one folder."""

    def __init__(
        self,
        preferences: Preferences,
        *,
        panel_folders: tuple[Path, ...] = (),
    ) -> None:
        """Build the window, with panels beside the installed ones; nothing is opened yet."""
        super().__init__()
        self.setWindowTitle("CXR Quorum")
        self.setWindowIcon(icons.app_icon())
        self.setMinimumSize(*MINIMUM)
        # The first start on a small screen must not hide half of the window.
        room = self.screen().availableGeometry().size()
        self.resize(min(DEFAULT[0], room.width()), min(DEFAULT[1], room.height()))
        self.setAcceptDrops(True)
        self.preferences = preferences
        self.controller = Controller(parent=self)
        self.controller.recursive = preferences.settings.recursive
        self.shortcuts = Shortcuts(self, all_actions(), preferences.keys)
        self.opener = Opener(self, self.controller, preferences, panel_folders)
        self.top_bar = TopBar(self.shortcuts)
        self.menus = build_menus(self.top_bar.menu_bar, self.shortcuts, MENUS)
        self.start = StartPage(self.shortcuts)
        self.review = ReviewPage(self.controller, self.shortcuts, self.opener.facts)
        self.batch = BatchPage(self.shortcuts)
        self.scorecard = ScorecardPage()
        self.status = StatusBar()
        self.pages = QStackedWidget()
        self._page = "review"
        self._compose()
        self.exporter = Exporter(self, self.controller, preferences, self.review.snapshot)
        self.scoring = Scoring(self.controller, self)
        self.case_filter = CaseFilter(
            self.controller, preferences, self.review, self.menus["filters"], self.show_page
        )
        self._image_tools = ImageTools(
            self.controller, preferences, self.shortcuts, self.menus["window"], self.review
        )
        self._progress = ProgressNotices(self.controller, self.status, self.shortcuts)
        self.shortcuts.connect_to(
            Context(
                window=self,
                controller=self.controller,
                preferences=preferences,
                shortcuts=self.shortcuts,
                review=self.review,
                case_filter=self.case_filter,
                image_tools=self._image_tools,
                opener=self.opener,
                exporter=self.exporter,
                status=self.status,
                show_page=self.show_page,
                apply_theme=self.apply_theme,
            )
        )
        self._connect_controller()
        self._connect_opener()
        self._connect_pages()
        self._duplicates = DuplicateNotices(
            self.controller, preferences, self.status, self._show_query
        )
        self._window_state = WindowState(self, self.controller, preferences, self.review)
        self._space = HeldKey(self, Qt.Key.Key_Space, self.review, self.review.set_bare)
        self._apply_settings()
        self._show_panels()
        self._show_recent()
        self.show_theme(preferences.settings.theme)
        self._show_no_session()
        self.show_page("review")
        self.start.setFocus()

    def _compose(self) -> None:
        self.setMenuWidget(self.top_bar)
        self.review.set_panel_widths(*self.preferences.panel_widths)
        for page in (self.start, self.review, self.batch, self.scorecard):
            self.pages.addWidget(page)
        body = QWidget()
        column((self.pages, 1), self.status, of=body, spacing=0)
        self.setCentralWidget(body)

    def _connect_controller(self) -> None:
        controller, run, status = self.controller, self.controller.run, self.status
        controller.session_opened.connect(self._on_session_opened)
        controller.session_closed.connect(self._on_session_closed)
        controller.list_grew.connect(status.show_scan)
        controller.blind_changed.connect(self._on_blind_changed)
        controller.decisions.decided.connect(lambda *_: self.scorecard.mark_stale())
        run.device_changed.connect(status.show_device)
        run.device_changed.connect(self.batch.show_device)
        run.rate_measured.connect(lambda: self.batch.show_curve(run.rate_curve))
        run.progress_changed.connect(self._on_progress)
        for source in (controller, self.opener, self.exporter, self.scoring):
            source.notice_raised.connect(status.show_notice)
        self.exporter.exported.connect(
            lambda _path, text: status.show_notice(
                text, self.tr("Show in folder"), chosen=self.exporter.show_latest
            )
        )
        self.scoring.scorecard_counted.connect(self.scorecard.show_card)
        self.preferences.changed.connect(self._apply_settings)
        self.preferences.not_saved.connect(lambda problem: status.show_notice(str(problem)))

    def _connect_opener(self) -> None:
        opener, start = self.opener, self.start
        opener.panels_changed.connect(self._show_panels)
        opener.recent_changed.connect(self._show_recent)
        opener.remark_made.connect(lambda text: self.status.show_notice(text, lasting=True))
        start.recent_chosen.connect(opener.open_folder)
        start.recent_cleared.connect(self._clear_recent)
        start.panel_chosen.connect(opener.choose_panel)

    def _connect_pages(self) -> None:
        self.top_bar.page_chosen.connect(self.show_page)
        self.review.bulk_menu_asked.connect(self._show_bulk_menu)
        self.batch.review_disagreements_asked.connect(self.case_filter.review_disagreements)
        self.batch.failure_chosen.connect(self.case_filter.show_image)
        self.batch.folder_asked.connect(self.opener.ask_folder)
        self.scorecard.figures_asked.connect(self.scoring.count)
        self.scorecard.report_asked.connect(self.exporter.export_report)
        self.scorecard.folder_asked.connect(self.opener.ask_folder)
        self.scorecard.review_asked.connect(self._review_next)
        self.status.device_details_asked.connect(lambda: self.show_page("batch"))

    # pages -----------------------------------------------------------------------------------
    @property
    def page(self) -> str:
        """Name of the page on show."""
        return self._page

    def show_page(self, name: str) -> None:
        """Show a page; without an open folder the start page stands for the first two."""
        self._page = name
        session = self.controller.session
        self.top_bar.set_page(name)
        if name in _FILM_PAGES:
            if session is not None:
                self.review.set_comparing(name == "compare")
            self.pages.setCurrentWidget(self.start if session is None else self.review)
        else:
            self.pages.setCurrentWidget(self.batch if name == "batch" else self.scorecard)
        self._enable_actions()
        self._image_tools.show_state()
        self._refresh_page()

    def _refresh_page(self) -> None:
        """Fill the batch or scorecard page that has just come up."""
        if self._page == "batch":
            self.batch.show_session(self.controller.session, self.controller.run.progress)
        elif self._page == "scorecard":
            self.scorecard.show_session(self.controller.session)

    def _enable_actions(self) -> None:
        """Actions on a film are enabled only where it is seen: on other pages 1 labels nothing."""
        folder = self.controller.session is not None
        film = folder and self._page in _FILM_PAGES
        self.shortcuts.enable(folder=folder, film=film)
        self.menus["labels"].setEnabled(film)
        self._progress.show_enabled()

    def _review_next(self) -> None:
        """Show the next unreviewed image."""
        self.show_page("review")
        controller = self.controller
        controller.show_case(controller.list.unreviewed_from(controller.current, inclusive=True))
        self.review.focus_image()

    def _show_query(self, query: str, sort: str) -> None:
        self.show_page("review")
        self.case_filter.apply(query, sort)

    def _show_bulk_menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addMenu(self.menus["labels"])
        menu.addActions([self.shortcuts[name] for name in _BULK_ACTIONS])
        menu.addSeparator()
        menu.addAction(self.shortcuts["label_selection"])
        menu.addAction(self.shortcuts["export_filtered_csv"])
        menu.popup(position)

    # settings --------------------------------------------------------------------------------
    def _apply_settings(self) -> None:
        """Put the settings in force; what already holds is left alone."""
        settings, controller, shortcuts = self.preferences.settings, self.controller, self.shortcuts
        controller.device = settings.device
        controller.decisions.advance = settings.advance
        controller.label_on_open = settings.label_on_open
        controller.keep_maps = settings.keep_maps
        controller.safety_rule = SafetyRule(
            settings.safety_sample_percent / 100, settings.safety_confidence_percent / 100
        )
        if controller.session is not None:
            controller.session.table.safety_rule = controller.safety_rule
        controller.first_choices = self.preferences.first_choices
        controller.decisions.reviewer = settings.reviewer
        controller.set_blind(settings.blind_first)
        shortcuts["recursive"].setChecked(settings.recursive)
        shortcuts["blind_first"].setChecked(settings.blind_first)
        shortcuts["facts"].setChecked(settings.show_file_facts)
        shortcuts["keep_view"].setChecked(settings.keep_window and settings.keep_zoom)
        self.review.list_panel.set_facts_wanted(settings.show_file_facts)
        self._image_tools.apply_settings()
        if controller.recursive != settings.recursive:
            controller.recursive = settings.recursive
            if controller.session is not None and not controller.session.picked:
                self.opener.open_folder(controller.session.root)

    def apply_theme(self, choice: str) -> None:
        """Put a theme in force and remember it."""
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        theme.apply_choice(application, choice, self.preferences.text_scale)  # type: ignore[arg-type]
        self.preferences.change(theme=choice)
        self.show_theme(choice)

    def show_theme(self, choice: str) -> None:
        """Mark the theme in force in its menu."""
        titles = {
            "system": self.tr("Follow the &system"),
            "dark": self.tr("&Dark"),
            "light": self.tr("&Light"),
        }
        entries = [
            Entry(title, partial(self.apply_theme, key), checked=key == choice)
            for key, title in titles.items()
        ]
        fill_menu(self.menus["theme"], entries)

    def _on_blind_changed(self, blind: bool) -> None:
        self.batch.set_blind(blind)
        self.review.list_panel.tabs.tab("disagree").setEnabled(not blind)
        self.case_filter.show_state()

    # folder ----------------------------------------------------------------------------------
    def _on_session_opened(self) -> None:
        session = self.controller.session
        assert session is not None
        self.review.set_panel(session.facts)
        self._image_tools.apply_settings()
        title = session.root.name or str(session.root)
        self.top_bar.set_folder(title, session.panel.name, str(session.root))
        self.setWindowTitle(f"{title} – CXR Quorum")
        self._name_labels(session.panel.class_names)
        self.case_filter.show_saved()
        self.case_filter.show_state()
        self.status.show_device(self.tr("Models not loaded"), "")
        self.show_page(self._page)
        self.review.focus_image()

    def _on_session_closed(self) -> None:
        self._show_no_session()
        self.show_page("review" if self._page == "compare" else self._page)

    def _show_no_session(self) -> None:
        self.top_bar.set_folder("", "")
        self.setWindowTitle("CXR Quorum")
        self.status.show_no_folder()
        self.status.show_device("", "")
        self._name_labels(())

    def _name_labels(self, class_names: Sequence[str]) -> None:
        """Name the label actions after the panel's classes; those beyond are hidden."""
        for index, action in enumerate(self.menus["labels"].actions()):
            action.setVisible(index < len(class_names))
            if index < len(class_names):
                name = literal(class_names[index])
                action.setText(self.tr("Label {name} and go on").format(name=name))

    def _on_progress(self, progress: Progress) -> None:
        if self._page == "batch":
            self.batch.show_session(self.controller.session, progress)

    def _show_panels(self) -> None:
        opener = self.opener
        entries = [
            Entry(
                literal(f"{panel.name}: {', '.join(panel.class_names)}"),
                partial(opener.choose_panel, panel.name),
                checked=panel.name == opener.chosen,
            )
            for panel in opener.panels
        ]
        fill_menu(self.menus["panels"], entries)
        self.start.side.show_panels(opener.panels, opener.chosen, opener.refused)

    def _show_recent(self) -> None:
        recent = self.preferences.settings.recent
        entries = [
            Entry(
                f"&{number} {literal(entry.path)}",
                partial(self.opener.open_folder, Path(entry.path)),
            )
            for number, entry in enumerate(recent, start=1)
        ]
        fill_menu(self.menus["recent"], entries)
        self.start.set_recent(
            [RecentFolder(Path(entry.path), opened_text(entry.opened)) for entry in recent]
        )

    def _clear_recent(self) -> None:
        self.preferences.change(recent=())
        self._show_recent()

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

    # life ------------------------------------------------------------------------------------
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange and hasattr(self, "shortcuts"):
            self.shortcuts["full_screen"].setChecked(self.isFullScreen())

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the workers; every decision is on the disk already."""
        self._window_state.save()
        self.opener.close()
        self.exporter.close()
        self.scoring.close()
        self.controller.close()
        super().closeEvent(event)
