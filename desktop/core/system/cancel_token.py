"""A stop that one thread requests and another obeys."""

from __future__ import annotations

import threading


class CancelToken:
    """Set once, read often, from any thread. Work that has begun is finished; no more is begun."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop. Safe to call twice and from a signal handler."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()
