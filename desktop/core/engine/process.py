"""The engine in a niced child process, for a window that must never wait for it.

The parent keeps the queue and hands the child a few files at a time, so a new order counts at once.
Events arrive on a thread of this module: a window relays them to its own thread (a Qt signal with a
queued connection does). Nothing here knows Qt.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import logging
import multiprocessing
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from desktop.core.cases import CaseResult, ImageFile
from desktop.core.engine.messages import (
    MOST_IN_PROGRESS,
    CaseAnswer,
    EngineRequest,
    Loaded,
    Order,
    Refused,
)
from desktop.core.errors import CxrError
from desktop.core.system.processes import ChildProcess
from desktop.core.system.text import display_name

__all__ = [
    "CaseDone",
    "EngineEvent",
    "EngineFailed",
    "EngineIdle",
    "EnginePaused",
    "EngineProcess",
    "EngineReady",
    "EngineRequest",
    "EngineRestarted",
]

_CRASHES_PER_IMAGE = 2
_DEATHS_IN_A_ROW = 3
_POLITE_S = 0.4

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineReady:
    """The models are loaded and warm; again after a restart.

    Attributes:
        device: What really runs, e.g. ``cpu``.
        fallback: Why it is not what was asked for, empty where it is.
    """

    device: str
    fallback: str = ""


@dataclass(frozen=True)
class CaseDone:
    """One file is answered; ``result.status`` may be ``failed``."""

    path: Path
    result: CaseResult
    seconds: float


@dataclass(frozen=True)
class EngineIdle:
    """The queue is empty and everything handed out has been answered."""


@dataclass(frozen=True)
class EnginePaused:
    """The images in hand are answered and no others will be until ``resume``."""


@dataclass(frozen=True)
class EngineFailed:
    """The engine has stopped: a model is refused, or it died again and again."""

    problem: CxrError


@dataclass(frozen=True)
class EngineRestarted:
    """The child died and a fresh one goes on; nothing that was answered is lost."""

    reason: str


EngineEvent = EngineReady | CaseDone | EngineIdle | EnginePaused | EngineFailed | EngineRestarted


class EngineProcess:
    """A queue of radiographs, answered by a panel in a child process.

    Args:
        root: Opened folder; ``CaseResult.image`` is relative to it (absolute where a file is
            outside).
        on_event: Called on this object's thread with each event; returns quickly, never raises.
        nice: Added to the child's niceness, so that the window stays smooth.

    Every method is thread-safe and returns at once, except ``close``, which takes up to a second.
    """

    def __init__(
        self,
        request: EngineRequest,
        *,
        root: Path,
        on_event: Callable[[EngineEvent], None],
        nice: int = 10,
    ) -> None:
        self._request = request
        self._root = root
        self._on_event = on_event
        self._nice = nice
        self._lock = threading.Lock()
        # What a reader looks at, with whether it is urgent, and then everything else. Ordered
        # dictionaries, because taking the first of a plain one slows down as it empties.
        self._front: OrderedDict[Path, bool] = OrderedDict()
        self._queue: OrderedDict[Path, None] = OrderedDict()
        self._in_progress: dict[int, Order] = {}
        self._crashes: dict[Path, int] = {}
        self._keys = itertools.count()
        self._paused = self._closing = self._loaded = False
        self._told: type[EngineEvent] | None = None
        self._deaths = 0
        self._thread = threading.Thread(target=self._run, name="engine-process", daemon=True)
        self._wake_in, self._wake_out = multiprocessing.Pipe(duplex=False)
        self._awake = False
        self._pid: int | None = None

    def start(self) -> None:
        """Start the child; ``EngineReady`` or ``EngineFailed`` follows in some seconds."""
        # Before multiprocessing's own handler, which would wait for the child for ever.
        atexit.register(self.close)
        self._thread.start()

    def add(self, paths: Iterable[Path]) -> None:
        """Append to the queue; a path that is already waiting keeps its place."""
        more = list(paths)
        with self._changing():
            for path in more:
                if path not in self._front:
                    self._queue.setdefault(path)

    def bring_forward(self, paths: Iterable[Path]) -> None:
        """Put these first, in this order (the visible image, then the next ones).

        A path that is neither waiting nor in hand is added, so this also asks for a rerun. The
        first one does not wait for a full micro-batch.
        """
        wanted = list(dict.fromkeys(paths))
        with self._changing():
            in_progress = {order.source.path for order in self._in_progress.values()}
            before, self._front = self._front, OrderedDict()
            for place, path in enumerate(wanted):
                before.pop(path, None)
                self._queue.pop(path, None)
                if path not in in_progress:
                    self._front[path] = place == 0
            self._front.update(before)

    def remove(self, paths: Iterable[Path]) -> None:
        """Forget these where they still wait."""
        gone = list(paths)
        with self._changing():
            for path in gone:
                self._front.pop(path, None)
                self._queue.pop(path, None)

    def pause(self) -> None:
        """Hand out no more files; what is in hand is answered, then ``EnginePaused``."""
        with self._changing():
            self._paused = True

    def resume(self) -> None:
        """Go on after ``pause``."""
        with self._changing():
            self._paused = False

    def cancel(self) -> None:
        """Empty the queue; what is in hand is answered and everything answered is kept."""
        with self._changing():
            self._front.clear()
            self._queue.clear()

    @property
    def waiting(self) -> int:
        """Files that wait or are in hand."""
        with self._lock:
            return len(self._front) + len(self._queue) + len(self._in_progress)

    @property
    def pid(self) -> int | None:
        """Process id of the child, None before the start and after the end."""
        return self._pid

    def close(self) -> None:
        """End the child, also mid-run; no event comes after it. Safe to call twice."""
        with self._changing():
            self._closing = True
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()
        atexit.unregister(self.close)

    def __enter__(self) -> EngineProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _changing(self) -> Any:
        """Change the queue under the lock, then wake the thread once."""
        with self._lock:
            yield
            self._told = None
            wake, self._awake = not self._awake, True
            if wake:
                self._wake_out.send_bytes(b"!")

    # From here on: the engine's own thread.

    def _run(self) -> None:
        child = _Child(self._request, self._nice)
        try:
            while not self._closing:
                self._pid = child.pid
                ready = wait([self._wake_in, *child.handles])
                if self._wake_in in ready:
                    with self._lock:
                        self._wake_in.recv_bytes()
                        self._awake = False
                for message in child.messages():
                    self._hear(message)
                if self._closing:
                    break
                if not child.alive:
                    child = self._replace(child)
                self._hand_out(child)
                self._tell_where_we_are()
        finally:
            self._pid = None
            child.close(polite_s=_POLITE_S)

    def _hear(self, message: object) -> None:
        if isinstance(message, CaseAnswer):
            with self._lock:
                order = self._in_progress.pop(message.key)
                self._crashes.pop(order.source.path, None)
                self._deaths = 0
                self._told = None
            self._emit(CaseDone(order.source.path, message.result, message.seconds))
        elif isinstance(message, Loaded):
            self._loaded = True
            self._emit(EngineReady(message.device, message.fallback))
        elif isinstance(message, Refused):
            self._give_up(message.problem)

    def _hand_out(self, child: _Child) -> None:
        """Keep the child busy with a little more than a micro-batch; urgent files go at once."""
        if not self._loaded:
            return
        orders = []
        with self._lock:
            most = self._request.micro_batch + 2
            while (self._front or self._queue) and not self._paused:
                urgent = next(iter(self._front.values()), False)
                if len(self._in_progress) >= (MOST_IN_PROGRESS // 2 if urgent else most):
                    break
                path, _ = (self._front or self._queue).popitem(last=False)
                alone = self._crashes.get(path, 0) > 0
                order = Order(next(self._keys), self._found(path), urgent, alone)
                self._in_progress[order.key] = order
                orders.append(order)
        for order in orders:
            child.send(order)

    def _tell_where_we_are(self) -> None:
        """Say once that nothing is in hand any more."""
        with self._lock:
            if self._in_progress or not self._loaded or self._told is not None:
                return
            event: EngineEvent
            if self._paused:
                event = EnginePaused()
            elif not self._front and not self._queue:
                event = EngineIdle()
            else:
                return
            self._told = type(event)
        self._emit(event)

    def _replace(self, dead: _Child) -> _Child:
        """A fresh child for one that died; images that killed it twice are failed cases."""
        suspects = dead.looking_at()
        exit_code = dead.exit_code
        dead.close()
        self._loaded = False
        failed: list[Order] = []
        with self._lock:
            again: OrderedDict[Path, bool] = OrderedDict()
            for key, order in self._in_progress.items():
                path = order.source.path
                if key in suspects:
                    self._crashes[path] = self._crashes.get(path, 0) + 1
                if self._crashes.get(path, 0) >= _CRASHES_PER_IMAGE:
                    failed.append(order)
                    del self._crashes[path]
                else:
                    again[path] = order.urgent
            self._in_progress.clear()
            again.update(
                (path, urgent) for path, urgent in self._front.items() if path not in again
            )
            for path in again:
                self._queue.pop(path, None)
            self._front = again
            self._deaths += 1
            self._told = None
        for order in failed:
            self._emit(CaseDone(order.source.path, _crashed(order.source), 0.0))
        if self._deaths >= (_DEATHS_IN_A_ROW * 2 if suspects else _DEATHS_IN_A_ROW):
            self._give_up(
                CxrError(
                    "ENGINE-02",
                    "The engine stopped again and again and is not started again. What is "
                    "answered is kept. Free some memory, choose another device or restart the app.",
                )
            )
        else:
            self._emit(
                EngineRestarted(
                    f"The engine stopped unexpectedly (exit code {exit_code}) and was started "
                    "again. What is answered is kept."
                )
            )
        return dead if self._closing else _Child(self._request, self._nice)

    def _give_up(self, problem: CxrError) -> None:
        self._emit(EngineFailed(problem))
        with self._lock:
            self._closing = True
            self._front.clear()
            self._queue.clear()
            self._in_progress.clear()

    def _emit(self, event: EngineEvent) -> None:
        if self._closing:
            return
        try:
            self._on_event(event)
        except Exception:  # the listener's mistake must not stop the engine
            _log.exception("A listener of the engine failed")

    def _found(self, path: Path) -> ImageFile:
        try:
            image = path.relative_to(self._root).as_posix()
        except ValueError:
            image = path.as_posix()
        return ImageFile(path, image)


def _serve(connection: Connection, request: EngineRequest, clock: Any) -> None:
    """The child's first step; the inference library is loaded there and never in the window."""
    from desktop.core.engine.worker import run_engine

    run_engine(request, connection, clock)


class _Child(ChildProcess):
    """One engine process; polite, because it takes its decoding process along."""

    def __init__(self, request: EngineRequest, nice: int) -> None:
        self._clock = multiprocessing.get_context("spawn").RawArray("q", MOST_IN_PROGRESS + 1)
        super().__init__(_serve, request, self._clock, name="engine", nice=nice, has_children=True)

    def looking_at(self) -> set[int]:
        """Keys of the images the models look at, or looked at when it died."""
        return set(self._clock[1 : 1 + self._clock[0]])


def _crashed(source: ImageFile) -> CaseResult:
    return CaseResult(
        source.image,
        "",
        "failed",
        "ENGINE-01",
        f"The models stopped with an error at {display_name(source.path)}, twice, so it has no "
        "answer. "
        "The other images are unaffected. Export the image again, or report it.",
    )
