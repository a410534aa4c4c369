"""What a reader can do to a decision: pure commands, each from one decision to the next.

Nothing here reads a clock, a file or a setting: the caller hands in the stamp and says whether
the votes were on the screen. A command that is not allowed raises ``UsageError`` with a sentence
for the status bar and changes nothing. A `Step` is what one key press or one bulk action does; it
is the unit of undo, and `desktop.core.store.review_store` makes it durable.

Blind-first reading: a label given while the votes are hidden is also the blind label. When the
votes have been seen, the label may change and the blind label stays, so that flips can be counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from desktop.core.cases import Decision
from desktop.core.errors import UsageError
from desktop.core.system.text import saved_text

StepKind = Literal[
    "label", "accept", "unsure", "flag", "unflag", "comment", "clear", "reveal", "file_changed"
]
# What the app notes by itself is no act of the reader, so Ctrl+Z must not stop at it.
NOT_UNDOABLE: frozenset[StepKind] = frozenset({"reveal", "file_changed"})
MAX_COMMENT_CHARACTERS = 10_000


@dataclass(frozen=True)
class Stamp:
    """Who and when.

    Attributes:
        reviewer: Free text, may be empty.
        at: ISO 8601 UTC, e.g. from `utc_stamp`.
    """

    reviewer: str
    at: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reviewer", _clean(self.reviewer))


@dataclass(frozen=True)
class Change:
    """One image of a step.

    Attributes:
        image: Path relative to the opened folder, as in ``CaseResult.image``.
        before: Decision the command was computed from; its revision guards against another window.
        after: Decision the command leads to; the store gives it its revision.
        sha256: Content of the file that was judged, empty where it is not known.
    """

    image: str
    before: Decision
    after: Decision
    sha256: str = ""


@dataclass(frozen=True)
class Step:
    """What one key press or one bulk action does: one undo takes all of it back.

    Attributes:
        kind: What was done, for the words of the undo entry.
        value: Class name of ``label`` and ``accept``, else empty.
        changes: One per image that really changes, each image once.
    """

    kind: StepKind
    value: str
    changes: tuple[Change, ...]

    def __post_init__(self) -> None:
        if len({change.image for change in self.changes}) != len(self.changes):
            raise ValueError("a step changes each image once")

    @property
    def undoable(self) -> bool:
        """Whether Ctrl+Z takes it back."""
        return self.kind not in NOT_UNDOABLE


def label(decision: Decision, class_name: str, stamp: Stamp, *, votes_shown: bool) -> Decision:
    """Give the reader's own label.

    Args:
        class_name: A class of the panel.
        votes_shown: Whether the votes for this image were on the screen when the key was pressed.
    """
    blind = not (votes_shown or decision.votes_seen)
    return replace(
        decision,
        label=class_name,
        state="labelled",
        label_source="own",
        blind_label=class_name if blind else decision.blind_label,
        votes_seen=not blind,
        reviewer=stamp.reviewer,
        reviewed_at=stamp.at,
    )


def accept_consensus(
    decision: Decision, consensus: str | None, stamp: Stamp, *, votes_shown: bool
) -> Decision:
    """Take over what the panel says.

    Args:
        consensus: Class name of the consensus, None where the panel has none or has not voted.
        votes_shown: Whether the votes were on the screen.

    Raises:
        UsageError: REVIEW-01 without a consensus, REVIEW-02 while the votes are hidden.
    """
    if not (votes_shown or decision.votes_seen):
        raise UsageError("REVIEW-02", "Your label first. The votes appear after you have given it.")
    if consensus is None:
        raise UsageError(
            "REVIEW-01", "There is no consensus to accept. Give your own label with a number key."
        )
    return replace(
        decision,
        label=consensus,
        state="labelled",
        label_source="consensus",
        votes_seen=True,
        reviewer=stamp.reviewer,
        reviewed_at=stamp.at,
    )


def mark_unsure(decision: Decision, stamp: Stamp, *, votes_shown: bool) -> Decision:
    """Say that the image was looked at and cannot be decided. A label given before is taken back.

    A blind "unsure" leaves no blind label: there is nothing a later label could be a flip of.
    """
    blind = not (votes_shown or decision.votes_seen)
    return replace(
        decision,
        label=None,
        state="unsure",
        label_source="",
        blind_label=None if blind else decision.blind_label,
        votes_seen=not blind,
        reviewer=stamp.reviewer,
        reviewed_at=stamp.at,
    )


def clear(decision: Decision, stamp: Stamp) -> Decision:
    """Open the image again: label and state go, flag, comment and the blind record stay."""
    if not decision.reviewed:
        return decision
    return replace(
        decision,
        label=None,
        state="open",
        label_source="",
        blind_label=decision.blind_label if decision.votes_seen else None,
        reviewer=stamp.reviewer,
        reviewed_at=stamp.at,
    )


def set_flag(decision: Decision, flagged: bool, stamp: Stamp) -> Decision:
    """Mark for a second look, or take the mark away."""
    if decision.flagged == flagged:
        return decision
    return replace(decision, flagged=flagged, reviewer=stamp.reviewer, reviewed_at=stamp.at)


def set_comment(decision: Decision, text: str, stamp: Stamp) -> Decision:
    """Write the comment; surrounding white space goes, line breaks stay.

    Raises:
        UsageError: REVIEW-03 above `MAX_COMMENT_CHARACTERS`.
    """
    text = _clean(text)
    if len(text) > MAX_COMMENT_CHARACTERS:
        raise UsageError(
            "REVIEW-03",
            f"The comment has {len(text):,} characters, {MAX_COMMENT_CHARACTERS:,} are possible. "
            "Nothing was changed; shorten it.",
        )
    if decision.comment == text:
        return decision
    return replace(decision, comment=text, reviewer=stamp.reviewer, reviewed_at=stamp.at)


def reveal(decision: Decision) -> Decision:
    """Note that the votes have been on the screen. No act of the reader, so no stamp, no undo."""
    return decision if decision.votes_seen else replace(decision, votes_seen=True)


def restored(current: Decision, target: Decision) -> Decision:
    """Decision after an undo or a redo: the target, but what was seen stays seen.

    Undoing a blind label after the votes were shown takes the blind label back with it; a new label
    is then no longer blind, so the image leaves the blind figures instead of flattering them.
    """
    seen = current.votes_seen or target.votes_seen
    if target.votes_seen == seen and target.revision == 0:
        return target
    return replace(target, votes_seen=seen, revision=0)


def same_decision(one: Decision, other: Decision) -> bool:
    """Whether a reader would call them equal: revision and ``votes_seen`` do not count."""
    # A bulk undo compares thousands, so no copies are made.
    others = vars(other)
    return all(
        value == others[name]
        for name, value in vars(one).items()
        if name not in ("revision", "votes_seen")
    )


def make_step(
    kind: StepKind,
    decisions: Mapping[str, Decision],
    command: Callable[[str, Decision], Decision],
    *,
    value: str = "",
    sha256: Mapping[str, str] | None = None,
) -> Step:
    """Run one command over one image or a selection.

    Args:
        kind: What is done.
        decisions: Image -> decision so far, in the order shown.
        command: Called with image and decision, gives the next decision. A ``UsageError`` it raises
            for one image is raised as it is where that image is the only one; in a selection the
            image is left as it was (a bulk accept passes over images without a consensus).
        value: Class name for the words of the undo entry.
        sha256: Image -> content hash, where known.

    Returns:
        The step; images that the command leaves as they were are not in it, so it may be empty.
    """
    hashes = sha256 or {}
    changes = []
    for image, before in decisions.items():
        try:
            after = command(image, before)
        except UsageError:
            if len(decisions) == 1:
                raise
            continue
        if _differs(before, after):
            changes.append(Change(image, before, after, hashes.get(image, "")))
    return Step(kind, value, tuple(changes))


def _clean(text: str) -> str:
    """As it can be exported: line feeds, but no other control characters and nothing broken."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").replace("\0", "")
    return saved_text(text.encode("utf-8", "replace").decode("utf-8")).strip()


def _differs(before: Decision, after: Decision) -> bool:
    """Whether there is anything to store; pressing the same key twice is not worth an undo step."""
    given = vars(after)
    return any(
        value != given[name]
        for name, value in vars(before).items()
        if name not in ("revision", "reviewer", "reviewed_at")
    )
