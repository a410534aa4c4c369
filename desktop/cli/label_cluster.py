"""``cxr-quorum label --engine ray``: the same command on many machines."""

from __future__ import annotations

import argparse
import datetime
import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console

import desktop
from desktop.cli.label import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OK,
    refuse_precious_targets,
    table_format,
)
from desktop.cli.progress import RunProgress, log_end, summary
from desktop.cli.signals import StopSignals
from desktop.cluster.inputs import Film, list_films
from desktop.cluster.ray_backend import ClusterSettings, RayCluster, require_ray
from desktop.cluster.run import (
    ClusterRun,
    PartSettings,
    checked_part_size,
    default_store,
)
from desktop.cluster.worker import Job, PartReport
from desktop.core.batch.event_log import STANDARD_ERROR, RunLog
from desktop.core.batch.manifest import RunInfo, write_manifest
from desktop.core.batch.run import RunSettings
from desktop.core.errors import CxrError, UsageError
from desktop.core.files.inputs import nothing_found
from desktop.core.files.path_list import is_address
from desktop.core.inference.devices import DeviceReport, checked_device
from desktop.core.inference.precision import checked_precision, plan_precision
from desktop.core.inference.sandbox import check_in_sandbox
from desktop.core.panels.registry import open_panel
from desktop.core.system.cancel_token import CancelToken
from desktop.core.system.text import printable

_NOT_ON_CLUSTER = (
    ("watch", "--watch"),
    ("heatmaps", "--heatmaps"),
)


def run(arguments: argparse.Namespace) -> int:
    """Label what the arguments name on a cluster; see ``desktop.cli`` for the exit codes."""
    settings, parts = _settings(arguments)
    require_ray()
    arguments.quiet = arguments.quiet or arguments.log_json == STANDARD_ERROR
    films = list_films(arguments.paths, recursive=arguments.recursive)
    first = next(films, None)
    if first is None:
        raise nothing_found(
            [Path(place) for place in arguments.paths],
            recursive=arguments.recursive,
        )
    panel = open_panel(arguments.panel)
    # Once for all nodes: rows of two precisions do not mix.
    plan = plan_precision(panel, parts.asked_precision, checked_device(parts.device))
    settings = replace(settings, precision=plan)
    # Here, once: the nodes run the very same bytes.
    check_in_sandbox(panel, plan)
    if plan.asked == "int8":
        parts = replace(parts, device="cpu")
    with ClusterRun(panel, settings, parts) as labelling, RunLog(arguments.log_json) as log:
        job = _ClusterJob(arguments, labelling, log)
        try:
            return job.run(itertools.chain([first], films))
        except BaseException as problem:
            code = problem.code if isinstance(problem, CxrError) else type(problem).__name__
            log.event("run_failed", code=code)
            raise


def _settings(arguments: argparse.Namespace) -> tuple[RunSettings, PartSettings]:
    for name, word in _NOT_ON_CLUSTER:
        if getattr(arguments, name):
            raise UsageError("USAGE-05", f"{word} does not go with --engine ray. Leave one out.")
    if arguments.output == "-":
        raise UsageError(
            "USAGE-05", "--engine ray writes part files, not a stream. Name a file with --output."
        )
    if arguments.on_error == "fail":
        raise UsageError(
            "USAGE-05",
            "--on-error fail does not go with --engine ray: other nodes are already further. "
            "Look at the status column instead.",
        )
    output = Path(arguments.output)
    refuse_precious_targets(arguments)
    store = arguments.parts or default_store(output)
    settings = RunSettings(
        output=output,
        form=table_format(arguments.format, arguments.output),
        shape=arguments.shape,
        batch=arguments.batch,
        fresh=arguments.fresh,
    )
    return settings, PartSettings(
        store=store if is_address(store) else str(Path(store).absolute()),
        size=checked_part_size(arguments.part_size) if arguments.part_size else None,
        threads=arguments.threads or 1,
        device=checked_device(arguments.device),
        asked_precision=checked_precision(arguments.precision),
        recheck=arguments.recheck,
        merge=not arguments.no_merge,
    )


class _ClusterJob:
    """One call of the command: the run with its progress, log and summary."""

    def __init__(self, arguments: argparse.Namespace, labelling: ClusterRun, log: RunLog) -> None:
        self._arguments = arguments
        self._labelling = labelling
        self._log = log
        self._console = Console(stderr=True, soft_wrap=True)
        self._progress = RunProgress(self._console, quiet=arguments.quiet)
        self._token = CancelToken()
        self._started = datetime.datetime.now(datetime.UTC)
        self._clock = time.monotonic()
        self._devices: set[str] = set()

    def run(self, films: Iterator[Film]) -> int:
        """List, label, put together."""
        arguments, labelling = self._arguments, self._labelling
        settings = ClusterSettings(address=arguments.address, actors=arguments.actors)
        with RayCluster(settings, self._notice) as cluster:
            job = labelling.job()
            slots = cluster.slots(job)
            total = labelling.plan(films, slots)
            self._progress.total(total)
            self._log_start(job, slots)
            if self._console.is_terminal:
                self._progress.say(f"{total:,} images in parts, {slots} workers.")
            # Ray has handlers of its own until here.
            with StopSignals(self._token, self._say_stopping), self._progress:
                for report in labelling.results(cluster, job, self._token):
                    self._finished(report)
        return self._end()

    def _finished(self, report: PartReport) -> None:
        self._devices.add(report.device)
        self._progress.advance_many(report.images, report.failed, report.images - report.resumed)
        self._log.event(
            "part",
            part=report.key,
            images=report.images,
            failed=report.failed,
            resumed=report.resumed,
            took_seconds=round(report.seconds, 3),
        )

    def _end(self) -> int:
        labelling, settings = self._labelling, self._labelling.settings
        assert settings.output is not None
        interrupted = self._token.cancelled and not labelling.complete
        count = labelling.write_table()
        seconds = time.monotonic() - self._clock
        counts = labelling.counts
        write_manifest(
            settings.output,
            RunInfo(
                panel=labelling.panel,
                report=self._report(),
                settings=settings,
                counts=counts,
                started=self._started,
                seconds=seconds,
                complete=labelling.complete,
            ),
        )
        self._log.event("table_written", images=count)
        code = EXIT_FAILED if counts.failed else EXIT_OK
        if interrupted:
            code = EXIT_INTERRUPTED
        log_end(
            self._log,
            counts,
            seconds,
            code=code,
            complete=labelling.complete,
            interrupted=interrupted,
        )
        if not self._arguments.quiet:
            for line in summary(counts, settings, seconds, interrupted=interrupted):
                self._console.print(printable(line), highlight=False, markup=False)
        return code

    def _report(self) -> DeviceReport:
        """What ran, over all workers; a row's own device is in the row."""
        devices = sorted(self._devices - {""})
        running = devices[0] if devices else "cpu"
        reason = f"Workers ran on {', '.join(devices)}." if len(devices) > 1 else ""
        asked = checked_device(self._arguments.device)
        device, _, precision = running.partition(" ")
        return DeviceReport(
            asked,
            device,
            (),
            reason,
            self._arguments.threads or 1,
            precision=precision or "fp32",
            int8=self._labelling.settings.precision.names if precision == "int8" else (),
        )

    def _notice(self, sentence: str) -> None:
        self._progress.say(sentence)
        self._log.event("notice", text=sentence)

    def _say_stopping(self) -> None:
        self._progress.say("Finishing the parts in hand. Press Ctrl+C again to stop now.")
        self._labelling.ask_to_stop()

    def _log_start(self, job: Job, slots: int) -> None:
        panel, settings = self._labelling.panel, self._labelling.settings
        self._log.event(
            "run_started",
            app_version=desktop.__version__,
            panel=panel.name,
            panel_version=panel.version,
            models={model.name: model.sha256 for model in panel.models},
            format=settings.form,
            shape=settings.shape,
            batch=settings.batch,
            heatmaps=False,
            fresh=settings.fresh,
            watch=False,
            engine="ray",
            images=self._labelling.total,
            workers=slots,
            threads=job.threads,
            recheck=job.recheck,
        )
