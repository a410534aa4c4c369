"""Files to model tensors, ahead of the models and in order.

``decode_file`` is what one worker does with one file; whatever runs it (threads here, child
processes for untrusted bytes) keeps the ``Decoder`` protocol.
"""

from __future__ import annotations

import hashlib
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from desktop.core.cases import ImageFile
from desktop.core.errors import ImageRefused
from desktop.core.imaging.decode import decode, eight_bit, model_pixels
from desktop.core.imaging.file_reader import MAX_FILE_BYTES, FileBytes, read_file
from desktop.core.system.cancel_token import CancelToken

FILM_SIDE = 1024
DECODE_LIMIT_S = 60.0
"""Seconds that decoding one file may take, in the batch and in the window (DECODE-06).

Generous: on a busy machine a sound compressed film has taken more than 30 s in a niced process.
"""


@dataclass(frozen=True)
class Decoded:
    """What became of one file before the models.

    Attributes:
        sha256: Hash of its bytes, empty where they could not be read.
        pixels: uint8 [h, w, 1] for each input size asked for; empty where refused.
        film: uint8 [H, W], longer side at most ``FILM_SIDE``; None where not asked for or refused.
        code: Code of the refusal, empty where decoded.
        reason: Sentence of the refusal, empty where decoded.
        seconds: Time that reading, hashing and decoding took.
        full_size: (height, width) of the film in the file; (0, 0) where refused.
    """

    source: ImageFile
    sha256: str
    pixels: Mapping[tuple[int, int], npt.NDArray[np.uint8]] = field(default_factory=dict)
    film: npt.NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)
    code: str = ""
    reason: str = ""
    seconds: float = 0.0
    full_size: tuple[int, int] = (0, 0)


class Decoder(Protocol):
    """Something that decodes many files, in order, never more than a few ahead."""

    def decode(
        self, sources: Iterable[ImageFile], sizes: tuple[tuple[int, int], ...], *, film: bool
    ) -> Iterator[Decoded]:
        """One result a source, in order; refusals are results, not exceptions."""
        ...


def decode_file(
    source: ImageFile,
    sizes: tuple[tuple[int, int], ...],
    *,
    film: bool,
    read: Callable[[PurePath], FileBytes] = read_file,
) -> Decoded:
    """Read, hash and decode one file; a refusal is a result.

    Args:
        sizes: Input sizes (height, width) of the models, pixels.
        film: Also keep the 8-bit film, for pictures.
        read: Gives its bytes.
    """
    start = time.perf_counter()
    sha256, full_size = "", (0, 0)
    try:
        # Read once: hash and pixels can never come from different contents.
        file = read(source.path)
        sha256 = file.sha256
        # Twice the input, so that the JPEG decoder may skip detail; training reads the same way.
        radiograph = decode(file, at_least=2 * max(map(max, sizes)))
        full_size = radiograph.full_size
        whole = eight_bit(radiograph)
        pixels = {size: model_pixels(whole, size) for size in sizes}
        small = _reduced(whole) if film else None
        code = reason = ""
    except ImageRefused as refusal:
        pixels, small, full_size = {}, None, (0, 0)
        code, reason = refusal.code, str(refusal)
    return Decoded(
        source=source,
        sha256=sha256,
        pixels=pixels,
        film=small,
        code=code,
        reason=reason,
        seconds=time.perf_counter() - start,
        full_size=full_size,
    )


def file_sha256(path: Path, cancel: CancelToken | None = None) -> str:
    """Hash of a file's bytes, as ``read_file`` gives it.

    Empty where it cannot be read, is no regular file or larger than any film, and where ``cancel``
    is set before its end.
    """
    digest, left = hashlib.sha256(), MAX_FILE_BYTES
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > left:
            return ""
        with path.open("rb", buffering=0) as stream:
            while chunk := stream.read(1 << 20):
                left -= len(chunk)
                if left < 0 or (cancel is not None and cancel.cancelled):
                    return ""
                digest.update(chunk)
    except (OSError, ValueError):
        return ""
    return digest.hexdigest()


class ThreadDecoder:
    """Decode in threads of this process: for trusted files. Pillow releases the GIL, DICOM not.

    Args:
        threads: Files decoded at once.
        ahead: Files decoded before they are asked for; bounds the memory.
        cancel: Stops taking new files.
    """

    def __init__(
        self, threads: int = 1, ahead: int = 16, cancel: CancelToken | None = None
    ) -> None:
        self._threads = max(1, threads)
        self._ahead = max(1, ahead)
        self._cancel = cancel or CancelToken()

    def decode(
        self, sources: Iterable[ImageFile], sizes: tuple[tuple[int, int], ...], *, film: bool
    ) -> Iterator[Decoded]:
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="decode")
        pending: deque[Future[Decoded]] = deque()
        try:
            for source in sources:
                if self._cancel.cancelled:
                    break
                pending.append(pool.submit(decode_file, source, sizes, film=film))
                if len(pending) >= self._ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _reduced(film: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """At most FILM_SIDE on the longer side, so that a few films ahead stay a few megabytes."""
    longest = max(film.shape)
    if longest <= FILM_SIDE:
        return film
    height, width = (max(1, round(side * FILM_SIDE / longest)) for side in film.shape)
    resized = Image.fromarray(film).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized)
