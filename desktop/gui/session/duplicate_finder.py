"""Near-duplicates of the open folder: looked for off the window's process, after the models.

A few decodes a second beside the models would slow both down, so a search begins when nothing has
run for a moment, or when the reader asks for it. Hashes are kept, so it is done once.
"""

from __future__ import annotations

import contextlib
import threading

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from desktop.core.duplicates.search import (
    FoundCopies,
    SearchFailed,
    Searching,
    SearchRequest,
    run_search,
)
from desktop.core.system.processes import ChildProcess
from desktop.gui.session.session import Session

_DELAY_MS = 1500
# Behind the models, which are behind the window.
_NICE = 15
_POLITE_S = 1.0


class DuplicateFinder(QObject):
    """One search at a time; a new one ends the one before.

    Signals:
        searching(int, int): Films hashed and all to hash, only for a search that was asked for.
        found(int, int): Images with a near-duplicate, and images compared; the table knows them.
        failed(CxrError): Why the search was given up, only for one that was asked for.
    """

    searching = Signal(int, int)
    found = Signal(int, int)
    failed = Signal(object)
    _received = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._request: SearchRequest | None = None
        self._number = 0
        self._asked = False
        # Images with an answer when the latest search began: without news there is none.
        self._searched = -1
        self._child: ChildProcess | None = None
        self._thread: threading.Thread | None = None
        self._received.connect(self._on_received, Qt.ConnectionType.QueuedConnection)
        self._delay = QTimer(
            self, singleShot=True, interval=_DELAY_MS, timeout=lambda: self._begin(asked=False)
        )

    def set_session(self, session: Session | None, request: SearchRequest | None = None) -> None:
        """Another folder, or none; a search that runs is given up."""
        self.cancel()
        self._session, self._request = session, request
        self._searched = -1

    def search_soon(self) -> None:
        """The models are idle: search if they still are in a moment."""
        if self._session is not None and self._answered() != self._searched:
            self._delay.start()

    def wait(self) -> None:
        """The models run (again): not now. A search that already runs goes on, it is niced."""
        self._delay.stop()

    def search(self) -> None:
        self._begin(asked=True)

    @property
    def asked(self) -> bool:
        """Whether the reader asked for the latest search."""
        return self._asked

    @property
    def busy(self) -> bool:
        return self._child is not None

    def cancel(self) -> None:
        """Give a search up; what it has hashed is kept."""
        self._delay.stop()
        self._number += 1
        child, thread = self._child, self._thread
        self._child = self._thread = None
        if child is not None and thread is not None:
            child.send(None)
            child.wait(_POLITE_S)
            child.kill()
            thread.join()  # it reads the pipe to its end
            child.close()

    def _answered(self) -> int:
        return int((self._session.table.column("status") != 0).sum()) if self._session else -1

    def _begin(self, *, asked: bool) -> None:
        session, request = self._session, self._request
        if session is None or request is None:
            return
        self.cancel()
        self._asked = asked
        self._searched = self._answered()
        self._child = ChildProcess(
            run_search, request, name="near-duplicates", nice=_NICE, has_children=True
        )
        ours = self._child.connection
        number = self._number

        def listen() -> None:
            with contextlib.suppress(EOFError, OSError):
                while True:
                    news = ours.recv()
                    if isinstance(news, FoundCopies):
                        self._received.emit(number, (_by_row(session, news), news.compared))
                        return
                    self._received.emit(number, news)
            self._received.emit(number, None)

        self._thread = threading.Thread(target=listen, name="near-duplicates", daemon=True)
        self._thread.start()

    @Slot(int, object)
    def _on_received(self, number: int, news: object) -> None:
        if number != self._number or self._session is None:
            return
        if isinstance(news, Searching):
            if self._asked:
                self.searching.emit(news.done, news.total)
            return
        self.cancel()
        if isinstance(news, SearchFailed):
            if self._asked:
                self.failed.emit(news.problem)
        elif isinstance(news, tuple):
            groups, compared = news
            self._session.table.set_duplicate_groups(groups)
            self.found.emit(len(groups), compared)


def _by_row(session: Session, found: FoundCopies) -> dict[int, int]:
    """Row -> group for images that are still listed with at least one of their copies.

    Runs on the listening thread: a look-up for each of perhaps 100,000 images.
    """
    rows = [session.table.row(image) for image in found.images]
    kept = [index for index, row in enumerate(rows) if row is not None and row in session.stamps]
    _, inverse, counts = np.unique(found.groups[kept], return_inverse=True, return_counts=True)
    return {
        row: int(found.groups[index])
        for index, count in zip(kept, counts[inverse].tolist(), strict=True)
        if count > 1 and (row := rows[index]) is not None
    }
