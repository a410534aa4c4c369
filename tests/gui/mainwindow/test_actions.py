"""Every default key of the actions, pressed on the real window: it fires and it works.

A new action with a key must say here what the key does, or a test fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.imaging.decode import decode
from desktop.core.imaging.file_reader import FileBytes
from desktop.gui.actions.action import Needs
from desktop.gui.help.manual_window import ManualWindow
from desktop.gui.images.view_types import HudText, Tool
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.mainwindow.menu_bar import all_actions
from desktop.gui.settings.dialog import SettingsDialog
from desktop.gui.settings.shortcuts_dialog import ShortcutsDialog
from desktop.gui.viewer.image_view import ImageView
from tests.gui.conftest import PATIENCE_MS, press
from tests.helpers.film_files import deep_film, dicom

KEYS = {action.id: action.keys for action in all_actions()}
BOUND = [name for name, keys in KEYS.items() if keys]
SINGLE_KEYS = [
    key
    for keys in KEYS.values()
    for key in keys
    if not QKeySequence(key)[0].keyboardModifiers()
    & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    and not Qt.Key.Key_F1 <= QKeySequence(key)[0].key() <= Qt.Key.Key_F35
]
# Classes that a panel of three does not have.
WITHOUT_CLASS = [f"label_{number}" for number in range(4, 10)]
MIDDLE = 5  # Row from which one can go both ways.

TRIED = [
    (name, key) for name in BOUND if name not in ("quit", *WITHOUT_CLASS) for key in KEYS[name]
]

Proof = Callable[[], bool]
Expectation = Callable[[MainWindow], Proof]


def decision_of(window: MainWindow, case: int):  # type: ignore[no-untyped-def]
    assert window.controller.session is not None
    return window.controller.session.decision(case)


def turned(value: Callable[[], object]) -> Proof:
    """True once a value is another one than it is now."""
    before = value()
    return lambda: value() != before


def a_dialog(kind: type[QWidget], title: str = "") -> Expectation:
    """A dialog comes up; it is closed again, whether it holds the event loop or not."""

    def expect(_window: MainWindow) -> Proof:
        seen: list[QWidget] = []
        watch = QTimer(_window)
        watch.setInterval(10)

        def look() -> None:
            found = QApplication.activeModalWidget()
            if isinstance(found, QDialog):
                seen.append(found)
                watch.stop()
                assert title in found.windowTitle()
                found.reject()

        watch.timeout.connect(look)
        watch.start()
        return lambda: bool(seen) and isinstance(seen[0], kind)

    return expect


def labels(index: int) -> Expectation:
    def expect(window: MainWindow) -> Proof:
        assert window.controller.session is not None
        names = window.controller.session.panel.class_names
        return lambda: (
            decision_of(window, MIDDLE).label == names[index]
            and window.controller.current != MIDDLE
        )

    return expect


def accepts(window: MainWindow) -> Proof:
    session = window.controller.session
    assert session is not None
    case = next(
        case
        for case in range(len(session.table))
        if session.consensus(case) and session.voted(case)
    )
    window.controller.show_case(case)
    return lambda: decision_of(window, case).label_source == "consensus"


def undoes(window: MainWindow) -> Proof:
    window.controller.decisions.label(0)
    return lambda: decision_of(window, MIDDLE).state == "open"


def redoes(window: MainWindow) -> Proof:
    window.controller.decisions.label(0)
    window.controller.decisions.undo()
    return lambda: decision_of(window, MIDDLE).reviewed


def clears(window: MainWindow) -> Proof:
    window.controller.decisions.label(0)
    window.controller.show_case(MIDDLE)
    return lambda: decision_of(window, MIDDLE).state == "open"


def shows(step: int | str) -> Expectation:
    def expect(window: MainWindow) -> Proof:
        shown = window.controller.list.shown
        goal = {"first": shown[0], "last": shown[-1]}.get(
            str(step), shown[MIDDLE + step] if isinstance(step, int) else -1
        )
        return lambda: window.controller.current == goal

    return expect


def next_open(step: int) -> Expectation:
    def expect(window: MainWindow) -> Proof:
        for case in (MIDDLE + step, MIDDLE + 2 * step):
            window.controller.show_case(case)
            window.controller.decisions.mark_unsure()
        window.controller.show_case(MIDDLE)
        goal = window.controller.list.unreviewed_from(MIDDLE, step)
        assert goal not in (None, MIDDLE, MIDDLE + step, MIDDLE + 2 * step)
        return lambda: window.controller.current == goal

    return expect


def page(name: str) -> Expectation:
    def expect(window: MainWindow) -> Proof:
        window.show_page("batch" if name != "batch" else "review")
        return lambda: window.page == name

    return expect


def turns(value: Callable[[ImageView], object]) -> Expectation:
    """A fact about the film on show changes."""
    return lambda window: turned(lambda: value(window.review.image))


def zooms(window: MainWindow) -> Proof:
    window.review.image.zoom_by(3.3)
    return turned(window.review.image.effective_zoom)


def window_resets(window: MainWindow) -> Proof:
    image = window.review.image
    before = image.grey_window()
    image.set_window(before[0] / 3, before[1])
    return lambda: image.grey_window() == before


def preset(number: int) -> Expectation:
    def expect(window: MainWindow) -> Proof:
        image = window.review.image
        # Of all films only DICOM has a window of its own beside the three counted ones.
        values = deep_film()
        own = {"BitsStored": 12, "WindowCenter": 1800, "WindowWidth": 900}
        film = decode(FileBytes(Path("own.dcm"), dicom(values, **own), "0" * 64))
        image.show_film(film, HudText("own.dcm"))
        image.set_window(1.0, 2.0)
        wanted = image.presets()[number - 1]
        return lambda: image.grey_window() == (wanted.width, wanted.level)

    return expect


def rescans(window: MainWindow) -> Proof:
    finished: list[bool] = []
    window.controller.scan_finished.connect(lambda: finished.append(True))
    return lambda: bool(finished)


def measures(window: MainWindow) -> Proof:
    return lambda: window.review.image.tool is Tool.MEASURE


def labels_the_rest(window: MainWindow) -> Proof:
    window.controller.run.ask_again(list(range(13)))
    window.controller.run.stop()
    assert window.controller.run.progress.state == "stopped"
    return lambda: window.controller.run.progress.state != "stopped"


def pauses(window: MainWindow) -> Proof:
    # Something to run: the answers of all images are asked for once more.
    window.controller.run.ask_again(list(range(13)))
    return lambda: window.controller.run.progress.state == "paused"


def manual_opens(window: MainWindow) -> Proof:
    def there() -> bool:
        found = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
        manuals = [widget for widget in found if isinstance(widget, ManualWindow)]
        for manual in manuals:
            manual.close()
        return bool(manuals)

    return there


EXPECTATIONS: dict[str, Expectation] = {
    "open_folder": a_dialog(QDialog, "Open a folder"),
    "open_files": a_dialog(QDialog, "Open chest"),
    "rescan": rescans,
    "export_csv": a_dialog(QDialog, "Export CSV"),
    "export_view": a_dialog(QDialog, "Save this view"),
    "close_folder": lambda window: lambda: window.controller.session is None,
    "settings": a_dialog(SettingsDialog),
    "undo": undoes,
    "redo": redoes,
    "find": lambda window: lambda: window.review.list_panel.search.hasFocus(),
    "select_all": lambda window: lambda: len(window.review.selection()) == 13,
    "clear_filters": lambda window: (
        window.case_filter.apply("is:failed"),
        lambda: window.controller.list.query == "",
    )[1],
    **{f"label_{number}": labels(number - 1) for number in range(1, 4)},
    "accept": accepts,
    "unsure": lambda window: lambda: decision_of(window, MIDDLE).state == "unsure",
    "flag": lambda window: lambda: decision_of(window, MIDDLE).flagged,
    "comment": lambda window: lambda: window.review.decision.comment.hasFocus(),
    "clear_decision": clears,
    "next": shows(1),
    "previous": shows(-1),
    "next_unreviewed": next_open(1),
    "previous_unreviewed": next_open(-1),
    "first": shows("first"),
    "last": shows("last"),
    **{f"page_{name}": page(name) for name in ("review", "compare", "batch", "scorecard")},
    "heatmap": lambda window: turned(lambda: window.controller.choices.style.visible),
    "contour": lambda window: turned(lambda: window.controller.choices.style.contour),
    "next_model": lambda window: turned(lambda: window.controller.choices.model),
    "next_class": lambda window: turned(lambda: window.controller.choices.map_class),
    "invert": turns(lambda view: view.state.inverted),
    "rotate": turns(lambda view: view.state.orientation),
    "flip": turns(lambda view: view.state.orientation),
    "fit": zooms,
    "actual_size": zooms,
    "zoom_in": zooms,
    "zoom_out": zooms,
    "reset_window": window_resets,
    **{f"preset_{number}": preset(number) for number in range(1, 5)},
    "keep_view": lambda window: turned(lambda: window.preferences.settings.keep_zoom),
    "measure": measures,
    "facts": lambda window: (
        window.resize(1440, 900),
        turned(window.review.list_panel.facts.isVisible),
    )[1],
    "full_screen": lambda window: window.isFullScreen,
    "blind_first": lambda window: turned(lambda: window.controller.blind),
    "label_folder": labels_the_rest,
    "pause_run": pauses,
    "manual": manual_opens,
    "shortcuts": a_dialog(ShortcutsDialog),
}


@pytest.fixture
def ready(open_window: MainWindow, qtbot: QtBot) -> Iterator[MainWindow]:
    """The open_window at a film in the middle of the list, with the keyboard on the image."""
    open_window.case_filter.apply("", "")
    open_window.controller.show_case(MIDDLE)
    qtbot.waitUntil(lambda: open_window.review.image.film is not None, timeout=PATIENCE_MS)
    open_window.activateWindow()
    open_window.review.focus_image()
    qtbot.waitUntil(open_window.review.image.hasFocus, timeout=PATIENCE_MS)
    yield open_window
    open_window.showNormal()
    open_window.review.image.set_inverted(False)


@pytest.mark.parametrize(("name", "key"), TRIED)
def test_every_key_fires_its_command_and_the_command_works(
    ready: MainWindow, qtbot: QtBot, name: str, key: str
) -> None:
    proof = EXPECTATIONS[name](ready)
    fired: list[str] = []
    ready.shortcuts[name].triggered.connect(lambda: fired.append(name))
    press(ready, key)
    assert fired == [name]
    qtbot.waitUntil(proof, timeout=PATIENCE_MS)


def test_every_command_with_a_key_is_tried_here() -> None:
    assert set(EXPECTATIONS) | {"quit", *WITHOUT_CLASS} == set(BOUND)


def fired_by(window: MainWindow, keys: list[str]) -> list[str]:
    """Names of the commands that pressing these keys one after the other sets off."""
    fired: list[str] = []
    connections = [
        action.triggered.connect(lambda _checked=False, name=name: fired.append(name))
        for name, action in window.shortcuts.actions.items()
    ]
    for key in keys:
        press(window, key)
    for action, connection in zip(window.shortcuts.actions.values(), connections, strict=True):
        action.triggered.disconnect(connection)
    return fired


def test_the_key_of_a_class_that_the_panel_lacks_does_nothing(ready: MainWindow) -> None:
    assert fired_by(ready, [KEYS[name][0] for name in WITHOUT_CLASS]) == []
    assert ready.controller.current == MIDDLE


@pytest.mark.parametrize("entry", ["search", "comment"])
def test_no_letter_or_digit_fires_while_somebody_types(
    ready: MainWindow, qtbot: QtBot, entry: str
) -> None:
    open_window = ready.review
    field = open_window.list_panel.search if entry == "search" else open_window.decision.comment
    # These lead out of the field, which its own tests look at.
    keys = [key for key in SINGLE_KEYS if key not in ("Return", "Enter", "Down")]
    field.setFocus()
    qtbot.waitUntil(field.hasFocus, timeout=PATIENCE_MS)
    assert fired_by(ready, keys) == []
    assert "1" in field.text()
    assert "k" in field.text().lower()


@pytest.mark.parametrize("page_name", ["batch", "scorecard"])
def test_a_film_that_is_not_on_the_screen_is_not_decided(
    ready: MainWindow, qtbot: QtBot, page_name: str
) -> None:
    ready.show_page(page_name)
    page = ready.batch if page_name == "batch" else ready.scorecard
    page.setFocus()
    qtbot.waitUntil(page.hasFocus, timeout=PATIENCE_MS)
    keys = [key for action in all_actions() if action.needs is Needs.FILM for key in action.keys]
    assert fired_by(ready, keys) == []
    assert decision_of(ready, MIDDLE).state == "open"
    assert ready.controller.current == MIDDLE
    ready.show_page("review")
    ready.review.focus_image()
    assert fired_by(ready, ["U"]) == ["unsure"]


def test_enter_in_the_list_of_failures_shows_the_file(ready: MainWindow, qtbot: QtBot) -> None:
    ready.show_page("batch")
    table = ready.batch.failures
    table.setFocus()
    qtbot.waitUntil(table.hasFocus, timeout=PATIENCE_MS)
    table.selectRow(0)
    press(ready, "Return")
    assert ready.page == "review"
    assert ready.controller.session is not None
    assert ready.controller.session.image(ready.controller.current) == "film_07_broken.png"


def test_undo_leads_from_another_page_to_the_film(ready: MainWindow) -> None:
    ready.controller.decisions.label(0)
    ready.show_page("batch")
    assert fired_by(ready, ["Ctrl+Z"]) == ["undo"]
    assert ready.page == "review"
    assert ready.controller.current == MIDDLE
