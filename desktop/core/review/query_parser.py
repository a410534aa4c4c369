"""The search box's language: text to a query and back.

======================================  ==========================================================
``fibrosis``, ``"two words"``           in the name, comment, label or consensus
``name:``, ``comment:``, ``reviewer:``, ``code:``   in that only
``sha256:1a2b``                         content hash begins so: from a CSV row back to the image
``covid``-like class values             ``consensus:covid``, ``label:normal``, ``blind:none``
``resnet50:covid``, ``any:covid``       that model (any model) votes so; ``resnet50:none`` is silent
``only:resnet50``, ``only:resnet50:covid``   no other model votes like it
``agreement<4``, ``entropy>=0.8``, ``ood>1``, ``confidence<0.6``   numbers (``confidence``: largest
                                        mean probability)
``p.covid>0.5``, ``resnet50.covid>50%``, ``p.covid:0.3..0.7``   probabilities and ranges
``split:2-2``                           how the votes divide
``reviewed>=2026-11-23``                time of the last change
``is:flagged`` …                        see `STATES`
``-x``, ``x y``, ``x OR y``, ``( )``    not, and, or
======================================  ==========================================================

Class and model names may be shortened as long as they stay unique. A query prints itself in a
canonical form that parses back to an equal query, so the text is also how filters are saved.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from desktop.core.errors import UsageError
from desktop.core.panels.contract import snake_case
from desktop.core.review.case_table import split_code
from desktop.core.review.query_terms import (
    CLASS_FIELDS,
    NUMBER_FIELDS,
    STATES,
    TEXT_FIELDS,
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
)

_FIELD = re.compile(r"([A-Za-z][\w.]*)(<=|>=|!=|<|>|=|:)(.*)", re.DOTALL)
_DATE = re.compile(r"\d{4}(-\d\d){0,2}(T[\d:.]*Z?)?")
_MAX_DEPTH = 50


def parse_query(text: str, vocabulary: Vocabulary) -> Query:
    """Read what stands in the search box.

    Args:
        text: The query; empty or blank matches everything.
        vocabulary: The panel's names.

    Raises:
        UsageError: QUERY-01 unknown field or word, QUERY-02 not a number, QUERY-03 unknown class or
            model, QUERY-04 a bracket or quotation mark without its partner.
    """
    parser = _Parser(_tokens(text), vocabulary)
    query = parser.alternatives(0)
    if parser.next() == _CLOSE:
        raise _unbalanced()
    return query


@dataclass(frozen=True)
class _Token:
    """A word, or a bracket, ``OR`` or minus.

    ``quoted_from`` is the index of the first character that stood in quotation marks, -1 for none.
    """

    kind: str
    text: str = ""
    quoted_from: int = -1


_OPEN, _CLOSE, _OR, _MINUS = _Token("("), _Token(")"), _Token("OR"), _Token("-")


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    depth = 0
    position = 0
    while position < len(text):
        character = text[position]
        if character.isspace():
            position += 1
        elif character == "(":
            tokens.append(_OPEN)
            depth += 1
            position += 1
        elif character == ")" and depth:
            tokens.append(_CLOSE)
            depth -= 1
            position += 1
        elif character == "-" and position + 1 < len(text) and not text[position + 1].isspace():
            tokens.append(_MINUS)
            position += 1
        else:
            word, position = _word(text, position, inside=bool(depth))
            tokens.append(_OR if word in (_Token("word", "OR"), _Token("word", "|")) else word)
    if depth:
        raise _unbalanced()
    return tokens


def _word(text: str, position: int, *, inside: bool) -> tuple[_Token, int]:
    """Read one word; quotation marks protect blanks and brackets, a backslash protects one mark."""
    parts: list[str] = []
    quoted_from = -1
    opened = 0
    while position < len(text):
        character = text[position]
        if character == '"':
            quoted_from = len(parts) if quoted_from < 0 else quoted_from
            position += 1
            while position < len(text) and text[position] != '"':
                if text[position] == "\\" and position + 1 < len(text):
                    position += 1
                parts.append(text[position])
                position += 1
            if position == len(text):
                raise _unbalanced()
            position += 1
            continue
        # A bracket belongs to the word if its partner does too: scan(1).png.
        if character.isspace() or (character == ")" and inside and not opened):
            break
        opened += (character == "(") - (character == ")" and opened > 0)
        parts.append(character)
        position += 1
    return _Token("word", "".join(parts), quoted_from), position


class _Parser:
    """Recursive descent: alternatives of conjunctions of possibly negated terms."""

    def __init__(self, tokens: Sequence[_Token], vocabulary: Vocabulary) -> None:
        self._tokens = tokens
        self._position = 0
        self._vocabulary = vocabulary

    def next(self) -> _Token | None:
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def alternatives(self, depth: int) -> Query:
        if depth > _MAX_DEPTH:
            raise UsageError("QUERY-04", "The search has too many brackets inside each other.")
        parts = [self._conjunction(depth)]
        while self.next() == _OR:
            self._position += 1
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _conjunction(self, depth: int) -> Query:
        parts: list[Query] = []
        while (token := self.next()) is not None and token not in (_OR, _CLOSE):
            negations = 0
            while self.next() == _MINUS:
                self._position += 1
                negations += 1
            part = self._operand(depth)
            for _ in range(negations):
                part = Not(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _operand(self, depth: int) -> Query:
        token = self.next()
        if token is None or token in (_OR, _CLOSE):
            raise UsageError("QUERY-04", "A minus sign needs something after it to exclude.")
        self._position += 1
        if token != _OPEN:
            return _term(token, self._vocabulary)
        inner = self.alternatives(depth + 1)
        self._position += 1  # its closing bracket; _tokens made sure that there is one
        return inner


def _term(token: _Token, vocabulary: Vocabulary) -> Query:
    found = _FIELD.fullmatch(token.text)
    # Quoting the field makes plain text of it; quoting only the value does not.
    if not found or 0 <= token.quoted_from < found.start(3):
        return TextTerm("any", token.text.casefold())
    field, comparison, value = found.group(1).lower(), found.group(2), found.group(3)
    if comparison == "!=":
        return Not(_field(field, "=", value, vocabulary))
    return _field(field, comparison, value, vocabulary)


def _field(field: str, comparison: str, value: str, vocabulary: Vocabulary) -> Query:
    if field == "reviewed":
        return _time(comparison, value)
    subject, _, class_text = field.partition(".")
    if subject in NUMBER_FIELDS and not class_text:
        return _number(subject, None, comparison, value)
    if class_text:
        subject = "p" if subject == "p" else _model(subject, vocabulary)
        class_name = _class(class_text.removeprefix("p."), vocabulary)
        return _number(subject, class_name, comparison, value)
    if comparison not in {":", "="}:
        raise UsageError(
            "QUERY-02", f"{field!r} is no number and cannot be compared. Write {field}:{value}"
        )
    if field in TEXT_FIELDS:
        return TextTerm(field, value.casefold())
    if field == "is":
        return _state(value)
    if field == "split":
        try:
            return SplitTerm(split_code(value))
        except ValueError:
            raise UsageError(
                "QUERY-02", f"{value!r} is no split. Write the group sizes, such as split:2-1-1"
            ) from None
    if field == "only":
        model, _, name = value.partition(":")
        return OnlyTerm(_model(model, vocabulary), _class(name, vocabulary) if name else None)
    subject = field if field in CLASS_FIELDS else _model(field, vocabulary)
    return ClassTerm(subject, None if value.lower() == "none" else _class(value, vocabulary))


def _state(value: str) -> StateTerm:
    state = value.lower()
    if state not in STATES:
        raise UsageError("QUERY-01", f"There is no is:{value}. Known are {', '.join(STATES)}.")
    return StateTerm(state)


def _time(comparison: str, value: str) -> Query:
    if not _DATE.fullmatch(value) or comparison in {"=", ":"}:
        raise UsageError(
            "QUERY-02", f"'reviewed' needs a date, such as reviewed>=2026-11-23, not {value!r}."
        )
    return TimeTerm(comparison, value)


def _number(subject: str, class_name: str | None, comparison: str, value: str) -> Query:
    low, dots, high = value.partition("..")
    if dots and comparison in {":", "="}:
        return All(
            (
                NumberTerm(subject, class_name, ">=", _limit(low)),
                NumberTerm(subject, class_name, "<=", _limit(high)),
            )
        )
    return NumberTerm(subject, class_name, comparison.replace(":", "="), _limit(value))


def _limit(text: str) -> float:
    try:
        if not text.isascii():
            raise ValueError
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise UsageError(
            "QUERY-02", f"{text!r} is not a number. Write it like 0.5, with a dot, or 50%."
        ) from None
    if not math.isfinite(number):
        raise UsageError("QUERY-02", f"{text!r} is no number to compare with. Write it like 0.5.")
    return number


def _class(text: str, vocabulary: Vocabulary) -> str:
    names = {snake_case(name): name for name in vocabulary.class_names}
    return names[_one_of(snake_case(text), text, list(names), "class")]


def _model(text: str, vocabulary: Vocabulary) -> str:
    return _one_of(text.lower(), text, vocabulary.model_names, "field or model")


def _one_of(wanted: str, typed: str, names: Sequence[str], what: str) -> str:
    """The name itself or the only one that begins so."""
    found = [name for name in names if name == wanted] or [
        name for name in names if wanted and name.startswith(wanted)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError("QUERY-03", f"{typed!r} could be {' or '.join(found)}. Write a bit more.")
    known = list(names)
    if what != "class":
        known += [*TEXT_FIELDS, *NUMBER_FIELDS, *CLASS_FIELDS, "is", "only", "split", "p.<class>"]
        known += ["reviewed"]
    raise UsageError(
        "QUERY-03" if what == "class" else "QUERY-01",
        f"There is no {what} {typed!r}. Known are {', '.join(known)}."
        + ("" if what == "class" else " Put plain text with such signs in quotation marks."),
    )


def _unbalanced() -> UsageError:
    return UsageError(
        "QUERY-04",
        "A bracket or a quotation mark of the search has no partner. Close or remove it.",
    )
