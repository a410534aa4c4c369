"""``cxr-train report``: every number from the cards, scores and predictions of the exported panels.

The text is ``training/templates/report.md.j2``. It is written as ``MODEL_REPORT.md`` and, with
figures, as ``model_report.html``, one page that needs nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from desktop.core.panels.contract import MANIFEST_NAME, RESEARCH_USE
from desktop.core.panels.registry import open_panel
from training.evaluation.abstention import NEAR
from training.evaluation.subgroups import FEW
from training.report import figures
from training.report.figures import Chart, Figure
from training.report.panel import PanelReport
from training.runtime.files import write_atomically
from training.runtime.pages import Block, environment, render

RESULTS = Path(__file__).resolve().parents[1] / "results"
HTML_NAME, MARKDOWN_NAME = "model_report.html", "MODEL_REPORT.md"
#: File in the results folder -> heading; these have a section also where they were not run.
STUDIES = {
    "baseline": "The plain experiment",
    "tune": "Way 1: tuning",
    "ablation": "Way 2: layers",
    "leave_one_out": "Way 3: data",
    "seeds": "Other seeds",
}
#: Longer cells may be broken into lines.
_SHORT = 28

Draw = Callable[[Figure, int], str]


class Report:
    """The report of all panels of a folder.

    Args:
        models_folder: Folder of panels, each with a manifest.
        results: Folder with the tables of studies.
        docs: Folder with the measurements ``AUDIT.json``, ``LUNGS.json``, ``OOD.json``.
    """

    def __init__(
        self, models_folder: Path, *, results: Path = RESULTS, docs: Path | None = None
    ) -> None:
        where = docs or models_folder.resolve().parent / "docs"
        audit = where / "AUDIT.json"
        self._values: dict[str, Any] = {
            "panels": [
                PanelReport(open_panel(path), where)
                for path in sorted(models_folder.iterdir())
                if (path / MANIFEST_NAME).is_file()
            ],
            "audit": json.loads(audit.read_text("utf-8"))["panels"] if audit.is_file() else [],
            "studies": study_tables(results),
            "has_seeds": (results / "seeds.json").is_file(),
        }

    def markdown(self) -> str:
        """The report without its figures."""
        return render_report(self._values)

    def html(self, draw: Draw = figures.draw) -> str:
        """The report as one page; ``draw`` gives each figure, with its number, as SVG."""
        found: list[Figure] = []
        return html_page(render_report(self._values, found), found, draw)


def write_report(models_folder: Path, output: Path, **folders: Path) -> tuple[Path, Path]:
    """Write both forms; returns their paths.

    Args:
        models_folder: As for :class:`Report`.
        output: Folder, or the Markdown file; the HTML page lies beside it.
        folders: ``results`` and ``docs`` of :class:`Report`.
    """
    markdown = output if output.suffix == ".md" else output / MARKDOWN_NAME
    html = markdown.parent / HTML_NAME
    report = Report(models_folder, **folders)
    write_atomically(html, report.html().encode())
    write_atomically(markdown, report.markdown().encode())
    return markdown, html


def render_report(values: Mapping[str, Any], found: list[Figure] | None = None) -> str:
    """The report as Markdown; ``found`` collects its figures, without it they are left out."""

    def figure(kind: str, charts: Mapping[str, Chart], caption: str) -> str:
        if found is None:
            return ""
        found.append(Figure(kind, charts, caption))
        return Block(f"\n```figure\n{len(found) - 1}\n```\n")

    return render(
        "report.md.j2",
        **values,
        figure=figure,
        figures=found is not None,
        page_name=HTML_NAME,
        research_use=RESEARCH_USE,
        near=f"{NEAR:g}",
        few=FEW,
    )


def study_tables(results: Path) -> list[tuple[str, list[dict[str, Any]]]]:
    """Heading and tables of each study, run or not, then of each other file in the folder.

    A file holds ``{title, columns, rows, note}``, a list of these, or ``{"tables": [...]}``.
    """
    found = {}
    for path in sorted(results.glob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        if isinstance(content, dict):
            content = content.get("tables", [content])
        found[path.stem] = content
    sections = [(title, found.pop(name, [])) for name, title in STUDIES.items()]
    others = [(tables[0].get("title", name), tables) for name, tables in found.items()]
    return sections + [(str(title).replace("_", " "), tables) for title, tables in others]


def html_page(markdown: str, found: Sequence[Figure], draw: Draw) -> str:
    """Markdown as one HTML page; whatever looks like HTML in it stays text."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    body = parser.render(markdown)

    def figure(match: re.Match[str]) -> str:
        number = int(match[1])
        one = found[number]
        caption = f"<figcaption>{parser.renderInline(one.caption)}</figcaption>"
        return f'<figure data-values="{one.digest}">{draw(one, number)}{caption}</figure>'

    links: list[dict[str, Any]] = []

    def heading(match: re.Match[str]) -> str:
        level, text = match[1], match[2]
        anchor = re.sub(r"[\s-]+", "-", re.sub(r"<[^>]+>|[^\w\s-]", "", text.lower()).strip())
        if level == "3":
            above = [link["anchor"] for link in links if not link["below"]]
            anchor = f"{above[-1]}-{anchor}"
        links.append({"anchor": anchor, "text": text, "below": level == "3"})
        return f'<h{level} id="{anchor}">{text}</h{level}>'

    body = re.sub(r"<h([23])>(.*?)</h\1>", heading, body)
    body = re.sub(r"<p><em>([^\n]*)</em></p>\n<table>", r"<table>\n<caption>\1</caption>", body)
    for tag, instead in (
        ("<table>", '<div class="scroll"><table>'),
        ("</table>", "</table></div>"),
        ("<th>", '<th scope="col">'),
    ):
        body = body.replace(tag, instead)
    body = re.sub(rf"<td>(?=[^\n]{{0,{_SHORT}}}</td>)", '<td class="short">', body)
    body = re.sub(r'<pre><code class="language-figure">(\d+)\n?</code></pre>', figure, body)
    title = re.findall(r"<h1>(.*?)</h1>", body)[0]
    template = environment(autoescape=True).get_template("page.html.j2")
    return template.render(title=title, links=links, body=body.strip()) + "\n"
