"""The menu bar, filled from the records of the actions, and the menus that change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QMenuBar

from desktop.core.panels.registry import Panel
from desktop.core.review.query import SavedFilter
from desktop.gui.actions.action import SEPARATOR, Item, Menu, Submenu
from desktop.gui.actions.shortcuts import Shortcuts
from desktop.gui.formatting import literal


class Menus(QObject):
    """Fills a menu bar and keeps the menus that change.

    Signals:
        recent_chosen(str): Path of a recent folder.
        panel_chosen(str): Name of a panel.
        theme_chosen(str): ``dark``, ``light`` or ``system``.
        filter_chosen(SavedFilter): A shipped or saved filter.
        filter_removed(SavedFilter): Forget a saved filter.
    """

    recent_chosen = Signal(str)
    panel_chosen = Signal(str)
    theme_chosen = Signal(str)
    filter_chosen = Signal(object)
    filter_removed = Signal(object)

    def __init__(
        self, bar: QMenuBar, shortcuts: Shortcuts, menus: Mapping[Menu, Sequence[Item]]
    ) -> None:
        super().__init__(bar)
        submenus: dict[str, QMenu] = {}
        for menu, items in menus.items():
            _fill(bar.addMenu(menu.title), items, shortcuts, submenus)
        self.recent = submenus["recent"]
        self.labels = submenus["labels"]
        self.filters = submenus["filters"]
        self.window = submenus["window"]
        self.theme = submenus["theme"]
        self.panels = submenus["panels"]
        shortcuts["about"].setMenuRole(QAction.MenuRole.AboutRole)
        shortcuts["settings"].setMenuRole(QAction.MenuRole.PreferencesRole)
        shortcuts["quit"].setMenuRole(QAction.MenuRole.QuitRole)
        self._build_theme()

    def set_recent(self, folders: Sequence[str]) -> None:
        """List recent folders."""
        self.recent.clear()
        for position, folder in enumerate(folders, start=1):
            text = literal(folder)
            action = self.recent.addAction(f"&{position} {text}" if position < 10 else text)
            action.triggered.connect(lambda _c=False, path=folder: self.recent_chosen.emit(path))
        self.recent.setEnabled(bool(folders))

    def set_panels(self, panels: Sequence[Panel], chosen: str) -> None:
        """List the installed panels."""
        self.panels.clear()
        group = QActionGroup(self.panels)
        for panel in panels:
            text = f"{panel.name}: {', '.join(panel.class_names)}"
            action = self.panels.addAction(literal(text))
            action.setCheckable(True)
            action.setChecked(panel.name == chosen)
            action.triggered.connect(lambda _c=False, name=panel.name: self.panel_chosen.emit(name))
            group.addAction(action)
        self.panels.setEnabled(bool(panels))

    def set_classes(self, class_names: Sequence[str]) -> None:
        """Name the label actions after the panel's classes; those beyond are hidden."""
        for index, action in enumerate(self.labels.actions()):
            action.setVisible(index < len(class_names))
            if index < len(class_names):
                name = literal(class_names[index])
                action.setText(self.tr("Label {name} and go on").format(name=name))

    def set_filters(self, shipped: Sequence[SavedFilter], saved: Sequence[SavedFilter]) -> None:
        """List filters; saved ones can be forgotten."""
        self.filters.clear()
        for entry in saved:
            self._add_filter(self.filters, entry, literal(entry.name))
        if saved:
            forget = self.filters.addMenu(self.tr("Forget a saved filter"))
            for entry in saved:
                forget.addAction(literal(entry.name)).triggered.connect(
                    lambda _c=False, entry=entry: self.filter_removed.emit(entry)
                )
            self.filters.addSeparator()
        for entry in shipped:
            self._add_filter(self.filters, entry, _shipped_title(entry.name))

    def set_theme(self, choice: str) -> None:
        """Mark the theme in force."""
        for action in self.theme.actions():
            action.setChecked(action.data() == choice)

    def _add_filter(self, menu: QMenu, entry: SavedFilter, title: str) -> None:
        action = menu.addAction(title)
        action.setStatusTip(entry.query)
        action.triggered.connect(lambda _c=False, entry=entry: self.filter_chosen.emit(entry))

    def _build_theme(self) -> None:
        group = QActionGroup(self.theme)
        for key, title in (
            ("system", self.tr("Follow the &system")),
            ("dark", self.tr("&Dark")),
            ("light", self.tr("&Light")),
        ):
            action = self.theme.addAction(title)
            action.setCheckable(True)
            action.setData(key)
            action.triggered.connect(lambda _c=False, key=key: self.theme_chosen.emit(key))
            group.addAction(action)


def _fill(
    menu: QMenu, items: Sequence[Item], shortcuts: Shortcuts, submenus: dict[str, QMenu]
) -> None:
    for item in items:
        if item is SEPARATOR:
            menu.addSeparator()
        elif isinstance(item, Submenu):
            submenus[item.id] = menu.addMenu(item.title)
            _fill(submenus[item.id], item.items, shortcuts, submenus)
        else:
            menu.addAction(shortcuts[item.id])


# Names of `case_query.shipped_filters`, for translators; the test of the menus compares them.
_FILTER_NAMES = (
    QT_TRANSLATE_NOOP("Filters", "To review"),
    QT_TRANSLATE_NOOP("Filters", "Models disagree"),
    QT_TRANSLATE_NOOP("Filters", "No consensus"),
    QT_TRANSLATE_NOOP("Filters", "Disagreement and safety sample"),
    QT_TRANSLATE_NOOP("Filters", "Uncertain"),
    QT_TRANSLATE_NOOP("Filters", "Out of distribution"),
    QT_TRANSLATE_NOOP("Filters", "You against the consensus"),
    QT_TRANSLATE_NOOP("Filters", "Changed after the votes"),
    QT_TRANSLATE_NOOP("Filters", "Flagged"),
    QT_TRANSLATE_NOOP("Filters", "Unsure"),
    QT_TRANSLATE_NOOP("Filters", "With a comment"),
    QT_TRANSLATE_NOOP("Filters", "Near-duplicates"),
    QT_TRANSLATE_NOOP("Filters", "Near-duplicates decided differently"),
    QT_TRANSLATE_NOOP("Filters", "File changed since the decision"),
    QT_TRANSLATE_NOOP("Filters", "Failed"),
)
_ONE_AGAINST_ALL = QT_TRANSLATE_NOOP("Filters", "Only {model} says so")


def _shipped_title(name: str) -> str:
    """A shipped filter's name in the user's language."""
    before, after = _ONE_AGAINST_ALL.split("{model}")
    if name.startswith(before) and name.endswith(after) and name not in _FILTER_NAMES:
        model = name.removeprefix(before).removesuffix(after)
        return QCoreApplication.translate("Filters", _ONE_AGAINST_ALL).replace("{model}", model)
    return QCoreApplication.translate("Filters", name)


SORT_CHOICES: tuple[tuple[str, str], ...] = (
    ("", QT_TRANSLATE_NOOP("SortMenu", "Folder order")),
    ("name", QT_TRANSLATE_NOOP("SortMenu", "Name")),
    ("agreement,-entropy", QT_TRANSLATE_NOOP("SortMenu", "Disagreement first")),
    ("-agreement", QT_TRANSLATE_NOOP("SortMenu", "Agreement first")),
    ("-entropy", QT_TRANSLATE_NOOP("SortMenu", "Most uncertain first")),
    ("confidence", QT_TRANSLATE_NOOP("SortMenu", "Least confident first")),
    ("-ood", QT_TRANSLATE_NOOP("SortMenu", "Unlike the training images first")),
    ("consensus", QT_TRANSLATE_NOOP("SortMenu", "Consensus")),
    ("label", QT_TRANSLATE_NOOP("SortMenu", "Your label")),
    ("state", QT_TRANSLATE_NOOP("SortMenu", "Open first")),
    ("-flagged", QT_TRANSLATE_NOOP("SortMenu", "Flagged first")),
    ("-reviewed", QT_TRANSLATE_NOOP("SortMenu", "Decided last first")),
    ("status", QT_TRANSLATE_NOOP("SortMenu", "Waiting, read, failed")),
    ("duplicate", QT_TRANSLATE_NOOP("SortMenu", "Near-duplicates together")),
)


class SortMenu(QMenu):
    """Orders of the list.

    Signals:
        sort_chosen(str): Sort text of the query language.
    """

    sort_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._group = QActionGroup(self)
        self._blind = False
        self._actions: dict[str, QAction] = {}
        self._probabilities: QMenu | None = None
        for sort, title in SORT_CHOICES:
            self._actions[sort] = self._add(self, sort, self.tr(title))
        self._probabilities = self.addMenu(self.tr("Probability"))

    def set_panel(
        self, class_keys: Sequence[tuple[str, str]], models: Sequence[tuple[str, str]]
    ) -> None:
        """Offer each class's mean probability and each model's.

        Args:
            class_keys: (snake case, name) of each class.
            models: (name, title) of each model.
        """
        menu = self._probabilities
        assert menu is not None
        menu.clear()
        for key, name in class_keys:
            self._add(menu, f"-p.{key}", self.tr("{name}, mean").format(name=name))
        for model, title in models:
            inner = menu.addMenu(title)
            for key, name in class_keys:
                self._add(inner, f"-{model}.{key}", name)

    def words(self, sort: str) -> str:
        """Words for the button that opens the menu."""
        action = self._actions.get(sort)
        return action.text() if action is not None else sort

    def show_sort(self, sort: str) -> None:
        """Mark an order without telling."""
        for key, action in self._actions.items():
            action.setChecked(key == sort)

    def _add(self, menu: QMenu, sort: str, title: str) -> QAction:
        action = menu.addAction(title)
        action.setCheckable(True)
        action.setActionGroup(self._group)
        action.triggered.connect(lambda _c=False, sort=sort: self.sort_chosen.emit(sort))
        return action
