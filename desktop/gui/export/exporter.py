"""Everything that leaves the window as a file: written on a thread, completely or not at all."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QObject, QPointF, QRectF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QImage, QPainter
from PySide6.QtWidgets import QFileDialog, QMainWindow

import desktop
from desktop.core.export.class_folders import Basis, Mode
from desktop.core.export.table import write_table
from desktop.core.panels.contract import RESEARCH_USE
from desktop.core.review.report import ReportInfo, write_summary_report
from desktop.core.store.review_store import ReviewStore
from desktop.core.system.atomic_write import atomic_write
from desktop.core.system.cancel_token import CancelToken
from desktop.core.system.text import utc_stamp
from desktop.gui.export.class_folders_dialog import ClassFoldersDialog
from desktop.gui.formatting import grouped
from desktop.gui.session.background_job import Background
from desktop.gui.session.controller import Controller
from desktop.gui.session.snapshot import ExportSource, place_classes, source_of, table_rows
from desktop.gui.settings.preferences import Preferences
from desktop.gui.style import theme
from desktop.gui.style.paint import draw_text, text_width

_CAUTION_STRIP = 28


@dataclass(frozen=True)
class Exported:
    """A complete file or folder, and the sentence about it."""

    path: Path
    text: str


class Exporter(QObject):
    """Asks for a file, writes it on a thread, and reports the outcome.

    Signals:
        notice_raised(str): Why something was not written and what to do.
        exported(Path, str): A file or folder is complete, and the sentence about it.
    """

    notice_raised = Signal(str)
    exported = Signal(object, str)

    def __init__(
        self,
        window: QMainWindow,
        controller: Controller,
        preferences: Preferences,
        snapshot: Callable[[], QImage],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._controller = controller
        self._preferences = preferences
        self._snapshot = snapshot
        self._background = Background(self)
        self._background.done.connect(self._on_done)
        self._background.failed.connect(lambda _key, why: self.notice_raised.emit(str(why)))
        self.latest: Path | None = None

    # asking ----------------------------------------------------------------------------------
    def export_csv(self, *, listed_only: bool) -> None:
        """Ask for a file and write the table."""
        path = self._ask_file(self.tr("Export CSV"), "csv", self.tr("CSV table (*.csv)"))
        if path is not None:
            self.write_csv(path, listed_only=listed_only)

    def export_view(self) -> None:
        """Ask for a file and write the view on show with its overlays."""
        path = self._ask_file(self.tr("Save this view"), "png", self.tr("PNG image (*.png)"))
        if path is not None:
            self.write_view(path)

    def export_report(self) -> None:
        """Ask for a file and write the summary report."""
        title = self.tr("Save a summary report")
        path = self._ask_file(title, "html", self.tr("HTML page (*.html)"))
        if path is not None:
            self.write_report(path)

    def export_class_folders(self) -> None:
        """Ask what goes where, then copy or link."""
        source = source_of(self._controller, listed_only=False)
        if source is None:
            return
        dialog = ClassFoldersDialog(source.root, self._window)
        dialog.confirmed.connect(self.write_class_folders)
        dialog.open()

    def show_latest(self) -> None:
        """Open the folder of the latest export in the file manager."""
        if self.latest is not None:
            folder = self.latest if self.latest.is_dir() else self.latest.parent
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    # writing ---------------------------------------------------------------------------------
    def write_csv(self, path: Path, *, listed_only: bool = False) -> None:
        """Write the table to ``path``; ``exported`` or a notice follows."""
        source = source_of(self._controller, listed_only=listed_only)
        if source is None:
            return

        def write(_token: CancelToken) -> Exported:
            with _store(source) as store:
                count = write_table(path, source.panel, table_rows(store, source))
            text = self.tr("{count} rows are in {name} in {folder}.").format(
                count=grouped(count), name=path.name, folder=path.parent
            )
            left = len(source.images) - count
            if left:
                text += " " + self.tr(
                    "{left} images are left out because the models have not come to them yet."
                ).format(left=grouped(left))
            return Exported(path, text)

        self._background.start("csv", write)

    def write_view(self, path: Path) -> None:
        """Write the view on show as PNG."""
        session = self._controller.session
        panel = "" if session is None else f"{session.panel.name} {session.panel.version}"
        image = with_caution(self._snapshot(), panel)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")
        content = bytes(buffer.data().data())

        def write(_token: CancelToken) -> Exported:
            with atomic_write(path) as stream:
                stream.write(content)
            text = self.tr("The view is in {name} in {folder}.")
            return Exported(path, text.format(name=path.name, folder=path.parent))

        self._background.start("view", write)

    def write_report(self, path: Path) -> None:
        """Write the summary report as one HTML page."""
        source = source_of(self._controller, listed_only=False)
        if source is None:
            return
        settings = self._preferences.settings
        info = ReportInfo(
            folder=source.root.name,
            created_at=utc_stamp(datetime.datetime.now(datetime.UTC)),
            device=source.device,
            settings=(
                ("Blind first", "on" if settings.blind_first else "off"),
                ("Include subfolders", "on" if settings.recursive else "off"),
                ("Device asked for", settings.device),
            ),
        )

        def write(_token: CancelToken) -> Exported:
            with _store(source) as store:
                table = store.load_table()
            write_summary_report(path, table, source.panel, info)
            text = self.tr("The report is in {name} in {folder}.")
            return Exported(path, text.format(name=path.name, folder=path.parent))

        self._background.start("report", write)

    def write_class_folders(self, target: Path, basis: Basis, mode: Mode) -> None:
        """Copy or link the films into one folder a class."""
        source = source_of(self._controller, listed_only=False)
        if source is None:
            return

        def write(token: CancelToken) -> Exported:
            with _store(source) as store:
                placed = place_classes(store, source, target, basis, mode, token)
            text = self.tr("{count} files are in {folder}.").format(
                count=grouped(placed.placed), folder=target
            )
            if placed.refused:
                text += " " + self.tr("{count} were refused: {reason}").format(
                    count=grouped(placed.refused), reason=placed.first_reason
                )
            if placed.dicom_text:
                text += " " + placed.dicom_text
            return Exported(target, text)

        self._background.start("classes", write)

    def close(self) -> None:
        """Wait for what is being written."""
        self._background.close()

    # inside ----------------------------------------------------------------------------------
    def _on_done(self, _key: str, outcome: Exported) -> None:
        self.latest = outcome.path
        self.exported.emit(outcome.path, outcome.text)

    def _ask_file(self, title: str, suffix: str, kind: str) -> Path | None:
        session = self._controller.session
        if session is None:
            return None
        name = f"{session.root.name}_{session.panel.name}.{suffix}"
        if suffix == "png" and self._controller.current is not None:
            name = Path(session.image(self._controller.current)).stem + ".png"
        start = str((self.latest.parent if self.latest else Path.home()) / name)
        chosen, _ = QFileDialog.getSaveFileName(self._window, title, start, kind)
        if not chosen:
            return None
        path = Path(chosen)
        return path if path.suffix else path.with_suffix(f".{suffix}")


def with_caution(view: QImage, panel: str) -> QImage:
    """A view with a strip below it that names research use, program and panel.

    Args:
        view: The view with its overlays.
        panel: Name and version of the panel, may be empty.
    """
    ratio = view.devicePixelRatio()
    width, height = view.width() / ratio, view.height() / ratio
    strip = theme.dp(_CAUTION_STRIP)
    size = QSize(view.width(), view.height() + round(strip * ratio))
    image = QImage(size, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(theme.colour(theme.current().canvas))
    painter = QPainter(image)
    painter.drawImage(QPointF(0, 0), view)
    origin = f"CXR Quorum {desktop.__version__}" + (f", {panel}" if panel else "")
    font, ink = theme.font(12), theme.current().hud2
    left = QRectF(16, height, width - 32, strip)
    draw_text(painter, left, RESEARCH_USE, font, ink)
    room = width - 48 - text_width(font, RESEARCH_USE)
    if text_width(font, origin) <= room:
        draw_text(painter, left, origin, font, ink, Qt.AlignmentFlag.AlignRight)
    painter.end()
    return image


def _store(source: ExportSource) -> ReviewStore:
    """A store for this thread."""
    return ReviewStore.open(source.root, source.panel.manifest)
