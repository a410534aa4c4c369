"""The presets of the grey window: what the corner says of them and which one the menus tick."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from desktop.core.imaging.decoders.decoder import decode
from desktop.core.imaging.file_reader import FileBytes
from desktop.gui.images.view_types import HudText
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.viewer.image_view import ImageView
from tests.helpers.film_files import deep_film, dicom


def show_dicom(view: ImageView, **elements: object) -> None:
    content = dicom(deep_film(12), BitsStored=12, **elements)
    film = decode(FileBytes(Path("own.dcm"), content, "0" * 64))
    view.show_film(film, HudText("own.dcm"))


@pytest.mark.parametrize("function", ["", "LINEAR_EXACT", "SIGMOID"])
def test_a_files_own_window_is_said_as_the_file_says_it(qtbot: QtBot, function: str) -> None:
    view = ImageView()
    qtbot.addWidget(view)
    elements = {"WindowCenter": 2001, "WindowWidth": 1500}
    show_dicom(view, **elements, **({"VOILUTFunction": function} if function else {}))
    assert "W 1,500  L 2,001" in view.accessibleDescription()
    view.set_window(1000, 2000)
    assert "W 1,000  L 2,000" in view.accessibleDescription()


def test_it_is_said_in_the_files_unit_also_where_that_is_not_the_stored_one(qtbot: QtBot) -> None:
    view = ImageView()
    qtbot.addWidget(view)
    show_dicom(
        view,
        WindowCenter=500,
        WindowWidth=1500,
        RescaleSlope=2,
        RescaleIntercept=-1000,
        PhotometricInterpretation="MONOCHROME1",
    )
    assert "W 1,500  L 500" in view.accessibleDescription()


def ticked(actions: list[QAction]) -> list[str]:
    return [action.text().split("\t")[0] for action in actions if action.isChecked()]


def menu_bar(window: MainWindow) -> list[str]:
    window.menus["window"].aboutToShow.emit()
    actions = [window.shortcuts[f"preset_{number}"] for number in range(1, 5)]
    return ticked(actions)


def tool_bar(window: MainWindow) -> list[str]:
    window.review.tool_bar.presets_asked.emit()
    return ticked(window.review.tool_bar.preset_menu.actions())


def test_the_menus_tick_the_preset_in_force_and_none_for_a_window_of_ones_own(
    open_window: MainWindow, qtbot: QtBot
) -> None:
    view = open_window.review.image
    qtbot.waitUntil(lambda: view.film is not None)
    show_dicom(view, WindowCenter=1800, WindowWidth=900, WindowCenterWidthExplanation="SOFT & BONE")
    assert menu_bar(open_window) == tool_bar(open_window) == ["SOFT && BONE"]
    open_window.shortcuts["preset_2"].trigger()
    assert menu_bar(open_window) == tool_bar(open_window) == ["Full range"]
    open_window.shortcuts["preset_2"].trigger()
    assert menu_bar(open_window) == ["Full range"]
    view.set_window(700, 1000)
    assert menu_bar(open_window) == tool_bar(open_window) == []
    open_window.shortcuts["reset_window"].trigger()
    assert menu_bar(open_window) == tool_bar(open_window) == ["SOFT && BONE"]
