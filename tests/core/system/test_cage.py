"""Seen from inside a decoding process: what it can still do, and that it decodes all the same."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from desktop.core.imaging.decoders.child import DecoderChild, Encloser
from desktop.core.imaging.decoders.worker import Task
from desktop.core.system import cage
from desktop.core.system.cage import LAYERS, close_cage, try_cage
from desktop.core.system.processes import ChildProcess
from tests.helpers import film_files as films

LINUX = sys.platform.startswith("linux")


def attempts(folder: Path, port: int, parent: int) -> dict[str, Callable[[], object]]:
    """What hostile code in a decoder would try; each raises where it is stopped."""
    return {
        "read a file": lambda: Path("/etc/passwd").read_text(),
        "list a folder": lambda: os.listdir("/"),  # noqa: PTH208
        "make a file": lambda: (folder / "made").write_text("x"),
        "change a file": lambda: (folder / "there").open("a"),
        "remove a file": lambda: (folder / "there").unlink(),
        "rename a file": lambda: (folder / "there").rename(folder / "elsewhere"),
        "make a folder": lambda: (folder / "new").mkdir(),
        "link a file": lambda: os.symlink("/etc/passwd", folder / "link"),  # noqa: PTH211
        "open it in another thread": lambda: in_thread(lambda: Path("/etc/passwd").read_text()),
        "connect": lambda: socket.create_connection(("127.0.0.1", port), 1),
        "ask by UDP": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "listen": lambda: socket.socket(socket.AF_UNIX).bind(str(folder / "socket")),
        "fork": os.fork,
        "run a program": lambda: subprocess.run(["/bin/true"], check=True),
        "become a program": lambda: os.execv("/bin/true", ["true"]),
        "signal the parent": lambda: os.kill(parent, 0),
    }


SUCCEED_OUTSIDE = (
    "read a file", "list a folder", "make a file", "change a file", "make a folder",
    "open it in another thread", "connect", "ask by UDP", "run a program", "signal the parent",
)  # fmt: skip


def in_thread(call: Callable[[], object]) -> object:
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.append(call()))
    thread.start()
    thread.join()
    return done[0]


def _try_all(
    connection: Connection, encloser: Encloser, folder: Path, port: int, parent: int
) -> None:
    order, read = encloser.take(Task)
    size = len(read(Path(order.name)).data)
    done = []
    for name, attempt in attempts(folder, port, parent).items():
        try:
            attempt()
        except (OSError, RuntimeError, IndexError):
            continue
        done.append(name)
    connection.send_bytes(json.dumps([size, done]).encode())


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody to connect to."""
    made = socket.create_server(("127.0.0.1", 0))
    yield made
    made.close()


def needs_kernel() -> None:
    if not LINUX:
        pytest.skip("the cage is Linux' own")
    if not try_cage():
        warnings.warn("THIS KERNEL HAS NO CAGE: decoders run with all rights", stacklevel=2)
        pytest.skip("NO CAGE: the kernel has neither seccomp nor Landlock")


@pytest.mark.filterwarnings("default:THIS KERNEL")
@pytest.mark.parametrize("kind", ["PNG", "DICOM"])
def test_a_decoder_reads_its_file_and_can_do_nothing_else(
    kind: str, tmp_path: Path, listener: socket.socket
) -> None:
    needs_kernel()
    film = tmp_path / "film"
    film.write_bytes(
        films.dicom(films.deep_film(12))
        if kind == "DICOM"
        else films.encoded(films.grey_film(), kind)
    )
    (tmp_path / "there").write_text("unharmed")
    port = listener.getsockname()[1]
    child = DecoderChild(_try_all, tmp_path, port, os.getpid(), name="decoder under test")
    try:
        child.give(Task(0, 0, film.name, (), False), film)
        size, done = json.loads(child.receive(10_000, 60))
    finally:
        child.close()
    assert size == film.stat().st_size
    if "seccomp" in try_cage():
        assert done == []
    else:  # Landlock alone: files, and from its fourth version connections
        assert not {"read a file", "list a folder", "make a file", "change a file"} & set(done)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film", "there"]
    assert (tmp_path / "there").read_text() == "unharmed"


def test_the_attempts_succeed_without_a_cage(tmp_path: Path, listener: socket.socket) -> None:
    """Else the test above would prove nothing."""
    if not LINUX:
        pytest.skip("as above")
    (tmp_path / "there").write_text("unharmed")
    tried = attempts(tmp_path, listener.getsockname()[1], os.getpid())
    for name in SUCCEED_OUTSIDE:
        result = tried[name]()
        if hasattr(result, "close"):
            result.close()


def _names(connection: Connection) -> None:
    connection.send_bytes(json.dumps(close_cage()).encode())


@pytest.mark.filterwarnings("default:THIS KERNEL")
def test_what_holds_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_kernel()
    held = try_cage()
    assert set(held) <= set(LAYERS)
    child = ChildProcess(_names, name="cage")
    try:
        assert json.loads(child.receive(100, 60)) == list(held)
    finally:
        child.close()
    # A machine whose call numbers are not known has no filter and says so.
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    monkeypatch.setattr(cage, "_restrict_files", lambda _: False)
    if LINUX:
        assert cage._filter_calls(None) is False  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert close_cage() == ()
