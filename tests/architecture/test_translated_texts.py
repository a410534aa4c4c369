"""No text of the window escapes translation: literals reach widgets through ``tr`` only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

GUI = Path(__file__).parents[2] / "desktop" / "gui"
SOURCES = sorted(path for path in GUI.rglob("*.py") if path.name != "__init__.py")


def test_all_of_the_window_is_looked_at() -> None:
    assert len(SOURCES) > 80


# Calls whose words a reader sees or a screen reader reads.
SHOWN = {
    "setText", "setToolTip", "setStatusTip", "setWindowTitle", "setPlaceholderText", "setTitle",
    "setAccessibleName", "setAccessibleDescription", "setSuffix", "setPrefix", "addAction",
    "addMenu", "addTab", "addButton", "addRow", "setHeaderLabels", "set_text", "set_words",
    "set_tip", "set_hint", "set_advance_text", "set_segments", "show_notice", "show_text",
    "show_failure", "show_lines", "show_facts", "getText", "getExistingDirectory",
    "getOpenFileNames", "getSaveFileName", "draw_text", "draw_haloed", "paint_caption",
    "ElidedLabel", "WrappedLabel", "Card", "Button", "DecisionButton", "Switch", "SegmentedControl",
    "QLabel", "QPushButton", "QCheckBox", "QGroupBox", "QAction", "QMenu", "BadgeSpec",
    "UsageError", "CxrError", "emit",
}  # fmt: skip
TRANSLATES = {"tr", "translate", "QT_TRANSLATE_NOOP"}
# Names, units and file formats, which are the same in every language.
SAME_EVERYWHERE = {"Wilson", "px", "mm", "%", "ms", "s", "CSV", "PNG", "HTML"}
_WORD = re.compile(r"[A-Za-z]{2,}")


def called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def literals(node: ast.AST) -> Iterator[ast.Constant]:
    """String literals that become part of a value, except those that are translated."""
    if isinstance(node, ast.Call):
        if called(node) in TRANSLATES or called(node) in SHOWN:
            return
        # "…".format(…) and ", ".join(…) show what they are called on.
        if isinstance(node.func, ast.Attribute):
            yield from literals(node.func.value)
        return
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node
        return
    if isinstance(node, ast.Subscript | ast.Attribute | ast.Compare | ast.Lambda | ast.Dict):
        return
    if isinstance(node, ast.FormattedValue):
        yield from literals(node.value)
        return
    if isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
        return
    for child in ast.iter_child_nodes(node):
        yield from literals(child)


def untranslated(source: str) -> list[tuple[int, str]]:
    """Line and words of every literal that a reader would see in English for ever."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or called(node) not in SHOWN:
            continue
        for argument in node.args:
            for literal in literals(argument):
                words = str(literal.value)
                if _says_something(words):
                    found.append((literal.lineno, words))
    return found


def _says_something(words: str) -> bool:
    """False for icon names, roles, keys, colours and what is the same everywhere."""
    if any(mark in words for mark in ("style=", "'>", "</")):  # around translated words
        return False
    words = words.replace("CXR Quorum", "")
    if words.strip() in SAME_EVERYWHERE or not _WORD.search(words):
        return False
    code = re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*|[A-Z]+-\d\d", words)
    return code is None


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(GUI).as_posix())
def test_every_literal_that_is_shown_is_translated(path: Path) -> None:
    assert untranslated(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        'label.setText("Not translated")',
        'button.setToolTip(f"Say {count} images")',
        'status.show_notice("Two" + self.tr(" words"))',
        'box = Button("Export CSV", "export")',
        'label.setText("Yes it is" if on else self.tr("No"))',
        'label.setText("{count} rows are there".format(count=3))',
    ],
)
def test_a_new_literal_is_found(line: str) -> None:
    assert untranslated(line)


@pytest.mark.parametrize(
    "line",
    [
        'label.setText(self.tr("Translated"))',
        'label.setText(self.tr("{count} rows").format(count=grouped(3)))',
        'box = Button("", "export", kind="link")',
        'title = ElidedLabel(name, "secondary", "text2")',
        'label.setText(f"{left} {right}")',
    ],
)
def test_a_translated_one_is_not(line: str) -> None:
    assert not untranslated(line)
