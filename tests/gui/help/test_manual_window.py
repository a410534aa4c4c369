"""The manual opens in the app, offline, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QTextDocument
from pytestqt.qtbot import QtBot

from desktop.gui.help.manual_window import ManualWindow, heading_anchor, manual_folder, page_titles
from desktop.gui.mainwindow.main_window import MainWindow

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.fixture
def manual(qtbot: QtBot) -> ManualWindow:
    """The window, on its first page."""
    window = ManualWindow()
    qtbot.addWidget(window)
    window.show()
    return window


def shown(window: ManualWindow) -> str:
    """File name of the page on show."""
    return Path(window.page.source().toLocalFile()).name


def test_it_opens_on_the_start_page(manual: ManualWindow) -> None:
    assert shown(manual) == "index.md"
    assert "Four neural networks vote" in manual.page.toPlainText()


def test_help_opens_the_manual_also_without_a_folder(window: MainWindow) -> None:
    window.shortcuts["manual"].trigger()
    (opened,) = window.findChildren(ManualWindow)
    assert opened.isVisible()
    opened.close()


def test_every_page_of_the_manual_is_in_the_contents(manual: ManualWindow) -> None:
    # Measured figures are parts of other pages.
    pages = {path.name for path in manual_folder().glob("*.md")} - {
        path.name for path in manual_folder().glob("measured_*.md")
    }
    assert set(page_titles(manual_folder())) == pages
    assert manual.contents.count() == len(pages)


def test_choosing_a_title_shows_its_page_and_back_returns(manual: ManualWindow) -> None:
    titles = list(page_titles(manual_folder()))
    manual.contents.setCurrentRow(titles.index("privacy.md"))
    assert shown(manual) == "privacy.md"
    manual.back.click()
    assert shown(manual) == "index.md"


def test_a_link_to_a_heading_scrolls_to_it(manual: ManualWindow) -> None:
    manual.page.follow(QUrl("reading.md#heatmaps"))
    assert shown(manual) == "reading.md"
    assert manual.page.verticalScrollBar().value() > 0


def test_the_search_finds_text_and_starts_over(manual: ManualWindow) -> None:
    manual.search.setText("quorum")
    manual.find_next()
    first = manual.page.textCursor().position()
    assert manual.page.textCursor().selectedText().lower() == "quorum"
    for _ in range(50):
        manual.find_next()
        if manual.page.textCursor().position() == first:
            return
    pytest.fail("the search never came back to its first find")


def test_pages_and_pictures_come_from_the_manuals_folder_only(
    manual: ManualWindow, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("# Not a page")
    kind = int(QTextDocument.ResourceType.MarkdownResource.value)
    for address in (QUrl.fromLocalFile(str(secret)), QUrl("https://example.invalid/page.md")):
        assert manual.page.loadResource(kind, address) is None


def test_a_link_to_the_outside_goes_to_the_browser_and_not_into_the_window(
    manual: ManualWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    manual.page.follow(QUrl("https://example.invalid/"))
    assert opened == [QUrl("https://example.invalid/")]
    assert shown(manual) == "index.md"


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_every_link_of_a_page_leads_to_a_page_a_picture_or_a_heading(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(\s*([^)\s]+)\s*\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.is_file(), f"{page.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {heading_anchor(heading) for heading in headings}, target
