"""A reader with quick fingers in the real window, who says aloud what the screen shows.

A program of its own, so that a test can kill it:
``python -m tests.e2e.quick_reader FOLDER PANEL SEED [--late MS] [--clock-back-after PRESSES]``.

The window is `desktop.gui.app.run` as the user starts it; only the fingers are added. Each line on
standard output is one JSON object, written before the next key is pressed:

``{"opened": {image: [revision, words]}}``: what stands in the list once the folder is open.
``{"pressing": key}``: a key is about to be pressed.
``{"shown": {image: [revision, words]}}``: what that key changed in the list.
``{"told": sentence}``: a sentence in the status bar.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import random
import sys
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.core.review.decisions import Step
from desktop.core.store.decision_log import AppliedStep
from desktop.core.store.review_store import ReviewStore
from desktop.gui import app
from desktop.gui.mainwindow.main_window import MainWindow
from desktop.gui.presenters.case_row import RowView
from desktop.gui.session import decisions as review_actions
from desktop.gui.session.case_list_model import ROW_VIEW_ROLE

KEYS = (
    *("1", "2", "3") * 4,
    *("K", "U", "D", "A", "Return", "Backspace"),
    *("Ctrl+Z", "Ctrl+Z", "Ctrl+Y"),
)
_MODIFIERS = {"Ctrl": Qt.KeyboardModifier.ControlModifier}
Shown = dict[str, list[object]]


def say(**words: object) -> None:
    """One line, in the pipe before this returns: a kill afterwards cannot take it back."""
    os.write(1, json.dumps(words).encode() + b"\n")


class QuickReader(QObject):
    """Presses a random key every few milliseconds."""

    def __init__(self, seed: int, clock_back_after: int | None) -> None:
        super().__init__()
        self._chance = random.Random(seed)
        self._clock_back_after = clock_back_after
        self._presses = 0
        self._shown: Shown = {}
        self._told = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._begin)
        self._timer.start(1)

    def _begin(self) -> None:
        """Wait for the folder, tell what stands there, then press."""
        window = self._window()
        session = window.controller.session if window is not None else None
        if session is None or not session.scanned or window.controller.current is None:
            self._timer.start(5)
            return
        self._hear(window)
        self._shown = self._on_screen(window)
        say(opened=self._shown)
        self._timer.timeout.disconnect(self._begin)
        self._timer.timeout.connect(self._press)
        self._timer.start(1)

    def _press(self) -> None:
        window = self._window()
        assert window is not None
        if self._presses == self._clock_back_after:
            review_actions.datetime = _EarlierClock  # type: ignore[attr-defined]
        self._presses += 1
        words = self._chance.choice(KEYS)
        say(pressing=words)
        *modifiers, name = words.split("+")
        held = _MODIFIERS[modifiers[0]] if modifiers else Qt.KeyboardModifier.NoModifier
        QTest.keyClick(window, getattr(Qt.Key, f"Key_{name}"), held)
        now = self._on_screen(window)
        say(shown={image: row for image, row in now.items() if self._shown.get(image) != row})
        self._shown = now
        self._hear(window)
        self._timer.start(self._chance.randrange(1, 30))

    def _hear(self, window: MainWindow) -> None:
        told = window.status.notice
        if told and told != self._told:
            say(told=told)
        self._told = told

    @staticmethod
    def _window() -> MainWindow | None:
        found = [one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow)]
        return found[0] if found else None

    @staticmethod
    def _on_screen(window: MainWindow) -> Shown:
        """Decision of each row that has or had one: its revision, and its words in the list."""
        model, session = window.controller.list.model, window.controller.session
        assert session is not None
        found: Shown = {}
        for place in range(model.rowCount()):
            index = model.index(place, 0)
            case = model.case_at(place)
            row: RowView = model.data(index, ROW_VIEW_ROLE)
            decision = session.decision(case)
            if decision.revision:
                own = [word for word in row.spoken.split(", ") if word.startswith("you: ")]
                words = " ".join([*own, "flagged"] if decision.flagged else own)
                found[row.name] = [decision.revision, words]
        return found


class _EarlierClock:
    """`datetime` for a window whose clock was put back by a year."""

    UTC = datetime.UTC

    class datetime:  # noqa: N801 - as in the module that it stands for
        @staticmethod
        def now(zone: datetime.tzinfo) -> datetime.datetime:
            return datetime.datetime.now(zone) - datetime.timedelta(days=400)


def save_late(milliseconds: int) -> None:
    """Make the store as bad as one that saves in the background; the test must notice."""
    apply = ReviewStore.apply
    waiting: list[QTimer] = []

    def late(store: ReviewStore, step: Step) -> AppliedStep:
        revision = store.revision() + 1 + len(waiting)
        timer = QTimer()
        timer.setSingleShot(True)
        timer.timeout.connect(lambda: apply(store, step))
        timer.start(milliseconds)
        waiting.append(timer)
        after = {
            change.image: dataclasses.replace(change.after, revision=revision)
            for change in step.changes
        }
        return AppliedStep(step.kind, step.value, after, (), revision, revision)

    ReviewStore.apply = late  # type: ignore[method-assign]


def main() -> int:
    """Open the folder and press until somebody ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("panel", type=Path)
    parser.add_argument("seed", type=int)
    parser.add_argument("--late", type=int, default=0)
    parser.add_argument("--clock-back-after", type=int, default=None)
    options = parser.parse_args()
    if options.late:
        save_late(options.late)
    app.make_application()
    reader = QuickReader(options.seed, options.clock_back_after)
    code = app.run(["--panel", str(options.panel), str(options.folder)])
    del reader
    return code


if __name__ == "__main__":
    sys.exit(main())
