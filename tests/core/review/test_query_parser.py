"""The search box's language: what it understands, what it refuses, its way back to text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.errors import UsageError
from desktop.core.review.case_table import split_code
from desktop.core.review.query_parser import parse_query
from desktop.core.review.query_terms import (
    EVERYTHING,
    STATES,
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
from tests.helpers.review_cases import CLASSES, MODELS

VOCABULARY = Vocabulary(CLASSES, MODELS)
FLAGGED, SPLIT = StateTerm("flagged"), StateTerm("split")


def parse(text: str) -> Query:
    return parse_query(text, VOCABULARY)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", EVERYTHING),
        ("   ", EVERYTHING),
        ("Covid", TextTerm("any", "covid")),
        ('"two words"', TextTerm("any", "two words")),
        ('"is:flagged"', TextTerm("any", "is:flagged")),
        (r'"a \"b\" \\"', TextTerm("any", 'a "b" \\')),
        ("scan(1).png", TextTerm("any", "scan(1).png")),
        ('name:"my scan"', TextTerm("name", "my scan")),
        ("code:DECODE-02", TextTerm("code", "decode-02")),
        ("is:Flagged", FLAGGED),
        ("resnet50:covid", ClassTerm("resnet50", "Covid")),
        ("res:viral", ClassTerm("resnet50", "Viral Pneumonia")),
        ("consensus:none", ClassTerm("consensus", None)),
        ("any=normal", ClassTerm("any", "Normal")),
        ("label!=normal", Not(ClassTerm("label", "Normal"))),
        ("only:resnet50", OnlyTerm("resnet50", None)),
        ("only:resnet50:covid", OnlyTerm("resnet50", "Covid")),
        ("agreement<4", NumberTerm("agreement", None, "<", 4.0)),
        ("agreement:3", NumberTerm("agreement", None, "=", 3.0)),
        ("p.covid>0.5", NumberTerm("p", "Covid", ">", 0.5)),
        ("p.covid>=50%", NumberTerm("p", "Covid", ">=", 0.5)),
        ("scnn.viral_pneumonia<1e-3", NumberTerm("scnn", "Viral Pneumonia", "<", 0.001)),
        ("scnn.p.covid<1", NumberTerm("scnn", "Covid", "<", 1.0)),
        (
            "p.covid:0.3..0.7",
            All((NumberTerm("p", "Covid", ">=", 0.3), NumberTerm("p", "Covid", "<=", 0.7))),
        ),
        ("split:1-2-1", SplitTerm(split_code("2-1-1"))),
        ("reviewed>=2026-11", TimeTerm(">=", "2026-11")),
        ("is:flagged is:split", All((FLAGGED, SPLIT))),
        ("is:flagged OR is:split", Some((FLAGGED, SPLIT))),
        ("is:flagged | is:split", Some((FLAGGED, SPLIT))),
        ("a is:flagged OR is:split", Some((All((TextTerm("any", "a"), FLAGGED)), SPLIT))),
        ("a (is:flagged OR is:split)", All((TextTerm("any", "a"), Some((FLAGGED, SPLIT))))),
        ("-is:flagged", Not(FLAGGED)),
        ("-(is:flagged is:split)", Not(All((FLAGGED, SPLIT)))),
        ("--is:flagged", Not(Not(FLAGGED))),
        ('-"a b"', Not(TextTerm("any", "a b"))),
        ("or", TextTerm("any", "or")),
        ("a - b", All((TextTerm("any", "a"), TextTerm("any", "-"), TextTerm("any", "b")))),
        ("fibröse", TextTerm("any", "fibröse")),
    ],
)
def test_it_understands(text: str, query: Query) -> None:
    assert parse(text) == query
    assert parse(str(query)) == query


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("vgg16:covid", "QUERY-01", "resnet50"),
        ("is:purple", "QUERY-01", "flagged"),
        ("resnet50:tuberculosis", "QUERY-03", "viral_pneumonia"),
        ("cnn:covid", "QUERY-01", "quotation marks"),
        ("label:", "QUERY-03", "covid"),
        ("agreement<many", "QUERY-02", "0.5"),
        ("p.covid>0,5", "QUERY-02", "with a dot"),
        ("p.covid>nan", "QUERY-02", "0.5"),
        ("entropy>inf", "QUERY-02", "0.5"),
        ("agreement<", "QUERY-02", "0.5"),
        ("label<covid", "QUERY-02", "label:covid"),
        ("split:many", "QUERY-02", "split:2-1-1"),
        ("split:0-4", "QUERY-02", "split:2-1-1"),
        ("reviewed>=yesterday", "QUERY-02", "2026-11-23"),
        ('"open', "QUERY-04", "partner"),
        ("(is:flagged", "QUERY-04", "partner"),
        ("is:flagged -( ", "QUERY-04", "partner"),
        ("(" * 80 + "a" + ")" * 80, "QUERY-04", "brackets"),
        ("-OR a", "QUERY-04", "minus"),
    ],
)
def test_what_it_does_not_understand_it_says_with_a_way_out(
    text: str, code: str, hint: str
) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert refused.value.code == code
    assert hint in str(refused.value)


def test_a_shortened_name_that_could_be_two_is_refused_with_both() -> None:
    with pytest.raises(UsageError) as refused:
        parse_query("c:covid", Vocabulary(CLASSES, ("ccnn", "cnn")))
    assert refused.value.code == "QUERY-03"
    assert "ccnn or cnn" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "votes"),
    [
        ("covid", False),
        ("name:a is:flagged label:covid blind:none reviewed>2026", False),
        ("is:failed OR is:duplicate", False),
        ("is:split", True),
        ("consensus:covid", True),
        ("scnn:covid", True),
        ("agreement<4", True),
        ("split:2-2", True),
        ("only:scnn", True),
        ("a OR -(is:flagged p.covid>0.5)", True),
        ("is:overruled", True),
        ("is:safety", True),
    ],
)
def test_it_knows_what_would_give_the_votes_away(text: str, votes: bool) -> None:
    assert needs_votes(parse(text)) is votes


numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
classes = st.sampled_from(CLASSES)
models = st.sampled_from(MODELS)
comparisons = st.sampled_from(["<", "<=", ">", ">=", "="])
terms = st.one_of(
    st.builds(
        lambda field, text: TextTerm(field, text.casefold()),
        st.sampled_from(["any", "name", "comment", "reviewer", "code"]),
        st.text(max_size=12),
    ),
    st.builds(StateTerm, st.sampled_from(list(STATES))),
    st.builds(
        ClassTerm,
        st.sampled_from(["consensus", "label", "blind", "any", *MODELS]),
        st.one_of(st.none(), classes),
    ),
    st.builds(OnlyTerm, models, st.one_of(st.none(), classes)),
    st.builds(
        NumberTerm,
        st.sampled_from(["agreement", "entropy", "confidence", "ood"]),
        st.none(),
        comparisons,
        numbers,
    ),
    st.builds(NumberTerm, st.sampled_from(["p", *MODELS]), classes, comparisons, numbers),
    st.builds(SplitTerm, st.sampled_from([0x4, 0x31, 0x22, 0x211])),
    st.builds(TimeTerm, st.sampled_from(["<", ">="]), st.sampled_from(["2026", "2026-11-23"])),
)
queries = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: All(tuple(parts)), st.lists(inner, min_size=2, max_size=4)),
        st.builds(lambda parts: Some(tuple(parts)), st.lists(inner, min_size=2, max_size=4)),
        st.just(EVERYTHING),
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(queries)
def test_every_query_prints_a_text_that_means_the_same(query: Query) -> None:
    assert parse(str(query)) == query


def understood(text: str) -> Query | UsageError:
    try:
        return parse(text)
    except UsageError as refused:
        return refused


SIGNS = [*'()-" OR|:<>=.p%5', "covid", "scnn", "is:split"]


@settings(deadline=None, max_examples=200)
@given(
    st.one_of(
        st.text(alphabet=st.characters(codec="utf-8"), max_size=40),
        st.lists(st.sampled_from(SIGNS), max_size=14).map("".join),
    )
)
def test_whatever_is_typed_is_a_query_or_a_refusal_with_a_sentence(text: str) -> None:
    found = understood(text)
    if isinstance(found, UsageError):
        assert found.code.startswith("QUERY-")
        assert str(found)
    else:
        assert parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "code"),
    [("p.covid>\uff10.5", "QUERY-02"), ("p.covid>\u0663", "QUERY-02")],
)
def test_what_only_looks_like_a_number_is_refused(text: str, code: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse(text)
    assert refusal.value.code == code


def test_a_query_has_one_form_only() -> None:
    with pytest.raises(ValueError, match="conjunction"):
        All((All(()),))
    with pytest.raises(ValueError, match="disjunction"):
        Some((All(()),))
