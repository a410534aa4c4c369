"""A child process that decodes films and thumbnails for the screen, one at a time.

Compressed DICOM decoders hold the interpreter lock for the whole decode, which in a thread would
freeze the window for a second; here they only make the picture late. A decoder that dies or hangs
costs one picture. This module knows nothing of Qt: the child imports it and must stay small.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path, PurePath
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from desktop.core.error_codes import IMAGE_REFUSALS, refused
from desktop.core.errors import CxrError, ImageRefused
from desktop.core.imaging.decode import (
    Radiograph,
    Window,
    decode,
    eight_bit,
    value_range,
    window_presets,
)
from desktop.core.imaging.decoders.child import (
    NEEDS_OTHER_CODECS,
    DecoderChild,
    Encloser,
    send_answer,
)
from desktop.core.imaging.decoders.decoder import DECODE_LIMIT_S
from desktop.core.imaging.file_reader import FileBytes, read_file
from desktop.core.system.processes import set_alarm, trim_heap
from desktop.gui.images.pyramid import Grey, halvings

Kind = Literal["film", "thumbnail"]
THUMBNAIL_SIDE = 128
_IDLE_S = 0.5
_TRIES = 2  # the first death may have been bad luck, such as a full memory
_LAST_MOMENT_S, _GRACE_S = 0.5, 5.0


@dataclass(frozen=True)
class PictureJob:
    """One file to decode.

    Attributes:
        case: The caller's number of it.
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
        self._in_progress: PictureJob | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._child: DecoderChild | None = None
        self._dicom = False
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def want(self, jobs: Sequence[PictureJob]) -> None:
        """Replace what waits, first to be decoded first; the one in progress is still finished."""
        with self._changed:
            self._jobs = [job for job in jobs if job != self._in_progress]
            self._changed.notify()

    @property
    def waiting(self) -> int:
        """Jobs that wait or are in progress."""
        with self._changed:
            return len(self._jobs) + (self._in_progress is not None)

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
                self._in_progress = None
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
            self._in_progress = self._jobs.pop(0)
            return self._in_progress

    def _ask(self, job: PictureJob) -> Picture:
        code = ""
        try:
            for _ in range(_TRIES):
                child = self._child or self._start_child()
                child.give(_Order(job.kind, job.path.name), job.path)
                if not child.connection.poll(DECODE_LIMIT_S):
                    code = "DECODE-06"
                    break
                try:
                    return _picture(job, child.answer(_Answer))
                except (EOFError, OSError, ValueError):
                    # It died, perhaps for want of memory or because the window closes.
                    child.wait(_LAST_MOMENT_S)
                    code = child.death_code()
                    self._dicom = self._dicom or child.exit_code == NEEDS_OTHER_CODECS
                    self._end_child()
        except ImageRefused as refusal:
            return Picture(job, refusal=refusal)
        self._end_child()
        return Picture(job, refusal=refused(code, job.path, f"{DECODE_LIMIT_S:g} s"))

    def _start_child(self) -> DecoderChild:
        child = DecoderChild(serve_pictures, dicom=self._dicom, name=self._name, nice=self._nice)
        with self._changed:
            self._child = child
            if self._closed:
                child.kill()
        return child

    def _end_child(self) -> None:
        with self._changed:
            child, self._child = self._child, None
        if child is not None:
            child.close()


@dataclass(frozen=True)
class _Order:
    kind: Kind
    name: str


@dataclass(frozen=True)
class _Answer:
    """A ``Picture`` without its job."""

    film: Radiograph | None = None
    prepared: Prepared | None = None
    thumbnail: npt.NDArray[np.uint8] | None = None
    code: str = ""
    reason: str = ""


def serve_pictures(connection: Connection, encloser: Encloser) -> None:
    """The child's main loop: an order in, a picture out, until the pipe closes."""
    while True:
        if not connection.poll(_IDLE_S):
            trim_heap()
        order, read = encloser.take(_Order)
        set_alarm(DECODE_LIMIT_S + _GRACE_S)
        picture = decode_picture(PictureJob(0, Path(order.name), order.kind), read)
        set_alarm(0)
        code, reason = ("", "") if picture.refusal is None else _words(picture.refusal)
        send_answer(
            connection, _Answer(picture.film, picture.prepared, picture.thumbnail, code, reason)
        )


def _words(refusal: CxrError) -> tuple[str, str]:
    return refusal.code, str(refusal)


def _picture(job: PictureJob, answer: _Answer) -> Picture:
    """The answer of a process that is not trusted.

    Raises:
        ValueError: No decoder of ours would answer so.
    """
    if answer.code:
        if answer.code not in IMAGE_REFUSALS or not answer.reason.isprintable():
            raise ValueError("not a refusal of ours")
        return Picture(job, refusal=ImageRefused(answer.code, answer.reason))
    film, prepared, thumbnail = answer.film, answer.prepared, answer.thumbnail
    if job.kind == "thumbnail":
        if thumbnail is None or thumbnail.shape != (THUMBNAIL_SIDE, THUMBNAIL_SIDE):
            raise ValueError("not a thumbnail of ours")
        return Picture(job, thumbnail=thumbnail)
    if film is None or prepared is None or not film.windows or not 1 <= film.bits <= 16:
        raise ValueError("not a film of ours")
    if film.values.ndim != 2 or not film.values.size or film.values.max() >= 2**film.bits:
        raise ValueError("not a film of ours")
    return Picture(job, film, prepared)


def decode_picture(job: PictureJob, read: Callable[[PurePath], FileBytes] = read_file) -> Picture:
    try:
        file = read(job.path)
        if job.kind == "film":
            film = decode(file)
            prepared = Prepared(halvings(film.values), window_presets(film), value_range(film))
            return Picture(job, film, prepared)
        small = eight_bit(decode(file, at_least=2 * THUMBNAIL_SIDE))
        return Picture(job, thumbnail=cover_crop(small, THUMBNAIL_SIDE))
    except CxrError as refusal:
        return Picture(job, refusal=refusal)
    except MemoryError:
        return Picture(job, refusal=refused("DECODE-08", job.path))


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
