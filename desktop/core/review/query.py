"""Filter and sort the case table: a query and sort keys in, row numbers out.

Everything works on whole columns. While reading blind, nothing that the models said may show
through a filter, a sort or a text match; asking for it is refused with a sentence, never ignored.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.cases import LABEL_SOURCES, REVIEW_STATES
from desktop.core.errors import UsageError
from desktop.core.panels.contract import snake_case
from desktop.core.review.case_table import FAILED, NONE, READ, WAITING, Bools, CaseTable
from desktop.core.review.query_parser import parse_query
from desktop.core.review.query_terms import (
    EVERYTHING,
    All,
    ClassTerm,
    Not,
    NumberTerm,
    OnlyTerm,
    Query,
    Some,
    SplitTerm,
    StateTerm,
    TextTerm,
    TimeTerm,
    Vocabulary,
    needs_votes,
)
from desktop.core.review.queue import safety_sample
from desktop.core.vote import NO_CONSENSUS

Rows = npt.NDArray[np.intp]
_LABELLED = REVIEW_STATES.index("labelled")
_UNSURE = REVIEW_STATES.index("unsure")
_ACCEPTED = LABEL_SOURCES.index("consensus")
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
# Sort word -> (needs the votes, explanation).
SORTS: dict[str, tuple[bool, str]] = {
    "name": (False, "name, numbers in names as numbers"),
    "status": (False, "waiting, read, failed"),
    "state": (False, "open, labelled, unsure"),
    "label": (False, "final label, in class order"),
    "flagged": (False, "flagged last"),
    "reviewed": (False, "time of the last change"),
    "duplicate": (False, "near-duplicates together"),
    "consensus": (True, "consensus, in class order"),
    "agreement": (True, "models behind the most voted class"),
    "entropy": (True, "uncertainty of the mean probabilities"),
    "confidence": (True, "largest mean probability"),
    "ood": (True, "out-of-distribution score"),
    "none": (True, "score of being none of the classes"),
}


@dataclass(frozen=True)
class SortKey:
    """One level of a sort.

    Attributes:
        by: A word of SORTS, ``p.<class>`` or ``<model>.<class>`` (class in lower snake case).
        descending: Largest first. Images that have no value come last either way.
    """

    by: str
    descending: bool = False

    def __str__(self) -> str:
        return ("-" if self.descending else "") + self.by


@dataclass(frozen=True)
class SavedFilter:
    """A filter with a name; query and sort in their text forms, checked when they are used."""

    name: str
    query: str
    sort: str = ""

    def to_json(self) -> str:
        """As one JSON object."""
        return json.dumps({"name": self.name, "query": self.query, "sort": self.sort})

    @classmethod
    def from_json(cls, text: str) -> SavedFilter:
        """Read it back.

        Raises:
            UsageError: QUERY-06 if it is not a saved filter.
        """
        try:
            values = json.loads(text)
            saved = cls(**values)
            if not all(isinstance(item, str) for item in (saved.name, saved.query, saved.sort)):
                raise TypeError("texts only")
        except (ValueError, TypeError, RecursionError) as error:
            raise UsageError(
                "QUERY-06", "A saved filter is damaged and was left out; save it again."
            ) from error
        return saved


def vocabulary_of(table: CaseTable) -> Vocabulary:
    """The names that a query on this table may use."""
    return Vocabulary(table.class_names, table.model_names)


def shipped_filters(vocabulary: Vocabulary, titles: Sequence[str] = ()) -> tuple[SavedFilter, ...]:
    """Filters that everybody needs, for this panel.

    Args:
        vocabulary: The panel's names.
        titles: Models' names for people, model order; their column names where not given.
    """
    names = titles or vocabulary.model_names
    return (
        SavedFilter("To review", "is:open -is:failed"),
        SavedFilter("Models disagree", "is:split", "agreement,-entropy"),
        SavedFilter("No consensus", "consensus:none", "-entropy"),
        # In the order of the list, so that the sample lies among the others.
        SavedFilter("Disagreement and safety sample", "is:split OR is:safety"),
        *(
            SavedFilter(f"Only {title} says so", f"only:{model}", f"-{model}.{first}")
            for title, model in zip(names, vocabulary.model_names, strict=True)
            for first in (snake_case(vocabulary.class_names[0]),)
        ),
        SavedFilter("Uncertain", "confidence<0.6", "confidence"),
        SavedFilter("Out of distribution", "is:ood", "-ood"),
        SavedFilter("None of the classes", "is:none", "-none"),
        SavedFilter("You against the consensus", "is:overruled", "-confidence"),
        SavedFilter("Changed after the votes", "is:flipped"),
        SavedFilter("Flagged", "is:flagged"),
        SavedFilter("Unsure", "is:unsure"),
        SavedFilter("With a comment", "is:commented"),
        SavedFilter("Near-duplicates", "is:duplicate", "duplicate"),
        SavedFilter("Near-duplicates decided differently", "is:conflict", "duplicate"),
        SavedFilter("File changed since the decision", "is:changed"),
        SavedFilter("Failed", "is:failed"),
    )


def parse_sort(text: str, vocabulary: Vocabulary) -> tuple[SortKey, ...]:
    """Read sort keys such as ``agreement,-entropy``; empty keeps the order of the rows.

    Raises:
        UsageError: QUERY-07 for a word that nothing can be sorted by.
    """
    keys = []
    classes = {snake_case(name) for name in vocabulary.class_names}
    for part in filter(None, (item.strip().lower() for item in text.split(","))):
        key = SortKey(part.removeprefix("-"), part.startswith("-"))
        subject, _, class_name = key.by.partition(".")
        known = class_name in classes and subject in {"p", *vocabulary.model_names}
        if key.by not in SORTS and not known:
            raise UsageError(
                "QUERY-07",
                f"Nothing can be sorted by {part!r}. Known are {', '.join(SORTS)}, p.<class> and "
                "<model>.<class>, each with a minus in front for the reverse.",
            )
        keys.append(key)
    return tuple(keys)


def select(
    table: CaseTable,
    query: Query = EVERYTHING,
    sort: Sequence[SortKey] = (),
    *,
    blind: bool = False,
) -> Rows:
    """Rows that match, in order.

    Args:
        table: The cases.
        query: From `parse_query`, or built.
        sort: Most important key first; equal rows keep their order in the table.
        blind: The reader works blind; nothing that the models said may be used.

    Returns:
        Row numbers, intp [m].

    Raises:
        UsageError: QUERY-05 for a filter or sort on the votes while reading blind.
    """
    if blind and needs_votes(query):
        raise _hidden(f"The filter {str(query)!r}")
    rows = np.flatnonzero(matches(table, query, blind=blind))
    levels: list[npt.NDArray[Any]] = []
    for key in reversed(sort):
        if blind and SORTS.get(key.by, (True, ""))[0]:
            raise _hidden(f"Sorting by {key.by!r}")
        values, absent = _sort_values(table, key.by)
        values, absent = values[rows], absent[rows]
        levels += [-values if key.descending else values, absent]
    # lexsort is stable and its last key is the most important one.
    return rows[np.lexsort(levels)] if levels and len(rows) else rows


def select_text(table: CaseTable, query: str = "", sort: str = "", *, blind: bool = False) -> Rows:
    """`select` from the texts of the search box and of a saved filter.

    Raises:
        UsageError: Any QUERY code.
    """
    vocabulary = vocabulary_of(table)
    return select(table, parse_query(query, vocabulary), parse_sort(sort, vocabulary), blind=blind)


def matches(table: CaseTable, query: Query, *, blind: bool = False) -> Bools:
    """Which rows match, bool [n]. With ``blind``, free text does not look at the consensus."""
    match query:
        case All(parts):
            found = np.ones(len(table), np.bool_)
            for part in parts:
                found &= matches(table, part, blind=blind)
            return found
        case Some(parts):
            found = np.zeros(len(table), np.bool_)
            for part in parts:
                found |= matches(table, part, blind=blind)
            return found
        case Not(inner):
            return ~matches(table, inner, blind=blind)
        case TextTerm():
            return _text(table, query, blind=blind)
        case StateTerm(state):
            return _state(table, state)
        case ClassTerm():
            return _class(table, query)
        case OnlyTerm():
            return _only(table, query)
        case NumberTerm():
            return _compare(_numbers(table, query), query.comparison, query.limit)
        case SplitTerm(code):
            return _equal(table.codes("split"), code)
        case TimeTerm():
            return _time(table, query)


def _hidden(what: str) -> UsageError:
    return UsageError(
        "QUERY-05",
        f"{what} uses the votes, which stay hidden while you read blind. Remove it, or leave blind "
        "reading.",
    )


def _text(table: CaseTable, term: TextTerm, *, blind: bool) -> Bools:
    found = np.zeros(len(table), np.bool_)
    text = term.text
    if term.field in {"any", "name"}:
        found |= np.fromiter((text in name for name in table.lower_names), np.bool_, len(table))
    if term.field == "sha256":
        for row, sha256 in table.hashes().items():
            found[row] = sha256.startswith(text)
    if term.field == "code":
        for row, (code, _) in table.refusals().items():
            found[row] = text in code.casefold()
    if term.field in {"any", "comment"}:
        for row in np.flatnonzero(table.flags("commented")).tolist():
            found[row] |= text in table.decision(row).comment.casefold()
    if term.field == "reviewer":
        for row, decision in table.decided().items():
            found[row] = text in decision.reviewer.casefold()
    if term.field == "any" and text:
        for name in table.class_names:
            if text in name.casefold():
                found |= _class(table, ClassTerm("label", name))
                found |= False if blind else _class(table, ClassTerm("consensus", name))
        if text in NO_CONSENSUS and not blind:
            found |= _class(table, ClassTerm("consensus", None))
    return found


def _equal(values: npt.NDArray[Any], wanted: object) -> Bools:
    """``values == wanted``, with a type that the checker can follow."""
    found: Bools = values == wanted
    return found


def _state(table: CaseTable, state: str) -> Bools:
    column = table.codes
    status, review = column("status"), column("state")
    labelled = _equal(review, _LABELLED)
    voted = ~_equal(column("agreement"), 0)
    match state:
        case "open":
            return _equal(review, 0)
        case "reviewed":
            return ~_equal(review, 0)
        case "labelled":
            return labelled
        case "unsure":
            return _equal(review, _UNSURE)
        case "flagged" | "commented" | "changed" | "missing" | "ood":
            return table.flags(state).copy()
        case "none":
            return table.flags("none_of_these").copy()
        case "safety":
            found = np.zeros(len(table), np.bool_)
            found[safety_sample(table)] = True
            return found
        case "blind":
            return ~_equal(column("blind_label"), NONE)
        case "waiting":
            return _equal(status, WAITING)
        case "read":
            return _equal(status, READ)
        case "failed":
            return _equal(status, FAILED)
        case "duplicate":
            return ~_equal(column("duplicate_group"), NONE)
        case "conflict":
            return table.conflicting().copy()
        case "unanimous":
            return voted & _equal(column("agreement"), len(table.model_names))
        case "split":
            # Model by model: a sum over so short an axis takes five times as long.
            answers = np.zeros(len(table), np.int16)
            for votes in column("votes").T:
                answers += ~_equal(votes, NONE)
            return voted & ~_equal(answers, column("agreement"))
        case "accepted":
            return labelled & _equal(column("source"), _ACCEPTED)
        case "agreed":
            return labelled & _equal(column("label"), column("consensus"))
        case "overruled":
            return (
                labelled
                & (column("consensus") >= 0)
                & ~_equal(column("label"), column("consensus"))
            )
        case "flipped":
            blind_label = column("blind_label")
            return labelled & ~_equal(blind_label, NONE) & ~_equal(blind_label, column("label"))
    raise UsageError("QUERY-01", f"There is no is:{state}.")


def _class(table: CaseTable, term: ClassTerm) -> Bools:
    wanted = NONE if term.class_name is None else table.class_names.index(term.class_name)
    if term.subject == "label":
        return _equal(table.codes("label"), wanted)
    if term.subject == "blind":
        return _equal(table.codes("blind_label"), wanted)
    read = _equal(table.codes("status"), READ)
    if term.subject == "consensus":
        return read & _equal(table.codes("consensus"), wanted)
    votes = table.codes("votes")
    if term.subject == "any":
        return read & _equal(votes, wanted).any(axis=1)
    return read & _equal(votes[:, table.model_names.index(term.subject)], wanted)


def _only(table: CaseTable, term: OnlyTerm) -> Bools:
    votes = table.codes("votes")
    model = table.model_names.index(term.model)
    own = votes[:, model]
    alone = _equal(_equal(votes, own[:, np.newaxis]).sum(axis=1), 1)
    found = alone & ~_equal(own, NONE)
    if term.class_name is not None:
        found &= own == table.class_names.index(term.class_name)
    return found


def _numbers(table: CaseTable, term: NumberTerm) -> npt.NDArray[np.float64]:
    if term.class_name is None:
        return _number_column(table, term.subject)
    class_index = table.class_names.index(term.class_name)
    return _probability(table, term.subject, class_index)


def _number_column(table: CaseTable, name: str) -> npt.NDArray[np.float64]:
    if name == "confidence":
        mean = table.numbers("mean_probabilities")
        largest: npt.NDArray[np.float64] = mean.max(axis=1)  # NaN where nobody answered
        return largest
    if name == "ood":
        return table.numbers("ood_score")
    if name == "none":
        return table.numbers("none_score")
    if name == "entropy":
        return table.numbers("entropy")
    agreement = table.codes("agreement").astype(np.float64)
    agreement[~_equal(table.codes("status"), READ)] = np.nan
    return agreement


def _probability(table: CaseTable, subject: str, index: int) -> npt.NDArray[np.float64]:
    if subject == "p":
        return table.numbers("mean_probabilities")[:, index]
    return table.numbers("probabilities")[:, table.model_names.index(subject), index]


def _compare(values: npt.NDArray[np.float64], comparison: str, limit: float) -> Bools:
    # Comparisons with NaN are False: no value never matches.
    found: Bools = _COMPARISONS[comparison](values, limit)
    return found


def _time(table: CaseTable, term: TimeTerm) -> Bools:
    found = np.zeros(len(table), np.bool_)
    width = len(term.moment)
    for row, decision in table.decided().items():
        at = decision.reviewed_at[:width]
        found[row] = bool(at) and _COMPARISONS[term.comparison](at, term.moment)
    return found


def _sort_values(table: CaseTable, by: str) -> tuple[npt.NDArray[Any], Bools]:
    """Numbers to sort by (signed) and where there is none."""
    nowhere = np.zeros(len(table), np.bool_)
    match by:
        case "name":
            return table.name_ranks(), nowhere
        case "status" | "state":
            return table.column(by), nowhere
        case "flagged":
            return table.column(by).astype(np.int8), nowhere
        case "label" | "consensus":
            values = table.column(by)
            return values, values < 0
        case "duplicate":
            values = table.codes("duplicate_group")
            return values, values < 0
        case "reviewed":
            return _time_ranks(table)
        case "agreement" | "entropy" | "confidence" | "ood" | "none":
            values = _number_column(table, by)
        case _:
            subject, _, class_text = by.partition(".")
            classes = [snake_case(name) for name in table.class_names]
            values = _probability(table, subject, classes.index(class_text))
    absent = ~np.isfinite(values)
    return np.where(absent, 0.0, values), absent


def _time_ranks(table: CaseTable) -> tuple[npt.NDArray[np.int64], Bools]:
    ranks = np.zeros(len(table), np.int64)
    absent = np.ones(len(table), np.bool_)
    timed = sorted(
        (decision.reviewed_at, decision.revision, row)
        for row, decision in table.decided().items()
        if decision.reviewed_at
    )
    for rank, (_, _, row) in enumerate(timed):
        ranks[row], absent[row] = rank, False
    return ranks, absent
