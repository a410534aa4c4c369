"""What the window's thread spends, on the clock and of the processor, and tables with a verdict.

On a machine that does other work a clock measures that work too. The kernel counts for each thread
how long it ran and how long it was ready but had to wait for a core; the wait is told apart here,
and so is the share of the machine that other programs took.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Spent(NamedTuple):
    """Milliseconds of one piece of work.

    Attributes:
        wall: On the clock.
        cpu: Of the calling thread's own processor time.
        waited: Ready to run, but no core was free; 0 where the kernel does not tell.
    """

    wall: float
    cpu: float
    waited: float

    @property
    def own(self) -> float:
        """Clock without the wait for a core: computing, waiting for locks, for the disk."""
        return max(0.0, self.wall - self.waited)

    def __sub__(self, other: tuple[float, ...]) -> Spent:
        return Spent(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


class ThreadGauge:
    """Reads the clocks of the thread that made it."""

    def __init__(self) -> None:
        path = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._file = path.open("rb", buffering=0) if path.exists() else None

    def now(self) -> Spent:
        """All three clocks, in ms since some moment."""
        waited = 0.0
        if self._file is not None:
            self._file.seek(0)
            waited = int(self._file.read().split()[1]) / 1e6
        return Spent(1e3 * time.perf_counter(), 1e3 * time.thread_time(), waited)

    @contextlib.contextmanager
    def measure(self, into: list[Spent]) -> Iterator[None]:
        """Append what the block cost."""
        start = self.now()
        yield
        into.append(self.now() - start)


@dataclass(frozen=True)
class Figure:
    """One line of a table.

    Attributes:
        name: What was measured.
        wall: On the clock, in ``unit``.
        own: The same without the wait for a core; None where it makes no sense.
        cpu: Processor time of the window's thread; None where it makes no sense.
        bar: What must not be passed; None = told for interest only.
        unit: ``ms``, ``s`` or ``MB``.
    """

    name: str
    wall: float
    own: float | None = None
    cpu: float | None = None
    bar: float | None = None
    unit: str = "ms"

    @property
    def verdict(self) -> str:
        """``met``, ``met alone`` (but for waiting for a core) or ``NOT MET``; empty without bar."""
        if self.bar is None:
            return ""
        if self.wall <= self.bar:
            return "met"
        if self.own is not None and self.own <= self.bar:
            return "met alone"
        return "NOT MET"


def percentile(
    name: str, spent: Sequence[Spent], share: float, bar: float | None = None, per: float = 1.0
) -> Figure:
    """A percentile of each clock by itself; ``per`` divides (1000 for seconds)."""
    columns = [[one.wall for one in spent], [one.own for one in spent], [one.cpu for one in spent]]
    wall, own, cpu = (float(np.percentile(column, share)) / per for column in columns)
    return Figure(name, wall, own, cpu, bar, "s" if per == 1000 else "ms")


def print_figures(figures: Iterable[Figure]) -> bool:
    """Print the table; True where a bar is missed even without the wait for a core."""
    missed = False
    disturbance = _SINCE_THE_START.others()
    print(f"{'':48s} {'clock':>9s} {'own':>9s} {'GUI cpu':>9s} {'bar':>9s}")
    for one in figures:
        cells = [
            f"{value:9.1f}" if value is not None else " " * 9
            for value in (one.wall, one.own, one.cpu, one.bar)
        ]
        print(f"{one.name:48s} {' '.join(cells)} {one.unit:3s} {one.verdict}", flush=True)
        missed |= one.verdict == "NOT MET"
    print(
        "clock = as a watch has it; own = without the time this thread was ready and no core was\n"
        "free; GUI cpu = processor time of the window's thread. met alone: own is within the bar."
    )
    if disturbance is not None:
        print(f"Other programs took {disturbance:.0%} of the cores' time meanwhile.")
    return missed


class Disturbance:
    """How much of the machine went to others than this process and what it started."""

    def __init__(self) -> None:
        self._start = self._read()

    def others(self) -> float | None:
        """Share of all cores' time since this object was made, 0 to 1; None if nobody can tell."""
        now = self._read()
        if self._start is None or now is None:
            return None
        whole, busy, own = (late - early for late, early in zip(now, self._start, strict=True))
        return max(0.0, (busy - own) / max(1.0, whole))

    @staticmethod
    def _read() -> tuple[float, float, float] | None:
        """Ticks of all cores: passed, busy (or stolen by the host), busy with us."""
        try:
            with Path("/proc/stat").open() as stream:
                ticks = [int(word) for word in stream.readline().split()[1:9]]
        except OSError:
            return None
        own = 0
        for pid in family(os.getpid()):
            with contextlib.suppress(OSError):
                # User and system time, and that of ended children, behind the name in brackets.
                words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                own += sum(int(word) for word in words[11:15])
        idle = ticks[3] + ticks[4]
        return sum(ticks), sum(ticks) - idle, own


def resident_mb(pid: int | str = "self") -> float:
    """Resident memory of a process in MB, 0 where it cannot be asked."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        yield one
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())


def family_mb(pid: int) -> dict[str, float]:
    """Proportional memory (PSS) in MB of a process and all below it, by process number."""
    found: dict[str, float] = {}
    for one in family(pid):
        with contextlib.suppress(OSError):
            rolled = Path(f"/proc/{one}/smaps_rollup").read_text()
            pss = next(line for line in rolled.splitlines() if line.startswith("Pss:"))
            found[str(one)] = int(pss.split()[1]) / 1024
    return found


_SINCE_THE_START = Disturbance()
