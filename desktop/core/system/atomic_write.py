"""The one way a result reaches the disk: whole or not at all.

A temporary file in the target's folder (only the owner may read it), flushed, renamed over the
target, folder flushed. Until the rename, what stood there before is untouched; a crash leaves at
most a hidden ``.cxr-quorum-*.tmp``.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from desktop.core.errors import OutputFailed

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_MISSING = {errno.ENOENT, errno.ENOTDIR}

# There is no call that reads the umask without setting it; once, at import, before any thread runs.
_UMASK = os.umask(0o077)
os.umask(_UMASK)


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Write a file whole or not at all.

    The new file keeps the permissions of the file it replaces; where there is none it may be read
    by those who may read its folder, as far as the umask allows. A symbolic link is followed.

    Args:
        path: The target; its folder must exist.

    Yields:
        A binary file. If the body raises, the target stays as it was.

    Raises:
        OutputFailed: OUTPUT-01 disk full, OUTPUT-02 not allowed or read-only, OUTPUT-03 no such
            folder, OUTPUT-04 open in another program, OUTPUT-05 any other failure.
    """
    target = Path(os.path.realpath(path))
    mode = _final_mode(target, path)
    try:
        descriptor, name = tempfile.mkstemp(
            prefix=f"{_prefix(target)}{os.getpid()}-", suffix=".tmp", dir=target.parent
        )
    except OSError as error:
        raise output_failed(path, error) from error
    temporary = Path(name)
    replacing = False
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            if hasattr(os, "fchmod"):
                os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        replacing = True
        os.replace(temporary, target)  # noqa: PTH105 - named in the docstring, same thing
        sync_folder(target.parent)
    except OSError as error:
        # An error of the body that has nothing to do with writing is not ours to explain.
        if replacing or error.errno in _FULL | {errno.EIO, errno.EROFS}:
            raise output_failed(path, error) from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def atomic_write_text(path: Path) -> Iterator[TextIO]:
    """Like ``atomic_write`` for text; line ends are written as given."""
    with atomic_write(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=False)
        try:
            yield text
            text.flush()
        finally:
            with suppress(OSError, ValueError):
                text.detach()


def remove_leftovers(path: Path) -> None:
    """Remove what killed processes left of ``path``; what a living one is writing stays."""
    target = Path(os.path.realpath(path))
    prefix = _prefix(target)
    for leftover in target.parent.glob(f"{prefix}*.tmp"):
        writer = leftover.name.removeprefix(prefix).partition("-")[0]
        if not (writer.isdecimal() and _is_running(int(writer))):
            with suppress(OSError):
                leftover.unlink()


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut, where the system offers it."""
    if os.name == "nt":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def output_failed(path: Path, error: OSError) -> OutputFailed:
    """Say in the user's words why ``path`` could not be written."""
    name = path.name or str(path)
    if error.errno in _FULL:
        return OutputFailed(
            "OUTPUT-01",
            f"{name} was not written because the disk is full; what stood there before is intact. "
            "Free some space or choose another folder.",
        )
    if os.name == "nt" and isinstance(error, PermissionError) and path.exists():
        return OutputFailed(
            "OUTPUT-04",
            f"{name} is open in another program and was not replaced; the old file is intact. "
            "Close it there or save under another name.",
        )
    if error.errno in _REFUSED:
        return OutputFailed(
            "OUTPUT-02",
            f"{name} was not written because its folder is read-only or belongs to somebody else. "
            "Choose another folder.",
        )
    if error.errno in _MISSING:
        return OutputFailed(
            "OUTPUT-03",
            f"{name} was not written because its folder does not exist. "
            "Create the folder or choose another.",
        )
    return OutputFailed(
        "OUTPUT-05",
        f"{name} was not written ({error.strerror or type(error).__name__}); what stood there "
        "before is intact. Try another folder.",
    )


def _prefix(target: Path) -> str:
    """Start of the temporary names of one target; of fixed length, however long its name is."""
    return f".cxr-quorum-{zlib.crc32(os.fsencode(target.name)):08x}-"


def _is_running(process: int) -> bool:
    """Always False on Windows, where a file that is being written cannot be removed anyway."""
    if os.name == "nt":
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _final_mode(target: Path, asked: Path) -> int:
    try:
        found = target.stat()
    except OSError:
        folder = target.parent.stat().st_mode if target.parent.is_dir() else 0
        return 0o666 & ~_UMASK & (folder | 0o600)
    if not stat.S_ISREG(found.st_mode):
        raise OutputFailed(
            "OUTPUT-05",
            f"{asked.name or asked} is not a regular file and was left alone. Choose another name, "
            "or - to write to standard output.",
        )
    return stat.S_IMODE(found.st_mode)
