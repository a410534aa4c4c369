"""Ctrl+C: once finishes the images in hand, twice stops now. SIGTERM counts as Ctrl+C."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

from desktop.core.system.cancel_token import CancelToken


class StopSignals:
    """While entered, signals set ``token``; the second one raises KeyboardInterrupt.

    Args:
        token: What the work listens to.
        on_first: Called at the first signal, to say what happens.
    """

    def __init__(self, token: CancelToken, on_first: Callable[[], object]) -> None:
        self._token = token
        self._on_first = on_first
        self._before: dict[int, object] = {}

    def __enter__(self) -> StopSignals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _received(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._token.cancelled:
            raise KeyboardInterrupt
        self._token.cancel()
        self._on_first()
