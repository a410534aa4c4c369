"""What ``cxr-quorum prove`` measured of a panel on this machine, and how it is kept.

It holds for one processor, one ONNX Runtime and exactly these model files.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import onnxruntime

from desktop.core.int8.graph import QUANTISER_VERSION
from desktop.core.int8.processor import Processor
from desktop.core.panels.registry import Panel
from desktop.core.system.app_dirs import data_home, make_private_folder
from desktop.core.system.atomic_write import atomic_write_text

SMALLEST_PANEL_GAIN = 1.7
"""How many times faster than fp32 the panel must answer for int8 to be chosen."""
SMALLEST_MODEL_GAIN = 1.2
"""A model that gains less stays fp32 in a mixed panel."""


@dataclass(frozen=True)
class ModelBenchmark:
    """What was measured of one model.

    Attributes:
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
    """What was measured of a panel.

    Attributes:
        key: What it holds for; see ``benchmark_key``.
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
    models: tuple[ModelBenchmark, ...]
    gain: float
    equal_consensus: float
    chosen: bool


def benchmark_key(panel: Panel, processor: Processor) -> str:
    """Panel, int8 form, ONNX Runtime and processor."""
    return " | ".join(
        (
            panel.fingerprint,
            f"quantiser {QUANTISER_VERSION}, {processor.weight_bits} bits",
            f"ONNX Runtime {onnxruntime.__version__}",
            processor.words,
        )
    )


def benchmark_path(panel: Panel, *, home: Path | None = None) -> Path:
    """Where the benchmark of a panel is kept: one a set of model files."""
    return data_home(home) / "precision" / f"{panel.name}-{panel.fingerprint[:16]}.json"


def read_benchmark(
    panel: Panel, processor: Processor, *, home: Path | None = None
) -> Int8Benchmark | None:
    """What was measured here, None where nothing was, or with other files or on another machine."""
    try:
        values = json.loads(benchmark_path(panel, home=home).read_text("utf-8"))
        models = tuple(ModelBenchmark(**item) for item in values.pop("models"))
        proof = Int8Benchmark(models=models, **values)
        sound = all(isfinite(number) for number in (proof.gain, proof.equal_consensus))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return proof if sound and proof.key == benchmark_key(panel, processor) else None


def write_benchmark(panel: Panel, proof: Int8Benchmark, *, home: Path | None = None) -> Path:
    """Keep a benchmark and return its path.

    Raises:
        OutputFailed: See ``atomic_write``.
    """
    path = benchmark_path(panel, home=home)
    make_private_folder(path.parent)
    with atomic_write_text(path) as stream:
        stream.write(json.dumps(dataclasses.asdict(proof), indent=1) + "\n")
    return path
