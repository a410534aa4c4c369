"""The menu bar: every action of the table under its menu, and the menus that change."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QMenuBar

from desktop.core.panels.registry import Panel
from desktop.core.review.query import SavedFilter
from desktop.gui.actions import action as action_table
from desktop.gui.actions.shortcuts import Shortcuts
from desktop.gui.formatting import literal

_SEPARATOR = "-"
_FILE = (
    "open_folder",
    "open_files",
    "<recent>",
    "open_samples",
    "recursive",
    "rescan",
    _SEPARATOR,
    "export_csv",
    "export_filtered_csv",
    "export_class_folders",
    "export_view",
    "export_report",
    _SEPARATOR,
    "close_folder",
    "settings",
    "quit",
)
_EDIT = (
    "undo",
    "redo",
    _SEPARATOR,
    "<labels>",
    "accept",
    "unsure",
    "flag",
    "comment",
    "clear_decision",
    _SEPARATOR,
    "find",
    "select_all",
    "<filters>",
    "save_filter",
    "clear_filters",
)
_VIEW = (
    "page_review",
    "page_compare",
    "page_batch",
    "page_scorecard",
    _SEPARATOR,
    "next",
    "previous",
    "next_unreviewed",
    "previous_unreviewed",
    "first",
    "last",
    _SEPARATOR,
    "heatmap",
    "contour",
    "next_model",
    "next_class",
    _SEPARATOR,
    "<window>",
    "<image>",
    "measure",
    "facts",
    _SEPARATOR,
    "blind_first",
    "<theme>",
    "full_screen",
)
_MODELS = (
    "<panels>",
    "open_panel",
    _SEPARATOR,
    "label_folder",
    "label_selection",
    "pause_run",
    "stop_run",
    "retry_failed",
    _SEPARATOR,
    "find_duplicates",
)
_HELP = ("manual", "model_report", "shortcuts", "about")
_WINDOW = ("preset_1", "preset_2", "preset_3", "preset_4", _SEPARATOR, "reset_window", "keep_view")
_IMAGE = ("invert", "rotate", "flip", _SEPARATOR, "fit", "actual_size", "zoom_in", "zoom_out")


class Menus(QObject):
    """Fills a menu bar and keeps its changing parts.

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

    def __init__(self, bar: QMenuBar, shortcuts: Shortcuts) -> None:
        super().__init__(bar)
        self._shortcuts = shortcuts
        self.recent = QMenu(self.tr("Open &recent"), bar)
        self.labels = QMenu(self.tr("&Label"), bar)
        self.filters = QMenu(self.tr("Show &only"), bar)
        self.window = QMenu(self.tr("&Window"), bar)
        self.image = QMenu(self.tr("&Image"), bar)
        self.theme = QMenu(self.tr("&Theme"), bar)
        self.panels = QMenu(self.tr("&Panel"), bar)
        self._inner = {
            "<recent>": self.recent,
            "<labels>": self.labels,
            "<filters>": self.filters,
            "<window>": self.window,
            "<image>": self.image,
            "<theme>": self.theme,
            "<panels>": self.panels,
        }
        for title, names in (
            (self.tr("&File"), _FILE),
            (self.tr("&Edit"), _EDIT),
            (self.tr("&View"), _VIEW),
            (self.tr("&Models"), _MODELS),
            (self.tr("&Help"), _HELP),
        ):
            self._fill(bar.addMenu(title), names)
        self._fill(self.window, _WINDOW)
        self._fill(self.image, _IMAGE)
        shortcuts["about"].setMenuRole(QAction.MenuRole.AboutRole)
        shortcuts["settings"].setMenuRole(QAction.MenuRole.PreferencesRole)
        shortcuts["quit"].setMenuRole(QAction.MenuRole.QuitRole)
        self._build_theme()

    def set_recent(self, folders: Sequence[str]) -> None:
        """List recent folders."""
        self.recent.clear()
        for position, folder in enumerate(folders, start=1):
            words = literal(folder)
            action = self.recent.addAction(f"&{position} {words}" if position < 10 else words)
            action.triggered.connect(lambda _c=False, path=folder: self.recent_chosen.emit(path))
        self.recent.setEnabled(bool(folders))

    def set_panels(self, panels: Sequence[Panel], chosen: str) -> None:
        """List the installed panels."""
        self.panels.clear()
        group = QActionGroup(self.panels)
        for panel in panels:
            words = f"{panel.name}: {', '.join(panel.class_names)}"
            action = self.panels.addAction(literal(words))
            action.setCheckable(True)
            action.setChecked(panel.name == chosen)
            action.triggered.connect(lambda _c=False, name=panel.name: self.panel_chosen.emit(name))
            group.addAction(action)
        self.panels.setEnabled(bool(panels))

    def set_classes(self, class_names: Sequence[str]) -> None:
        """Name the label actions after the panel's classes; those beyond are hidden."""
        self.labels.clear()
        for number in range(1, action_table.LABEL_COUNT + 1):
            action = self._shortcuts[f"label_{number}"]
            known = number <= len(class_names)
            action.setVisible(known)
            action.setEnabled(known)
            if known:
                action.setText(
                    self.tr("Label {name} and go on").format(name=literal(class_names[number - 1]))
                )
                self.labels.addAction(action)
        self.labels.setEnabled(bool(class_names))

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

    def _fill(self, menu: QMenu, names: Sequence[str]) -> None:
        for name in names:
            if name == _SEPARATOR:
                menu.addSeparator()
            elif name in self._inner:
                menu.addMenu(self._inner[name])
            else:
                menu.addAction(self._shortcuts[name])

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
