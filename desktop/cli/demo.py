"""``cxr-quorum demo``: the main job on samples, in one command."""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

import desktop
from desktop.cli.common import has_display
from desktop.cli.progress import RunProgress
from desktop.core.batch.manifest import RunInfo, write_manifest
from desktop.core.batch.pipeline import batch_plan
from desktop.core.batch.run import LabelRun, RunSettings
from desktop.core.export.columns import TableRow
from desktop.core.files.inputs import list_inputs
from desktop.core.imaging.decoders.pool import DecodePool
from desktop.core.imaging.samples import write_samples
from desktop.core.inference.devices import usable_cores
from desktop.core.inference.names import checked_device
from desktop.core.inference.sandbox import check_in_sandbox
from desktop.core.inference.session import PanelSession
from desktop.core.panels.contract import RESEARCH_USE
from desktop.core.panels.registry import Panel, open_panel
from desktop.core.system.text import natural_key, printable
from desktop.core.vote import consensus_text, rule_text, short_names

_CLASS_STYLES = ("dark_orange", "cyan", "medium_purple1", "green", "yellow", "blue")


def run(arguments: argparse.Namespace) -> int:
    """Label the samples, show the votes, open the window if there is a display; always 0 then."""
    errors = Console(stderr=True)
    folder: Path = arguments.output
    panel = open_panel(arguments.panel)
    check_in_sandbox(panel)
    errors.print("Writing samples …", highlight=False)
    samples = write_samples(folder / "samples")
    settings = RunSettings(folder / "votes.csv", heatmaps=folder / "heatmaps", fresh=True)
    threads = arguments.threads or usable_cores()
    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    with (
        LabelRun(panel, settings) as labelling,
        DecodePool(batch_plan(threads).decoders, sizes=panel.decode_sizes, film=True) as decoder,
        RunProgress(errors) as progress,
    ):
        session = PanelSession(panel, checked_device(arguments.device), threads, streams=threads)
        progress.total(len(samples))
        rows = []
        for row in labelling.results(list_inputs([folder / "samples"]), session, decoder=decoder):
            rows.append(row)
            progress.advance(failed=row.result.status == "failed")
        labelling.write_table()
        seconds = time.monotonic() - clock
        write_manifest(
            folder / "votes.csv",
            RunInfo(panel, session.report, settings, labelling.counts, started, seconds, True),
        )
    out = Console(soft_wrap=True, emoji=False)
    _print(rows, panel, Console())
    out.print(session.report.sentence, highlight=False, markup=False)
    out.print(printable(f"Table: {settings.output}"), highlight=False, markup=False)
    out.print(printable(f"Heatmaps: {settings.heatmaps}"), highlight=False, markup=False)
    out.print(f"Samples are drawings and published test files. {RESEARCH_USE}", highlight=False)
    if not arguments.no_window and has_display():
        _open_window(folder / "samples")
        out.print("The window opens on the samples.", highlight=False)
    return 0


def _print(rows: list[TableRow], panel: Panel, console: Console) -> None:
    """The table of votes; narrow enough for a terminal of 80 columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Image", overflow="fold")
    for model in panel.models:
        table.add_column(Text(model.card.title), no_wrap=True)
    table.add_column("Consensus")
    for row in sorted(rows, key=lambda item: natural_key(item.result.image)):
        result = row.result
        cells: list[Text] = [Text(result.image)]
        if result.verdict is None:
            cells += [Text("–", "dim") for _ in panel.models]
            cells.append(Text(f"refused, {result.code}", "dim"))
        else:
            cells += [_vote(row, index, panel) for index in range(len(panel.models))]
            word = consensus_text(result.verdict, panel.class_names)
            note = f" {result.verdict.agreement}/{len(panel.models)}"
            cells.append(Text(word + note + (", unlike training" if result.verdict.ood else "")))
        table.add_row(*cells)
    console.print(table, highlight=False)
    legend = ", ".join(
        f"{short} {name}"
        for short, name in zip(short_names(panel.class_names), panel.class_names, strict=True)
        if short != name
    )
    rule = Text(f"{legend}. {rule_text(len(panel.models))}.", "dim")
    console.print(rule, highlight=False)
    console.print()


def _vote(row: TableRow, index: int, panel: Panel) -> Text:
    verdict = row.result.verdict
    vote = None if verdict is None else verdict.votes[index]
    if vote is None:
        return Text("none", "dim")
    name = panel.model_names[index]
    prediction = next(item for item in row.result.predictions if item.model == name)
    style = _CLASS_STYLES[vote % len(_CLASS_STYLES)]
    return Text(
        f"{short_names(panel.class_names)[vote]} {prediction.probabilities[vote]:.2f}", style
    )


def _open_window(folder: Path) -> None:
    """Start the window as a process of its own: this one never loads Qt."""
    frozen = getattr(sys, "frozen", False)
    program = [sys.executable] if frozen else [sys.executable, "-m", desktop.__name__]
    subprocess.Popen(
        [*program, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
