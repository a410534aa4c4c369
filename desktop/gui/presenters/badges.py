"""Badges that come from the file and the reader's own work, not from the votes."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from desktop.core.cases import Decision
from desktop.core.review.case_table import CaseTable
from desktop.gui.formatting import grouped

translate = QCoreApplication.translate


@dataclass(frozen=True)
class BadgeSpec:
    """One badge.

    Attributes:
        key: Stable name, e.g. ``ood``.
        icon: Icon name.
        text: Two or three words.
        sentence: What it means and what to do, shown on hover or Enter.
    """

    key: str
    icon: str
    text: str
    sentence: str


def film_badges(table: CaseTable, case: int, film: object) -> list[BadgeSpec]:
    """Badges of one case: a file that changed, near-duplicates, burnt-in text.

    Args:
        table: Images, results and decisions.
        case: Row of the table.
        film: The decoded film, a refusal, or None while it is read.
    """
    badges: list[BadgeSpec] = []
    if table.column("changed")[case]:
        badges.append(
            BadgeSpec(
                "changed",
                "refresh",
                translate("FilmBadges", "File changed"),
                translate(
                    "FilmBadges", "The file is not the one that was decided. Look at it again."
                ),
            )
        )
    copies = copies_badge(table, case)
    if copies is not None:
        badges.append(copies)
    if getattr(film, "burned_in_annotation", None):
        badges.append(
            BadgeSpec(
                "burnt-in",
                "burnt-in-text",
                translate("FilmBadges", "Burnt-in text"),
                translate("FilmBadges", "May name a patient. Check before you export."),
            )
        )
    return badges


def differing_copy(table: CaseTable, case: int) -> int | None:
    """A near-duplicate that was decided otherwise than a decided case, None where there is none."""
    own = table.decision(case)
    if not own.reviewed:
        return None
    for other in table.copies(case):
        decision = table.decision(other)
        if decision.reviewed and decision.label != own.label:
            return other
    return None


def copies_badge(table: CaseTable, case: int) -> BadgeSpec | None:
    """The badge of an image that has near-duplicates; a label that differs comes first."""
    copies = table.copies(case)
    if not copies:
        return None
    other = differing_copy(table, case)
    if other is not None:
        sentence = translate(
            "Duplicates",
            "You said {own}, but {other} is nearly the same film and is {label}. Look at both.",
        ).format(
            own=label_text(table.decision(case)),
            other=table.images[other],
            label=label_text(table.decision(other)),
        )
        return BadgeSpec(
            "conflict", "duplicate", translate("Duplicates", "Labels differ"), sentence
        )
    names = ", ".join(table.images[copy] for copy in copies[:3])
    if len(copies) > 3:
        names = translate("Duplicates", "{names} and {more} more").format(
            names=names, more=grouped(len(copies) - 3)
        )
    sentence = translate("Duplicates", "Nearly the same film as {names}.").format(names=names)
    labels = {label_text(table.decision(copy)) for copy in copies} - {""}
    if labels:
        sentence += " " + translate("Duplicates", "Decided there: {labels}.").format(
            labels=", ".join(sorted(labels))
        )
    return BadgeSpec("duplicate", "duplicate", translate("Duplicates", "Near-duplicate"), sentence)


def label_text(decision: Decision) -> str:
    if decision.label is not None:
        return decision.label
    return translate("Duplicates", "unsure") if decision.reviewed else ""
