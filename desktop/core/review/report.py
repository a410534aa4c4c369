"""The summary report: one HTML page without any other file, to read, print and keep.

Everything that comes from outside (names, reasons, readers) is escaped, no script is in the page
and its policy forbids loading anything, so it can be opened anywhere. It follows the reader's light
or dark setting and prints black on white.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import desktop
from desktop.core.panels.contract import RESEARCH_USE
from desktop.core.panels.registry import Panel
from desktop.core.review.agreement import Estimate, ReliabilityBin
from desktop.core.review.case_table import FAILED, READ, CaseTable, split_text
from desktop.core.review.queue import progress
from desktop.core.review.scorecard import CONSENSUS, TRUTHS, Score, Scorecard, scorecard
from desktop.core.system.atomic_write import atomic_write_text
from desktop.core.system.text import display_name, saved_text
from desktop.core.vote import NO_CONSENSUS, rule_text

MAX_FAILURES = 1000
_DASH = "–"
_STYLE = """
:root { color-scheme: light dark; --line: #c4c4c4; --soft: #6b6b6b; --bar: #545454; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3a3a3a; --soft: #a8a8a8; --bar: #a8a8a8; }
  body { background: #161616; color: #ededed; } }
body { font: 15px/1.5 Inter, system-ui, sans-serif; max-width: 64rem; margin: 2rem auto;
  padding: 0 1rem; font-variant-numeric: tabular-nums; }
h1 { font-size: 24px; margin: 0; } h2 { font-size: 18px; margin: 2rem 0 .5rem; }
.soft, caption { color: var(--soft); }
.use { border-left: 4px solid var(--bar); padding: .25rem .75rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0 1rem; }
caption { text-align: left; padding-bottom: .25rem; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem .25rem 0; text-align: left;
  vertical-align: top; font-weight: 400; }
thead th { font-weight: 600; } td.n { text-align: right; } td.f { white-space: nowrap; }
code { font-size: 12px; overflow-wrap: anywhere; } svg text { fill: currentColor; font-size: 11px; }
@media print { :root { --line: #999; --soft: #444; } body { background: #fff; color: #000;
  max-width: none; margin: 0; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class ReportInfo:
    """What the table does not know.

    Attributes:
        folder: The opened folder, as it is to be shown.
        created_at: ISO 8601 UTC.
        device: What the models ran on, empty where unknown.
        settings: (name, value) of the settings that matter here, in order.
        selection: Words for the rows if they are not all, e.g. the filter's text.
    """

    folder: str
    created_at: str
    device: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    selection: str = ""


def write_summary_report(path: Path, table: CaseTable, panel: Panel, facts: ReportInfo) -> None:
    """Write the report, whole or not at all.

    Raises:
        OutputFailed: See `atomic_write`.
    """
    text = summary_report(table, panel, facts)
    with atomic_write_text(path) as stream:
        stream.write(text)


def summary_report(table: CaseTable, panel: Panel, facts: ReportInfo) -> str:
    """The page.

    Args:
        table: All cases, or those of a selection.
        panel: The panel that voted.
        facts: See `ReportInfo`.
    """
    card = scorecard(table)
    titles = {model.name: model.card.title for model in panel.models} | {CONSENSUS: "Consensus"}
    sections = [
        _head(table, panel, facts),
        _counts(table),
        _consensus(table),
        _reader_and_panel(table),
        _scores(card, titles),
        _calibration(card, titles),
        _models_together(card, titles),
        _blind(card),
        _failures(table),
        _models(panel),
        _settings(facts),
    ]
    title = f"Review of {_text(facts.folder)}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(filter(None, sections))
        + "\n</body>\n</html>\n"
    )


def _head(table: CaseTable, panel: Panel, facts: ReportInfo) -> str:
    lines = [
        f"Made {_text(facts.created_at)} by CXR Quorum {_text(desktop.__version__)}",
        f"panel {_text(panel.title)} ({_text(panel.name)} {_text(panel.version)})",
        f"rule {_text(rule_text(len(panel.models)))}",
    ]
    if facts.device:
        lines.append(f"device {_text(facts.device)}")
    selected = f"<p>Part of the folder: {_text(facts.selection)}</p>" if facts.selection else ""
    reviewers = sorted({item.reviewer for item in table.decided().values() if item.reviewer})
    people = f"<p>Reviewed by {_text(', '.join(reviewers))}.</p>" if reviewers else ""
    return (
        f"<h1>Review of {_text(facts.folder)}</h1>\n<p class=soft>{'; '.join(lines)}.</p>\n"
        f"<p class=use>{_text(RESEARCH_USE)}</p>{selected}{people}"
    )


def _counts(table: CaseTable) -> str:
    state = progress(table)
    status = table.codes("status")
    unread = len(table) - int((status == READ).sum()) - state.failed
    rows = [
        ("Images", len(table)),
        ("Read by the models", int((status == READ).sum())),
        ("Not read yet", unread),
        ("Failed", state.failed),
        ("Labelled by a reader", state.labelled),
        ("Marked unsure", state.unsure),
        ("Still open", state.total - state.reviewed),
        ("Flagged", state.flagged),
        ("Out of distribution", int(table.flags("ood").sum())),
        ("File changed since the decision", int(table.flags("changed").sum())),
    ]
    return "<h2>Counts</h2>" + _table(("", "Images"), rows)


def _consensus(table: CaseTable) -> str:
    read = table.codes("status") == READ
    consensus, agreement = table.codes("consensus"), table.codes("agreement")
    models = len(table.model_names)
    levels = range(models, 0, -1)
    names = [*table.class_names, NO_CONSENSUS]
    rows = []
    for index, name in enumerate(names):
        own = read & (consensus == (index if index < len(table.class_names) else -1))
        by_level = [int((own & (agreement == level)).sum()) for level in levels]
        rows.append((name, *by_level, int(own.sum())))
    header = ("Consensus", *(f"{level} of {models}" for level in levels), "Images")
    splits: dict[str, int] = {}
    for code in table.codes("split")[read].tolist():
        splits[split_text(code)] = splits.get(split_text(code), 0) + 1
    ordered = sorted(splits.items(), key=lambda item: (-item[1], item[0]))
    return (
        "<h2>What the models said</h2>"
        + _table(header, rows, "Models behind the most voted class")
        + _table(("Votes divide", "Images"), [(name or "no answer", n) for name, n in ordered])
    )


def _reader_and_panel(table: CaseTable) -> str:
    label, consensus = table.codes("label"), table.codes("consensus")
    labelled = label >= 0
    if not labelled.any():
        return "<h2>Reader and consensus</h2><p>No image has a label yet.</p>"
    rows = []
    for index, name in enumerate(table.class_names):
        own = label == index
        calls = [int((own & (consensus == other)).sum()) for other in range(len(table.class_names))]
        silent = int((own & (consensus < 0)).sum())
        rows.append((name, *calls, silent, int(own.sum())))
    header = ("Reader’s label", *table.class_names, NO_CONSENSUS, "Images")
    return "<h2>Reader and consensus</h2>" + _table(header, rows, "Columns: consensus of the panel")


def _scores(card: Scorecard, titles: dict[str, str]) -> str:
    if not card.labelled:
        return ""
    rows = [
        (
            titles[score.name],
            score.n,
            score.silent,
            _estimate(score.accuracy, percent=True),
            _estimate(score.kappa),
        )
        for score in card.scores
    ]
    accepted = (
        f" {card.accepted:,} of them were accepted from the consensus, which flatters the models."
        if card.accepted
        else ""
    )
    return (
        "<h2>The models against the reader</h2>"
        f"<p>{card.labelled:,} labels; counted: {_text(TRUTHS[card.truth])}.{accepted} In "
        "brackets: 95 % intervals (Wilson; bootstrap for κ). The reader is no gold standard.</p>"
        + _table(("", "Cases", "Silent", "Accuracy", "Cohen’s κ"), rows)
        + _by_class(card, titles, "Sensitivity")
        + _by_class(card, titles, "Specificity")
    )


def _by_class(card: Scorecard, titles: dict[str, str], figure: str) -> str:
    rows = []
    for score in card.scores:
        figures = score.sensitivity if figure == "Sensitivity" else score.specificity
        rows.append((titles[score.name], *(_estimate(item, percent=True) for item in figures)))
    return _table((figure, *card.class_names), rows)


def _calibration(card: Scorecard, titles: dict[str, str]) -> str:
    if not card.labelled:
        return ""
    rows = [
        (titles[score.name], score.n, _number(score.calibration_error), _number(score.brier))
        for score in card.scores
    ]
    charts = "".join(_reliability_chart(score, titles[score.name]) for score in card.scores)
    return (
        "<h2>Calibration on these labels</h2>"
        + _table(("", "Cases", "Expected calibration error", "Brier score"), rows)
        + f"<p>{charts}</p><p class=soft>Across: probability stated for the vote; up: share that "
        "was right. On the line, stated and found agree; larger dots are more cases.</p>"
    )


def _reliability_chart(score: Score, title: str) -> str:
    most = max((item.count for item in score.bins), default=0)
    if not most:
        return ""
    dots = "".join(_dot(item, most) for item in score.bins if item.count)
    description = "; ".join(
        f"{item.count} cases stated {item.confidence:.2f}, right {item.accuracy:.2f}"
        for item in score.bins
        if item.count
    )
    return (
        f'<svg width="180" height="190" viewBox="0 0 180 190" role="img" '
        f'aria-label="{_text(f"{title}: {description}")}">'
        f'<text x="20" y="14">{_text(title)}</text>'
        '<rect x="20" y="20" width="150" height="150" fill="none" stroke="var(--line)"/>'
        '<line x1="20" y1="170" x2="170" y2="20" stroke="var(--line)"/>'
        f'{dots}<text x="16" y="184">0</text><text x="164" y="184">1</text></svg>'
    )


def _dot(item: ReliabilityBin, most: int) -> str:
    radius = 2 + 5 * (item.count / most) ** 0.5
    x, y = 20 + 150 * item.confidence, 170 - 150 * item.accuracy
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="var(--bar)"/>'


def _models_together(card: Scorecard, titles: dict[str, str]) -> str:
    names = [score.name for score in card.scores if score.name != CONSENSUS]
    rows = [
        (titles[name], *(_number(kappa) for kappa in card.pair_kappas[index].tolist()))
        for index, name in enumerate(names)
    ]
    return (
        "<h2>The models among themselves</h2>"
        f"<p>Fleiss’ κ over all images: {_number(card.models_kappa)}.</p>"
        + _table(("Cohen’s κ", *(titles[name] for name in names)), rows)
    )


def _blind(card: Scorecard) -> str:
    blind = card.blind
    if not blind.read:
        return ""
    rows = [
        ("Labelled before the votes were shown", blind.read),
        ("Kept afterwards", blind.kept),
        ("Changed into the consensus", blind.to_consensus),
        ("Changed away from the consensus", blind.from_consensus),
        ("Changed otherwise", blind.elsewhere),
        ("Agreed with the consensus before", _estimate(blind.agreed_blind, percent=True)),
        ("Agreed with the consensus after", _estimate(blind.agreed_final, percent=True)),
    ]
    return "<h2>Blind reading</h2>" + _table(("", ""), rows)


def _failures(table: CaseTable) -> str:
    failed = [
        (display_name(table.images[row], 200), *table.refusal(row))
        for row, status in enumerate(table.codes("status").tolist())
        if status == FAILED
    ]
    if not failed:
        return ""
    by_code: dict[str, int] = {}
    for _, code, _ in failed:
        by_code[code] = by_code.get(code, 0) + 1
    more = len(failed) - MAX_FAILURES
    rest = f"<p>And {more:,} more; the CSV has all of them.</p>" if more > 0 else ""
    return (
        "<h2>Failures</h2>"
        + _table(("Code", "Images"), sorted(by_code.items()))
        + _table(("Image", "Code", "Reason"), failed[:MAX_FAILURES])
        + rest
    )


def _models(panel: Panel) -> str:
    rows = [
        (
            model.card.title,
            model.card.version,
            f"{model.card.input_size[0]} × {model.card.input_size[1]}",
            _Code(model.sha256),
            model.card.created,
        )
        for model in panel.models
    ]
    return (
        "<h2>Models</h2>"
        + _table(("Model", "Version", "Input", "SHA-256", "Made"), rows)
        + f"<p>Out of distribution above a score of {_number(panel.ood_limit)}.</p>"
    )


def _settings(facts: ReportInfo) -> str:
    if not facts.settings:
        return ""
    return "<h2>Settings</h2>" + _table(("Setting", "Value"), facts.settings)


class _Code(str):
    """Text to set in a typewriter face."""

    __slots__ = ()


class _Figure(str):
    """A figure with its interval, not to be broken over two lines."""

    __slots__ = ()


def _table(header: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """A table; whole numbers are right-aligned, the first cell of a row is its heading."""
    head = "".join(f"<th scope=col>{_text(cell)}</th>" for cell in header)
    body = []
    for first, *rest in rows:
        cells = "".join(map(_data_cell, rest))
        body.append(f"<tr><th scope=row>{_cell(first)}</th>{cells}</tr>")
    heading = f"<caption>{_text(caption)}</caption>" if caption else ""
    return (
        f"<div class=wide><table>{heading}<thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _data_cell(value: object) -> str:
    if isinstance(value, int):
        return f"<td class=n>{value:,}</td>"
    style = " class=f" if isinstance(value, _Figure) else ""
    return f"<td{style}>{_cell(value)}</td>"


def _cell(value: object) -> str:
    text = _text(str(value))
    return f"<code>{text}</code>" if isinstance(value, _Code) else text


def _text(value: str) -> str:
    """Escaped, and encodable whatever bytes a file name was made of."""
    return html.escape(saved_text(value))


def _number(value: float) -> str:
    return _DASH if isnan(value) else f"{value:.3f}"


def _estimate(estimate: Estimate, *, percent: bool = False) -> _Figure:
    if isnan(estimate.value):
        return _Figure(_DASH)
    if percent:
        interval = f"{100 * estimate.low:.0f}–{100 * estimate.high:.0f}"
        return _Figure(f"{100 * estimate.value:.1f} % ({interval}, n = {estimate.n:,})")
    if isnan(estimate.low):
        return _Figure(f"{estimate.value:.2f}")
    return _Figure(f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})")
