"""The review page as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from desktop.gui.mainwindow.main_window import MainWindow
from tests.gui.conftest import PATIENCE_MS, child


def test_comparing_shows_four_maps(open_window: MainWindow) -> None:
    open_window.show_page("compare")
    assert open_window.review.comparing
    assert len(open_window.review.compare.views()) == 4
    assert open_window.review.list_panel.rail


def test_try_again_beside_a_model_that_failed_asks_the_models_once_more(
    own_open_window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = own_open_window.controller
    current, result = controller.current, controller.current_result()
    assert result is not None
    partial = replace(result, predictions=result.predictions[1:], reason="It ran out of memory.")
    monkeypatch.setattr(controller, "current_result", lambda: partial)
    controller.case_updated.emit(current)
    again = child(own_open_window.review.models.row(0), QAbstractButton, "Try again")
    assert again.isVisible()
    with qtbot.waitSignal(
        controller.run.answered,
        timeout=PATIENCE_MS,
        check_params_cb=lambda cases: current in cases,
    ):
        again.click()
