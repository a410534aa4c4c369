"""What is not used any more goes back to the system, and children stay behind the window."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from multiprocessing.connection import Connection

import numpy as np
import pytest

from desktop.core.system.processes import allocate_buffer, lower_priority, start_child, trim_heap
from tests.benchmarks.gauge import resident_mb

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts as Linux does")


@pytest.mark.parametrize("size", [0, 1, 5_000, 3_000_000, 9_000_001])
def test_room_apart_is_ordinary_memory_of_that_size(size: int) -> None:
    room = allocate_buffer(size)
    assert room.dtype == np.uint8
    assert room.shape == (size,)
    room[:] = 7
    assert int(room.sum(dtype=np.int64)) == 7 * size


@LINUX
def test_room_apart_goes_back_with_its_last_array_whatever_was_made_after_it() -> None:
    films = [allocate_buffer(3 << 20) for _ in range(20)]
    for film in films:
        film[:] = 1
    between = [np.ones(20_000, np.uint8) for _ in range(200)]
    full = resident_mb()
    rows = [film.reshape(-1, 1024) for film in films]
    del films
    assert resident_mb() > full - 5
    del rows
    gc.collect()
    assert resident_mb() < full - 50
    assert len(between) == 200


@LINUX
def test_freed_memory_goes_back_when_asked_to() -> None:
    # Small pieces with one that stays on top of them: the heap cannot shrink by itself.
    pieces = [bytearray(10_000) for _ in range(8_000)]
    stays = [bytearray(10_000) for _ in range(50)]
    full = resident_mb()
    del pieces
    trim_heap()
    assert resident_mb() < full - 50
    assert len(stays) == 50


def _manners(connection: Connection, nice: int) -> None:
    import resource

    lower_priority(nice)
    ignores = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    connection.send((os.nice(0), resource.getrlimit(resource.RLIMIT_CORE), ignores))


@pytest.mark.skipif(sys.platform == "win32", reason="niceness is POSIX")
@pytest.mark.parametrize("nice", [0, 3])
def test_a_child_steps_back_leaves_ctrl_c_alone_and_dumps_no_core(nice: int) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_manners, args=(theirs, nice))
    start_child(child)
    theirs.close()
    assert ours.recv() == (os.nice(0) + nice, (0, 0), True)
    child.join(10)
    ours.close()
