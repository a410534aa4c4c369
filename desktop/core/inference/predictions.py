"""From the tensors a model gives to predictions, and from its failures to codes and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.core.cases import Prediction
from desktop.core.errors import ModelRefused
from desktop.core.inference.devices import is_out_of_memory
from desktop.core.inference.lungs import FoundLungs
from desktop.core.panels.contract import (
    OUTPUT_CAMS,
    OUTPUT_NONE_OF_THESE,
    OUTPUT_OOD_SCORE,
    OUTPUT_PROBABILITIES,
)
from desktop.core.panels.registry import PanelModel


@dataclass(frozen=True)
class PanelPrediction:
    """What the models of a panel say about one image.

    Attributes:
        predictions: One per model that answered, panel order.
        code: Code of the first missing answer, empty where all answered.
        reason: Sentence about the models without an answer, empty where all answered.
        lungs: What the network for lungs says; None where it was not asked or gave no answer.
    """

    predictions: tuple[Prediction, ...]
    code: str = ""
    reason: str = ""
    lungs: FoundLungs | None = None


@dataclass(frozen=True)
class ModelFailure:
    """A model's missing answer for one image."""

    code: str
    sentence: str


def prediction(
    model: PanelModel, tensors: Mapping[str, npt.NDArray[np.float32]], index: int
) -> Prediction | ModelFailure:
    """One image's answer out of a batch's tensors."""
    row = tensors[OUTPUT_PROBABILITIES][index].astype(np.float64)
    if not np.isfinite(row).all() or row.min() < -1e-6 or abs(row.sum() - 1) > 1e-3:
        return ModelFailure(
            "MODEL-10",
            f"{model.card.title} gave no valid probabilities for this image and has no vote in it.",
        )
    score, none = tensors.get(OUTPUT_OOD_SCORE), tensors.get(OUTPUT_NONE_OF_THESE)
    cams = tensors.get(OUTPUT_CAMS)
    sound = cams is not None and bool(np.isfinite(cams[index]).all())
    return Prediction(
        model=model.name,
        probabilities=tuple(float(value) for value in row.clip(0, 1)),
        ood_score=_steady(score[index]) if score is not None else None,
        # A copy, so that one kept map does not keep the whole batch.
        cams=np.maximum(cams[index], 0) if cams is not None and sound else None,
        none_of_these=_steady(none[index], 6) if none is not None else None,
    )


def _steady(score: np.float32, decimals: int = 4) -> float | None:
    """An image's score, the same alone and in any batch; None where it is not a number.

    Sums in vector kernels depend on where in a batch an image lies, by about 1e-7; the decimals
    are far more than the score means and hide that.
    """
    return round(float(score), decimals) if np.isfinite(score) else None


def answer(
    items: Sequence[Prediction | ModelFailure | FoundLungs],
) -> PanelPrediction:
    """One image's answers of all models, the network for lungs among them where it was asked."""
    missing = [item for item in items if isinstance(item, ModelFailure)]
    return PanelPrediction(
        predictions=tuple(item for item in items if isinstance(item, Prediction)),
        code=missing[0].code if missing else "",
        reason=" ".join(item.sentence for item in missing),
        lungs=next((item for item in items if isinstance(item, FoundLungs)), None),
    )


def failure(model: PanelModel, error: Exception) -> ModelFailure:
    """What an image is told where a model raised."""
    if is_out_of_memory(str(error)):
        return ModelFailure(
            "MODEL-12",
            f"Memory ran out while {model.card.title} looked at this image; it has no vote in it. "
            "Close other programs and label the image again.",
        )
    return ModelFailure(
        "MODEL-11", f"{model.card.title} stopped with an error on this image and has no vote in it."
    )


def refusal(model: PanelModel, error: Exception) -> ModelRefused:
    """Why a model cannot be loaded on the processor."""
    if is_out_of_memory(str(error)):
        return ModelRefused(
            "MODEL-12",
            f"There is too little memory to load {model.card.title}. Close other programs.",
        )
    return ModelRefused(
        "MODEL-05",
        f"ONNX Runtime cannot run {model.path.name}: the graph is damaged or needs a newer "
        "version of the app. Export the model again or update the app.",
    )
