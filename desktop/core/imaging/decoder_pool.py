"""Decoding of untrusted bytes in worker processes: a decoder that dies or hangs costs one image.

Workers are spawned, never forked, and hold a fixed number of slots in shared memory each. A slot
has room for one file's pixels, so a worker can run ahead while the parent is busy, memory is
bounded, and the pipe only carries small messages. The shared memory has no name: nothing is left
behind by kill -9.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any

import numpy as np

from desktop.core.cases import ImageFile
from desktop.core.error_codes import refused
from desktop.core.errors import CxrError
from desktop.core.imaging.decoder import DECODE_LIMIT_S, FILM_SIDE, Decoded
from desktop.core.imaging.decoder_worker import Answer, Ready, Sizes, Task, take, work
from desktop.core.system.processes import start_child

DEFAULT_SIZES: Sizes = ((224, 224),)

_CRASHES_PER_IMAGE = 2  # the first may have been bad luck, such as a full memory
_FAILED_STARTS = 3
_LOOK_S = 0.1

_log = logging.getLogger(__name__)


class DecodePool:
    """Worker processes that turn files into model pixels; keeps the ``Decoder`` protocol.

    Use as a context manager; leaving it ends the workers at once, also mid-decode. Starting is
    asynchronous, so create the pool before loading the models. One thread drives it. The first
    process is started at once, the others when there is more in hand than those before them hold:
    starting one costs as much as decoding sixty films.

    Args:
        workers: Number of processes at most, at least 1.
        ahead: Files decoded or in hand before they are asked for, over all workers.
        sizes: Input sizes (height, width) to make room for; others later cost a restart.
        film: Also make room for reduced films.
        time_limit_s: Seconds one image may take before its worker is ended (DECODE-06).
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        ahead: int = 16,
        sizes: Sizes = DEFAULT_SIZES,
        film: bool = False,
        time_limit_s: float = DECODE_LIMIT_S,
    ) -> None:
        self._count = max(1, workers)
        self._slots = max(1, -(-ahead // self._count))
        self._most = 2 * self._count * self._slots
        self._time_limit_s = time_limit_s
        self._numbers = itertools.count()
        self._done: deque[tuple[int, Decoded]] = deque()
        self._wanted: dict[int, int] = {}
        self._slot_bytes = _slot_bytes(sizes, film)
        self._workers: list[_Worker] = []
        self._closed = False
        self._start(1)

    def decode(
        self, sources: Iterable[ImageFile], sizes: Sizes, *, film: bool = False
    ) -> Iterator[Decoded]:
        """Decode many files in order, ``ahead`` of the caller; one result a source.

        ``sources`` is read lazily, so it may still be growing. Closing the generator forgets what
        is in hand.

        Raises:
            CxrError: DECODER-01 where workers cannot be started at all.
        """
        early: dict[int, Decoded] = {}
        begun = finished = 0
        ended = False
        waiting = iter(sources)
        try:
            while not ended or finished < begun:
                # Bounded also where one slow image holds up the order of many fast ones.
                while not ended and self.room and begun - finished < self._most:
                    source = next(waiting, None)
                    if source is None:
                        ended = True
                    else:
                        self.submit(begun, source, sizes, film=film)
                        begun += 1
                if finished in early:
                    yield early.pop(finished)
                    finished += 1
                elif finished < begun:
                    early.update(self.collect())
                elif not ended:
                    self._poll(_LOOK_S)  # an earlier run's files still fill the slots
        finally:
            self.forget()

    @property
    def room(self) -> int:
        """How many files can be submitted now."""
        taken = len(self._done) + sum(len(worker.tasks) for worker in self._workers)
        return max(0, self._count * self._slots - taken)

    @property
    def in_progress(self) -> int:
        """Files submitted whose results have not been collected."""
        return len(self._wanted) + len(self._done)

    @property
    def handles(self) -> list[Any]:
        """What ``multiprocessing.connection.wait`` can wait for, beside handles of the caller."""
        waiting: list[Any] = [worker.connection for worker in self._workers]
        return waiting + [worker.process.sentinel for worker in self._workers]

    def submit(
        self, key: int, source: ImageFile, sizes: Sizes = DEFAULT_SIZES, *, film: bool = False
    ) -> None:
        """Queue one file for the least busy worker.

        Args:
            key: Comes back with the result.
            source: The file.
            sizes: Input sizes to make.
            film: Also keep the reduced film.

        Raises:
            ValueError: There is no ``room``, or the pool is closed.
        """
        if self._closed:
            raise ValueError("the pool is closed")
        needed = _slot_bytes(sizes, film)
        if needed > self._slot_bytes:
            self._grow(needed)
        if not any(worker.free for worker in self._workers):
            self._start(1)
        worker = min(self._workers, key=lambda one: len(one.tasks))
        if not worker.free:
            raise ValueError("there is no room")
        task = Task(next(self._numbers), worker.free.pop(), source, sizes, film)
        self._wanted[task.number] = key
        worker.tasks.append(task)
        worker.give(task)

    def collect(self, timeout_s: float | None = None) -> list[tuple[int, Decoded]]:
        """Results with their keys, in any order; waits up to ``timeout_s`` for the first.

        Empty after that time or where nothing is queued; None waits as long as it takes.

        Raises:
            CxrError: DECODER-01 where workers cannot be started at all.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._done and self._wanted:
            left = _LOOK_S if deadline is None else min(_LOOK_S, deadline - time.monotonic())
            self._poll(max(0.0, left))
            if deadline is not None and time.monotonic() >= deadline:
                break
        else:
            self._poll(0.0)
        found = list(self._done)
        self._done.clear()
        return found

    def forget(self) -> None:
        """Drop every result that was not collected; the workers finish what they hold unheard."""
        self._wanted.clear()
        self._done.clear()

    def close(self) -> None:
        """End the workers; what is queued is forgotten. Safe to call twice."""
        self._closed = True
        self.forget()
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self, more: int) -> None:
        for _ in range(min(more, self._count - len(self._workers))):
            self._workers.append(_Worker(self._slots, self._slot_bytes, self._time_limit_s))

    def _grow(self, needed: int) -> None:
        """Larger slots need fresh workers; what the old ones hold is handed over."""
        held = [task for worker in self._workers for task in worker.tasks]
        count = len(self._workers)
        for worker in self._workers:
            worker.end()
        self._workers.clear()
        self._slot_bytes = needed
        self._start(count)
        for place, task in enumerate(held):
            self._workers[place % count].take_over([task])

    def _poll(self, timeout_s: float) -> None:
        """Take in what the workers say, and look after them."""
        ready = set(wait(self.handles, timeout_s))
        for worker in self._workers:
            if worker.connection in ready or worker.process.sentinel in ready:
                self._read_answers(worker)
            if not worker.process.is_alive():
                self._read_answers(worker)  # what it said with its last breath
                self._replace_worker(worker, late=worker.ended_itself())
            elif worker.seconds_in_hand() > self._time_limit_s:
                worker.kill()
                self._read_answers(worker)
                self._replace_worker(worker, late=True)

    def _read_answers(self, worker: _Worker) -> None:
        for answer in worker.answers():
            if answer.trouble:
                # Without the file's name, which may be a patient's; the row has it.
                _log.error("Decoding a file failed: %s", answer.trouble)
            task = worker.finish(answer.number)
            key = self._wanted.pop(answer.number, None)
            if key is not None:
                self._done.append((key, take(answer, worker.slot(task.slot))))
            worker.free.append(task.slot)

    def _replace_worker(self, worker: _Worker, *, late: bool) -> None:
        """Blame the image in hand, if there is one, and go on with a fresh worker."""
        left = list(worker.tasks)
        guilty = worker.in_progress()
        if guilty is not None:
            worker.crashes[guilty.number] = worker.crashes.get(guilty.number, 0) + 1
            if late or worker.crashes[guilty.number] >= _CRASHES_PER_IMAGE:
                left.remove(guilty)
                self._refuse(guilty, "DECODE-06" if late else "DECODE-07")
        elif not worker.was_ready:
            worker.failed_starts += 1
            if worker.failed_starts >= _FAILED_STARTS:
                self.close()
                raise CxrError(
                    "DECODER-01",
                    "The process that decodes images cannot be started, so no image can be read. "
                    "Free some memory or install the app again.",
                )
        worker.restart(left)

    def _refuse(self, task: Task, code: str) -> None:
        key = self._wanted.pop(task.number, None)
        if key is not None:
            refusal = refused(code, task.source.path, f"{self._time_limit_s:g} s")
            decoded = Decoded(
                task.source, "", code=code, reason=str(refusal), seconds=self._time_limit_s
            )
            self._done.append((key, decoded))


class _Worker:
    """One process, its slots and what it was given, oldest first."""

    def __init__(self, slots: int, slot_bytes: int, time_limit_s: float) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._slots, self._slot_bytes, self._time_limit_s = slots, slot_bytes, time_limit_s
        # Anonymous shared memory: it goes when the last process does.
        self._slab = self._context.RawArray("B", slots * slot_bytes)
        self._clock = self._context.RawArray("d", [-1.0, 0.0])
        self._memory = np.frombuffer(self._slab, np.uint8)
        self.crashes: dict[int, int] = {}
        self.failed_starts = 0
        self._spawn()

    def _spawn(self) -> None:
        self.tasks: deque[Task] = deque()
        self.free = list(range(self._slots))
        self.was_ready = False
        self._clock[0] = -1.0
        self.connection, theirs = self._context.Pipe()
        self.process = self._context.Process(
            target=work,
            args=(theirs, self._slab, self._slot_bytes, self._clock, self._time_limit_s),
            name="decode",
            daemon=True,
        )
        start_child(self.process)
        theirs.close()

    def give(self, task: Task) -> None:
        # If it died, the next look finds out and hands the task to its successor.
        with contextlib.suppress(OSError):
            self.connection.send(task)

    def answers(self) -> Iterator[Answer]:
        """Messages that are there; a broken pipe ends them like an empty one."""
        try:
            while self.connection.poll():
                message = self.connection.recv()
                if isinstance(message, Ready):
                    self.was_ready = True
                    self.failed_starts = 0
                else:
                    yield message
        except (EOFError, OSError):
            return

    def finish(self, number: int) -> Task:
        task = next(task for task in self.tasks if task.number == number)
        self.tasks.remove(task)
        self.crashes.pop(number, None)
        return task

    def slot(self, slot: int) -> Any:
        return self._memory[slot * self._slot_bytes : (slot + 1) * self._slot_bytes]

    def in_progress(self) -> Task | None:
        """The task it is (or died) decoding."""
        number = self._clock[0]
        return next((task for task in self.tasks if task.number == number), None)

    def seconds_in_hand(self) -> float:
        number, start = float(self._clock[0]), float(self._clock[1])
        if number < 0 or number != self._clock[0] or self.in_progress() is None:
            return 0.0
        return time.monotonic() - start

    def ended_itself(self) -> bool:
        """True where the kernel's alarm went off, because the parent was busy elsewhere."""
        return hasattr(signal, "SIGALRM") and self.process.exitcode == -signal.SIGALRM

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    def restart(self, tasks: list[Task]) -> None:
        """A fresh process in the same memory, with what the last one left."""
        self.end()
        crashes, starts = self.crashes, self.failed_starts
        self._spawn()
        self.crashes, self.failed_starts = crashes, starts
        self.take_over(tasks)

    def take_over(self, tasks: list[Task]) -> None:
        for task in tasks:
            mine = Task(task.number, self.free.pop(), task.source, task.sizes, task.film)
            self.tasks.append(mine)
            self.give(mine)

    def end(self) -> None:
        self.connection.close()
        self.kill()
        self.process.close()


def _slot_bytes(sizes: Sizes, film: bool) -> int:
    return sum(height * width for height, width in sizes) + (FILM_SIDE**2 if film else 0)
