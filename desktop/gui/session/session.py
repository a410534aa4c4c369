"""The open folder as the window knows it. Only the controller changes it; widgets read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.cases import Decision, FileStamp, ImageFile
from desktop.core.panels.registry import Panel
from desktop.core.review.case_table import FAILED, READ, WAITING, CaseTable
from desktop.gui.panel_info import PanelInfo


@dataclass
class Session:
    """One folder (or a handful of files) under one panel.

    A case is a row of ``table``; its number never changes while the folder is open.

    Attributes:
        root: Folder to which all image paths are relative.
        panel: The models that vote.
        facts: The same for people.
        table: Images, results and decisions in columns.
        picked: Files that were opened one by one; empty where a whole folder is open.
        stamps: Case -> size and time of the file as the scan saw it.
        scanned: The scan has come to its end.
        latest_revision: The store's latest revision that this window has seen.
    """

    root: Path
    panel: Panel
    facts: PanelInfo
    table: CaseTable
    picked: tuple[Path, ...] = ()
    stamps: dict[int, FileStamp] = field(default_factory=dict)
    scanned: bool = False
    latest_revision: int = 0

    def add(self, files: Iterable[ImageFile]) -> list[int]:
        """Take in scanned files; gives their cases, known ones only if they had no file yet."""
        listed = list(files)
        self.table.add_images(file.image for file in listed)
        added = []
        for file in listed:
            case = self.table.row(file.image)
            if case is not None and case not in self.stamps:
                self.stamps[case] = file.stamp
                added.append(case)
        return added

    def take_decisions(self, decisions: Mapping[str, Decision]) -> list[int]:
        """Take over decisions by image, as the store has them; gives the cases that are listed."""
        cases = {image: row for image in decisions if (row := self.table.row(image)) is not None}
        self.table.set_decisions({image: decisions[image] for image in cases})
        return list(cases.values())

    def path(self, case: int) -> Path:
        return self.root / self.table.images[case]

    def file(self, case: int) -> ImageFile:
        """A listed case as the scan saw it."""
        return ImageFile(self.path(case), self.table.images[case], *self.stamps[case])

    def image(self, case: int) -> str:
        """Path of a case relative to the opened folder."""
        return self.table.images[case]

    def decision(self, case: int) -> Decision:
        """The decision on a case, ``OPEN`` where there is none."""
        return self.table.decision(case)

    def has_result(self, case: int) -> bool:
        """Whether the models have come to it, also where it could not be read."""
        return bool(self.table.column("status")[case] != WAITING)

    def failed(self, case: int) -> bool:
        """Whether the file could not be read."""
        return bool(self.table.column("status")[case] == FAILED)

    def voted(self, case: int) -> bool:
        """Whether the models have voted on it."""
        return bool(self.table.column("status")[case] == READ)

    def consensus(self, case: int) -> str | None:
        """Class name of the consensus, None without one."""
        index = int(self.table.column("consensus")[case])
        return self.panel.class_names[index] if index >= 0 else None

    def acceptable(self, case: int) -> str | None:
        """The consensus that Enter takes over; None without one and on "none of these"."""
        return None if self.table.flags("none_of_these")[case] else self.consensus(case)
