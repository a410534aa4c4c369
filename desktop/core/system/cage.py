"""What a process gives up before it looks at bytes of a stranger: Linux' seccomp and Landlock.

Afterwards it can compute, read and write what it already has open, and end. It cannot open a file,
connect anywhere, start or signal another process; neither can code that a hostile file smuggles in.
Both need no rights and cannot be undone. Whichever the kernel has is used; where it has neither the
process works on as it was.

System calls: seccomp(2) with a filter of classic BPF over the call's number; Landlock without a
single rule (https://docs.kernel.org/userspace-api/landlock.html).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import struct
import sys
from multiprocessing.connection import Connection
from typing import Literal

from desktop.core.system.processes import ChildProcess

Layer = Literal["seccomp", "landlock"]

_NO_NEW_PRIVILEGES, _MODE_FILTER, _ALL_THREADS = 38, 1, 1
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
# Rights by version of Landlock: files (13, then refer, truncate, devices), network, signals.
_FILE_RIGHTS = (2**13 - 1, 2**14 - 1, 2**15 - 1, 2**15 - 1, 2**16 - 1)

# What interpreter, numpy and decoders call between reading a descriptor and sending an answer:
# numbers on x86-64 and arm64, -1 = the machine has no such call. Everything else fails.
# newfstatat is how newer C libraries ask for the size of what is open.
_CALLS = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80),
    "newfstatat": (262, 79), "poll": (7, -1), "lseek": (8, 62), "mmap": (9, 222),
    "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "pread64": (17, 67),
    "readv": (19, 65), "writev": (20, 66), "select": (23, -1), "sched_yield": (24, 124),
    "mremap": (25, 216), "madvise": (28, 233), "nanosleep": (35, 101), "getitimer": (36, 102),
    "setitimer": (38, 103), "getpid": (39, 172), "sendmsg": (46, 211), "recvmsg": (47, 212),
    "exit": (60, 93), "uname": (63, 160), "gettimeofday": (96, 169), "getrlimit": (97, 163),
    "getrusage": (98, 165), "sysinfo": (99, 179), "getuid": (102, 174), "getgid": (104, 176),
    "geteuid": (107, 175), "getegid": (108, 177), "sigaltstack": (131, 132),
    "gettid": (186, 178), "time": (201, -1), "futex": (202, 98), "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "exit_group": (231, 94), "pselect6": (270, 72),
    "ppoll": (271, 73), "set_robust_list": (273, 99), "getrandom": (318, 278),
    "membarrier": (324, 283), "rseq": (334, 293),
}  # fmt: skip
_FCNTL, _COPY_DESCRIPTOR, _NEW_CALLS = (72, 25), 1030, 290
_MACHINES = {"x86_64": (0xC000003E, 0, 317), "aarch64": (0xC00000B7, 1, 277)}
"""Audit number of the machine, column of ``_CALLS``, number of seccomp(2)."""


def close_cage() -> tuple[Layer, ...]:
    """Give up files, network and other processes, for good, in every thread of this process.

    Returns:
        What holds; empty where the system has neither.
    """
    if not sys.platform.startswith("linux"):
        return ()
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return ()
    held: list[Layer] = []
    # Landlock first: the filter allows no such calls any more.
    if _restrict_files(library):
        held.append("landlock")
    if _filter_calls(library):
        held.append("seccomp")
    return tuple(held)


def _restrict_files(library: ctypes.CDLL) -> bool:
    """This thread and those it starts; the filter covers the others."""
    version = library.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    files = _FILE_RIGHTS[min(version, len(_FILE_RIGHTS)) - 1]
    rights = struct.pack("QQQ", files, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    rules = library.syscall(_LANDLOCK_CREATE, rights, len(rights), 0)
    if rules < 0:
        return False
    with contextlib.closing(os.fdopen(rules)):
        return bool(library.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0)


def _filter_calls(library: ctypes.CDLL) -> bool:
    if platform.machine() not in _MACHINES:
        return False
    audit, column, number = _MACHINES[platform.machine()]
    program = _program(
        audit, sorted({calls[column] for calls in _CALLS.values()} - {-1}), _FCNTL[column]
    )
    code = ctypes.create_string_buffer(program, len(program))
    argument = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    return bool(library.syscall(number, _MODE_FILTER, _ALL_THREADS, argument) == 0)


def _program(audit: int, allowed: list[int], fcntl: int) -> bytes:
    """Classic BPF over ``struct seccomp_data``: number at 0, machine at 4, second argument at 24.

    fcntl(2) may copy a descriptor, as receiving one does, and nothing else: it can signal others.
    """
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    allow, refuse = (answer, 0, 0, 0x7FFF0000), (answer, 0, 0, 0x50000 | errno.EACCES)
    # In the place of a call that does not exist yet, libraries use the older one.
    too_new = (answer, 0, 0, 0x50000 | errno.ENOSYS)
    steps = [(load, 0, 0, 4), (equal, 1, 0, audit), refuse, (load, 0, 0, 0)]
    for place, call in enumerate(allowed):
        steps.append((equal, len(allowed) - place + 5, 0, call))
    steps += [(at_least, 4, 0, _NEW_CALLS), (equal, 0, 2, fcntl), (load, 0, 0, 24)]
    steps += [(equal, 2, 0, _COPY_DESCRIPTOR), refuse, too_new, allow]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def try_cage() -> tuple[Layer, ...]:
    """What ``close_cage`` holds on this system, tried in a child."""
    child = ChildProcess(_try, name="cage")
    try:
        if child.connection.poll(_PATIENCE_S):
            words = child.receive(100, _PATIENCE_S).decode().split()
            return tuple(layer for layer in LAYERS if layer in words)
        return ()
    except (EOFError, OSError):
        return ()
    finally:
        child.close()


LAYERS: tuple[Layer, ...] = ("landlock", "seccomp")
_PATIENCE_S = 20.0


def _try(connection: Connection) -> None:
    connection.send_bytes(" ".join(close_cage()).encode())
