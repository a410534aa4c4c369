"""Something to look at without data of one's own: the samples of the command line's demo."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal

from desktop.core.demo import write_samples
from desktop.core.errors import CxrError
from desktop.core.places import data_home


class SampleFolder(QObject):
    """Writes the samples into the user's data folder.

    Signals:
        ready(Path): They are there.
        failed(str): Why they are not.
    """

    ready = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: threading.Thread | None = None

    def prepare(self) -> None:
        """Begin; ``ready`` or ``failed`` follows."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._thread = threading.Thread(target=self._write, name="cxr-quorum-samples", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until the samples are written."""
        if self._thread is not None:
            self._thread.join(30)

    def _write(self) -> None:
        folder = data_home() / "samples"
        try:
            write_samples(folder)
        except CxrError as problem:
            self.failed.emit(str(problem))
            return
        self.ready.emit(folder)
