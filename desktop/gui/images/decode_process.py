"""A child process that decodes films and thumbnails for the screen, one at a time.

Compressed DICOM decoders hold the interpreter lock for the whole decode, which in a thread would
freeze the window for a second; here they only make the picture late. A decoder that dies or hangs
costs one picture. This module knows nothing of Qt: the child imports it and must stay small.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from desktop.core.error_codes import refused
from desktop.core.errors import CxrError
from desktop.core.imaging.decode import (
    Radiograph,
    Window,
    eight_bit,
    read_radiograph,
    value_range,
    window_presets,
)
from desktop.core.imaging.decoder import DECODE_LIMIT_S
from desktop.core.system.processes import allocate_buffer, lower_priority, start_child, trim_heap
from desktop.gui.images.pyramid import Grey, halvings

Kind = Literal["film", "thumbnail"]
THUMBNAIL_SIDE = 128
_IDLE_S = 0.5


@dataclass(frozen=True)
class PictureJob:
    """One file to decode.

    Attributes:
        case: The caller's number of it.
        path: The file.
        kind: ``film`` at full depth or ``thumbnail``.
        opening: The caller's number of the open folder. Numbers of cases begin anew with each, so
            what comes back after another one was opened must not be taken for its film.
    """

    case: int
    path: Path
    kind: Kind = "film"
    opening: int = 0


@dataclass(frozen=True)
class Prepared:
    """What can be worked out of a film before it is shown.

    Attributes:
        halvings: As in ``film_levels``.
        windows: Its window presets.
        full: Its lowest and highest grey value.
    """

    halvings: tuple[Grey, ...]
    windows: tuple[Window, ...]
    full: tuple[float, float]


@dataclass(frozen=True)
class Picture:
    """What became of a job: film, thumbnail or refusal.

    Attributes:
        job: The job.
        film: The film at full depth, with ``prepared``.
        thumbnail: uint8 [THUMBNAIL_SIDE, THUMBNAIL_SIDE], cover-cropped.
        refusal: Why there is no picture.
    """

    job: PictureJob
    film: Radiograph | None = None
    prepared: Prepared | None = None
    thumbnail: npt.NDArray[np.uint8] | None = None
    refusal: CxrError | None = None


class PictureProcess:
    """The parent's side: a queue that can be replaced at any time, and the thread that serves it.

    Args:
        on_done: Called on this object's thread with every picture; must not raise.
        name: Name of thread and process, for whoever looks at the process list.
        nice: Added to the child's niceness: decoding ahead must not delay the window's own drawing.
    """

    def __init__(self, on_done: Callable[[Picture], None], name: str, nice: int = 0) -> None:
        self._on_done = on_done
        self._name = name
        self._nice = nice
        self._jobs: list[PictureJob] = []
        self._in_hand: PictureJob | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._child: BaseProcess | None = None
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def want(self, jobs: Sequence[PictureJob]) -> None:
        """Replace what waits, first to be decoded first; the one in hand is still finished."""
        with self._changed:
            self._jobs = [job for job in jobs if job != self._in_hand]
            self._changed.notify()

    @property
    def waiting(self) -> int:
        """Jobs that wait or are in hand."""
        with self._changed:
            return len(self._jobs) + (self._in_hand is not None)

    def close(self) -> None:
        """End thread and child, also mid-decode; safe to call twice."""
        with self._changed:
            self._closed = True
            self._jobs = []
            child = self._child
            self._changed.notify()
        if child is not None:
            child.kill()
        self._thread.join(5)

    def _serve(self) -> None:
        self._start_child()
        while (job := self._next()) is not None:
            picture = self._ask(job)
            with self._changed:
                self._in_hand = None
                if self._closed:
                    break
            self._on_done(picture)
        self._end_child()

    def _next(self) -> PictureJob | None:
        with self._changed:
            while not self._jobs and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            self._in_hand = self._jobs.pop(0)
            return self._in_hand

    def _ask(self, job: PictureJob) -> Picture:
        if self._connection is None:
            self._start_child()
        connection = self._connection
        assert connection is not None
        try:
            connection.send(job)
            if not connection.poll(DECODE_LIMIT_S):
                self._end_child()
                return Picture(job, refusal=refused("DECODE-06", job.path, f"{DECODE_LIMIT_S:g} s"))
            header, sizes = connection.recv()
            buffers = [receive_bytes(connection, size) for size in sizes]
            picture = pickle.loads(header, buffers=buffers)
        except (OSError, EOFError, pickle.UnpicklingError):
            # The child died on this file (or was ended because the window closes).
            self._end_child()
            return Picture(job, refusal=refused("DECODE-07", job.path))
        assert isinstance(picture, Picture)
        return picture

    def _start_child(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        child = context.Process(
            target=serve_pictures, args=(theirs, self._nice), name=self._name, daemon=True
        )
        with self._changed:
            if self._closed:
                ours.close()
                theirs.close()
                return
            start_child(child)
            self._child, self._connection = child, ours
        theirs.close()

    def _end_child(self) -> None:
        with self._changed:
            child, connection = self._child, self._connection
            self._child = self._connection = None
        if connection is not None:
            connection.close()
        if child is not None:
            child.kill()
            child.join(5)
            child.close()


def serve_pictures(connection: Connection, nice: int = 0) -> None:
    """The child's main loop: a job in, a picture out, until the pipe closes."""
    lower_priority(nice)
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            if not connection.poll(_IDLE_S):
                trim_heap()
            picture = decode_picture(connection.recv())
            buffers: list[pickle.PickleBuffer] = []
            header = pickle.dumps(picture, protocol=5, buffer_callback=buffers.append)
            views = [buffer.raw() for buffer in buffers]
            connection.send((header, [view.nbytes for view in views]))
            for view in views:
                send_bytes(connection, view)


def send_bytes(connection: Connection, view: memoryview) -> None:
    """Send a large buffer as it lies in memory; ``receive_bytes`` at the other end takes it."""
    if sys.platform == "win32":
        connection.send_bytes(view)
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as plain:
        plain.sendall(view)


def receive_bytes(connection: Connection, size: int) -> npt.NDArray[np.uint8]:
    """Take ``size`` bytes into memory of their own, uint8 [size].

    ``Connection.recv_bytes`` would copy them in pieces of 64 KB with the interpreter's lock held,
    and the window stutters when a large film arrives; here the lock is free all the while.

    Raises:
        EOFError: The other end is gone.
    """
    buffer = allocate_buffer(size)
    if sys.platform == "win32":
        connection.recv_bytes_into(buffer)
        return buffer
    view = memoryview(buffer)
    with socket.socket(fileno=os.dup(connection.fileno())) as plain:
        while view.nbytes:
            taken = plain.recv_into(view, view.nbytes, socket.MSG_WAITALL)
            if not taken:
                raise EOFError
            view = view[taken:]
    return buffer


def decode_picture(job: PictureJob) -> Picture:
    """Decode one file in this process."""
    try:
        if job.kind == "film":
            film = read_radiograph(job.path)
            prepared = Prepared(halvings(film.values), window_presets(film), value_range(film))
            return Picture(job, film, prepared)
        film = eight_bit(read_radiograph(job.path, at_least=2 * THUMBNAIL_SIDE))
        return Picture(job, thumbnail=cover_crop(film, THUMBNAIL_SIDE))
    except CxrError as refusal:
        return Picture(job, refusal=refusal)


def cover_crop(film: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """The middle square of a film, uint8 [side, side]."""
    height, width = film.shape
    square = min(height, width)
    top, left = (height - square) // 2, (width - square) // 2
    image = Image.fromarray(film).resize(
        (side, side),
        Image.Resampling.BILINEAR,
        box=(left, top, left + square, top + square),
        reducing_gap=2.0,
    )
    return np.asarray(image)
