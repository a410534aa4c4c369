"""A process that decodes bytes of strangers: what it may do, and how it is spoken to.

It is given open files, never paths, and has given up everything else before it looks into the
first (``system.cage``). What it sends back is checked like a file: see ``system.records``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from multiprocessing import reduction, resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path, PurePath
from typing import Any, TypeVar

from desktop.core.imaging import file_type
from desktop.core.imaging.file_reader import FileBytes, open_file, read_file
from desktop.core.system.cage import close_cage
from desktop.core.system.processes import ChildProcess, expect_the_worst, limit_memory, send_array
from desktop.core.system.records import pack, unpack

ROOM_BYTES = 5 * 2**28
"""Address space a decoder may add to what its process starts with; more is DECODE-08. The largest
DICOM, PNG or TIFF film that is read, 120 megapixels in 16 bits, adds three quarters of it."""

NEEDS_OTHER_CODECS = 77
"""Exit code of a process that meets a DICOM file after its cage closed without those decoders."""

_PASSES_FILES = sys.platform.startswith("linux")
# Python asks for a receipt on macOS, which would lie between the answers; there is no cage either.
_KILLED = -9
_PATIENCE_S = 5.0
_MOST_JSON_BYTES = 2**17
_MOST_ARRAY_BYTES = 2**30

Record = TypeVar("Record")


class DecoderChild(ChildProcess):
    """The parent's side.

    Args:
        target: Called as ``target(connection, encloser, *arguments)``.
        arguments: See ``ChildProcess``.
        dicom: Load the decoders for DICOM before the cage closes, whatever the first file is.
        room_bytes: See ``ROOM_BYTES``.
        options: ``name``, ``nice``.
    """

    def __init__(
        self,
        target: Callable[..., object],
        *arguments: Any,
        dicom: bool = False,
        room_bytes: int = ROOM_BYTES,
        **options: Any,
    ) -> None:
        self.dicom = dicom
        super().__init__(_begin, target, dicom, room_bytes, arguments, **options)

    def give(self, order: object, path: Path) -> None:
        """Send an order and the file it is about; nothing happens where the child is dead.

        Raises:
            ImageRefused: READ codes: the file cannot be opened.
        """
        handle = open_file(path)
        try:
            self.connection.send_bytes(pack(order)[0])
            if _PASSES_FILES:
                reduction.send_handle(self.connection, handle, self.pid or 0)
            else:
                self.connection.send_bytes(os.fsencode(path))
        except OSError:
            return
        finally:
            os.close(handle)

    def death_code(self) -> str:
        """Code of the refusal of a file that this child, now dead, was decoding."""
        # Without a word and not by us: the system ran out of memory.
        return "DECODE-08" if self.exit_code == _KILLED else "DECODE-07"

    def answer(self, kind: type[Record]) -> Record:
        """The next answer, once it has begun.

        Raises:
            EOFError, OSError, ValueError: There is none, or it is none of ours: end the child.
        """
        text = self.receive(_MOST_JSON_BYTES, _PATIENCE_S)
        return unpack(
            kind,
            text,
            lambda shape, dtype: self.receive_array(shape, dtype, _PATIENCE_S),
            _MOST_ARRAY_BYTES,
        )


def _begin(
    connection: Connection,
    target: Callable[..., object],
    dicom: bool,
    room_bytes: int,
    arguments: tuple[Any, ...],
) -> None:
    expect_the_worst()
    target(connection, Encloser(connection, dicom, room_bytes), *arguments)


class Encloser:
    """The child's side of the files: the first one read closes the cage.

    Args:
        connection: Where orders come from.
        dicom: As for ``DecoderChild``.
        room_bytes: Likewise.
    """

    def __init__(self, connection: Connection, dicom: bool, room_bytes: int) -> None:
        self._connection = connection
        self._room_bytes = room_bytes
        self._dicom = dicom
        self._closed = False

    def take(self, kind: type[Record]) -> tuple[Record, Callable[[PurePath], FileBytes]]:
        """The next order, and what reads its file and closes the cage.

        Raises:
            EOFError, OSError: The parent has hung up.
        """
        order = unpack(kind, self._connection.recv_bytes(), _no_array)
        if _PASSES_FILES:
            handle = reduction.recv_handle(self._connection)
            return order, lambda name: self._enclosed(read_file(name, handle))
        path = Path(os.fsdecode(self._connection.recv_bytes()))
        return order, lambda _name: self._enclosed(read_file(path))

    def _enclosed(self, file: FileBytes) -> FileBytes:
        is_dicom = file_type.sniff(file.data[:512]) is file_type.DICOM
        if self._closed:
            if is_dicom and not self._dicom:
                os._exit(NEEDS_OTHER_CODECS)
            return file
        self._dicom = self._dicom or is_dicom
        if self._dicom:
            # Imported late: it costs a fifth of a second that folders of JPEGs need not pay.
            from desktop.core.imaging import dicom, dicom_codecs

            assert dicom
            dicom_codecs.load_all()
        if _PASSES_FILES:
            # Its other end unlinks shared memory by name, whoever asks.
            tracker = resource_tracker.getfd()
            if tracker is not None:
                os.close(tracker)
        limit_memory(self._room_bytes)
        close_cage()
        self._closed = True
        return file


def _no_array(*_: object) -> Any:
    raise ValueError("no arrays travel this way")


def send_answer(connection: Connection, answer: object) -> None:
    """The child's answer, with its arrays."""
    text, arrays = pack(answer)
    connection.send_bytes(text)
    for array in arrays:
        send_array(connection, array)
