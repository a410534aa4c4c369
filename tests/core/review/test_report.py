"""The report as a browser's parser sees it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from desktop.core.cases import OPEN, CaseResult
from desktop.core.panels.contract import RESEARCH_USE
from desktop.core.panels.registry import Panel
from desktop.core.review import decisions
from desktop.core.review.case_table import CaseTable
from desktop.core.review.decisions import Stamp
from desktop.core.review.report import ReportInfo, summary_report, write_summary_report
from tests.helpers.review_cases import CLASSES, MODELS, STAMP, case, failed

EVIL = "<script>alert('x')</script>&\"'.png"
FACTS = ReportInfo(
    "films <&>", "2026-11-23T10:00:00Z", "cpu", (("Blind reading", "on"),), "is:split <b>"
)


class Page(HTMLParser):
    """Collects elements, attributes, text and checks that elements close in order."""

    VOID = frozenset({"meta", "rect", "line", "circle", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


def reviewed_table() -> CaseTable:
    table = CaseTable(CLASSES, MODELS)
    for result in (
        case("1.png", "CCCC"),
        case("2.png", "CCCN"),
        case("3.png", "CCNN"),
        failed(EVIL),
        CaseResult("\udcff.png", "", "failed", "DECODE-01", "\udcff.png is empty."),
    ):
        table.set_result(result)
    table.add_images(["waiting.png"])
    eve = Stamp("<i>Eve</i>", STAMP.at)
    blind = decisions.reveal(decisions.label(OPEN, "Normal", eve, votes_shown=False))
    table.set_decision("1.png", decisions.label(blind, "Covid", STAMP, votes_shown=True))
    table.set_decision("2.png", decisions.label(OPEN, "Normal", eve, votes_shown=True))
    table.set_decision("3.png", decisions.mark_unsure(OPEN, STAMP, votes_shown=True))
    return table


def test_the_page_says_what_happened(panel: Panel) -> None:
    words = Page(summary_report(reviewed_table(), panel, FACTS)).words
    for expected in (
        RESEARCH_USE,
        "majority: at least 3 of 4 models",
        "Read by the models 3",
        "Not read yet 1",
        "Failed 2",
        "Labelled by a reader 2",
        "Marked unsure 1",
        "DECODE-02 1",
        "2 labels",
        "Changed into the consensus 1",
        "Blind reading on",
        "is:split <b>",
        *(model.sha256 for model in panel.models),
    ):
        assert expected in words, expected


def test_counts_by_class_and_agreement_are_right(panel: Panel) -> None:
    words = Page(summary_report(reviewed_table(), panel, FACTS)).words
    assert "Consensus 4 of 4 3 of 4 2 of 4 1 of 4 Images Covid 1 1 0 0 2" in words
    assert "no consensus 0 0 1 0 1" in words
    assert "Normal 1 0 0 0 1" in words  # the reader's Normal was the panel's Covid


def test_nothing_from_outside_becomes_markup(panel: Panel) -> None:
    page = Page(summary_report(reviewed_table(), panel, FACTS))
    assert page.open == []
    assert {tag for tag, _ in page.elements} <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "table",
        "caption", "thead", "tbody", "tr", "th", "td", "code", "svg", "text", "rect", "line",
        "circle",
    }  # fmt: skip
    assert EVIL in page.words
    assert "<i>Eve</i>" in page.words


def test_the_page_needs_nothing_else(panel: Panel) -> None:
    text = summary_report(reviewed_table(), panel, FACTS)
    page = Page(text)
    for _, attributes in page.elements:
        assert not attributes.keys() & {"src", "href", "xlink:href", "onclick", "onload"}
    assert "url(" not in text
    assert "@import" not in text
    policy = [attributes for tag, attributes in page.elements if tag == "meta"][1]
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_an_empty_folder_has_a_report_too(panel: Panel, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_summary_report(path, CaseTable(CLASSES, MODELS), panel, FACTS)
    assert "No image has a label yet" in path.read_text("utf-8")


def test_a_report_on_a_selection_counts_only_its_rows(panel: Panel) -> None:
    words = Page(summary_report(reviewed_table().only([1, 2]), panel, FACTS)).words
    assert "Images 2" in words.replace("Images Images", "Images")
    assert "Failed 0" in words
    assert "Labelled by a reader 1" in words


def test_a_page_without_device_settings_or_filter_says_nothing_of_them(panel: Panel) -> None:
    bare = ReportInfo("ward", "2026-11-23T10:00:00Z", "", (), "")
    words = Page(summary_report(reviewed_table(), panel, bare)).words
    assert "device" not in words
    assert "Settings" not in words
    assert "Part of the folder" not in words


def test_a_page_of_nothing_but_refusals_has_no_figures_to_draw(panel: Panel) -> None:
    table = CaseTable(CLASSES, MODELS)
    table.set_result(failed("a.png"))
    page = Page(summary_report(table, panel, FACTS))
    assert "Failed 1" in page.words
    assert not [name for name, _ in page.elements if name == "circle"]
