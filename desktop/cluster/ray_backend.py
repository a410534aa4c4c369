"""Parts through Ray Data: one actor loads the models once and labels part after part.

The only module that knows Ray. It is imported by name and not by an import statement, so that
neither the packaged app nor a plain installation needs it.

A lost node costs time and nothing else. Ray restarts its actors elsewhere and repeats the parts
they had in hand; where it cannot, a new round is begun with what is missing. What a part's file
holds does not depend on who wrote it or how often.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from desktop.cluster.partition import Part
from desktop.cluster.worker import Job, PartLabeller, PartReport
from desktop.core.errors import CxrError, UsageError
from desktop.core.system.cancel_token import CancelToken

ROUND_PARTS = 20_000
"""Parts that Ray is told of at once: bounds the memory of the machine that started the run."""
ROUNDS_WITHOUT_PROGRESS = 3
_LOOK_S = 0.25
_NODES_S = 2.0


@dataclass(frozen=True)
class ClusterSettings:
    """How Ray is used.

    Attributes:
        address: Address of a running cluster; empty = ``RAY_ADDRESS``, else Ray on this machine.
        actors: Most workers at once; None = as many as there is room for now.
        stall_seconds: A round in which no part is finished for so long is given up and what is
            missing begun again.
    """

    address: str = ""
    actors: int | None = None
    stall_seconds: float = 1800.0


def require_ray() -> None:
    """Say before any work that Ray is not installed.

    Raises:
        UsageError: CLUSTER-01.
    """
    if importlib.util.find_spec("ray") is None:
        raise UsageError(
            "CLUSTER-01",
            "--engine ray needs the package ray, which is not installed. Install it on every node "
            "with pip install 'cxr-quorum[cluster]', or leave --engine out.",
        )


class RayCluster:
    """A connection to a cluster. Use as a context manager.

    Args:
        settings: How Ray is used.
        on_notice: Called with a sentence when something happens that a person wants to know.

    Raises:
        UsageError: CLUSTER-01 where Ray is not installed.
        CxrError: CLUSTER-02 where the cluster cannot be reached.
    """

    def __init__(self, settings: ClusterSettings, on_notice: Callable[[str], object]) -> None:
        require_ray()
        self._settings = settings
        self._say = on_notice
        self._lost: set[str] = set()
        self._ray = _quiet_ray()
        self._ours = not self._ray.is_initialized()
        if self._ours:
            self._connect()
        self._look_at_nodes(tell=False)  # those of earlier runs are no news

    @property
    def cores(self) -> int:
        """Processor cores that Ray has to give."""
        return int(self._ray.cluster_resources().get("CPU", 0))

    @property
    def gpus(self) -> int:
        """Graphics processors that Ray has to give."""
        return int(self._ray.cluster_resources().get("GPU", 0))

    def slots(self, job: Job) -> int:
        """Workers that there is room for now."""
        room = max(1, self.cores // job.threads)
        if _gpus(job):
            room = max(1, min(room, self.gpus))
        return min(room, self._settings.actors or room)

    def label(self, job: Job, parts: Sequence[Part], token: CancelToken) -> Iterator[PartReport]:
        """Label parts, each reported once, in any order.

        Raises:
            CxrError: What ends the run, such as a part that cannot be written; CLUSTER-04 where
                parts cannot be finished however often they are begun.
        """
        missing = {part.key: part for part in parts}
        fruitless = 0
        while missing and not token.cancelled:
            before = len(missing)
            for report in self._round(job, list(missing.values())[:ROUND_PARTS], token):
                if report.problem is not None:
                    raise CxrError(*report.problem)
                if report.images and missing.pop(report.key, None) is not None:
                    yield report
            fruitless = 0 if len(missing) < before else fruitless + 1
            if fruitless >= ROUNDS_WITHOUT_PROGRESS:
                raise CxrError(
                    "CLUSTER-04",
                    f"{len(missing):,} parts could not be finished, {fruitless} times in a row; "
                    "what is finished is kept. Look at the nodes' memory and at Ray's own logs, "
                    "then give the same command again.",
                )

    def __enter__(self) -> RayCluster:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ours:
            self._ray.shutdown()

    def _connect(self) -> None:
        address = self._settings.address or os.environ.get("RAY_ADDRESS") or None
        local: dict[str, Any] = {} if address else {"include_dashboard": False}
        try:
            with _silent_standard_error():
                self._ray.init(
                    address=address,
                    logging_level=logging.ERROR,
                    log_to_driver=False,
                    configure_logging=True,
                    **local,
                )
        except Exception as error:  # Ray has no common base class for these
            raise CxrError(
                "CLUSTER-02",
                f"The Ray cluster at {address or 'this machine'} cannot be reached "
                f"({type(error).__name__}). Check the address and that ray start was run there "
                "with the same versions of Ray and Python.",
            ) from error

    def _reconnect(self) -> None:
        """End every worker of this run, also those that Ray still waits for."""
        if self._ours:
            self._ray.shutdown()
            self._connect()

    def _round(self, job: Job, parts: Sequence[Part], token: CancelToken) -> Iterator[PartReport]:
        """One pass of Ray Data over these parts; ends early where nothing moves any more.

        Ray Data is driven on a thread of its own, so that this one can look at signals and nodes.
        """
        answers: queue.SimpleQueue[PartReport | BaseException | None] = queue.SimpleQueue()
        data = self._data(job, self._ray.put(job), parts)

        def drive() -> None:
            try:
                for row in data.iter_rows():
                    answers.put(PartReport.from_json(row["report"]))
            except BaseException as error:
                answers.put(error)
            answers.put(None)

        threading.Thread(target=drive, name="ray-data", daemon=True).start()
        moved = looked = time.monotonic()
        skipped = 0
        while True:
            now = time.monotonic()
            if now - looked > _NODES_S:
                looked = now
                self._look_at_nodes()
            try:
                answer = answers.get(timeout=_LOOK_S)
            except queue.Empty:
                if now - moved < self._settings.stall_seconds:
                    continue
                self._say("No part was finished for a long time; what is missing is begun again.")
                self._reconnect()
                return
            moved = time.monotonic()
            if answer is None:
                return
            if isinstance(answer, BaseException):
                if isinstance(answer, Exception):
                    # Without the error's text, which may hold file names.
                    self._say(f"Ray stopped a round ({type(answer).__name__}).")
                    return
                raise answer
            skipped += not answer.images
            if token.cancelled and skipped >= 2 * self.slots(job):
                return  # every worker has seen that the run is to stop
            yield answer

    def _data(self, job: Job, reference: Any, parts: Sequence[Part]) -> Any:
        data: Any = importlib.import_module("ray.data")
        room = min(self.slots(job), len(parts))
        items = [
            {"key": part.key, "start": part.start, "end": part.end, "count": part.count}
            for part in parts
        ]
        return data.from_items(items, override_num_blocks=len(items)).map_batches(
            PartWorker,
            fn_constructor_args=(_Late(reference),),
            batch_size=1,
            batch_format="numpy",
            num_cpus=job.threads,
            num_gpus=_gpus(job) or None,
            compute=data.ActorPoolStrategy(
                min_size=1,
                initial_size=room,
                max_size=min(len(parts), max(room, self._settings.actors or 0)),
                # One waits at the worker, so that it never idles between two parts.
                max_tasks_in_flight_per_actor=2,
            ),
        )

    def _look_at_nodes(self, *, tell: bool = True) -> None:
        with contextlib.suppress(Exception):  # only to tell; the run does not depend on it
            for node in self._ray.nodes():
                if not node["Alive"] and node["NodeID"] not in self._lost:
                    self._lost.add(node["NodeID"])
                    if tell:
                        self._say("A node was lost. Its parts go to the others; nothing is lost.")


class PartWorker:
    """What Ray Data runs on a node: a loaded panel, called with a part at a time."""

    def __init__(self, job: _Late) -> None:
        # A refusal is an answer: raised here, Ray would try the same node for ever.
        self._problem: tuple[str, str] | None = None
        try:
            self._labeller = PartLabeller(job.get())
        except CxrError as problem:
            self._problem = (problem.code, str(problem))

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """One report, as JSON, for each part of the batch."""
        columns = (batch["key"], batch["start"], batch["end"], batch["count"])
        reports = [
            self._label(Part(str(key), int(start), int(end), int(count))).to_json()
            for key, start, end, count in zip(*columns, strict=True)
        ]
        return {"report": np.array(reports, dtype=object)}

    def _label(self, part: Part) -> PartReport:
        if self._problem is not None:
            return PartReport(part.key, problem=self._problem)
        try:
            return self._labeller.label(part)
        except CxrError as problem:
            return PartReport(part.key, problem=(problem.code, str(problem)))


class _Late:
    """A reference that Ray does not look into: the job's models travel once to a node."""

    def __init__(self, reference: Any) -> None:
        self._reference = reference

    def get(self) -> Job:
        ray: Any = importlib.import_module("ray")
        job: Job = ray.get(self._reference)
        return job


def _gpus(job: Job) -> int:
    return 1 if job.device in ("cuda", "tensorrt") else 0


@contextlib.contextmanager
def _silent_standard_error() -> Iterator[None]:
    """Ray's C++ parts say there how they log; only the file descriptor itself stops them."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _quiet_ray() -> Any:
    """Ray and Ray Data without usage reports, progress bars and talk on standard error."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Else its C++ parts write their opinion between our words.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    ray: Any = importlib.import_module("ray")
    data: Any = importlib.import_module("ray.data")
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # Actors of nodes that are short of memory may die while they load; others go on.
    context.max_consecutive_actor_init_deaths = 20
    # Our own watch over rounds decides, because a part may take long on a slow node.
    context.execution_no_progress_timeout_s = -1
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    return ray
