"""What runs inside the engine process: decode, ask the panel, vote, answer; urgent files first.

It decodes in a worker process of its own, so hostile bytes cannot take the loaded models down.
"""

from __future__ import annotations

import time
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Any

import numpy as np

from desktop.core.batch.pipeline import case_result
from desktop.core.cases import CaseResult
from desktop.core.engine.messages import (
    MOST_IN_PROGRESS,
    CaseAnswer,
    EngineRequest,
    Loaded,
    Order,
    Refused,
)
from desktop.core.errors import CxrError
from desktop.core.imaging.decoders.decoder import Decoded
from desktop.core.imaging.decoders.pool import DecodePool
from desktop.core.inference.devices import usable_cores
from desktop.core.inference.names import checked_device
from desktop.core.inference.sandbox import bounded_memory, check_in_sandbox
from desktop.core.inference.session import PanelSession
from desktop.core.inference.watchdog import WatchedSession
from desktop.core.panels.registry import open_panel
from desktop.core.system.processes import trim_heap

_IDLE_S = 1.0


def run_engine(request: EngineRequest, connection: Connection, clock: Any) -> None:
    """Answer orders until the parent hangs up or sends None.

    Args:
        connection: Orders come in; ``Loaded`` or ``Refused``, then ``CaseAnswer`` go out.
        clock: Shared array of int64: how many images the models look at now, then their keys.
    """
    try:
        panel = open_panel(request.panel_folder)
        check_in_sandbox(panel)
        sizes = panel.decode_sizes
        # Started before the models are loaded, so that both happen at once.
        with DecodePool(max(1, usable_cores() // 2), ahead=MOST_IN_PROGRESS, sizes=sizes) as pool:
            session = WatchedSession(
                panel,
                checked_device(request.device),
                request.threads,
                # Where a model hangs, the parent sees this process end and knows at what.
                streams=1,
                answer_limit_s=request.answer_limit_s,
            )
            report = session.report
            connection.send(Loaded(report.ran, report.reason))
            # Loading takes twice the memory that the loaded models do.
            trim_heap()
            with bounded_memory(panel, device=report.running):
                _Engine(request, connection, clock, pool, session).run()
    except CxrError as problem:
        connection.send(Refused(problem))


class _Engine:
    """The loop of the engine process."""

    def __init__(
        self,
        request: EngineRequest,
        connection: Connection,
        clock: Any,
        pool: DecodePool,
        session: PanelSession,
    ) -> None:
        self._request = request
        self._connection = connection
        self._clock = clock
        self._pool = pool
        self._session = session
        self._orders: dict[int, Order] = {}
        self._ready: list[tuple[Order, Decoded]] = []
        self._worked_at = time.monotonic()
        self._tidy = True

    def run(self) -> None:
        while True:
            if not self._ready:
                wait([self._connection, *self._pool.handles], timeout=0.1)
                self._tidy_up()
            while self._connection.poll():
                order: Order | None = self._connection.recv()
                if order is None:
                    return
                self._orders[order.key] = order
                self._pool.submit(order.key, order.source, self._session.panel.decode_sizes)
            for key, decoded in self._pool.collect(0.0):
                order = self._orders.pop(key)
                if decoded.code:
                    self._send(order, case_result(decoded, None, self._session.panel), decoded, 0.0)
                else:
                    self._ready.append((order, decoded))
            if self._ready:
                self._label(self._next_batch())

    def _next_batch(self) -> list[tuple[Order, Decoded]]:
        """The urgent ones, else the oldest; one that ended a process before always by itself."""
        first = next((item for item in self._ready if item[0].urgent), self._ready[0])
        if first[0].alone:
            batch = [first]
        else:
            alike = [
                item
                for item in self._ready
                if item[0].urgent == first[0].urgent and not item[0].alone
            ]
            batch = alike[: self._request.micro_batch]
        taken = {order.key for order, _ in batch}
        self._ready = [item for item in self._ready if item[0].key not in taken]
        return batch

    def _tidy_up(self) -> None:
        """Give back what the last images needed, once, when nothing has come for a moment."""
        if not self._tidy and not self._orders and time.monotonic() - self._worked_at > _IDLE_S:
            self._tidy = True
            trim_heap()

    def _label(self, batch: list[tuple[Order, Decoded]]) -> None:
        panel = self._session.panel
        self._tidy = False
        start = time.perf_counter()
        for place, (order, _) in enumerate(batch, start=1):
            self._clock[place] = order.key
        self._clock[0] = len(batch)
        pixels = {
            size: np.stack([decoded.pixels[size] for _, decoded in batch])
            for size in panel.decode_sizes
        }
        ran = self._session.report.ran
        answers = self._session.predict(pixels, maps=self._request.cams)
        report = self._session.report
        if report.ran != ran:  # an accelerator was given up: say what runs now
            self._connection.send(Loaded(report.ran, report.reason))
        self._clock[0] = 0
        share = (time.perf_counter() - start) / len(batch)
        for (order, decoded), answer in zip(batch, answers, strict=True):
            # The window draws no mask yet: 64 KB a film that nobody would look at.
            result = replace(case_result(decoded, answer, panel), lungs_mask=None)
            self._send(order, result, decoded, share)
        self._worked_at = time.monotonic()

    def _send(self, order: Order, result: CaseResult, decoded: Decoded, share: float) -> None:
        self._connection.send(CaseAnswer(order.key, result, decoded.seconds + share))
