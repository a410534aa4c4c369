"""The window speaks another language as soon as its translation is there."""

from __future__ import annotations

import runpy
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import PySide6
import pytest
from PySide6.QtCore import QTranslator
from PySide6.QtWidgets import QApplication, QLabel, QTabWidget

from desktop.gui.settings.dialog import SettingsDialog
from desktop.gui.translations import FOLDER, install_translations
from tests.gui.conftest import MakeWindow

SCRIPT = Path(__file__).parents[2] / "packaging" / "translation_template.py"
LRELEASE = Path(PySide6.__file__).parent / "lrelease"
MARK = "»"

needs_tools = pytest.mark.skipif(not LRELEASE.is_file(), reason="PySide6 without its tools")


@needs_tools
def test_the_template_holds_every_text_of_the_window() -> None:
    made = runpy.run_path(str(SCRIPT))["template"]()
    assert (FOLDER / "cxr_quorum.ts").read_bytes() == made, f"run python packaging/{SCRIPT.name}"


@pytest.fixture
def marked_language(qapp: QApplication, tmp_path: Path) -> Iterator[None]:
    """A language in which every text begins with a mark."""
    tree = ElementTree.parse(FOLDER / "cxr_quorum.ts")
    for message in tree.getroot().iter("message"):
        translation = message.find("translation")
        assert translation is not None
        translation.text = MARK + (message.findtext("source") or "")
        del translation.attrib["type"]
    source = tmp_path / "cxr_quorum_pt.ts"
    tree.write(source, encoding="utf-8", xml_declaration=True)
    target = tmp_path / "cxr_quorum_pt.qm"
    subprocess.run([LRELEASE, source, "-qm", target], check=True, capture_output=True)
    before = set(qapp.findChildren(QTranslator))
    assert install_translations(qapp, ["tlh-Latn", "pt-BR"], tmp_path) == "pt_BR"
    yield
    for translator in set(qapp.findChildren(QTranslator)) - before:
        qapp.removeTranslator(translator)
        translator.deleteLater()


@needs_tools
def test_menus_pages_and_settings_are_translated(
    marked_language: None, make_window: MakeWindow
) -> None:
    window = make_window()
    for name, action in window.shortcuts.actions.items():
        assert action.text().startswith(MARK), name
    for menu in window.top_bar.menu_bar.actions():
        assert menu.text().startswith(MARK)
    for page in (window.batch, window.scorecard):
        assert page.title.text.startswith(MARK)
    dialog = SettingsDialog(window.preferences, window)
    tabs = dialog.findChild(QTabWidget)
    assert isinstance(tabs, QTabWidget)
    assert all(tabs.tabText(index).startswith(MARK) for index in range(tabs.count()))
    # The box's own buttons are Qt's, which has translations of its own.
    said = [label.text() for label in tabs.findChildren(QLabel) if label.text()]
    assert len(said) > 20
    assert all(text.startswith(MARK) for text in said)


def test_english_needs_no_translation(qapp: QApplication) -> None:
    assert install_translations(qapp, ["en-GB", "pt"]) == ""


def test_a_language_without_a_translation_stays_english(qapp: QApplication) -> None:
    assert install_translations(qapp, ["tlh"]) == ""
