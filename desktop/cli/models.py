"""``cxr-quorum models``: the installed panels, every file verified."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from desktop.core.errors import ModelRefused
from desktop.core.inference.sandbox import check_in_sandbox
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import Panel, PanelModel, open_panel, survey_panels
from desktop.core.system.text import printable


def run(arguments: argparse.Namespace) -> int:
    """List panels; 0 if all are sound, 1 if any was refused or none is there."""
    found, refused = survey_panels(arguments.folders)
    panels: list[Panel] = []
    problems = [(item.folder, item.problem) for item in refused]
    for panel in found:
        try:
            panels.append(open_panel(panel.folder.absolute()))
            if arguments.verify:
                check_in_sandbox(panel)
                PanelSession(panel, "cpu")
        except ModelRefused as problem:
            problems.append((panel.folder, problem))
    if arguments.json:
        _print_json(panels, problems)
    else:
        _print_tables(panels, problems, ran=arguments.verify)
    return 1 if problems or not panels else 0


def _print_tables(
    panels: list[Panel], problems: list[tuple[Path, ModelRefused]], *, ran: bool
) -> None:
    console = Console(soft_wrap=True, emoji=False)
    for panel in panels:
        heading = Text.assemble((panel.name, "bold"), f" {panel.version}  {panel.title}")
        console.print(heading, highlight=False)
        classes, folder = ", ".join(panel.class_names), printable(str(panel.folder))
        console.print(f"Classes: {classes}. Folder: {folder}", highlight=False, markup=False)
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("Model", "Version", "MB", "File", "Test"):
            table.add_column(heading, justify="right" if heading == "MB" else "left")
        for model in panel.models:
            table.add_row(
                Text(model.card.title),
                Text(model.card.version),
                f"{model.size_bytes / 1e6:.1f}",
                "verified" + (", runs" if ran else ""),
                Text(_metrics(model)),
            )
        Console().print(table, highlight=False)
        console.print()
    for folder, problem in problems:
        for line in (f"Refused: {folder}", f"  {problem} [{problem.code}]"):
            console.print(printable(line), highlight=False, markup=False)
    if not panels:
        console.print("No panel is installed. Install the app again, or name a panel's folder.")


def _metrics(model: PanelModel) -> str:
    """The first metrics of the card with their 95 % intervals."""
    words = []
    for name, values in list(model.card.metrics.items())[:2]:
        if "value" not in values:
            continue
        text = f"{name.replace('_', ' ')} {values['value']:.3f}"
        if "low" in values and "high" in values:
            text += f" ({values['low']:.3f} to {values['high']:.3f})"
        words.append(text)
    return "\n".join(words)


def _print_json(panels: list[Panel], problems: list[tuple[Path, ModelRefused]]) -> None:
    values: dict[str, Any] = {
        "panels": [
            {
                "name": panel.name,
                "title": panel.title,
                "version": panel.version,
                "classes": list(panel.class_names),
                "folder": str(panel.folder),
                "models": [
                    {
                        "name": model.name,
                        "version": model.card.version,
                        "sha256": model.sha256,
                        "bytes": model.size_bytes,
                        "metrics": {key: dict(value) for key, value in model.card.metrics.items()},
                    }
                    for model in panel.models
                ],
            }
            for panel in panels
        ],
        "refused": [
            {"folder": str(folder), "code": problem.code, "reason": str(problem)}
            for folder, problem in problems
        ],
    }
    # ASCII: a folder's name may be bytes that no encoding has.
    print(json.dumps(values, indent=2))
