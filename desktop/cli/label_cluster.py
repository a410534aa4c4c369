"""``cxr-quorum label --engine ray``: the same command on many machines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from desktop.cli.common import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK
from desktop.cli.label_options import LabelOptions
from desktop.cli.reporter import Reporter
from desktop.cli.signals import StopSignals
from desktop.cluster.inputs import Film, list_films
from desktop.cluster.ray_backend import ClusterSettings, RayCluster, require_ray
from desktop.cluster.run import ClusterRun, PartSettings, checked_part_size, default_store
from desktop.cluster.worker import PartReport
from desktop.core.files.inputs import nothing_found
from desktop.core.files.path_list import is_address
from desktop.core.inference.devices import DeviceReport
from desktop.core.inference.precision import plan_precision
from desktop.core.inference.sandbox import check_in_sandbox
from desktop.core.panels.registry import open_panel
from desktop.core.system.cancel_token import CancelToken


def run(options: LabelOptions) -> int:
    """Label what the options name on a cluster; see ``desktop.cli.common`` for the exit codes."""
    parts = _part_settings(options)
    require_ray()
    films = list_films(options.paths, recursive=options.recursive)
    first = next(films, None)
    if first is None:
        raise nothing_found([Path(path) for path in options.paths], recursive=options.recursive)
    panel = open_panel(options.panel)
    # Once for all nodes: rows of two precisions do not mix.
    plan = plan_precision(panel, options.precision, options.device)
    # Here, once: the nodes run the very same bytes.
    check_in_sandbox(panel, plan)
    settings = replace(options.settings, precision=plan)
    if plan.asked == "int8":
        parts = replace(parts, device="cpu")
    with ClusterRun(panel, settings, parts) as labelling, Reporter(options, labelling) as reporter:
        return _ClusterJob(options, labelling, reporter).run(itertools.chain([first], films))


def _part_settings(options: LabelOptions) -> PartSettings:
    cluster, output = options.cluster, options.settings.output
    assert cluster is not None
    assert output is not None
    store = cluster.parts or default_store(output)
    return PartSettings(
        store=store if is_address(store) else str(Path(store).absolute()),
        size=checked_part_size(cluster.part_size) if cluster.part_size else None,
        threads=options.threads or 1,
        device=options.device,
        asked_precision=options.precision,
        recheck=cluster.recheck,
        merge=cluster.merge,
    )


class _ClusterJob:
    """A run on a cluster, from the listing to the table."""

    def __init__(self, options: LabelOptions, labelling: ClusterRun, reporter: Reporter) -> None:
        self._options = options
        self._labelling = labelling
        self._reporter = reporter
        self._progress = reporter.progress
        self._token = CancelToken()
        self._devices: set[str] = set()

    def run(self, films: Iterator[Film]) -> int:
        """List, label, put together."""
        labelling, cluster = self._labelling, self._options.cluster
        assert cluster is not None
        settings = ClusterSettings(address=cluster.address, actors=cluster.actors)
        with RayCluster(settings, self._notice) as backend:
            job = labelling.job()
            slots = backend.slots(job)
            total = labelling.plan(films, slots)
            self._progress.total(total)
            self._reporter.run_started(
                engine="ray", images=total, workers=slots, threads=job.threads, recheck=job.recheck
            )
            if self._reporter.console.is_terminal:
                self._progress.say(f"{total:,} images in parts, {slots} workers.")
            # Ray has handlers of its own until here.
            with StopSignals(self._token, self._say_stopping), self._progress:
                for report in labelling.results(backend, job, self._token):
                    self._finished(report)
        complete = labelling.complete
        self._reporter.write_table(self._report(), complete=complete)
        interrupted = self._token.cancelled and not complete
        code = EXIT_FAILED if labelling.counts.failed else EXIT_OK
        code = EXIT_INTERRUPTED if interrupted else code
        self._reporter.run_ended(code, complete=complete, interrupted=interrupted)
        return code

    def _finished(self, report: PartReport) -> None:
        self._devices.add(report.device)
        self._progress.advance_many(report.images, report.failed, report.images - report.resumed)
        self._reporter.log.event(
            "part",
            part=report.key,
            images=report.images,
            failed=report.failed,
            resumed=report.resumed,
            took_seconds=round(report.seconds, 3),
        )

    def _report(self) -> DeviceReport:
        """What ran, over all workers; a row's own device is in the row."""
        devices = sorted(self._devices - {""})
        running = devices[0] if devices else "cpu"
        reason = f"Workers ran on {', '.join(devices)}." if len(devices) > 1 else ""
        device, _, precision = running.partition(" ")
        return DeviceReport(
            self._options.device,
            device,
            (),
            reason,
            self._options.threads or 1,
            precision=precision or "fp32",
            int8=self._labelling.settings.precision.names if precision == "int8" else (),
        )

    def _notice(self, sentence: str) -> None:
        self._progress.say(sentence)
        self._reporter.log.event("notice", text=sentence)

    def _say_stopping(self) -> None:
        self._progress.say("Finishing the parts in hand. Press Ctrl+C again to stop now.")
        self._labelling.ask_to_stop()
