"""Progress on standard error: a bar with rate and time left, or a line now and then in a log.

The words at the end of a run.
"""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from desktop.core.batch.run import RunCounts, RunSettings
from desktop.core.system.text import printable

LINE_SECONDS = 10.0


class RunProgress:
    """Shows how far a run is, on a console on standard error. Use as a context manager."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._started = self._told = time.monotonic()
        self._done = self._failed = self._labelled = 0
        self._total: int | None = None
        self._bar: Progress | None = None
        if console.is_terminal and not quiet:
            self._bar = Progress(
                TextColumn("Labelling"),
                BarColumn(bar_width=None),
                MofNCompleteColumn(),
                _RateColumn(),
                TimeRemainingColumn(elapsed_when_finished=True),
                TextColumn("{task.fields[failed]}"),
                console=console,
                transient=True,
                speed_estimate_period=60,
            )
            self._task = self._bar.add_task("", total=None, failed="")

    def total(self, count: int) -> None:
        """Say how many images there are, once that is known; any thread."""
        self._total = count
        if self._bar is not None:
            self._bar.update(self._task, total=count)

    def advance(self, *, failed: bool, fresh: bool = True) -> None:
        """One more image is finished; not ``fresh`` = taken over from an earlier run."""
        self.advance_many(1, int(failed), int(fresh))

    def advance_many(self, images: int, failed: int, fresh: int) -> None:
        """So many more images are finished, so many of them failed and so many not taken over."""
        self._done += images
        self._failed += failed
        self._labelled += fresh
        if self._bar is not None:
            words = f"{self._failed:,} failed" if self._failed else ""
            self._bar.update(self._task, advance=images, failed=words)
        elif not self._quiet and time.monotonic() - self._told >= LINE_SECONDS:
            self._told = time.monotonic()
            self._console.print(self._line(), highlight=False)

    def say(self, sentence: str) -> None:
        """Print a sentence above the bar, on one line that the terminal does not act on."""
        if not self._quiet:
            words = printable(sentence)
            self._console.print(words, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def __enter__(self) -> RunProgress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _line(self) -> str:
        seconds = max(1e-6, time.monotonic() - self._started)
        rate = self._labelled / seconds  # what was taken over says nothing of the speed
        line = f"{self._done:,}"
        if self._total is not None:
            left = (self._total - self._done) / rate if rate else 0
            line += f" of {self._total:,} images, {rate:.1f} images/s, {duration(left)} left"
        else:
            line += f" images, {rate:.1f} images/s"
        return line + (f", {self._failed:,} failed" if self._failed else "")


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} images/s")


def duration(seconds: float) -> str:
    """``0:07``, ``12:34``, ``3:25:10``."""
    hours, rest = divmod(max(0, round(seconds)), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


_STAGES = {"decode": "decode", "infer": "models", "draw": "pictures", "write": "write"}


def summary(
    counts: RunCounts, settings: RunSettings, seconds: float, *, interrupted: bool
) -> list[str]:
    """Lines that say what a run did.

    Args:
        seconds: Wall-clock time.
        interrupted: Somebody stopped it before its end.
    """
    fresh = counts.images - counts.resumed
    rate = f", {fresh / seconds:.1f} images/s" if fresh and seconds > 0.5 else ""
    if settings.watching:
        rate = ""
    lines = [f"{image_count(counts.images)} in {duration(seconds)}{rate}."]
    if counts.resumed:
        lines.append(f"{counts.resumed:,} taken over from an earlier run.")
    if fresh:
        lines.append(stage_words(counts))
    if counts.consensus:
        votes = ", ".join(f"{n:,} {word}" for word, n in counts.consensus.most_common())
        lines.append(f"Consensus: {votes}.")
    if counts.ood:
        lines.append(f"{counts.ood:,} unlike the training images.")
    if counts.none_of_these:
        lines.append(f"{counts.none_of_these:,} none of the panel's classes.")
    if counts.no_lungs:
        lines.append(f"No lungs found on {image_count(counts.no_lungs)}.")
    if counts.failed:
        codes = ", ".join(f"{n:,} {code}" for code, n in counts.codes.most_common())
        lines.append(f"{counts.failed:,} failed ({codes}); cxr-quorum codes explains them.")
    if settings.output is not None:
        lines.append(f"Table: {settings.output}")
    if settings.heatmaps is not None:
        lines.append(f"Heatmaps: {settings.heatmaps}")
    if settings.lungs is not None:
        lines.append(f"Lungs: {settings.lungs}")
    if interrupted:
        kept = "is kept" if counts.images == 1 else "are kept"
        rest = "; the same command goes on with the rest." if settings.output else "."
        lines.append(f"Stopped. {image_count(counts.images)} {kept}{rest}")
    return lines


def stage_words(counts: RunCounts) -> str:
    """Where the time went: work of all processes and threads, and what the models waited."""
    work = ", ".join(
        f"{word} {counts.stages[stage]:.1f} s"
        for stage, word in _STAGES.items()
        if stage != "draw" or counts.draw_seconds
    )
    return f"Work of all cores: {work}; the models waited {counts.wait_seconds:.1f} s."


def image_count(count: int) -> str:
    """``1 image``, ``2,000 images``."""
    return f"{count:,} image" + ("" if count == 1 else "s")
