"""The one picture of the architecture is true: its boxes exist and its arrows are the imports."""

from __future__ import annotations

import ast
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from architecture_picture import AREAS, ARROWS, CORE, GUI, MAIN, MODELS, PACKAGES, TRAINING, draw

ROOT = Path(__file__).resolve().parents[2]
CODE_AREAS = [area.path for area in AREAS if area.path != MODELS]


def sources(area: str) -> list[Path]:
    """The files of an area."""
    place = ROOT / area
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def imported_areas(area: str) -> set[str]:
    """Other areas that an area's code imports from."""
    prefixes = {
        other: other.removesuffix(".py").replace("/", ".") for other in CODE_AREAS if other != area
    }
    found: set[str] = set()
    for path in sources(area):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                found |= {
                    other
                    for other, prefix in prefixes.items()
                    if name == prefix or name.startswith(f"{prefix}.")
                }
    return found


def test_every_box_exists_and_every_package_has_its_line_in_the_table() -> None:
    for area in AREAS:
        assert (ROOT / area.path).exists(), area.path
    real = {
        path.parent.relative_to(ROOT).as_posix()
        for top in ("desktop", "training")
        for path in (ROOT / top).rglob("__init__.py")
        if any(one.stem != "__init__" for one in path.parent.glob("*.py"))
    }
    assert set(PACKAGES) == real - {"desktop"}


def test_the_layers_of_the_three_large_boxes_are_the_ones_that_are_checked() -> None:
    for path in (CORE, GUI, TRAINING):
        (area,) = (area for area in AREAS if area.path == path)
        drawn = {name for row in area.layers for name in row}
        real = {one.stem for one in (ROOT / path).iterdir() if one.suffix == ".py"}
        real |= {one.parent.name for one in (ROOT / path).glob("*/__init__.py")}
        assert drawn == real - {"__init__"}


def test_solid_arrows_are_exactly_the_imports_between_the_areas() -> None:
    drawn = {(arrow.source, arrow.target) for arrow in ARROWS if not arrow.files}
    real = {(area, other) for area in CODE_AREAS for other in imported_areas(area)}
    # The core imports only itself; the way from the program to the core goes through its parts.
    assert drawn == real - {(MAIN, CORE)}


def test_dashed_arrows_are_files_that_one_part_writes_and_the_other_reads() -> None:
    dashed = {(arrow.source, arrow.target) for arrow in ARROWS if arrow.files}
    assert dashed == {(TRAINING, MODELS), (MODELS, CORE)}
    assert any(MODELS in path.read_text(encoding="utf-8") for path in sources(CORE))
    assert any("MANIFEST_NAME" in path.read_text(encoding="utf-8") for path in sources(TRAINING))


def test_the_picture_is_valid_and_nothing_leaves_its_frame() -> None:
    root = ElementTree.fromstring(draw())
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        right = float(box.get("x", 0)) + float(box.get("width", 0))
        bottom = float(box.get("y", 0)) + float(box.get("height", 0))
        assert right <= width
        assert bottom <= height
