"""The audit as one JSON file for programs and one page for people, from the same numbers."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

from desktop.core.duplicates.perceptual_hash import HASH_BITS, NEAR_DISTANCE
from training.audit.audit import Audit
from training.audit.copies import Copy, SharedPerson
from training.audit.shortcut_probe import ALL_CUES, Probe

#: Pairs written out; the counts are always of all.
LISTED_PAIRS = 2000
_SHOWN_PAIRS = 12
_ODD_AUC = 0.7


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
    """The page as Markdown.

    Args:
        audits: One a panel.
        command: How to make it again.
    """
    lines = [
        "# Data audit",
        "",
        f"Written by `{command}`; the same numbers, and every pair, are in the JSON file beside "
        "it.",
        "",
        "- **Copies**: equal bytes, or a perceptual hash that differs in at most "
        f"{NEAR_DISTANCE} of {HASH_BITS} bits. A crop or a mirrored copy is not found.",
        "- **People**: as far as file names tell. A person whose two films carry unrelated "
        "names is "
        "two people here.",
        "- **Marks**: small, bright, sharp things in the outer 18 % of a film. A heuristic: it "
        "does "
        "not read, and it misses faint letters and letters over bone.",
        "- **Shortcut probe**: gradient boosting on size, margin and marks only, never on a pixel "
        "further in than 6 % (corners: 15 %). Five folds; a person and the copies of a film stay "
        "in one fold, at most 2,500 films drawn at random. Brackets are 95 % bootstrap intervals "
        "over films. 0.5 is chance. On tightly "
        "cropped films the margin can touch a lung's outer edge.",
        "",
    ]
    for audit in audits:
        lines += _panel_page(audit)
    return "\n".join(lines)


def _panel_page(audit: Audit) -> list[str]:
    disk, used = _counts(audit.leaks_on_disk), _counts(audit.leaks_in_use)
    clean = not any(used.values())
    lines = [
        f"## {audit.panel}",
        "",
        f"**In the folders as they came**: {disk['copies']} pairs of copies and {disk['people']} "
        "people stand in both a training and a test folder.",
        f"**In the split that training uses**: {used['copies']} pairs and {used['people']} people "
        + (
            "stand on two sides. It does not leak."
            if clean
            else "stand on two sides: **it leaks**."
        ),
        "",
        "| films | in the split that training uses |",
        "| --- | --- |",
        *[
            f"| {key} | {', '.join(f'{count} {side}' for side, count in sides.items())} |"
            for key, sides in audit.films.items()
        ],
        "",
    ]
    if audit.sameness.empty:
        lines += [
            f"{len(audit.sameness.empty)} files are blank or could not be read: "
            + ", ".join(f"`{name}`" for name in audit.sameness.empty[:5])
            + ".",
            "",
        ]
    return [*lines, *_copies_page(audit), *_people_page(audit), *_cues_page(audit)]


def _copies_page(audit: Audit) -> list[str]:
    copies = audit.sameness.copies
    exact = sum(copy.exact for copy in copies)
    lines = [
        "### Copies",
        "",
        f"{exact} pairs of equal files, {len(copies) - exact} pairs of near-duplicates, "
        f"{sum(copy.contradicts for copy in copies)} pairs whose two labels contradict each other.",
        "",
    ]
    if copies:
        lines += ["| between (side in the folders) | pairs |", "| --- | --- |"]
        lines += [f"| {ends} | {count} |" for ends, count in _between(copies).items()]
        lines.append("")
    chosen = [copy for copy in _worst_first(copies) if copy.leaks_on_disk or copy.contradicts]
    if chosen:
        lines += [
            "| copies across training and test, or with two labels | bits apart | in use |",
            "| --- | --- | --- |",
        ]
        for copy in chosen[:_SHOWN_PAIRS]:
            apart = "same bytes" if copy.exact else str(copy.distance)
            lines.append(
                f"| `{copy.first}` = `{copy.second}` | {apart} | {copy.used[0]} / {copy.used[1]} |"
            )
        if len(chosen) > _SHOWN_PAIRS:
            lines.append(f"| and {len(chosen) - _SHOWN_PAIRS} more in the JSON file | | |")
        lines.append("")
    return lines


def _people_page(audit: Audit) -> list[str]:
    people = [person for person in audit.sameness.people if not person.only_alike]
    across = [person for person in people if person.leaks_on_disk or person.leaks_in_use]
    alike = len(audit.sameness.people) - len(people)
    lines = ["### People", ""]
    if across:
        lines.append(
            f"{len(across)} people, by file name, stand in both a training and a test folder or on "
            "two sides of the split: "
            + ", ".join(f"`{person.person}`" for person in across[:8])
            + ("." if len(across) <= 8 else " and more.")
        )
    else:
        lines.append("By file name, nobody stands on two sides.")
    if alike:
        lines.append(
            f"{alike} names that stand on two sides are only counters (`096`) or blocks of them: "
            "folders number anew, so this is no leak, but one person cannot be ruled out either."
        )
    return [*lines, ""]


def _cues_page(audit: Audit) -> list[str]:
    lines = ["### Burnt-in marks", "", "| films | with a mark | n |", "| --- | --- | --- |"]
    lines += [f"| {key} | {share:.0%} | {count} |" for key, (share, count) in audit.marks.items()]
    lines += [
        "",
        "### Shortcut probe",
        "",
        "| films | cues | AUC of the class | each class |",
        "| --- | --- | --- | --- |",
        *[_probe_row(probe) for probe in audit.probes],
        "",
    ]
    whole = next((p for p in audit.probes if p.cues == ALL_CUES and p.auc), None)
    if whole is not None and whole.auc["low"] > _ODD_AUC:
        lines += [
            f"**The margin alone names the class** (AUC {whole.auc['value']:.2f}): a network's "
            "score "
            "on these films is partly the hospital's, the scanner's or the age's. Read the rows "
            "within one data set, and scores on films from elsewhere.",
            "",
        ]
    return lines


def _probe_row(probe: Probe) -> str:
    if not probe.auc:
        return f"| {probe.what} | {probe.cues} | not asked: {probe.why_not} | |"
    area = probe.auc
    each = ", ".join(f"{name} {value:.2f}" for name, value in probe.per_class.items())
    return (
        f"| {probe.what} ({int(area['n'])}) | {probe.cues} | {area['value']:.3f} "
        f"({area['low']:.3f} to {area['high']:.3f}) | {each} |"
    )
