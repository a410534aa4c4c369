"""All shortcuts on one sheet; a click on one rebinds it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QSize, QSortFilterProxyModel, Qt
from PySide6.QtGui import QKeySequence, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from desktop.gui.actions.action import ACTIONS, BY_NAME, CONTEXT
from desktop.gui.actions.shortcuts import Shortcuts, conflict, effective_keys
from desktop.gui.settings.preferences import Preferences
from desktop.gui.style import theme

_NAME_ROLE = int(Qt.ItemDataRole.UserRole) + 1


class ShortcutsDialog(QDialog):
    """Cheat sheet and editor in one."""

    def __init__(
        self, shortcuts: Shortcuts, preferences: Preferences, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Shortcuts"))
        self.resize(theme.dp(560), theme.dp(640))
        self._shortcuts = shortcuts
        self._preferences = preferences
        self._overrides = dict(preferences.keys)
        self._search = QLineEdit()
        self._search.setPlaceholderText(self.tr("Search a command or a key"))
        self._search.setAccessibleName(self.tr("Search shortcuts"))
        self._model = QStandardItemModel()
        self._proxy = QSortFilterProxyModel()
        self._proxy.setSourceModel(self._model)
        self._proxy.setRecursiveFilteringEnabled(True)
        self._proxy.setFilterKeyColumn(-1)
        self._proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._search.textChanged.connect(self._proxy.setFilterFixedString)
        self.view = QTreeView()
        self.view.setModel(self._proxy)
        self.view.setAccessibleName(self.tr("Commands and their keys"))
        self.view.setRootIsDecorated(False)
        self.view.setIndentation(12)
        self.view.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.view.selectionModel().currentChanged.connect(lambda *_: self._show_chosen())
        self.key_edit = QKeySequenceEdit()
        self.key_edit.setMaximumSequenceLength(1)
        self.key_edit.setClearButtonEnabled(True)
        self.key_edit.setAccessibleName(self.tr("New key"))
        self.key_edit.editingFinished.connect(self._bind)
        self._default = QPushButton(self.tr("Default"))
        self._default.setAutoDefault(False)
        self._default.clicked.connect(self._bind_default)
        self._all_default = QPushButton(self.tr("All defaults"))
        self._all_default.setAutoDefault(False)
        self._all_default.clicked.connect(self._bind_all_defaults)
        self._words = QLabel(
            self.tr("Choose a command and press its new key. Keys sleep while you type.")
        )
        self._words.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(QLabel(self.tr("New key")))
        row.addWidget(self.key_edit, 1)
        row.addWidget(self._default)
        row.addWidget(self._all_default)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(theme.GAP_S)
        column.addWidget(self._search)
        column.addWidget(self.view, 1)
        column.addLayout(row)
        column.addWidget(self._words)
        column.addWidget(buttons)
        self._fill()
        self._show_chosen()

    @property
    def message(self) -> str:
        """The sentence below the list."""
        return self._words.text()

    def choose(self, name: str) -> None:
        """Select a command by its stable name."""
        for group_row in range(self._model.rowCount()):
            group = self._model.item(group_row)
            for row in range(group.rowCount()):
                if group.child(row).data(_NAME_ROLE) == name:
                    index = self._proxy.mapFromSource(group.child(row).index())
                    self.view.setCurrentIndex(index)
                    return

    def rebind(self, name: str, key: str) -> bool:
        """Give a command another first key, if it is free.

        Returns:
            False where another command has it; the sentence says which.
        """
        taken = conflict(effective_keys(self._overrides), name, key)
        if taken is not None:
            self._words.setText(
                self.tr("{key} belongs to “{command}”. Give that another key first.").format(
                    key=key, command=taken.plain_title
                )
            )
            return False
        self._overrides[name] = (key,) if key else ()
        self._keep()
        words = (
            self.tr("{key} now does: {command}.") if key else self.tr("{command} has no key now.")
        )
        self._words.setText(words.format(key=key, command=BY_NAME[name].plain_title))
        return True

    def _fill(self) -> None:
        chosen = self._chosen()
        self._model.clear()
        self._model.setHorizontalHeaderLabels([self.tr("Command"), self.tr("Keys")])
        groups: dict[str, QStandardItem] = {}
        keys = effective_keys(self._overrides)
        for spec in ACTIONS:
            if spec.group not in groups:
                group = QStandardItem(QCoreApplication.translate(CONTEXT, spec.group))
                group.setFont(theme.font(12, 600))
                group.setSelectable(False)
                group.setSizeHint(QSize(0, theme.dp(32)))
                self._model.appendRow([group, QStandardItem()])
                groups[spec.group] = group
            item = QStandardItem(spec.plain_title)
            item.setData(spec.name, _NAME_ROLE)
            item.setSizeHint(QSize(0, theme.dp(26)))
            shown = [
                QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
                for key in keys[spec.name]
            ]
            groups[spec.group].appendRow([item, QStandardItem(",  ".join(shown))])
        self.view.expandAll()
        self.view.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.view.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        if chosen:
            self.choose(chosen)

    def _chosen(self) -> str:
        index = self._proxy.mapToSource(self.view.currentIndex())
        return index.siblingAtColumn(0).data(_NAME_ROLE) or "" if index.isValid() else ""

    def _show_chosen(self) -> None:
        name = self._chosen()
        for control in (self.key_edit, self._default):
            control.setEnabled(bool(name))
        keys = effective_keys(self._overrides).get(name, ()) if name else ()
        self.key_edit.setKeySequence(QKeySequence(keys[0]) if keys else QKeySequence())

    def _bind(self) -> None:
        name = self._chosen()
        key = self.key_edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        now = effective_keys(self._overrides).get(name, ())
        if name and key not in now and not (not key and not now) and not self.rebind(name, key):
            self._show_chosen()

    def _bind_default(self) -> None:
        name = self._chosen()
        if not name:
            return
        others = {other: keys for other, keys in self._overrides.items() if other != name}
        for key in BY_NAME[name].keys:
            taken = conflict(effective_keys(others), name, key)
            if taken is not None:
                self.rebind(name, key)
                return
        self._overrides.pop(name, None)
        self._keep()

    def _bind_all_defaults(self) -> None:
        self._overrides = {}
        self._keep()

    def _keep(self) -> None:
        self._preferences.change(shortcuts=self._overrides)
        self._shortcuts.apply(self._overrides)
        self._fill()
        self._show_chosen()
