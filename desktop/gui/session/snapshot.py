"""From the session to the rows and files of an export. No widgets here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.core.cases import OPEN, CaseResult, Decision
from desktop.core.export.class_folders import (
    Basis,
    Mode,
    class_of,
    dicom_notice,
    place_files,
    plan_class_folders,
)
from desktop.core.export.table import TableRow
from desktop.core.panels.registry import Panel
from desktop.core.store.review_store import ReviewStore
from desktop.core.system.cancel_token import CancelToken
from desktop.gui.session.controller import Controller


@dataclass(frozen=True)
class ExportSource:
    """What an export is made of, taken once, so that the reader may go on meanwhile.

    Attributes:
        root: The opened folder.
        images: Images in the order of the listing, or the listed rows only.
        decisions: Image -> decision.
        device: Device that the models run on now, empty where none was needed.
    """

    root: Path
    panel: Panel
    images: tuple[str, ...]
    decisions: Mapping[str, Decision]
    device: str


@dataclass(frozen=True)
class Placed:
    """What became of an export into class folders.

    Attributes:
        placed: Files that are there now.
        refused: Files that are not.
        first_reason: Why the first of them is not.
        dicom_text: Warning about patient tags, empty where no DICOM file went along.
    """

    placed: int
    refused: int
    first_reason: str
    dicom_text: str


def source_of(controller: Controller, *, listed_only: bool) -> ExportSource | None:
    """Take what an export needs from the session; None where no folder is open."""
    session = controller.session
    if session is None:
        return None
    cases: Sequence[int] = controller.list.shown if listed_only else sorted(session.stamps)
    return ExportSource(
        root=session.root,
        panel=session.panel,
        images=tuple(session.image(case) for case in cases),
        decisions={
            session.image(case): decision for case, decision in session.table.decided().items()
        },
        device=controller.run.device,
    )


def table_rows(store: ReviewStore, source: ExportSource) -> Iterator[TableRow]:
    """Rows of the table in the order of the source.

    An image that was decided before the models came to it has a row that says so; one that nobody
    has come to has none.
    """
    waiting = iter(source.images)
    devices = store.devices()
    for result in store.case_results(source.images):
        for image in waiting:
            if image == result.image:
                break
            yield from _undone(image, source)
        decision = source.decisions.get(result.image, OPEN)
        yield TableRow(result, decision, devices.get(result.image, ""))
    for image in waiting:
        yield from _undone(image, source)


def place_classes(
    store: ReviewStore,
    source: ExportSource,
    target: Path,
    basis: Basis,
    mode: Mode,
    token: CancelToken,
) -> Placed:
    """Copy or link the films of the source into one folder a class.

    Raises:
        CxrError: The target cannot be used at all.
    """
    results = {result.image: result for result in store.case_results(source.images)}
    cases = []
    for image in source.images:
        result = results.get(image)
        decision = source.decisions.get(image, OPEN)
        name = class_of(result, decision, source.panel.class_names, basis)
        if name is not None:
            cases.append((image, name, result.sha256 if result is not None else ""))
    planned = plan_class_folders(cases)
    placed = refused = 0
    reason = ""
    for item in place_files(source.root, target, planned, mode=mode, cancel=token):
        if item.path is None:
            refused += 1
            reason = reason or item.reason
        else:
            placed += 1
    return Placed(placed, refused, reason, dicom_notice(planned))


def _undone(image: str, source: ExportSource) -> Iterator[TableRow]:
    decision = source.decisions.get(image, OPEN)
    if decision.reviewed or decision.flagged or decision.comment:
        result = CaseResult(
            image,
            "",
            "failed",
            "PENDING-01",
            "The models had not come to this image when the table was written.",
        )
        yield TableRow(result, decision)
