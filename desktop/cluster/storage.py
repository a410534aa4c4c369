"""Where part files lie: a folder that all nodes share or an fsspec address; whole or not at all."""

from __future__ import annotations

import os
import posixpath
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from desktop.cluster.inputs import open_address
from desktop.core.errors import OutputFailed
from desktop.core.files.path_list import is_address
from desktop.core.system.atomic_write import atomic_write, output_failed


class PartStore(Protocol):
    """A flat folder of files with plain names; every node opens its own."""

    def read(self, name: str) -> bytes | None:
        """The whole file, None where it does not exist."""

    def read_range(self, name: str, start: int, end: int) -> bytes:
        """Bytes ``start`` to ``end`` of a file that exists."""

    def write(self, name: str, data: bytes) -> None:
        """Put a file there, or replace it, in one step.

        Raises:
            OutputFailed: See ``atomic_write``; what stood there before is intact.
        """

    def writing(self, name: str) -> Any:
        """Context manager of a binary stream; what it gets appears at the end, whole."""

    def exists(self, name: str) -> bool:
        """Whether a file is there."""

    def names(self) -> list[str]:
        """Files that are there, sorted; half-written ones are not among them."""

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""


def open_store(location: str) -> PartStore:
    """The store at an absolute path or an fsspec address; the folder is made if missing.

    Raises:
        OutputFailed: The folder cannot be made.
        UsageError: CLUSTER-05 where this kind of address cannot be opened here.
    """
    return AddressStore(location) if is_address(location) else FolderStore(Path(location))


class FolderStore:
    """Part files in a folder of this file system, which may be a network share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise output_failed(folder, error) from error

    def read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def read_range(self, name: str, start: int, end: int) -> bytes:
        with (self._folder / name).open("rb") as stream:
            stream.seek(start)
            return stream.read(end - start)

    def write(self, name: str, data: bytes) -> None:
        with atomic_write(self._folder / name) as stream:
            stream.write(data)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        with atomic_write(self._folder / name) as stream:
            yield stream

    def exists(self, name: str) -> bool:
        return (self._folder / name).exists()

    def names(self) -> list[str]:
        found = os.listdir(self._folder)  # noqa: PTH208 - names only, of very many files
        return sorted(name for name in found if not name.startswith("."))

    def remove(self, name: str) -> None:
        with suppress(OSError):
            (self._folder / name).unlink()


class AddressStore:
    """Part files behind an fsspec address.

    A file goes up under a name of its own and is moved: object storage shows an object only when it
    is whole, and other storage renames. A part also carries its own checksum.
    """

    def __init__(self, address: str) -> None:
        self._system, self._root = open_address(address.rstrip("/"))
        self._name = posixpath.basename(address.rstrip("/"))
        with self._translate_errors():
            self._system.makedirs(self._root, exist_ok=True)

    def read(self, name: str) -> bytes | None:
        try:
            return bytes(self._system.cat_file(self._at(name)))
        except FileNotFoundError:
            return None

    def read_range(self, name: str, start: int, end: int) -> bytes:
        return bytes(self._system.cat_file(self._at(name), start=start, end=end))

    def write(self, name: str, data: bytes) -> None:
        with self.writing(name) as stream:
            stream.write(data)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        hidden = self._at(f".{name}.{uuid.uuid4().hex}.tmp")
        with self._translate_errors():
            stream = self._system.open(hidden, "wb")
        try:
            yield stream
            with self._translate_errors():
                stream.close()
                self._system.mv(hidden, self._at(name))
        finally:
            with suppress(Exception):
                stream.close()
                if self._system.exists(hidden):
                    self._system.rm_file(hidden)

    def exists(self, name: str) -> bool:
        # A listing that fsspec remembers would hide what another node has just written.
        self._system.invalidate_cache()
        return bool(self._system.exists(self._at(name)))

    def names(self) -> list[str]:
        self._system.invalidate_cache()
        found = (posixpath.basename(path) for path in self._system.ls(self._root, detail=False))
        return sorted(name for name in found if name and not name.startswith("."))

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._system.rm_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise output_failed(Path(self._name), error) from error
        except Exception as error:  # clients of object storage have errors of their own
            raise OutputFailed(
                "OUTPUT-05",
                f"Part files could not be written to {self._name} ({type(error).__name__}). What "
                "is finished is kept; check the address and the credentials of every node.",
            ) from error
