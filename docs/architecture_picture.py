"""The one picture of the architecture, drawn from the folders, the layers and the imports.

Boxes are folders; the rows inside them are the layers that import-linter holds (`pyproject.toml`),
the highest first, so that every import inside a box points down. Solid arrows are imports between
boxes, and every such import is an arrow; dashed arrows are files that one part writes and another
reads. A test holds all of it against the code.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Area:
    """One folder or module in the picture.

    Attributes:
        path: Path from the root of the source.
        caption: What it is, a few words.
        x, y, width, height: Position and size in the picture, pixels.
    """

    path: str
    caption: str
    x: int
    y: int
    width: int
    height: int

    @property
    def layers(self) -> tuple[tuple[str, ...], ...]:
        """Names of packages and modules by layer, highest first; empty without a contract."""
        name = self.path.replace("/", ".")
        settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        for contract in settings["tool"]["importlinter"]["contracts"]:
            if contract["type"] == "layers" and contract["containers"] == [name]:
                return tuple(tuple(row.split(" | ")) for row in contract["layers"])
        return ()


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
    Area(MAIN, "window or command, by the arguments", 380, 20, 430, 56),
    Area(GUI, "the window; Qt lives here only", 380, 120, 430, 400),
    Area(CLI, "commands; never Qt", 840, 20, 165, 56),
    Area(CLUSTER, "many machines; Ray", 1025, 20, 155, 56),
    Area(CORE, "the engine; neither Qt nor TensorFlow", 840, 120, 340, 530),
    Area(TRAINING, "data, fit, evaluation, export; TensorFlow", 20, 120, 330, 350),
    Area(MODELS, "manifest, ONNX files, cards", 20, 594, 330, 56),
)

ARROWS = (
    Arrow(MAIN, GUI, ((595, 76), (595, 120))),
    Arrow(MAIN, CLI, ((810, 48), (840, 48))),
    Arrow(GUI, CORE, ((810, 300), (840, 300))),
    Arrow(CLI, CORE, ((922, 76), (922, 120)), "imports"),
    Arrow(CLI, CLUSTER, ((1005, 48), (1025, 48))),
    Arrow(CLUSTER, CORE, ((1100, 76), (1100, 120)), "imports"),
    Arrow(TRAINING, CORE, ((240, 470), (240, 560), (840, 560)), "imports"),
    Arrow(TRAINING, MODELS, ((90, 470), (90, 594)), "writes", files=True),
    Arrow(MODELS, CORE, ((350, 622), (840, 622)), "is read by", files=True),
)

#: What each package is for, in the order of the table.
PACKAGES = {
    "desktop/core": "the words of the domain: errors, codes, cases, the vote",
    "desktop/core/imaging": "a file's bytes to a radiograph to model pixels; decoders, phantoms",
    "desktop/core/imaging/decoders": "decoding in processes of their own: protocol, pool, worker",
    "desktop/core/files": "which files a run is about: folders, lists, a watched folder",
    "desktop/core/panels": "the model contract; finding and verifying panels",
    "desktop/core/onnx_graph": "ONNX files read, checked and rewritten",
    "desktop/core/inference": "devices, sessions, predictions, sandbox and watchdog",
    "desktop/core/int8": "int8 forms of models, what was measured for them at export and here",
    "desktop/core/heatmaps": "Grad-CAM maps, the colour map, contours, the sheet of tiles",
    "desktop/core/batch": "the pipeline and the resumable run behind `label`",
    "desktop/core/engine": "the models in a child process, for the window",
    "desktop/core/review": "what a reader works with, in memory: cases, decisions, queue, search",
    "desktop/core/store": "the review on disk: SQLite, decisions with undo, results, recovery",
    "desktop/core/export": "columns, CSV, JSON lines, Parquet, class folders",
    "desktop/core/duplicates": "perceptual hash, its cache, the search for near-duplicates",
    "desktop/core/diagnostics": "what runs here and why (`doctor`)",
    "desktop/core/system": "atomic writes, folders, child processes, text, JSON; knows no X-rays",
    "desktop/gui": "the application, facts of a panel, translations, number formats",
    "desktop/gui/mainwindow": "the main window; the commands, one file a menu; bars and notices",
    "desktop/gui/review": "the review page",
    "desktop/gui/compare": "the comparison page",
    "desktop/gui/batch": "the batch page",
    "desktop/gui/scorecard": "the scorecard page",
    "desktop/gui/start": "the page before a folder is open, and the ways in",
    "desktop/gui/export": "what leaves the window as a file",
    "desktop/gui/session": "the open folder and everything that changes it; no widgets",
    "desktop/gui/votes": "vote strip and probability bars, shared by pages",
    "desktop/gui/presenters": "results to words and badges; pure functions",
    "desktop/gui/settings": "the settings: table, file, live object, dialogs",
    "desktop/gui/viewer": "the image viewer",
    "desktop/gui/images": "a film on its way to the screen; no widgets",
    "desktop/gui/help": "manual and about box",
    "desktop/gui/actions": "what an action is, its keys, the menu builder",
    "desktop/gui/widgets": "controls that know nothing of X-rays",
    "desktop/gui/style": "tokens, theme, style sheet, fonts, icons, painting",
    "desktop/cli": "one module a command, and what they share",
    "desktop/cluster": "`--engine ray`: partition, storage, workers",
    "training": "the entry point of `cxr-train`",
    "training/cli": "its subcommands and their arguments",
    "training/configs": "hyperparameters, one file a model",
    "training/data": "data sets, split, decoded arrays, augmentation, drawn films",
    "training/models": "the architectures, the Grad-CAM head, weights from an exported file",
    "training/fit": "the trainer",
    "training/metrics": "scores with intervals, reliability, calibration; numpy only",
    "training/evaluation": "scores of frozen models and panels",
    "training/ood": "the out-of-distribution score: fitted, and measured",
    "training/audit": "copies, leaks, shortcuts in the data",
    "training/export": "Keras to ONNX behind the parity check; cards, panel",
    "training/report": "the model report",
    "training/runtime": "atomic files, progress, commit, running an ONNX file",
}

WIDTH, HEIGHT = 1200, 670
INK, GREY, LINE, PAPER, PANEL = "#1A1A1A", "#545454", "#8A8A8A", "#FBFBFB", "#FFFFFF"
FONT = 'font-family="Inter, system-ui, sans-serif"'


def draw() -> str:
    """The picture as SVG text, equal bytes on every machine."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>Architecture: packages in layers; every import points down or to the core</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{PAPER}"/>',
        *(part for area in AREAS for part in _box(area)),
        *(part for arrow in ARROWS for part in _line(arrow)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def package_table() -> str:
    """Markdown: every package, what it is for, and its modules."""
    lines = ["| package | what it is for | modules |", "| --- | --- | --- |"]
    for path, caption in PACKAGES.items():
        modules = sorted(one.stem for one in (ROOT / path).glob("*.py") if one.stem != "__init__")
        lines.append(f"| `{path}` | {caption} | {', '.join(f'`{one}`' for one in modules)} |")
    return "\n".join(lines)


def _box(area: Area) -> list[str]:
    parts = [
        f'<rect x="{area.x}" y="{area.y}" width="{area.width}" height="{area.height}" rx="6" '
        f'fill="{PANEL}" stroke="{LINE}"/>',
        _text(area.x + 16, area.y + 25, area.path, 15, INK, 600),
        _text(area.x + 16, area.y + 44, area.caption, 12, GREY),
    ]
    for row, names in enumerate(area.layers):
        y, x = area.y + 82 + row * 36, area.x + 16
        for name in names:
            width = round(len(name) * 7.3) + 14
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
