"""Everything that leaves the window as a file: written off its thread, whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QObject, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMainWindow

from desktop.core.atomic import atomic_write
from desktop.core.cases import OPEN, CaseResult, Decision
from desktop.core.catalogue import Panel
from desktop.core.errors import CxrError
from desktop.core.export_csv import TableRow, write_table
from desktop.core.review_store import ReviewStore
from desktop.gui.controller import Controller
from desktop.gui.review_page import ReviewPage
from desktop.gui.status_bar import grouped


@dataclass(frozen=True)
class ExportSource:
    """What an export is made of, taken once, so that the reader may go on meanwhile.

    Attributes:
        root: The opened folder.
        panel: The panel.
        home: Home of the review stores, None for the user's.
        images: Images in the order of the listing, or the listed rows only.
        decisions: Image -> decision.
        device: Device that the models ran on.
    """

    root: Path
    panel: Panel
    home: Path | None
    images: tuple[str, ...]
    decisions: Mapping[str, Decision]
    device: str


class Exporting(QObject):
    """Asks where to, writes on a thread, and says what came of it.

    Signals:
        notice_raised(str): What was written, or why not and what to do.
        exported(Path): A file or folder is complete.
    """

    notice_raised = Signal(str)
    exported = Signal(object)
    _ended = Signal(object, str)

    def __init__(self, window: QMainWindow, controller: Controller, desk: ReviewPage) -> None:
        super().__init__(window)
        self._window = window
        self._controller = controller
        self._desk = desk
        self._threads: list[threading.Thread] = []
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)
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

    def export_class_folders(self) -> None:
        """Copy the labelled images into one folder a class."""

    def export_report(self) -> None:
        """Write the summary report."""

    def show_latest(self) -> None:
        """Open the folder of the latest export in the file manager."""
        if self.latest is not None:
            folder = self.latest if self.latest.is_dir() else self.latest.parent
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    # writing ---------------------------------------------------------------------------------
    def source(self, *, listed_only: bool) -> ExportSource | None:
        """Take what an export needs from the session."""
        controller, session = self._controller, self._controller.session
        if session is None:
            return None
        cases: Sequence[int] = (
            controller.list.shown if listed_only else sorted(session.files, key=session.order_key)
        )
        decided = session.table.decided()
        return ExportSource(
            root=session.root,
            panel=session.panel,
            home=controller.store_home,
            images=tuple(session.image(case) for case in cases),
            decisions={session.image(case): decision for case, decision in decided.items()},
            device=controller.run.device,
        )

    def write_csv(self, path: Path, *, listed_only: bool = False) -> None:
        """Write the table to ``path``; ``exported`` or a notice follows."""
        source = self.source(listed_only=listed_only)
        if source is None:
            return

        def write() -> str:
            with ReviewStore.open(source.root, source.panel.manifest, home=source.home) as store:
                count = write_table(path, source.panel, table_rows(store, source))
            left = len(source.images) - count
            words = self.tr("{count} rows are in {name}.").format(
                count=grouped(count), name=path.name
            )
            if left:
                words += " " + self.tr(
                    "{left} images are left out because the models have not come to them yet."
                ).format(left=grouped(left))
            return words

        self._start(write, path)

    def write_view(self, path: Path) -> None:
        """Write the view on show as PNG."""
        if self._desk.comparing:
            image = self._desk.compare.grab().toImage()
        else:
            image = self._desk.image.snapshot()
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")
        content = bytes(buffer.data().data())

        def write() -> str:
            with atomic_write(path) as stream:
                stream.write(content)
            return self.tr("The view is in {name}.").format(name=path.name)

        self._start(write, path)

    def close(self) -> None:
        """Wait for what is being written."""
        for thread in self._threads:
            thread.join(10)
        self._threads.clear()

    # inside ----------------------------------------------------------------------------------
    def _start(self, write: Callable[[], str], path: Path) -> None:
        def run() -> None:
            try:
                words = write()
            except CxrError as problem:
                self._ended.emit(None, str(problem))
            else:
                self._ended.emit(path, words)

        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=run, name="cxr-quorum-export", daemon=True)
        self._threads.append(thread)
        thread.start()

    @Slot(object, str)
    def _on_ended(self, path: Path | None, words: str) -> None:
        self.notice_raised.emit(words)
        if path is not None:
            self.latest = path
            self.exported.emit(path)

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


def table_rows(store: ReviewStore, source: ExportSource) -> Iterator[TableRow]:
    """Rows of the table in the order of the source.

    An image that was decided before the models came to it has a row that says so; one that nobody
    has come to has none.
    """
    waiting = iter(source.images)
    for result in store.case_results(source.images):
        for image in waiting:
            if image == result.image:
                break
            yield from _undone(image, source)
        decision = source.decisions.get(result.image, OPEN)
        yield TableRow(result, decision, source.device)
    for image in waiting:
        yield from _undone(image, source)


def _undone(image: str, source: ExportSource) -> Iterator[TableRow]:
    decision = source.decisions.get(image, OPEN)
    if decision != OPEN and (decision.reviewed or decision.flagged or decision.comment):
        result = CaseResult(
            image,
            "",
            "failed",
            "PENDING-01",
            "The models had not come to this image when the table was written.",
        )
        yield TableRow(result, decision, source.device)
