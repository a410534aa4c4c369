"""The histogram: grey values counted, and a window that follows the hand."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from desktop.core.imaging.decode import Radiograph, Window
from desktop.gui.viewer.histogram import Histogram, bar_heights


def grey_film() -> Radiograph:
    values = np.linspace(0, 4095, 128 * 128).astype(np.uint16).reshape(128, 128)
    return Radiograph(values, bits=12, windows=(Window("Full range", 0, 4095),))


@pytest.fixture
def histogram(qtbot: QtBot) -> Histogram:
    made = Histogram()
    qtbot.addWidget(made)
    made.resize(306, 96)
    made.set_film(grey_film())
    made.set_window(2000, 2000)
    made.show()
    return made


def test_bars_of_an_even_film_are_level() -> None:
    assert bar_heights(grey_film()).min() > 0.9


@pytest.mark.parametrize(
    ("start", "end", "grows"), [(3 + 73, 3 + 43, True), (3 + 219, 3 + 190, False)]
)
def test_dragging_an_edge_moves_only_that_edge(
    histogram: Histogram, qtbot: QtBot, start: int, end: int, grows: bool
) -> None:
    reported: list[tuple[float, float]] = []
    histogram.window_dragged.connect(lambda width, level: reported.append((width, level)))
    qtbot.mousePress(histogram, Qt.MouseButton.LeftButton, pos=QPoint(start, 50))
    qtbot.mouseMove(histogram, QPoint(end, 50))
    qtbot.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=QPoint(end, 50))
    width, level = reported[-1]
    assert (width > 2000) is grows
    kept = level + width / 2 if grows else level - width / 2
    assert kept == pytest.approx(3000 if grows else 1000, abs=1)


def test_arrow_keys_move_level_and_width(histogram: Histogram, qtbot: QtBot) -> None:
    reported: list[tuple[float, float]] = []
    histogram.window_dragged.connect(lambda width, level: reported.append((width, level)))
    qtbot.keyClick(histogram, Qt.Key.Key_Right)
    qtbot.keyClick(histogram, Qt.Key.Key_Up)
    assert reported[0][1] > 2000
    assert reported[1][0] > 2000
    assert "Width" in histogram.accessibleDescription()
