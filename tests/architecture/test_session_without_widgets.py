"""What the window knows and which film comes next is decided without widgets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_WIDGETS = ("desktop/gui/session", "desktop/gui/images")


def imports(path: Path) -> Iterator[str]:
    """Every dotted name that a file imports, in functions and for type checkers too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{item.name}" for item in node.names)


def files_below(path: Path) -> set[Path]:
    """The file and every file of ``desktop.gui`` that it imports, directly or not."""
    found, waiting = set(), [path]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            names = (name for name in imports(file) if name.startswith("desktop.gui."))
            targets = (ROOT / (name.replace(".", "/") + ".py") for name in names)
            waiting += [target for target in targets if target.is_file()]
    return found


@pytest.mark.parametrize("folder", WITHOUT_WIDGETS)
def test_no_widget_is_imported(folder: str) -> None:
    sources = sorted((ROOT / folder).rglob("*.py"))
    assert len(sources) > 8
    importing = {
        (source.name, below.relative_to(ROOT).as_posix())
        for source in sources
        for below in files_below(source)
        if any(name.startswith("PySide6.QtWidgets") for name in imports(below))
    }
    assert importing == set()
