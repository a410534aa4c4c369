"""An engine that labels parts in this process: what the cluster does to a part, without Ray."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from desktop.cluster.partition import Part
from desktop.cluster.worker import Job, PartLabeller, PartReport
from desktop.core.system.cancel_token import CancelToken


@dataclass
class InlineEngine:
    """One worker; ``most`` parts, then it stops as a driver that was killed does."""

    most: int | None = None

    def slots(self, job: Job) -> int:
        return 1

    def label(self, job: Job, parts: Sequence[Part], token: CancelToken) -> Iterator[PartReport]:
        with PartLabeller(job) as labeller:
            for part in parts[: self.most]:
                yield labeller.label(part)
