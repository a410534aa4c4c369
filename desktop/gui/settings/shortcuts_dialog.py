"""All shortcuts on one sheet; a click on one rebinds it."""

from __future__ import annotations

from PySide6.QtCore import QSize, QSortFilterProxyModel, Qt
from PySide6.QtGui import QKeySequence, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeView,
    QWidget,
)

from desktop.gui.actions.action import Menu
from desktop.gui.actions.shortcuts import Shortcuts, conflict
from desktop.gui.settings.preferences import Preferences
from desktop.gui.style import theme
from desktop.gui.widgets.layout import column, row

_ID_ROLE = int(Qt.ItemDataRole.UserRole) + 1


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
        self._message = QLabel(
            self.tr("Choose a command and press its new key. Letters do nothing while you type.")
        )
        self._message.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        title = QLabel(self.tr("New key"))
        column(
            self._search,
            (self.view, 1),
            row(title, (self.key_edit, 1), self._default, self._all_default),
            self._message,
            buttons,
            of=self,
            margins=(16, 16, 16, 16),
            spacing=theme.GAP_S,
        )
        self._fill()
        self._show_chosen()

    @property
    def message(self) -> str:
        """The sentence below the list."""
        return self._message.text()

    def choose(self, action_id: str) -> None:
        """Select a command by its id."""
        for position in range(self._model.rowCount()):
            group = self._model.item(position)
            for child in (group.child(index) for index in range(group.rowCount())):
                if child.data(_ID_ROLE) == action_id:
                    self.view.setCurrentIndex(self._proxy.mapFromSource(child.index()))
                    return

    def rebind(self, action_id: str, key: str) -> bool:
        """Give a command another first key; False where another has it: the sentence says which."""
        command = self._shortcuts.records[action_id].plain_title
        taken = conflict(self._keys(), action_id, key)
        if taken is not None:
            text = self.tr("{key} belongs to “{command}”. Give that another key first.")
            command = self._shortcuts.records[taken].plain_title
        else:
            self._overrides[action_id] = (key,) if key else ()
            self._keep()
            text = self.tr("{key} now does: {command}.")
            text = text if key else self.tr("{command} has no key now.")
        self._message.setText(text.format(key=key, command=command))
        return taken is None

    def _keys(self) -> dict[str, tuple[str, ...]]:
        return self._shortcuts.keys_with(self._overrides)

    def _fill(self) -> None:
        chosen = self._chosen()
        self._model.clear()
        self._model.setHorizontalHeaderLabels([self.tr("Command"), self.tr("Keys")])
        groups: dict[Menu, QStandardItem] = {}
        keys = self._keys()
        for action_id, record in self._shortcuts.records.items():
            if record.menu not in groups:
                group = QStandardItem(record.menu.heading)
                group.setFont(theme.font(12, 600))
                group.setSelectable(False)
                group.setSizeHint(QSize(0, theme.dp(32)))
                self._model.appendRow([group, QStandardItem()])
                groups[record.menu] = group
            item = QStandardItem(record.plain_title)
            item.setData(action_id, _ID_ROLE)
            item.setSizeHint(QSize(0, theme.dp(26)))
            native = QKeySequence.SequenceFormat.NativeText
            shown = ",  ".join(QKeySequence(key).toString(native) for key in keys[action_id])
            groups[record.menu].appendRow([item, QStandardItem(shown)])
        self.view.expandAll()
        self.view.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.view.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        if chosen:
            self.choose(chosen)

    def _chosen(self) -> str:
        index = self._proxy.mapToSource(self.view.currentIndex())
        return index.siblingAtColumn(0).data(_ID_ROLE) or "" if index.isValid() else ""

    def _show_chosen(self) -> None:
        action_id = self._chosen()
        for control in (self.key_edit, self._default):
            control.setEnabled(bool(action_id))
        keys = self._keys().get(action_id, ())
        self.key_edit.setKeySequence(QKeySequence(keys[0]) if keys else QKeySequence())

    def _bind(self) -> None:
        action_id = self._chosen()
        key = self.key_edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        now = self._keys().get(action_id, ())
        unchanged = key in now or not (key or now)
        if action_id and not unchanged and not self.rebind(action_id, key):
            self._show_chosen()

    def _bind_default(self) -> None:
        action_id = self._chosen()
        if not action_id:
            return
        others = {other: keys for other, keys in self._overrides.items() if other != action_id}
        keys = self._shortcuts.keys_with(others)
        for key in self._shortcuts.records[action_id].keys:
            if conflict(keys, action_id, key) is not None:
                self.rebind(action_id, key)
                return
        self._overrides.pop(action_id, None)
        self._keep()

    def _bind_all_defaults(self) -> None:
        self._overrides = {}
        self._keep()

    def _keep(self) -> None:
        self._preferences.change(shortcuts=self._overrides)
        self._shortcuts.apply(self._overrides)
        self._fill()
        self._show_chosen()
