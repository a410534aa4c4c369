"""The four models as the window sees them: one QObject in front of the niced engine process.

Answers are written to the review store by a thread of their own, so that a slow disk delays
neither the window nor the models.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QObject, Qt, Signal, Slot

from desktop.core.cases import CaseResult, ImageFile, without_maps
from desktop.core.engine.process import (
    CaseDone,
    EngineEvent,
    EngineFailed,
    EngineIdle,
    EngineProcess,
    EngineReady,
    EngineRequest,
    EngineRestarted,
)
from desktop.core.errors import CxrError
from desktop.core.panels.registry import Panel
from desktop.core.store.review_store import ReviewStore

_KEPT_WITH_MAPS = 128
_RATE_WINDOW_S = 10.0
_RETRY_S = 2.0


class EngineClient(QObject):
    """One panel over one folder.

    Signals:
        ready(str, str): Device that really runs, and why no better one does.
        cases_answered(list[CaseResult]): Predictions, without maps; ``with_maps`` has those.
        idle(): Everything asked for is answered.
        failed(CxrError): The engine cannot run.
        restarted(str): The engine died and goes on; why.
        files_changed(list[str]): Images whose content is not what was decided on.
        not_recorded(CxrError): Predictions could not be written to the store.
    """

    ready = Signal(str, str)
    cases_answered = Signal(list)
    idle = Signal()
    failed = Signal(object)
    restarted = Signal(str)
    files_changed = Signal(list)
    not_recorded = Signal(object)
    _happened = Signal()

    def __init__(
        self,
        panel: Panel,
        root: Path,
        *,
        device: str = "auto",
        keep_maps: bool = True,
        parent: QObject | None = None,
    ) -> None:
        """Prepare; the first files begin.

        Args:
            root: The opened folder.
            device: As in the settings.
            keep_maps: Keep heatmaps in the store too.
        """
        super().__init__(parent)
        self._events: list[EngineEvent] = []
        self._lock = threading.Lock()
        self._closed = False
        self._with_maps: OrderedDict[str, CaseResult] = OrderedDict()
        self._done_times: deque[float] = deque()
        self._files: dict[str, ImageFile] = {}
        self._happened.connect(self._drain, Qt.ConnectionType.QueuedConnection)
        self._recorder = ResultRecorder(root, panel, keep_maps=keep_maps)
        self._recorder.files_changed.connect(self.files_changed)
        self._recorder.not_recorded.connect(self.not_recorded)
        request = EngineRequest(panel_folder=panel.folder, device=device, cams=True)
        self._make = lambda: EngineProcess(request, root=root, on_event=self._on_event)
        self._engine: EngineProcess | None = None
        self._device = ""

    def _running(self) -> EngineProcess:
        """The engine, started with the first question.

        A folder whose answers are all in the store never loads the models.
        """
        if self._engine is None:
            self._recorder.start()
            self._engine = self._make()
            self._engine.start()
        return self._engine

    def add(self, files: Sequence[ImageFile]) -> None:
        """Queue files at the end."""
        if files:
            self.note_files(files)
            self._running().add(file.path for file in files)

    def note_files(self, files: Iterable[ImageFile]) -> None:
        """Remember the size and time that go into the store with an answer."""
        self._files.update((file.image, file) for file in files)

    def bring_forward(self, paths: Iterable[Path]) -> None:
        """Answer these first, in this order."""
        self._running().bring_forward(paths)

    def pause(self) -> None:
        """Begin nothing new until ``resume``."""
        if self._engine is not None:
            self._engine.pause()

    def resume(self) -> None:
        self._done_times.clear()
        if self._engine is not None:
            self._engine.resume()

    def cancel(self) -> None:
        """Forget what waits; what is answered is kept."""
        if self._engine is not None:
            self._engine.cancel()

    @property
    def waiting(self) -> int:
        """Files that wait or are in progress."""
        return self._engine.waiting if self._engine is not None else 0

    @property
    def rate(self) -> float:
        """Images a second over the last ten seconds, 0 before the second answer."""
        now = monotonic()
        while self._done_times and now - self._done_times[0] > _RATE_WINDOW_S:
            self._done_times.popleft()
        if len(self._done_times) < 2:
            return 0.0
        return (len(self._done_times) - 1) / max(1e-3, now - self._done_times[0])

    def with_maps(self, image: str) -> CaseResult | None:
        """A recent answer with its heatmaps, None where it is no longer kept here."""
        return self._with_maps.get(image)

    def close(self) -> None:
        """End the engine and the recorder within about a second; waiting answers are written."""
        self._closed = True
        if self._engine is not None:
            self._engine.close()
            self._drain()
            self._recorder.close()

    def _on_event(self, event: EngineEvent) -> None:
        """Runs on the engine's thread: keep the event and notify the window once for many."""
        with self._lock:
            self._events.append(event)
            first = len(self._events) == 1
        if first:
            self._happened.emit()

    @Slot()
    def _drain(self) -> None:
        with self._lock:
            events, self._events = self._events, []
        answered: list[CaseResult] = []
        answers: list[StoredResult] = []
        for event in events:
            if isinstance(event, EngineReady):
                self._device = event.device
            elif isinstance(event, CaseDone):
                self._keep(event)
                answered.append(event.result)
                file = self._files.get(event.result.image)
                if file is not None:
                    answers.append(StoredResult(event.result, file, self._device))
        self._recorder.record(answers)
        if self._closed:
            return
        if answered:
            self.cases_answered.emit(answered)
        for event in events:
            self._report(event)

    def _keep(self, event: CaseDone) -> None:
        self._done_times.append(monotonic())
        self._with_maps[event.result.image] = event.result
        self._with_maps.move_to_end(event.result.image)
        while len(self._with_maps) > _KEPT_WITH_MAPS:
            self._with_maps.popitem(last=False)

    def _report(self, event: EngineEvent) -> None:
        match event:
            case EngineReady(device, fallback):
                self.ready.emit(device, fallback)
            case EngineIdle():
                self.idle.emit()
            case EngineFailed(problem):
                self.failed.emit(problem)
            case EngineRestarted(reason):
                self.restarted.emit(reason)


@dataclass(frozen=True)
class StoredResult:
    """What goes into the store: an answer, its file, and the device that gave it."""

    result: CaseResult
    file: ImageFile
    device: str


class ResultRecorder(QObject):
    """Writes answers to the review store on its own thread, many in one transaction.

    Signals:
        files_changed(list[str]), not_recorded(CxrError): As in ``EngineClient``.
    """

    files_changed = Signal(list)
    not_recorded = Signal(object)

    def __init__(self, root: Path, panel: Panel, *, keep_maps: bool = True) -> None:
        super().__init__()
        self._root, self._panel = root, panel
        self._keep_maps = keep_maps
        self._waiting: list[StoredResult] = []
        self._changed = threading.Condition()
        self._ended = False
        self._reported = False
        self._thread = threading.Thread(target=self._run, name="cxr-quorum-recorder", daemon=True)
        self._started = False

    def start(self) -> None:
        self._started = True
        self._thread.start()

    def record(self, answers: Sequence[StoredResult]) -> None:
        if not answers:
            return
        if not self._keep_maps:
            answers = [replace(one, result=without_maps(one.result)) for one in answers]
        with self._changed:
            self._waiting += answers
            self._changed.notify()

    def close(self) -> None:
        """Write what waits and end the thread."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._started:
            self._thread.join(10)

    def _run(self) -> None:
        store: ReviewStore | None = None
        try:
            while True:
                with self._changed:
                    while not self._waiting and not self._ended:
                        self._changed.wait()
                    answers, self._waiting = self._waiting, []
                    if not answers and self._ended:
                        return
                try:
                    if store is None:
                        store = ReviewStore.open(self._root, self._panel.manifest)
                    changed = _write(store, answers)
                except CxrError as problem:
                    if self._give_up(answers, problem):
                        return
                    continue
                self._reported = False
                if changed:
                    self.files_changed.emit(sorted(changed))
        finally:
            if store is not None:
                store.close()

    def _give_up(self, answers: list[StoredResult], problem: CxrError) -> bool:
        """Keep answers that could not be written for another try; True at the end of the run.

        A full disk or another window's long write passes; the models need not run again for it.
        """
        with self._changed:
            if self._ended:
                return True
            self._waiting = answers + self._waiting
        if not self._reported:
            self._reported = True
            self.not_recorded.emit(problem)
        with self._changed:
            self._changed.wait_for(lambda: self._ended, _RETRY_S)
        return False


def _write(store: ReviewStore, answers: Iterable[StoredResult]) -> frozenset[str]:
    changed: frozenset[str] = frozenset()
    for device, group in groupby(answers, key=lambda one: one.device):
        pairs = [(one.result, one.file) for one in group]
        changed |= store.record_results(pairs, device=device)
    return changed
