"""Memory that is no longer used goes back to the system.

The C library keeps what was freed for the next time. That is right between two films and wrong for
good: loading four models leaves 100 MB behind that nothing ever asks for again.

Child processes that need nothing from the program they belong to, and do not get in its way.
"""

from __future__ import annotations

import ctypes
import mmap
import multiprocessing.process
import os
import signal
import sys
import threading
import types
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


def trim_heap() -> None:
    """Return freed memory to the system; some milliseconds, so call it when nobody waits."""
    if _TRIM is not None:
        _TRIM(0)


def allocate_buffer(size: int) -> npt.NDArray[np.uint8]:
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


_lock = threading.Lock()


def start_child(process: multiprocessing.process.BaseProcess) -> None:
    """Start a spawned process without importing the parent's main module in it.

    Spawned children run the main module again, under another name, in case they need something from
    it. Ours do not: without it they start faster, and a script that labels a folder at its top
    level, without ``if __name__ == "__main__"``, works.
    """
    with _lock:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            process.start()
        finally:
            sys.modules["__main__"] = main


def lower_priority(nice: int) -> None:
    """Called in a child: Ctrl+C is the parent's, the processor is the window's, no core dumps.

    Args:
        nice: Added to this process's niceness. Windows knows steps only: below 15 is below normal,
            the rest idle.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        import ctypes

        below_normal, idle = 0x4000, 0x40
        kernel = ctypes.windll.kernel32
        if nice > 0:  # 0 keeps what it inherits, which may be less than normal
            step = below_normal if nice < 15 else idle
            kernel.SetPriorityClass(kernel.GetCurrentProcess(), step)
        # No dialog of the system when a decoder crashes.
        kernel.SetErrorMode(0x8007)
        return
    import resource

    # A dump would hold patients' films.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if nice > 0:
        os.nice(nice)
