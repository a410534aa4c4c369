"""The scorecard page measures the models on the labels of the reader."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.scorecard.page import closeness
from tests.gui.conftest import PATIENCE_MS


def test_the_scorecard_measures_the_models_on_the_readers_labels(
    open_window: MainWindow, qtbot: QtBot
) -> None:
    for index in (0, 1, 2, 0):
        open_window.controller.decisions.label(index)
    with qtbot.waitSignal(open_window.scoring.scorecard_counted, timeout=PATIENCE_MS):
        open_window.show_page("scorecard")
    assert "4 decided images" in open_window.scorecard.title.text


def test_models_that_are_equally_close_are_not_ranked() -> None:
    assert closeness([(0.5001, "SCNN"), (0.4999, "CCNN")]) == (
        "All models are equally close to you: 0.50."
    )
    assert closeness([(0.4, "SCNN"), (0.6, "CCNN")]) == (
        "Closest to you: CCNN, 0.60. Furthest: SCNN, 0.40."
    )
