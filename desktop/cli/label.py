"""``cxr-quorum label``: a folder in, a table out."""

from __future__ import annotations

import argparse
import datetime
import itertools
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from desktop.cli.progress import RunProgress, duration
from desktop.cli.stop import StopSignals
from desktop.core.cancel import CancelToken
from desktop.core.catalogue import Panel, open_panel
from desktop.core.decode_process import DecodePool
from desktop.core.devices import checked_device, usable_cores
from desktop.core.errors import UsageError
from desktop.core.export_csv import FORMATS, Table, TableFormat, TableRow
from desktop.core.folder import FoundFile
from desktop.core.gather import gather, nothing_found
from desktop.core.inference import PanelSession
from desktop.core.label_run import LabelRun, RunSettings
from desktop.core.pipeline import DEFAULT_BATCH, batch_plan
from desktop.core.run_manifest import RunFacts, write_manifest

EXIT_OK, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130
STANDARD_OUTPUT = "-"
TOLD_FAILURES = 20


def run(arguments: argparse.Namespace) -> int:
    """Label what the arguments name; see ``desktop.cli`` for the exit codes."""
    console = Console(stderr=True, soft_wrap=True)
    files = gather(arguments.paths, recursive=arguments.recursive)
    first = next(files, None)
    if first is None:
        raise nothing_found(arguments.paths, recursive=arguments.recursive)
    panel = open_panel(arguments.panel)
    settings = RunSettings(
        output=None if arguments.output == STANDARD_OUTPUT else Path(arguments.output),
        form=_form(arguments.format, arguments.output),
        heatmaps=arguments.heatmaps,
        batch=arguments.batch or DEFAULT_BATCH,
        fresh=arguments.fresh,
    )
    with LabelRun(panel, settings) as labelling:
        job = _Job(arguments, panel, labelling, console)
        return job.run(itertools.chain([first], files))


class _Job:
    """One call of the command: the run with its progress, output and summary."""

    def __init__(
        self, arguments: argparse.Namespace, panel: Panel, labelling: LabelRun, console: Console
    ) -> None:
        self._arguments = arguments
        self._panel = panel
        self._labelling = labelling
        self._console = console
        self._table = Table(panel)
        self._told = 0
        self._stopped_at_failure = False
        self._token = CancelToken()
        self._progress = RunProgress(console, quiet=arguments.quiet)
        self._started = datetime.datetime.now(datetime.UTC)
        self._clock = time.monotonic()

    def run(self, files: Iterator[FoundFile]) -> int:
        arguments, settings = self._arguments, self._labelling.settings
        threads = arguments.threads or usable_cores()
        plan = batch_plan(threads, settings.batch)
        drawing = settings.heatmaps is not None
        with (
            # Workers start while the models load.
            DecodePool(
                workers=plan.decoders,
                sizes=self._panel.input_sizes,
                film=drawing,
                ahead=plan.ahead,
            ) as decoder,
            StopSignals(self._token, self._say_stopping),
        ):
            session = PanelSession(
                self._panel, checked_device(arguments.device), threads, streams=plan.streams
            )
            self._say_start(session)
            threading.Thread(target=self._count, daemon=True, name="count").start()
            if settings.output is None and settings.form == "csv":
                _write_standard_output(self._table.csv_header())
            with self._progress:
                for row in self._labelling.results(
                    files,
                    session,
                    decoder=decoder,
                    cancel=self._token,
                    on_resumed=self._resumed,
                ):
                    self._finished(row)
        return self._end(session)

    def _finished(self, row: TableRow) -> None:
        failed = row.result.status == "failed"
        if self._labelling.settings.output is None:
            _write_standard_output(self._line(row))
        if failed:
            if self._told < TOLD_FAILURES:
                self._progress.say(f"{row.result.reason} [{row.result.code}]")
            elif self._told == TOLD_FAILURES:
                self._progress.say("Further failures are in the table only.")
            self._told += 1
        self._progress.advance(failed=failed)
        if failed and self._arguments.on_error == "fail":
            self._stopped_at_failure = True
            self._token.cancel()

    def _resumed(self, row: TableRow) -> None:
        self._progress.advance(failed=row.result.status == "failed", fresh=False)

    def _line(self, row: TableRow) -> str:
        if self._labelling.settings.form == "jsonl":
            return self._table.json_line(row)
        return self._table.csv_line(row)

    def _end(self, session: PanelSession) -> int:
        settings, counts = self._labelling.settings, self._labelling.counts
        # A signal after the last image has interrupted nothing.
        stopped = self._token.cancelled and not self._labelling.complete
        interrupted = stopped and not self._stopped_at_failure
        if settings.output is not None:
            self._labelling.write_table()
            write_manifest(
                settings.output,
                RunFacts(
                    panel=self._panel,
                    report=session.report,
                    settings=settings,
                    counts=counts,
                    started=self._started,
                    seconds=time.monotonic() - self._clock,
                    complete=not stopped,
                ),
            )
        self._say_end(interrupted)
        if interrupted:
            return EXIT_INTERRUPTED
        return EXIT_FAILED if counts.failed else EXIT_OK

    def _count(self) -> None:
        """Count the listing on a thread of its own, so that the first image never waits for it."""
        arguments = self._arguments
        count = 0
        try:
            for _ in gather(arguments.paths, recursive=arguments.recursive):
                count += 1
                if self._token.cancelled:
                    return
        except UsageError:  # the folder went away; the run itself will say so
            return
        self._progress.total(count)

    def _say_start(self, session: PanelSession) -> None:
        say = self._progress.say
        if self._labelling.notice:
            say(self._labelling.notice)
        report = session.report
        if report.fell_back or self._console.is_terminal:
            say(report.sentence)

    def _say_stopping(self) -> None:
        self._progress.say("Finishing the images in hand. Press Ctrl+C again to stop now.")

    def _say_end(self, interrupted: bool) -> None:
        if self._arguments.quiet:
            return
        settings, counts = self._labelling.settings, self._labelling.counts
        seconds = time.monotonic() - self._clock
        fresh = counts.images - counts.resumed
        rate = f", {fresh / seconds:.1f} images/s" if fresh and seconds > 0.5 else ""
        lines = [f"{_images(counts.images)} in {duration(seconds)}{rate}."]
        if counts.resumed:
            lines.append(f"{counts.resumed:,} taken over from an earlier run.")
        if counts.consensus:
            votes = ", ".join(f"{n:,} {word}" for word, n in counts.consensus.most_common())
            lines.append(f"Consensus: {votes}.")
        if counts.ood:
            lines.append(f"{counts.ood:,} unlike the training images.")
        if counts.failed:
            codes = ", ".join(f"{n:,} {code}" for code, n in counts.codes.most_common())
            lines.append(f"{counts.failed:,} failed ({codes}); cxr-quorum codes explains them.")
        if settings.output is not None:
            lines.append(f"Table: {settings.output}")
        if settings.heatmaps is not None:
            lines.append(f"Heatmaps: {settings.heatmaps}")
        if interrupted:
            kept = "is kept" if counts.images == 1 else "are kept"
            rest = "; the same command goes on with the rest." if settings.output else "."
            lines.append(f"Stopped. {_images(counts.images)} {kept}{rest}")
        elif self._stopped_at_failure:
            lines.append("Stopped at the first image that failed, as asked with --on-error fail.")
        for line in lines:
            self._console.print(line, highlight=False, markup=False)


def _write_standard_output(text: str) -> None:
    # Bytes: the line ends are the table's own, whatever the terminal's encoding.
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _images(count: int) -> str:
    return f"{count:,} image" + ("" if count == 1 else "s")


def _form(asked: str | None, output: str) -> TableFormat:
    for form in FORMATS:
        if asked == form or (asked is None and output.lower().endswith(f".{form}")):
            return form
    return "csv"
