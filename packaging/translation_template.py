"""Collect every text of the window into the template that translators begin with.

usage: python packaging/translation_template.py [FILE]    default desktop/assets/i18n/cxr_quorum.ts

Most texts are found in the sources by Qt's lupdate. Those of the settings, the actions and the
shipped filters come from their records, where lupdate cannot see them. No line numbers go in, so
that the file changes only when a text does.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import PySide6

from desktop.core.review.query import shipped_filters
from desktop.core.review.query_terms import Vocabulary
from desktop.core.system.atomic_write import atomic_write
from desktop.gui.actions.action import CONTEXT, Menu, texts_in
from desktop.gui.mainwindow.menu_bar import MENUS
from desktop.gui.settings.schema import explanations

TEMPLATE = ROOT / "desktop" / "assets" / "i18n" / "cxr_quorum.ts"
_SETTINGS = "Settings"


def template() -> bytes:
    """The template as it should be now, UTF-8."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.ts"
        _lupdate(sorted((ROOT / "desktop" / "gui").rglob("*.py")), found)
        tree = ElementTree.parse(found)
    texts: dict[str, list[tuple[str, str]]] = {}
    for context in tree.getroot().iter("context"):
        messages = texts.setdefault(context.findtext("name") or "", [])
        for message in context.iter("message"):
            messages.append((message.findtext("source") or "", message.findtext("comment") or ""))
    settings = texts.setdefault(_SETTINGS, [])
    for explanation in explanations().values():
        settings += [(explanation.group, ""), (explanation.title, ""), (explanation.text, "")]
    filters = shipped_filters(Vocabulary(("{class}",), ("{model}",)))
    texts["Filters"] = [(item.name, "") for item in filters]
    actions = texts.setdefault(CONTEXT, [])
    actions += [(menu.value, "") for menu in Menu]
    actions += [(text, "") for items in MENUS.values() for text in texts_in(items)]
    root = ElementTree.Element("TS", version="2.1", sourcelanguage="en")
    for name in sorted(texts):
        _add_context(root, name, texts[name])
    ElementTree.indent(root, "    ")
    words = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{words}\n'.encode()


def _add_context(root: ElementTree.Element, name: str, messages: list[tuple[str, str]]) -> None:
    context = ElementTree.SubElement(root, "context")
    ElementTree.SubElement(context, "name").text = name
    for source, comment in dict.fromkeys(messages):
        message = ElementTree.SubElement(context, "message")
        ElementTree.SubElement(message, "source").text = source
        if comment:
            ElementTree.SubElement(message, "comment").text = comment
        ElementTree.SubElement(message, "translation", type="unfinished")


def _lupdate(sources: list[Path], target: Path) -> None:
    # Beside the module on Linux and Windows; the pyside6-lupdate command only calls it.
    home = Path(PySide6.__file__).parent
    program = next(path for path in (home / "lupdate", home / "lupdate.exe") if path.is_file())
    subprocess.run(
        [program, *sources, "-ts", target, "-locations", "none", "-silent"],
        check=True,
        capture_output=True,
    )


if __name__ == "__main__":
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else TEMPLATE
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(output) as stream:
        stream.write(template())
