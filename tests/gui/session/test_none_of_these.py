"""A film that looks like none of the classes says so, and Enter does not accept its vote."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.core.batch.pipeline import label
from desktop.core.files.listing import list_folder
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import open_panel
from desktop.core.store.review_store import ReviewStore
from desktop.gui.mainwindow.main_window import MainWindow
from tests.gui.conftest import MakeWindow, press, wait_for_votes
from tests.helpers.tiny_models import write_panel


@pytest.fixture(scope="module")
def panel_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A panel that calls every film none of its classes, and always votes Normal."""
    favours = dict.fromkeys(("scnn", "ccnn", "daccnn", "resnet50"), 1)
    folder = tmp_path_factory.mktemp("panels")
    return write_panel(folder, name="tiny", favours=favours, none_limit=0.001)


@pytest.fixture
def focused(
    own_home: Path,
    panel_folder: Path,
    film_folder: Path,
    make_window: MakeWindow,
    qtbot: QtBot,
) -> MainWindow:
    """An open window with the keyboard on the image."""
    panel = open_panel(panel_folder)
    with ReviewStore.open(film_folder, panel.manifest, home=own_home) as store:
        files = [file for batch in list_folder(film_folder) for file in batch]
        cases = label(files, PanelSession(panel, "cpu"))
        store.record_results([(case.result, case.source) for case in cases])
    window = make_window()
    window.opener.open_folder(film_folder)
    wait_for_votes(qtbot, window)
    window.activateWindow()
    window.review.focus_image()
    return window


def test_enter_does_not_accept_it_and_says_why(focused: MainWindow) -> None:
    session, case = focused.controller.session, focused.controller.current
    assert session is not None
    assert case is not None
    verdict = focused.review.verdict
    assert verdict.title.text == "Normal"
    assert "accepts" not in verdict.sentence.text
    assert verdict.badges.badges[0].spec.text == "None of these"
    press(focused, "Return")
    assert not session.decision(case).reviewed
    assert focused.controller.current == case
    assert "none of the classes" in verdict.sentence.text
    # A reader's own label is taken as always.
    press(focused, "2")
    assert session.decision(case).label == "Normal"
    assert session.decision(case).label_source == "own"


def test_accepting_many_passes_over_it(focused: MainWindow) -> None:
    session = focused.controller.session
    assert session is not None
    cases = [case for case in range(len(session.table)) if session.voted(case)]
    focused.controller.decisions.accept(cases)
    assert not any(session.decision(case).reviewed for case in cases)
    assert [case for case in cases if session.consensus(case) == "Normal"] == cases
