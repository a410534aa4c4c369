"""The engine in a niced child process, for a window that must never wait for it.

SKELETON: the interface is settled, the body follows.

The parent keeps the queue and hands the child a few files at a time, so a new order counts at once.
Events arrive on a thread of this module: a window relays them to its own thread (a Qt signal with a
queued connection does). Nothing here knows Qt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from desktop.core.cases import CaseResult
from desktop.core.errors import CxrError


@dataclass(frozen=True)
class EngineRequest:
    """What to run: a panel on a device.

    Attributes:
        panel_folder: Folder with the panel's ``manifest.json``.
        device: ``auto``, ``cpu``, ``cuda``, ... as in ``desktop.core.inference``.
        cams: Ask for heatmaps too.
        micro_batch: Images a run of the models; small keeps the first answer near.
        time_limit_s: Seconds one image may take to decode.
    """

    panel_folder: Path
    device: str = "auto"
    cams: bool = True
    micro_batch: int = 4
    time_limit_s: float = 30.0


@dataclass(frozen=True)
class EngineReady:
    """The models are loaded and warm.

    Attributes:
        device: What really runs, for people.
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
    """The engine has stopped: a model is refused, or it died three times in a row."""

    problem: CxrError


@dataclass(frozen=True)
class EngineRestarted:
    """The child died and a fresh one goes on; the image it died on comes back as a failed case."""

    reason: str


EngineEvent = EngineReady | CaseDone | EngineIdle | EnginePaused | EngineFailed | EngineRestarted


class EngineProcess:
    """A queue of radiographs, answered by a panel in a child process.

    Args:
        request: Panel, device and options.
        root: Opened folder; ``CaseResult.image`` is relative to it (absolute where a file is
            outside).
        on_event: Called on this object's thread with each event; must return quickly, must not
            raise.
        nice: Added to the child's niceness, so that the window stays smooth.

    Every method is thread-safe and returns at once, except ``close``, which takes at most a second.
    """

    def __init__(
        self,
        request: EngineRequest,
        *,
        root: Path,
        on_event: Callable[[EngineEvent], None],
        nice: int = 10,
    ) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Start the child; ``EngineReady`` or ``EngineFailed`` follows in some seconds."""
        raise NotImplementedError

    def set_queue(self, paths: Iterable[Path]) -> None:
        """Replace what is waiting, first to be answered first. Files in hand are still answered."""
        raise NotImplementedError

    def add(self, paths: Iterable[Path]) -> None:
        """Append to the queue; a path that is already waiting keeps its place."""
        raise NotImplementedError

    def bring_forward(self, paths: Iterable[Path]) -> None:
        """Put these first, in this order (the visible image, then the next ones); the rest follow.

        A path that is neither waiting nor in hand is added, so this also asks for a rerun.
        """
        raise NotImplementedError

    def remove(self, paths: Iterable[Path]) -> None:
        """Forget these where they still wait."""
        raise NotImplementedError

    def pause(self) -> None:
        """Hand out no more files; what is in hand is answered, then ``EnginePaused``."""
        raise NotImplementedError

    def resume(self) -> None:
        """Go on after ``pause``."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Empty the queue; what is in hand is answered and everything answered is kept."""
        raise NotImplementedError

    @property
    def waiting(self) -> int:
        """Files that wait or are in hand."""
        raise NotImplementedError

    def close(self) -> None:
        """End the child, also mid-run, within a second; no event comes after it. Safe to call
        twice.
        """
        raise NotImplementedError

    def __enter__(self) -> EngineProcess:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
