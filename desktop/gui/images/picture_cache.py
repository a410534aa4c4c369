"""Films for the image area and small pictures for the list, decoded in child processes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from desktop.core.errors import CxrError
from desktop.core.imaging.decode import Radiograph
from desktop.gui.images.decode_process import Kind, Picture, PictureJob, PictureProcess
from desktop.gui.images.renderer import take_prepared

# Six of the largest films that are common (3000 x 3000, 16 bits): all that is decoded ahead.
FILM_BYTES = 160 * 1024 * 1024
# Twenty screens of a tall window. 16 KB each: what is kept for longer looks like a leak for hours.
THUMBNAILS = 600
Outcome = Radiograph | CxrError
Kept = TypeVar("Kept")


class PictureCache(QObject, Generic[Kept]):
    """What a process of its own decodes, by case; the oldest leave first.

    Signals:
        arrived(int): The picture of a case, or the reason why there is none, can be asked for.
    """

    arrived = Signal(int)
    _decoded = Signal(object)

    def __init__(self, kind: Kind, name: str, nice: int, parent: QObject | None) -> None:
        super().__init__(parent)
        self._kind: Kind = kind
        self._kept: OrderedDict[int, Kept] = OrderedDict()
        self._opening = 0
        self._decoded.connect(self._on_decoded)
        self._process = PictureProcess(self._decoded.emit, name, nice)

    def want(self, files: Sequence[tuple[int, Path]]) -> None:
        """Decode these in this order unless they are there; what waited before is forgotten."""
        self._process.want(
            [
                PictureJob(case, path, self._kind, self._opening)
                for case, path in files
                if case not in self._kept
            ]
        )

    @property
    def waiting(self) -> int:
        return self._process.waiting

    def forget_all(self) -> None:
        """Empty the cache: another folder is open."""
        self._opening += 1
        self._process.want([])
        self._kept.clear()

    def close(self) -> None:
        self._process.close()

    def __len__(self) -> int:
        return len(self._kept)

    def _find(self, case: int) -> Kept | None:
        found = self._kept.get(case)
        if found is not None:
            self._kept.move_to_end(case)
        return found

    @Slot(object)
    def _on_decoded(self, picture: Picture) -> None:
        if picture.job.opening == self._opening:
            self._keep(picture.job.case, picture)
            self.arrived.emit(picture.job.case)

    def _keep(self, case: int, picture: Picture) -> None:
        raise NotImplementedError


class FilmLoader(PictureCache[Outcome]):
    """The film asked for first, then its neighbours on both sides, within a byte budget."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("film", "cxr-quorum-films", 3, parent)
        self._protected: frozenset[int] = frozenset()

    def want(self, files: Sequence[tuple[int, Path]]) -> None:
        """As in the base; the first three are kept whatever the budget says."""
        self._protected = frozenset(case for case, _ in files[:3])
        super().want(files)

    def outcome(self, case: int) -> Outcome | None:
        """The film, the reason why there is none, or None while it is not decoded."""
        return self._find(case)

    def forget(self, cases: Sequence[int]) -> None:
        """Drop some films: their files changed."""
        for case in cases:
            self._kept.pop(case, None)

    def _keep(self, case: int, picture: Picture) -> None:
        outcome = picture.film if picture.film is not None else picture.refusal
        assert outcome is not None
        if picture.film is not None and picture.prepared is not None:
            take_prepared(picture.film, picture.prepared)
        self._kept.pop(case, None)
        self._kept[case] = outcome
        held = sum(map(_size, self._kept.values()))
        for old in list(self._kept):
            if held <= FILM_BYTES:
                break
            if old != case and old not in self._protected:
                held -= _size(self._kept.pop(old))


class Thumbnails(PictureCache[QImage | None]):
    """Small grey pictures for the list.

    Rows that scroll away leave the queue, so a jump through a hundred thousand files decodes only
    what is looked at.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("thumbnail", "cxr-quorum-thumbnails", 7, parent)

    def picture(self, case: int) -> QImage | None:
        """The thumbnail, None while it is not decoded or where there is none."""
        return self._find(case)

    def _keep(self, case: int, picture: Picture) -> None:
        image = None
        if picture.thumbnail is not None:
            pixels = np.ascontiguousarray(picture.thumbnail)
            height, width = pixels.shape
            shared = QImage(pixels.data, width, height, width, QImage.Format.Format_Grayscale8)
            # A copy, so that the array may go.
            image = shared.copy()
        self._kept[case] = image
        while len(self._kept) > THUMBNAILS:
            self._kept.popitem(last=False)


def _size(outcome: Outcome) -> int:
    # The halvings take another third.
    return int(outcome.values.nbytes) * 4 // 3 if isinstance(outcome, Radiograph) else 0
