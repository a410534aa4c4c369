"""In which precision a panel runs: fp32, or int8 where that was proved on this very processor.

``auto`` takes int8 only on the CPU and only where two things are on record: the exporter's films
got the same answers (``int8.json``), and ``cxr-quorum prove`` measured on this processor, with this
ONNX Runtime and these very files, that they still do and that it is worth it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from desktop.core.errors import ModelRefused, UsageError
from desktop.core.inference.devices import devices_to_try, why_not
from desktop.core.inference.names import Device, Precision
from desktop.core.int8.benchmark import SMALLEST_PANEL_GAIN, read_benchmark
from desktop.core.int8.calibration import (
    INT8_NAME,
    SMALLEST_AGREEMENT,
    Int8Calibration,
    read_calibration,
)
from desktop.core.int8.processor import Processor, WeightBits, this_processor
from desktop.core.panels.registry import Panel


@dataclass(frozen=True)
class PrecisionPlan:
    """In which precision each model is to run, and why.

    Attributes:
        int8: Names of the models in int8.
        bits: Bits of a weight in them.
        calibration: How they become int8; None where all are fp32.
        reason: Why, a sentence.
    """

    asked: Precision = "fp32"
    int8: frozenset[str] = frozenset()
    bits: WeightBits = 8
    calibration: Int8Calibration | None = None
    reason: str = ""

    @property
    def precision(self) -> Precision:
        """``int8`` where any model runs in it, else ``fp32``."""
        return "int8" if self.int8 else "fp32"

    @property
    def identity(self) -> str:
        """Equal plans give equal answers on one processor; empty where all models run in fp32."""
        if not self.int8 or self.calibration is None:
            return ""
        measured = hashlib.sha256(self.calibration.to_json().encode()).hexdigest()
        return f"int8 {self.bits} {' '.join(self.names)} {measured[:16]}"

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
        asked: ``auto`` never fails: where int8 is not proved it is fp32, with the reason.
        device: int8 is for the CPU; with another device that may work, ``auto`` is fp32.
        home: Home of the benchmarks, None for the user's.
        processor: None for this machine's.

    Raises:
        UsageError: USAGE-05 where int8 is asked for together with a device other than the CPU.
        ModelRefused: MODEL-13 where int8 is asked for and no model has a form that passed.
    """
    chip = processor or this_processor()
    bits = chip.weight_bits
    if asked in ("fp32", "fp16"):
        return ALL_FP32
    if asked == "int8":
        if device not in ("auto", "cpu"):
            raise UsageError(
                "USAGE-05", f"--precision int8 is for the CPU. Leave out --device {device}."
            )
        calibration = read_calibration(panel)
        passed = _passed(panel, calibration, bits)
        if not passed:
            why = _why_no_form(calibration, bits)
            raise ModelRefused("MODEL-13", f"{why} Run it with --precision fp32 or auto.")
        return PrecisionPlan("int8", passed, bits, calibration, "As asked for.")
    if next(word for word in devices_to_try(device) if not why_not(word)) != "cpu":
        return PrecisionPlan("auto", reason="int8 is for the CPU, and another device may work.")
    try:
        calibration = read_calibration(panel)
    except ModelRefused as problem:
        return PrecisionPlan("auto", reason=str(problem))
    passed = _passed(panel, calibration, bits)
    if not passed:
        return PrecisionPlan("auto", reason=_why_no_form(calibration, bits))
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
    return PrecisionPlan("auto", chosen, bits, calibration, f"Proved here for {names}: {words}.")


def _passed(panel: Panel, calibration: Int8Calibration | None, bits: WeightBits) -> frozenset[str]:
    """Models whose int8 form answered the exporter's films well enough."""
    together = calibration.together.get(bits) if calibration is not None else None
    if calibration is None or together is None or not together.good_enough:
        return frozenset()
    forms = {model.name: calibration.form(model, bits) for model in panel.models}
    return frozenset(name for name, form in forms.items() if form is not None and form.passed)


def _why_no_form(calibration: Int8Calibration | None, bits: WeightBits) -> str:
    if calibration is None:
        return f"The panel has no {INT8_NAME}: it was exported without int8 forms."
    return (
        f"No int8 form with {bits}-bit weights of this panel's present files gave the same answers "
        "as fp32 on its exporter's films."
    )
