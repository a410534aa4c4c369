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
from desktop.core.inference.int8_graph import (
    QUANTISER_VERSION,
    Corrections,
    WeightBits,
    quantise,
)
from desktop.core.panels.registry import Panel, PanelModel, read_verified
from desktop.core.system.strict_json import parse

INT8_NAME = "int8.json"
_FORMAT = 2
_MAX_BYTES = 4 << 20


@dataclass(frozen=True)
class Agreement:
    """How int8 answered the exporter's films compared with fp32; none of them was trained on.

    Attributes:
        films: How many.
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


@dataclass(frozen=True)
class Int8Form:
    """One int8 form of a model.

    Attributes:
        kept: Convolutions that stay fp32.
        score: (slope, offset) that brings the out-of-distribution score back to the scale of fp32.
        agreement: How it answered.
        passed: It may be chosen automatically: it answered well enough, and so does the panel with
            it and the others that passed.
        corrections: Convolution -> what is added to each channel's bias, as ``storable`` gives it.
    """

    kept: tuple[str, ...]
    score: tuple[float, float]
    agreement: Agreement
    passed: bool
    corrections: Corrections = field(default_factory=dict)


@dataclass(frozen=True)
class ModelRecipe:
    """How a model becomes int8.

    Attributes:
        sha256: Hash of the fp32 file that this was measured with.
        ranges: Tensor name -> (lowest, highest) value.
        forms: By the bits of a weight: ``8``, and ``7`` for processors that need it.
    """

    sha256: str
    ranges: Mapping[str, tuple[float, float]]
    forms: Mapping[int, Int8Form]


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
    models: Mapping[str, ModelRecipe] = field(default_factory=dict)
    together: Mapping[int, Agreement] = field(default_factory=dict)

    def form(self, model: PanelModel, bits: WeightBits) -> Int8Form | None:
        """The int8 form of exactly this file, None where there is none."""
        found = self.models.get(model.name)
        if found is None or found.sha256 != model.sha256:
            return None
        return found.forms.get(bits)

    def to_json(self) -> str:
        """Serialise as the text of ``int8.json``."""
        values = {
            "format": _FORMAT,
            "quantiser_version": QUANTISER_VERSION,
            "films": self.films,
            "models": {
                name: {
                    "sha256": model.sha256,
                    "forms": {
                        str(bits): {
                            "kept": form.kept,
                            "score": form.score,
                            "agreement": dataclasses.asdict(form.agreement),
                            "passed": form.passed,
                            "corrections": {
                                end: _packed(values) for end, values in form.corrections.items()
                            },
                        }
                        for bits, form in model.forms.items()
                    },
                    "ranges": {key: list(value) for key, value in model.ranges.items()},
                }
                for name, model in self.models.items()
            },
            "together": {
                str(bits): dataclasses.asdict(item) for bits, item in self.together.items()
            },
        }
        return json.dumps(values, indent=1) + "\n"

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


def recipe_of(panel: Panel) -> Int8Calibration | None:
    """The recipe beside a panel's manifest, None where there is none.

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


def int8_form(model: PanelModel, recipe: Int8Calibration, bits: WeightBits) -> bytes:
    """The int8 form of a model, made now from its verified file.

    Raises:
        ModelRefused: MODEL-05 or MODEL-08 as in ``read_verified``; MODEL-13 where the recipe is not
            of this file or does not fit it.
    """
    content = read_verified(model)
    form = recipe.form(model, bits)
    try:
        if form is None:
            raise ValueError("no form")
        return quantise(
            content,
            recipe.models[model.name].ranges,
            bits,
            form.kept,
            form.score,
            form.corrections,
        )
    except (ValueError, OverflowError) as error:
        raise ModelRefused(
            "MODEL-13",
            f"{model.card.title} has no int8 form that fits its file. Run it with "
            "--precision fp32, or export the panel again.",
        ) from error


def storable(corrections: Corrections) -> Corrections:
    """The same corrections as they are read back: a byte a channel, in steps of the largest."""
    return {end: _unpacked(_packed(values)) for end, values in corrections.items()}


def _packed(values: Sequence[float]) -> tuple[float, str]:
    """A step and a byte a channel, as text: a deep network has tens of thousands of channels."""
    numbers = np.asarray(values, np.float64)
    step = float(f"{max(float(np.abs(numbers).max(initial=0.0)) / 127, 1e-30):.6g}")
    steps = np.clip(np.rint(numbers / step), -127, 127).astype(np.int8)
    return step, base64.b64encode(steps.tobytes()).decode("ascii")


def _unpacked(stored: Sequence[Any]) -> tuple[float, ...]:
    step, text = float(stored[0]), base64.b64decode(str(stored[1]), validate=True)
    if not isfinite(step):
        raise ValueError("not a number")
    return tuple((np.frombuffer(text, np.int8) * step).tolist())


def _model(values: Mapping[str, Any]) -> ModelRecipe:
    return ModelRecipe(
        sha256=str(values["sha256"]),
        ranges={name: (float(low), float(high)) for name, (low, high) in values["ranges"].items()},
        forms={
            int(bits): Int8Form(
                kept=tuple(form["kept"]),
                score=(float(form["score"][0]), float(form["score"][1])),
                agreement=Agreement(**form["agreement"]),
                passed=form["passed"] is True,
                corrections={end: _unpacked(item) for end, item in form["corrections"].items()},
            )
            for bits, form in values["forms"].items()
        },
    )
