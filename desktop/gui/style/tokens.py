"""The colours of the two themes, as data."""

from __future__ import annotations

from dataclasses import dataclass


def mix(over: str, under: str, share: float) -> str:
    """Colour of ``over`` painted with opacity ``share`` in [0, 1] on ``under``, as ``#RRGGBB``."""
    parts = []
    for start in (1, 3, 5):
        top, base = int(over[start : start + 2], 16), int(under[start : start + 2], 16)
        parts.append(round(base + (top - base) * share))
    return "#{:02X}{:02X}{:02X}".format(*parts)


@dataclass(frozen=True)
class Tokens:
    """Every colour of one theme as ``#RRGGBB``.

    Attributes:
        name: ``dark`` or ``light``.
        canvas: Image area, the same in both themes.
        bg: Window and bars. panel: side panels. raised: hovered rows, cards on a panel.
        control: Buttons and fields. control_hover, control_pressed: their states.
        track: Empty part of a bar. line: 1 px separators. border: edge of a control.
        text1: Body. text2: secondary. text3: hints only, at least 4.5 on every surface.
        accent: Selection, focus, the reader's decision, progress. on_accent: text on it.
        classes: Colours of six classes. on_classes: text on a cell filled with them.
        tints: Opacity of a tinted cell of each class on the panel.
        hud1, hud2: Text on the image.
    """

    name: str
    canvas: str
    bg: str
    panel: str
    raised: str
    control: str
    control_hover: str
    control_pressed: str
    track: str
    line: str
    border: str
    text1: str
    text2: str
    text3: str
    accent: str
    accent_hover: str
    accent_pressed: str
    on_accent: str
    classes: tuple[str, ...]
    on_classes: str
    tints: tuple[float, ...]
    matrix: str
    hud1: str = "#D6D6D6"
    hud2: str = "#A8A8A8"

    @property
    def selected(self) -> str:
        """Fill of a selected row: 10 % accent on the panel. Text 3 becomes text 2 on it."""
        return mix(self.accent, self.panel, 0.10)

    def class_colour(self, slot: int) -> str:
        """Colour of a class slot; classes beyond the sixth are grey and differ by their letter."""
        return self.classes[slot] if 0 <= slot < len(self.classes) else self.text2

    def class_tint(self, slot: int) -> str:
        """Opaque fill of a tinted cell: always mixed on the panel, so that its letter keeps 4.5
        also where the cell lies on a selected or hovered row."""
        share = self.tints[slot] if 0 <= slot < len(self.tints) else 0.15
        return mix(self.class_colour(slot), self.panel, share)

    def on_class(self, slot: int) -> str:
        """Text on a cell filled with the class colour."""
        return self.on_classes if 0 <= slot < len(self.classes) else self.panel


DARK = Tokens(
    name="dark",
    canvas="#0A0A0A",
    bg="#111111",
    panel="#161616",
    raised="#1F1F1F",
    control="#262626",
    control_hover="#2F2F2F",
    control_pressed="#1C1C1C",
    track="#2A2A2A",
    line="#262626",
    border="#3A3A3A",
    text1="#EDEDED",
    text2="#A8A8A8",
    text3="#8A8A8A",
    accent="#A8C5FF",
    accent_hover="#BCD2FF",
    accent_pressed="#8EB0F2",
    on_accent="#0B1220",
    classes=("#ED7940", "#7ED8C6", "#B682ED", "#FBE409", "#8BAC87", "#CFF1B0"),
    on_classes="#0A0A0A",
    tints=(0.17, 0.15, 0.18, 0.15, 0.15, 0.15),
    matrix="#FFFFFF",
)


LIGHT = Tokens(
    name="light",
    canvas="#0A0A0A",
    bg="#F3F3F3",
    panel="#FBFBFB",
    raised="#EDEDED",
    control="#FFFFFF",
    control_hover="#F1F1F1",
    control_pressed="#E6E6E6",
    track="#E2E2E2",
    line="#E0E0E0",
    border="#C4C4C4",
    text1="#1A1A1A",
    text2="#545454",
    text3="#6B6B6B",
    accent="#1F4D66",
    accent_hover="#2A5F7C",
    accent_pressed="#173B4F",
    on_accent="#FFFFFF",
    classes=("#A84400", "#0F6E60", "#733EA4", "#0734FF", "#830000", "#6E2735"),
    on_classes="#FFFFFF",
    tints=(0.12,) * 6,
    matrix="#000000",
)
