"""Fills the parts of the manual that the code already knows, so that the two cannot disagree.

usage: python docs/generate.py [--check]

A page marks such a part with ``<!-- generated: NAME -->`` and ``<!-- end: NAME -->``; what stands
between them is replaced. ``--check`` writes nothing and exits with 1 if a page is out of date.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(ROOT / "packaging"), str(DOCS)]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import architecture_picture
import licence_table
import quality_table
import speed_table

PANEL = "covid19"
_BLOCK = r"(<!-- generated: {name} -->\n)(.*?)(<!-- end: {name} -->)"


def keyboard() -> str:
    """One table for each heading of the key sheet, with the keys as they are shipped."""
    from desktop.gui.mainwindow.menu_bar import all_actions

    lines: list[str] = []
    for menu, actions in itertools.groupby(all_actions(), lambda action: action.menu):
        lines += ["", f"### {menu.heading}", "", "| keys | command |", "| --- | --- |"]
        for action in actions:
            keys = " or ".join(f"`{_key_text(key)}`" for key in action.keys) or "(menu)"
            lines.append(
                f"| {keys} | {'. '.join(filter(None, (action.plain_title, action.tip)))} |"
            )
    return "\n".join(lines).strip("\n")


def columns() -> str:
    """Every column of the shipped panel's table with its meaning."""
    from desktop.core.export.columns import table_columns
    from desktop.core.panels.registry import open_panel

    rows = [
        f"| `{item.name}` | {item.kind} | {item.meaning} |"
        for item in table_columns(open_panel(PANEL))
    ]
    return "\n".join(["| column | type | meaning |", "| --- | --- | --- |", *rows])


def codes() -> str:
    """The one table of codes, a heading for each family so that a page can link to it."""
    from desktop.core.error_codes import all_codes

    lines: list[str] = []
    rows = sorted(all_codes(), key=lambda item: item.code)
    for family in dict.fromkeys(item.code.rsplit("-", 1)[0] for item in rows):
        lines += [
            "",
            f"### {family}",
            "",
            "| code | what happened | what to do |",
            "| --- | --- | --- |",
        ]
        lines += [
            f"| `{item.code}` | {_cell(item.meaning)} | {_cell(item.advice)} |"
            for item in rows
            if item.code.rsplit("-", 1)[0] == family
        ]
    return "\n".join(lines).strip("\n")


def commands() -> str:
    """Usage and options of every command, from the parser."""
    from command_files import app_parsers

    lines: list[str] = []
    for command, parser in list(app_parsers().items())[1:]:
        usage = " ".join(parser.format_usage().split()).removeprefix("usage: ")
        lines += ["", f"## cxr-quorum {command}", "", parser.description or "", ""]
        lines += ["```text", usage, "```", "", "| option | |", "| --- | --- |"]
        formatter = parser._get_formatter()
        for action in parser._actions:
            value = action.metavar or "|".join(action.choices or ()) or action.dest.upper()
            name = f"{', '.join(action.option_strings)} {value if action.nargs != 0 else ''}"
            help_text = " ".join(formatter._expand_help(action).split())
            lines.append(f"| `{_cell(name.strip())}` | {_cell(help_text)} |")
    return "\n".join(lines).strip("\n")


def states() -> str:
    """The words after ``is:`` that the search box knows."""
    from desktop.core.review.query_terms import STATES

    rows = [f"| `is:{word}` | {meaning} |" for word, (_, meaning) in STATES.items()]
    return "\n".join(["| word | cases that |", "| --- | --- |", *rows])


def figures() -> str:
    """Sizes and times, as measured by the last packaging run."""
    return (DOCS / "measured_package.md").read_text(encoding="utf-8").strip("\n")


def audit() -> str:
    """What the last vulnerability check said, with an explanation for each finding."""
    return (DOCS / "measured_audit.md").read_text(encoding="utf-8").strip("\n")


def attack() -> str:
    """What `make attack` last found."""
    return (DOCS / "measured_attack.md").read_text(encoding="utf-8").strip("\n")


def cluster_plan() -> str:
    """Nodes, hours, cost and bottleneck of a hundred million films, by the formula."""
    from cluster_capacity import manual

    return manual()


PARTS: Mapping[str, tuple[str, Callable[[], str]]] = {
    "keyboard": ("keyboard.md", keyboard),
    "columns": ("csv.md", columns),
    "codes": ("troubleshooting.md", codes),
    "commands": ("commands.md", commands),
    "states": ("window.md", states),
    "licences": ("licences.md", licence_table.table),
    "figures": ("install.md", figures),
    "cluster-plan": ("cluster.md", cluster_plan),
    "audit": ("release.md", audit),
    "attack": ("privacy.md", attack),
    "packages": ("architecture.md", architecture_picture.package_table),
    "quality": ("../README.md", quality_table.quality),
    "speed": ("../README.md", speed_table.speed),
}


def pages() -> dict[Path, str]:
    """Every generated file with the text it should have."""
    texts: dict[Path, str] = {}
    for name, (page, make) in PARTS.items():
        path = DOCS / page
        text = texts.get(path) or path.read_text(encoding="utf-8")
        pattern = re.compile(_BLOCK.format(name=name), re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"{page} has no part called {name}")
        made = make()
        texts[path] = pattern.sub(
            lambda found, made=made: f"{found[1]}\n{made}\n\n{found[3]}", text
        )
    texts[DOCS / "images" / "architecture.svg"] = architecture_picture.draw()
    return texts


def stale() -> tuple[str, ...]:
    """Names of generated files that differ from what they should be."""
    return tuple(
        path.relative_to(ROOT).as_posix()
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    )


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    if parser.parse_args().check:
        names = stale()
        for name in names:
            print(f"{name} is out of date; run python docs/generate.py", file=sys.stderr)
        return 1 if names else 0
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


def _key_text(key: str) -> str:
    return {"Return": "Enter", "Enter": "Keypad Enter"}.get(key, key)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
