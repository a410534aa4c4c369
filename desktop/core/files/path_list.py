"""A list of films in a text file: one path or address a line, ten million of them without memory.

A file is read again whenever its lines are gone through, in blocks; a pipe can be read once only
and is kept. What has no end, or is no text, is refused.
"""

from __future__ import annotations

import os
import re
import select
import stat
import threading
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from pathlib import Path

from desktop.core.errors import UsageError
from desktop.core.system.text import display_name

MAX_LINE_BYTES = 1 << 16
"""Longer than any path and any address."""

MAX_PIPE_BYTES = 1 << 30
SILENCE_S = 600.0
"""Seconds that a pipe may say nothing: whatever makes the list may have to search for it."""

_BLOCK = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::[A-Za-z][A-Za-z0-9+.-]*)*://")


def is_address(word: str) -> bool:
    """Whether a word is an address such as ``s3://bucket/film.png``, not a path."""
    return _ADDRESS.match(word) is not None


def path_or_address(word: str) -> Path | str:
    """A word of the command line: an address as it is, anything else as a path."""
    return word if is_address(word) else Path(word)


class PathList(Collection[Path | str]):
    """Some paths and addresses, then those that a list names; empty lines are left out.

    A path that is not absolute is relative to the folder in which the program runs, as on the
    command line. May be gone through again and again, also by several threads at once.

    Args:
        before: Places that come first.

    Raises:
        UsageError: USAGE-01 where the list cannot be read, is no list of paths or names nothing;
            also while it is gone through, where it changed meanwhile.
    """

    def __init__(self, file: Path, before: Collection[Path | str] = ()) -> None:
        self._name = display_name(file)
        self._before = before
        self._pipe: bytes | None = None
        self._turn = threading.Lock()
        try:
            self._handle = _open(file, self._name)
            found = os.fstat(self._handle)
            self._size = found.st_size
            if stat.S_ISFIFO(found.st_mode):
                self._pipe = _read_pipe(self._handle, self._name)
                self._size = len(self._pipe)
            self._count = sum(1 for _ in self._lines())
            if not self._count:
                raise UsageError(
                    "USAGE-01", f"The list {self._name} is empty. Put one path on each line."
                )
        except OSError as error:
            self._close()
            raise UsageError(
                "USAGE-01",
                f"The list {self._name} cannot be read ({error.strerror}). Check its path.",
            ) from error
        except BaseException:
            self._close()  # whoever writes to a pipe without an end may stop
            raise

    def __len__(self) -> int:
        return len(self._before) + self._count

    def __iter__(self) -> Iterator[Path | str]:
        return chain(self._before, map(self._path, self._lines()))

    def __contains__(self, item: object) -> bool:
        return any(item == one for one in self)

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        handle = self.__dict__.pop("_handle", None)
        if handle is not None:
            os.close(handle)

    def _path(self, line: bytes) -> Path | str:
        try:
            return path_or_address(os.fsdecode(line))
        except UnicodeDecodeError as error:  # Windows, where names are text and not bytes
            raise _no_list(self._name, "is not UTF-8") from error

    def _lines(self) -> Iterator[bytes]:
        """The lines that name something. Not ``splitlines``: a name may hold its other ends."""
        rest, number = b"", 0
        for block in self._blocks():
            if b"\0" in block:
                line_number = number + 1 + (rest + block[: block.index(b"\0")]).count(b"\n")
                raise _no_list(self._name, f"holds a zero byte in line {line_number:,}")
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                number += 1
                yield from self._checked(line, number)
            self._checked(rest, number + 1)
        yield from self._checked(rest, number + 1)

    def _checked(self, line: bytes, number: int) -> tuple[bytes, ...]:
        if len(line) > MAX_LINE_BYTES:
            raise _no_list(self._name, f"has more than {MAX_LINE_BYTES:,} bytes in line {number:,}")
        line = line.removesuffix(b"\r")
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        return (line,) if line.strip() else ()

    def _blocks(self) -> Iterator[bytes]:
        """The list as long as it was at first; what is appended later is not of this run."""
        for start in range(0, self._size, _BLOCK):
            wanted = min(_BLOCK, self._size - start)
            if self._pipe is not None:
                yield self._pipe[start : start + wanted]
                continue
            while wanted:
                with self._turn:
                    os.lseek(self._handle, start, os.SEEK_SET)
                    block = os.read(self._handle, wanted)
                if not block:
                    raise UsageError(
                        "USAGE-01",
                        f"The list {self._name} was shortened while it was read. Give the same "
                        "command again.",
                    )
                yield block
                start += len(block)
                wanted -= len(block)


def refuse_addresses(paths: Iterable[Path | str]) -> None:
    """For what only reads files of this machine.

    Raises:
        UsageError: USAGE-05 where an address is among them.
    """
    for one in paths:
        if isinstance(one, str):
            raise UsageError(
                "USAGE-05",
                f"{display_name(one, 200)} is an address; only --engine ray reads those. Copy "
                "the films "
                "to this machine, or use that engine.",
            )


def _open(file: Path, name: str) -> int:
    """A file or a pipe; opening anything else alone may do something."""
    kind = file.stat().st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
        what = "a folder" if stat.S_ISDIR(kind) else "a device or a socket"
        raise UsageError(
            "USAGE-01",
            f"The list {name} is {what}, not a text file. Name a file with one path on each line.",
        )
    # Not blocking: opening a pipe without a writer would wait for ever.
    flags = ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")
    return os.open(file, os.O_RDONLY | sum(getattr(os, flag, 0) for flag in flags))


def _read_pipe(handle: int, name: str) -> bytes:
    content = bytearray()
    while True:
        if not select.select([handle], [], [], SILENCE_S)[0]:
            raise UsageError(
                "USAGE-01",
                f"The list {name} is a pipe that has said nothing for {SILENCE_S:g} seconds. Write "
                "the list into a file and name that.",
            )
        try:
            block = os.read(handle, _BLOCK)
        except BlockingIOError:
            continue
        if not block:
            return bytes(content)
        content += block
        if len(content) > MAX_PIPE_BYTES:
            raise UsageError(
                "USAGE-01",
                f"The list {name} is a pipe that gives more than {MAX_PIPE_BYTES / 1e6:,.0f} MB. "
                "Write the list into a file and name that.",
            )


def _no_list(name: str, why: str) -> UsageError:
    return UsageError(
        "USAGE-01",
        f"The list {name} {why}, so it is no list of paths. Save it as UTF-8 text with one path on "
        "each line.",
    )
