"""Films from addresses to files of this node, a few ahead of the decoder; deleted when read.

They lie in a folder that only this user may enter, on the node's temporary disk. A process that
dies leaves its folder behind; the next one on the node removes it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.cluster.inputs import Film, open_address
from desktop.core.cases import ImageFile
from desktop.core.error_codes import refused
from desktop.core.errors import ImageRefused, UsageError
from desktop.core.files.path_list import is_address
from desktop.core.imaging.decoders.decoder import file_sha256
from desktop.core.imaging.file_reader import MAX_FILE_BYTES

_PREFIX = "cxr-quorum-films-"
_PAUSES_S = (0.5, 1.0, 2.0)
_AHEAD = 16
_THREADS = 8


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it was asked for.

    Attributes:
        size: Bytes, -1 where it could not be asked.
        stamp: Time of the last change or the storage's version mark; empty where unknown.
    """

    size: int
    stamp: str


UNKNOWN = FileState(-1, "")


def file_state(location: str) -> FileState:
    """Size and stamp of a film now."""
    if not is_address(location):
        try:
            status = Path(location).stat()
        except (OSError, ValueError):
            return UNKNOWN
        return FileState(status.st_size, str(status.st_mtime_ns))
    try:
        system, path = open_address(location)
        facts = system.info(path)
        return FileState(int(facts.get("size") or 0), str(system.ukey(path)))
    except Exception:  # whatever it is, reading it will say so
        return UNKNOWN


class FilmFetcher:
    """Brings films to this node. Use as a context manager.

    ``refusals`` holds the reason for each image that could not be fetched.
    """

    def __init__(self) -> None:
        _remove_orphans()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="fetch")
        self.refusals: dict[str, ImageRefused] = {}

    def files(self, films: Iterable[Film]) -> Iterator[ImageFile]:
        """Files to decode, in order. A film of this file system is read where it is."""
        waiting: deque[Film | Future[ImageFile]] = deque()
        try:
            for number, film in enumerate(films):
                if is_address(film.location):
                    waiting.append(self._pool.submit(self._fetch, number, film))
                else:
                    waiting.append(film)
                if len(waiting) > _AHEAD:
                    yield _file(waiting.popleft())
            while waiting:
                yield _file(waiting.popleft())
        finally:
            for item in waiting:
                if isinstance(item, Future):
                    item.cancel()

    def forget(self, file: ImageFile) -> None:
        """Delete the copy of a film that has been read."""
        if self._folder in file.path.parents:
            with suppress(OSError):
                file.path.unlink()
                file.path.parent.rmdir()

    def sha256(self, film: Film) -> str:
        """Hash of a film's bytes now, empty where they cannot be read."""
        if not is_address(film.location):
            return file_sha256(Path(film.location))
        file = self._fetch(-1, film)
        try:
            return file_sha256(file.path)
        finally:
            self.forget(file)
            self.refusals.pop(film.image, None)

    def close(self) -> None:
        """Stop fetching and delete what is left."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> FilmFetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fetch(self, number: int, film: Film) -> ImageFile:
        """Copy one film; one that cannot be copied is a file that does not exist."""
        name = film.image.rpartition("/")[2]
        folder = Path(tempfile.mkdtemp(prefix=f"{number}-", dir=self._folder))
        path = folder / (name if name not in ("", ".", "..") else "film")
        try:
            data = _patiently(lambda: _download(film, path))
            path.write_bytes(data)
        except ImageRefused as refusal:
            self.refusals[film.image] = refusal
        except FileNotFoundError:
            self.refusals[film.image] = refused("READ-02", path)
        except PermissionError:
            self.refusals[film.image] = refused("READ-01", path)
        except IsADirectoryError:
            self.refusals[film.image] = refused("READ-03", path, "a folder")
        except (OSError, ValueError) as error:  # no room on this node, or a name it cannot have
            self.refusals[film.image] = refused("READ-06", path, _words(error))
        return ImageFile(path, film.image)


def _file(item: Film | Future[ImageFile]) -> ImageFile:
    if isinstance(item, Future):
        return item.result()
    return ImageFile(Path(item.location), item.image)


def _download(film: Film, path: Path) -> bytes:
    system, remote = open_address(film.location)
    size = system.info(remote).get("size")
    if size is not None and size > MAX_FILE_BYTES:
        raise refused("READ-04", path, f"{size / 2**20:,.0f} MB")
    if size is not None:
        data = bytes(system.cat_file(remote))
    else:
        with system.open(remote, "rb") as stream:
            data = bytes(stream.read(MAX_FILE_BYTES + 1))
        if len(data) > MAX_FILE_BYTES:
            raise refused("READ-04", path, f"more than {MAX_FILE_BYTES / 2**20:,.0f} MB")
    if size is not None and len(data) != size:
        raise refused("READ-05", path)
    return data


def _patiently(work: Callable[[], bytes]) -> bytes:
    """Try again where the storage may only be busy; the errors are each storage's own."""
    for pause in (*_PAUSES_S, None):
        try:
            return work()
        except (ImageRefused, UsageError):
            raise
        except (FileNotFoundError, PermissionError, IsADirectoryError):
            raise
        except Exception as error:  # storage clients have errors of their own
            if pause is None:
                raise OSError(None, _words(error)) from error
            time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def _words(error: BaseException) -> str:
    strerror: Any = getattr(error, "strerror", None)
    return str(strerror or type(error).__name__).lower()


def _remove_orphans() -> None:
    """Delete folders of processes of this user that are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError, ValueError):
            owner = int(folder.name.removeprefix(_PREFIX).partition("-")[0])
            if folder.stat().st_uid == os.getuid() and not _alive(owner):
                shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
