"""All cases of an opened folder in columns: 100,000 of them filter and sort in milliseconds.

One row an image, one numpy array a property. The table belongs to one thread (the controller's);
values only come in through its methods, the arrays it gives out are read-only views. A row keeps
its number for the life of the table, so a list model may hold row numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.cases import LABEL_SOURCES, OPEN, REVIEW_STATES, CaseResult, Decision
from desktop.core.system.text import natural_key, path_bytes

WAITING, READ, FAILED = 0, 1, 2
NONE = -1  # no label, no consensus, no answer, no group
FOREIGN = -2  # a label that is no class of this panel (an older vocabulary)

Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.signedinteger[Any]]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ResultColumns:
    """Many results at once, as the store keeps them: N rows, M models in panel order, K classes.

    Attributes:
        images: N paths.
        sha256: N content hashes, empty where unknown.
        status: int8 [N], READ or FAILED.
        probabilities: float64 [N, M, K], NaN where a model gave no answer.
        model_ood: float64 [N, M], NaN where a model gives none.
        consensus: int16 [N], NONE where there is none.
        agreement: int16 [N].
        mean_probabilities: float64 [N, K], NaN where nobody answered.
        entropy: float64 [N], bits, NaN where there is no verdict.
        ood_score: float64 [N], NaN where there is none.
        ood: bool [N].
        none_score: float64 [N], NaN where there is none.
        none_of_these: bool [N].
        refusals: Image -> (code, sentence) where there is one.
    """

    images: Sequence[str]
    sha256: Sequence[str]
    status: npt.NDArray[np.int8]
    probabilities: Floats
    model_ood: Floats
    consensus: npt.NDArray[np.int16]
    agreement: npt.NDArray[np.int16]
    mean_probabilities: Floats
    entropy: Floats
    ood_score: Floats
    ood: Bools
    none_score: Floats
    none_of_these: Bools
    refusals: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class SafetyRule:
    """Which unanimous, confident normals are looked at although nothing asks for it.

    Attributes:
        share: Share of them to take, 0 to 1; 0 takes none.
        confidence: Mean probability of the normal class from which on one counts as confident.
        seed: Another seed is another sample.
    """

    share: float = 0.0
    confidence: float = 0.9
    seed: str = ""


class CaseTable:
    """The columns; see the module text.

    Args:
        class_names: Panel's classes, K of them.
        model_names: Panel's models in panel order, M of them.

    Attributes:
        images: Path of each row, relative to the opened folder.
        safety_rule: What ``is:safety`` finds.
    """

    def __init__(self, class_names: Sequence[str], model_names: Sequence[str]) -> None:
        self.class_names = tuple(class_names)
        self.model_names = tuple(model_names)
        self.images: list[str] = []
        self.safety_rule = SafetyRule()
        self._rows: dict[str, int] = {}
        self._sha256: dict[int, str] = {}
        self._decisions: dict[int, Decision] = {}
        self._refusals: dict[int, tuple[str, str]] = {}
        self._classes = {name: index for index, name in enumerate(class_names)}
        self._lower_names: list[str] = []
        self._conflicting: Bools | None = None
        self._name_ranks: npt.NDArray[np.intp] | None = None
        self._name_shares: tuple[str, Floats] = ("", np.empty(0))
        models, classes = len(self.model_names), len(self.class_names)
        self._blank: dict[str, tuple[Any, tuple[int, ...], Any]] = {
            "status": (np.int8, (), WAITING),
            "state": (np.int8, (), 0),
            "label": (np.int16, (), NONE),
            "blind_label": (np.int16, (), NONE),
            "source": (np.int8, (), 0),
            "flagged": (np.bool_, (), False),
            "commented": (np.bool_, (), False),
            "votes_seen": (np.bool_, (), False),
            "changed": (np.bool_, (), False),
            "missing": (np.bool_, (), False),
            "duplicate_group": (np.int32, (), NONE),
            "votes": (np.int16, (models,), NONE),
            "probabilities": (np.float64, (models, classes), np.nan),
            "mean_probabilities": (np.float64, (classes,), np.nan),
            "consensus": (np.int16, (), NONE),
            "agreement": (np.int16, (), 0),
            "split": (np.int64, (), 0),
            "entropy": (np.float64, (), np.nan),
            "ood_score": (np.float64, (), np.nan),
            "ood": (np.bool_, (), False),
            "none_score": (np.float64, (), np.nan),
            "none_of_these": (np.bool_, (), False),
        }
        self._columns: dict[str, npt.NDArray[Any]] = {
            name: np.full((0, *shape), blank, dtype)
            for name, (dtype, shape, blank) in self._blank.items()
        }

    def __len__(self) -> int:
        return len(self.images)

    # rows ------------------------------------------------------------------------------------

    def row(self, image: str) -> int | None:
        """Row of an image, None where the table does not have it."""
        return self._rows.get(image)

    def add_images(self, images: Iterable[str]) -> range:
        """Append images that are not there yet; gives the new rows."""
        first = len(self.images)
        for image in images:
            if image not in self._rows:
                self._rows[image] = len(self.images)
                self.images.append(image)
                self._lower_names.append(image.casefold())
        self._grow(len(self.images))
        self._name_ranks = None
        return range(first, len(self.images))

    def _grow(self, needed: int) -> None:
        capacity = len(self._columns["status"])
        if needed <= capacity:
            return
        # Doubling keeps 100,000 images added in small batches linear.
        size = max(1024, needed, 2 * capacity)
        for name, (dtype, shape, blank) in self._blank.items():
            grown = np.full((size, *shape), blank, dtype)
            grown[:capacity] = self._columns[name]
            self._columns[name] = grown

    def only(self, rows: Sequence[int] | npt.NDArray[np.intp]) -> CaseTable:
        """A new table with these rows, in this order, e.g. for a report on a filter."""
        chosen = [int(row) for row in rows]
        table = CaseTable(self.class_names, self.model_names)
        table.safety_rule = self.safety_rule
        table.add_images(self.images[row] for row in chosen)
        for name, column in self._columns.items():
            table._columns[name][: len(chosen)] = column[chosen]
        for new, old in enumerate(chosen):
            if old in self._sha256:
                table._sha256[new] = self._sha256[old]
            if old in self._decisions:
                table._decisions[new] = self._decisions[old]
            if old in self._refusals:
                table._refusals[new] = self._refusals[old]
        return table

    # columns ---------------------------------------------------------------------------------

    def column(self, name: str) -> npt.NDArray[Any]:
        """A read-only view of one column, first axis = rows.

        Names and types: ``status`` (WAITING, READ, FAILED), ``state`` (index in REVIEW_STATES),
        ``label``, ``blind_label``, ``consensus`` (class index, NONE, FOREIGN), ``source`` (index in
        LABEL_SOURCES), ``flagged``, ``commented``, ``votes_seen``, ``changed``, ``missing``,
        ``ood``, ``none_of_these`` (bool), ``duplicate_group`` (int, NONE), ``votes`` [n, M],
        ``probabilities`` [n, M, K], ``mean_probabilities`` [n, K], ``agreement``, ``split`` (see
        `split_code`), ``entropy``, ``ood_score``, ``none_score`` (NaN where unknown).

        Raises:
            KeyError: There is no such column.
        """
        view = self._columns[name][: len(self.images)]
        view.flags.writeable = False
        return view

    def flags(self, name: str) -> Bools:
        """A column of bool, as `column`."""
        return self.column(name)

    def codes(self, name: str) -> Integers:
        """A column of integers, as `column`."""
        return self.column(name)

    def numbers(self, name: str) -> Floats:
        """A column of float64, as `column`."""
        return self.column(name)

    @property
    def lower_names(self) -> Sequence[str]:
        """Case-folded paths, for text search."""
        return self._lower_names

    def name_ranks(self) -> npt.NDArray[np.intp]:
        """Rank of each row in natural name order (``scan_2`` before ``scan_10``)."""
        if self._name_ranks is None:
            order = sorted(range(len(self.images)), key=lambda row: natural_key(self.images[row]))
            ranks = np.empty(len(order), np.intp)
            ranks[order] = np.arange(len(order))
            self._name_ranks = ranks
        return self._name_ranks

    def name_shares(self, seed: str) -> Floats:
        """A number in [0, 1) for each row that depends on nothing but its name and the seed."""
        known_seed, known = self._name_shares
        if known_seed != seed:
            known = np.empty(0)
        fresh = [name_share(seed, image) for image in self.images[len(known) :]]
        self._name_shares = seed, np.concatenate([known, fresh]) if fresh else known
        return self._name_shares[1]

    # results ---------------------------------------------------------------------------------

    def set_result(self, result: CaseResult) -> int:
        """Put in what became of one image (added if it is new); gives its row."""
        row = self._row_of(result.image)
        columns = self._columns
        self._sha256[row] = result.sha256
        for name in ("votes", "probabilities", "mean_probabilities", "consensus", "agreement"):
            columns[name][row] = self._blank[name][2]
        for name in ("split", "entropy", "ood_score", "ood", "none_score", "none_of_these"):
            columns[name][row] = self._blank[name][2]
        if result.code:
            # Also a case that was read can carry one: a model of the panel gave no answer.
            self._refusals[row] = (result.code, result.reason)
        else:
            self._refusals.pop(row, None)
        if result.status == "failed":
            columns["status"][row] = FAILED
            return row
        columns["status"][row] = READ
        for prediction in result.predictions:
            model = self.model_names.index(prediction.model)
            columns["probabilities"][row, model] = prediction.probabilities
        verdict = result.verdict
        if verdict is not None:
            columns["votes"][row] = [NONE if vote is None else vote for vote in verdict.votes]
            columns["consensus"][row] = NONE if verdict.consensus is None else verdict.consensus
            columns["agreement"][row] = verdict.agreement
            columns["mean_probabilities"][row] = verdict.mean_probabilities or np.nan
            columns["entropy"][row] = verdict.entropy
            columns["ood_score"][row] = np.nan if verdict.ood_score is None else verdict.ood_score
            columns["ood"][row] = verdict.ood
            columns["none_score"][row] = (
                np.nan if verdict.none_score is None else verdict.none_score
            )
            columns["none_of_these"][row] = verdict.none_of_these
            columns["split"][row] = split_codes(
                columns["votes"][row][np.newaxis], len(self.class_names)
            )[0]
        return row

    def set_results(self, results: ResultColumns) -> None:
        """Put in many results at once, as the store gives them; unknown images are added."""
        self.add_images(results.images)
        rows = np.fromiter(
            (self._rows[image] for image in results.images), np.intp, len(results.images)
        )
        columns = self._columns
        for name in ("status", "probabilities", "mean_probabilities", "consensus", "agreement"):
            columns[name][rows] = getattr(results, name)
        for name in ("entropy", "ood_score", "ood", "none_score", "none_of_these"):
            columns[name][rows] = getattr(results, name)
        answered = ~np.isnan(results.probabilities).any(axis=2)
        votes = np.where(
            answered, np.nan_to_num(results.probabilities, nan=-1.0).argmax(axis=2), NONE
        ).astype(np.int16)
        columns["votes"][rows] = votes
        columns["split"][rows] = split_codes(votes, len(self.class_names))
        self._sha256.update(zip(rows.tolist(), results.sha256, strict=True))
        for image, refusal in results.refusals.items():
            self._refusals[self._rows[image]] = refusal

    def refusal(self, row: int) -> tuple[str, str]:
        """(code, sentence) of a failed image or a missing vote, else empty strings."""
        return self._refusals.get(row, ("", ""))

    def refusals(self) -> Mapping[int, tuple[str, str]]:
        """Row -> (code, sentence) of every row that has one."""
        return self._refusals

    def sha256(self, row: int) -> str:
        """Content hash, empty where it is not known yet."""
        return self._sha256.get(row, "")

    def hashes(self) -> Mapping[int, str]:
        """Row -> content hash of every row that has one."""
        return self._sha256

    # decisions -------------------------------------------------------------------------------

    def decision(self, row: int) -> Decision:
        """The decision on one row, `cases.OPEN` where there is none."""
        return self._decisions.get(row, OPEN)

    def decided(self) -> Mapping[int, Decision]:
        """Row -> decision of every row that has one."""
        return self._decisions

    def set_decision(self, image: str, decision: Decision) -> int:
        """Put in a decision as the store gave it back; gives the row."""
        self.set_decisions({image: decision})
        return self._rows[image]

    def set_decisions(self, decisions: Mapping[str, Decision]) -> None:
        """Put in many decisions; unknown images are added."""
        self.add_images(decisions)
        rows = [self._rows[image] for image in decisions]
        given = list(decisions.values())
        self._decisions.update(zip(rows, given, strict=True))
        self._conflicting = None
        columns = self._columns
        states = {state: index for index, state in enumerate(REVIEW_STATES)}
        sources = {source: index for index, source in enumerate(LABEL_SOURCES)}
        columns["state"][rows] = [states[item.state] for item in given]
        columns["label"][rows] = [self._class_index(item.label) for item in given]
        columns["blind_label"][rows] = [self._class_index(item.blind_label) for item in given]
        columns["source"][rows] = [sources[item.label_source] for item in given]
        columns["flagged"][rows] = [item.flagged for item in given]
        columns["commented"][rows] = [bool(item.comment) for item in given]
        columns["votes_seen"][rows] = [item.votes_seen for item in given]
        columns["changed"][rows] &= np.array([not item.reviewed for item in given], np.bool_)

    # marks -----------------------------------------------------------------------------------

    def mark(self, name: str, rows: Iterable[int], value: bool = True) -> None:
        """Set ``changed`` or ``missing`` on some rows.

        Raises:
            KeyError: Any other column.
        """
        if name not in {"changed", "missing"}:
            raise KeyError(name)
        self._columns[name][np.fromiter(rows, np.intp)] = value

    def set_duplicate_groups(self, groups: Mapping[int, int]) -> None:
        """Row -> group number for images that have a near-duplicate; all others lose theirs."""
        self._conflicting = None
        column = self._columns["duplicate_group"]
        column[:] = NONE
        rows = np.fromiter(groups.keys(), np.intp, len(groups))
        column[rows] = np.fromiter(groups.values(), np.int32, len(groups))

    def copies(self, row: int) -> list[int]:
        """The other rows that are nearly the same film, in table order."""
        column = self.codes("duplicate_group")
        if column[row] == NONE:
            return []
        return [other for other in np.flatnonzero(column == column[row]).tolist() if other != row]

    def conflicting(self) -> Bools:
        """Decided rows with a near-duplicate that was decided differently, bool [n].

        Flags and comments do not count; unsure differs from every label.
        """
        if self._conflicting is not None and len(self._conflicting) == len(self):
            return self._conflicting
        group, said = self.codes("duplicate_group"), self.codes("label").astype(np.int64)
        rows = np.flatnonzero((group != NONE) & (self.codes("state") != 0))
        found = np.zeros(len(self), np.bool_)
        _, inverse = np.unique(group[rows], return_inverse=True)
        low = np.full(len(rows), np.iinfo(np.int64).max)
        high = np.full(len(rows), np.iinfo(np.int64).min)
        np.minimum.at(low, inverse, said[rows])
        np.maximum.at(high, inverse, said[rows])
        found[rows] = (low < high)[inverse]
        found.flags.writeable = False
        # Every painted row asks; it changes only with a decision or a search.
        self._conflicting = found
        return found

    def _row_of(self, image: str) -> int:
        row = self._rows.get(image)
        return self.add_images((image,)).start if row is None else row

    def _class_index(self, class_name: str | None) -> int:
        return NONE if class_name is None else self._classes.get(class_name, FOREIGN)


def name_share(seed: str, image: str) -> float:
    """A number in [0, 1) that depends on nothing but its arguments."""
    digest = hashlib.blake2b(path_bytes(f"{seed}\n{image}"), digest_size=7).digest()
    return int.from_bytes(digest, "big") / 2.0**56


def split_codes(votes: npt.NDArray[np.int16], class_count: int) -> npt.NDArray[np.int64]:
    """How each row's votes divide, as one number that `split_text` reads.

    Args:
        votes: int16 [n, M] class indices, NONE for no answer.
        class_count: K.

    Returns:
        int64 [n]: group sizes from the largest, one hexadecimal digit each (0x31 for 3-1), so
        panels of up to 15 models; 0 where nobody voted.
    """
    counts = np.stack([(votes == index).sum(axis=1) for index in range(class_count)], axis=1)
    counts = np.sort(np.minimum(counts, 15), axis=1)[:, ::-1].astype(np.int64)
    codes = np.zeros(len(votes), np.int64)
    for column in counts.T[:15]:
        codes = np.where(column > 0, codes * 16 + column, codes)
    return codes


def split_text(code: int) -> str:
    """Words for a split: ``4``, ``3-1``, ``2-1-1``; empty where nobody voted."""
    return "-".join(str(int(digit, 16)) for digit in f"{code:x}") if code else ""


def split_code(text: str) -> int:
    """The reverse of `split_text`; the order of the groups does not matter.

    Raises:
        ValueError: Not group sizes between 1 and 15.
    """
    sizes = sorted((int(part) for part in text.split("-")), reverse=True)
    if not all(1 <= size <= 15 for size in sizes):
        raise ValueError(f"{text!r} is not a split")
    return int("".join(f"{size:x}" for size in sizes), 16)
