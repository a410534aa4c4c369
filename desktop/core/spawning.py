"""Child processes that need nothing from the program they belong to, and do not get in its way."""

from __future__ import annotations

import multiprocessing.process
import os
import signal
import sys
import threading
import types

_lock = threading.Lock()


def start_bare(process: multiprocessing.process.BaseProcess) -> None:
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


def step_back(nice: int) -> None:
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
