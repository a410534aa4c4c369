"""A foreign panel at work: a model that does not come back ends the run instead of hanging it.

``model_trial`` has tried the panel, but a graph may go by what it sees, and an operation cannot be
stopped from within its process. What is finished is in the journal, or with the parent process.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from desktop.core.errors import ModelRefused
from desktop.core.inference.predictions import PanelPrediction
from desktop.core.inference.session import PanelSession, Pixels, Size
from desktop.core.panels.registry import Panel
from desktop.core.system.text import display_name

ANSWER_LIMIT_S = 300.0
"""Seconds a micro-batch may take; the shipped panels take less than one."""

SHUTDOWN_TIMEOUT_S = 15.0
"""Seconds that keeping what is finished may take, and then saying what happened."""

_LOOK_S = 1.0
HUNG_EXIT_CODE = 1


class WatchedSession(PanelSession):
    """A ``PanelSession`` whose process ends where a micro-batch takes far too long.

    Panels that came with the app are not watched, nor is TensorRT, which may build an engine for
    minutes when a batch of a new size comes.

    Args:
        keep: Called first where a model hangs, on a thread of its own: makes durable what is
            finished and says whether it is. None where nothing needs that.
        on_hang: Called then, likewise, with what happened. The process ends when it returns, or
            where either takes more than ``SHUTDOWN_TIMEOUT_S``.
        answer_limit_s: None = ``ANSWER_LIMIT_S``.
        options: As for ``PanelSession``.
    """

    def __init__(
        self,
        panel: Panel,
        *args: Any,
        keep: Callable[[], bool] | None = None,
        on_hang: Callable[[ModelRefused], object] | None = None,
        answer_limit_s: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(panel, *args, **options)
        self._keep = keep
        self._on_hang = on_hang
        self._limit_s = ANSWER_LIMIT_S if answer_limit_s is None else answer_limit_s
        self._numbers = itertools.count()
        self._begun: dict[int, float] = {}
        self._ended = threading.Event()
        self._watched = not panel.shipped and self.report.running != "tensorrt"
        if self._watched:
            threading.Thread(target=self._watch, daemon=True, name="model-guard").start()

    def predict(
        self, pixels: Pixels | Mapping[Size, Pixels], *, maps: bool = True
    ) -> list[PanelPrediction]:
        """As ``PanelSession.predict``."""
        with self._in_progress():
            return super().predict(pixels, maps=maps)

    def close(self) -> None:
        """Watch no longer. Safe to call twice."""
        self._ended.set()

    @contextmanager
    def _in_progress(self) -> Iterator[None]:
        number = next(self._numbers)
        self._begun[number] = time.monotonic()
        try:
            yield
        finally:
            del self._begun[number]

    def _watch(self) -> None:
        while not self._ended.wait(min(_LOOK_S, self._limit_s)):
            begun = min(list(self._begun.values()), default=None)
            if begun is not None and time.monotonic() - begun > self._limit_s:
                try:
                    self._report_hang()
                finally:
                    os._exit(HUNG_EXIT_CODE)

    def _report_hang(self) -> None:
        kept = self._keep is None or _in_time(self._keep) is True
        if self._on_hang is not None:
            _in_time(functools.partial(self._on_hang, self._hung(kept=kept)))

    def _hung(self, *, kept: bool) -> ModelRefused:
        rest = (
            "What was finished before it is kept."
            if kept
            else "What was finished in the last moments before it may be lost, because the disk "
            "did not take it."
        )
        return ModelRefused(
            "MODEL-14",
            f"A model of {display_name(self.panel.folder)} has not answered for "
            f"{self._limit_s:g} seconds "
            f"and cannot be stopped, so the run was ended. {rest} Export the panel again, or use "
            "another.",
        )


def _in_time(call: Callable[[], object]) -> object:
    """What a call returns; None where it fails or takes too long: a disk or pipe may be stuck."""
    returned: list[object] = []

    def work() -> None:
        with suppress(Exception):
            returned.append(call())

    thread = threading.Thread(target=work, daemon=True, name="last-words")
    thread.start()
    thread.join(SHUTDOWN_TIMEOUT_S)
    return returned[0] if returned else None
