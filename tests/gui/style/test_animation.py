"""Menus and tips fade only where the desktop lets things move."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from desktop.gui.style import animation


def test_menus_and_tips_fade_only_where_the_desktop_allows_motion(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    effects = (Qt.UIEffect.UI_FadeMenu, Qt.UIEffect.UI_FadeTooltip)
    monkeypatch.setattr(animation, "_WITHOUT_STACKING", ())
    try:
        for milliseconds, wanted in ((0, False), (200, True)):
            monkeypatch.setattr(animation, "animation_ms", lambda _style, ms=milliseconds: ms)
            animation.let_popups_fade(qapp)
            assert [qapp.isEffectEnabled(effect) for effect in effects] == [wanted] * 2
    finally:
        monkeypatch.undo()
        animation.let_popups_fade(qapp)
