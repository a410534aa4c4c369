"""The bar with the menus."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.style import theme


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5, 2.0])
def test_the_menu_bar_is_no_higher_than_its_text_so_that_is_centred(
    window: MainWindow, scale: float
) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    try:
        theme.apply_choice(application, "dark", scale)
        bar = window.top_bar.menu_bar
        window.top_bar.layout().activate()
        words = bar.actionGeometry(bar.actions()[0])
        above = bar.y() + words.top()
        below = window.top_bar.height() - above - words.height()
        assert abs(above - below) <= 2
    finally:
        theme.apply_choice(application, "dark", 1.0)
