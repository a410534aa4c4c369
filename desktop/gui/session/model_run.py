"""The models' run over the open folder: what comes first, pause, stop and keep, progress."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from desktop.core.cases import CaseResult, ImageFile
from desktop.gui.formatting import DEVICE_TITLES
from desktop.gui.session.engine_client import EngineClient
from desktop.gui.session.session import Session

RunState = Literal["idle", "running", "paused", "stopped", "failed"]
_TICK_MS = 1000
# Answers come dozens of times a second; a reader cannot read a count that changes faster than this.
_REPORT_MS = 200
_CURVE_POINTS = 600
# Stays below one micro-batch of work in progress when the reader jumps.
_AHEAD = 24
# Files in the engine's own queue.
_ENGINE_QUEUE = 400


@dataclass(frozen=True)
class Progress:
    """How far the models are.

    Attributes:
        done: Cases with an answer, failures included.
        total: Cases in the folder.
        failed: Cases that could not be read.
        rate: Images a second over the last ten seconds, 0 where nothing runs.
        state: What the run does.
        started: When the run began, None before.
    """

    done: int
    total: int
    failed: int
    rate: float
    state: RunState
    started: datetime | None = None


class RunControl(QObject):
    """One run at a time.

    Signals:
        progress_changed(Progress): A few times a second while answers come, after each change of
            state at once.
        answered(list[int]): Cases have an answer in the session.
        device_changed(str, str): Device that really runs, and why no better one does.
        notice_raised(str): A sentence for the reader.
        rate_measured(): One more point of ``rate_curve``.
    """

    progress_changed = Signal(object)
    answered = Signal(list)
    device_changed = Signal(str, str)
    notice_raised = Signal(str)
    rate_measured = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._client: EngineClient | None = None
        self._state: RunState = "idle"
        self._queue: deque[int] = deque()
        self.device = ""
        self._started: datetime | None = None
        self._answered_count = 0
        self._failed_count = 0
        self._since_tick = 0
        # (time, images a second) once a second while it runs.
        self.rate_curve: deque[tuple[datetime, float]] = deque(maxlen=_CURVE_POINTS)
        self._timer = QTimer(self, interval=_TICK_MS, timeout=self._on_tick)
        self._report_timer = QTimer(
            self, singleShot=True, interval=_REPORT_MS, timeout=self._report
        )

    def begin(self, session: Session, *, device: str, keep_maps: bool = True) -> None:
        """Start the engine for a session; nothing is asked of it yet."""
        self.end()
        self._session = session
        self._queue.clear()
        client = EngineClient(
            session.panel, session.root, device=device, keep_maps=keep_maps, parent=self
        )
        client.ready.connect(self._on_ready)
        client.cases_answered.connect(self._on_answers)
        client.idle.connect(self._on_idle)
        client.failed.connect(self._on_failed)
        client.restarted.connect(self.notice_raised)
        client.not_recorded.connect(lambda problem: self.notice_raised.emit(str(problem)))
        client.files_changed.connect(self._on_files_changed)
        self._client = client
        self._state = "idle"
        self._started = None
        self.device = ""
        self.rate_curve.clear()
        self._count()

    def end(self) -> None:
        """End the engine and keep what it has answered; returns within about a second."""
        self._timer.stop()
        self._report_timer.stop()
        client, self._client = self._client, None
        if client is not None:
            client.close()
            client.deleteLater()
        self._session = None
        self._state = "idle"

    def add(self, cases: Iterable[int]) -> None:
        """Queue cases without an answer behind what waits."""
        session = self._session
        if session is None or self._client is None or self._state == "stopped":
            self._report()
            return
        before = len(self._queue)
        self._queue.extend(case for case in cases if not session.has_result(case))
        if len(self._queue) > before and self._state == "idle":
            self._run()
        self._fill_engine()
        self._report()

    def _fill_engine(self) -> None:
        """Keep the engine's own queue short: a hundred thousand paths at once would stall us."""
        session, client = self._session, self._client
        if session is None or client is None or client.waiting > _ENGINE_QUEUE // 2:
            return
        portion: list[ImageFile] = []
        while self._queue and len(portion) < _ENGINE_QUEUE:
            case = self._queue.popleft()
            if case in session.stamps and not session.has_result(case):
                portion.append(session.file(case))
        client.add(portion)

    def put_first(self, cases: Sequence[int]) -> None:
        """Answer these first: the image on show, the next ones, the rows on screen."""
        session, client = self._session, self._client
        if session is None or client is None or self._state in ("paused", "failed"):
            return
        wanted = [
            case
            for case in cases[:_AHEAD]
            if case in session.stamps and not session.has_result(case)
        ]
        if self._state == "stopped":
            wanted = wanted[:1]
        if wanted:
            client.note_files(session.file(case) for case in wanted)
            client.bring_forward([session.path(case) for case in wanted])

    def ask_again(self, cases: Sequence[int]) -> None:
        """Run cases once more: failed ones, or those whose maps are no longer kept."""
        session, client = self._session, self._client
        if session is None or client is None:
            return
        known = [case for case in cases if case in session.stamps]
        client.note_files(session.file(case) for case in known)
        client.bring_forward([session.path(case) for case in known])
        if known and self._state == "idle":
            self._run()
            self._report()

    def with_maps(self, image: str) -> CaseResult | None:
        """A recent answer with its heatmaps."""
        return self._client.with_maps(image) if self._client is not None else None

    def pause(self) -> None:
        """Begin nothing new."""
        if self._client is not None and self._state == "running":
            self._client.pause()
            self._set_state("paused")

    def resume(self) -> None:
        """Go on after a pause, or with the rest after a stop."""
        session, client = self._session, self._client
        if session is None or client is None:
            return
        if self._state == "paused":
            client.resume()
            self._run()
            self._report()
        elif self._state in ("stopped", "idle"):
            self._state = "idle"
            self.add(range(len(session.table)))

    def stop(self) -> None:
        """Forget what waits and keep what is answered."""
        if self._client is None or self._state not in ("running", "paused"):
            return
        self._queue.clear()
        self._client.cancel()
        if self._state == "paused":
            self._client.resume()
        self._set_state("stopped")

    @property
    def state(self) -> RunState:
        return self._state

    @property
    def progress(self) -> Progress:
        """How far the models are."""
        self._count()
        session = self._session
        total = len(session.table) if session is not None else 0
        rate = self._client.rate if self._client is not None and self._state == "running" else 0.0
        return Progress(
            self._answered_count, total, self._failed_count, rate, self._state, self._started
        )

    def recount(self) -> None:
        """Count again after results came in from the store."""
        self._report()

    def _count(self) -> None:
        session = self._session
        if session is None:
            self._answered_count = self._failed_count = 0
            return
        status = session.table.column("status")
        self._answered_count = int((status != 0).sum())
        self._failed_count = int((status == 2).sum())

    def _on_answers(self, results: list[CaseResult]) -> None:
        session = self._session
        if session is None:
            return
        cases = []
        for result in results:
            # The engine may answer a file that another scan has since dropped.
            if session.table.row(result.image) is not None:
                cases.append(session.table.set_result(result))
        self._since_tick += len(cases)
        self._fill_engine()
        self.answered.emit(cases)
        if not self._report_timer.isActive():
            self._report_timer.start()

    def _on_ready(self, device: str, reason: str) -> None:
        self.device = device
        self.device_changed.emit(device_text(device), reason)

    def _on_idle(self) -> None:
        self._fill_engine()
        if self._state == "running" and self._client is not None and not self._client.waiting:
            self._set_state("idle")

    def _on_failed(self, problem: Exception) -> None:
        self._set_state("failed")
        self.notice_raised.emit(str(problem))

    def _on_files_changed(self, images: list[str]) -> None:
        session = self._session
        if session is None:
            return
        rows = [row for image in images if (row := session.table.row(image)) is not None]
        session.table.mark("changed", rows)
        self.answered.emit(rows)

    def _on_tick(self) -> None:
        if self._state == "running":
            self.rate_curve.append((datetime.now(), float(self._since_tick)))
            self.rate_measured.emit()
        self._since_tick = 0
        if self._state in ("idle", "failed"):
            self._timer.stop()
        self._report()

    def _run(self) -> None:
        self._state = "running"
        self._started = self._started or datetime.now()
        self._timer.start()

    def _set_state(self, state: RunState) -> None:
        self._state = state
        self._report()

    def _report(self) -> None:
        self._report_timer.stop()
        self.progress_changed.emit(self.progress)


def device_text(device: str) -> str:
    """``CPU, 2 threads`` or the GPU's name; ``device`` as the engine reports it.

    Where it is not fp32 the precision follows: ``cpu int8`` is ``CPU, 2 threads, int8``.
    """
    name, _, precision = device.partition(" ")
    text = _processor_text(name)
    return f"{text}, {precision}" if precision else text


def _processor_text(name: str) -> str:
    if name != "cpu":
        return DEVICE_TITLES.get(name, name)
    threads = _threads()
    if threads == 1:
        return QCoreApplication.translate("Device", "CPU, 1 thread")
    return QCoreApplication.translate("Device", "CPU, {count} threads").format(count=threads)


def _threads() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
