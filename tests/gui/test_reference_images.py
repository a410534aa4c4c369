"""The main states look as they were approved, to the pixel."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.gui.reference_images import FACTS, REFERENCES, Rgb, load, qt_minor, take_pinned

# Another processor rounds a blended colour by a step or two; nobody sees that.
LEVELS = 6
PIXELS = 20
MOST_BYTES = 2_000_000

TAKEN_WITH = json.loads(FACTS.read_text())["pyside"]
same_qt = pytest.mark.skipif(
    qt_minor() != TAKEN_WITH, reason=f"needs PySide6 {TAKEN_WITH}; another test fails and says so"
)


@dataclass(frozen=True)
class Difference:
    """Two pictures of one state.

    Attributes:
        pixels: How many differ by more than ``LEVELS``.
        where: (left, top, right, bottom) around them, empty where there are none.
    """

    pixels: int
    where: tuple[int, ...] = ()


def difference(one: Rgb, other: Rgb) -> Difference:
    """Another size counts as all different."""
    if one.shape != other.shape:
        return Difference(one.shape[0] * one.shape[1], (0, 0, one.shape[1], one.shape[0]))
    apart = np.abs(one.astype(np.int16) - other).max(axis=2) > LEVELS
    rows, columns = np.nonzero(apart)
    if not len(rows):
        return Difference(0)
    box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return Difference(len(rows), tuple(map(int, box)))


def side_by_side(one: Rgb, other: Rgb, path: Path) -> None:
    """Approved, now, and what differs in red, one above the other."""
    height, width = (max(side) for side in zip(one.shape[:2], other.shape[:2], strict=True))
    padded = [np.zeros((height, width, 3), np.uint8) for _ in range(2)]
    for room, picture in zip(padded, (one, other), strict=True):
        room[: picture.shape[0], : picture.shape[1]] = picture
    apart = np.abs(padded[0].astype(np.int16) - padded[1]).max(axis=2) > LEVELS
    marked = padded[1] // 3
    marked[apart] = (255, 0, 0)
    Image.fromarray(np.concatenate([*padded, marked])).save(path)


def changed(taken: Path, names: list[str]) -> list[str]:
    """A line for each state that looks otherwise, with the picture that shows it."""
    found = []
    for name in names:
        approved, now = load(REFERENCES / f"{name}.webp"), load(taken / f"{name}.png")
        apart = difference(approved, now)
        if apart.pixels > PIXELS:
            shown = taken / f"{name}-difference.png"
            side_by_side(approved, now, shown)
            found.append(f"{name}: {apart.pixels} pixels within {apart.where}, see {shown}")
    return found


def test_the_pictures_were_taken_with_this_qt() -> None:
    assert qt_minor() == TAKEN_WITH, (
        f"The reference pictures were taken with PySide6 {TAKEN_WITH}, and here is {qt_minor()}: "
        "each minor version draws a little otherwise, so nothing was compared. Either install "
        f"'PySide6-Essentials=={TAKEN_WITH}.*', or renew them on an unchanged checkout with "
        "python -m tests.gui.reference_images, look at each and commit them."
    )


@same_qt
def test_the_main_states_look_as_approved(tmp_path: Path) -> None:
    take_pinned(tmp_path, "png")
    names = sorted(path.stem for path in REFERENCES.glob("*.webp"))
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == names
    found = changed(tmp_path, names)
    advice = "If that is meant: python -m tests.gui.reference_images, and look at the pictures."
    assert not found, "\n".join([*found, advice])


def test_the_references_are_small() -> None:
    assert sum(path.stat().st_size for path in REFERENCES.iterdir()) < MOST_BYTES


@same_qt
@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        pytest.param("theme.GAP_M += 4", id="a gap grows by 4 px"),
        pytest.param(
            "from desktop.gui.review.decision_panel import DecisionPanel as Panel\n"
            "old = Panel.__init__\n"
            "def moved(self, *words, **named):\n"
            "    old(self, *words, **named)\n"
            "    column = self.layout()\n"
            "    left, top, right, bottom = column.getContentsMargins()\n"
            "    column.setContentsMargins(left + 4, top, right - 4, bottom)\n"
            "Panel.__init__ = moved",
            id="a panel moves by 4 px",
        ),
        *(
            pytest.param(
                "import dataclasses\n"
                f"value = int(theme.DARK.{token}[1:], 16) ^ 0x101010\n"
                f"theme.DARK = dataclasses.replace(theme.DARK, {token}=f'#{{value:06X}}')",
                id=f"another {token}",
            )
            for token in ("accent", "bg", "text2", "border")
        ),
    ],
)
def test_a_small_change_is_seen(tmp_path: Path, change: str) -> None:
    take_pinned(tmp_path, "png", ("review-dark",), f"from desktop.gui.style import theme\n{change}")
    assert changed(tmp_path, ["review-dark"])
    assert (tmp_path / "review-dark-difference.png").exists()
