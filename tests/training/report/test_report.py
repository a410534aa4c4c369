"""Card, manifest, scores, answers and report say the same of the shipped panels."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from desktop.core.panels.registry import Panel, open_panel, shipped_panels_folder
from training.evaluation.panel_scores import CardSettings, befores
from training.evaluation.predictions import (
    ANSWERS_NAME,
    FIGURES_NAME,
    read_answers,
    read_scores,
    together,
)
from training.evaluation.scores import before_measures, measures_for, side_prefix
from training.metrics import classification as metrics
from training.metrics.classification import interval
from training.report import figures
from training.report.figures import KINDS, Figure
from training.report.report import RESULTS, Report, html_page, render_report, study_tables

_DOCS = Path(__file__).resolve().parents[3] / "docs"
_PANELS = ("covid19", "pneumonia")


class _Page(HTMLParser):
    """Text, addresses that a browser would fetch, and balanced tags."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.drawings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.drawings += tag == "svg"
        self.ids += [values["id"]] if values.get("id") else []
        if tag == "a":
            self.links.append(values.get("href") or "")
        elif tag == "link" or values.get("src"):
            self.fetched.append(values.get("src") or values.get("href") or "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def page() -> _Page:
    parsed = _Page()
    parsed.feed((_DOCS / "model_report.html").read_text("utf-8"))
    return parsed


def _without_drawings(html: str) -> str:
    """The page with the digests of its figures' data, whatever version of matplotlib drew them."""
    return re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)


def test_the_committed_report_is_the_one_of_the_shipped_models() -> None:
    """Run ``cxr-train report`` after an export or a new file in ``training/results``."""
    report = Report(shipped_panels_folder())
    assert (_DOCS / "MODEL_REPORT.md").read_text("utf-8") == report.markdown()
    html = (_DOCS / "model_report.html").read_text("utf-8")
    assert _without_drawings(html) == report.html(draw=lambda figure, number: "")
    drawn = len(re.findall(r'<figure data-values="\w{16}"><svg ', html))
    assert drawn == html.count("<figure ") > 20


def test_limits_come_first_and_the_sections_of_claim_follow() -> None:
    text = (_DOCS / "MODEL_REPORT.md").read_text("utf-8")
    heads = [
        "## Limits first", "## Abstract", "## Data", "## Ground truth", "## Partitions",
        "## Model", "## Training", "## Evaluation", "## Panel covid19", "## Panel pneumonia",
        "## Comparisons",
    ]  # fmt: skip
    places = [text.index(f"\n{head}") for head in heads]
    assert places == sorted(places)


@pytest.mark.parametrize("name", _PANELS)
def test_the_report_shows_what_cards_and_scores_say(name: str, page: _Page) -> None:
    text = (_DOCS / "MODEL_REPORT.md").read_text("utf-8")
    shown = " ".join(page.text)
    opened = open_panel(name)
    important = ("_accuracy", "_balanced_accuracy", "_auc", "_macro_auc", "_calibration_error")
    for values in (read_scores(opened.folder), *(model.card.metrics for model in opened.models)):
        chosen = [row for metric, row in values.items() if metric.endswith(important)]
        assert len(chosen) > 8
        for row in chosen:
            assert "nan" not in interval(row)
            assert interval(row) in text
            assert interval(row) in shown


@pytest.mark.parametrize("name", _PANELS)
def test_every_score_comes_out_of_the_kept_answers(name: str) -> None:
    opened = open_panel(name)
    if not (opened.folder / ANSWERS_NAME).is_file():
        pytest.skip("exported before answers were kept")
    assert (opened.folder / ANSWERS_NAME).stat().st_size < 300_000
    answers = read_answers(opened.folder)
    assert answers.class_names == opened.class_names
    assert answers.models == opened.model_names
    settings = {model.name: CardSettings.of(model.card) for model in opened.models}
    kept = read_scores(opened.folder)
    compared = 0
    for side in answers.sides:
        members = answers.members(side)
        before = befores(members, answers.models, answers.class_names, settings)
        whole = together(members)
        said = [(kept, whole.probabilities, np.mean(before, axis=0))]
        said += [
            (dict(model.card.metrics), member.probabilities, earlier)
            for model, member, earlier in zip(opened.models, members, before, strict=True)
        ]
        for values, after, earlier in said:
            rows = np.concatenate([after, earlier], axis=1)
            measures = measures_for(whole.labels, answers.class_names)
            measures |= before_measures(len(answers.class_names))
            for metric, measure in measures.items():
                row = values[f"{side_prefix(side)}_{metric}"]
                assert row["n"] == len(whole.labels)
                assert row["value"] == pytest.approx(measure(whole.labels, rows), abs=1e-6)
                compared += 1
            again = metrics.with_interval(metrics.accuracy, whole.labels, after)
            assert values[f"{side_prefix(side)}_accuracy"] == pytest.approx(again)
    assert compared > 100


def _checked(panel: Panel) -> dict[str, object]:
    return json.loads((panel.folder / FIGURES_NAME).read_text("utf-8"))["sides"]


@pytest.mark.parametrize("name", _PANELS)
def test_the_confusions_add_up_to_the_accuracy(name: str) -> None:
    opened = open_panel(name)
    if not (opened.folder / FIGURES_NAME).is_file():
        pytest.skip("exported before figures were kept")
    scores = read_scores(opened.folder)
    for side, drawn in _checked(opened).items():
        counts = np.array(drawn["confusion"]["panel"])  # type: ignore[index]
        row = scores[f"{side_prefix(side)}_accuracy"]
        assert counts.sum() == row["n"]
        assert np.trace(counts) / counts.sum() == pytest.approx(row["value"])
        verdict = np.array(drawn["confusion"]["verdict"])  # type: ignore[index]
        right = scores[f"{side_prefix(side)}_verdict_accuracy"]["value"]
        assert np.trace(verdict) / verdict.sum() == pytest.approx(right)


@pytest.mark.parametrize("name", _PANELS)
def test_cards_on_paper_say_what_the_files_say(name: str) -> None:
    opened = open_panel(name)
    for model in opened.models:
        text = (opened.folder / f"{model.name}.md").read_text("utf-8")
        for row in model.card.metrics.values():
            assert interval(row) in text
        for shares in model.card.lungs.values():
            assert f"{shares['kept_without_lungs']:.0%}" in text
        assert (model.card.commit[:12] or "unknown") in text


def test_the_page_needs_no_network_and_its_links_lead_somewhere(page: _Page) -> None:
    assert page.fetched == []
    html = (_DOCS / "model_report.html").read_text("utf-8")
    assert re.findall(r"url\((?!#)|@import|<script", html) == []
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif "://" not in link:
            assert (_DOCS / link).is_file(), link


def test_texts_cannot_become_markup() -> None:
    odd = "<script>alert(1)</script> | **bold** `<b>` [x](AUDIT.md) [y](javascript:alert(1))"
    study = {"title": odd, "columns": ["a|b"], "rows": [[odd]], "note": odd}
    drawn = {"curves": {odd: {"loss": [1.0, 0.5]}}}
    values = {"panels": [], "audit": [], "studies": [(odd, [study | drawn])], "has_seeds": False}
    markdown = render_report(values)
    assert "| a\\|b |" in markdown
    assert "figure" not in markdown.split("## Comparisons")[1]
    found: list[Figure] = []
    html = html_page(render_report(values, found), found, figures.draw)
    assert len(found) == 1
    assert "<script" not in html
    assert "javascript:" not in re.findall(r'href="([^"]*)', html)
    assert html.count("<code>&lt;b&gt;</code>") >= 3
    assert "<strong>bold</strong>" in html
    assert '<a href="AUDIT.md">x</a>' in html
    assert "alert(1)&lt;/script&gt; | **bold**" in html.split("<figure")[1]
    parsed = _Page()
    parsed.feed(html)
    assert len(parsed.ids) == len(set(parsed.ids))


_BINS = [[10, 0.55, 0.5], [10, 0.9, 1.0]]
_CHARTS = {
    "roc": {"curves": {"A": [[0, 0.5, 1], [0, 1, 1]]}, "points": {"A": [0.5, 1.0]}},
    "reliability": {"before": _BINS, "after": _BINS},
    "coverage": {"curves": {"A": [[0.1, 1.0], [1.0, 0.8]]}, "points": {"A": [0.9, 0.85]}},
    "epochs": {"epoch": [1], "loss": [2.5], "val_macro_auc": [float("nan")]},
    "confusion": {"classes": ["Viral Pneumonia", "B"], "counts": [[3, 1, 7], [0, 0, 0]]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_are_whole_equal_in_every_run_and_follow_the_page(kind: str) -> None:
    figure = Figure(kind, {"A & B": _CHARTS[kind], "second": _CHARTS[kind]}, "")
    drawing = figures.draw(figure, 3)
    assert drawing == figures.draw(figure, 3)
    root = ElementTree.fromstring(drawing.replace("xlink:", ""))
    assert root.get("aria-label") == "A & B; second"
    texts = [(element.text or "") for element in root.iter() if element.tag == "text"]
    assert "A & B" in texts
    assert "nan" not in " ".join(texts)
    ids = [element.get("id", "") for element in root.iter() if element.get("id")]
    assert all(name.startswith("f3-") for name in ids)
    # Its colours are the page's, light or dark, and so is its font.
    assert not re.findall(r"#[0-9a-f]{6}[;\"]|font-family|font:", drawing)
    template = Path(figures.__file__).parents[1] / "templates" / "page.html.j2"
    defined = set(re.findall(r"(--[\w-]+):", template.read_text("utf-8")))
    assert set(re.findall(r"var\((--[\w-]+)\)", drawing)) <= defined
    if kind == "confusion":
        assert texts.count("64%") == 2
        assert "B" in texts  # A column, but no film has it: no row.
        assert texts.count("B") == 2


def test_other_values_are_another_figure() -> None:
    one = Figure("confusion", {"A": {"classes": ["x"], "counts": [[3]]}}, "")
    assert one.digest != Figure("confusion", {"A": {"classes": ["x"], "counts": [[4]]}}, "").digest
    assert one.digest == Figure("confusion", dict(one.charts), "Another caption.").digest


def test_studies_that_were_not_run_say_so_and_others_are_tables(tmp_path: Path) -> None:
    (tmp_path / "seeds.json").write_text(
        json.dumps(
            {
                "title": "Seeds",
                "columns": ["model", "AUC"],
                "rows": [["SCNN", {"value": 0.9, "low": 0.8, "high": 1.0}], ["CCNN", 0.5]],
                "note": "Short runs.",
                "curves": {"scnn": {"loss": [1.0, 0.5], "val_loss": [1.0, 0.7]}},
            }
        )
    )
    (tmp_path / "widths.json").write_text(
        json.dumps({"tables": [{"title": "Widths", "columns": ["w"], "rows": [[32]], "note": ""}]})
    )
    sections = dict(study_tables(tmp_path))
    assert sections["Way 1: tuning"] == []
    assert list(sections)[-1] == "Widths"
    found: list[Figure] = []
    values = {"panels": [], "audit": [], "studies": sections.items(), "has_seeds": True}
    markdown = render_report(values, found)
    assert "### Way 1: tuning\n\nNot run for this version" in markdown
    assert (
        "*Seeds*\n\n| model | AUC |\n| --- | --- |\n| SCNN | 0.900 (0.800 to 1.000) |" in markdown
    )
    assert "| CCNN | 0.500 |" in markdown
    assert "| w |\n| --- |\n| 32 |" in markdown
    assert [figure.kind for figure in found] == ["epochs"]


def test_every_study_of_this_version_can_be_shown() -> None:
    tables = dict(study_tables(RESULTS))
    assert len(tables) == len(list(RESULTS.glob("*.json")))
    assert all(one["rows"] for found in tables.values() for one in found)
