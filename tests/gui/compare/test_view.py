"""Four models side by side: linked, outlined, compared."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from pytestqt.qtbot import QtBot

from desktop.core.imaging.decode import Radiograph
from desktop.gui.compare.view import ComparePanel, CompareView
from desktop.gui.images.view_types import HeatStyle, HudText
from desktop.gui.presenters.maps import difference_maps, overlap_of, overlap_sentence
from tests.gui.sample_values import cam, covid_panel, result

HUD = HudText("00417.dcm", "1 of 1")


@pytest.fixture
def grid(qtbot: QtBot) -> CompareView:
    made = CompareView(covid_panel())
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    qtbot.waitExposed(made)
    made.show_film(Radiograph(np.full((300, 250), 120, np.uint8)), HUD)
    made.show_result(result("tie"))
    return made


def test_every_model_says_its_answer(grid: CompareView) -> None:
    assert [cell.header.accessibleName() for cell in grid.cells] == [
        "SCNN says Covid 0.71",
        "CCNN says Viral Pneumonia 0.61",
        "DACCNN says Viral Pneumonia 0.59",
        "ResNet50 says Covid 0.82",
    ]
    assert "at the border" in grid.cells[2].header.accessibleDescription()


def test_zoom_window_and_orientation_are_linked(grid: CompareView) -> None:
    first, *others = grid.views()
    first.zoom_by(2.5, QPointF(60, 80))
    first.set_window(90, 100)
    first.rotate_right()
    for view in others:
        assert view.effective_zoom() == pytest.approx(first.effective_zoom())
        assert view.grey_window() == (90, 100)
        there, here = (each.film_position(QPointF(200, 150)) for each in (view, first))
        assert there is not None
        assert here is not None
        # Cells may differ by a pixel in height.
        assert (there.x(), there.y()) == pytest.approx((here.x(), here.y()), abs=0.5)


def test_unlinked_cells_go_their_own_way_and_linking_takes_the_chosen_one(
    grid: CompareView, qtbot: QtBot
) -> None:
    first, second, *_ = grid.views()
    qtbot.mouseClick(grid.linked, Qt.MouseButton.LeftButton)
    first.zoom_by(3)
    assert second.effective_zoom() != pytest.approx(first.effective_zoom())
    grid.select(0)
    qtbot.mouseClick(grid.linked, Qt.MouseButton.LeftButton)
    assert second.effective_zoom() == pytest.approx(first.effective_zoom())


def test_the_readout_gives_window_and_zoom_as_drawn(grid: CompareView) -> None:
    grid.resize(700, 500)
    view = grid.views()[0]
    view.set_window(80, 90)
    view.one_to_one()
    assert grid.readout.text == "W 80  L 90   Zoom 100 %"
    view.fit()
    assert f"Zoom {view.effective_zoom() * 100:,.0f} %" in grid.readout.text


def test_consensus_and_difference_change_the_picture(grid: CompareView, qtbot: QtBot) -> None:
    pictures = [grid.cells[1].view.grab().toImage()]
    for button in (grid.consensus, grid.difference):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        pictures.append(grid.cells[1].view.grab().toImage())
    assert pictures[0] != pictures[1]
    assert pictures[1] != pictures[2]


def test_the_class_switch_emits_and_shows_the_maps_of_one_class(
    grid: CompareView, qtbot: QtBot
) -> None:
    before = grid.cells[0].view.grab().toImage()
    with qtbot.waitSignal(grid.class_chosen) as reported:
        for _ in range(3):
            qtbot.keyClick(grid.classes, Qt.Key.Key_Right)
    assert reported.args == [0]
    assert grid.map_class == 2
    assert grid.cells[0].view.grab().toImage() != before


def test_pressing_a_cell_chooses_its_model(grid: CompareView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(grid.model_chosen) as reported:
        qtbot.mouseClick(grid.cells[3].view, Qt.MouseButton.LeftButton)
    assert reported.args == [3]


def test_blind_shows_films_without_answers_or_maps(grid: CompareView) -> None:
    grid.show_result(result("tie"), blind=True)
    first = grid.cells[0].view.grab().toImage()
    for cell in grid.cells:
        assert "Hidden" in cell.header.accessibleName()
        assert "Covid" not in cell.header.accessibleName()
    grid.show_result(result("agree"), blind=True)
    assert grid.cells[0].view.grab().toImage() == first


def test_maps_stay_visible_on_this_page(grid: CompareView) -> None:
    before = grid.cells[3].view.grab().toImage()
    grid.set_style(HeatStyle(visible=False))
    assert grid.cells[3].view.grab().toImage() == before
    grid.set_bare(True)
    assert grid.cells[3].view.grab().toImage() != before


def test_the_panel_shows_the_overlap_and_says_what_it_means(qtbot: QtBot) -> None:
    side = ComparePanel(covid_panel())
    qtbot.addWidget(side)
    side.show_result(result("tie"), map_class=0)
    assert "SCNN: " in side.matrix.accessibleDescription()
    assert side.overlap_text.text() == ("SCNN and ResNet50 look at the same places. CCNN does not.")
    side.show_result(result("tie"), blind=True, map_class=0)
    assert side.overlap_text.text() == ""
    assert "0." not in side.matrix.accessibleDescription()


def test_a_difference_is_where_one_looks_and_the_others_do_not() -> None:
    lonely, shared = cam(1.0, 0.0), cam(0.0, 1.0)
    first, second, third = difference_maps([lonely, shared, shared])
    assert first is not None
    assert second is not None
    assert first.max() > 0.9
    assert float(first[:, 60:].max()) < 1e-5
    assert 0.4 < float(second.max()) < 0.6
    assert np.array_equal(second, third)


def test_a_model_without_a_map_is_left_out() -> None:
    assert difference_maps([cam(), None]) == [None, None]
    matrix = overlap_of([cam(), None, cam()])
    assert matrix[0, 2] == 1.0
    assert np.isnan(matrix[1]).all()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.9, "All models look at the same places."),
        (0.5, "The models look at partly the same places."),
        (0.1, "No two models look at the same places."),
    ],
)
def test_the_overlap_sentence_says_no_more_than_the_figures(value: float, words: str) -> None:
    matrix = np.full((3, 3), value)
    np.fill_diagonal(matrix, 1.0)
    assert overlap_sentence(matrix, ["A", "B", "C"]) == words
