"""The window's QActions, their keys, and when the keys sleep.

Keys without Ctrl or Alt belong to whoever types: while a text field has the focus they are switched
off, or letters typed into the search box would label images.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
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

from desktop.gui.actions.action import ACTIONS, BY_NAME, ActionSpec

_ENTER_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_SLIDER_KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


class Shortcuts(QObject):
    """All actions of the window, by name.

    Signals:
        bindings_changed: Keys were rebound; whoever shows a key cap reads it again.
    """

    bindings_changed = Signal()

    def __init__(self, window: QWidget, overrides: Mapping[str, tuple[str, ...]]) -> None:
        """Create every action of the table on ``window``.

        Args:
            window: Receives the actions, so that they work wherever the focus is.
            overrides: Action name -> key sequences that replace the default ones.
        """
        super().__init__(window)
        self.actions: dict[str, QAction] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        for spec in ACTIONS:
            action = QAction(spec.title, window)
            action.setObjectName(spec.name)
            action.setCheckable(spec.checkable)
            if spec.tip:
                action.setStatusTip(QCoreApplication.translate("Actions", spec.tip))
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            window.addAction(action)
            self.actions[spec.name] = action
        self.apply(overrides)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._on_focus_changed)

    def __getitem__(self, name: str) -> QAction:
        return self.actions[name]

    def apply(self, overrides: Mapping[str, tuple[str, ...]]) -> None:
        """Bind every action to its default keys or to what ``overrides`` says."""
        self._keys = effective_keys(overrides)
        self._wake(QApplication.focusWidget())
        self.bindings_changed.emit()

    def keys(self, name: str) -> tuple[str, ...]:
        """Key sequences of an action in portable text, the shown one first; may be empty."""
        return self._keys[name]

    def cap(self, name: str) -> str:
        """The key to print on a key cap, in the words of this platform; empty without a key."""
        keys = self._keys[name]
        return key_cap(keys[0]) if keys else ""

    def _on_focus_changed(self, _before: QWidget | None, now: QWidget | None) -> None:
        self._wake(now)

    def _wake(self, focus: QWidget | None) -> None:
        for name, action in self.actions.items():
            action.setShortcuts(
                [
                    QKeySequence(key)
                    for key in self._keys[name]
                    if not _sleeps(QKeySequence(key), focus)
                ]
            )


def effective_keys(overrides: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Keys of every action, defaults where nothing else is asked; unknown names are left out."""
    return {spec.name: tuple(overrides.get(spec.name, spec.keys)) for spec in ACTIONS}


def conflict(keys: Mapping[str, tuple[str, ...]], name: str, key: str) -> ActionSpec | None:
    """The other action that already has ``key``, None if it is free.

    Args:
        keys: Keys of every action as :func:`effective_keys` gives them.
        name: The action that wants the key.
        key: Key sequence in portable text.
    """
    wanted = QKeySequence(key)
    for other, sequences in keys.items():
        if other == name:
            continue
        if any(QKeySequence(sequence) == wanted for sequence in sequences):
            return BY_NAME[other]
    return None


def key_cap(key: str) -> str:
    """Words for a key cap: ``Ctrl+Shift+O`` -> ``Ctrl Shift O``."""
    words = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    if words == "Return":  # what is printed on the key
        return QCoreApplication.translate("Shortcuts", "Enter")
    return words if len(words) < 3 else words.replace("+", " ")


def is_typing(widget: QWidget | None) -> bool:
    """True where letters go into a text field."""
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    if isinstance(widget, QLineEdit | QPlainTextEdit | QTextEdit):
        return not widget.isReadOnly()
    return isinstance(widget, QAbstractSpinBox)


def _sleeps(sequence: QKeySequence, focus: QWidget | None) -> bool:
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
