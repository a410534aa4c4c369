"""What ``lungs.onnx`` says of itself."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from desktop.core.errors import ModelRefused
from desktop.core.panels.contract import (
    CONTRACT_VERSION,
    MAX_FACT,
    MAX_WORD,
    are_numbers,
    are_texts,
    card_fields,
    is_word,
    said,
)


@dataclass(frozen=True)
class LungsCard:
    """What ``lungs.onnx`` says of itself; JSON in its metadata under ``cxr_quorum_lungs_card``.

    Attributes:
        version: Version of these weights.
        input_size: (height, width) of ``pixels`` and of ``mask``.
        threshold: Probability in (0, 1) at or above which a position is lung.
        smallest_share: Share of the positions in [0, 1) that must be lung; below it no lungs were
            found.
        training_data_sha256: Hash over the sorted hashes of all films trained on.
        commit: Git commit of the code that trained it, empty if unknown.
        created: ISO 8601 date of the export.
        metrics: ``<source>_dice`` -> {"value": mean, "low": 5th percentile, "n": films held out}.
        facts: Everything else for people, text only.
        contract_version: Version of this contract that the file keeps.
    """

    version: str
    input_size: tuple[int, int]
    threshold: float
    smallest_share: float
    training_data_sha256: str
    commit: str
    created: str
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    contract_version: int = CONTRACT_VERSION

    def __post_init__(self) -> None:
        if self.contract_version != CONTRACT_VERSION:
            raise ModelRefused(
                "MODEL-02",
                f"The lungs' network keeps contract version {said(self.contract_version)}, this "
                f"app reads {CONTRACT_VERSION}. Export it again or update the app.",
            )
        problem = self._problem()
        if problem:
            raise ModelRefused(
                "MODEL-03",
                f"The card of the lungs' network is not valid: {problem}. Export it again.",
            )

    def _problem(self) -> str:
        if not all(isinstance(item, str) for item in (self.training_data_sha256, self.commit)):
            return "the commit is text"
        if not all(map(is_word, (self.version, self.created))):
            return f"version and date are printable text of 1 to {MAX_WORD} characters"
        if len(self.input_size) != 2 or not all(16 <= side <= 2048 for side in self.input_size):
            return "the input size lies between 16 and 2048 pixels"
        if not 0 < self.threshold < 1 or not 0 <= self.smallest_share < 1:
            return "threshold and smallest share lie between 0 and 1"
        if not are_texts(self.facts):
            return f"facts are printable text of at most {MAX_FACT:,} characters"
        if not isinstance(self.metrics, Mapping) or not all(
            is_word(name) and are_numbers(values) for name, values in self.metrics.items()
        ):
            return "metrics are numbers"
        return ""

    def to_json(self) -> str:
        """Serialise for the ONNX metadata; keys sorted, so equal cards are equal bytes."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> LungsCard:
        """Read a card back.

        Raises:
            ModelRefused: MODEL-03 if it is not a card, MODEL-02 if its contract is another.
        """
        return cls(**card_fields(cls, text, ("input_size",), "The card of the lungs' network"))
