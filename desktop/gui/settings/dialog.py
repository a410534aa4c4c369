"""Settings that explain themselves: made from the table of the core, so none can be missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QTabWidget,
    QWidget,
)

from desktop.core.errors import UsageError
from desktop.gui.formatting import DEVICE_TITLES
from desktop.gui.settings.preferences import Preferences
from desktop.gui.settings.schema import DEFAULTS, Explanation, explanations
from desktop.gui.style import theme
from desktop.gui.widgets.label import WrappedLabel
from desktop.gui.widgets.layout import column
from desktop.gui.widgets.switch import Switch

# The panel has a menu of its own, and folders are added there.
_ELSEWHERE = frozenset({"panel", "panel_folders"})

# Text of the values in the settings file, where it differs.
_CHOICES = {
    "system": QT_TRANSLATE_NOOP("Settings", "As the desktop"),
    "dark": QT_TRANSLATE_NOOP("Settings", "Dark"),
    "light": QT_TRANSLATE_NOOP("Settings", "Light"),
    "stay": QT_TRANSLATE_NOOP("Settings", "Stay"),
    "next": QT_TRANSLATE_NOOP("Settings", "Next image"),
    "next unreviewed": QT_TRANSLATE_NOOP("Settings", "Next unreviewed image"),
    "file": QT_TRANSLATE_NOOP("Settings", "The file's own"),
    "full": QT_TRANSLATE_NOOP("Settings", "Full range"),
    "p1": QT_TRANSLATE_NOOP("Settings", "1–99 %"),
    "p5": QT_TRANSLATE_NOOP("Settings", "5–95 %"),
    "window": QT_TRANSLATE_NOOP("Settings", "Window and level"),
    "pan": QT_TRANSLATE_NOOP("Settings", "Move the image"),
    "zoom": QT_TRANSLATE_NOOP("Settings", "Zoom"),
    "images": QT_TRANSLATE_NOOP("Settings", "Next and previous image"),
    "colour": QT_TRANSLATE_NOOP("Settings", "Colour"),
    "contour": QT_TRANSLATE_NOOP("Settings", "Contour"),
    "auto": QT_TRANSLATE_NOOP("Settings", "The fastest that works"),
    **DEVICE_TITLES,
}


class SettingsDialog(QDialog):
    """One tab a group; a change holds at once, so there is nothing to confirm.

    Signals:
        settings_changed(): A setting has another value.
    """

    settings_changed = Signal()

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.resize(theme.dp(600), theme.dp(640))
        self._preferences = preferences
        self._editors: dict[str, QWidget] = {}
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._tabs = QTabWidget()
        self._tabs.setAccessibleName(self.tr("Groups of settings"))
        self._forms: dict[str, QFormLayout] = {}
        for name, explanation in explanations().items():
            if name not in _ELSEWHERE:
                self._add(name, explanation)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Close | QDialogButtonBox.StandardButton.RestoreDefaults
        )
        buttons.rejected.connect(self.reject)
        defaults = buttons.button(QDialogButtonBox.StandardButton.RestoreDefaults)
        defaults.setText(self.tr("Restore defaults"))
        defaults.setAutoDefault(False)
        defaults.clicked.connect(self._restore)
        column((self._tabs, 1), self._problem, buttons, of=self, margins=(16, 16, 16, 16))

    def editor(self, name: str) -> QWidget:
        """The control of a setting."""
        return self._editors[name]

    def _add(self, name: str, explanation: Explanation) -> None:
        form = self._forms.get(explanation.group)
        if form is None:
            form = self._add_tab(explanation.group)
        editor = self._make(name, explanation)
        editor.setObjectName(name)
        title = _tr(explanation.title)
        editor.setAccessibleName(title)
        editor.setAccessibleDescription(_tr(explanation.text))
        text = WrappedLabel(_tr(explanation.text))
        text.setContentsMargins(0, 0, 0, theme.GAP_M)
        self._editors[name] = editor
        if isinstance(editor, Switch):
            editor.setText(title)
            form.addRow(editor)
        else:
            label = QLabel(title)
            label.setBuddy(editor)
            form.addRow(label, editor)
        form.addRow(text)

    def _add_tab(self, group: str) -> QFormLayout:
        inner = QWidget()
        form = QFormLayout(inner)
        form.setContentsMargins(12, 16, 12, 16)
        form.setHorizontalSpacing(theme.GAP_L)
        form.setVerticalSpacing(theme.GAP_XS)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        scroll = QScrollArea()
        scroll.setAccessibleName(_tr(group))
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._tabs.addTab(scroll, _tr(group))
        self._forms[group] = form
        return form

    def _make(self, name: str, explanation: Explanation) -> QWidget:
        value = getattr(self._preferences.settings, name)

        def changed(new: Any) -> None:
            self._change(name, new)

        if isinstance(value, bool):
            return _switch(value, changed)
        if isinstance(value, int):
            return _spin_box(value, explanation, changed)
        if explanation.choices:
            return _combo_box(value, explanation, changed)
        field = QLineEdit(str(value))
        field.editingFinished.connect(lambda: changed(field.text().strip()))
        return field

    def _change(self, name: str, value: Any) -> None:
        try:
            self._preferences.change(**{name: value})
        except UsageError as problem:
            self._problem.setText(str(problem))
            return
        self._problem.clear()
        self.settings_changed.emit()

    def _restore(self) -> None:
        """Put the defaults of everything shown back."""
        for name, editor in self._editors.items():
            _show(editor, getattr(DEFAULTS, name))
        self._preferences.change(**{name: getattr(DEFAULTS, name) for name in self._editors})
        self.settings_changed.emit()


def _switch(value: bool, changed: Callable[[Any], None]) -> Switch:
    box = Switch("")
    box.setChecked(value)
    box.toggled.connect(changed)
    return box


def _spin_box(value: int, explanation: Explanation, changed: Callable[[Any], None]) -> QSpinBox:
    box = QSpinBox()
    box.lineEdit().setTextMargins(theme.dp(6), 0, 0, 0)
    box.setRange(int(explanation.low or 0), int(explanation.high or 1_000_000))
    box.setSuffix(f" {explanation.unit}" if explanation.unit else "")
    box.setValue(value)
    box.setKeyboardTracking(False)
    box.valueChanged.connect(changed)
    return box


def _combo_box(value: str, explanation: Explanation, changed: Callable[[Any], None]) -> QComboBox:
    box = QComboBox()
    for choice in explanation.choices:
        box.addItem(_tr(_CHOICES.get(choice, choice)), choice)
    box.setCurrentIndex(explanation.choices.index(value))
    box.currentIndexChanged.connect(lambda _index: changed(box.currentData()))
    return box


def _show(editor: QWidget, value: Any) -> None:
    editor.blockSignals(True)
    if isinstance(editor, Switch):
        editor.setChecked(value)
    elif isinstance(editor, QSpinBox):
        editor.setValue(value)
    elif isinstance(editor, QComboBox):
        editor.setCurrentIndex(editor.findData(value))
    elif isinstance(editor, QLineEdit):
        editor.setText(value)
    editor.blockSignals(False)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Settings", text)
