"""Charts: the figures in words for everyone, and drawn where they belong."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from desktop.core.agreement import Estimate, ReliabilityBin
from desktop.core.pixels import Radiograph, Window
from desktop.gui.calibration_chart import CalibrationChart
from desktop.gui.confusion_chart import ConfusionChart
from desktop.gui.histogram import Histogram, bar_heights
from desktop.gui.interval_chart import IntervalChart, IntervalRow, axis_ticks
from tests.gui.samples import covid_panel

NAN = float("nan")


def test_an_interval_chart_reads_its_figures_out(qtbot: QtBot) -> None:
    chart = IntervalChart("Accuracy", "Accuracy")
    qtbot.addWidget(chart)
    chart.set_rows(
        [
            IntervalRow("ResNet50", Estimate(0.918, 0.896, 0.936, 753)),
            IntervalRow("CCNN", Estimate(NAN, NAN, NAN, 0)),
        ]
    )
    words = chart.accessibleDescription()
    assert "ResNet50: 0.918, 95 % interval 0.896 – 0.936, 753 images." in words
    assert "CCNN: –, 95 % interval –, 0 images." in words
    assert chart.grab().toImage().width() > 0


@pytest.mark.parametrize("lows", [[0.845, 0.9], [0.1], [0.999], [NAN], []])
def test_the_axis_holds_every_interval_and_ends_at_one(lows: list[float]) -> None:
    ticks = axis_ticks(lows)
    assert 2 <= len(ticks) <= 7
    assert ticks[-1] == pytest.approx(1.0)
    assert all(not low < ticks[0] for low in lows)


def test_the_confusion_matrix_reads_row_by_row(qtbot: QtBot) -> None:
    chart = ConfusionChart("Confusion matrix")
    qtbot.addWidget(chart)
    counts = np.array([[201, 6, 18], [0, 0, 0], [14, 11, 1192]])
    chart.set_matrix(covid_panel().short_names, covid_panel().slots, counts)
    assert "You Covid, the model: Covid 201, Normal 6, Viral 18." in chart.accessibleDescription()
    assert "Viral 1,192" in chart.accessibleDescription()
    assert chart.grab().toImage().height() > 0


def test_calibration_leaves_empty_bins_out_and_stays_square(qtbot: QtBot) -> None:
    chart = CalibrationChart("Calibration")
    qtbot.addWidget(chart)
    chart.resize(500, 260)
    chart.set_bins([ReliabilityBin(0.0, 0.5, 0, NAN, NAN), ReliabilityBin(0.5, 1.0, 40, 0.8, 0.75)])
    assert chart.accessibleDescription() == "Confidence 0.80: right in 0.75 of 40."
    assert chart.plot_rect().width() == chart.plot_rect().height()
    assert chart.grab().toImage().width() > 0


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
    told: list[tuple[float, float]] = []
    histogram.window_dragged.connect(lambda width, level: told.append((width, level)))
    qtbot.mousePress(histogram, Qt.MouseButton.LeftButton, pos=QPoint(start, 50))
    qtbot.mouseMove(histogram, QPoint(end, 50))
    qtbot.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=QPoint(end, 50))
    width, level = told[-1]
    assert (width > 2000) is grows
    kept = level + width / 2 if grows else level - width / 2
    assert kept == pytest.approx(3000 if grows else 1000, abs=1)


def test_arrow_keys_move_level_and_width(histogram: Histogram, qtbot: QtBot) -> None:
    told: list[tuple[float, float]] = []
    histogram.window_dragged.connect(lambda width, level: told.append((width, level)))
    qtbot.keyClick(histogram, Qt.Key.Key_Right)
    qtbot.keyClick(histogram, Qt.Key.Key_Up)
    assert told[0][1] > 2000
    assert told[1][0] > 2000
    assert "Width" in histogram.accessibleDescription()
