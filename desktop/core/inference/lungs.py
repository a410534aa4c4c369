"""The network that finds the lungs: from model pixels to masks, verified and run like any model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.errors import ModelRefused
from desktop.core.imaging.lungs import Mask, lung_share
from desktop.core.panels.contract import INPUT_PIXELS, OUTPUT_MASK
from desktop.core.panels.lungs_card import LungsCard
from desktop.core.panels.registry import LungsModel, read_verified

FAILED_CODE = "MODEL-11"
FAILED_SENTENCE = (
    "The network that finds the lungs stopped with an error on this image, so nothing is said of "
    "its lungs."
)


@dataclass(frozen=True)
class FoundLungs:
    """What the network says of one film.

    Attributes:
        mask: Probability of lung float32 [h, w], in [0, 1].
        found: Lungs fill at least the card's ``smallest_share`` of the film.
    """

    mask: Mask
    found: bool


class LungsSession:
    """The loaded network. Runs on the processor: it is small, and threads may share it.

    Args:
        model: From an opened panel.
        make: Makes an ONNX Runtime session of verified bytes.

    Raises:
        ModelRefused: MODEL-08 its hash is not the manifest's, MODEL-05 ONNX Runtime cannot run it,
            MODEL-10 a plain grey film has no sound mask.
    """

    def __init__(self, model: LungsModel, make: Callable[[bytes], Any]) -> None:
        self.card: LungsCard = model.card
        content = read_verified(model)
        try:
            self._session = make(content)
            (found,) = self.find(np.full((1, *self.card.input_size, 1), 128, np.uint8))
        except ModelRefused:
            raise
        except Exception as error:  # ONNX Runtime has no common base class for its errors
            raise ModelRefused(
                "MODEL-05",
                f"ONNX Runtime cannot run {model.path.name}: the graph is damaged or needs a newer "
                "version of the app. Export it again or update the app.",
            ) from error
        if found is None:
            raise ModelRefused(
                "MODEL-10",
                f"{model.path.name} gives no sound mask for a plain grey image and is not run. "
                "Export it again.",
            )

    def find(self, pixels: npt.NDArray[np.uint8]) -> list[FoundLungs | None]:
        """One answer a film, in order; None where the mask holds what is no probability.

        Args:
            pixels: uint8 [N, h, w, 1] of the card's input size.
        """
        (masks,) = self._session.run([OUTPUT_MASK], {INPUT_PIXELS: pixels})
        if masks.shape != (len(pixels), *self.card.input_size):
            raise ValueError(f"masks of shape {masks.shape}")
        return [self._found(mask) for mask in masks]

    def _found(self, mask: Mask) -> FoundLungs | None:
        if not np.isfinite(mask).all():
            return None
        share = lung_share(mask, self.card.threshold)
        # A copy, so that one kept mask does not keep the whole batch.
        return FoundLungs(mask.clip(0, 1), share >= self.card.smallest_share)
