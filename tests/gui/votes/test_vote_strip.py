"""The vote strip: agreement quiet, dissent loud, nothing leaks while blind."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from desktop.gui.panel_info import (
    PanelInfo,
    colour_slots,
    make_panel_facts,
    short_names,
    unique_letters,
)
from desktop.gui.presenters.verdict import strip_text
from desktop.gui.style.tokens import DARK, LIGHT, Tokens
from desktop.gui.votes.vote_strip import STRIP_GAP, VoteStrip, cell_looks, paint_vote_strip
from tests.gui.sample_values import covid_panel

C, N, V = 0, 1, 2
CELL = 18


@pytest.mark.parametrize(
    ("votes", "looks"),
    [
        ((C, C, C, C), ("tinted",) * 4),
        ((C, C, N, C), ("tinted", "tinted", "solid", "tinted")),
        ((C, V, V, C), ("solid",) * 4),
        ((V, C, N, V), ("solid",) * 4),
        ((C, C, None, C), ("tinted", "tinted", "dashed", "tinted")),
        ((C, C, None, None), ("solid", "solid", "dashed", "dashed")),
        ((None,) * 4, ("dashed",) * 4),
    ],
)
def test_only_dissent_is_solid(votes: tuple[int | None, ...], looks: tuple[str, ...]) -> None:
    assert cell_looks(votes, "voted", 3) == looks


@pytest.mark.parametrize(
    ("state", "look"), [("waiting", "track"), ("blind", "outline"), ("failed", "dashed")]
)
def test_states_without_votes_hide_them(state: str, look: str) -> None:
    assert cell_looks((C, V, V, C), state, 3) == (look,) * 4  # type: ignore[arg-type]


def painted(
    votes: tuple[int | None, ...], state: str = "voted", tokens: Tokens = DARK, ratio: float = 1
) -> QImage:
    side = round((4 * CELL + 3 * STRIP_GAP) * ratio)
    image = QImage(side, round(CELL * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor(tokens.panel))
    painter = QPainter(image)
    rect = QRect(0, 0, 4 * CELL + 3 * STRIP_GAP, CELL)
    paint_vote_strip(painter, rect, votes, state, covid_panel(), tokens, CELL)  # type: ignore[arg-type]
    painter.end()
    return image


def corner_of(image: QImage, cell: int, ratio: float = 1) -> str:
    """Colour near a cell's edge, away from the letter."""
    x = round((cell * (CELL + STRIP_GAP) + 2.6) * ratio)
    return image.pixelColor(x, round(CELL / 2 * ratio)).name().upper()


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("ratio", [1, 1.25, 1.5, 2])
def test_the_dissent_is_solid_and_the_rest_tinted_on_screen(
    qtbot: QtBot, tokens: Tokens, ratio: float
) -> None:
    image = painted((C, C, N, C), tokens=tokens, ratio=ratio)
    assert corner_of(image, 2, ratio) == tokens.classes[N].upper()
    for cell in (0, 1, 3):
        assert corner_of(image, cell, ratio) == tokens.class_tint(C).upper()


def test_blind_cells_show_no_class_colour_at_all(qtbot: QtBot) -> None:
    image = painted((C, V, V, C), "blind")
    greys = {
        image.pixelColor(x, y).saturation()
        for x in range(image.width())
        for y in range(image.height())
    }
    assert greys == {0}


def test_blind_strips_of_different_votes_are_the_same_picture(qtbot: QtBot) -> None:
    assert painted((C, V, V, C), "blind") == painted((N, N, N, N), "blind")


def test_the_description_names_every_model_and_class() -> None:
    words = strip_text((C, V, None, C), "voted", covid_panel())
    assert words == "SCNN Covid, CCNN Viral Pneumonia, DACCNN no answer, ResNet50 Covid"


def test_the_blind_description_names_no_class() -> None:
    words = strip_text((C, V, V, C), "blind", covid_panel())
    assert not any(name in words for name in covid_panel().class_names)


def test_screen_readers_get_what_the_widget_shows(qtbot: QtBot) -> None:
    strip = VoteStrip(covid_panel())
    qtbot.addWidget(strip)
    strip.set_votes((C, C, N, C), "voted")
    assert "DACCNN Normal" in strip.accessibleDescription()
    strip.set_votes((C, C, N, C), "blind")
    assert "Normal" not in strip.accessibleDescription()
    assert strip.toolTip() == strip.accessibleDescription()


def test_letters_stay_unique_where_initials_clash() -> None:
    assert unique_letters(["Covid", "Cancer", "Cardiomegaly"]) == ("C", "A", "R")
    assert len(set(unique_letters(["Covid"] * 12))) == 12


def test_normal_keeps_its_colour_in_every_panel() -> None:
    assert colour_slots(("Covid", "Normal", "Viral Pneumonia")) == (0, 1, 2)
    assert colour_slots(("Normal", "Pneumonia")) == (1, 0)
    assert colour_slots(("A", "B", "C", "D")) == (0, 1, 2, 3)


def test_short_names_stay_unique() -> None:
    assert short_names(("Covid", "Viral Pneumonia")) == ("Covid", "Viral")
    clash = ("Viral Pneumonia", "Viral Bronchitis")
    assert short_names(clash) == clash


def test_a_panel_of_five_needs_three_votes() -> None:
    models = [(f"m{index}", f"M{index}", {}, "") for index in range(5)]
    panel: PanelInfo = make_panel_facts("own", "Own", ("A", "B"), models)
    assert panel.majority == 3
    assert cell_looks((0, 0, 0, 1, 1), "voted", panel.majority)[3:] == ("solid", "solid")
