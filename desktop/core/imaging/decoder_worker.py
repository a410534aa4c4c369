"""What runs inside a decoding process: files in, pixels in shared memory out.

Nothing here is trusted to survive: the parent (``decode_process``) replaces a worker that dies.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.cases import ImageFile
from desktop.core.error_codes import refused
from desktop.core.imaging.decoder import Decoded, decode_file
from desktop.core.system.processes import lower_priority, trim_heap

Sizes = tuple[tuple[int, int], ...]

ROOM_BYTES = 6 * 2**30
"""Address space a decoder may add to what its process starts with; more is DECODE-08."""

_GRACE_S = 5
_IDLE_S = 0.5


@dataclass(frozen=True)
class Task:
    """One file for a worker.

    Attributes:
        number: Unique in the pool; also what ``clock`` shows while the file is decoded.
        slot: Which part of the shared memory takes the pixels.
        source: The file.
        sizes: Input sizes of the models.
        film: Also keep the reduced film.
    """

    number: int
    slot: int
    source: ImageFile
    sizes: Sizes
    film: bool


@dataclass(frozen=True)
class Answer:
    """What a worker sends back; the arrays lie one after the other in the task's slot.

    Attributes:
        number: The task's.
        decoded: Without arrays.
        sizes: Which sizes are in the slot, in this order.
        film: Shape of the film behind them, None without one.
        trouble: Traceback where our own code failed, for the log; empty otherwise.
    """

    number: int
    decoded: Decoded
    sizes: Sizes = ()
    film: tuple[int, int] | None = None
    trouble: str = ""


class Ready:
    """First message of a worker: everything is imported."""


def work(
    connection: Connection, slab: Any, slot_bytes: int, clock: Any, time_limit_s: float
) -> None:
    """Answer tasks until the parent hangs up.

    Args:
        connection: Tasks come in, answers go out, in order.
        slab: Shared array of bytes, cut in slots of ``slot_bytes``.
        slot_bytes: Bytes of a slot.
        clock: Shared array of two doubles: number and start (``time.monotonic``) of the task in
            hand.
        time_limit_s: After this and some grace the operating system ends this process, even where
            the parent no longer can.
    """
    _settle()
    memory = np.frombuffer(slab, np.uint8)
    with contextlib.suppress(EOFError, OSError):
        connection.send(Ready())
        while True:
            if not connection.poll(_IDLE_S):
                trim_heap()
            task: Task | None = connection.recv()
            if task is None:
                return
            clock[0], clock[1] = task.number, time.monotonic()
            _alarm(time_limit_s + _GRACE_S)
            slot = memory[task.slot * slot_bytes : (task.slot + 1) * slot_bytes]
            answer = _answer(task, slot)
            _alarm(0)
            clock[0] = -1
            connection.send(answer)


def _answer(task: Task, slot: npt.NDArray[np.uint8]) -> Answer:
    try:
        decoded = decode_file(task.source, task.sizes, film=task.film)
        place = 0
        for size in task.sizes:
            if size in decoded.pixels:
                place = _put(slot, place, decoded.pixels[size])
        film = None
        if decoded.film is not None:
            _put(slot, place, decoded.film)
            film = (decoded.film.shape[0], decoded.film.shape[1])
        sizes = tuple(size for size in task.sizes if size in decoded.pixels)
        return Answer(task.number, replace(decoded, pixels={}, film=None), sizes, film)
    except MemoryError:
        refusal = refused("DECODE-08", task.source.path)
        return Answer(task.number, Decoded(task.source, "", code=refusal.code, reason=str(refusal)))
    except Exception:  # our own mistake: it costs this image and is told in the log
        refusal = refused("DECODE-07", task.source.path)
        return Answer(
            task.number,
            Decoded(task.source, "", code=refusal.code, reason=str(refusal)),
            trouble=logging.Formatter().formatException(sys.exc_info()),
        )


def _put(slot: npt.NDArray[np.uint8], place: int, array: npt.NDArray[np.uint8]) -> int:
    slot[place : place + array.size] = array.reshape(-1)
    return place + array.size


def take(answer: Answer, slot: npt.NDArray[np.uint8]) -> Decoded:
    """Copy the arrays of an answer out of its slot, in the parent."""
    pixels: dict[tuple[int, int], npt.NDArray[np.uint8]] = {}
    place = 0
    for height, width in answer.sizes:
        pixels[height, width] = (
            slot[place : place + height * width].copy().reshape(height, width, 1)
        )
        place += height * width
    film = None
    if answer.film is not None:
        height, width = answer.film
        film = slot[place : place + height * width].copy().reshape(height, width)
    frozen: Mapping[tuple[int, int], npt.NDArray[np.uint8]] = pixels
    return replace(answer.decoded, pixels=frozen, film=film)


def _settle() -> None:
    """Leave Ctrl+C to the parent, write no core dumps of patients, bound the memory."""
    lower_priority(0)
    # Decoders in C write their opinion of damaged files there; ours goes to the parent.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.close(silence)
    if sys.platform == "win32":
        return
    import resource

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            now = int(file.read().split()[0]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (now + ROOM_BYTES, hard))


def _alarm(seconds: float) -> None:
    """Have the kernel end this process; a decoder that hangs holds the GIL, so no thread could."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)
