"""What a row of the list says of its case. Pure functions over the case table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QCoreApplication

from desktop.core.cases import Decision
from desktop.core.review.case_table import FAILED, WAITING, CaseTable
from desktop.gui.panel_info import PanelInfo
from desktop.gui.presenters.verdict import StripState, strip_text

translate = QCoreApplication.translate
RowStatus = Literal["open", "decided", "unsure", "flagged", "failed"]
RowCopies = Literal["", "duplicate", "conflict"]


@dataclass(frozen=True, slots=True)
class RowView:
    """What one row shows.

    Attributes:
        name: Path relative to the opened folder.
        line: Second line, e.g. ``Normal 3 of 4``.
        short_line: The same for a narrow list, e.g. ``Viral 3 of 4``.
        votes: Class index of each model, None where it gave no answer; empty before any result.
        state: How the vote strip is drawn.
        status: The mark at the end of the row.
        decided: True where the reader has decided, which draws the name in grey.
        copies: Whether nearly the same film is in the folder, and was decided otherwise.
        spoken: Everything above in words, for a screen reader.
    """

    name: str
    line: str
    short_line: str
    votes: tuple[int | None, ...]
    state: StripState
    status: RowStatus
    decided: bool
    spoken: str
    copies: RowCopies = ""


def row_view(table: CaseTable, case: int, facts: PanelInfo, *, blind: bool) -> RowView:
    """Compose the row of one case.

    Args:
        table: Images, results and decisions.
        case: Row of the table.
        facts: The panel.
        blind: The votes must not be shown: neither on screen nor to a screen reader.
    """
    image = table.images[case]
    decision = table.decision(case)
    status = int(table.column("status")[case])
    votes: tuple[int | None, ...] = ()
    state: StripState
    if status == FAILED:
        state = "failed"
        reason = short_reason(table.refusal(case)[1], image)
        line = translate("CaseRow", "Not read: {reason}").format(reason=reason)
        # The cross at the row's end says "not read" as well; there is room for one of the two.
        short = reason[:1].upper() + reason[1:]
    elif blind:
        state, line, short = (
            "blind",
            translate("CaseRow", "Your label first"),
            translate("CaseRow", "Label first"),
        )
    elif status == WAITING:
        state, line, short = (
            "waiting",
            translate("CaseRow", "Waiting for models"),
            translate("CaseRow", "Waiting"),
        )
    else:
        state = "voted"
        votes = votes_of(table, case)
        line = _verdict_line(table, case, facts, facts.class_names)
        short = _short_verdict(table, case, facts)
    parts = [image, _label_text(decision), line]
    if state == "voted" and table.column("ood")[case]:
        parts.append(translate("CaseRow", "out of distribution"))
    copies = _copies(table, case)
    if copies == "duplicate":
        parts.append(translate("CaseRow", "has a near-duplicate"))
    elif copies == "conflict":
        parts.append(translate("CaseRow", "labelled otherwise than its near-duplicate"))
    if state == "voted":
        parts.append(strip_text(votes, state, facts))
    if decision.flagged:
        parts.append(translate("CaseRow", "flagged"))
    return RowView(
        name=image,
        line=line,
        short_line=short,
        votes=votes,
        state=state,
        status=_mark(status, decision),
        decided=decision.reviewed,
        copies=copies,
        spoken=", ".join(part for part in parts if part),
    )


def _copies(table: CaseTable, case: int) -> RowCopies:
    if table.column("duplicate_group")[case] < 0:
        return ""
    return "conflict" if table.conflicting()[case] else "duplicate"


def votes_of(table: CaseTable, case: int) -> tuple[int | None, ...]:
    """Class index of each model, None where it gave no answer."""
    return tuple(int(vote) if vote >= 0 else None for vote in table.column("votes")[case].tolist())


def short_reason(sentence: str, image: str) -> str:
    """A refusal without the file's name in front and without what to do: for one narrow line."""
    first = sentence.split(". ")[0].rstrip(".")
    name = image.rsplit("/", 1)[-1]
    for known in (image, name):
        first = first.removeprefix(known).strip()
    for filler in ("is a ", "is an ", "is "):
        if first.startswith(filler):
            first = first.removeprefix(filler)
            break
    if first[1:2].isupper():  # DICOM is no word to begin small
        return first
    return first[:1].lower() + first[1:]


def _verdict_line(table: CaseTable, case: int, facts: PanelInfo, names: tuple[str, ...]) -> str:
    consensus = int(table.column("consensus")[case])
    line = translate("CaseRow", "No consensus")
    if consensus >= 0:
        line = translate("CaseRow", "{label} {agreement} of {models}").format(
            label=names[consensus],
            agreement=int(table.column("agreement")[case]),
            models=len(facts.models),
        )
    if table.column("ood")[case]:
        # Votes on what is no usual film must not look like any other row's.
        return translate("CaseRow", "{verdict}, OOD").format(verdict=line)
    return line


def _short_verdict(table: CaseTable, case: int, facts: PanelInfo) -> str:
    """The verdict for a narrow list, where "Pneumonia 4 of 4" would be cut."""
    consensus = int(table.column("consensus")[case])
    ood = bool(table.column("ood")[case])
    if consensus < 0:
        split = translate("CaseRow", "OOD, split")
        return split if ood else translate("CaseRow", "No consensus")
    label = facts.short_names[consensus]
    if ood:
        return translate("CaseRow", "OOD, {label}").format(label=label)
    return translate("CaseRow", "{label} {agreement}/{models}").format(
        label=label,
        agreement=int(table.column("agreement")[case]),
        models=len(facts.models),
    )


def _label_text(decision: Decision) -> str:
    if decision.label is not None:
        return translate("CaseRow", "you: {label}").format(label=decision.label)
    return translate("CaseRow", "you: unsure") if decision.state == "unsure" else ""


def _mark(status: int, decision: Decision) -> RowStatus:
    if decision.flagged:
        return "flagged"
    if decision.state == "unsure":
        return "unsure"
    if decision.reviewed:
        return "decided"
    return "failed" if status == FAILED else "open"
