"""In which precision a panel runs: fp32, or int8 where that was proved on this very processor.

``auto`` takes int8 only on the CPU and only where two things are on record: the exporter's films
got the same answers (``int8.json``), and ``cxr-quorum prove`` measured on this processor, with this
ONNX Runtime and these very files, that they still do and that it is worth it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import onnxruntime

from desktop.core.errors import ModelRefused, UsageError
from desktop.core.inference.cpu import Processor, this_processor
from desktop.core.inference.devices import devices_to_try, why_not
from desktop.core.inference.int8_graph import QUANTISER_VERSION, WeightBits
from desktop.core.inference.int8_recipe import INT8_NAME, Agreement, Int8Calibration, recipe_of
from desktop.core.inference.names import Device, Precision
from desktop.core.panels.registry import Panel
from desktop.core.system.app_dirs import data_home, make_private_folder
from desktop.core.system.atomic_write import atomic_write_text

SMALLEST_AGREEMENT = 0.995
"""Share of films with the same label as in fp32, below which int8 is not chosen."""
LARGEST_AUC_CHANGE = 0.002
SMALLEST_FLAG_AGREEMENT = 0.99
"""Share of films on the same side of the out-of-distribution limit."""
SMALLEST_PANEL_GAIN = 1.7
"""How many times faster than fp32 the panel must answer for int8 to be chosen."""
SMALLEST_MODEL_GAIN = 1.2
"""A model that gains less stays fp32 in a mixed panel."""


@dataclass(frozen=True)
class ModelProof:
    """What was measured of one model on this machine.

    Attributes:
        name: The model.
        gain: fp32 time over int8 time, thread time side by side.
        equal_labels: Share of the films with the same label.
        largest_difference: Largest change of a probability.
        chosen: It runs in int8.
    """

    name: str
    gain: float
    equal_labels: float
    largest_difference: float
    chosen: bool


@dataclass(frozen=True)
class Int8Benchmark:
    """What ``prove`` measured of a panel on this machine.

    Attributes:
        key: Panel, recipe, processor and ONNX Runtime that it holds for.
        day: ISO 8601 date.
        films: Films that were compared.
        drawn: How many of them were drawn phantoms.
        models: One each that has an int8 form.
        gain: fp32 time over time of the mixed panel.
        equal_consensus: Share of the films with the same consensus.
        chosen: ``auto`` runs the chosen models in int8.
    """

    key: str
    day: str
    films: int
    drawn: int
    models: tuple[ModelProof, ...]
    gain: float
    equal_consensus: float
    chosen: bool


@dataclass(frozen=True)
class PrecisionPlan:
    """In which precision each model is to run, and why.

    Attributes:
        asked: What was asked for.
        int8: Names of the models in int8.
        bits: Bits of a weight in them.
        recipe: How they become int8; None where all are fp32.
        reason: Why, a sentence.
    """

    asked: Precision = "fp32"
    int8: frozenset[str] = frozenset()
    bits: WeightBits = 8
    recipe: Int8Calibration | None = None
    reason: str = ""

    @property
    def precision(self) -> Precision:
        """``int8`` where any model runs in it, else ``fp32``."""
        return "int8" if self.int8 else "fp32"

    @property
    def identity(self) -> str:
        """Equal plans give equal answers on one processor; empty where all models run in fp32."""
        if not self.int8 or self.recipe is None:
            return ""
        recipe = hashlib.sha256(self.recipe.to_json().encode()).hexdigest()
        return f"int8 {self.bits} {' '.join(self.names)} {recipe[:16]}"

    @property
    def names(self) -> tuple[str, ...]:
        """The models in int8, sorted."""
        return tuple(sorted(self.int8))


ALL_FP32 = PrecisionPlan()


def plan_precision(
    panel: Panel,
    asked: Precision = "auto",
    device: Device = "auto",
    *,
    home: Path | None = None,
    processor: Processor | None = None,
) -> PrecisionPlan:
    """Decide before any model is loaded.

    Args:
        panel: The panel.
        asked: ``auto`` never fails: where int8 is not proved it is fp32, with the reason.
        device: int8 is for the CPU; with another device that may work, ``auto`` is fp32.
        home: Home of the proofs, None for the user's.
        processor: None for this machine's.

    Raises:
        UsageError: USAGE-05 where int8 is asked for together with a device other than the CPU.
        ModelRefused: MODEL-13 where int8 is asked for and no model has a form that passed.
    """
    chip = processor or this_processor()
    if asked in ("fp32", "fp16"):
        return ALL_FP32
    if asked == "int8":
        return _asked_int8(panel, device, chip)
    if next(word for word in devices_to_try(device) if not why_not(word)) != "cpu":
        return PrecisionPlan("auto", reason="int8 is for the CPU, and another device may work.")
    try:
        recipe = recipe_of(panel)
    except ModelRefused as problem:
        return PrecisionPlan("auto", reason=str(problem))
    passed = _passed(panel, recipe, chip.weight_bits)
    if recipe is None or not passed:
        return PrecisionPlan("auto", reason=_why_no_form(recipe, chip))
    proof = read_benchmark(panel, chip, home=home)
    if proof is None:
        return PrecisionPlan(
            "auto",
            reason="int8 has not been measured on this processor with these models; "
            f"cxr-quorum prove --panel {panel.name} does it once.",
        )
    chosen = frozenset(model.name for model in proof.models if model.chosen) & passed
    words = (
        f"{proof.gain:.2f} times as fast as fp32 on {proof.day}, the same consensus on "
        f"{100 * proof.equal_consensus:.1f} % of {proof.films} films"
    )
    if not proof.chosen or not chosen:
        return PrecisionPlan(
            "auto",
            reason=f"int8 was measured here and is not worth it: {words}; at least "
            f"{SMALLEST_PANEL_GAIN} times and {100 * SMALLEST_AGREEMENT} % are needed.",
        )
    names = ", ".join(model.card.title for model in panel.models if model.name in chosen)
    return PrecisionPlan(
        "auto", chosen, chip.weight_bits, recipe, f"Proved here for {names}: {words}."
    )


def good_enough(agreement: Agreement) -> bool:
    """A panel with int8 in it gave the exporter's films the same answers."""
    return (
        agreement.equal_labels >= SMALLEST_AGREEMENT
        and agreement.equal_flags >= SMALLEST_FLAG_AGREEMENT
        and abs(agreement.auc_change) <= LARGEST_AUC_CHANGE
    )


def _asked_int8(panel: Panel, device: Device, chip: Processor) -> PrecisionPlan:
    if device not in ("auto", "cpu"):
        raise UsageError(
            "USAGE-05", f"--precision int8 is for the CPU. Leave out --device {device}."
        )
    recipe = recipe_of(panel)
    passed = _passed(panel, recipe, chip.weight_bits)
    if recipe is None or not passed:
        raise ModelRefused(
            "MODEL-13",
            f"{_why_no_form(recipe, chip)} Run it with --precision fp32 or auto.",
        )
    return PrecisionPlan("int8", passed, chip.weight_bits, recipe, "As asked for.")


def _passed(panel: Panel, recipe: Int8Calibration | None, bits: WeightBits) -> frozenset[str]:
    """Models whose int8 form answered the exporter's films well enough."""
    if recipe is None or bits not in recipe.together or not good_enough(recipe.together[bits]):
        return frozenset()
    forms = {model.name: recipe.form(model, bits) for model in panel.models}
    return frozenset(name for name, form in forms.items() if form is not None and form.passed)


def _why_no_form(recipe: Int8Calibration | None, chip: Processor) -> str:
    if recipe is None:
        return f"The panel has no {INT8_NAME}: it was exported without int8 forms."
    return (
        f"No int8 form with {chip.weight_bits}-bit weights of this panel's present files gave the "
        "same answers as fp32 on its exporter's films."
    )


def proof_key(panel: Panel, processor: Processor) -> str:
    """What a proof holds for."""
    return " | ".join(
        (
            panel.fingerprint,
            f"quantiser {QUANTISER_VERSION}, {processor.weight_bits} bits",
            f"ONNX Runtime {onnxruntime.__version__}",
            processor.words,
        )
    )


def proof_path(panel: Panel, *, home: Path | None = None) -> Path:
    """Where the proof of a panel is kept: one a set of model files."""
    return data_home(home) / "precision" / f"{panel.name}-{panel.fingerprint[:16]}.json"


def read_benchmark(
    panel: Panel, processor: Processor, *, home: Path | None = None
) -> Int8Benchmark | None:
    """What was measured here, None where nothing was, or with other files or on another machine."""
    try:
        values = json.loads(proof_path(panel, home=home).read_text("utf-8"))
        models = tuple(ModelProof(**item) for item in values.pop("models"))
        proof = Int8Benchmark(models=models, **values)
        sound = all(isfinite(number) for number in (proof.gain, proof.equal_consensus))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return proof if sound and proof.key == proof_key(panel, processor) else None


def write_proof(panel: Panel, proof: Int8Benchmark, *, home: Path | None = None) -> Path:
    """Keep a proof and return its path.

    Raises:
        OutputFailed: See ``atomic_write``.
    """
    path = proof_path(panel, home=home)
    make_private_folder(path.parent)
    with atomic_write_text(path) as stream:
        stream.write(json.dumps(dataclasses.asdict(proof), indent=1) + "\n")
    return path
