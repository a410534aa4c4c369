"""Icons take the theme's colour, and each draws something."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from desktop.gui.style.icons import icon
from desktop.gui.style.theme import apply_theme
from desktop.gui.style.tokens import DARK, LIGHT
from tests.gui.sample_values import ICON_NAMES


def test_icons_take_the_colour_of_the_theme(qtbot: QtBot, qapp: object) -> None:
    assert len(ICON_NAMES) > 50
    pictures = []
    for tokens in (LIGHT, DARK):
        apply_theme(qapp, tokens)  # type: ignore[arg-type]
        image = icon("folder").pixmap(32, 32).toImage()
        inks = {
            image.pixelColor(x, y).name().upper()
            for x in range(32)
            for y in range(32)
            if image.pixelColor(x, y).alpha() == 255
        }
        assert inks == {tokens.text1.upper()}
        pictures.append(image)
    assert pictures[0] != pictures[1]


def test_every_icon_draws_something_at_16_px(qtbot: QtBot) -> None:
    for name in ICON_NAMES:
        image = icon(name).pixmap(16, 16).toImage()
        inked = sum(image.pixelColor(x, y).alpha() > 60 for x in range(16) for y in range(16))
        assert inked >= 4, name


def test_an_icon_that_does_not_exist_is_a_bug() -> None:
    with pytest.raises(KeyError):
        icon("no such icon")
