"""Every state of every widget: drawn without a warning, named for screen readers, nothing cut."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.gui.review.decision_panel import DecisionPanel
from desktop.gui.review.heatmap_controls import HeatmapControls
from desktop.gui.review.model_list import ModelRows
from desktop.gui.review.verdict_panel import VerdictPanel
from desktop.gui.style import theme
from desktop.gui.style.paint import text_width
from desktop.gui.widgets.label import ElidedLabel
from tests.gui.gallery import PAGES
from tests.gui.sample_values import KEYS, covid_panel, result


@pytest.mark.parametrize("tokens", [theme.DARK, theme.LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_page_draws_and_every_control_has_a_name(
    qtbot: QtBot, qapp: QApplication, name: str, tokens: theme.Tokens
) -> None:
    theme.apply_theme(qapp, tokens)
    try:
        page = PAGES[name]()
        qtbot.addWidget(page)
        page.show()
        assert not page.grab().toImage().isNull()
        focusable = [
            child
            for child in [page, *page.findChildren(QWidget)]
            if child.focusPolicy() != Qt.FocusPolicy.NoFocus and child.isVisibleTo(page)
        ]
        nameless = [type(child).__name__ for child in focusable if not child.accessibleName()]
        assert nameless == []
    finally:
        theme.apply_theme(qapp, theme.DARK)


@pytest.mark.parametrize("width", [328, 344])
@pytest.mark.parametrize("kind", ["tie", "agree", "dissent"])
def test_no_word_of_the_right_panel_is_cut(qtbot: QtBot, width: int, kind: str) -> None:
    panel = covid_panel()
    verdict, rows = VerdictPanel(panel), ModelRows(panel)
    heat, decide = HeatmapControls(panel), DecisionPanel(panel)
    verdict.set_keys("Enter", ["1", "2", "3"])
    decide.set_keys(KEYS)
    verdict.show_case(result(kind))
    rows.show_predictions(result(kind).predictions)
    roles = {"verdict": (20, 600), "secondary": (12, 400)}
    for made in (verdict, rows, heat, decide):
        qtbot.addWidget(made)
        made.resize(width, made.sizeHint().height())
        made.show()
        for line in made.findChildren(ElidedLabel):
            if line.isVisibleTo(made):
                needed = text_width(theme.font(*roles[line.role]), line.text)
                assert needed <= line.width() + 0.5, line.text
