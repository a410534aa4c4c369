"""What is not used any more goes back to the system, and children stay behind the window."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from multiprocessing.connection import Connection

import numpy as np
import pytest

from desktop.core.system.processes import (
    ChildProcess,
    allocate_buffer,
    send_array,
    trim_heap,
)
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


def _manners(connection: Connection) -> None:
    import resource

    ignores = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    connection.send((os.nice(0), resource.getrlimit(resource.RLIMIT_CORE), ignores))
    connection.recv()


@pytest.mark.skipif(sys.platform == "win32", reason="niceness is POSIX")
@pytest.mark.parametrize("nice", [0, 3])
def test_a_child_steps_back_leaves_ctrl_c_alone_and_dumps_no_core(nice: int) -> None:
    child = ChildProcess(_manners, name="manners", nice=nice)
    try:
        assert child.connection.recv() == (os.nice(0) + nice, (0, 0), True)
    finally:
        child.close(polite_s=10)


def _speak(connection: Connection, whole: bool) -> None:
    send_array(connection, np.arange(2_000_000, dtype=np.uint16))
    connection.send_bytes(b"a sentence")
    if not whole:
        os.write(connection.fileno(), (10).to_bytes(4, "big") + b"half")
    connection.recv()


def test_arrays_and_sentences_arrive_whole_and_in_order() -> None:
    child = ChildProcess(_speak, True, name="speaker")
    try:
        array = child.receive_array((1000, 2000), np.uint16, 60)
        np.testing.assert_array_equal(array.reshape(-1), np.arange(2_000_000, dtype=np.uint16))
        assert child.receive(10, 60) == b"a sentence"
    finally:
        child.close()
    assert child.pid is None
    child.close()


@pytest.mark.skipif(sys.platform == "win32", reason="messages arrive whole")
def test_a_child_that_stops_in_the_middle_or_says_too_much_is_not_waited_for() -> None:
    child = ChildProcess(_speak, False, name="speaker")
    try:
        child.receive_array((2_000_000,), np.uint16, 60)
        with pytest.raises(OSError, match="too long"):
            child.receive(9, 60)
        assert child.receive_array((10,), np.uint8, 60).tobytes() == b"a sentence"
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            child.receive(100, 0.3)
        assert time.monotonic() - begun < 5
        child.kill()
        with pytest.raises((EOFError, OSError)):
            child.receive(100, 60)
    finally:
        child.close()
