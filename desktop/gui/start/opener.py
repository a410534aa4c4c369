"""Opens folders, files, samples and panels, and knows which panel votes."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.core.errors import CxrError
from desktop.core.files.listing import IMAGE_EXTENSIONS
from desktop.core.imaging.samples import write_samples
from desktop.core.panels.registry import Panel, RefusedPanel, open_panel, survey_panels
from desktop.core.system.app_dirs import data_home
from desktop.core.system.cancel_token import CancelToken
from desktop.gui.panel_info import PanelInfo, make_panel_facts, panel_facts
from desktop.gui.session.background_job import Background
from desktop.gui.session.controller import Controller
from desktop.gui.settings.preferences import Preferences

_FALLBACK_CLASSES = ("Covid", "Normal", "Viral Pneumonia")
_FALLBACK_MODELS = (
    ("scnn", "SCNN"),
    ("ccnn", "CCNN"),
    ("daccnn", "DACCNN"),
    ("resnet50", "ResNet50"),
)


class Opener(QObject):
    """Opens folders and panels.

    Signals:
        panels_changed(): Other panels are installed, or another one is chosen.
        recent_changed(): The list of recent folders changed.
        notice_raised(str): A sentence for the reader.
        remark_made(str): One that stays until the next.
    """

    panels_changed = Signal()
    recent_changed = Signal()
    notice_raised = Signal(str)
    remark_made = Signal(str)

    def __init__(
        self,
        window: QWidget,
        controller: Controller,
        preferences: Preferences,
        panel_folders: tuple[Path, ...],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._controller = controller
        self._preferences = preferences
        self._extra = panel_folders
        self.panels: tuple[Panel, ...] = ()
        self.refused: tuple[RefusedPanel, ...] = ()
        self.chosen = ""
        self._background = Background(self)
        self._background.done.connect(lambda _key, folder: self._show_samples(folder))
        self._background.failed.connect(lambda _key, why: self.notice_raised.emit(str(why)))
        self.survey()

    def survey(self) -> None:
        """Find the installed panels."""
        folders = [*self._extra, *(Path(text) for text in self._preferences.settings.panel_folders)]
        self.panels, self.refused = survey_panels(folders)
        names = [panel.name for panel in self.panels]
        wanted = self._preferences.settings.panel
        self.chosen = wanted if wanted in names else names[0] if names else ""
        self.panels_changed.emit()

    @property
    def panel(self) -> Panel | None:
        """The chosen panel, None where none is installed."""
        return next((panel for panel in self.panels if panel.name == self.chosen), None)

    @property
    def facts(self) -> PanelInfo:
        """The chosen panel for people; the classes of the first panel where none is installed."""
        panel = self.panel
        if panel is not None:
            return panel_facts(panel.name, panel.title, [model.card for model in panel.models])
        models = [(name, title, {}, "") for name, title in _FALLBACK_MODELS]
        return make_panel_facts("covid19", "", _FALLBACK_CLASSES, models)

    def choose_panel(self, name: str) -> None:
        """Use another panel; the open folder is opened again with it."""
        if name == self.chosen or name not in [panel.name for panel in self.panels]:
            return
        self.chosen = name
        self._preferences.change(panel=name)
        session = self._controller.session
        self.panels_changed.emit()
        if session is not None:
            self._open(session.root, session.picked)

    def add_panel_folder(self) -> None:
        """Ask for a folder with a panel of one's own."""
        chosen = QFileDialog.getExistingDirectory(
            self._window, self.tr("Add a panel folder"), str(Path.home())
        )
        if chosen:
            self.add_panel(Path(chosen))

    def add_panel(self, folder: Path) -> None:
        """Add a panel folder once its checksums are verified."""
        try:
            panel = open_panel(folder)
        except CxrError as problem:
            self.notice_raised.emit(str(problem))
            return
        self._preferences.add_panel_folder(str(folder))
        self.survey()
        self.choose_panel(panel.name)

    def ask_folder(self) -> None:
        """The folder dialog."""
        chosen = QFileDialog.getExistingDirectory(
            self._window, self.tr("Open a folder of chest X-rays"), self._start_folder()
        )
        if chosen:
            self.open_folder(Path(chosen))

    def ask_files(self) -> None:
        """The file dialog."""
        patterns = " ".join(f"*{extension}" for extension in sorted(IMAGE_EXTENSIONS))
        filters = self.tr("Radiographs ({patterns})").format(patterns=patterns)
        chosen, _ = QFileDialog.getOpenFileNames(
            self._window,
            self.tr("Open chest X-rays"),
            self._start_folder(),
            f"{filters};;{self.tr('All files (*)')}",
        )
        if chosen:
            self.open_paths([Path(path) for path in chosen])

    def open_samples(self) -> None:
        """Draw phantoms and find real sample films, then open them."""
        folder = data_home() / "samples"

        def write(token: CancelToken) -> Path:
            write_samples(folder, token)
            return folder

        self.notice_raised.emit(self.tr("Drawing the samples."))
        self._background.start("samples", write)

    def close(self) -> None:
        """Stop writing samples."""
        self._background.close()

    def _show_samples(self, folder: Path) -> None:
        self.open_folder(folder)
        self.remark_made.emit(
            self.tr("Samples: drawings, and one public film. Votes on drawings mean nothing.")
        )

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open what was dropped or named: one folder, or files and folders mixed."""
        paths = [path.expanduser().absolute() for path in paths]
        missing = [path for path in paths if not path.exists()]
        if missing:
            self.notice_raised.emit(
                self.tr("{path} does not exist. Check the path.").format(path=missing[0])
            )
            return
        if len(paths) == 1 and paths[0].is_dir():
            self.open_folder(paths[0])
            return
        files = [path for path in paths if path.is_file()]
        if not files:
            self.open_folder(Path(os.path.commonpath(paths)))
            return
        if len(files) < len(paths):
            self.notice_raised.emit(
                self.tr("Files and folders were dropped together; only the files were opened.")
            )
        self._open(Path(os.path.commonpath([file.parent for file in files])), files)

    def open_folder(self, folder: Path) -> None:
        """Open a folder."""
        self._open(folder.expanduser().absolute(), ())

    def _open(self, root: Path, files: Sequence[Path]) -> None:
        panel = self.panel
        if panel is None:
            self.notice_raised.emit(
                self.tr(
                    "No panel of models is installed, so nothing can vote. "
                    "Add a panel folder in the Models menu."
                )
            )
            return
        if not root.is_dir():
            self._preferences.forget_recent(str(root))
            self.recent_changed.emit()
            self.notice_raised.emit(
                self.tr("The folder {path} is no longer there.").format(path=root)
            )
            return
        if self._controller.open_folder(root, panel, picked=files) and not files:
            self._preferences.remember_recent(str(root), datetime.datetime.now())
            self.recent_changed.emit()

    def _start_folder(self) -> str:
        recent = self._preferences.settings.recent
        return recent[0].path if recent else str(Path.home())
