"""The nouns of a review: prediction, verdict, case, decision.

Frozen data, no behaviour that needs a model.
"""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Prediction:
    """One model's answer for one radiograph.

    Attributes:
        model: Model name, e.g. ``scnn``.
        probabilities: K calibrated probabilities in panel class order, sum 1.
        ood_score: Distance from the training images, 1.0 = limit of the model; None if not given.
        cams: Grad-CAM maps float32 [K, h, w], non-negative, not rescaled; None where not asked for.
        none_of_these: How much the film looks like none of the classes, 0 to 1; None if not given.
    """

    model: str
    probabilities: tuple[float, ...]
    ood_score: float | None = None
    cams: npt.NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    none_of_these: float | None = None

    @property
    def vote(self) -> int:
        """Index of the most probable class; the first of equals."""
        return max(range(len(self.probabilities)), key=lambda index: self.probabilities[index])


@dataclass(frozen=True)
class Verdict:
    """What the panel says together.

    Attributes:
        consensus: Class index with a strict majority of the panel's models, None = no consensus.
        agreement: Number of models behind the most voted class, 0 where none answered.
        votes: Class index of each model in panel order; None where a model gave no answer.
        mean_probabilities: Mean over the models that answered, K values.
        entropy: Shannon entropy of the mean probabilities, in bits.
        ood_score: Mean of the models' scores, None where no model gives one.
        ood: True where ``ood_score`` is above the panel's limit.
        none_score: Mean of the models' ``none_of_these``, None where no model gives one.
        none_of_these: True where ``none_score`` is above the panel's limit: the vote stays one of
            the classes, but must not be accepted as it is.
    """

    consensus: int | None
    agreement: int
    votes: tuple[int | None, ...]
    mean_probabilities: tuple[float, ...]
    entropy: float
    ood_score: float | None
    ood: bool
    none_score: float | None = None
    none_of_these: bool = False


@dataclass(frozen=True)
class CaseResult:
    """What became of one file: four predictions and a verdict, or the reason why not.

    Attributes:
        image: Path relative to the opened folder, POSIX separators.
        sha256: Hash of the file's bytes, empty where it could not be read.
        status: ``ok`` or ``failed``.
        code: Code of the refusal, empty where ok.
        reason: Sentence of the refusal, empty where ok.
        predictions: One per model that answered, panel order.
        verdict: None where failed.
        lungs_found: Whether the panel's network for lungs found some; None where the panel has none
            or it gave no answer.
        lungs_mask: Probability of lung float32 [h, w] on the whole film, stretched; None where not
            asked for.
    """

    image: str
    sha256: str
    status: Literal["ok", "failed"]
    code: str = ""
    reason: str = ""
    predictions: tuple[Prediction, ...] = ()
    verdict: Verdict | None = None
    lungs_found: bool | None = None
    lungs_mask: npt.NDArray[np.float32] | None = field(default=None, compare=False, repr=False)


def without_maps(result: CaseResult) -> CaseResult:
    """The same result without its maps, which are a hundred times its size."""
    slim = tuple(replace(prediction, cams=None) for prediction in result.predictions)
    return replace(result, predictions=slim, lungs_mask=None)


ReviewState = Literal["open", "labelled", "unsure"]
LabelSource = Literal["", "own", "consensus"]
REVIEW_STATES: tuple[ReviewState, ...] = ("open", "labelled", "unsure")
LABEL_SOURCES: tuple[LabelSource, ...] = ("", "own", "consensus")

_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


@functools.lru_cache(maxsize=1024)  # opening a large review builds thousands with equal times
def _is_utc(text: str) -> bool:
    return _UTC.fullmatch(text) is not None


@dataclass(frozen=True)
class Decision:
    """What a person decided about one image in one panel's vocabulary.

    Attributes:
        label: Class name, given exactly where ``state`` is ``labelled``. Exports' final label.
        state: ``open`` (not decided), ``labelled`` or ``unsure`` (looked at, cannot tell).
        label_source: ``own`` label, accepted ``consensus``, or empty where there is no label.
        flagged: Marked for a second look; independent of the label.
        comment: Free text, may hold line breaks.
        blind_label: Label given before the votes were shown, None where there was none. Once the
            votes have been seen it no longer follows ``label``.
        votes_seen: The votes for this image have been on the reader's screen. Never back to False.
        reviewer: Who decided, free text, may be empty.
        reviewed_at: Time of the last change by a reader, ISO 8601 UTC such as
            ``2026-11-23T09:30:00Z``; empty where nothing was ever decided.
        revision: The store's number of this change, rising over the whole store; 0 = not stored.

    Raises:
        ValueError: The values contradict each other.
    """

    label: str | None = None
    state: ReviewState = "open"
    label_source: LabelSource = ""
    flagged: bool = False
    comment: str = ""
    blind_label: str | None = None
    votes_seen: bool = False
    reviewer: str = ""
    reviewed_at: str = ""
    revision: int = 0

    def __post_init__(self) -> None:
        if self.state not in REVIEW_STATES or self.label_source not in LABEL_SOURCES:
            raise ValueError(f"unknown review state {self.state!r} or source {self.label_source!r}")
        if (self.state == "labelled") != bool(self.label) or self.label == "":
            raise ValueError(f"state {self.state} does not go with label {self.label!r}")
        if bool(self.label) != bool(self.label_source):
            raise ValueError(f"label {self.label!r} does not go with source {self.label_source!r}")
        if self.blind_label == "":
            raise ValueError("a blind label is a class name or None")
        if self.reviewed_at and not _is_utc(self.reviewed_at):
            raise ValueError(f"{self.reviewed_at!r} is not a time in ISO 8601 UTC")
        if self.revision < 0:
            raise ValueError("revisions count from 0")

    @property
    def reviewed(self) -> bool:
        """Whether a person has come to an end with it, labelled or unsure."""
        return self.state != "open"

    @property
    def flipped(self) -> bool:
        """Whether the reader left the blind label after seeing the votes."""
        return self.blind_label is not None and self.label not in (None, self.blind_label)


OPEN = Decision()


FileStamp = tuple[int, int]
"""Size in bytes and time of the last change in ns since 1970: equal stamps, an unchanged file."""

_INT64 = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One image file as a listing saw it.

    Attributes:
        path: Where it is: the folder as it was given, and the name.
        image: Path relative to the listed folder, POSIX separators, as it goes into the CSV. May
            hold surrogates where the name is not UTF-8; show it through `text.display_name`.
        size: Bytes, -1 where it could not be asked.
        mtime_ns: Time of the last change, ns since 1970 (negative before), -1 where it could not be
            asked. Times that no 64-bit integer holds (year 2262 on, before 1677) are cut to the
            nearest that it does: databases keep nothing larger.
    """

    path: Path
    image: str
    size: int = -1
    mtime_ns: int = -1

    def __post_init__(self) -> None:
        if not -_INT64 <= self.mtime_ns <= _INT64:
            object.__setattr__(self, "mtime_ns", max(-_INT64, min(self.mtime_ns, _INT64)))

    @classmethod
    def found(cls, path: Path, image: str, entry: os.DirEntry[str] | Path) -> ImageFile:
        """The file as it is now, asked through ``entry``; a file that cannot be asked is kept."""
        try:
            status = entry.stat()
        except OSError:
            return cls(path, image)
        return cls(path, image, status.st_size, status.st_mtime_ns)

    @property
    def stamp(self) -> FileStamp:
        return self.size, self.mtime_ns
