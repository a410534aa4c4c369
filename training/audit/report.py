"""The audit as one JSON file for programs and one page for people, from the same numbers."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

from desktop.core.duplicates.perceptual_hash import HASH_BITS, NEAR_DISTANCE
from training.audit.audit import Audit
from training.audit.copies import Copy, SharedPerson
from training.audit.shortcut_probe import ALL_CUES
from training.runtime.pages import render

#: Pairs written out; the counts are always of all.
LISTED_PAIRS = 2000


def as_json(audits: Sequence[Audit]) -> dict[str, Any]:
    """Everything, ready for ``json.dump``."""
    return {"panels": [_panel_json(audit) for audit in audits]}


def _panel_json(audit: Audit) -> dict[str, Any]:
    copies = audit.sameness.copies
    return {
        "panel": audit.panel,
        "classes": list(audit.class_names),
        "films": audit.films,
        "left_out": audit.notes,
        "leaks_on_disk": _counts(audit.leaks_on_disk),
        "leaks_in_use": _counts(audit.leaks_in_use),
        "copies": {
            "exact": sum(copy.exact for copy in copies),
            "near": sum(not copy.exact for copy in copies),
            "missed_by_hash": sum(copy.missed_by_hash for copy in copies),
            "between": _between(copies),
            "label_conflicts": sum(copy.contradicts for copy in copies),
            "listed": [
                {**dataclasses.asdict(copy), "contradicts": copy.contradicts}
                for copy in _worst_first(copies)[:LISTED_PAIRS]
            ],
        },
        "people_on_two_sides": [dataclasses.asdict(person) for person in audit.sameness.people],
        "blank_or_unreadable": list(audit.sameness.empty),
        "burnt_in_marks": {
            key: {"share": share, "films": films} for key, (share, films) in audit.marks.items()
        },
        "shortcut_probe": [dataclasses.asdict(probe) for probe in audit.probes],
    }


def _counts(items: Sequence[Copy | SharedPerson]) -> dict[str, int]:
    return {
        "copies": sum(isinstance(item, Copy) for item in items),
        "people": sum(isinstance(item, SharedPerson) for item in items),
    }


def _between(copies: Sequence[Copy]) -> dict[str, int]:
    """``<set> <side> / <set> <side>`` -> pairs."""
    counts: Counter[str] = Counter()
    for copy in copies:
        ends = sorted(
            f"{source} {side}" for source, side in zip(copy.sources, copy.on_disk, strict=True)
        )
        counts[" / ".join(ends)] += 1
    return dict(counts.most_common())


def _worst_first(copies: Sequence[Copy]) -> list[Copy]:
    return sorted(
        copies, key=lambda copy: (not copy.leaks_in_use, not copy.leaks_on_disk, copy.distance)
    )


def as_page(audits: Sequence[Audit], command: str) -> str:
    """The page as Markdown; ``command`` is how to make it again."""
    found = []
    for audit in audits:
        worst = _worst_first(audit.sameness.copies)
        people = [person for person in audit.sameness.people if not person.only_alike]
        more = {
            "worst": [copy for copy in worst if copy.leaks_on_disk or copy.contradicts],
            "people_across": [
                one.person for one in people if one.leaks_on_disk or one.leaks_in_use
            ],
        }
        found.append((audit, _panel_json(audit) | more))
    return render(
        "audit.md.j2",
        audits=found,
        command=command,
        near_distance=NEAR_DISTANCE,
        hash_bits=HASH_BITS,
        all_cues=ALL_CUES,
    )
