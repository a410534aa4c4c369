"""The review page as a whole."""

from __future__ import annotations

from desktop.gui.mainwindow.main_window import MainWindow


def test_comparing_shows_four_maps(open_window: MainWindow) -> None:
    open_window.show_page("compare")
    assert open_window.review.comparing
    assert len(open_window.review.compare.views()) == 4
    assert open_window.review.list_panel.rail
