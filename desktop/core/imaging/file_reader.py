"""The bytes of a file, read once: hash and picture can never come from different contents."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import PurePath

from desktop.core.error_codes import refused

MAX_FILE_BYTES = 512 * 2**20
"""Largest file that is read: twice a 16-bit film of 128 megapixels."""

_CHUNK = 4 * 2**20
_SPECIAL = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a disk"),
    (stat.S_ISSOCK, "a socket"),
)


@dataclass(frozen=True)
class FileBytes:
    """A file as it was at one moment.

    Attributes:
        path: Where it was read from.
        data: All of it.
        sha256: Hash of ``data``, 64 lower-case hexadecimal digits.
    """

    path: PurePath
    data: bytes = field(repr=False)
    sha256: str


def read_file(path: PurePath, handle: int | None = None) -> FileBytes:
    """Read a regular file whole, without ever waiting for a pipe or a device.

    Args:
        path: The file; only its name is used where there is a handle.
        handle: What ``open_file`` gave; closed here.

    Raises:
        ImageRefused: READ-01 to READ-06, TYPE-02 where it is empty.
    """
    if handle is None:
        handle = open_file(path)
    try:
        data = _read_all(handle, path)
    except OSError as error:
        raise refused("READ-06", path, _reason(error)) from error
    finally:
        os.close(handle)
    if not data:
        raise refused("TYPE-02", path)
    return FileBytes(path, data, hashlib.sha256(data).hexdigest())


def open_file(path: PurePath) -> int:
    """A descriptor of the file, for ``read_file`` in this or another process.

    Raises:
        ImageRefused: READ-01, READ-02, READ-03, READ-06.
    """
    try:
        # Not blocking: opening a named pipe without a writer would wait for ever.
        return os.open(path, os.O_RDONLY | _FLAGS)
    except PermissionError as error:
        raise refused("READ-01", path) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise refused("READ-02", path) from error
    except ValueError as error:  # a NUL in the name: no such file can exist
        raise refused("READ-02", path) from error
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise refused("READ-03", path, "a socket or an unused pipe") from error
        raise refused("READ-06", path, _reason(error)) from error


_FLAGS = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"))


def _read_all(handle: int, path: PurePath) -> bytes:
    before = os.fstat(handle)
    for is_special, name in _SPECIAL:
        if is_special(before.st_mode):
            raise refused("READ-03", path, name)
    if before.st_size > MAX_FILE_BYTES:
        raise refused("READ-04", path, f"{before.st_size / 2**20:,.0f} MB")
    chunks: list[bytes] = []
    left = before.st_size + 1  # one more than it says, to notice that it grew
    while left > 0 and (chunk := os.read(handle, min(left, _CHUNK))):
        chunks.append(chunk)
        left -= len(chunk)
    after = os.fstat(handle)
    if left != 1 or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise refused("READ-05", path)
    return b"".join(chunks)


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
