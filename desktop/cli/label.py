"""``cxr-quorum label``: a folder in, a table out; once, or as long as films arrive."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from desktop.cli.common import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK
from desktop.cli.label_options import LabelOptions, label_options
from desktop.cli.reporter import Reporter
from desktop.cli.signals import StopSignals
from desktop.core.batch.pipeline import LabelledCase, batch_plan
from desktop.core.batch.run import LabelRun
from desktop.core.cases import ImageFile
from desktop.core.errors import CxrError, UsageError
from desktop.core.export.columns import TableRow
from desktop.core.export.table import Table
from desktop.core.files.inputs import list_inputs, nothing_found
from desktop.core.files.watch import FolderWatch
from desktop.core.imaging.decoders.decoder import Decoder
from desktop.core.imaging.decoders.pool import DecodePool
from desktop.core.inference.devices import usable_cores
from desktop.core.inference.names import Device
from desktop.core.inference.precision import plan_precision
from desktop.core.inference.sandbox import bounded_memory, check_in_sandbox
from desktop.core.inference.session import PanelSession
from desktop.core.inference.watchdog import WatchedSession
from desktop.core.panels.registry import open_panel
from desktop.core.system.cancel_token import CancelToken
from desktop.core.system.text import printable

REPORTED_FAILURES = 20
PROGRESS_SECONDS = 10.0
BUSY_TABLE_SECONDS = 60.0
"""How often a watch writes its table while films keep arriving."""
TABLE_SHARE = 20
"""A watch writes its table at most for one part in so many of its time."""
LOOK_SHARE = 10
"""A watch looks at its folder at most for one part in so many of its time."""


def run(arguments: argparse.Namespace) -> int:
    """Label what the arguments name; see ``desktop.cli.common`` for the exit codes."""
    options = label_options(arguments)
    if options.cluster is not None:
        # By name: neither Ray nor what knows it belongs into the packaged app.
        return int(importlib.import_module(f"{__package__}.label_cluster").run(options))
    files = list_inputs(options.paths, recursive=options.recursive)
    first = None if options.settings.watching else next(files, None)
    if first is None and not options.settings.watching:
        raise nothing_found(options.paths, recursive=options.recursive)
    panel = open_panel(options.panel)
    plan = plan_precision(panel, options.precision, options.device)
    # Before the output is touched.
    check_in_sandbox(panel, plan)
    settings = replace(options.settings, precision=plan)
    with LabelRun(panel, settings) as labelling, Reporter(options, labelling) as reporter:
        if labelling.precision != plan:  # an output that was begun in fp32 goes on in it
            check_in_sandbox(panel, labelling.precision)
        device: Device = "cpu" if plan.asked == "int8" else options.device
        listing = None if first is None else itertools.chain([first], files)
        return _LocalJob(options, labelling, reporter).run(listing, device)


class _LocalJob:
    """A run on this machine, from the listing to the table."""

    def __init__(self, options: LabelOptions, labelling: LabelRun, reporter: Reporter) -> None:
        self._options = options
        self._labelling = labelling
        self._reporter = reporter
        self._log = reporter.log
        self._progress = reporter.progress
        self._table = Table(labelling.panel, labelling.settings.shape)
        self._streams_rows = labelling.settings.output is None
        self._failures = 0
        self._device = ""
        self._stopped_at_failure = False
        self._cut_short = False
        self._token = CancelToken()
        self._logged = time.monotonic()

    def run(self, files: Iterator[ImageFile] | None, device: Device) -> int:
        """Label ``files``; None watches the paths instead, until somebody stops it."""
        options, labelling = self._options, self._labelling
        settings, panel = labelling.settings, labelling.panel
        threads = options.threads or usable_cores()
        plan = batch_plan(threads, settings.batch)
        self._reporter.run_started()
        with (
            # Workers start while the models load.
            DecodePool(
                workers=plan.decoders,
                sizes=panel.decode_sizes,
                film=settings.heatmaps is not None,
                ahead=plan.ahead,
            ) as decoder,
            StopSignals(self._token, self._say_stopping),
        ):
            session = WatchedSession(
                panel,
                device,
                threads,
                streams=plan.streams,
                precision=options.precision,
                on_cpu=labelling.precision,
                lungs=settings.lungs is not None,
                keep=labelling.commit_now,
                on_hang=self._report_hang,
            )
            self._say_start(session)
            if self._streams_rows and settings.form == "csv":
                _write_standard_output(self._table.header())
            bound = bounded_memory(panel, plan.streams, session.report.running)
            with self._progress, bound, contextlib.closing(session):
                if files is None:
                    self._watch(session, decoder)
                else:
                    threading.Thread(target=self._count, daemon=True, name="count").start()
                    self._label(files, session, decoder)
        return self._end(session)

    def _label(self, files: Iterable[ImageFile], session: PanelSession, decoder: Decoder) -> None:
        for row in self._labelling.results(
            files,
            session,
            decoder=decoder,
            cancel=self._token,
            on_resumed=self._resumed,
            on_case=lambda case, position: self._labelled(case, position, session),
        ):
            self._finished(row)
        # A signal after the last image has interrupted nothing.
        self._cut_short = self._token.cancelled and not self._labelling.complete

    def _watch(self, session: PanelSession, decoder: Decoder) -> None:
        """Look, label what is complete, write the table when it is quiet; until Ctrl+C."""
        options = self._options
        watch = FolderWatch(options.paths, recursive=options.recursive)
        self._progress.say("Watching for images. Ctrl+C ends it and writes the table.")
        unwritten = away = False
        written, cost = time.monotonic(), 0.0
        while not self._token.cancelled:
            began = time.monotonic()
            try:
                arrived = watch.look(self._token)
                away = False
            except UsageError as problem:
                arrived = []
                if not away:
                    self._progress.say(f"{problem} Waiting for it to come back. [{problem.code}]")
                    self._log.event("folder_away", code=problem.code)
                away = True
            looked = time.monotonic() - began
            if arrived:
                self._log.event("arrived", files=len(arrived), unsettled=watch.unsettled)
                self._label(arrived, session, decoder)
                unwritten = not self._streams_rows
            since = time.monotonic() - written
            busy = bool(arrived or watch.unsettled)
            if unwritten and since >= max(BUSY_TABLE_SECONDS if busy else 0, TABLE_SHARE * cost):
                cost = self._reporter.write_table(session.report, complete=not self._cut_short)
                unwritten, written = False, time.monotonic()
            self._pause(max(options.interval, LOOK_SHARE * looked))

    def _pause(self, seconds: float) -> None:
        """Wait in small steps: waiting on the token itself could lock up in a signal handler."""
        end = time.monotonic() + seconds
        while not self._token.cancelled and (left := end - time.monotonic()) > 0:
            time.sleep(min(0.1, left))

    def _end(self, session: PanelSession) -> int:
        labelling = self._labelling
        interrupted = self._cut_short and not self._stopped_at_failure
        if not self._streams_rows:
            self._reporter.write_table(session.report, complete=not self._cut_short)
        code = EXIT_FAILED if labelling.counts.failed else EXIT_OK
        if interrupted and not labelling.settings.watching:
            code = EXIT_INTERRUPTED
        note = "Stopped at the first image that failed, as asked with --on-error fail."
        self._reporter.run_ended(
            code,
            complete=not self._cut_short,
            interrupted=interrupted,
            notes=[note] if self._stopped_at_failure else [],
        )
        return code

    def _count(self) -> None:
        """Count the listing on a thread of its own, so that the first image never waits for it."""
        count = 0
        try:
            for _ in list_inputs(self._options.paths, recursive=self._options.recursive):
                count += 1
                if self._token.cancelled:
                    return
        except UsageError:  # the folder went away; the run itself will say so
            return
        self._progress.total(count)

    def _say_start(self, session: PanelSession) -> None:
        if self._labelling.notice:
            self._progress.say(self._labelling.notice)
        report = session.report
        self._device = report.running
        if report.fell_back or report.int8 or self._reporter.console.is_terminal:
            self._progress.say(report.sentence)
        self._log.event(
            "models_loaded",
            device=report.running,
            reason=report.reason,
            precision=report.precision,
            precision_reason=report.precision_reason,
            threads=report.threads,
            streams=session.streams,
        )

    def _say_stopping(self) -> None:
        self._progress.say("Finishing the images in hand. Press Ctrl+C again to stop now.")

    def _report_hang(self, problem: CxrError) -> None:
        """Say why the process ends: a model that does not answer cannot be stopped otherwise."""
        self._log.event("run_failed", code=problem.code)
        sentence = f"{printable(str(problem))} [{problem.code}]"
        print(f"\ncxr-quorum: {sentence}", file=sys.stderr, flush=True)

    def _labelled(self, case: LabelledCase, position: int, session: PanelSession) -> None:
        if case.device != self._device:
            # An accelerator was given up in the middle of the run.
            self._device = case.device
            self._progress.say(session.report.sentence)
            self._log.event("device_changed", device=case.device, reason=session.report.reason)
        self._log.event(
            "image",
            place=position,
            sha256=case.result.sha256,
            status=case.result.status,
            code=case.result.code,
            decode_seconds=round(case.decode_seconds, 4),
            infer_seconds=round(case.infer_seconds, 4),
        )
        self._log_progress()

    def _resumed(self, row: TableRow) -> None:
        self._progress.advance(failed=row.result.status == "failed", fresh=False)
        self._log_progress()

    def _finished(self, row: TableRow) -> None:
        failed = row.result.status == "failed"
        form = self._labelling.settings.form
        if self._streams_rows and form != "parquet":
            _write_standard_output("".join(self._table.lines_of(row, form)))
        if failed:
            if self._failures < REPORTED_FAILURES:
                self._progress.say(f"{row.result.reason} [{row.result.code}]")
            elif self._failures == REPORTED_FAILURES:
                self._progress.say("Further failures are in the table only.")
            self._failures += 1
        self._progress.advance(failed=failed)
        if failed and self._options.stop_at_failure:
            self._stopped_at_failure = True
            self._token.cancel()

    def _log_progress(self) -> None:
        now = time.monotonic()
        if now - self._logged < PROGRESS_SECONDS:
            return
        self._logged = now
        counts = self._labelling.counts
        rate = (counts.images - counts.resumed) / self._reporter.seconds
        self._log.event(
            "progress",
            images=counts.images,
            failed=counts.failed,
            resumed=counts.resumed,
            images_per_second=round(rate, 3),
        )


def _write_standard_output(text: str) -> None:
    if sys.stdout.isatty():
        # A file holds what a terminal would obey: there names are written as they are said.
        end = "\r\n" if text.endswith("\r\n") else "\n"
        text = end.join(printable(line) for line in text.split(end))
    # Bytes: the line ends are the table's own, whatever the terminal's encoding.
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
