"""A step on thousands of images: written on a thread of its own, taken over in small portions.

The step is one transaction as always: a kill in the middle leaves nothing of it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from desktop.core.cases import Decision
from desktop.core.errors import CxrError
from desktop.core.store.decision_log import AppliedStep
from desktop.core.store.review_store import ReviewStore
from desktop.gui.session.session import Session

#: From so many images on, a step is saved in the background.
BULK = 2000
_PORTION = 2000
# Other windows and the models' results may hold the store for a moment; nobody waits here.
_LOCK_TIMEOUT_MS = 60_000

Work = Callable[[ReviewStore], AppliedStep | None]


class BulkStep(QObject):
    """One large step at a time.

    Signals:
        progressed(int, int): Decisions written so far, and all of them.
        saved(list[int], AppliedStep | None): On the disk and in the table; the cases it changed.
            None where there was nothing to do.
        failed(CxrError): Nothing was changed, and why.
    """

    progressed = Signal(int, int)
    saved = Signal(list, object)
    failed = Signal(object)
    _ended = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: threading.Thread | None = None
        self._session: Session | None = None
        self._applied: AppliedStep | None = None
        self._waiting: deque[tuple[str, Decision]] = deque()
        self._cases: list[int] = []
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)
        self._timer = QTimer(self, interval=0, timeout=self._take_portion)

    @property
    def busy(self) -> bool:
        """Whether a step is being saved or taken over."""
        return self._session is not None

    def start(self, session: Session, work: Work) -> None:
        """Begin; ``work`` runs on the thread, with a store of that thread."""
        assert not self.busy, "one step at a time"
        self._session = session

        def run() -> None:
            try:
                with ReviewStore.open(
                    session.root, session.panel.manifest, busy_timeout_ms=_LOCK_TIMEOUT_MS
                ) as store:
                    store.report_progress(self.progressed.emit)
                    self._ended.emit(work(store), None)
            except CxrError as problem:
                self._ended.emit(None, problem)
            except BaseException:
                # A bug must not leave the reader unable to decide; the traceback is printed.
                self._ended.emit(None, None)
                raise

        self._thread = threading.Thread(target=run, name="cxr-quorum-bulk-step")
        self._thread.start()

    def close(self) -> None:
        """Wait until it is on the disk; what is shown no longer matters."""
        if self._thread is not None:
            self._thread.join()
        self._forget()

    def _forget(self) -> None:
        self._timer.stop()
        self._thread = self._session = self._applied = None
        self._waiting.clear()
        self._cases = []

    @Slot(object, object)
    def _on_ended(self, applied: AppliedStep | None, problem: CxrError | None) -> None:
        if self._session is None:
            return
        if problem is not None:
            self._forget()
            self.failed.emit(problem)
            return
        self._applied = applied
        self._waiting.extend(applied.decisions.items() if applied is not None else ())
        self._timer.start()

    def _take_portion(self) -> None:
        """A few milliseconds of work, then the window's events."""
        session = self._session
        if session is None:
            self._timer.stop()
            return
        count = min(_PORTION, len(self._waiting))
        self._cases += session.take_decisions(dict(self._waiting.popleft() for _ in range(count)))
        if not self._waiting:
            cases, applied = self._cases, self._applied
            self._forget()
            self.saved.emit(cases, applied)
