"""The order of work: next unreviewed, the safety sample, progress and pace. Pure functions.

The safety sample answers the danger of reading only what the models find hard: a few of the images
on which all models agree, confidently, that they are normal are put among the others. Which ones
is decided by a hash of the image's name, so the sample is the same in every session and does not
change while a batch is still running.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.core.panels.contract import snake_case
from desktop.core.review.case_table import FAILED, CaseTable

Rows = npt.NDArray[np.intp]
NORMAL = "normal"
# A break is no reading time: gaps above this do not count into the pace.
_PAUSE_SECONDS = 300.0
_RECENT = 50  # decisions that the pace is of


def waits_for_review(table: CaseTable) -> npt.NDArray[np.bool_]:
    """Rows that a person still has to decide on: open, and not failed. bool [n]."""
    still_open: npt.NDArray[np.bool_] = table.codes("state") == 0
    failed: npt.NDArray[np.bool_] = table.codes("status") == FAILED
    return still_open & ~failed


def next_unreviewed(
    order: Rows, waiting: npt.NDArray[np.bool_], current: int | None, *, backward: bool = False
) -> int | None:
    """The next row of the shown order that waits for review, going round at the end.

    Args:
        order: Shown rows, in order, intp [m].
        waiting: Whether a row waits, bool [n], as from `waits_for_review`.
        current: Row on the screen; None, or one that is not shown, begins at the start.
        backward: Look for the previous one.

    Returns:
        The row, None where nothing but possibly the current one waits.
    """
    here = np.flatnonzero(order == current) if current is not None else np.empty(0, np.intp)
    position = int(here[0]) if len(here) else (len(order) if backward else -1)
    found = np.flatnonzero(waiting[order])
    found = found[found != position]
    if not len(found):
        return None
    if backward:
        before = found[found < position]
        return int(order[before[-1] if len(before) else found[-1]])
    after = found[found > position]
    return int(order[after[0] if len(after) else found[0]])


def safety_sample(table: CaseTable) -> Rows:
    """Rows of the safety sample by ``table.safety_rule``, in table order.

    None where the panel has no class called normal.
    """
    rule = table.safety_rule
    normal = [snake_case(name) for name in table.class_names]
    if NORMAL not in normal or rule.share <= 0:
        return np.empty(0, np.intp)
    index = normal.index(NORMAL)
    unanimous = (table.codes("votes") == index).all(axis=1)
    certain = table.numbers("mean_probabilities")[:, index] >= rule.confidence
    chosen = table.name_shares(rule.seed) < rule.share
    return np.flatnonzero(unanimous & certain & chosen)


@dataclass(frozen=True)
class Progress:
    """How far the review is.

    Attributes:
        total: Images that can be reviewed (all but the failed ones).
        labelled: With a label.
        unsure: Marked unsure.
        flagged: Flagged, whatever their state.
        failed: That could not be used.
    """

    total: int
    labelled: int
    unsure: int
    flagged: int
    failed: int

    @property
    def reviewed(self) -> int:
        """Labelled or unsure."""
        return self.labelled + self.unsure


def progress(table: CaseTable) -> Progress:
    """Count where the cases stand; a decision on a failed image does not count as work done."""
    failed: npt.NDArray[np.bool_] = table.codes("status") == FAILED
    state = table.codes("state")[~failed]
    return Progress(
        total=len(state),
        labelled=int((state == 1).sum()),
        unsure=int((state == 2).sum()),
        flagged=int(table.flags("flagged").sum()),
        failed=int(failed.sum()),
    )


@dataclass(frozen=True)
class Pace:
    """How fast the reader decides.

    Attributes:
        images_per_hour: Over the recent decisions, without breaks.
        seconds_left: For the images that wait, at this pace.
    """

    images_per_hour: float
    seconds_left: float


def pace(reviewed_at: Iterable[str], waiting: int) -> Pace | None:
    """Pace of the latest decisions.

    Args:
        reviewed_at: ISO 8601 UTC times of decisions, any order; empty ones are passed over.
        waiting: Images that still wait.

    Returns:
        None where fewer than three decisions in a row tell nothing yet.
    """
    moments = sorted(datetime.datetime.fromisoformat(at).timestamp() for at in reviewed_at if at)[
        -_RECENT:
    ]
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    # A bulk action gives many images one time; that is no reading either.
    gaps = [gap for gap in gaps if 0 < gap <= _PAUSE_SECONDS]
    if len(gaps) < 2:
        return None
    seconds = sum(gaps) / len(gaps)
    return Pace(3600 / seconds, waiting * seconds)
