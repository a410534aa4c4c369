"""The one picture of the architecture, drawn from data that a test holds against the code.

Boxes are folders and modules that exist; solid arrows are imports that exist, and every import
between two areas is an arrow; dashed arrows are files that one part writes and another reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Area:
    """One folder or module in the picture.

    Attributes:
        path: Path from the root of the source.
        caption: What it is, a few words.
        x, y, width, height: Place in the picture, pixels.
        modules: Rows of packages shown inside: heading and names of folders.
    """

    path: str
    caption: str
    x: int
    y: int
    width: int
    height: int
    modules: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Arrow:
    """From one area to another.

    Attributes:
        source, target: Paths of areas.
        points: Corners of the line, pixels.
        words: Label; empty for none.
        files: True for files written and read, False for an import.
    """

    source: str
    target: str
    points: tuple[tuple[int, int], ...]
    words: str = ""
    files: bool = False


MAIN, GUI, CLI = "desktop/__main__.py", "desktop/gui", "desktop/cli"
CORE, TRAINING, MODELS = "desktop/core", "training", "exported_models"
CLUSTER = "desktop/cluster"

AREAS = (
    Area(MAIN, "words to window or command", 560, 30, 260, 56),
    Area(GUI, "the window; Qt lives here only", 420, 130, 260, 76),
    Area(CLI, "the commands; never Qt", 720, 130, 220, 76),
    Area(CLUSTER, "many machines; Ray", 980, 130, 200, 76),
    Area(
        CORE,
        "the engine; neither Qt nor TensorFlow",
        420,
        260,
        760,
        290,
        (
            ("film", ("files", "imaging", "onnx_graph", "system")),
            ("models", ("panels", "inference", "engine", "diagnostics")),
            ("answer", ("heatmaps", "duplicates")),
            ("run", ("batch",)),
            ("result", ("store", "export")),
            ("search", ("review",)),
        ),
    ),
    Area(TRAINING, "data, splits, fit, export; TensorFlow", 20, 260, 280, 110),
    Area(MODELS, "manifest, ONNX files, cards", 20, 440, 280, 110),
)

ARROWS = (
    Arrow(MAIN, GUI, ((620, 86), (620, 130))),
    Arrow(MAIN, CLI, ((780, 86), (780, 130))),
    Arrow(GUI, CORE, ((550, 206), (550, 260)), "imports"),
    Arrow(CLI, CORE, ((830, 206), (830, 260)), "imports"),
    Arrow(CLI, CLUSTER, ((940, 168), (980, 168))),
    Arrow(CLUSTER, CORE, ((1080, 206), (1080, 260)), "imports"),
    Arrow(TRAINING, CORE, ((300, 310), (420, 310)), "imports"),
    Arrow(TRAINING, MODELS, ((160, 370), (160, 440)), "writes", files=True),
    Arrow(MODELS, CORE, ((300, 495), (420, 495)), "is read by", files=True),
)

WIDTH, HEIGHT = 1200, 572
INK, GREY, LINE, PAPER, PANEL = "#1A1A1A", "#545454", "#8A8A8A", "#FBFBFB", "#FFFFFF"
FONT = 'font-family="Inter, system-ui, sans-serif"'


def draw() -> str:
    """The picture as SVG text, equal bytes on every machine."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>Architecture: two arrows, never a cycle</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{PAPER}"/>',
        *(part for area in AREAS for part in _box(area)),
        *(part for arrow in ARROWS for part in _line(arrow)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def folder_table() -> str:
    """Markdown: the areas of the picture in words."""
    lines = ["| part | what it is |", "| --- | --- |"]
    lines += [f"| `{area.path}` | {area.caption} |" for area in AREAS]
    return "\n".join(lines)


def _box(area: Area) -> list[str]:
    parts = [
        f'<rect x="{area.x}" y="{area.y}" width="{area.width}" height="{area.height}" rx="6" '
        f'fill="{PANEL}" stroke="{LINE}"/>',
        _text(area.x + 16, area.y + 25, area.path, 15, INK, 600),
        _text(area.x + 16, area.y + 44, area.caption, 12, GREY),
    ]
    for row, (heading, names) in enumerate(area.modules):
        y = area.y + 84 + row * 34
        parts.append(_text(area.x + 16, y, heading, 12, GREY))
        x = area.x + 72
        for name in names:
            width = round(len(name) * 6.7) + 14
            parts.append(
                f'<rect x="{x}" y="{y - 16}" width="{width}" height="23" rx="4" '
                f'fill="#F3F3F3" stroke="#C4C4C4"/>'
            )
            parts.append(_text(x + 7, y, name, 12, INK))
            x += width + 6
    return parts


def _line(arrow: Arrow) -> list[str]:
    (x0, y0), (x1, y1) = arrow.points[-2:]
    dash = ' stroke-dasharray="6 4"' if arrow.files else ""
    points = " ".join(f"{x},{y}" for x, y in arrow.points)
    if x0 == x1:
        head = f"{x1 - 5},{y1 - 9} {x1 + 5},{y1 - 9} {x1},{y1}"
        label = _text(x1 + 8, (y0 + y1) // 2 + 4, arrow.words, 12, GREY)
    else:
        head = f"{x1 - 9},{y1 - 5} {x1 - 9},{y1 + 5} {x1},{y1}"
        label = _text(x0 + 28, y0 - 8, arrow.words, 12, GREY)
    parts = [
        f'<polyline points="{points}" fill="none" stroke="{INK}" stroke-width="1.5"{dash}/>',
        f'<polygon points="{head}" fill="{INK}"/>',
    ]
    return [*parts, label] if arrow.words else parts


def _text(x: int, y: int, words: str, size: int, colour: str, weight: int = 400) -> str:
    return (
        f'<text x="{x}" y="{y}" {FONT} font-size="{size}" font-weight="{weight}" '
        f'fill="{colour}">{escape(words)}</text>'
    )
