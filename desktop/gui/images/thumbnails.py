"""Small pictures for the list: decoded in a child process, kept in a bounded cache.

Rows that scroll away leave the queue, so a jump through a hundred thousand files decodes only what
is looked at.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from desktop.gui.images.decode_process import Picture, PictureJob, PictureProcess

# Twenty screens of a tall window. 16 KB each: what is kept for longer looks like a leak for hours.
CAPACITY = 600
_NICE = 7


class Thumbnails(QObject):
    """A cache of grey thumbnails by case.

    Signals:
        thumbnail_arrived(int): The picture of a case can be asked for.
    """

    thumbnail_arrived = Signal(int)
    _decoded = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[int, QImage | None] = OrderedDict()
        self._opening = 0
        self._decoded.connect(self._on_decoded)
        self._process = PictureProcess(self._decoded.emit, "cxr-quorum-thumbnails", _NICE)

    def want(self, cases: Sequence[tuple[int, Path]]) -> None:
        """Decode these in this order unless they are there; rows left out are forgotten."""
        self._process.want(
            [
                PictureJob(case, path, "thumbnail", self._opening)
                for case, path in cases
                if case not in self._kept
            ]
        )

    def picture(self, case: int) -> QImage | None:
        """The thumbnail, None while it is not decoded or where there is none."""
        found = self._kept.get(case)
        if found is not None:
            self._kept.move_to_end(case)
        return found

    @property
    def waiting(self) -> int:
        """Pictures that are still to come."""
        return self._process.waiting

    def forget_all(self) -> None:
        """Empty the cache: another folder is open."""
        self._opening += 1
        self._process.want([])
        self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)

    def close(self) -> None:
        """End the decoding process."""
        self._process.close()

    @Slot(object)
    def _on_decoded(self, picture: Picture) -> None:
        if picture.job.opening != self._opening:
            return
        image = None
        if picture.thumbnail is not None:
            pixels = np.ascontiguousarray(picture.thumbnail)
            height, width = pixels.shape
            shared = QImage(pixels.data, width, height, width, QImage.Format.Format_Grayscale8)
            # A copy, so that the array may go.
            image = shared.copy()
        self._kept[picture.job.case] = image
        while len(self._kept) > CAPACITY:
            self._kept.popitem(last=False)
        self.thumbnail_arrived.emit(picture.job.case)
