"""Decoding of untrusted bytes in worker processes: a decoder that dies or hangs costs one image.

Workers are spawned, never forked, and hold a fixed number of slots in shared memory each. A slot
has room for one file's pixels, so a worker can run ahead while the parent is busy, memory is
bounded, and the pipe only carries small messages. The shared memory has no name: nothing is left
behind by kill -9.
"""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.cases import ImageFile
from desktop.core.error_codes import refused
from desktop.core.errors import CxrError, ImageRefused
from desktop.core.imaging.decoders.child import NEEDS_OTHER_CODECS, ROOM_BYTES, DecoderChild
from desktop.core.imaging.decoders.decoder import DECODE_LIMIT_S, FILM_SIDE, Decoded
from desktop.core.imaging.decoders.worker import READY, Answer, Sizes, Task, take, work
from desktop.core.system.text import printable

DEFAULT_SIZES: Sizes = ((224, 224),)

_CRASHES_PER_IMAGE = 2  # the first may have been bad luck, such as a full memory
_FAILED_STARTS = 3
_LOOK_S = 0.1
_LAST_MOMENT_S = 0.5

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
        room_bytes: Memory that a worker may take for an image (DECODE-08).
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        ahead: int = 16,
        sizes: Sizes = DEFAULT_SIZES,
        film: bool = False,
        time_limit_s: float = DECODE_LIMIT_S,
        room_bytes: int = ROOM_BYTES,
    ) -> None:
        self._room_bytes = room_bytes
        self._count = max(1, workers)
        self._slots = max(1, -(-ahead // self._count))
        self._most = 2 * self._count * self._slots
        self._time_limit_s = time_limit_s
        self._numbers = itertools.count()
        self._done: deque[tuple[int, Decoded]] = deque()
        self._wanted: dict[int, int] = {}
        self._slot_bytes = _slot_bytes(sizes, film)
        self._closed = False
        self._failed_starts = 0
        self._workers = [self._new_worker()]

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
        taken = len(self._done) + sum(len(worker.jobs) for worker in self._workers)
        return max(0, self._count * self._slots - taken)

    @property
    def in_progress(self) -> int:
        """Files submitted whose results have not been collected."""
        return len(self._wanted) + len(self._done)

    @property
    def handles(self) -> list[Any]:
        """What ``multiprocessing.connection.wait`` can wait for, beside handles of the caller."""
        return [handle for worker in self._workers for handle in worker.handles]

    def submit(
        self, key: int, source: ImageFile, sizes: Sizes = DEFAULT_SIZES, *, film: bool = False
    ) -> None:
        """Queue one file for the least busy worker.

        Args:
            key: Comes back with the result.
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
        if not any(worker.free for worker in self._workers) and len(self._workers) < self._count:
            self._workers.append(self._new_worker())
        worker = min(self._workers, key=lambda one: len(one.jobs))
        if not worker.free:
            raise ValueError("there is no room")
        job = _Job(next(self._numbers), source, sizes, film)
        self._wanted[job.number] = key
        self._give(worker, job)

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
            worker.close()
        self._workers.clear()

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _new_worker(self, *, dicom: bool = False) -> _Worker:
        return _Worker(
            self._slots,
            self._slot_bytes,
            self._time_limit_s,
            dicom=dicom,
            room_bytes=self._room_bytes,
        )

    def _grow(self, needed: int) -> None:
        """Larger slots need fresh workers; what the old ones hold is handed over."""
        self._slot_bytes = needed
        before, self._workers = self._workers, []
        for worker in before:
            worker.close()
            self._workers.append(self._new_worker(dicom=worker.dicom))
            for job in worker.jobs:
                self._give(self._workers[-1], job)

    def _poll(self, timeout_s: float) -> None:
        """Take in what the workers say, and look after them."""
        ready = set(wait(self.handles, timeout_s))
        for worker in self._workers:
            # Or closed the pipe that tells of its end, which none of ours does.
            dead = not ready.isdisjoint(worker.handles[1:]) or not worker.alive
            if dead or worker.connection in ready:
                try:
                    self._read_answers(worker)
                except (EOFError, OSError, ValueError):
                    dead = True  # or says what no worker of ours would
            if dead:
                worker.wait(_LAST_MOMENT_S)
                worker.kill()
                worker.wait()
                self._replace_worker(worker, late=worker.ended_itself())
            elif worker.seconds_in_progress() > self._time_limit_s:
                worker.kill()
                worker.wait()
                self._replace_worker(worker, late=True)

    def _read_answers(self, worker: _Worker) -> None:
        while worker.connection.poll():
            answer = worker.answer(Answer)
            worker.heard()
            if answer.number == READY:
                self._failed_starts = 0
                continue
            if not worker.jobs or worker.jobs[0].number != answer.number:
                raise ValueError("an answer that nobody asked for")
            job = worker.jobs[0]
            decoded = take(answer, job.source, job.sizes, worker.slot(job.slot))
            if answer.trouble:
                # Without the file's name, which may be a patient's; the row has it.
                _log.error("Decoding a file failed: %s", printable(answer.trouble))
            worker.jobs.popleft()
            worker.free.append(job.slot)
            self._finish(job, decoded)

    def _replace_worker(self, worker: _Worker, *, late: bool) -> None:
        """Blame the image in hand, if there is one, and go on with a fresh worker."""
        left = list(worker.jobs)
        guilty = worker.in_progress()
        other_codecs = worker.exit_code == NEEDS_OTHER_CODECS and not worker.dicom
        if guilty is not None and not other_codecs:
            guilty.crashes += 1
            if late or guilty.crashes >= _CRASHES_PER_IMAGE:
                left.remove(guilty)
                code = "DECODE-06" if late else worker.death_code()
                problem = refused(code, guilty.source.path, f"{self._time_limit_s:g} s")
                self._refuse(guilty, problem, self._time_limit_s)
        elif guilty is None and not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= _FAILED_STARTS:
                self.close()
                raise CxrError(
                    "DECODER-01",
                    "The process that decodes images cannot be started, so no image can be read. "
                    "Free some memory or install the app again.",
                )
        worker.close()
        fresh = self._new_worker(dicom=worker.dicom or other_codecs)
        self._workers[self._workers.index(worker)] = fresh
        for job in left:
            self._give(fresh, job)

    def _give(self, worker: _Worker, job: _Job) -> None:
        try:
            worker.take_job(job)
        except ImageRefused as refusal:
            self._refuse(job, refusal, 0.0)

    def _refuse(self, job: _Job, problem: ImageRefused, seconds: float) -> None:
        self._finish(
            job, Decoded(job.source, "", code=problem.code, reason=str(problem), seconds=seconds)
        )

    def _finish(self, job: _Job, decoded: Decoded) -> None:
        key = self._wanted.pop(job.number, None)
        if key is not None:
            self._done.append((key, decoded))


@dataclass
class _Job:
    """One file on its way, whichever worker has it."""

    number: int
    source: ImageFile
    sizes: Sizes
    film: bool
    slot: int = 0
    crashes: int = 0


class _Worker(DecoderChild):
    """One process, its slots and what it was given, oldest first: it answers in that order."""

    def __init__(self, slots: int, slot_bytes: int, time_limit_s: float, **options: Any) -> None:
        self._slot_bytes = slot_bytes
        # Anonymous shared memory: it goes when the last process does.
        slab = multiprocessing.get_context("spawn").RawArray("B", slots * slot_bytes)
        self._memory = np.frombuffer(slab, np.uint8)
        self.jobs: deque[_Job] = deque()
        self.free = list(range(slots))
        self.ready = False
        self._begun = 0.0
        super().__init__(work, slab, slot_bytes, time_limit_s, name="decode", **options)

    def take_job(self, job: _Job) -> None:
        """Queue a job; where the process died, the next look finds out.

        Raises:
            ImageRefused: Its file cannot be opened.
        """
        job.slot = self.free[-1]
        task = Task(job.number, job.slot, job.source.path.name, job.sizes, job.film)
        self.give(task, job.source.path)
        self.free.pop()
        if not self.jobs:
            self._begun = time.monotonic()
        self.jobs.append(job)

    def heard(self) -> None:
        """It said something, so what it has in hand it has begun now."""
        self.ready = True
        self._begun = time.monotonic()

    def slot(self, slot: int) -> npt.NDArray[np.uint8]:
        return self._memory[slot * self._slot_bytes : (slot + 1) * self._slot_bytes]

    def in_progress(self) -> _Job | None:
        """What it is (or died) decoding."""
        return self.jobs[0] if self.ready and self.jobs else None

    def seconds_in_progress(self) -> float:
        return time.monotonic() - self._begun if self.in_progress() else 0.0

    def ended_itself(self) -> bool:
        """True where the kernel's alarm went off, because the parent was busy elsewhere."""
        return hasattr(signal, "SIGALRM") and self.exit_code == -signal.SIGALRM


def _slot_bytes(sizes: Sizes, film: bool) -> int:
    return sum(height * width for height, width in sizes) + (FILM_SIDE**2 if film else 0)
