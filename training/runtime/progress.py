"""Progress for people: a bar with rate and time left on a terminal, a line an epoch in a log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

#: Texts are printed as they are: names of files may hold what Rich would take for marks.
CONSOLE = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


class Reporter:
    """Shows the progress of one run."""

    def __init__(self, title: str, bar: Bar) -> None:
        self._title, self._bar = title, bar
        self._task = bar.add_task(title, total=None, note="")
        self._started = time.monotonic()
        self._first_step: int | None = None

    def step(self, progress: Progress) -> None:
        """A step is done."""
        if self._first_step is None:
            self._first_step = progress.step
        note = f"epoch {progress.epoch + 1}/{progress.epochs}  loss {progress.loss:.3f}"
        self._bar.update(self._task, total=progress.steps, completed=progress.step, note=note)

    def epoch(self, row: dict[str, float]) -> None:
        """An epoch is done; printed above the bar, so that it stays."""
        CONSOLE.print(
            f"{self._title}  epoch {row['epoch']:.0f}  loss {row['loss']:.3f}  validation AUC "
            f"{row['val_macro_auc']:.4f}  balanced accuracy {row['val_balanced_accuracy']:.4f}  "
            f"{row['seconds']:.0f} s"
        )


@contextmanager
def reporting(title: str) -> Iterator[Reporter]:
    """A reporter on stderr."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%  {task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=CONSOLE, disable=not CONSOLE.is_terminal, transient=True) as bar:
        yield Reporter(title, bar)


@dataclass(frozen=True)
class Progress:
    """One step done: ``step`` of ``steps`` of the whole run, and the loss so far in this epoch."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
