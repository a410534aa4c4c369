"""Search, tabs, order and saved filters: what leads from them to the list and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QInputDialog

from desktop.core.case_query import SavedFilter, shipped_filters, vocabulary_of
from desktop.gui import theme
from desktop.gui.filter_bar import TAB_QUERIES

if TYPE_CHECKING:
    from desktop.gui.main_window import MainWindow

_DIALOG_WIDTH = 400


class ListActions(QObject):
    """Ties the list's controls to the controller's list."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._bind()

    def _bind(self) -> None:
        window = self._window
        panel = window.desk.list_panel
        panel.tabs.tab_chosen.connect(lambda key: self.choose_filter(TAB_QUERIES[key]))
        panel.search.query_entered.connect(self.apply_filter)
        panel.search.left.connect(self._leave_search)
        panel.empty.all_asked.connect(lambda: self.choose_filter("", ""))
        window.sort_menu.sort_chosen.connect(
            lambda sort: self.apply_filter(window.controller.list.query, sort)
        )
        window.menus.filter_chosen.connect(
            lambda entry: self.choose_filter(entry.query, entry.sort or None)
        )
        window.menus.filter_removed.connect(self._forget_filter)

    def apply_filter(self, query: str, sort: str | None = None) -> None:
        """Show what a query asks for, and say so everywhere."""
        cases = self._window.controller.list
        cases.set_query(query, sort)
        self.show_state()
        self._window.desk.list_panel.show_case(self._window.controller.current)

    def choose_filter(self, query: str, sort: str | None = None) -> None:
        """Show what a query asks for, and the first image of it unless one is on show already."""
        self.apply_filter(query, sort)
        self._show_listed()

    def _leave_search(self) -> None:
        """The query is typed: to the image, so that no key decides one that was filtered away."""
        self._show_listed()
        self._window.desk.focus_image()

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
        if window.page not in ("review", "compare") or window.desk.list_panel.rail:
            window.show_page("review")
        search = window.desk.list_panel.search
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
            self.show_filters()

    def show_filters(self) -> None:
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
        self.show_filters()

    def show_state(self) -> None:
        """Show filter, tab and order as they are."""
        window = self._window
        cases, panel = window.controller.list, window.desk.list_panel
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
        self.apply_filter(TAB_QUERIES["disagree"])
        self._window.controller.move_to_end(last=False)

    def show_image(self, image: str) -> None:
        """Show an image by its path, also one that the filter hides."""
        window, session = self._window, self._window.controller.session
        case = session.table.row(image) if session is not None else None
        if case is None:
            return
        if window.controller.list.position(case) is None:
            self.apply_filter("", "")
        window.show_page("review")
        window.controller.show_case(case)
