"""What a window and its engine process say to each other.

Apart from the engine itself, so that the window need not load the inference library: it would start
later and keep 60 MB for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktop.core.cases import CaseResult, ImageFile
from desktop.core.errors import CxrError

MOST_IN_PROGRESS = 64
"""Most files the parent may have handed out: the length of ``clock``."""


@dataclass(frozen=True)
class EngineRequest:
    """What to run: a panel on a device.

    Attributes:
        panel_folder: Folder with the panel's ``manifest.json``.
        device: ``auto``, ``cpu``, ``cuda``, ... as in ``desktop.core.inference.devices``.
        cams: Ask for heatmaps too.
        micro_batch: Images a run of the models; small keeps the first answer near.
        threads: Processor threads for the models, None = all usable cores.
        answer_limit_s: Seconds the models of a foreign panel may look at a micro-batch.
    """

    panel_folder: Path
    device: str = "auto"
    cams: bool = True
    micro_batch: int = 4
    threads: int | None = None
    answer_limit_s: float = 300.0

    def __post_init__(self) -> None:
        if not 1 <= self.micro_batch <= MOST_IN_PROGRESS // 4:
            raise ValueError(f"a micro-batch has 1 to {MOST_IN_PROGRESS // 4} images")


@dataclass(frozen=True)
class Order:
    """One file for the engine.

    Attributes:
        key: The parent's number for it.
        urgent: CaseAnswer before others that are not, in a batch of its own kind.
        alone: CaseAnswer in a batch of one, because a batch with it ended the process.
    """

    key: int
    source: ImageFile
    urgent: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Loaded:
    """The models are loaded and warm."""

    device: str
    fallback: str


@dataclass(frozen=True)
class Refused:
    """The panel cannot be run."""

    problem: CxrError


@dataclass(frozen=True)
class CaseAnswer:
    """One file is done."""

    key: int
    result: CaseResult
    seconds: float
