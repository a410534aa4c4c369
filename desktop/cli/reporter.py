"""What a run tells while it goes on: sentences to a person, events to a log, the files at its end.

The same for a run on this machine and for one on a cluster.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable
from typing import Protocol

from rich.console import Console

import desktop
from desktop.cli.label_options import LabelOptions
from desktop.cli.progress import RunProgress, summary
from desktop.core.batch.event_log import RunLog
from desktop.core.batch.manifest import RunInfo, write_manifest
from desktop.core.batch.run import RunCounts, RunSettings
from desktop.core.errors import CxrError
from desktop.core.inference.devices import DeviceReport
from desktop.core.panels.registry import Panel
from desktop.core.system.text import printable


class Labelling(Protocol):
    """A ``LabelRun`` or a ``ClusterRun``."""

    panel: Panel
    settings: RunSettings
    counts: RunCounts

    def write_table(self) -> int:
        """Write the table; returns the number of images in it."""
        ...


class Reporter:
    """Progress, log and manifest of one run. Use as a context manager: leaving closes the log.

    Raises:
        OutputFailed: The log cannot be opened.
    """

    def __init__(self, options: LabelOptions, labelling: Labelling) -> None:
        self.console = Console(stderr=True, soft_wrap=True, emoji=False)
        self.progress = RunProgress(self.console, quiet=options.quiet)
        self.log = RunLog(options.log)
        self._quiet = options.quiet
        self._labelling = labelling
        self._started = datetime.datetime.now(datetime.UTC)
        self._clock = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time since the run began."""
        return time.monotonic() - self._clock

    def run_started(self, **facts: str | int | bool | None) -> None:
        """Log what runs and how."""
        panel, settings = self._labelling.panel, self._labelling.settings
        self.log.event(
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
            **facts,
        )

    def write_table(self, report: DeviceReport, *, complete: bool) -> float:
        """Write table and manifest; returns the seconds it took."""
        labelling, began = self._labelling, time.monotonic()
        assert labelling.settings.output is not None
        images = labelling.write_table()
        write_manifest(
            labelling.settings.output,
            RunInfo(
                panel=labelling.panel,
                report=report,
                settings=labelling.settings,
                counts=labelling.counts,
                started=self._started,
                seconds=self.seconds,
                complete=complete,
            ),
        )
        took = time.monotonic() - began
        self.log.event("table_written", images=images, took_seconds=round(took, 3))
        return took

    def run_ended(
        self, code: int, *, complete: bool, interrupted: bool, notes: Iterable[str] = ()
    ) -> None:
        """Log how the run ended, and print its summary with ``notes`` behind."""
        counts, seconds = self._labelling.counts, self.seconds
        self.log.event(
            "run_ended",
            exit_code=code,
            complete=complete,
            interrupted=interrupted,
            images=counts.images,
            failed=counts.failed,
            resumed=counts.resumed,
            by_code=dict(counts.codes),
            wall_seconds=round(seconds, 3),
            stage_seconds={stage: round(value, 3) for stage, value in counts.stages.items()},
        )
        if self._quiet:
            return
        lines = summary(counts, self._labelling.settings, seconds, interrupted=interrupted)
        lines += notes
        if self.log.lost:
            lines.append("The log could not be written to its end; the table is whole.")
        for line in lines:
            self.console.print(printable(line), highlight=False, markup=False)

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            code = error.code if isinstance(error, CxrError) else type(error).__name__
            self.log.event("run_failed", code=code)
        self.log.__exit__(kind, error, trace)
