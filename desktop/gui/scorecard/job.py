"""Counting the scorecard off the window's thread: its intervals are drawn two thousand times."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop.core.errors import CxrError
from desktop.core.review.scorecard import Scorecard, Truth, scorecard
from desktop.core.store.review_store import ReviewStore
from desktop.core.system.cancel_token import CancelToken
from desktop.gui.session.background_job import Background
from desktop.gui.session.controller import Controller
from desktop.gui.session.snapshot import source_of


class Scoring(QObject):
    """One count at a time; a request during a count is answered by one more.

    Signals:
        scorecard_counted(Scorecard): Fresh figures.
        notice_raised(str): Why there are none.
    """

    scorecard_counted = Signal(object)
    notice_raised = Signal(str)

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._busy = False
        self._asked: Truth | None = None
        self._background = Background(self)
        self._background.done.connect(self._on_done)
        self._background.failed.connect(self._on_failed)

    def count(self, truth: Truth) -> None:
        """Count with this reference; ``scorecard_counted`` follows."""
        source = source_of(self._controller, listed_only=False)
        if source is None:
            return
        if self._busy:
            self._asked = truth
            return
        self._busy = True

        def job(_token: CancelToken) -> Scorecard:
            with ReviewStore.open(source.root, source.panel.manifest) as store:
                return scorecard(store.load_table(), truth)

        self._background.start("scorecard", job)

    def close(self) -> None:
        self._background.close()

    def _on_done(self, _key: str, card: Scorecard) -> None:
        self._busy = False
        self.scorecard_counted.emit(card)
        asked, self._asked = self._asked, None
        if asked is not None:
            self.count(asked)

    def _on_failed(self, _key: str, problem: CxrError) -> None:
        self._busy = False
        self.notice_raised.emit(str(problem))
