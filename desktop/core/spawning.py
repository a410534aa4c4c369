"""Starting child processes that need nothing from the program they belong to."""

from __future__ import annotations

import multiprocessing.process
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
