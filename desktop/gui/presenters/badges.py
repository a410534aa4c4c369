"""Badges that come from the file and the reader's own work, not from the votes."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.core.review.case_table import CaseTable
from desktop.gui.mainwindow.notices import copies_badge
from desktop.gui.widgets.badge import BadgeFacts


def film_badges(table: CaseTable, case: int, film: object) -> list[BadgeFacts]:
    """Badges of one case: a file that changed, near-duplicates, burnt-in text.

    Args:
        table: Images, results and decisions.
        case: Row of the table.
        film: The decoded film, a refusal, or None while it is read.
    """
    translate = QCoreApplication.translate
    badges: list[BadgeFacts] = []
    if table.column("changed")[case]:
        badges.append(
            BadgeFacts(
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
            BadgeFacts(
                "burnt-in",
                "burnt-in-text",
                translate("FilmBadges", "Burnt-in text"),
                translate("FilmBadges", "May name a patient. Check before you export."),
            )
        )
    return badges
