"""The nouns of a review: prediction, verdict, case. Frozen data, no behaviour that needs a model."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """

    model: str
    probabilities: tuple[float, ...]
    ood_score: float | None = None
    cams: npt.NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

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
    """

    consensus: int | None
    agreement: int
    votes: tuple[int | None, ...]
    mean_probabilities: tuple[float, ...]
    entropy: float
    ood_score: float | None
    ood: bool


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
    """

    image: str
    sha256: str
    status: Literal["ok", "failed"]
    code: str = ""
    reason: str = ""
    predictions: tuple[Prediction, ...] = ()
    verdict: Verdict | None = None
