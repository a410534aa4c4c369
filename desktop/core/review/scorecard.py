"""The models' scorecard from the reader's own decisions, and what the votes did to the reader.

The reader's labels are the truth here, which they are only for this reader and this folder. A label
that was accepted from the consensus says little about the models; how many there are is part of the
card, and `TRUTHS` lets the caller leave them out or use the labels given blind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from desktop.core.cases import LABEL_SOURCES
from desktop.core.review.agreement import (
    Estimate,
    Labels,
    Matrix,
    ReliabilityBin,
    accuracy,
    brier_score,
    cohen_kappa,
    confusion_matrix,
    expected_calibration_error,
    fleiss_kappa,
    kappa_with_interval,
    reliability_bins,
    sensitivity,
    specificity,
    wilson,
)
from desktop.core.review.case_table import NONE, CaseTable

Truth = Literal["final", "own", "blind"]
TRUTHS: dict[Truth, str] = {
    "final": "every label, also those accepted from the consensus",
    "own": "labels that were not accepted from the consensus",
    "blind": "labels given before the votes were shown",
}
CONSENSUS = "consensus"


@dataclass(frozen=True)
class Score:
    """One model, or the panel's consensus, against the reader.

    Attributes:
        name: Model name, or ``consensus``.
        n: Labelled cases in which it said something.
        silent: Labelled cases in which it said nothing (no answer, no consensus).
        matrix: Counts [K, K], row = reader, column = model.
        accuracy: With Wilson's interval.
        kappa: Cohen's, with a bootstrap interval.
        sensitivity: For each class, with Wilson's interval.
        specificity: For each class.
        calibration_error: Expected calibration error of the voted class' probability, NaN for none.
        bins: Its reliability bins.
        brier: Brier score over all classes, NaN for none.
    """

    name: str
    n: int
    silent: int
    matrix: Matrix
    accuracy: Estimate
    kappa: Estimate
    sensitivity: tuple[Estimate, ...]
    specificity: tuple[Estimate, ...]
    calibration_error: float
    bins: tuple[ReliabilityBin, ...]
    brier: float


@dataclass(frozen=True)
class BlindReading:
    """What seeing the votes did to labels that were given before.

    Attributes:
        read: Images with a blind label and a final one.
        kept: The final label is the blind one.
        to_consensus: Changed into the consensus.
        from_consensus: The blind label was the consensus and was left.
        elsewhere: Changed, but neither of the two.
        agreed_blind: Share of blind labels that were the consensus, where there is one.
        agreed_final: The same for the final labels of these images.
    """

    read: int
    kept: int
    to_consensus: int
    from_consensus: int
    elsewhere: int
    agreed_blind: Estimate
    agreed_final: Estimate

    @property
    def flips(self) -> int:
        """Labels changed after the votes had been seen."""
        return self.read - self.kept


@dataclass(frozen=True)
class Scorecard:
    """Everything about one folder.

    Attributes:
        class_names: K classes.
        truth: Which labels were taken as the truth.
        labelled: Images with such a label.
        accepted: Labels among them that were accepted from the consensus.
        scores: The models in panel order, then the consensus.
        models_kappa: Fleiss' kappa of the models among themselves, over all images.
        pair_kappas: Cohen's kappa of each two models, [M, M], NaN where undefined.
        blind: What the votes did to blind labels.
    """

    class_names: tuple[str, ...]
    truth: Truth
    labelled: int
    accepted: int
    scores: tuple[Score, ...]
    models_kappa: float
    pair_kappas: npt.NDArray[np.float64]
    blind: BlindReading


def scorecard(table: CaseTable, truth: Truth = "final") -> Scorecard:
    """Score the models on the reader's labels.

    Args:
        table: The cases; labels that are no class of the panel are left out.
        truth: Which labels count, see TRUTHS.
    """
    labels = _truth(table, truth)
    labelled = labels >= 0
    votes = table.codes("votes")
    classes = len(table.class_names)
    probabilities = table.numbers("probabilities")
    scores = [
        _score(name, labels, votes[:, index], probabilities[:, index], classes)
        for index, name in enumerate(table.model_names)
    ]
    mean = table.numbers("mean_probabilities")
    scores.append(_score(CONSENSUS, labels, table.codes("consensus"), mean, classes))
    models = range(len(table.model_names))
    accepted: npt.NDArray[np.bool_] = table.codes("source") == LABEL_SOURCES.index("consensus")
    return Scorecard(
        class_names=table.class_names,
        truth=truth,
        labelled=int(labelled.sum()),
        accepted=int((labelled & accepted).sum()),
        scores=tuple(scores),
        models_kappa=fleiss_kappa(votes, classes),
        pair_kappas=np.array(
            [
                [
                    cohen_kappa(confusion_matrix(votes[:, one], votes[:, other], classes))
                    for other in models
                ]
                for one in models
            ]
        ),
        blind=blind_reading(table),
    )


def blind_reading(table: CaseTable) -> BlindReading:
    """Compare blind and final labels; an image that lost its label again is left out."""
    blind, final = table.codes("blind_label"), table.codes("label")
    consensus = table.codes("consensus")
    both = (blind >= 0) & (final >= 0)
    kept = both & (blind == final)
    changed = both & (blind != final)
    known = both & (consensus >= 0)
    to_consensus = changed & known & (final == consensus)
    from_consensus = changed & known & (blind == consensus)
    return BlindReading(
        read=int(both.sum()),
        kept=int(kept.sum()),
        to_consensus=int(to_consensus.sum()),
        from_consensus=int(from_consensus.sum()),
        elsewhere=int((changed & ~to_consensus & ~from_consensus).sum()),
        agreed_blind=wilson(int((known & (blind == consensus)).sum()), int(known.sum())),
        agreed_final=wilson(int((known & (final == consensus)).sum()), int(known.sum())),
    )


def _truth(table: CaseTable, truth: Truth) -> Labels:
    if truth == "blind":
        return table.codes("blind_label")
    labels = table.codes("label").copy()
    if truth == "own":
        labels[table.codes("source") != LABEL_SOURCES.index("own")] = NONE
    return labels


def _score(
    name: str, labels: Labels, calls: Labels, probabilities: npt.NDArray[np.float64], classes: int
) -> Score:
    used = (labels >= 0) & (calls >= 0)
    matrix = confusion_matrix(labels, calls, classes)
    confidence = _confidence(probabilities[used], calls[used])
    stated = ~np.isnan(confidence)
    right: npt.NDArray[np.bool_] = labels[used] == calls[used]
    bins = reliability_bins(confidence[stated], right[stated])

    return Score(
        name=name,
        n=int(used.sum()),
        silent=int(((labels >= 0) & ~used).sum()),
        matrix=matrix,
        accuracy=accuracy(matrix),
        kappa=kappa_with_interval(matrix),
        sensitivity=tuple(sensitivity(matrix, index) for index in range(classes)),
        specificity=tuple(specificity(matrix, index) for index in range(classes)),
        calibration_error=expected_calibration_error(bins),
        bins=bins,
        brier=brier_score(probabilities[used], labels[used]),
    )


def _confidence(
    probabilities: npt.NDArray[np.float64], calls: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """Probability of the class that was called, [N]."""
    chosen: npt.NDArray[np.float64] = probabilities[np.arange(len(calls)), calls]
    return chosen
