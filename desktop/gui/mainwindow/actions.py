"""What the actions of the table do to folder, review and run; what every page is told.

Search, tabs, order and saved filters: what leads from them to the list and back.

The dialogs and side windows of the menus: settings, shortcuts, manual, report, about.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QInputDialog, QMenu

from desktop.core.panels.contract import snake_case
from desktop.core.review.case_table import SafetyRule
from desktop.core.review.query import SavedFilter, shipped_filters, vocabulary_of
from desktop.gui.actions.action import BY_NAME
from desktop.gui.help.about_dialog import AboutDialog
from desktop.gui.help.manual_window import REPORT_PAGE, REPORT_START, ManualWindow, manual_folder
from desktop.gui.mainwindow.notices import ProgressWords
from desktop.gui.mainwindow.view_actions import ImageActions
from desktop.gui.session.case_list import TAB_QUERIES
from desktop.gui.settings.dialog import SettingsDialog
from desktop.gui.settings.preferences import opened_words
from desktop.gui.settings.shortcuts_dialog import ShortcutsDialog
from desktop.gui.start.page import RecentFolder
from desktop.gui.style import theme

if TYPE_CHECKING:
    from desktop.gui.mainwindow.main_window import MainWindow


class WindowActions(QObject):
    """Ties actions, controller and pages together."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.list = ListActions(window)
        self.image = ImageActions(window)
        self.dialogs = WindowDialogs(window)
        self.progress = ProgressWords(window)
        self._bind_actions()
        self._bind_controller()
        self._bind_opening()
        self._bind_status()
        window.controller.recursive = window.preferences.settings.recursive
        self.apply_settings()
        window.preferences.changed.connect(self.apply_settings)
        window.preferences.not_saved.connect(
            lambda problem: window.status.show_notice(str(problem))
        )
        self._show_no_session()
        self._on_panels()
        self._on_recent()
        self._on_keys()

    # binding ---------------------------------------------------------------------------------
    def _bind_actions(self) -> None:
        window, controller, review = self._window, self._window.controller, self._window.review
        opening, exporting = window.opener, window.exporter
        simple: dict[str, Callable[[], object]] = {
            "open_folder": opening.ask_folder,
            "open_files": opening.ask_files,
            "open_samples": opening.open_samples,
            "rescan": controller.rescan,
            "export_csv": lambda: exporting.export_csv(listed_only=False),
            "export_filtered_csv": lambda: exporting.export_csv(listed_only=True),
            "export_class_folders": exporting.export_class_folders,
            "export_view": exporting.export_view,
            "export_report": exporting.export_report,
            "close_folder": controller.close_folder,
            "quit": window.close,
            "undo": lambda: self._walk(controller.decisions.undo),
            "redo": lambda: self._walk(controller.decisions.redo),
            "find": self.list.focus_search,
            "select_all": review.list_panel.select_all,
            "save_filter": self.list.save_filter,
            "clear_filters": lambda: self.list.apply("", ""),
            "accept": lambda: controller.decisions.accept(review.selection()),
            "unsure": lambda: controller.decisions.mark_unsure(review.selection()),
            "flag": lambda: controller.decisions.toggle_flag(review.selection()),
            "comment": review.focus_comment,
            "clear_decision": lambda: controller.decisions.clear(review.selection()),
            "next": lambda: controller.move(1),
            "previous": lambda: controller.move(-1),
            "next_unreviewed": lambda: controller.move_to_unreviewed(1),
            "previous_unreviewed": lambda: controller.move_to_unreviewed(-1),
            "first": lambda: controller.move_to_end(last=False),
            "last": lambda: controller.move_to_end(last=True),
            "open_panel": opening.add_panel_folder,
            "label_folder": controller.run.resume,
            "label_selection": lambda: controller.run.ask_again(review.selection()),
            "stop_run": controller.run.stop,
            "retry_failed": self.retry_failed,
        }
        for name, slot in simple.items():
            window.shortcuts[name].triggered.connect(lambda _checked=False, slot=slot: slot())
        for number in range(1, 10):
            window.shortcuts[f"label_{number}"].triggered.connect(
                lambda _c=False, index=number - 1: controller.decisions.label(
                    index, review.selection()
                )
            )
        for page in ("review", "compare", "batch", "scorecard"):
            window.shortcuts[f"page_{page}"].triggered.connect(
                lambda _c=False, page=page: window.show_page(page)
            )
        window.shortcuts["recursive"].toggled.connect(self._on_recursive)
        window.shortcuts["blind_first"].toggled.connect(self._on_blind)
        window.shortcuts["facts"].toggled.connect(
            lambda on: window.preferences.change(show_file_facts=on)
        )
        window.shortcuts["facts"].triggered.connect(self._say_where_facts_are)
        window.shortcuts["full_screen"].toggled.connect(self._on_full_screen)
        window.shortcuts["pause_run"].toggled.connect(
            lambda on: controller.run.pause() if on else controller.run.resume()
        )
        window.top_bar.page_chosen.connect(window.show_page)
        window.top_bar.folder_button.clicked.connect(opening.ask_folder)
        window.top_bar.follow_actions(
            {
                page: window.shortcuts[f"page_{page}"]
                for page in ("review", "compare", "batch", "scorecard")
            },
            window.shortcuts["blind_first"],
            window.shortcuts["export_csv"],
        )
        window.menus.theme_chosen.connect(window.apply_theme)
        window.review.bulk_menu_asked.connect(self._show_bulk_menu)
        window.shortcuts.bindings_changed.connect(self._on_keys)

    def _bind_controller(self) -> None:
        controller = self._window.controller
        controller.session_opened.connect(self._on_session_opened)
        controller.session_closed.connect(self._on_session_closed)
        controller.list_grew.connect(self._window.status.show_scan)
        controller.blind_changed.connect(self._on_blind_changed)
        controller.decisions.decided.connect(lambda *_: self._window.scorecard.mark_stale())
        controller.list.counts_changed.connect(self._window.review.list_panel.tabs.set_counts)
        controller.list.shown_changed.connect(self.list.show_state)

    def _bind_opening(self) -> None:
        opening, window = self._window.opener, self._window
        opening.panels_changed.connect(self._on_panels)
        opening.recent_changed.connect(self._on_recent)
        window.menus.recent_chosen.connect(lambda path: opening.open_folder(Path(path)))
        window.menus.panel_chosen.connect(opening.choose_panel)
        start = window.start
        start.open_folder_asked.connect(opening.ask_folder)
        start.open_files_asked.connect(opening.ask_files)
        start.samples_asked.connect(opening.open_samples)
        start.recent_chosen.connect(opening.open_folder)
        start.recent_cleared.connect(self._clear_recent)
        start.panel_chosen.connect(opening.choose_panel)
        start.blind_toggled.connect(window.shortcuts["blind_first"].setChecked)

    def _bind_status(self) -> None:
        window, run = self._window, self._window.controller.run
        status = window.status
        run.device_changed.connect(status.show_device)
        run.device_changed.connect(window.batch.show_device)
        run.rate_measured.connect(lambda: window.batch.show_curve(run.rate_curve))
        window.scorecard.figures_asked.connect(window.scoring.count)
        window.scorecard.report_asked.connect(window.exporter.export_report)
        window.scorecard.folder_asked.connect(window.opener.ask_folder)
        window.scorecard.review_asked.connect(self._review_next)
        window.scoring.scorecard_counted.connect(window.scorecard.show_card)
        for source in (
            window.controller,
            window.opener,
            window.exporter,
            window.scoring,
        ):
            source.notice_raised.connect(status.show_notice)
        window.opener.remark_made.connect(lambda words: status.show_notice(words, lasting=True))
        exporting = window.exporter
        exporting.written.connect(
            lambda words: status.show_notice(
                words, self.tr("Show in folder"), chosen=exporting.show_latest
            )
        )
        status.device_details_asked.connect(lambda: window.show_page("batch"))
        window.batch.review_disagreements_asked.connect(self.list.review_disagreements)
        window.batch.failure_chosen.connect(self.list.show_image)
        window.batch.folder_asked.connect(window.opener.ask_folder)

    # commands --------------------------------------------------------------------------------
    def retry_failed(self) -> None:
        """Run all failed images once more."""
        controller = self._window.controller
        session = controller.session
        if session is None:
            return
        failed = [case for case in range(len(session.table)) if session.failed(case)]
        controller.films.forget(failed)
        controller.run.ask_again(failed)

    def _review_next(self) -> None:
        """From a page without films to the next one that waits for the reader."""
        window = self._window
        window.show_page("review")
        case = window.controller.list.unreviewed_from(window.controller.current, inclusive=True)
        window.controller.show_case(case)
        window.review.focus_image()

    def apply_settings(self) -> None:
        """Put the settings in force; what already holds is left alone."""
        window, settings = self._window, self._window.preferences.settings
        controller = window.controller
        controller.device = settings.device
        controller.decisions.advance = settings.advance
        controller.label_on_open = settings.label_on_open
        controller.keep_maps = settings.keep_maps
        controller.safety_rule = SafetyRule(
            settings.safety_sample_percent / 100, settings.safety_confidence_percent / 100
        )
        if controller.session is not None:
            controller.session.table.safety_rule = controller.safety_rule
        controller.first_choices = window.preferences.first_choices
        controller.decisions.reviewer = settings.reviewer
        controller.set_blind(settings.blind_first)
        window.shortcuts["recursive"].setChecked(settings.recursive)
        window.shortcuts["blind_first"].setChecked(settings.blind_first)
        window.shortcuts["facts"].setChecked(settings.show_file_facts)
        window.review.list_panel.set_facts_wanted(settings.show_file_facts)
        window.shortcuts["keep_view"].setChecked(settings.keep_window and settings.keep_zoom)
        self.image.apply_settings()

    def refresh_page(self) -> None:
        """Fill the batch or scorecard page that has just come up."""
        window = self._window
        if window.page == "batch":
            window.batch.show_session(window.controller.session, window.controller.run.progress)
        elif window.page == "scorecard":
            window.scorecard.show_session(window.controller.session)

    # reacting --------------------------------------------------------------------------------
    def _on_session_opened(self) -> None:
        window, session = self._window, self._window.controller.session
        assert session is not None
        window.review.set_panel(session.facts)
        self.image.apply_settings()
        title = session.root.name or str(session.root)
        window.top_bar.set_folder(title, session.panel.name, str(session.root))
        window.setWindowTitle(f"{title} – CXR Quorum")
        window.menus.set_classes(session.panel.class_names)
        window.sort_menu.set_panel(
            [(snake_case(name), name) for name in session.panel.class_names],
            [(model.name, model.title) for model in session.facts.models],
        )
        self._enable(True)
        self.list.show_saved()
        self.list.show_state()
        window.status.show_device(self.tr("Models not loaded"), "")
        if window.page in ("review", "compare"):
            window.show_page(window.page)
        self.refresh_page()
        window.review.focus_image()

    def _on_session_closed(self) -> None:
        self._show_no_session()
        page = self._window.page
        self._window.show_page("review" if page == "compare" else page)

    def _show_no_session(self) -> None:
        window = self._window
        window.top_bar.set_folder("", "")
        window.setWindowTitle("CXR Quorum")
        window.status.show_no_folder()
        window.status.show_device("", "")
        self._enable(False)

    def _enable(self, open_folder: bool) -> None:
        always = {
            "open_folder", "open_files", "open_samples", "recursive", "settings", "quit",
            "page_review", "page_batch", "page_scorecard", "blind_first", "full_screen",
            "open_panel", "manual", "model_report", "shortcuts", "about",
        }  # fmt: skip
        for name, action in self._window.shortcuts.actions.items():
            if name not in always and not BY_NAME[name].needs_film:
                action.setEnabled(open_folder)
        if not open_folder:
            self._window.menus.set_classes(())
        self.refresh_film_commands()
        for name in ("undo", "redo"):
            self._window.shortcuts[name].setEnabled(False)
        if open_folder:
            self._window.controller.decisions.report_undo()

    def refresh_film_commands(self) -> None:
        """Let keys act on the film only where it is seen; on other pages 1 must label nothing."""
        window = self._window
        seen = window.controller.session is not None and window.page in ("review", "compare")
        for name, action in window.shortcuts.actions.items():
            if BY_NAME[name].needs_film:
                # Labels of classes that the panel does not have are out of sight.
                action.setEnabled(seen and action.isVisible())
        window.menus.labels.setEnabled(seen)

    def _walk(self, step: Callable[[], None]) -> None:
        """Undo or redo, and go to where its images are seen."""
        step()
        if self._window.page not in ("review", "compare"):
            self._window.show_page("review")

    def _on_panels(self) -> None:
        window = self._window
        panels, chosen = window.opener.panels, window.opener.chosen
        window.menus.set_panels(panels, chosen)
        window.start.side.show_panels(panels, chosen, window.opener.refused)

    def _on_recent(self) -> None:
        recent = self._window.preferences.settings.recent
        self._window.menus.set_recent([entry.path for entry in recent])
        self._window.start.set_recent(
            [RecentFolder(Path(entry.path), opened=opened_words(entry.opened)) for entry in recent]
        )

    def _clear_recent(self) -> None:
        self._window.preferences.change(recent=())
        self._on_recent()

    def _on_keys(self) -> None:
        shortcuts = self._window.shortcuts
        self._window.start.set_keys(shortcuts.cap("open_folder"), shortcuts.cap("open_files"))

    def _on_recursive(self, on: bool) -> None:
        window = self._window
        window.preferences.change(recursive=on)
        controller = window.controller
        if controller.recursive != on:
            controller.recursive = on
            session = controller.session
            if session is not None and not session.picked:
                window.opener.open_folder(session.root)

    def _on_blind(self, on: bool) -> None:
        self._window.preferences.change(blind_first=on)

    def _on_blind_changed(self, blind: bool) -> None:
        window = self._window
        window.start.side.set_blind(blind)
        window.batch.set_blind(blind)
        window.review.list_panel.tabs.tab("disagree").setEnabled(not blind)
        self.list.show_state()

    def _say_where_facts_are(self, on: bool) -> None:
        """The rail has no room for them, so asking for them there seems to do nothing."""
        window = self._window
        if on and window.page in ("review", "compare") and window.review.list_panel.rail:
            window.status.show_notice(
                self.tr(
                    "Facts of the file stand below the whole list; here only its rail is shown."
                )
            )

    def _on_full_screen(self, on: bool) -> None:
        window = self._window
        if on != window.isFullScreen():
            window.showFullScreen() if on else window.showNormal()

    def _show_bulk_menu(self, place: QPoint) -> None:
        window = self._window
        menu = QMenu(window)
        menu.addMenu(window.menus.labels)
        for name in ("accept", "unsure", "flag", "clear_decision"):
            menu.addAction(window.shortcuts[name])
        menu.addSeparator()
        for name in ("label_selection", "export_filtered_csv"):
            menu.addAction(window.shortcuts[name])
        menu.popup(place)


_DIALOG_WIDTH = 400


class ListActions(QObject):
    """Ties the list's controls to the controller's list."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._bind()

    def _bind(self) -> None:
        window = self._window
        panel = window.review.list_panel
        panel.tabs.tab_chosen.connect(lambda key: self.choose(TAB_QUERIES[key]))
        panel.search.query_entered.connect(self.apply)
        panel.search.left.connect(self._leave_search)
        panel.empty.all_asked.connect(lambda: self.choose("", ""))
        window.sort_menu.sort_chosen.connect(
            lambda sort: self.apply(window.controller.list.query, sort)
        )
        window.menus.filter_chosen.connect(
            lambda entry: self.choose(entry.query, entry.sort or None)
        )
        window.menus.filter_removed.connect(self._forget_filter)

    def apply(self, query: str, sort: str | None = None) -> None:
        """Show what a query asks for, and say so everywhere."""
        cases = self._window.controller.list
        cases.set_query(query, sort)
        self.show_state()
        self._window.review.list_panel.show_case(self._window.controller.current)

    def choose(self, query: str, sort: str | None = None) -> None:
        """Show what a query asks for, and the first image of it unless one is on show already."""
        self.apply(query, sort)
        self._show_listed()

    def _leave_search(self) -> None:
        """The query is typed: to the image, so that no key decides one that was filtered away."""
        self._show_listed()
        self._window.review.focus_image()

    def _show_listed(self) -> None:
        controller = self._window.controller
        cases, current = controller.list, controller.current
        if not cases.shown or (current is not None and cases.position(current) is not None):
            return
        first = cases.unreviewed_from(None, inclusive=True)
        controller.show_case(first if first is not None else cases.shown[0])

    def focus_search(self) -> None:
        """Put the keyboard into the search box."""
        window = self._window
        if window.controller.session is None:
            return
        if window.page not in ("review", "compare") or window.review.list_panel.rail:
            window.show_page("review")
        search = window.review.list_panel.search
        search.setFocus()
        search.selectAll()

    def save_filter(self) -> None:
        """Give the filter at work a name."""
        window = self._window
        cases = window.controller.list
        dialog = QInputDialog(window)
        dialog.setWindowTitle(self.tr("Save this filter"))
        dialog.setLabelText(self.tr("Name"))
        dialog.setTextValue(cases.query)
        dialog.resize(theme.dp(_DIALOG_WIDTH), dialog.sizeHint().height())
        agreed = dialog.exec()
        name = dialog.textValue().strip()
        dialog.deleteLater()
        if agreed and name:
            window.preferences.add_filter(SavedFilter(name, cases.query, cases.sort))
            self.show_saved()

    def show_saved(self) -> None:
        """Fill the filter menu for the open panel."""
        window, session = self._window, self._window.controller.session
        if session is None:
            return
        titles = [model.title for model in session.facts.models]
        window.menus.set_filters(
            shipped_filters(vocabulary_of(session.table), titles),
            window.preferences.settings.saved_filters,
        )

    def _forget_filter(self, entry: SavedFilter) -> None:
        self._window.preferences.remove_filter(entry)
        self.show_saved()

    def show_state(self) -> None:
        """Show filter, tab and order as they are."""
        window = self._window
        cases, panel = window.controller.list, window.review.list_panel
        tab = next((key for key, query in TAB_QUERIES.items() if query == cases.query), "")
        panel.tabs.set_tab(tab)
        if not panel.search.hasFocus():
            panel.search.set_query("" if tab else cases.query)
        panel.empty.say(self._words_for_empty_list(), filtered=bool(cases.query))
        window.sort_menu.show_sort(cases.sort)
        panel.header.sort_button.set_words(window.sort_menu.words(cases.sort))

    def _words_for_empty_list(self) -> str:
        controller = self._window.controller
        session = controller.session
        if session is None or controller.list.shown:
            return ""
        if controller.list.query:
            return self.tr("No image matches this filter.")
        return self.tr("No images are in this folder.") if session.scanned else ""

    def review_disagreements(self) -> None:
        """Go to the first image on which the models disagree."""
        self._window.show_page("review")
        self.apply(TAB_QUERIES["disagree"])
        self._window.controller.move_to_end(last=False)

    def show_image(self, image: str) -> None:
        """Show an image by its path, also one that the filter hides."""
        window, session = self._window, self._window.controller.session
        case = session.table.row(image) if session is not None else None
        if case is None:
            return
        if window.controller.list.position(case) is None:
            self.apply("", "")
        window.show_page("review")
        window.controller.show_case(case)


class WindowDialogs(QObject):
    """Opens them; the manual stays for the life of the window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._manual: ManualWindow | None = None
        for name, command in {
            "settings": self.show_settings,
            "manual": self.show_manual,
            "model_report": self.show_model_report,
            "shortcuts": self.show_shortcuts,
            "about": self.show_about,
        }.items():
            window.shortcuts[name].triggered.connect(lambda _checked=False, run=command: run())

    def show_settings(self) -> None:
        """The settings dialog."""
        dialog = SettingsDialog(self._window.preferences, self._window)
        dialog.settings_changed.connect(self._apply_look)
        dialog.open()

    def show_shortcuts(self) -> None:
        """The cheat sheet."""
        dialog = ShortcutsDialog(self._window.shortcuts, self._window.preferences, self._window)
        dialog.open()

    def show_manual(self) -> None:
        """The manual, in a window of its own that stays beside this one."""
        if self._manual is None:
            self._manual = ManualWindow(self._window)
        self._manual.show()
        self._manual.raise_()
        self._manual.activateWindow()

    def show_model_report(self) -> None:
        """The report on the models: its page in the browser, from the disk, else in the manual."""
        page = manual_folder() / REPORT_PAGE
        if not (page.is_file() and QDesktopServices.openUrl(QUrl.fromLocalFile(str(page)))):
            self.show_manual()
            if self._manual is not None:
                self._manual.show_page(REPORT_START)

    def show_about(self) -> None:
        """Versions, licences, research use."""
        AboutDialog(self._window).open()

    def _apply_look(self) -> None:
        """Theme and text size, when they were changed in the dialog."""
        self._window.apply_theme(self._window.preferences.settings.theme)
