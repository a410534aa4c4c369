"""A document as one self-contained HTML page: no request to anywhere, sortable, printable."""

from __future__ import annotations

import re
from html import escape

from training.report.document import (
    Bullets,
    Code,
    Document,
    FigureBlock,
    Paragraph,
    Section,
    TableBlock,
)

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, Inter, sans-serif;
  color: #1b1f24; background: #ffffff; }
svg { font-family: inherit; height: auto; max-width: 100%; }
nav { position: fixed; top: 0; bottom: 0; left: 0; width: 250px; overflow-y: auto;
  padding: 22px 18px;
  background: #f5f6f8; border-right: 1px solid #dfe2e6; font-size: 13px; line-height: 1.4; }
nav a { display: block; padding: 3px 0; color: #1f4e79; text-decoration: none; }
nav a.below { padding-left: 14px; color: #4a5560; }
nav a:hover, nav a:focus { text-decoration: underline; }
main { margin-left: 250px; padding: 28px 40px 80px; max-width: 1180px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 10px; }
h2 { font-size: 21px; margin: 44px 0 10px; padding-top: 10px; border-top: 2px solid #1f4e79; }
h3 { font-size: 17px; margin: 30px 0 8px; }
h4 { font-size: 15px; margin: 22px 0 6px; }
p, ul { max-width: 78ch; }
code, pre { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  background: #f1f3f5; }
code { padding: 1px 4px; border-radius: 3px; }
pre { padding: 12px 14px; overflow-x: auto; border-radius: 5px; }
.scroll { overflow-x: auto; margin: 10px 0 20px; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 4px 0 6px; }
th, td { border: 1px solid #d5d9de; padding: 4px 8px; text-align: left; vertical-align: top; }
thead th { background: #eef1f4; }
thead th button { all: unset; cursor: pointer; font-weight: 600; }
thead th button:focus-visible { outline: 2px solid #1f4e79; }
thead th button::after { content: " \\2195"; color: #8a949e; }
thead th[aria-sort="ascending"] button::after { content: " \\2191"; color: #1b1f24; }
thead th[aria-sort="descending"] button::after { content: " \\2193"; color: #1b1f24; }
td.short { white-space: nowrap; }
tbody tr:nth-child(even) { background: #fafbfc; }
figure { margin: 12px 0 24px; }
figure .drawings { display: flex; flex-wrap: wrap; gap: 14px 18px; align-items: flex-start; }
figcaption { font-size: 13px; color: #4a5560; max-width: 90ch; margin-top: 6px; }
@media (max-width: 900px) { nav { position: static; width: auto; border-right: 0; }
  main { margin-left: 0; padding: 20px; } }
@media print { nav { display: none; } main { margin: 0; padding: 0; max-width: none; }
  body { font-size: 10.5pt; } h2 { break-after: avoid; } h3, h4 { break-after: avoid; }
  figure svg, tr { break-inside: avoid; } .scroll { overflow: visible; }
  table { font-size: 8pt; } thead th button::after { content: ""; } a { color: inherit; } }
"""

#: Longer cells may be broken into lines.
_LONG = 28

_SCRIPT = """
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[place].textContent.trim();
      const number = (text) => parseFloat(text.replace(/,/g, ""));
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => {
        const [x, y] = [number(key(a)), number(key(b))];
        if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
        const order = Number.isNaN(x) ? key(a).localeCompare(key(b)) : x - y;
        return down ? -order : order;
      });
      table.tBodies[0].append(...rows);
    });
  });
}
"""


def as_html(document: Document) -> str:
    """The whole page."""
    body = [_section(section, 2) for section in document.sections]
    links = []
    for section in document.sections:
        links.append(f'<a href="#{section.anchor}">{_inline(section.title)}</a>')
        links += [
            f'<a class="below" href="#{_anchor(section, below)}">{_inline(below.title)}</a>'
            for below in section.sections
        ]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(document.title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            f'<nav aria-label="Contents">{"".join(links)}</nav>',
            "<main>",
            f"<h1>{_inline(document.title)}</h1>",
            f"<p>{_inline(document.lead)}</p>",
            *body,
            "</main>",
            f"<script>{_SCRIPT}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _anchor(above: Section, below: Section) -> str:
    return f"{above.anchor}-{below.anchor}"


def _section(section: Section, level: int, anchor: str = "") -> str:
    name = anchor or section.anchor
    parts = [f'<h{level} id="{name}">{_inline(section.title)}</h{level}>']
    for block in section.blocks:
        match block:
            case Paragraph(text):
                parts.append(f"<p>{_inline(text)}</p>")
            case Bullets(items):
                points = "".join(f"<li>{_inline(item)}</li>" for item in items)
                parts.append(f"<ul>{points}</ul>")
            case Code(text):
                parts.append(f"<pre>{escape(text)}</pre>")
            case TableBlock():
                parts.append(_table(block))
            case FigureBlock(drawings, caption):
                parts.append(
                    f'<figure><div class="drawings">{"".join(drawings)}</div>'
                    f"<figcaption>{_inline(caption)}</figcaption></figure>"
                )
    for below in section.sections:
        parts.append(_section(below, level + 1, f"{name}-{below.anchor}"))
    return "\n".join(parts)


def _table(block: TableBlock) -> str:
    caption = f"<caption>{_inline(block.caption)}</caption>" if block.caption else ""
    heads = "".join(f'<th scope="col">{_inline(head)}</th>' for head in block.columns)
    rows = "\n".join("<tr>" + "".join(_data(cell) for cell in row) + "</tr>" for row in block.rows)
    return (
        f'<div class="scroll"><table>{caption}<thead><tr>{heads}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _data(cell: str) -> str:
    """A cell; a short one stays on its line."""
    form = "" if len(cell) > _LONG else ' class="short"'
    return f"<td{form}>{_inline(cell)}</td>"


def _inline(text: str) -> str:
    """Marks of :mod:`training.report.document` as HTML; everything else is text."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(
        f"<code>{escape(part[1:-1])}</code>" if part.startswith("`") and part.endswith("`") and part
        else _marked(part)
        for part in parts
    )  # fmt: skip


def _marked(text: str) -> str:
    safe = escape(text, quote=False)
    safe = re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", r'<a href="\2">\1</a>', safe)
    safe = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", safe)
    return re.sub(r"(?<![\w*])\*([^*]+)\*(?![\w*])", r"<em>\1</em>", safe)
