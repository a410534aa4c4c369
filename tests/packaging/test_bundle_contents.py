"""What is left out of the packages is really not needed, and what is locked is complete."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from bundle_contents import (
    EXCLUDED,
    PROJECT,
    SAMPLE_FILMS,
    canonical_name,
    distribution_closure,
    needed_binaries,
    sample_films,
)

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "packaging" / "locks"


def imported_names(folder: Path) -> set[str]:
    """Every module that code in a folder imports, ``from a import b`` as ``a`` and ``a.b``."""
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_nothing_that_the_app_imports_is_left_out_of_the_package() -> None:
    names = imported_names(ROOT / "desktop")
    lost = {
        name
        for name in names
        for left_out in EXCLUDED
        if name == left_out or name.startswith(f"{left_out}.")
    }
    assert lost == set()


def test_the_app_is_made_of_no_training_and_no_network_package() -> None:
    closure = set(distribution_closure(PROJECT, frozenset({"samples"})))
    assert {"numpy", "pydicom", "pyside6-essentials"} <= closure
    assert closure.isdisjoint({"tensorflow-cpu", "tensorflow", "keras", "requests", "httpx"})


def test_an_extra_brings_its_own_distributions() -> None:
    with_samples = set(distribution_closure(PROJECT, frozenset({"samples"})))
    assert with_samples - set(distribution_closure(PROJECT)) == {"pydicom-data"}


def test_the_packaged_films_are_the_ones_that_the_samples_ask_for() -> None:
    assert {path.name for path in sample_films()} == set(SAMPLE_FILMS)
    asked = (ROOT / "desktop" / "core" / "imaging" / "samples.py").read_text()
    assert any(name in asked for name in SAMPLE_FILMS)


def test_a_library_that_only_a_dropped_plugin_needs_is_dropped_with_it() -> None:
    entries = [
        ("PySide6/QtGui.abi3.so", "/a/QtGui.abi3.so", "EXTENSION"),
        ("PySide6/Qt/lib/libQt6Gui.so.6", "/a/libQt6Gui.so.6", "BINARY"),
        ("libicu.so.73", "/a/libicu.so.73", "BINARY"),
        ("libgtk-3.so.0", "/a/libgtk-3.so.0", "BINARY"),
        ("libpango.so.0", "/a/libpango.so.0", "BINARY"),
        ("libpython3.11.so.1.0", "/a/libpython3.11.so.1.0", "BINARY"),
    ]
    needs = {
        "/a/QtGui.abi3.so": ["libQt6Gui.so.6"],
        "/a/libQt6Gui.so.6": ["libicu.so.73"],
        "/a/libgtk-3.so.0": ["libpango.so.0"],
    }
    kept = needed_binaries(entries, lambda file: [(name, None) for name in needs.get(file, [])])
    assert [name for name, _, _ in kept] == [
        "PySide6/QtGui.abi3.so",
        "PySide6/Qt/lib/libQt6Gui.so.6",
        "libicu.so.73",
        "libpython3.11.so.1.0",
    ]


@pytest.mark.parametrize(
    ("lock", "extras"), [("app.txt", ("samples",)), ("dev.txt", ("dev", "docs", "packaging"))]
)
def test_the_lock_pins_every_direct_dependency_with_hashes_and_names_no_server(
    lock: str, extras: tuple[str, ...]
) -> None:
    text = (LOCKS / lock).read_text()
    assert "://" not in text
    pinned = {canonical_name(name) for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    direct = list(project["dependencies"])
    for extra in extras:
        direct += project["optional-dependencies"][extra]
    names = {canonical_name(re.match(r"[\w.-]+", item)[0]) for item in direct}  # type: ignore[index]
    assert names - {PROJECT} <= pinned


def test_the_bill_of_materials_lists_the_app_and_nothing_of_this_machine() -> None:
    from bill_of_materials import reduced

    raw = {
        "components": [
            {"bom-ref": "numpy==2", "name": "NumPy", "externalReferences": []},
            {
                "bom-ref": PROJECT,
                "name": "cxr_quorum",
                "externalReferences": [{"url": "file:///home/someone/cxr", "type": "vcs"}],
                "properties": [{"name": "path", "value": "/home/someone"}],
            },
            {"bom-ref": "pytest==9", "name": "pytest"},
        ],
        "dependencies": [{"ref": PROJECT, "dependsOn": ["numpy==2", "pytest==9"]},
                         {"ref": "pytest==9"}],
    }  # fmt: skip
    document = reduced(raw, 0)
    assert [component["bom-ref"] for component in document["components"]] == ["numpy==2", PROJECT]
    assert document["dependencies"] == [{"ref": PROJECT, "dependsOn": ["numpy==2"]}]
    assert "/home" not in str(document)
