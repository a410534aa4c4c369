"""The folder listing on its own thread: batches of files arrive while the scan still runs."""

from __future__ import annotations

import threading
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal, Slot

from desktop.core.cases import ImageFile
from desktop.core.errors import CxrError
from desktop.core.files.listing import list_folder

FIRST_BATCH = 500
BATCH = 2000


class _Lister(QObject):
    """Runs on the scan's thread."""

    batch_found = Signal(list)
    ended = Signal()
    refused = Signal(object)

    def __init__(self, root: Path, recursive: bool, cancelled: threading.Event) -> None:
        super().__init__()
        self._root = root
        self._recursive = recursive
        self._cancelled = cancelled

    @Slot()
    def run(self) -> None:
        try:
            # The first files at once, the others in larger steps: each step costs the window some
            # milliseconds, whatever it brings.
            gathered: list[ImageFile] = []
            wanted = 1
            for batch in list_folder(self._root, recursive=self._recursive, batch=FIRST_BATCH):
                if self._cancelled.is_set():
                    break
                gathered += batch
                if len(gathered) >= wanted:
                    self.batch_found.emit(gathered)
                    gathered, wanted = [], BATCH
            if gathered and not self._cancelled.is_set():
                self.batch_found.emit(gathered)
        except CxrError as refusal:
            self.refused.emit(refusal)
        self.ended.emit()


class FolderScan(QObject):
    """One scan of one folder.

    Signals:
        batch_found(list[ImageFile]): Some more files, in natural order.
        refused(CxrError): The folder cannot be listed.
        finished(): The scan has come to its end, also after a refusal; not after ``cancel``.
    """

    batch_found = Signal(list)
    refused = Signal(object)
    finished = Signal()

    def __init__(self, root: Path, *, recursive: bool, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cancelled = threading.Event()
        self._thread = QThread(self)
        self._thread.setObjectName("folder scan")
        self._lister = _Lister(root, recursive, self._cancelled)
        self._lister.moveToThread(self._thread)
        self._thread.started.connect(self._lister.run)
        self._lister.batch_found.connect(self._on_batch)
        self._lister.refused.connect(self._on_refused)
        self._lister.ended.connect(self._on_ended)

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """Stop and wait for the thread; no signal follows."""
        self._cancelled.set()
        self._thread.quit()
        self._thread.wait()

    @Slot(list)
    def _on_batch(self, files: list[ImageFile]) -> None:
        if not self._cancelled.is_set():
            self.batch_found.emit(files)

    @Slot(object)
    def _on_refused(self, refusal: CxrError) -> None:
        if not self._cancelled.is_set():
            self.refused.emit(refusal)

    @Slot()
    def _on_ended(self) -> None:
        self._thread.quit()
        self._thread.wait()
        if not self._cancelled.is_set():
            self.finished.emit()
