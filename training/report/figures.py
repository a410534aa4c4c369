"""The report's drawings as SVG text: small, without a plotting library, readable in print.

Colours are those of Okabe and Ito (2008), told apart by most colour-blind people; lines differ in
their dashes too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9")
DASHES = ("", "6 3", "2 2", "8 3 2 3", "", "4 4", "1 3")

Points = Sequence[Sequence[float]]


class Chart:
    """Axes from 0 to 1 (or other ends) with lines, marks and a key.

    Args:
        title: Above the chart.
        x_label: Below it.
        y_label: At its left.
        width: Of the drawing, in SVG units.
        height: Of the drawing.
        x_range: Ends of the horizontal axis.
        y_range: Ends of the vertical axis.
    """

    def __init__(
        self,
        title: str,
        x_label: str,
        y_label: str,
        *,
        width: int = 260,
        height: int = 250,
        x_range: tuple[float, float] = (0.0, 1.0),
        y_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self._title, self._x_label, self._y_label = title, x_label, y_label
        self._width, self._height = width, height
        self._x_range, self._y_range = x_range, y_range
        self._left, self._top, self._right, self._bottom = 44, 26, width - 10, height - 38
        self._body: list[str] = []
        self._key: list[tuple[str, int]] = []

    def _x(self, value: float) -> float:
        low, high = self._x_range
        return self._left + (self._right - self._left) * (value - low) / ((high - low) or 1)

    def _y(self, value: float) -> float:
        low, high = self._y_range
        return self._bottom - (self._bottom - self._top) * (value - low) / ((high - low) or 1)

    def line(self, xs: Sequence[float], ys: Sequence[float], style: int, name: str = "") -> None:
        """A line; a name puts it into the key."""
        points = " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in zip(xs, ys, strict=True))
        dash = f' stroke-dasharray="{DASHES[style]}"' if DASHES[style] else ""
        self._body.append(
            f'<polyline points="{points}" fill="none" stroke="{COLOURS[style]}" '
            f'stroke-width="1.6"{dash}/>'
        )
        if name:
            self._key.append((name, style))

    def mark(self, x: float, y: float, style: int, *, filled: bool = True, note: str = "") -> None:
        """A dot, with a note that shows under the pointer."""
        fill = COLOURS[style] if filled else "#ffffff"
        text = f"<title>{escape(note)}</title>" if note else ""
        self._body.append(
            f'<circle cx="{self._x(x):.1f}" cy="{self._y(y):.1f}" r="3.2" fill="{fill}" '
            f'stroke="{COLOURS[style]}" stroke-width="1.4">{text}</circle>'
        )

    def diagonal(self) -> None:
        """What chance, or perfect calibration, looks like."""
        (x0, x1), (y0, y1) = self._x_range, self._y_range
        self._body.insert(
            0,
            f'<line x1="{self._x(x0):.1f}" y1="{self._y(y0):.1f}" x2="{self._x(x1):.1f}" '
            f'y2="{self._y(y1):.1f}" stroke="#999999" stroke-dasharray="3 3"/>',
        )

    def svg(self) -> str:
        """The drawing."""
        key_height = 15 * ((len(self._key) + 1) // 2)
        height = self._height + key_height
        parts = [
            f'<svg viewBox="0 0 {self._width} {height}" width="{self._width}" height="{height}" '
            f'role="img" aria-label="{escape(self._title)}">',
            _text(self._left, 14, self._title, size=12, weight=600),
        ]
        for step in range(5):
            part = step / 4
            x = self._x_range[0] + part * (self._x_range[1] - self._x_range[0])
            y = self._y_range[0] + part * (self._y_range[1] - self._y_range[0])
            parts.append(
                f'<line x1="{self._left}" y1="{self._y(y):.1f}" x2="{self._right}" '
                f'y2="{self._y(y):.1f}" stroke="#e4e4e4"/>'
            )
            parts.append(_text(self._left - 5, self._y(y) + 3.5, _number(y), anchor="end"))
            parts.append(_text(self._x(x), self._bottom + 14, _number(x), anchor="middle"))
        parts.append(
            f'<path d="M{self._left} {self._top}V{self._bottom}H{self._right}" fill="none" '
            'stroke="#444444"/>'
        )
        middle = (self._left + self._right) / 2
        parts.append(_text(middle, self._bottom + 30, self._x_label, anchor="middle"))
        centre = (self._top + self._bottom) / 2
        parts.append(
            f'<text x="11" y="{centre:.0f}" font-size="10" text-anchor="middle" '
            f'transform="rotate(-90 11 {centre:.0f})">{escape(self._y_label)}</text>'
        )
        parts += self._body
        for place, (name, style) in enumerate(self._key):
            x = self._left - 30 + (place % 2) * (self._width - 20) / 2
            y = self._height + 4 + 15 * (place // 2)
            dash = f' stroke-dasharray="{DASHES[style]}"' if DASHES[style] else ""
            parts.append(
                f'<line x1="{x:.0f}" y1="{y}" x2="{x + 22:.0f}" y2="{y}" '
                f'stroke="{COLOURS[style]}" stroke-width="2"{dash}/>'
            )
            parts.append(_text(x + 27, y + 3.5, name))
        return "".join([*parts, "</svg>"])


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")


def _text(
    x: float, y: float, text: str, *, size: int = 10, anchor: str = "start", weight: int = 400
) -> str:
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{bold}>'
        f"{escape(text)}</text>"
    )


def reliability_chart(title: str, before: Points, after: Points) -> str:
    """Share right against confidence, before (hollow) and after (filled) calibration.

    Args:
        title: Above the chart.
        before: Bins ``[films, confidence, accuracy]``.
        after: The same after calibration.
    """
    low = min([0.5, *(min(one[1], one[2]) for one in (*before, *after))])
    low = max(0.0, round(low - 0.05, 1))
    chart = Chart(title, "confidence", "share right", x_range=(low, 1.0), y_range=(low, 1.0))
    chart.diagonal()
    for style, bins, name in ((1, before, "before"), (0, after, "after")):
        chart.line([one[1] for one in bins], [one[2] for one in bins], style, name)
        for films, confidence, accuracy in bins:
            note = f"{name}: {films:.0f} films, confidence {confidence:.2f}, right {accuracy:.2f}"
            chart.mark(confidence, accuracy, style, filled=style == 0, note=note)
    return chart.svg()


def roc_chart(
    title: str,
    curves: Mapping[str, Points],
    points: Mapping[str, tuple[float, float]],
) -> str:
    """ROC curves of the models and their operating points.

    Args:
        title: Above the chart.
        curves: Name -> ``[[false positive share], [true positive share]]``.
        points: Name -> (false positive share, true positive share) at the operating point.
    """
    chart = Chart(title, "1 - specificity", "sensitivity", width=300, height=280)
    chart.diagonal()
    for style, (name, (false, true)) in enumerate(curves.items()):
        chart.line(false, true, style % len(COLOURS), name)
        if name in points:
            x, y = points[name]
            note = f"{name}: sensitivity {y:.3f}, specificity {1 - x:.3f} at its operating point"
            chart.mark(x, y, style % len(COLOURS), note=note)
    return chart.svg()


def curves_chart(title: str, columns: Mapping[str, Sequence[float]]) -> str:
    """The learning curve of a run: loss and validation scores over the epochs."""
    wanted = {
        "loss": (1, "training loss"),
        "val_log_loss": (3, "validation log loss"),
        "val_macro_auc": (0, "validation AUC"),
        "val_balanced_accuracy": (2, "balanced accuracy"),
    }
    epochs = columns.get("epoch") or [0.0]
    known = [value for name in wanted for value in columns.get(name, ()) if value == value]
    top = max([1.0, *known])
    chart = Chart(
        title, "epoch", "value", width=300, height=240,
        x_range=(min(1.0, epochs[0]), max(2.0, epochs[-1])), y_range=(0.0, top),
    )  # fmt: skip
    for name, (style, words) in wanted.items():
        pairs = [(x, y) for x, y in zip(epochs, columns.get(name, ()), strict=False) if y == y]
        if pairs:
            chart.line([x for x, _ in pairs], [y for _, y in pairs], style, words)
    return chart.svg()


def series_chart(
    title: str, x_label: str, y_label: str, series: Mapping[str, tuple[Sequence[float], ...]]
) -> str:
    """Lines over free axes; each is (xs, ys)."""
    xs = [x for one in series.values() for x in one[0]] or [0.0, 1.0]
    ys = [y for one in series.values() for y in one[1]] or [0.0, 1.0]
    chart = Chart(
        title, x_label, y_label, width=320, height=250,
        x_range=(min(xs), max(xs)), y_range=(min(ys), max(ys)),
    )  # fmt: skip
    for style, (name, (across, up)) in enumerate(series.items()):
        chart.line(across, up, style % len(COLOURS), name)
    return chart.svg()


def coverage_chart(
    title: str,
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    rule: Mapping[str, tuple[float, float]],
) -> str:
    """Accuracy against coverage, a line a side; the dot is the strict majority."""
    lowest = min([1.0, *(min(ys) for _, ys in curves.values()), *(y for _, y in rule.values())])
    low = max(0.0, int(lowest * 20) / 20 - 0.05)
    chart = Chart(
        title, "coverage (share of films answered)", "accuracy", width=340, height=280,
        y_range=(low, 1.0),
    )  # fmt: skip
    for style, (name, (xs, ys)) in enumerate(curves.items()):
        chart.line(xs, ys, style % len(COLOURS), name)
        if name in rule:
            x, y = rule[name]
            note = f"{name}: consensus in {x:.1%} of the films, right in {y:.1%} of them"
            chart.mark(x, y, style % len(COLOURS), note=note)
    return chart.svg()


def confusion_chart(
    title: str, counts: Sequence[Sequence[int]], rows: Sequence[str], columns: Sequence[str]
) -> str:
    """Counts, rows the truth, columns what was called; each row shaded by its shares.

    A class that no film has gets no row.
    """
    diagonal = [place for place, line in enumerate(counts) if sum(line)]
    rows, counts = [rows[place] for place in diagonal], [counts[place] for place in diagonal]
    left, top, cell, tall = 92, 56, 64, 34
    width, height = left + cell * len(columns) + 8, top + tall * len(rows) + 8
    parts = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(title)}">',
        _text(8, 14, title, size=12, weight=600),
        _text(8, top - 10, "truth / called"),
    ]
    for place, name in enumerate(columns):
        middle = left + cell * (place + 0.5)
        for row, words in enumerate(_two_lines(name)):
            parts.append(_text(middle, top - 20 + 12 * row, words, anchor="middle"))
    for place, (name, line) in enumerate(zip(rows, counts, strict=True)):
        y = top + tall * place
        for row, words in enumerate(_two_lines(name)):
            parts.append(_text(left - 6, y + 16 + 11 * row, words, anchor="end"))
        total = max(1, sum(line))
        for column, count in enumerate(line):
            share = count / total
            x = left + cell * column
            colour = "0, 114, 178" if column == diagonal[place] else "213, 94, 0"
            parts.append(
                f'<rect x="{x}" y="{y}" width="{cell - 2}" height="{tall - 2}" '
                f'fill="rgba({colour}, {0.06 + 0.6 * share:.2f})" stroke="#cccccc"/>'
            )
            parts.append(_text(x + cell / 2, y + 15, str(count), size=11, anchor="middle"))
            parts.append(_text(x + cell / 2, y + 27, f"{share:.0%}", size=9, anchor="middle"))
    return "".join([*parts, "</svg>"])


def _two_lines(name: str) -> list[str]:
    first, _, rest = name.partition(" ")
    return [first, rest] if rest and len(name) > 11 else [name]
