"""The parts of a search: what can be asked of a case, as frozen values that print themselves.

Texts are in the language of `desktop.core.review.query_parser`, which reads them back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from desktop.core.panels.contract import snake_case
from desktop.core.review.case_table import split_text

# Word -> (needs the votes, explanation for the help).
STATES: dict[str, tuple[bool, str]] = {
    "open": (False, "not decided yet"),
    "reviewed": (False, "labelled or unsure"),
    "labelled": (False, "has a label"),
    "unsure": (False, "marked unsure"),
    "flagged": (False, "flagged for a second look"),
    "commented": (False, "has a comment"),
    "blind": (False, "has a label given before the votes were shown"),
    "waiting": (False, "the models have not run yet"),
    "read": (False, "the models have run"),
    "failed": (False, "could not be used"),
    "changed": (False, "the file changed after it was decided"),
    "missing": (False, "the file is no longer there"),
    "duplicate": (False, "has a near-duplicate in this folder"),
    "conflict": (False, "has a near-duplicate that was decided differently"),
    "unanimous": (True, "all models vote the same"),
    "split": (True, "the models disagree"),
    "ood": (True, "out of distribution"),
    "none": (True, "none of the panel's classes"),
    "accepted": (True, "the consensus was accepted as the label"),
    "agreed": (True, "the label is the consensus"),
    "overruled": (True, "the label is not the consensus"),
    "flipped": (True, "the label was changed after the votes were shown"),
    "safety": (True, "belongs to the safety sample"),
}
_PLAIN = re.compile(r"\w[\w./-]*")
TEXT_FIELDS = ("name", "comment", "reviewer", "code", "sha256")
NUMBER_FIELDS = ("agreement", "entropy", "confidence", "ood", "none")
CLASS_FIELDS = ("consensus", "label", "blind", "any")


@dataclass(frozen=True)
class Vocabulary:
    """Names that a query may use: the panel's classes and models."""

    class_names: tuple[str, ...]
    model_names: tuple[str, ...]


@dataclass(frozen=True)
class TextTerm:
    """``text`` occurs in ``field`` (``any`` or one of TEXT_FIELDS), case does not matter."""

    field: str
    text: str

    def __str__(self) -> str:
        return _quoted(self.text) if self.field == "any" else f"{self.field}:{_quoted(self.text)}"


@dataclass(frozen=True)
class StateTerm:
    """One of STATES."""

    state: str

    def __str__(self) -> str:
        return f"is:{self.state}"


@dataclass(frozen=True)
class ClassTerm:
    """``subject`` (CLASS_FIELDS or a model) says ``class_name``; None = says nothing."""

    subject: str
    class_name: str | None

    def __str__(self) -> str:
        return f"{self.subject}:{class_text(self.class_name)}"


@dataclass(frozen=True)
class OnlyTerm:
    """``model`` votes for ``class_name`` (None = whatever) and no other model does."""

    model: str
    class_name: str | None

    def __str__(self) -> str:
        suffix = "" if self.class_name is None else f":{class_text(self.class_name)}"
        return f"only:{self.model}{suffix}"


@dataclass(frozen=True)
class NumberTerm:
    """A number against a limit; NaN never matches.

    Attributes:
        subject: One of NUMBER_FIELDS, ``p`` (mean probability) or a model.
        class_name: Class of the probability, None for NUMBER_FIELDS.
        comparison: ``<``, ``<=``, ``>``, ``>=`` or ``=``.
    """

    subject: str
    class_name: str | None
    comparison: str
    limit: float

    def __str__(self) -> str:
        of_class = "" if self.class_name is None else f".{class_text(self.class_name)}"
        return f"{self.subject}{of_class}{self.comparison}{self.limit!r}"


@dataclass(frozen=True)
class SplitTerm:
    """The votes divide like this, e.g. ``2-1-1``."""

    code: int

    def __str__(self) -> str:
        return f"split:{split_text(self.code)}"


@dataclass(frozen=True)
class TimeTerm:
    """Time of the last change by a reader against the beginning of an ISO 8601 UTC time."""

    comparison: str
    moment: str

    def __str__(self) -> str:
        return f"reviewed{self.comparison}{self.moment}"


@dataclass(frozen=True)
class Not:
    """The opposite."""

    query: Query

    def __str__(self) -> str:
        inner = str(self.query)
        return f"-({inner})" if isinstance(self.query, All | Some | Not) else f"-{inner}"


@dataclass(frozen=True)
class All:
    """Every part matches; no parts match everything. One part would be the part itself."""

    parts: tuple[Query, ...]

    def __post_init__(self) -> None:
        if len(self.parts) == 1:
            raise ValueError("a conjunction has none or several parts")

    def __str__(self) -> str:
        return " ".join(
            f"({part})" if isinstance(part, All | Some) else str(part) for part in self.parts
        )


@dataclass(frozen=True)
class Some:
    """At least one part matches; two parts or more."""

    parts: tuple[Query, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise ValueError("a disjunction has several parts")

    def __str__(self) -> str:
        return " OR ".join(
            f"({part})" if isinstance(part, Some) or part == All(()) else str(part)
            for part in self.parts
        )


Query = (
    TextTerm
    | StateTerm
    | ClassTerm
    | OnlyTerm
    | NumberTerm
    | SplitTerm
    | TimeTerm
    | Not
    | All
    | Some
)
EVERYTHING = All(())


def needs_votes(query: Query) -> bool:
    """Whether the query asks about what the models said, so that it would spoil a blind reading."""
    match query:
        case Not(inner):
            return needs_votes(inner)
        case All(parts) | Some(parts):
            return any(needs_votes(part) for part in parts)
        case StateTerm(state):
            return STATES[state][0]
        case ClassTerm(subject, _):
            return subject not in {"label", "blind"}
        case TextTerm() | TimeTerm():
            return False
        case _:
            return True


def class_text(class_name: str | None) -> str:
    """A class as the language writes it."""
    return "none" if class_name is None else snake_case(class_name)


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
