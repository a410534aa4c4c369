"""Card, manifest, scores, answers and report say the same of the shipped panels."""

from __future__ import annotations

import json
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
from training.report.document import (
    Bullets,
    Code,
    Document,
    FigureBlock,
    Paragraph,
    Section,
    TableBlock,
    as_markdown,
)
from training.report.figures import confusion_chart, coverage_chart, curves_chart, reliability_chart
from training.report.html import as_html
from training.report.report import RESULTS, html_report, model_report
from training.report.studies import study_blocks, study_sections

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


def test_the_committed_report_is_the_one_of_the_shipped_models() -> None:
    """Run ``cxr-train report`` after an export or a new file in ``training/results``."""
    models = shipped_panels_folder()
    assert (_DOCS / "MODEL_REPORT.md").read_text("utf-8") == model_report(models)
    assert (_DOCS / "model_report.html").read_text("utf-8") == html_report(models)


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
    assert "url(" not in html
    assert "@import" not in html
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif "://" not in link:
            assert (_DOCS / link).is_file(), link


def test_texts_cannot_become_markup() -> None:
    odd = "<script>alert(1)</script> | **bold** `<b>` [x](AUDIT.md) 2*3*4"
    document = Document(
        odd,
        odd,
        [
            Section(
                "One",
                [Paragraph(odd), Bullets([odd]), Code("a < b"), TableBlock(("a|b",), [(odd,)])],
                [Section("Two", [FigureBlock(["<svg/>"], odd)])],
            )
        ],
    )
    html = as_html(document)
    assert "<script>alert" not in html
    assert "<strong>bold</strong>" in html
    assert "<code>&lt;b&gt;</code>" in html
    assert '<a href="AUDIT.md">x</a>' in html
    assert "2*3*4" in html
    markdown = as_markdown(document, "A note.")
    assert "a\\|b" in markdown
    assert "A note." in markdown
    assert "svg" not in markdown


def test_drawings_are_whole_and_stay_inside() -> None:
    bins = [[10, 0.55, 0.5], [10, 0.9, 1.0]]
    drawings = [
        reliability_chart("A & B", bins, bins),
        curves_chart("x", {"epoch": [1, 2], "loss": [0.9, 0.5], "val_macro_auc": [0.5, 1.0]}),
        curves_chart("one epoch", {"epoch": [1], "loss": [2.5], "val_macro_auc": [float("nan")]}),
        coverage_chart("c", {"s": ([0.1, 1.0], [1.0, 0.8])}, {"s": (0.9, 0.85)}),
        confusion_chart("m", [[3, 1], [0, 0]], ["Viral Pneumonia", "B"], ["Viral Pneumonia", "B"]),
    ]
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        width, height = (float(root.get(name, "0")) for name in ("width", "height"))
        for line in root.iter("polyline"):
            for point in line.get("points", "").split():
                x, y = map(float, point.split(","))
                assert 0 <= x <= width
                assert 0 <= y <= height
        for word in root.iter("text"):
            assert "nan" not in (word.text or "")


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
    sections = {section.title: section for section in study_sections(tmp_path)}
    assert "Not run" in sections["Way 1: tuning"].blocks[0].text  # type: ignore[union-attr]
    table = next(b for b in sections["Other seeds"].blocks if isinstance(b, TableBlock))
    assert list(table.rows) == [["SCNN", "0.900 (0.800 to 1.000)"], ["CCNN", "0.500"]]
    assert any(isinstance(block, FigureBlock) for block in sections["Other seeds"].blocks)
    assert list(sections)[-1] == "widths"


def test_every_study_of_this_version_can_be_shown() -> None:
    for path in RESULTS.glob("*.json"):
        blocks = study_blocks(json.loads(path.read_text("utf-8")))
        assert any(isinstance(block, TableBlock) for block in blocks), path.name
