"""Films for the image area: the one asked for first, then its neighbours on both sides."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from desktop.core.errors import CxrError
from desktop.core.imaging.decode import Radiograph
from desktop.gui.images.decode_process import Picture, PictureJob, PictureProcess
from desktop.gui.images.renderer import take_prepared

# Six of the largest films that are common (3000 x 3000, 16 bits): all that is decoded ahead.
BUDGET_BYTES = 160 * 1024 * 1024
_NICE = 3
Outcome = Radiograph | CxrError


class FilmLoader(QObject):
    """Decodes off the window's process and keeps the latest films within a byte budget.

    Signals:
        film_arrived(int): The film of a case, or the reason why there is none, can be asked for.
    """

    film_arrived = Signal(int)
    _decoded = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[int, Outcome] = OrderedDict()
        self._bytes = 0
        self._opening = 0
        self._protected: frozenset[int] = frozenset()
        self._decoded.connect(self._on_decoded)
        self._process = PictureProcess(self._decoded.emit, "cxr-quorum-films", _NICE)

    def want(self, films: Sequence[tuple[int, Path]]) -> None:
        """Decode these in this order unless they are there; what waited before is forgotten."""
        self._protected = frozenset(case for case, _ in films[:3])
        self._process.want(
            [
                PictureJob(case, path, opening=self._opening)
                for case, path in films
                if case not in self._kept
            ]
        )

    def outcome(self, case: int) -> Outcome | None:
        """The film, the reason why there is none, or None while it is not decoded."""
        found = self._kept.get(case)
        if found is not None:
            self._kept.move_to_end(case)
        return found

    def forget(self, cases: Sequence[int] | None = None) -> None:
        """Drop some films (their files changed) or all of them (another folder)."""
        if cases is None:
            self._opening += 1
            self._process.want([])
            self._kept.clear()
            self._bytes = 0
            return
        for case in cases:
            self._drop(case)

    def close(self) -> None:
        """End the decoding process."""
        self._process.close()

    @Slot(object)
    def _on_decoded(self, picture: Picture) -> None:
        case = picture.job.case
        outcome = picture.film if picture.film is not None else picture.refusal
        if outcome is None or picture.job.opening != self._opening:
            return
        self._drop(case)
        if picture.film is not None and picture.prepared is not None:
            take_prepared(picture.film, picture.prepared)
        self._kept[case] = outcome
        self._bytes += _size(outcome)
        for old in list(self._kept):
            if self._bytes <= BUDGET_BYTES:
                break
            if old != case and old not in self._protected:
                self._drop(old)
        self.film_arrived.emit(case)

    def _drop(self, case: int) -> None:
        gone = self._kept.pop(case, None)
        if gone is not None:
            self._bytes -= _size(gone)


def _size(outcome: Outcome) -> int:
    # The halvings take another third.
    return int(outcome.values.nbytes) * 4 // 3 if isinstance(outcome, Radiograph) else 0
