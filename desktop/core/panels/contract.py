"""The model contract: what an ONNX file must look like to vote here.

The consumer owns it; ``training`` imports it and writes files that keep it. One file a model:

======================  ====================  =================================================
tensor                  type and shape        meaning
======================  ====================  =================================================
``pixels`` (input)      uint8 [N, H, W, 1]    0 = black, after inversion and window; N is free
``probabilities``       float32 [N, K]        calibrated by the card's temperature; sum 1 a row
``cams``                float32 [N, K, h, w]  Grad-CAM of each class on its pre-softmax logit,
                                              after ReLU, not rescaled (Selvaraju et al. 2017,
                                              eq. 1-2)
``ood_score``           float32 [N]           distance from the training images; 1.0 is the
                                              score that 95 % of the validation images stay below
``none_of_these``       float32 [N]           version 2: how much the film looks like something
                                              that is none of the classes, 0 to 1
======================  ====================  =================================================

Version 2 of a panel may also hold ``lungs.onnx``:

======================  ====================  =================================================
``pixels`` (input)      uint8 [N, 128, 128,   the whole film, prepared as for the models
                        1]
``mask``                float32 [N, 128,      probability of lung, 0 to 1
                        128]
======================  ====================  =================================================

Everything else a model needs (resizing, scaling, channels, standardisation) is inside its graph.
The card is JSON in the ONNX metadata under ``cxr_quorum_card``. A panel is a folder with a
``manifest.json``: the shipped panels and a user's own are the same thing, so there is no special
case.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from desktop.core.errors import ModelRefused
from desktop.core.system.strict_json import parse
from desktop.core.system.text import display_name

CONTRACT_VERSION = 2
READABLE_VERSIONS = (1, 2)
_READS = " and ".join(map(str, READABLE_VERSIONS))
INPUT_PIXELS = "pixels"
OUTPUT_PROBABILITIES = "probabilities"
OUTPUT_CAMS = "cams"
OUTPUT_OOD_SCORE = "ood_score"
OUTPUT_NONE_OF_THESE = "none_of_these"
OUTPUT_MASK = "mask"
CARD_METADATA_KEY = "cxr_quorum_card"
LUNGS_CARD_METADATA_KEY = "cxr_quorum_lungs_card"
LUNGS_NAME = "lungs"
MANIFEST_NAME = "manifest.json"
RESEARCH_USE = "Research use, not a diagnosis. Does not replace the original image."

MAX_CLASSES = 1_000
MAX_MODELS = 100
MAX_WORD = 200
"""Characters of a title, a version or the name of a class."""

MAX_FACT = 10_000

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def snake_case(class_name: str) -> str:
    """Column form of a class name: ``Viral Pneumonia`` -> ``viral_pneumonia``."""
    return re.sub(r"[^a-z0-9]+", "_", class_name.lower()).strip("_")


@dataclass(frozen=True)
class ModelCard:
    """What a model file says of itself.

    Attributes:
        name: Column prefix, lower snake case, e.g. ``scnn``.
        title: Name for people, e.g. ``SCNN``.
        panel: The panel it votes in, e.g. ``covid19``.
        class_names: Class vocabulary in output order, K of them, at least two.
        input_size: (height, width) of ``pixels`` in pixels.
        version: Version of these weights, e.g. ``2026.11.1``.
        temperature: Temperature the logits were divided by (Guo et al. 2017), above 0.
        operating_points: Class name -> probability in [0, 1] at or above which the class is
            called. Shown beside the bar; the vote itself is the most probable class.
        training_data_sha256: Hash over the sorted hashes of all training images.
        commit: Git commit of the code that trained it, empty if unknown.
        created: ISO 8601 date of the export.
        exported_commit: Git commit of the code that exported it, empty if unknown.
        shift: Class name -> what calibration adds to the class's scaled logit; empty for none.
            With the temperature it leads back to the probabilities before calibration.
        facts: Everything else for people (data, split, epochs, seconds, pretraining, limits),
            text only.
        metrics: Metric name -> {"value", "low", "high", "n"}: estimate and 95 % interval.
        lungs: Class name -> {"share_inside": share of the positive heatmap inside the lung box,
            "kept_without_lungs": share of the votes for the class that stay when the lungs are
            covered}, both in [0, 1]; empty where nobody has measured it.
        contract_version: Version of this contract that the file keeps.
    """

    name: str
    title: str
    panel: str
    class_names: tuple[str, ...]
    input_size: tuple[int, int]
    version: str
    temperature: float
    operating_points: Mapping[str, float]
    training_data_sha256: str
    commit: str
    created: str
    facts: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    lungs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    exported_commit: str = ""
    shift: Mapping[str, float] = field(default_factory=dict)
    contract_version: int = CONTRACT_VERSION

    def __post_init__(self) -> None:
        if self.contract_version not in READABLE_VERSIONS:
            raise ModelRefused(
                "MODEL-02",
                f"{said(self.title, 'A model')} keeps contract version "
                f"{said(self.contract_version)}, this app reads {_READS}. Export the "
                "model again or update the app.",
            )
        problem = self._problem()
        if problem:
            raise ModelRefused(
                "MODEL-03",
                f"The card of {said(self.title, 'a model')} is not valid: {problem}. Export the "
                "model again.",
            )

    def _problem(self) -> str:
        words = (self.title, self.version, self.created, *self.class_names)
        hashes = (self.training_data_sha256, self.commit, self.exported_commit)
        if not all(isinstance(item, str) for item in hashes):
            return "the commit is text"
        if not all(map(is_word, words)):
            return f"titles, versions and classes are printable text of 1 to {MAX_WORD} characters"
        if not _NAME.fullmatch(self.name) or not _NAME.fullmatch(self.panel):
            return "model and panel names are lower snake case"
        if len(self.class_names) > MAX_CLASSES:
            return f"it has more than {MAX_CLASSES:,} classes"
        if len(self.class_names) < 2 or len(set(map(snake_case, self.class_names))) != len(
            self.class_names
        ):
            return "at least two classes with different names are needed"
        if any(not snake_case(name) for name in self.class_names):
            return "a class name needs a letter or a digit"
        if len(self.input_size) != 2 or not all(16 <= side <= 2048 for side in self.input_size):
            return "the input size lies between 16 and 2048 pixels"
        if not 0 < self.temperature < 1000:
            return "the temperature is above 0"
        if any(not 0 <= point <= 1 for point in self.operating_points.values()):
            return "operating points lie between 0 and 1"
        if not are_numbers(self.shift) or not are_numbers(self.operating_points):
            return "the shift and the operating point of a class is a number"
        if not are_texts(self.facts):
            return f"facts are printable text of at most {MAX_FACT:,} characters"
        if not isinstance(self.metrics, Mapping) or not all(
            is_word(name) and are_numbers(values) for name, values in self.metrics.items()
        ):
            return "metrics are numbers"
        if not _are_shares(self.lungs):
            return "the shares of the lungs lie between 0 and 1"
        return ""

    def to_json(self) -> str:
        """Serialise for the ONNX metadata; keys sorted, so equal cards are equal bytes."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Read a card back.

        Raises:
            ModelRefused: MODEL-03 if it is not a card, MODEL-02 if its contract is another.
        """
        return cls(**card_fields(cls, text, ("class_names", "input_size"), "The card of a model"))


def is_word(value: object) -> bool:
    """Text that may be shown anywhere: on a screen, in a terminal, as a column's name."""
    return isinstance(value, str) and 0 < len(value) <= MAX_WORD and value.isprintable()


def said(value: object, otherwise: str = "") -> str:
    """Something of a file that is not checked yet, for a sentence."""
    return display_name(str(value)) if value else otherwise


def are_texts(values: object) -> bool:
    """Whether a file's ``facts`` are names and texts, which may have several lines."""
    return isinstance(values, Mapping) and all(
        is_word(name)
        and isinstance(text, str)
        and len(text) <= MAX_FACT
        and text.replace("\n", "").isprintable()
        for name, text in values.items()
    )


def are_numbers(values: object) -> bool:
    """Whether a file's ``shift`` is a class, a finite number, and so on."""
    return isinstance(values, Mapping) and all(
        is_word(name) and isinstance(value, int | float) and isfinite(value)
        for name, value in values.items()
    )


def _are_shares(lungs: object) -> bool:
    """Whether a file's ``lungs`` is what `ModelCard` says: a class, a name, a number in [0, 1]."""
    return isinstance(lungs, Mapping) and all(
        is_word(name)
        and isinstance(shares, Mapping)
        and all(isinstance(share, int | float) and 0 <= share <= 1 for share in shares.values())
        for name, shares in lungs.items()
    )


@dataclass(frozen=True)
class PanelMember:
    """One line of a manifest: a model file, next to the manifest, and the hash it must have."""

    name: str
    file: str
    sha256: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or not _SHA256.fullmatch(self.sha256):
            raise ModelRefused("MODEL-04", "A manifest names a model without a valid name or hash.")
        if self.file != f"{self.name}.onnx":
            # Also what keeps a manifest from pointing outside its folder.
            raise ModelRefused(
                "MODEL-04", f"The manifest's file for {self.name} must be {self.name}.onnx."
            )


@dataclass(frozen=True)
class PanelManifest:
    """A set of models with one class vocabulary.

    Attributes:
        name: Lower snake case, e.g. ``covid19``; the folder's name.
        title: For people, e.g. ``COVID-19, normal, viral pneumonia``.
        class_names: Class vocabulary in the output order of every member.
        members: The models, in the order in which they are shown.
        ood_limit: Panel score (mean of the members' ``ood_score``) above which an image is
            called out of distribution.
        version: Version of the panel.
        lungs: The network that finds the lungs on a film, None where the panel has none.
        none_limit: Panel score (mean of the members' ``none_of_these``) above which a film is
            called none of the classes; None where the models do not say.
        contract_version: Version of this contract.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    members: tuple[PanelMember, ...]
    ood_limit: float
    version: str
    lungs: PanelMember | None = None
    none_limit: float | None = None
    contract_version: int = CONTRACT_VERSION

    def __post_init__(self) -> None:
        if self.contract_version not in READABLE_VERSIONS:
            raise ModelRefused(
                "MODEL-02",
                f"Panel {said(self.name)} keeps contract version {said(self.contract_version)}, "
                f"this app reads {_READS}. Export the panel again or update the app.",
            )
        problem = self._problem()
        if problem:
            raise ModelRefused(
                "MODEL-04",
                f"The manifest of panel {said(self.name)} is not valid: {problem}. Export the "
                "panel again.",
            )

    def _problem(self) -> str:
        if not _NAME.fullmatch(self.name):
            return "the panel's name is lower snake case"
        names = [member.name for member in self.members]
        if not 1 <= len(names) <= MAX_MODELS or len(set(names)) != len(names):
            return f"1 to {MAX_MODELS} models with different names are needed"
        if not 2 <= len(self.class_names) <= MAX_CLASSES:
            return f"2 to {MAX_CLASSES} classes are needed"
        if not all(map(is_word, (self.title, self.version, *self.class_names))):
            return f"title, version and classes are printable text of 1 to {MAX_WORD} characters"
        if not isfinite(self.ood_limit) or self.ood_limit <= 0:
            return "the out-of-distribution limit is a number above 0"
        if self.lungs is not None and self.lungs.name != LUNGS_NAME:
            return f"the network that finds the lungs is called {LUNGS_NAME}"
        limit = self.none_limit
        if limit is not None and not (isinstance(limit, int | float) and isfinite(limit)):
            return "the limit of none of the classes is a number"
        return ""

    @property
    def fingerprint(self) -> str:
        """Hash over everything that decides a result: name, classes, limits and models' hashes.

        64 hex digits; panels with equal ones give equal answers.
        """
        parts = [self.name, *self.class_names, str(self.ood_limit)]
        if self.none_limit is not None:
            parts.append(f"none_limit={self.none_limit}")
        if self.lungs is not None:
            parts.append(f"lungs={self.lungs.sha256}")
        parts += [f"{member.name}={member.sha256}" for member in self.members]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def to_json(self) -> str:
        """Serialise as the text of ``manifest.json``; what the panel does not have is left out."""
        values = {
            key: value for key, value in dataclasses.asdict(self).items() if value is not None
        }
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> PanelManifest:
        """Read a manifest back.

        Raises:
            ModelRefused: MODEL-04 if it is not a manifest, MODEL-02 if its contract is another.
        """
        values = card_fields(cls, text, ("class_names",), "The manifest")
        try:
            values["members"] = tuple(PanelMember(**member) for member in values["members"])
            if values.get("lungs") is not None:
                values["lungs"] = PanelMember(**values["lungs"])
        except TypeError as error:
            raise ModelRefused("MODEL-04", "The manifest's list of members is damaged.") from error
        return cls(**values)


def card_fields(cls: type, text: str, tuples: tuple[str, ...], what: str) -> dict[str, Any]:
    """Parse a JSON object whose keys are exactly known fields of ``cls``."""
    try:
        values = parse(text)
        known = {item.name for item in dataclasses.fields(cls)}
        required = {
            item.name
            for item in dataclasses.fields(cls)
            if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        }
        if not isinstance(values, dict) or not required <= values.keys() <= known:
            raise ValueError("keys")
        for name in tuples:
            values[name] = tuple(values[name])
    except (ValueError, TypeError, KeyError) as error:  # also what ``parse`` refuses
        code = "MODEL-04" if cls is PanelManifest else "MODEL-03"
        raise ModelRefused(
            code, f"{what} is damaged or not of this app. Export the model again."
        ) from error
    return values
