"""What runs inside a decoding process of the pool: files in, pixels in shared memory out.

Nothing here is trusted to survive: the parent (``pool``) replaces a worker that dies.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.cases import ImageFile
from desktop.core.error_codes import IMAGE_REFUSALS, refused
from desktop.core.imaging.decoders.child import Encloser, send_answer
from desktop.core.imaging.decoders.decoder import FILM_SIDE, Decoded, decode_file
from desktop.core.imaging.file_reader import FileBytes
from desktop.core.imaging.raster import MAX_PIXELS
from desktop.core.system.processes import set_alarm, trim_heap

Sizes = tuple[tuple[int, int], ...]

_GRACE_S = 5
_IDLE_S = 0.5


@dataclass(frozen=True)
class Task:
    """One file for a worker.

    Attributes:
        number: Unique in the pool.
        slot: Which part of the shared memory takes the pixels.
        name: The file's name, for the sentence of a refusal.
        sizes: Input sizes of the models.
        film: Also keep the reduced film.
    """

    number: int
    slot: int
    name: str
    sizes: Sizes
    film: bool


@dataclass(frozen=True)
class Answer:
    """What a worker sends back; the arrays lie one after the other in the task's slot.

    Attributes:
        number: The task's; ``READY`` for the first message: everything is imported.
        sha256: As in ``Decoded``, like ``code``, ``reason`` and ``seconds``.
        film: Shape of the film behind the pixels, None without one.
        full_size: As in ``Decoded``.
        trouble: Traceback where our own code failed, for the log; empty otherwise.
    """

    number: int
    sha256: str = ""
    code: str = ""
    reason: str = ""
    seconds: float = 0.0
    film: tuple[int, int] | None = None
    full_size: tuple[int, int] = (0, 0)
    trouble: str = ""


READY = -1


def work(
    connection: Connection, encloser: Encloser, slab: Any, slot_bytes: int, time_limit_s: float
) -> None:
    """Answer tasks until the parent hangs up.

    Args:
        connection: Answers go out, in the order of the tasks.
        encloser: Tasks and their files come in.
        slab: Shared array of bytes, cut in slots of ``slot_bytes``.
        slot_bytes: Bytes of a slot.
        time_limit_s: After this and some grace the operating system ends this process, even where
            the parent no longer can.
    """
    memory = np.frombuffer(slab, np.uint8)
    send_answer(connection, Answer(READY))
    while True:
        if not connection.poll(_IDLE_S):
            trim_heap()
        task, read = encloser.take(Task)
        set_alarm(time_limit_s + _GRACE_S)
        slot = memory[task.slot * slot_bytes : (task.slot + 1) * slot_bytes]
        answer = _answer(task, read, slot)
        set_alarm(0)
        send_answer(connection, answer)


def _answer(
    task: Task, read: Callable[[PurePath], FileBytes], slot: npt.NDArray[np.uint8]
) -> Answer:
    source = ImageFile(Path(task.name), task.name)
    try:
        decoded = decode_file(source, task.sizes, film=task.film, read=read)
        offset = 0
        for size in task.sizes:
            if size in decoded.pixels:
                offset = _put(slot, offset, decoded.pixels[size])
        film = None
        if decoded.film is not None:
            _put(slot, offset, decoded.film)
            film = (decoded.film.shape[0], decoded.film.shape[1])
        return Answer(
            task.number,
            decoded.sha256,
            decoded.code,
            decoded.reason,
            decoded.seconds,
            film,
            decoded.full_size,
        )
    except MemoryError:
        refusal = refused("DECODE-08", source.path)
        return Answer(task.number, code=refusal.code, reason=str(refusal))
    except Exception:  # our own mistake: it costs this image and is told in the log
        refusal = refused("DECODE-07", source.path)
        return Answer(
            task.number,
            code=refusal.code,
            reason=str(refusal),
            trouble=logging.Formatter().formatException(sys.exc_info()),
        )


def _put(slot: npt.NDArray[np.uint8], offset: int, array: npt.NDArray[np.uint8]) -> int:
    slot[offset : offset + array.size] = array.reshape(-1)
    return offset + array.size


def take(answer: Answer, source: ImageFile, sizes: Sizes, slot: npt.NDArray[np.uint8]) -> Decoded:
    """Copy the arrays of an answer out of its slot, in the parent.

    Raises:
        ValueError: No decoder of ours would answer so.
    """
    sound = answer.code in IMAGE_REFUSALS if answer.code else answer.reason == ""
    digits = len(answer.sha256) in (0, 64) and set(answer.sha256) <= set("0123456789abcdef")
    fits = answer.film is None or all(0 < side <= FILM_SIDE for side in answer.film)
    height, width = answer.full_size
    fits = fits and min(height, width) >= 0 and height * width <= MAX_PIXELS
    if not (sound and digits and fits and answer.reason.isprintable() and answer.seconds >= 0):
        raise ValueError("not an answer of ours")
    pixels: dict[tuple[int, int], npt.NDArray[np.uint8]] = {}
    film, offset = None, 0
    if not answer.code:
        for height, width in sizes:
            end = offset + height * width
            pixels[height, width] = slot[offset:end].copy().reshape(height, width, 1)
            offset = end
    if answer.film is not None:
        height, width = answer.film
        film = slot[offset : offset + height * width].copy().reshape(height, width)
    frozen: Mapping[tuple[int, int], npt.NDArray[np.uint8]] = pixels
    return Decoded(
        source,
        answer.sha256,
        frozen,
        film,
        answer.code,
        answer.reason,
        answer.seconds,
        answer.full_size,
    )
