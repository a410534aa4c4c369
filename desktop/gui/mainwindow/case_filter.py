"""Which images are listed, and in which order: search box, tabs, menus, saved filters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject
from PySide6.QtWidgets import QInputDialog, QMenu

from desktop.core.panels.contract import snake_case
from desktop.core.review.query import SavedFilter, shipped_filters, vocabulary_of
from desktop.gui.actions.action import SEPARATOR
from desktop.gui.actions.menus import Entry, fill_menu
from desktop.gui.formatting import literal
from desktop.gui.review.page import ReviewPage
from desktop.gui.session.case_list import TAB_QUERIES
from desktop.gui.session.controller import Controller
from desktop.gui.settings.preferences import Preferences
from desktop.gui.style import theme

_DIALOG_WIDTH = 400

# Sort text of the query language -> title.
_ORDERS = {
    "": QT_TRANSLATE_NOOP("CaseFilter", "Folder order"),
    "name": QT_TRANSLATE_NOOP("CaseFilter", "Name"),
    "agreement,-entropy": QT_TRANSLATE_NOOP("CaseFilter", "Disagreement first"),
    "-agreement": QT_TRANSLATE_NOOP("CaseFilter", "Agreement first"),
    "-entropy": QT_TRANSLATE_NOOP("CaseFilter", "Most uncertain first"),
    "confidence": QT_TRANSLATE_NOOP("CaseFilter", "Least confident first"),
    "-ood": QT_TRANSLATE_NOOP("CaseFilter", "Unlike the training images first"),
    "-none": QT_TRANSLATE_NOOP("CaseFilter", "Like none of the classes first"),
    "consensus": QT_TRANSLATE_NOOP("CaseFilter", "Consensus"),
    "label": QT_TRANSLATE_NOOP("CaseFilter", "Your label"),
    "state": QT_TRANSLATE_NOOP("CaseFilter", "Open first"),
    "-flagged": QT_TRANSLATE_NOOP("CaseFilter", "Flagged first"),
    "-reviewed": QT_TRANSLATE_NOOP("CaseFilter", "Decided last first"),
    "status": QT_TRANSLATE_NOOP("CaseFilter", "Waiting, read, failed"),
    "duplicate": QT_TRANSLATE_NOOP("CaseFilter", "Near-duplicates together"),
}


class CaseFilter(QObject):
    """Ties the controls of the list to the controller's list."""

    def __init__(
        self,
        controller: Controller,
        preferences: Preferences,
        review: ReviewPage,
        saved_menu: QMenu,
        show_page: Callable[[str], None],
    ) -> None:
        """Connect to the controls.

        Args:
            controller: Has the list.
            preferences: Keeps the saved filters.
            review: Has search box, tabs and sort button.
            saved_menu: Gets the shipped and saved filters of the open panel.
            show_page: Shows a page by its name.
        """
        super().__init__(review)
        self._controller = controller
        self._preferences = preferences
        self._review = review
        self._saved_menu = saved_menu
        self.sort_menu = QMenu(review)
        self.sort_menu.aboutToShow.connect(self._fill_sort_menu)
        self._show_page = show_page
        panel = review.list_panel
        panel.tabs.tab_chosen.connect(lambda key: self.choose(TAB_QUERIES[key]))
        panel.search.query_entered.connect(self.apply)
        panel.search.left.connect(self._leave_search)
        panel.empty.all_asked.connect(lambda: self.choose("", ""))
        panel.header.set_menu(self.sort_menu)
        controller.list.counts_changed.connect(panel.tabs.set_counts)
        controller.list.shown_changed.connect(self.show_state)

    def apply(self, query: str, sort: str | None = None) -> None:
        """List what a query asks for."""
        self._controller.list.set_query(query, sort)
        self.show_state()
        self._review.list_panel.show_case(self._controller.current)

    def choose(self, query: str, sort: str | None = None) -> None:
        """List what a query asks for, and show the first image of it unless one is shown."""
        self.apply(query, sort)
        self._show_listed()

    def focus_search(self) -> None:
        """Put the keyboard into the search box."""
        if self._controller.session is None:
            return
        panel = self._review.list_panel
        if not self._review.isVisible() or panel.rail:
            self._show_page("review")
        panel.search.setFocus()
        panel.search.selectAll()

    def save(self) -> None:
        """Ask for a name and save the filter in force."""
        cases = self._controller.list
        dialog = QInputDialog(self._review.window())
        dialog.setWindowTitle(self.tr("Save this filter"))
        dialog.setLabelText(self.tr("Name"))
        dialog.setTextValue(cases.query)
        dialog.resize(theme.dp(_DIALOG_WIDTH), dialog.sizeHint().height())
        agreed = dialog.exec()
        name = dialog.textValue().strip()
        dialog.deleteLater()
        if agreed and name:
            self._preferences.add_filter(SavedFilter(name, cases.query, cases.sort))
            self.show_saved()

    def show_saved(self) -> None:
        """Fill the filter menu for the open panel."""
        session = self._controller.session
        if session is None:
            return
        titles = {f"only:{model.name}": model.title for model in session.facts.models}
        shipped = shipped_filters(vocabulary_of(session.table), ["{model}"] * len(titles))
        saved = self._preferences.settings.saved_filters
        entries: list[Entry | None] = [self._entry(item, literal(item.name)) for item in saved]
        if saved:
            forget = [Entry(literal(item.name), partial(self._forget, item)) for item in saved]
            entries += [Entry(self.tr("Forget a saved filter"), entries=forget), SEPARATOR]
        for item in shipped:
            text = QCoreApplication.translate("Filters", item.name)
            text = text.replace("{model}", titles.get(item.query, ""))
            entries.append(self._entry(item, literal(text)))
        fill_menu(self._saved_menu, entries)

    def show_state(self) -> None:
        """Show filter, tab and order as they are."""
        cases, panel = self._controller.list, self._review.list_panel
        tab = next((key for key, query in TAB_QUERIES.items() if query == cases.query), "")
        panel.tabs.set_tab(tab)
        if not panel.search.hasFocus():
            panel.search.set_query("" if tab else cases.query)
        panel.empty.show_text(self._reason_for_empty_list(), filtered=bool(cases.query))
        panel.header.sort_button.setText(self.tr(_ORDERS.get(cases.sort, cases.sort)))

    def review_disagreements(self) -> None:
        """Show the first image on which the models disagree."""
        self._show_page("review")
        self.apply(TAB_QUERIES["disagree"])
        self._controller.move_to_end(last=False)

    def show_image(self, image: str) -> None:
        """Show an image by its path, also one that the filter hides."""
        session = self._controller.session
        case = session.table.row(image) if session is not None else None
        if case is None:
            return
        if self._controller.list.position(case) is None:
            self.apply("", "")
        self._show_page("review")
        self._controller.show_case(case)

    def _leave_search(self) -> None:
        """The query is typed: to the image, so that no key decides one that was filtered away."""
        self._show_listed()
        self._review.focus_image()

    def _show_listed(self) -> None:
        cases, current = self._controller.list, self._controller.current
        if not cases.shown or (current is not None and cases.position(current) is not None):
            return
        first = cases.unreviewed_from(None, inclusive=True)
        self._controller.show_case(first if first is not None else cases.shown[0])

    def _entry(self, item: SavedFilter, text: str) -> Entry:
        choose = partial(self.choose, item.query, item.sort or None)
        return Entry(text, choose, tip=item.query)

    def _fill_sort_menu(self) -> None:
        session, cases = self._controller.session, self._controller.list
        if session is None:
            return

        def order(sort: str, text: str) -> Entry:
            apply = partial(self.apply, cases.query, sort)
            return Entry(text, apply, checked=sort == cases.sort)

        classes = [(snake_case(name), literal(name)) for name in session.panel.class_names]
        by_probability = [
            order(f"-p.{key}", self.tr("{name}, mean").format(name=name)) for key, name in classes
        ]
        for model in session.facts.models:
            by_class = [order(f"-{model.name}.{key}", name) for key, name in classes]
            by_probability.append(Entry(literal(model.title), entries=by_class))
        entries = [order(sort, self.tr(title)) for sort, title in _ORDERS.items()]
        entries.append(Entry(self.tr("Probability"), entries=by_probability))
        fill_menu(self.sort_menu, entries)

    def _forget(self, entry: SavedFilter) -> None:
        self._preferences.remove_filter(entry)
        self.show_saved()

    def _reason_for_empty_list(self) -> str:
        session, cases = self._controller.session, self._controller.list
        if session is None or cases.shown:
            return ""
        if cases.query:
            return self.tr("No image matches this filter.")
        return self.tr("No images are in this folder.") if session.scanned else ""
