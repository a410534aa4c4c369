"""The manual agrees with the code, is complete, and needs no network."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import generate
import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def test_what_the_code_knows_stands_in_the_manual_as_it_is() -> None:
    assert generate.stale() == (), "run python docs/generate.py"


def test_every_page_is_in_the_navigation_and_every_entry_is_a_page() -> None:
    listed = re.findall(r"^\s+- .*: (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = {path.name for path in DOCS.glob("*.md") if not path.name.startswith("measured_")}
    assert set(listed) == pages
    assert len(listed) == len(set(listed))


def test_the_pictures_of_the_manual_stay_small() -> None:
    assert sum(path.stat().st_size for path in (DOCS / "images").iterdir()) < 3_000_000


def test_keys_named_in_the_prose_do_what_the_prose_says() -> None:
    from desktop.gui.mainwindow.menu_bar import all_actions

    keys = {action.id: action.keys for action in all_actions()}
    text = (DOCS / "first-review.md").read_text(encoding="utf-8")
    said = {
        "open_folder": "Ctrl+Shift+O", "label_folder": "Ctrl+R", "fit": "F", "reset_window": "R",
        "invert": "I", "blind_first": "B", "heatmap": "H", "next_model": "M", "next_class": "X",
        "page_compare": "Ctrl+2", "unsure": "U", "flag": "K", "undo": "Ctrl+Z",
        "next_unreviewed": "Ctrl+Shift+D", "export_csv": "Ctrl+E",
    }  # fmt: skip
    for action, key in said.items():
        assert f"`{key}`" in text
        assert key in keys[action], f"the manual says {key} for {action}"


class _Loads(HTMLParser):
    """Collects what a page loads by itself; a link that one must click is not that."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("script", "img", "iframe", "source") and values.get("src"):
            self.found.append(str(values["src"]))
        if tag == "link" and values.get("rel") not in ("canonical", "next", "prev"):
            self.found.append(str(values.get("href")))


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_loads_nothing_from_a_server(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="the extra docs is not installed")
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)],
        check=True,
        cwd=ROOT,
    )
    pages = list(site.rglob("*.html"))
    assert len(pages) >= 18
    for page in pages:
        if page.name == "404.html":  # for servers only
            continue
        loads = _Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        # A page that comes as it is, such as the report, may hold all it shows.
        assert loads.found or (DOCS / page.name).is_file(), page.name
        for address in loads.found:
            assert "//" not in address, f"{page.name} loads {address}"
            local = page.parent / address.split("?")[0].split("#")[0]
            assert local.exists(), f"{page.name} loads {address}, which is not there"
    assert (site / "search" / "search_index.js").exists()


def test_what_an_extra_brings_has_its_licence_listed() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    listed = (DOCS / "licences.md").read_text(encoding="utf-8")
    # Training, docs, packaging and dev make things; they are no part of what a user runs.
    for extra in extras.keys() - {"training", "docs", "packaging", "dev"}:
        for requirement in extras[extra]:
            name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
            assert f"| {name} |" in listed, f"{name} of the extra {extra}"
