"""The listing of a folder in the window."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.gui.mainwindow.main_window import MainWindow
from tests.gui.conftest import draw_films, wait_for_votes


def test_films_of_every_time_are_listed_and_get_their_votes(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    years = (330, -370, 476, 0)  # 2300, 1600, 2446 and 1970
    for path, year in zip(draw_films(tmp_path / "ward", 4), years, strict=True):
        try:
            os.utime(path, ns=(0, year * 31_556_952 * 10**9 - 1))
        except (OSError, OverflowError):
            pytest.skip("this file system keeps no such time")
    window.opener.open_folder(tmp_path / "ward")
    wait_for_votes(qtbot, window)
    session = window.controller.session
    assert session is not None
    assert len(session.table) == 4
    assert all(session.voted(case) for case in range(4))
