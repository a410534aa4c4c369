"""The one style sheet: frames and controls that Qt draws itself. Views have no ``::item`` rules."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

import desktop

if TYPE_CHECKING:
    from desktop.gui.style.tokens import Tokens

_TEMPLATE = Template(
    """
QToolTip { background: $raised; color: $text1; border: 1px solid $border; padding: 4px 8px; }
QFrame[panel="true"] { background: $panel; border: none; }
QFrame[card="true"] { background: $panel; border: 1px solid $line; border-radius: 8px; }
QFrame[bar="true"] { background: $bg; border: none; }
QMenuBar { background: $bg; border: none; padding: 0; spacing: 0; }
QMenuBar::item { background: transparent; color: $text2; padding: ${h6}px 8px;
  border-radius: 4px; }
QMenuBar::item:selected { background: $raised; color: $text1; }
QMenu { background: $raised; border: 1px solid $border; padding: 4px; }
QMenu::item { color: $text1; padding: 6px 24px 6px 28px; border-radius: 4px; }
QMenu::item:selected { background: $accent; color: $on_accent; }
QMenu::item:disabled { color: $text3; }
QMenu::separator { height: 1px; background: $border; margin: 4px 8px; }
QMenu::icon { padding-left: 8px; }
QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox {
  background: $field; color: $text1; border: 1px solid $border; border-radius: 6px;
  padding: 0 8px; selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox { min-height: ${h26}px; }
QPlainTextEdit, QTextEdit { padding: 4px; }
QLineEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover, QComboBox:hover { border-color: $text3; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus,
QComboBox:focus { border: 2px solid $accent; padding: 0 7px; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {
  color: $text3; border-color: $line; }
QAbstractSpinBox QLineEdit, QComboBox QLineEdit { border: none;
  background: transparent; padding: 0; min-height: 0; border-radius: 0; }
QAbstractSpinBox QLineEdit:focus, QComboBox QLineEdit:focus { border: none; padding: 0; }
QComboBox::drop-down { border: none; width: ${h24}px; }
QComboBox::down-arrow { image: url("$arrow_down"); width: ${h12}px; height: ${h12}px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { subcontrol-origin: border;
  width: ${h24}px; border: none; background: transparent; }
QAbstractSpinBox::up-button { subcontrol-position: top right; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; }
QAbstractSpinBox::up-arrow { image: url("$arrow_up"); width: ${h12}px; height: ${h12}px; }
QAbstractSpinBox::down-arrow { image: url("$arrow_down"); width: ${h12}px; height: ${h12}px; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QCheckBox, QRadioButton { spacing: 8px; color: $text1; }
QCheckBox::indicator { width: ${h14}px; height: ${h14}px; border: 1px solid $text3;
  border-radius: 4px; background: $field; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$check"); }
QCheckBox::indicator:focus { border: 2px solid $accent; width: ${h12}px; height: ${h12}px; }
QCheckBox::indicator:disabled { border-color: $line; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $border; outline: 0; }
QSlider { min-height: ${h20}px; }
QSlider::groove:horizontal { height: ${h4}px; background: $track; border-radius: ${h2}px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: ${h2}px; }
QSlider::handle:horizontal { background: $text1; width: ${h14}px; height: ${h14}px;
  margin: -${h5}px 0; border-radius: ${h7}px; }
QSlider::handle:horizontal:focus { border: ${h3}px solid $accent; width: ${h8}px; height: ${h8}px; }
QSlider::groove:horizontal:disabled, QSlider::sub-page:horizontal:disabled { background: $line; }
QSlider::handle:horizontal:disabled { background: $border; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $border; border-radius: 3px; border: 3px solid transparent;
  background-clip: padding; }
QScrollBar::handle:vertical { min-height: 32px; margin: 2px 3px; }
QScrollBar::handle:horizontal { min-width: 32px; margin: 3px 2px; }
QScrollBar::handle:hover { background: $text3; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: $line; }
QStatusBar { background: $bg; color: $text2; border-top: 1px solid $line; }
QStatusBar::item { border: none; }
QTableView, QTreeView, QListView { background: $panel; border: none; outline: 0;
  gridline-color: $line; selection-background-color: $selected; selection-color: $text1; }
QHeaderView::section { background: $panel; color: $text2; border: none;
  border-bottom: 1px solid $line; padding: 4px 8px; }
QTreeView QHeaderView::section { padding: 4px 3px; }
QTabBar::tab { color: $text2; padding: 6px 12px; border: none;
  border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: $text1; border-bottom: 2px solid $accent; }
QTabBar::tab:focus { color: $accent; }
QTabWidget::pane { border: none; border-top: 1px solid $line; }
QProgressBar { background: $track; border: none; border-radius: 2px; max-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
QDialog { background: $bg; }
QPushButton { background: $control; color: $text1; border: 1px solid $border; border-radius: 6px;
  padding: 0 12px; min-height: ${h26}px; }
QPushButton:hover { background: $control_hover; }
QPushButton:pressed { background: $control_pressed; }
QPushButton:focus { border: 2px solid $accent; padding: 0 11px; }
QPushButton:default { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton:default:hover { background: $accent_hover; }
QPushButton:default:focus { border: 2px solid $text1; }
QPushButton:disabled { color: $text3; border-color: $line; background: $panel; }
"""
)


def style_sheet(tokens: Tokens, dp: Callable[[float], int]) -> str:
    """Fill the template with the colours of a theme; ``dp`` scales the heights that hold text."""
    field = tokens.panel if tokens.name == "dark" else tokens.control
    names = [
        "bg",
        "panel",
        "raised",
        "control",
        "control_hover",
        "control_pressed",
        "track",
        "line",
        "border",
        "text1",
        "text2",
        "text3",
        "accent",
        "accent_hover",
        "on_accent",
        "selected",
    ]
    values = {name: getattr(tokens, name) for name in names}
    # The handle is as high as the groove and two margins, or Qt cuts its circle.
    groove, margin = dp(4), dp(5)
    handle = groove + 2 * margin
    sizes = {
        "h26": dp(26),
        "h24": dp(24),
        "h12": dp(12),
        "h20": dp(20),
        "h14": handle,
        "h7": handle // 2,
        "h8": handle - 2 * dp(3),
        "h3": dp(3),
        "h5": margin,
        "h4": groove,
        "h2": groove // 2,
        "h6": dp(6),
    }
    controls = files(desktop).joinpath("assets", "controls")
    pictures = {
        "arrow_down": f"{controls}/chevron-down-{tokens.name}.svg",
        "arrow_up": f"{controls}/chevron-up-{tokens.name}.svg",
        "check": f"{controls}/check-{tokens.name}.svg",
    }
    # Qt wants forward slashes on every platform.
    paths = {name: path.replace("\\", "/") for name, path in pictures.items()}
    return _TEMPLATE.substitute(values, field=field, **sizes, **paths)
