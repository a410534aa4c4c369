"""Memory that is no longer used goes back to the system.

The C library keeps what was freed for the next time. That is right between two films and wrong for
good: loading four models leaves 100 MB behind that nothing ever asks for again.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

_SMALL = 256 << 10
_HUGE_PAGE = 2 << 20


def _trimmer() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    # Only glibc has it; other C libraries give memory back by themselves.
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


_TRIM = _trimmer()


def give_back() -> None:
    """Return freed memory to the system; some milliseconds, so call it when nobody waits."""
    if _TRIM is not None:
        _TRIM(0)


def bytes_apart(size: int) -> npt.NDArray[np.uint8]:
    """Room for something large and short-lived, uint8 [size], outside the heap.

    It goes back to the system in the moment its last array does. On the heap a hundred films that
    come and go leave holes that the next ones do not fit in, and the process grows for an hour.

    Raises:
        MemoryError: There is no room.
    """
    if size < _SMALL or sys.platform == "win32":
        return np.empty(size, np.uint8)
    try:
        room = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as full:
        raise MemoryError(f"no room for {size} bytes") from full
    if size >= 2 * _HUGE_PAGE and hasattr(mmap, "MADV_HUGEPAGE"):
        # One fault for each 2 MB and not for each 4 KB.
        room.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(room, np.uint8)
