"""The tokens keep their promises: readable on every surface, classes told apart by everyone."""

from __future__ import annotations

from itertools import combinations

import pytest
from PySide6.QtGui import QColor, QFontInfo, QFontMetricsF, QPalette, QTextLayout
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.gui.style import theme
from desktop.gui.style.tokens import DARK, LIGHT, Tokens, mix
from tests.gui.style.colour_metrics import Vision, ciede2000, contrast, lab_difference

THEMES = pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
VISIONS: tuple[Vision, ...] = ("normal", "protan", "deutan", "tritan")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_ciede2000_agrees_with_the_published_pairs(
    one: tuple[float, float, float], other: tuple[float, float, float], expected: float
) -> None:
    """Sharma, Wu, Dalal 2005, table 1."""
    assert lab_difference(one, other) == pytest.approx(expected, abs=1e-4)


@THEMES
def test_every_live_text_has_a_contrast_of_4_5_on_every_surface(tokens: Tokens) -> None:
    surfaces = (
        tokens.bg,
        tokens.panel,
        tokens.raised,
        tokens.control,
        tokens.control_hover,
        tokens.control_pressed,
    )
    for surface in surfaces:
        assert contrast(tokens.text1, surface) >= 7
        assert contrast(tokens.text2, surface) >= 4.5
    for surface in (tokens.bg, tokens.panel):
        assert contrast(tokens.text3, surface) >= 4.5
    assert contrast(tokens.text2, tokens.selected) >= 4.5
    assert contrast(tokens.hud2, tokens.canvas) >= 4.5


@THEMES
def test_the_accent_can_be_read_as_text_and_carries_text(tokens: Tokens) -> None:
    for surface in (tokens.bg, tokens.panel, tokens.raised):
        assert contrast(tokens.accent, surface) >= 4.5
    for fill in (tokens.accent, tokens.accent_hover, tokens.accent_pressed):
        assert contrast(tokens.on_accent, fill) >= 4.5


@THEMES
def test_letters_can_be_read_in_solid_and_tinted_cells(tokens: Tokens) -> None:
    for slot, colour in enumerate(tokens.classes):
        assert contrast(tokens.on_class(slot), colour) >= 4.5
        assert contrast(colour, tokens.class_tint(slot)) >= 4.5


@THEMES
def test_figures_can_be_read_on_the_strongest_matrix_fill(tokens: Tokens) -> None:
    assert contrast(tokens.text1, mix(tokens.matrix, tokens.panel, 0.30)) >= 4.5


@THEMES
@pytest.mark.parametrize("vision", VISIONS)
def test_the_shipped_classes_differ_with_any_vision(tokens: Tokens, vision: Vision) -> None:
    for one, other in combinations(tokens.classes[:3], 2):
        assert ciede2000(one, other, vision) >= 20


@THEMES
@pytest.mark.parametrize("vision", VISIONS)
def test_six_classes_differ_with_any_vision(tokens: Tokens, vision: Vision) -> None:
    assert len(tokens.classes) == len(tokens.tints) == 6
    for one, other in combinations(tokens.classes, 2):
        assert ciede2000(one, other, vision) >= 11


@THEMES
@pytest.mark.parametrize("vision", VISIONS)
def test_no_class_can_be_taken_for_the_accent(tokens: Tokens, vision: Vision) -> None:
    assert min(ciede2000(colour, tokens.accent, vision) for colour in tokens.classes) >= 6


def test_a_seventh_class_is_grey_and_never_an_error() -> None:
    assert DARK.class_colour(6) == DARK.text2
    assert contrast(DARK.on_class(9), DARK.class_colour(9)) >= 4.5


def test_a_theme_change_reaches_palette_sheet_and_painted_widgets(
    qapp: QApplication, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(theme.notifier().theme_changed) as reported:
        theme.apply_theme(qapp, LIGHT)
    try:
        assert reported.args == [LIGHT]
        assert theme.current() is LIGHT
        assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(LIGHT.bg)
        assert LIGHT.panel in qapp.styleSheet()
    finally:
        theme.apply_theme(qapp, DARK)


def test_text_scales_and_lengths_with_it(qapp: QApplication) -> None:
    theme.apply_theme(qapp, DARK, 1.5)
    try:
        assert theme.font(12).pixelSize() == 18
        assert theme.dp(56) == 84
    finally:
        theme.apply_theme(qapp, DARK)


def test_the_bundled_font_is_used_in_three_weights(qapp: QApplication) -> None:
    for weight in (400, 500, 600):
        info = QFontInfo(theme.font(13, weight))
        assert info.family() == "CXR Inter"
        assert info.weight() == weight


def test_figures_have_equal_widths(qapp: QApplication) -> None:
    metrics = QFontMetricsF(theme.font(13))
    assert metrics.horizontalAdvance("1,111") == metrics.horizontalAdvance("4,608")


def glyphs(text: str) -> list[int]:
    layout = QTextLayout(text, theme.font(13))
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    return [index for run in layout.glyphRuns() for index in run.glyphIndexes()]


def test_a_file_name_is_shown_letter_by_letter(qapp: QApplication) -> None:
    # Inter would draw 3x4 with a multiplication sign and -> as an arrow.
    name = "ward_3x4->8x8"
    assert glyphs(name) == [glyphs(letter)[0] for letter in name]
