"""One job on a thread of its own, its outcome reported on the window's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot

from desktop.core.errors import CxrError
from desktop.core.system.cancel_token import CancelToken


class Background(QObject):
    """Runs functions, each on its own thread.

    Signals:
        done(str, object): Key of the job and what its function returned.
        failed(str, CxrError): Key of the job and why it did not work.
    """

    done = Signal(str, object)
    failed = Signal(str, object)
    _ended = Signal(str, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads: dict[threading.Thread, CancelToken] = {}
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)

    def start(self, key: str, job: Callable[[CancelToken], object]) -> None:
        """Run ``job``; it gets a token that is set when the window closes."""
        token = CancelToken()

        def run() -> None:
            try:
                outcome = job(token)
            except CxrError as problem:
                self._ended.emit(key, None, problem)
            else:
                self._ended.emit(key, outcome, None)

        for thread in [thread for thread in self._threads if not thread.is_alive()]:
            del self._threads[thread]
        thread = threading.Thread(target=run, name=f"cxr-quorum-{key}", daemon=True)
        self._threads[thread] = token
        thread.start()

    def close(self) -> None:
        """Ask all jobs to stop and wait for them; nothing is reported any more."""
        self.blockSignals(True)
        for token in self._threads.values():
            token.cancel()
        for thread in self._threads:
            thread.join(10)
        self._threads.clear()

    @Slot(str, object, object)
    def _on_ended(self, key: str, outcome: object, problem: CxrError | None) -> None:
        if problem is not None:
            self.failed.emit(key, problem)
        else:
            self.done.emit(key, outcome)
