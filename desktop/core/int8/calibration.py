"""``int8.json`` beside a panel's manifest: what its exporter measured for the int8 forms.

Some kilobytes: the range of each activation, what is added to each channel's bias, which
convolutions stay fp32, and how the int8 form answered the exporter's films compared with fp32.
Bound to each model file by its hash, so a model that was exported again has no int8 form until it
is measured again.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from desktop.core.errors import ModelRefused
from desktop.core.int8.graph import QUANTISER_VERSION, Corrections, quantise
from desktop.core.int8.processor import WeightBits
from desktop.core.panels.registry import Panel, PanelModel, read_verified
from desktop.core.system.strict_json import parse

INT8_NAME = "int8.json"
_FORMAT = 2
_MAX_BYTES = 4 << 20

SMALLEST_AGREEMENT = 0.995
"""Share of films with the same label as in fp32, below which int8 is not chosen."""
LARGEST_AUC_CHANGE = 0.002
SMALLEST_FLAG_AGREEMENT = 0.99
"""Share of films on the same side of the out-of-distribution limit."""


@dataclass(frozen=True)
class Agreement:
    """How int8 answered the exporter's films compared with fp32; none of them was trained on.

    Attributes:
        equal_labels: Share of films with the same label; of a panel, the same consensus.
        equal_flags: Share with the same side of the out-of-distribution limit.
        mean_difference: Mean over films of the largest change of a probability.
        largest_difference: Largest change of a probability.
        auc_change: Largest change of the area under the curve over the tests, with its sign; of a
            panel, that of the mean probability.
    """

    films: int
    equal_labels: float
    equal_flags: float
    mean_difference: float
    largest_difference: float
    auc_change: float

    def __post_init__(self) -> None:
        values = dataclasses.astuple(self)
        if not all(isinstance(value, int | float) and isfinite(value) for value in values):
            raise ValueError("not numbers")

    @property
    def good_enough(self) -> bool:
        """A panel with int8 in it gave the exporter's films the same answers."""
        return (
            self.equal_labels >= SMALLEST_AGREEMENT
            and self.equal_flags >= SMALLEST_FLAG_AGREEMENT
            and abs(self.auc_change) <= LARGEST_AUC_CHANGE
        )


@dataclass(frozen=True)
class Int8Form:
    """One int8 form of a model.

    Attributes:
        kept: Convolutions that stay fp32.
        score: (slope, offset) that brings the out-of-distribution score back to the scale of fp32.
        passed: It may be chosen automatically: it answered well enough, and so does the panel with
            it and the others that passed.
        corrections: Convolution -> what is added to each channel's bias, as ``packed`` gives it.
    """

    kept: tuple[str, ...]
    score: tuple[float, float]
    agreement: Agreement
    passed: bool
    corrections: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelCalibration:
    """How a model becomes int8.

    Attributes:
        sha256: Hash of the fp32 file that this was measured with.
        forms: By the bits of a weight: ``8``, and ``7`` for processors that need it.
        ranges: Tensor name -> (lowest, highest) value.
    """

    sha256: str
    forms: Mapping[int, Int8Form]
    ranges: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Int8Calibration:
    """How the models of a panel become int8.

    Attributes:
        films: How many films the ranges were measured on.
        models: By name; models without an int8 form are left out.
        together: By the bits of a weight: how the panel answers with int8 in the models that
            passed and fp32 in the others.
    """

    films: int
    models: Mapping[str, ModelCalibration] = field(default_factory=dict)
    together: Mapping[int, Agreement] = field(default_factory=dict)

    def form(self, model: PanelModel, bits: WeightBits) -> Int8Form | None:
        """The int8 form of exactly this file, None where there is none."""
        found = self.models.get(model.name)
        return found.forms.get(bits) if found and found.sha256 == model.sha256 else None

    def to_json(self) -> str:
        """Serialise as the text of ``int8.json``."""
        versions = {"format": _FORMAT, "quantiser_version": QUANTISER_VERSION}
        return json.dumps({**versions, **dataclasses.asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Int8Calibration:
        """Read it back.

        Raises:
            ModelRefused: MODEL-13 where it is damaged or of another version of the app.
        """
        try:
            values = parse(text)
            if (values["format"], values["quantiser_version"]) != (_FORMAT, QUANTISER_VERSION):
                raise ModelRefused(
                    "MODEL-13",
                    f"{INT8_NAME} was measured for another version of the app, so the panel runs "
                    "in float32. Export the panel again, or run cxr-train int8.",
                )
            return cls(
                films=int(values["films"]),
                models={name: _model(item) for name, item in values["models"].items()},
                together={int(b): Agreement(**item) for b, item in values["together"].items()},
            )
        except (
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
            RecursionError,
            OverflowError,
        ) as error:
            raise ModelRefused(
                "MODEL-13",
                f"{INT8_NAME} is damaged, so the panel runs in float32. Install or export the "
                "panel again.",
            ) from error


def _model(values: Mapping[str, Any]) -> ModelCalibration:
    forms = {int(bits): _form(form) for bits, form in values["forms"].items()}
    ranges = {name: (float(low), float(high)) for name, (low, high) in values["ranges"].items()}
    return ModelCalibration(str(values["sha256"]), forms, ranges)


def _form(values: Mapping[str, Any]) -> Int8Form:
    corrections = {str(name): tuple(item) for name, item in values["corrections"].items()}
    unpacked(corrections)  # whether they can be read
    slope, offset = map(float, values["score"])
    agreement = Agreement(**values["agreement"])
    return Int8Form(
        tuple(values["kept"]), (slope, offset), agreement, values["passed"] is True, corrections
    )


def read_calibration(panel: Panel) -> Int8Calibration | None:
    """What is beside a panel's manifest, None where nothing is.

    Raises:
        ModelRefused: MODEL-13 where it is damaged.
    """
    path = panel.folder / INT8_NAME
    try:
        if path.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES)
    except OSError:
        return None
    return Int8Calibration.from_json(content.decode("utf-8", "replace"))


def int8_form(model: PanelModel, calibration: Int8Calibration, bits: WeightBits) -> bytes:
    """The int8 form of a model, made now from its verified file.

    Raises:
        ModelRefused: MODEL-05 or MODEL-08 as in ``read_verified``; MODEL-13 where the calibration
            is not of this file or does not fit it.
    """
    content = read_verified(model)
    form = calibration.form(model, bits)
    try:
        if form is None:
            raise ValueError("no form")
        ranges = calibration.models[model.name].ranges
        corrections = unpacked(form.corrections)
        return quantise(content, ranges, bits, form.kept, form.score, corrections)
    except (ValueError, OverflowError) as error:
        raise ModelRefused(
            "MODEL-13",
            f"{model.card.title} has no int8 form that fits its file. Run it with "
            "--precision fp32, or export the panel again.",
        ) from error


def packed(corrections: Corrections) -> Mapping[str, Sequence[Any]]:
    """A step and a byte a channel, as text: a deep network has tens of thousands of channels."""
    found = {}
    for name, values in corrections.items():
        numbers = np.asarray(values, np.float64)
        step = float(f"{max(float(np.abs(numbers).max(initial=0.0)) / 127, 1e-30):.6g}")
        steps = np.clip(np.rint(numbers / step), -127, 127).astype(np.int8)
        found[name] = (step, base64.b64encode(steps.tobytes()).decode("ascii"))
    return found


def unpacked(corrections: Mapping[str, Sequence[Any]]) -> Corrections:
    """The corrections as numbers.

    Raises:
        ValueError: They are damaged.
    """
    found = {}
    for name, (step, text) in corrections.items():
        if not isfinite(float(step)):
            raise ValueError("not a number")
        steps = np.frombuffer(base64.b64decode(str(text), validate=True), np.int8)
        found[name] = tuple((steps * float(step)).tolist())
    return found
