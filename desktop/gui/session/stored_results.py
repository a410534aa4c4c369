"""What earlier days left in the review store, put into the table as files are found again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from desktop.core.cases import CaseResult
from desktop.core.review.case_table import ResultColumns
from desktop.core.store.review_store import ReviewStore
from desktop.gui.session.session import Session


class StoredResults:
    """Predictions and decisions of a store, by image.

    An answer counts only if the file still has the size and time it had then; a decision stays with
    its image in any case, and the store tells which files changed after they were decided.
    """

    def __init__(self, store: ReviewStore) -> None:
        self._store = store
        self._decisions = store.decisions()
        self._finished = store.finished()
        self._columns = store.result_columns()
        self._index_of = {image: index for index, image in enumerate(self._columns.images)}
        self._changed = store.changed_files()
        self._with_maps: tuple[str, CaseResult | None] = ("", None)

    def fill(self, session: Session, cases: Sequence[int]) -> None:
        """Put what is known of newly listed cases into the table."""
        table = session.table
        indices, changed, decisions = [], [], {}
        for case in cases:
            image = table.images[case]
            index = self._index_of.get(image)
            if index is not None and self._finished.get(image) == session.stamps[case]:
                indices.append(index)
            decision = self._decisions.get(image)
            if decision is not None:
                decisions[image] = decision
            if image in self._changed:
                changed.append(case)
        if decisions:
            table.set_decisions(decisions)
        if indices:
            table.set_results(_taken(self._columns, indices))
        if changed:
            table.mark("changed", changed)

    def with_maps(self, image: str) -> CaseResult | None:
        """A stored answer with its heatmaps as far as they are kept; None without an answer."""
        if self._with_maps[0] != image:
            self._with_maps = (image, self._store.case_result(image, maps=True))
        return self._with_maps[1]


def _taken(columns: ResultColumns, indices: Sequence[int]) -> ResultColumns:
    """The rows of ``columns`` at these indices."""
    rows = np.asarray(indices, np.intp)
    images = [columns.images[index] for index in indices]
    wanted = set(images) & columns.refusals.keys()
    return ResultColumns(
        images=images,
        sha256=[columns.sha256[index] for index in indices],
        status=columns.status[rows],
        probabilities=columns.probabilities[rows],
        model_ood=columns.model_ood[rows],
        consensus=columns.consensus[rows],
        agreement=columns.agreement[rows],
        mean_probabilities=columns.mean_probabilities[rows],
        entropy=columns.entropy[rows],
        ood_score=columns.ood_score[rows],
        ood=columns.ood[rows],
        none_score=columns.none_score[rows],
        none_of_these=columns.none_of_these[rows],
        refusals={image: columns.refusals[image] for image in wanted},
    )
