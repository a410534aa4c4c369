"""``cxr-quorum label``: a folder in, a table out; once, or as long as films arrive."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib
import itertools
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console

import desktop
from desktop.cli.progress import RunProgress, log_end, summary
from desktop.cli.signals import StopSignals
from desktop.core.batch.event_log import STANDARD_ERROR, RunLog
from desktop.core.batch.manifest import RunInfo, write_manifest
from desktop.core.batch.output_check import refuse_to_write_over
from desktop.core.batch.pipeline import LabelledCase, batch_plan
from desktop.core.batch.run import LabelRun, RunSettings
from desktop.core.cases import ImageFile
from desktop.core.errors import CxrError, UsageError
from desktop.core.export.columns import TableRow
from desktop.core.export.table import FORMATS, Table, TableFormat
from desktop.core.files.inputs import gather, nothing_found
from desktop.core.files.path_list import PlaceList, refuse_addresses
from desktop.core.files.watch import FolderWatch
from desktop.core.imaging.decoder import Decoder
from desktop.core.imaging.decoder_pool import DecodePool
from desktop.core.inference.devices import checked_device, usable_cores
from desktop.core.inference.precision import PrecisionPlan, checked_precision, plan_precision
from desktop.core.inference.sandbox import bounded_memory, check_in_sandbox
from desktop.core.inference.session import PanelSession
from desktop.core.inference.watchdog import WatchedSession
from desktop.core.panels.registry import Panel, open_panel
from desktop.core.system.cancel_token import CancelToken
from desktop.core.system.text import printable

EXIT_OK, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130
STANDARD_OUTPUT = "-"
TOLD_FAILURES = 20
PROGRESS_SECONDS = 10.0
BUSY_TABLE_SECONDS = 60.0
"""How often a watch writes its table while films keep arriving."""
TABLE_SHARE = 20
"""A watch writes its table at most for one part in so many of its time."""
LOOK_SHARE = 10
"""A watch looks at its folder at most for one part in so many of its time."""


def run(arguments: argparse.Namespace) -> int:
    """Label what the arguments name; see ``desktop.cli`` for the exit codes."""
    if arguments.list is not None:
        arguments.paths = PlaceList(arguments.list, arguments.paths)
    if not arguments.paths:
        raise UsageError("USAGE-05", "There is nothing to label. Name a folder or images.")
    if arguments.engine == "ray":
        # By name: neither Ray nor what knows it belongs into the packaged app.
        return int(importlib.import_module(f"{__package__}.label_cluster").run(arguments))
    refuse_addresses(arguments.paths)
    settings = _settings(arguments)
    # Lines for a program and lines for a person do not mix.
    arguments.quiet = arguments.quiet or arguments.log_json == STANDARD_ERROR
    files = gather(arguments.paths, recursive=arguments.recursive)
    first = None if settings.watching else next(files, None)
    if first is None and not settings.watching:
        raise nothing_found(arguments.paths, recursive=arguments.recursive)
    panel = open_panel(arguments.panel)
    settings = replace(settings, precision=_plan(arguments, panel))
    # Before the output is touched.
    check_in_sandbox(panel, settings.precision)
    with LabelRun(panel, settings) as labelling, RunLog(arguments.log_json) as log:
        job = _Job(arguments, panel, labelling, log)
        try:
            return job.run(itertools.chain([first], files) if first else None)
        except BaseException as problem:
            code = problem.code if isinstance(problem, CxrError) else type(problem).__name__
            log.event("run_failed", code=code)
            raise


def _plan(arguments: argparse.Namespace, panel: Panel) -> PrecisionPlan:
    asked = checked_precision(arguments.precision)
    plan = plan_precision(panel, asked, checked_device(arguments.device))
    if plan.asked == "int8":
        arguments.device = "cpu"
    return plan


def _settings(arguments: argparse.Namespace) -> RunSettings:
    output = None if arguments.output == STANDARD_OUTPUT else Path(arguments.output)
    form = table_format(arguments.format, arguments.output)
    if output is None and form == "parquet":
        raise UsageError(
            "USAGE-05",
            "Parquet has its index at the end and cannot be streamed. Name a file with --output, "
            "or stream csv or jsonl.",
        )
    _keep_pictures_apart(arguments)
    refuse_precious_targets(arguments)
    return RunSettings(
        output=output,
        form=form,
        shape=arguments.shape,
        heatmaps=arguments.heatmaps,
        batch=arguments.batch,
        fresh=arguments.fresh,
        watching=arguments.watch,
    )


def refuse_precious_targets(arguments: argparse.Namespace) -> None:
    """Refuse a table or log in the place of a film, a model, a list or each other.

    Raises:
        UsageError: USAGE-05; see ``refuse_to_write_over``.
        OutputFailed: OUTPUT-03, OUTPUT-05.
    """
    log, output = arguments.log_json, Path(arguments.output)
    inputs = [] if arguments.list is None else [arguments.list]
    to_file = arguments.output != STANDARD_OUTPUT
    if to_file:
        refuse_to_write_over(output, "--output", inputs=inputs)
    if log is None or log == STANDARD_ERROR:
        return
    refuse_to_write_over(Path(log), "--log-json", inputs=inputs)
    if not to_file:
        return
    taken = {output.absolute(), output.with_name(f"{output.name}.run.json").absolute()}
    if Path(log).absolute() in taken:
        raise UsageError(
            "USAGE-05", "--log-json and --output name the same file. Give the log its own."
        )


def _keep_pictures_apart(arguments: argparse.Namespace) -> None:
    """Refuse heatmaps among the films: the next look or run would label them, without an end."""
    if arguments.heatmaps is None:
        return
    pictures = arguments.heatmaps.resolve()
    for path in arguments.paths:
        if not path.is_dir():
            continue
        folder = path.resolve()
        if pictures == folder or (arguments.recursive and folder in pictures.parents):
            raise UsageError(
                "USAGE-05",
                "The heatmaps would lie among the films and be labelled as films themselves. "
                "Choose a folder elsewhere for --heatmaps.",
            )


class _Job:
    """One call of the command: the run with its progress, output, log and summary."""

    def __init__(
        self, arguments: argparse.Namespace, panel: Panel, labelling: LabelRun, log: RunLog
    ) -> None:
        self._arguments = arguments
        self._panel = panel
        self._labelling = labelling
        self._log = log
        self._console = Console(stderr=True, soft_wrap=True, emoji=False)
        self._table = Table(panel, labelling.settings.shape)
        self._told = 0
        self._device = ""
        self._stopped_at_failure = False
        self._cut_short = False
        self._token = CancelToken()
        self._progress = RunProgress(self._console, quiet=arguments.quiet)
        self._started = datetime.datetime.now(datetime.UTC)
        self._clock = self._logged = time.monotonic()

    def run(self, files: Iterator[ImageFile] | None) -> int:
        """Label ``files``; None watches the paths instead, until somebody stops it."""
        arguments, settings = self._arguments, self._labelling.settings
        threads = arguments.threads or usable_cores()
        plan = batch_plan(threads, settings.batch)
        self._log_start()
        # Another precision where an earlier run on this output used it.
        check_in_sandbox(self._panel, self._labelling.precision)
        with (
            # Workers start while the models load.
            DecodePool(
                workers=plan.decoders,
                sizes=self._panel.input_sizes,
                film=settings.heatmaps is not None,
                ahead=plan.ahead,
            ) as decoder,
            StopSignals(self._token, self._say_stopping),
        ):
            session = WatchedSession(
                self._panel,
                checked_device(arguments.device),
                threads,
                streams=plan.streams,
                precision=checked_precision(arguments.precision),
                on_cpu=self._labelling.precision,
                keep=self._labelling.keep_now,
                on_hang=self._hung,
            )
            self._say_start(session)
            if settings.output is None and settings.form == "csv":
                _write_standard_output(self._table.header())
            bound = bounded_memory(self._panel, plan.streams, session.report.running)
            with self._progress, bound, contextlib.closing(session):
                if files is None:
                    self._watch(session, decoder)
                else:
                    threading.Thread(target=self._count, daemon=True, name="count").start()
                    self._label(files, session, decoder)
        return self._end(session)

    def _hung(self, problem: CxrError) -> None:
        """The last words of a run whose model does not come back."""
        self._log.event("run_failed", code=problem.code)
        sentence = f"{printable(str(problem))} [{problem.code}]"
        print(f"\ncxr-quorum: {sentence}", file=sys.stderr, flush=True)

    def _label(self, files: Iterable[ImageFile], session: PanelSession, decoder: Decoder) -> None:
        for row in self._labelling.results(
            files,
            session,
            decoder=decoder,
            cancel=self._token,
            on_resumed=self._resumed,
            on_case=lambda case, place: self._answered(case, place, session),
        ):
            self._finished(row)
        # A signal after the last image has interrupted nothing.
        self._cut_short = self._token.cancelled and not self._labelling.complete

    def _watch(self, session: PanelSession, decoder: Decoder) -> None:
        """Look, label what is complete, write the table when it is quiet; until Ctrl+C."""
        arguments = self._arguments
        watch = FolderWatch(arguments.paths, recursive=arguments.recursive)
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
                unwritten = self._labelling.settings.output is not None
            since = time.monotonic() - written
            busy = bool(arrived or watch.unsettled)
            if unwritten and since >= max(BUSY_TABLE_SECONDS if busy else 0, TABLE_SHARE * cost):
                cost = self._write(session)
                unwritten, written = False, time.monotonic()
            self._pause(max(arguments.interval, LOOK_SHARE * looked))

    def _pause(self, seconds: float) -> None:
        """Wait in small steps: waiting on the token itself could lock up in a signal handler."""
        end = time.monotonic() + seconds
        while not self._token.cancelled and (left := end - time.monotonic()) > 0:
            time.sleep(min(0.1, left))

    def _finished(self, row: TableRow) -> None:
        failed = row.result.status == "failed"
        settings = self._labelling.settings
        if settings.output is None and settings.form != "parquet":
            _write_standard_output("".join(self._table.lines_of(row, settings.form)))
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
        self._log_progress()

    def _end(self, session: PanelSession) -> int:
        settings = self._labelling.settings
        stopped_by_hand = self._token.cancelled and not self._stopped_at_failure
        interrupted = self._cut_short and stopped_by_hand
        if settings.output is not None:
            self._write(session)
        counts = self._labelling.counts
        seconds = time.monotonic() - self._clock
        code = EXIT_FAILED if counts.failed else EXIT_OK
        if interrupted and not settings.watching:
            code = EXIT_INTERRUPTED
        log_end(
            self._log,
            counts,
            seconds,
            code=code,
            complete=not self._cut_short,
            interrupted=interrupted,
        )
        if not self._arguments.quiet:
            lines = summary(counts, settings, seconds, interrupted=interrupted)
            if self._stopped_at_failure:
                lines.append(
                    "Stopped at the first image that failed, as asked with --on-error fail."
                )
            if self._log.lost:
                lines.append("The log could not be written to its end; the table is whole.")
            for line in lines:
                self._console.print(printable(line), highlight=False, markup=False)
        return code

    def _write(self, session: PanelSession) -> float:
        """Write table and manifest; returns the seconds it took."""
        settings = self._labelling.settings
        assert settings.output is not None
        began = time.monotonic()
        count = self._labelling.write_table()
        write_manifest(
            settings.output,
            RunInfo(
                panel=self._panel,
                report=session.report,
                settings=settings,
                counts=self._labelling.counts,
                started=self._started,
                seconds=time.monotonic() - self._clock,
                complete=not self._cut_short,
            ),
        )
        seconds = time.monotonic() - began
        self._log.event("table_written", images=count, took_seconds=round(seconds, 3))
        return seconds

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
        self._device = report.running
        if report.fell_back or report.int8 or self._console.is_terminal:
            say(report.sentence)
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

    def _log_start(self) -> None:
        settings, panel = self._labelling.settings, self._panel
        self._log.event(
            "run_started",
            app_version=desktop.__version__,
            panel=panel.name,
            panel_version=panel.version,
            models={model.name: model.sha256 for model in panel.models},
            format=settings.form,
            shape=settings.shape,
            batch=settings.batch,
            heatmaps=settings.heatmaps is not None,
            fresh=settings.fresh,
            watch=settings.watching,
        )

    def _answered(self, case: LabelledCase, place: int, session: PanelSession) -> None:
        if case.device != self._device:
            # An accelerator was given up in the middle of the run.
            self._device = case.device
            self._progress.say(session.report.sentence)
            self._log.event("device_changed", device=case.device, reason=session.report.reason)
        self._log_case(case, place)

    def _log_case(self, case: LabelledCase, place: int) -> None:
        self._log.event(
            "image",
            place=place,
            sha256=case.result.sha256,
            status=case.result.status,
            code=case.result.code,
            decode_seconds=round(case.decode_seconds, 4),
            infer_seconds=round(case.infer_seconds, 4),
        )
        self._log_progress()

    def _log_progress(self) -> None:
        now = time.monotonic()
        if now - self._logged < PROGRESS_SECONDS:
            return
        self._logged = now
        counts = self._labelling.counts
        self._log.event(
            "progress",
            images=counts.images,
            failed=counts.failed,
            resumed=counts.resumed,
            images_per_second=round((counts.images - counts.resumed) / (now - self._clock), 3),
        )


def _write_standard_output(text: str) -> None:
    if sys.stdout.isatty():
        # A file holds what a terminal would obey: there names are written as they are said.
        end = "\r\n" if text.endswith("\r\n") else "\n"
        text = end.join(printable(line) for line in text.split(end))
    # Bytes: the line ends are the table's own, whatever the terminal's encoding.
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def table_format(asked: str | None, output: str) -> TableFormat:
    """The format asked for, else by the output's ending, else CSV."""
    for form in FORMATS:
        if asked == form or (asked is None and output.lower().endswith(f".{form}")):
            return form
    return "csv"
