"""The visual language: tokens, palette and style sheet of the two themes.

Colour means class, the accent means the reader, everything else is grey. Painted widgets read
``current()`` while painting and follow ``notifier().theme_changed``; Qt's own widgets follow the
palette and one style sheet. Nothing else in the window names a colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from desktop.gui.style.animation import let_popups_fade
from desktop.gui.style.fonts import inter, load_fonts
from desktop.gui.style.stylesheet import style_sheet
from desktop.gui.style.tokens import DARK, LIGHT, Tokens, mix

ThemeChoice = Literal["dark", "light", "system"]

# Grid and radii, in device-independent pixels at 100 % text.
GAP_XS, GAP_S, GAP_M, GAP_L, GAP_XL, GAP_XXL = 4, 8, 12, 16, 24, 32
RADIUS_BAR, RADIUS_CELL, RADIUS_KEY, RADIUS_CONTROL, RADIUS_CARD = 2, 3, 4, 6, 8
FADE_MS = 120


class ThemeNotifier(QObject):
    """Tells painted widgets that the tokens or the text scale changed.

    Signals:
        theme_changed(Tokens): after palette, style sheet and font have been applied.
    """

    theme_changed = Signal(object)


@dataclass
class _Applied:
    tokens: Tokens = DARK
    text_scale: float = 1.0
    choice: ThemeChoice = "dark"
    notifier: ThemeNotifier | None = None
    follows: bool = False


_applied = _Applied()


def current() -> Tokens:
    """Tokens in force; DARK before the first ``apply_theme``."""
    return _applied.tokens


def text_scale() -> float:
    """The reader's text size, 1.0 = 100 %."""
    return _applied.text_scale


def notifier() -> ThemeNotifier:
    """The one notifier of this process."""
    if _applied.notifier is None:
        _applied.notifier = ThemeNotifier()
    return _applied.notifier


def dp(size: float) -> int:
    """Length that grows with the text: ``size`` px at 100 %."""
    return round(size * _applied.text_scale)


def font(pixels: float, weight: int = 400) -> QFont:
    """Inter at ``pixels`` (100 %) times the text scale."""
    return inter(pixels * _applied.text_scale, weight)


@lru_cache(maxsize=512)
def colour(value: str, opacity: float = 1.0) -> QColor:
    """A token as QColor with ``opacity`` in [0, 1]; shared, so never changed by who gets it."""
    result = QColor(value)
    result.setAlphaF(opacity)
    return result


def system_tokens() -> Tokens:
    """The theme that the desktop asks for; dark where it says nothing: readers sit in the dark."""
    scheme = QGuiApplication.styleHints().colorScheme()
    return LIGHT if scheme == Qt.ColorScheme.Light else DARK


def apply_theme(app: QApplication, tokens: Tokens, text_scale: float = 1.0) -> None:
    """Put a theme in force for the whole application, at once and without a restart.

    Args:
        app: The application.
        tokens: ``DARK``, ``LIGHT`` or a variant of them.
        text_scale: Text size, 0.75 to 2.5; 1.0 = 13 px body text.
    """
    load_fonts()
    _applied.tokens = tokens
    _applied.text_scale = min(2.5, max(0.75, text_scale))
    if app.style().objectName().lower() != "fusion":
        app.setStyle(QStyleFactory.create("Fusion"))
    app.setFont(font(13))
    app.setPalette(_palette(tokens))
    app.setStyleSheet(style_sheet(tokens, dp))
    let_popups_fade(app)
    notifier().theme_changed.emit(tokens)


def apply_choice(app: QApplication, choice: ThemeChoice, text_scale: float = 1.0) -> None:
    """Apply ``dark``, ``light`` or ``system``; the last follows the desktop while the app runs."""
    _applied.choice = choice
    if not _applied.follows:
        _applied.follows = True
        QGuiApplication.styleHints().colorSchemeChanged.connect(lambda _scheme: _follow(app))
    tokens = {"dark": DARK, "light": LIGHT}.get(choice) or system_tokens()
    apply_theme(app, tokens, text_scale)


def _follow(app: QApplication) -> None:
    if _applied.choice == "system":
        apply_theme(app, system_tokens(), _applied.text_scale)


def _palette(tokens: Tokens) -> QPalette:
    """Fusion's palette in tokens, so that even unstyled parts of Qt stay in the theme."""
    palette = QPalette()
    role = QPalette.ColorRole
    for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive):
        for name, value in {
            role.Window: tokens.bg,
            role.WindowText: tokens.text1,
            role.Base: tokens.panel,
            role.AlternateBase: tokens.raised,
            role.Text: tokens.text1,
            role.Button: tokens.control,
            role.ButtonText: tokens.text1,
            role.BrightText: tokens.text1,
            role.ToolTipBase: tokens.raised,
            role.ToolTipText: tokens.text1,
            role.Highlight: tokens.accent,
            role.HighlightedText: tokens.on_accent,
            role.PlaceholderText: tokens.text3,
            role.Link: tokens.accent,
            role.LinkVisited: tokens.accent,
            role.Light: tokens.control_hover,
            role.Midlight: tokens.raised,
            role.Mid: tokens.border,
            role.Dark: tokens.line,
            role.Shadow: tokens.canvas,
            role.Accent: tokens.accent,
        }.items():
            palette.setColor(group, name, QColor(value))
    faint = QColor(mix(tokens.text1, tokens.panel, 0.4))
    for name in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, faint)
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(tokens.track))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Base, QColor(tokens.panel))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Button, QColor(tokens.panel))
    return palette
