"""The window's QActions, their keys, and when the keys are suspended.

While a text field has the focus, keys without Ctrl or Alt are not bound: letters typed into the
search box would label images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)
from shiboken6 import isValid

from desktop.gui.actions.action import Action, Needs

_ENTER_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_SLIDER_KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


class Shortcuts(QObject):
    """The QAction of every action, by id.

    Signals:
        bindings_changed(): Keys were rebound; whoever shows a key reads it again.
    """

    bindings_changed = Signal()

    def __init__(
        self, window: QWidget, records: Iterable[Action], overrides: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Create the QActions on ``window``.

        Args:
            window: Receives them, so that they work wherever the focus is.
            records: Every action, in the order of the key sheet.
            overrides: Action id -> key sequences that replace the default ones.
        """
        super().__init__(window)
        self.records = {record.id: record for record in records}
        self.actions: dict[str, QAction] = {}
        for record in self.records.values():
            action = QAction(record.title, window)
            action.setObjectName(record.id)
            action.setCheckable(record.checkable)
            action.setStatusTip(record.status_tip)
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            window.addAction(action)
            self.actions[record.id] = action
        self.apply(overrides)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._on_focus_changed)

    def __getitem__(self, action_id: str) -> QAction:
        return self.actions[action_id]

    def connect_to(self, context: object) -> None:
        """Run the actions with this context from now on."""
        for action_id, record in self.records.items():
            self.actions[action_id].triggered.connect(
                lambda _checked=False, run=record.run: run(context)
            )

    def enable(self, *, folder: bool, film: bool) -> None:
        """Enable what can work now.

        Args:
            folder: A folder is open.
            film: A film or its list is on the screen.
        """
        there = {Needs.NOTHING: True, Needs.FOLDER: folder, Needs.FILM: film}
        for action_id, record in self.records.items():
            action = self.actions[action_id]
            # Labels of classes that the panel does not have are invisible.
            action.setEnabled(there[record.needs] and action.isVisible())

    def apply(self, overrides: Mapping[str, tuple[str, ...]]) -> None:
        """Bind every action to its default keys or to those of ``overrides``."""
        self._keys = self.keys_with(overrides)
        self._bind(QApplication.focusWidget())
        self.bindings_changed.emit()

    def keys_with(self, overrides: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Keys of every action by id: the default ones unless replaced; unknown ids are ignored."""
        return {key: tuple(overrides.get(key, self.records[key].keys)) for key in self.records}

    def keys(self, action_id: str) -> tuple[str, ...]:
        """Key sequences of an action in portable text, the shown one first; may be empty."""
        return self._keys[action_id]

    def cap(self, action_id: str) -> str:
        """Text of the key cap as this platform writes it; empty without a key."""
        keys = self._keys[action_id]
        return key_cap(keys[0]) if keys else ""

    def _on_focus_changed(self, _before: QWidget | None, now: QWidget | None) -> None:
        self._bind(now)

    def _bind(self, focus: QWidget | None) -> None:
        for action_id, action in self.actions.items():
            keys = [QKeySequence(key) for key in self._keys[action_id]]
            action.setShortcuts([key for key in keys if not _is_suspended(key, focus)])


class HeldKey(QObject):
    """Follows a key while it is held on a page, except where it types or presses a button."""

    def __init__(
        self, window: QWidget, key: Qt.Key, page: QWidget, follow: Callable[[bool], None]
    ) -> None:
        """Watch ``window``.

        Args:
            window: Key events are taken from it and from its widget with the focus.
            key: The key.
            page: Only while this is visible.
            follow: Called with True when the key goes down and with False when it comes up.
        """
        super().__init__(window)
        self._window = window
        self._key = key
        self._page = page
        self._follow = follow
        self._held = False
        # Not on the application: a filter in Python costs 20 µs an event, and each image brings
        # dozens. Keys arrive at the widget with the focus, else at the window.
        self._watched: QWidget | None = None
        window.installEventFilter(self)
        QApplication.instance().focusChanged.connect(self._watch)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease) and isinstance(event, QKeyEvent):
            if event.key() == self._key and self._takes_key(watched):
                if not event.isAutoRepeat():
                    self._set_held(kind == QEvent.Type.KeyPress)
                return True
        elif kind == QEvent.Type.WindowDeactivate and self._held:
            self._set_held(False)
        return super().eventFilter(watched, event)

    def _watch(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self._watched is not None and isValid(self._watched):
            self._watched.removeEventFilter(self)
        inside = now is not None and now is not self._window and now.window() is self._window
        self._watched = now if inside else None
        if self._watched is not None:
            self._watched.installEventFilter(self)

    def _takes_key(self, watched: QObject) -> bool:
        if QApplication.activeModalWidget() is not None or not isinstance(watched, QWidget):
            return False
        if watched.window() is not self._window or not self._page.isVisible():
            return False
        focus = QApplication.focusWidget()
        return self._held or not (is_typing(focus) or isinstance(focus, QAbstractButton))

    def _set_held(self, held: bool) -> None:
        self._held = held
        self._follow(held)


def conflict(keys: Mapping[str, tuple[str, ...]], action_id: str, key: str) -> str | None:
    """Id of another action that already has ``key``, None if it is free.

    Args:
        keys: Keys of every action as :meth:`Shortcuts.keys_with` gives them.
        action_id: The action that wants the key.
        key: Key sequence in portable text.
    """
    wanted = QKeySequence(key)
    for other, sequences in keys.items():
        if other != action_id and wanted in map(QKeySequence, sequences):
            return other
    return None


def key_cap(key: str) -> str:
    """Text of a key cap: ``Ctrl+Shift+O`` -> ``Ctrl Shift O``."""
    text = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    if text == "Return":  # what is printed on the key
        return QCoreApplication.translate("Shortcuts", "Enter")
    return text if len(text) < 3 else text.replace("+", " ")


def is_typing(widget: QWidget | None) -> bool:
    """True where letters go into a text field."""
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    if isinstance(widget, QLineEdit | QPlainTextEdit | QTextEdit):
        return not widget.isReadOnly()
    return isinstance(widget, QAbstractSpinBox)


def _is_suspended(sequence: QKeySequence, focus: QWidget | None) -> bool:
    if sequence.isEmpty() or focus is None:
        return False
    combination = sequence[0]
    modifiers = combination.keyboardModifiers()
    key = combination.key()
    command = modifiers & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    if is_typing(focus):
        # F1 to F35 type nothing; Ctrl+Z and its kin belong to the field while it has the focus.
        function_key = Qt.Key.Key_F1 <= key <= Qt.Key.Key_F35
        return not (function_key or command) or _edits_text(combination.toCombined())
    if isinstance(focus, QAbstractButton):
        return key in _ENTER_KEYS and not command
    if isinstance(focus, QAbstractSlider):
        return key in _SLIDER_KEYS and not command
    return False


def _edits_text(combined: int) -> bool:
    """True for undo, redo, copy, paste, cut and select all."""
    sequence = QKeySequence(combined)
    standard = QKeySequence.StandardKey
    return any(
        sequence == binding
        for editing in (
            standard.Undo,
            standard.Redo,
            standard.Copy,
            standard.Paste,
            standard.Cut,
            standard.SelectAll,
        )
        for binding in QKeySequence.keyBindings(editing)
    )
