"""Decoding of untrusted bytes in worker processes: a decoder that dies or hangs costs one image.

SKELETON: the interface is settled, the body follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from desktop.core.errors import ImageRefused


@dataclass(frozen=True)
class Decoded:
    """What a worker made of one file: the model's pixels or the reason why not.

    Attributes:
        index: The caller's number of this file.
        path: The file.
        sha256: Hash of the bytes that were decoded, empty where they could not be read.
        pixels: uint8 [h, w, 1], the canonical model input, 0 = black; None where refused.
        refusal: None where ``pixels`` are there.
        seconds: Time in the worker: read, hash, decode, resize.
    """

    index: int
    path: Path
    sha256: str
    pixels: npt.NDArray[np.uint8] | None = field(compare=False, repr=False)
    refusal: ImageRefused | None
    seconds: float


class DecodePool:
    """Worker processes that turn files into model pixels.

    Use as a context manager; leaving it ends the workers within a second, also mid-decode. Starting
    is asynchronous (about 0.3 s), so create the pool before loading the models. Not thread-safe:
    one thread drives it.

    Args:
        workers: Number of processes, at least 1.
        size: (height, width) of the pixels in the results.
        time_limit_s: Seconds one image may take before its worker is killed (DECODE-06).
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        size: tuple[int, int] = (224, 224),
        time_limit_s: float = 30.0,
    ) -> None:
        raise NotImplementedError

    def decode(self, paths: Iterable[Path], *, ordered: bool = True) -> Iterator[Decoded]:
        """Decode many files, reading ahead a bounded number (about 16 a worker).

        ``paths`` is consumed lazily, so it may be endless. With ``ordered`` the results come in
        input order, else as they are done; index counts from 0. Every path gives exactly one
        result.
        """
        raise NotImplementedError

    @property
    def room(self) -> int:
        """How many files can be submitted now without exceeding the bound."""
        raise NotImplementedError

    def submit(self, index: int, path: Path) -> None:
        """Queue one file. Raises ValueError where there is no ``room``."""
        raise NotImplementedError

    def collect(self, timeout_s: float | None = None) -> list[Decoded]:
        """Results that are there, in any order; waits up to ``timeout_s`` for the first.

        Returns an empty list after the time or where nothing is queued. None waits without limit.
        """
        raise NotImplementedError

    def close(self) -> None:
        """End the workers; queued files are forgotten. Safe to call twice."""
        raise NotImplementedError

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
