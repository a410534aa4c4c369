"""Child processes and their manners, and memory that goes back to the system.

The C library keeps what was freed for the next time. That is right between two films and wrong for
good: loading four models leaves 100 MB behind that nothing ever asks for again.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import mmap
import multiprocessing
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_LOOK_S = 0.005
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


class ChildProcess:
    """A spawned process that ends with this one, and our end of the pipe to it.

    The target is called in the child as ``target(connection, *arguments)``, at lower priority and
    deaf to Ctrl+C. What travels over the pipe is the caller's affair. A child that dies shows as
    the end of the pipe and on ``sentinel``; sending to a dead one is no error.

    Args:
        target: Function of a module.
        arguments: Pickled on their way to the child.
        name: For whoever looks at the process list.
        nice: Added to the child's niceness, see ``lower_priority``.
        has_children: The child starts processes itself. Only a child without them is ended by
            Python where the program ends without ``close``.

    Attributes:
        connection: Our end of the pipe.
    """

    def __init__(
        self,
        target: Callable[..., object],
        *arguments: Any,
        name: str,
        nice: int = 0,
        has_children: bool = False,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection: Connection
        self.connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_run, args=(target, theirs, nice, arguments), name=name, daemon=not has_children
        )
        try:
            _start_without_main(self._process)
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Its process id, None once closed."""
        return None if self._closed else self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return not self._closed and self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """As ``Process.exitcode``: minus the signal that ended it, None while it runs."""
        return self._process.exitcode

    @property
    def handles(self) -> tuple[Any, ...]:
        """What ``multiprocessing.connection.wait`` can wait for: pipe and end of the process."""
        return (self.connection, self._process.sentinel)

    def send(self, message: object) -> None:
        """Send an object; nothing happens where the child is dead."""
        with contextlib.suppress(OSError):
            self.connection.send(message)

    def messages(self) -> Iterator[Any]:
        """What is there already, of a child that is trusted; a broken pipe ends it too."""
        with contextlib.suppress(EOFError, OSError):
            while self.connection.poll():
                yield self.connection.recv()

    def receive(self, most: int, within_s: float) -> bytes:
        """One message of a child that is not trusted, sent with ``Connection.send_bytes``.

        Args:
            most: Bytes it may have.
            within_s: Seconds in which all of it must be there, once it has begun.

        Raises:
            EOFError, OSError: The child is gone, or keeps none of the limits.
        """
        if sys.platform == "win32":  # a message arrives whole
            return self.connection.recv_bytes(most)
        deadline = time.monotonic() + within_s
        head = bytearray(4)
        self._fill(memoryview(head), deadline)
        size = int.from_bytes(head, "big")
        if size > most:
            raise OSError("a message that is too long")
        body = bytearray(size)
        self._fill(memoryview(body), deadline)
        return bytes(body)

    def receive_array(
        self, shape: tuple[int, ...], kind: npt.DTypeLike, within_s: float
    ) -> npt.NDArray[Any]:
        """An array that the child sent with ``send_array``; the interpreter is free meanwhile.

        ``Connection.recv_bytes`` would copy it in pieces with the interpreter's lock held, and a
        window stutters when a large film arrives.

        Raises:
            EOFError, OSError: The child is gone or does not send it in time.
        """
        dtype = np.dtype(kind)
        buffer = allocate_buffer(math.prod(shape) * dtype.itemsize)
        if sys.platform == "win32":
            if buffer.size:
                self.connection.recv_bytes_into(buffer)
        else:
            self._fill(buffer.data, time.monotonic() + within_s)
        return buffer.view(dtype).reshape(shape)

    def _fill(self, view: memoryview, deadline: float) -> None:
        while view.nbytes:
            # Of a child that sends one byte now and then, time would never run out.
            if not self.connection.poll(max(0.0, deadline - time.monotonic())):
                raise TimeoutError("a message that does not end")
            taken = os.readv(self.connection.fileno(), [view])
            if not taken:
                raise EOFError
            view = view[taken:]

    def kill(self) -> None:
        """End it at once, from any thread; what it said stays in the pipe."""
        with contextlib.suppress(ValueError):  # closed meanwhile
            self._process.kill()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for its end; None as long as it takes, for one that was killed."""
        if timeout_s is None:
            self._process.join()
            return
        # Not by the sentinel: a hostile child can close it and stay, and join would wait for ever.
        end = time.monotonic() + timeout_s
        while self.alive and time.monotonic() < end:
            time.sleep(_LOOK_S)

    def close(self, *, polite_s: float = 0.0) -> None:
        """End it and free what it held. Safe to call twice.

        Args:
            polite_s: Where positive, the child is sent None and has that long to end by itself.
        """
        if self._closed:
            return
        if polite_s:
            self.send(None)
            self.wait(polite_s)
        self.kill()
        self.wait()
        self._closed = True
        self.connection.close()
        self._process.close()


def _run(
    target: Callable[..., object], connection: Connection, nice: int, arguments: tuple[Any, ...]
) -> None:
    lower_priority(nice)
    # The parent has hung up: it closed the child, or is gone.
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionError):
        target(connection, *arguments)


def send_array(connection: Connection, array: npt.NDArray[Any]) -> None:
    """Send an array as it lies in memory, for ``ChildProcess.receive_array``."""
    view = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    if sys.platform == "win32":
        if view.nbytes:
            connection.send_bytes(view)
        return
    while view.nbytes:
        view = view[os.write(connection.fileno(), view) :]


_lock = threading.Lock()


def _start_without_main(process: BaseProcess) -> None:
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


def expect_the_worst(alarm_s: float = 0.0) -> None:
    """Called in a child that will meet hostile bytes or graphs: it may die, quietly, and first.

    What libraries in C say of damaged files is not for the reader, and nothing of a hostile file
    may reach the table on standard output. Where memory runs out, the system ends this process
    before the run that waits for it.

    Args:
        alarm_s: See ``set_alarm``.
    """
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    os.close(silence)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    set_alarm(alarm_s)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def set_alarm(seconds: float) -> None:
    """Have the kernel end this process then, 0 = never.

    Code in C that hangs holds the interpreter's lock, so no thread could; and the parent may be
    busy.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def limit_memory(room: int) -> tuple[int, int] | None:
    """Let this process grow by ``room`` bytes only.

    Returns:
        The limits before, for ``resource.setrlimit``; None where none is set: only Linux keeps it.
    """
    if sys.platform != "linux":
        return None
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    try:
        now = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
        soft = min([now + room, *(one for one in before if one != resource.RLIM_INFINITY)])
        resource.setrlimit(resource.RLIMIT_AS, (soft, before[1]))
    except (OSError, ValueError, IndexError):
        return None
    return before
