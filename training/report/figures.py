"""The report's figures: matplotlib drawings as SVG, with the colours and the font of the page.

The series' colours are those of Okabe and Ito (2008), told apart by most colour-blind people; lines
differ in their dashes too. ``page.html.j2`` gives each colour a lighter form for dark screens.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

Chart = Mapping[str, Any]

_INK, _PAPER, _FAINT = "#1b1f24", "#ffffff", "#dfe2e6"
_SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", _INK, "#e69f00", "#56b4e9")
_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), "-", (0, (3, 3)), (0, (1, 2)))
_VARIABLES = {_INK: "ink", _PAPER: "paper", _FAINT: "faint"} | {
    colour: f"series-{index}" for index, colour in enumerate(_SERIES) if colour != _INK
}
_STYLE = Path(__file__).parents[1] / "templates" / "report.mplstyle"
_NOTE = "note:"
_COLUMNS = {"loss": "training loss", "val_macro_auc": "validation AUC"}


@dataclass(frozen=True)
class Figure:
    """Charts side by side.

    Attributes:
        kind: Name in :data:`KINDS`.
        charts: Title -> what the kind draws.
        caption: What they show and how to read them, in Markdown.
    """

    kind: str
    charts: Mapping[str, Chart]
    caption: str

    @property
    def digest(self) -> str:
        """Of what is drawn, whatever version of matplotlib draws it."""
        values = json.dumps([self.kind, self.charts], sort_keys=True)
        return hashlib.sha256(values.encode()).hexdigest()[:16]


def draw(figure: Figure, number: int) -> str:
    """The figure as an SVG element.

    Args:
        figure: What to draw.
        number: Of the figure in its page; makes the names inside the drawing unique.
    """
    draw_chart, columns, width, height, names = KINDS[figure.kind]
    columns = min(columns, len(figure.charts))
    rows, names_a_line = math.ceil(len(figure.charts) / columns), columns * width // 100
    legend = 16 * math.ceil(names / names_a_line) + 12 if names else 0
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            matplotlib.rc_params_from_file(_STYLE, use_default_template=False)
        )
        size = (columns * width / 72, (rows * height + legend) / 72)
        canvas = Canvas(figsize=size, layout="constrained")
        grid = canvas.subplots(rows, columns, squeeze=False).ravel()
        for axes, (title, chart) in zip(grid, figure.charts.items(), strict=False):
            draw_chart(axes, chart)
            axes.set_title(title)
        for axes in grid[len(figure.charts) :]:
            axes.set_axis_off()
        lines = {str(line.get_label()): line for axes in grid for line in axes.get_lines()}
        named = {name: line for name, line in lines.items() if not name.startswith("_")}
        if names:
            canvas.legend(
                named.values(), named, loc="outside lower center", ncols=min(names_a_line, names)
            )
        buffer = io.StringIO()
        canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(buffer.getvalue(), f"f{number}-", "; ".join(figure.charts))


#: What an SVG file of matplotlib has that a page does not need, and what stands there instead.
_CHANGES = (
    (r"^.*?</metadata>", ""),
    (r"<style.*?</style>|<!--.*?-->", ""),
    (rf'<g id="{_NOTE}([^"]*)">', r"<g><title>\1</title>"),
    (r'<g id="[^"]*"', "<g"),
    (r"font: (\d+) ([\d.]+px)[^;\"]*", r"font-weight: \1; font-size: \2"),
    (r"font: ([\d.]+px)[^;\"]*", r"font-size: \1"),
    (r" font-family: [^;\"]*;?", ""),
    (r' transform="rotate\(-0 [^"]*"|<path d="[^"]*" style="fill: none"/>', ""),
    (r"\s*\n\s*", "\n"),
    (r"<g/>\n|<defs>\n</defs>\n", ""),
)
_PLAIN_GROUP = re.compile(r"<g>\n((?:(?!</?g[ >]).)*)</g>\n", re.DOTALL)


def _inline(svg: str, prefix: str, label: str) -> str:
    """An SVG file as an element of a page: its colours and font, names that occur once, no head."""
    width, height = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0]
    for pattern, instead in _CHANGES:
        svg = re.sub(pattern, instead, svg, flags=re.DOTALL)
    while _PLAIN_GROUP.search(svg):
        svg = _PLAIN_GROUP.sub(r"\1", svg)
    svg = re.sub(r'(?<= id=")|(?<=href="#)|(?<=url\(#)', prefix, svg)
    svg = re.sub(r"<[^>]+>", lambda tag: re.sub(r"(\d+\.\d\d)\d+", r"\1", tag[0]), svg)
    for colour, name in _VARIABLES.items():
        svg = svg.replace(colour, f"var(--{name})")
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{float(width):.0f}" '
        f'height="{float(height):.0f}" role="img" aria-label="{escape(label)}">{svg.strip()}'
    )


# ---- the kinds ----------------------------------------------------------------------------------


def _line(axes: Axes, index: int, xs: Sequence[float], ys: Sequence[float], name: str) -> None:
    (line,) = axes.plot(xs, ys, color=_SERIES[index], ls=_DASHES[index], label=name, clip_on=False)
    line.set_marker("o" if len(xs) == 1 else "")


def _mark(axes: Axes, index: int, x: float, y: float, note: str, *, hollow: bool = False) -> None:
    """A dot, with a note that shows under the pointer."""
    (dot,) = axes.plot([x], [y], "o", color=_SERIES[index], clip_on=False, zorder=5)
    if hollow:
        dot.set_markerfacecolor(_PAPER)
    dot.set_gid(_NOTE + note)


def _axes(
    axes: Axes, x: tuple[float, float], y: tuple[float, float], x_label: str, y_label: str
) -> None:
    position = axes.get_subplotspec()
    axes.set(xlim=x, ylim=y, xlabel=x_label)
    axes.set_ylabel(y_label if position is None or position.is_first_col() else "")
    axes.grid(clip_on=False)
    axes.locator_params(nbins=5)


def _diagonal(axes: Axes, low: float) -> None:
    axes.plot([low, 1], [low, 1], color=_INK, lw=0.8, ls=(0, (3, 3)), alpha=0.6, clip_on=False)


def _roc(axes: Axes, chart: Chart) -> None:
    """``curves``: name -> [false positive, true positive shares]; ``points``: one of each."""
    _axes(axes, (0, 1), (0, 1), "1 - specificity", "sensitivity")
    _diagonal(axes, 0)
    for index, (name, (false, true)) in enumerate(chart["curves"].items()):
        _line(axes, index, false, true, name)
        if name in chart["points"]:
            x, y = chart["points"][name]
            note = f"sensitivity {y:.3f}, specificity {1 - x:.3f} at its operating point"
            _mark(axes, index, x, y, f"{name}: {note}")


def _reliability(axes: Axes, chart: Chart) -> None:
    """``before`` and ``after`` calibration: bins of [films, confidence, share right]."""
    low = min([0.5, *(value for bins in chart.values() for _, *both in bins for value in both)])
    low = max(0.0, round(low - 0.05, 1))
    _axes(axes, (low, 1), (low, 1), "confidence", "share right")
    _diagonal(axes, low)
    for index, name in ((1, "before"), (0, "after")):
        bins = chart[name]
        _line(axes, index, [one[1] for one in bins], [one[2] for one in bins], name)
        for films, confidence, right in bins:
            note = f"{name}: {films:.0f} films, confidence {confidence:.2f}, right {right:.2f}"
            _mark(axes, index, confidence, right, note, hollow=index == 1)


def _coverage(axes: Axes, chart: Chart) -> None:
    """``curves``: side -> [coverage, accuracy]; ``points``: those of the strict majority."""
    lowest = [y for _, ys in chart["curves"].values() for y in ys]
    lowest += [y for _, y in chart["points"].values()]
    low = max(0.0, int(min([1.0, *lowest]) * 20) / 20 - 0.05)
    _axes(axes, (0, 1), (low, 1), "coverage (share of films answered)", "accuracy")
    for index, (name, (xs, ys)) in enumerate(chart["curves"].items()):
        _line(axes, index, xs, ys, name)
        x, y = chart["points"][name]
        _mark(axes, index, x, y, f"{name}: consensus in {x:.1%} of the films, right in {y:.1%}")


def _epochs(axes: Axes, chart: Chart) -> None:
    """Column -> values, one an epoch; those that are not known are left out."""
    columns = {name: ys for name, ys in chart.items() if name not in ("epoch", "score", "seconds")}
    values = [value for ys in columns.values() for value in ys if value == value]
    most = max([2, *(len(ys) for ys in columns.values())])
    _axes(axes, (1, most), (0, max([1.0, *values]) * 1.02), "epoch", "value")
    axes.locator_params("x", integer=True)
    for index, (name, ys) in enumerate(columns.items()):
        known = [(x, y) for x, y in enumerate(ys, start=1) if y == y]
        name = _COLUMNS.get(name, name.replace("_", " ").replace("val ", "validation "))
        _line(axes, index, [x for x, _ in known], [y for _, y in known], name)


def _confusion(axes: Axes, chart: Chart) -> None:
    """``counts``, rows the truth and columns what was called; a class without films is left out.

    A column more than ``classes`` is *no consensus*.
    """
    names, counts = chart["classes"], chart["counts"]
    shown = [row for row, line in enumerate(counts) if sum(line)]
    columns = [*names, "no consensus"][: len(counts[0])]
    axes.set(xlim=(0, len(columns)), ylim=(len(shown), 0))
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.xaxis.tick_top()
    axes.set_xticks([at + 0.5 for at in range(len(columns))], map(_lines, columns))
    axes.set_yticks([at + 0.5 for at in range(len(shown))], [_lines(names[row]) for row in shown])
    for at, row in enumerate(shown):
        for column, count in enumerate(counts[row]):
            share = count / sum(counts[row])
            style = {"fc": _SERIES[0 if column == row else 1], "alpha": 0.08 + 0.5 * share}
            axes.add_patch(
                Rectangle((column + 0.02, at + 0.03), 0.96, 0.94, clip_on=False, **style)
            )
            for down, text in ((0.38, str(count)), (0.68, f"{share:.0%}")):
                axes.text(column + 0.5, at + down, text, ha="center", va="center")


def _lines(name: str) -> str:
    return name.replace(" ", "\n", 1) if len(name) > 9 else name


#: Kind -> what draws one chart, charts a row, width and height of one in pixels, names to explain.
KINDS: dict[str, tuple[Callable[[Axes, Chart], None], int, int, int, int]] = {
    "roc": (_roc, 3, 300, 270, 5),
    "reliability": (_reliability, 5, 200, 190, 2),
    "coverage": (_coverage, 1, 640, 320, 4),
    "epochs": (_epochs, 4, 250, 210, 4),
    "confusion": (_confusion, 3, 310, 190, 0),
}
