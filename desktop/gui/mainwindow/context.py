"""What the actions of the window may use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QMainWindow

from desktop.gui.actions.shortcuts import Shortcuts
from desktop.gui.export.exporter import Exporter
from desktop.gui.mainwindow.case_filter import CaseFilter
from desktop.gui.mainwindow.image_tools import ImageTools
from desktop.gui.mainwindow.status_bar import StatusBar
from desktop.gui.review.page import ReviewPage
from desktop.gui.session.controller import Controller
from desktop.gui.session.decisions import DecisionController
from desktop.gui.settings.preferences import Preferences
from desktop.gui.start.opener import Opener
from desktop.gui.viewer.image_view import ImageView


@dataclass(frozen=True)
class Context:
    """Handed to ``Action.run``.

    Attributes:
        window: Parent of dialogs.
        show_page: Shows a page by its name: ``review``, ``compare``, ``batch`` or ``scorecard``.
        apply_theme: Puts ``dark``, ``light`` or ``system`` in force and remembers it.
    """

    window: QMainWindow
    controller: Controller
    preferences: Preferences
    shortcuts: Shortcuts
    review: ReviewPage
    case_filter: CaseFilter
    image_tools: ImageTools
    opener: Opener
    exporter: Exporter
    status: StatusBar
    show_page: Callable[[str], None]
    apply_theme: Callable[[str], None]

    @property
    def decisions(self) -> DecisionController:
        """Takes the reader's decisions."""
        return self.controller.decisions

    @property
    def selection(self) -> list[int]:
        """Selected cases, in list order."""
        return self.review.selection()

    @property
    def view(self) -> ImageView:
        """The image on show; views side by side share one state, so the first does for all."""
        return self.review.active_images()[0]
