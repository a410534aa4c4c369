"""The README's table of speed, from ``docs/benchmarks.json``, which only the benchmarks write.

python tests/benchmarks/bench_pipeline.py --json docs/benchmarks.json
python tests/benchmarks/bench_scale.py --json docs/benchmarks.json
python tests/benchmarks/bench_scale.py --films DIR --json docs/benchmarks.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).with_name("benchmarks.json")
_FLOOR_BAR = 0.90
_SCALES = {
    "scale_of_films": "full-size films",
    "scale": "small films and tiny models, so that everything else counts",
}
_KINDS = {"wall": "the clock", "cpu": "processor time"}


def speed() -> str:
    """A sentence about the run, the table, and what misses its bar."""
    return table(json.loads(FIGURES.read_text("utf-8")))


def table(figures: Mapping[str, Any]) -> str:
    """The text from the content of the file; parts that were not measured are left out."""
    found = figures["pipeline"]
    kind = "wall" if found["clock"] else "cpu"
    ratios, costs = found[f"ratios_{kind}"], found[f"ms_{kind}"]
    rows = [(words, how(ratios[key])) for key, words, how in _ROWS if key in ratios]
    whole = costs["pipeline"]
    cores = found["threads"]
    each = whole if found["clock"] else whole / cores
    basis = (
        "by the clock"
        if found["clock"]
        else "by processor time, because the machine did other work"
    )
    lines = [
        f"{cores} cores ({found['processor']}) without a GPU, {found['films']} full-size films, "
        f"measured {found['measured']} {basis}: {each:.1f} ms an image"
        f"{'' if found['clock'] else ' with all cores free'}, or {1000 / each:.0f} images/s.",
        "",
        "| compared with | |",
        "| --- | --- |",
        *(f"| {words} | {value} |" for words, value in rows),
    ]
    for key, films in _SCALES.items():
        if key in figures:
            lines.append(f"| {_folders(figures[key])} | {_scale(figures[key], films)} |")
    if "scale_of_films" in figures:
        lines.append(f"| from the start of the command to the first row | {_first_row(figures)} |")
    if ratios.get("floor_over_pipeline", 1.0) < _FLOOR_BAR:
        lines += ["", _why_not(costs)]
    return "\n".join(lines)


def _why_not(costs: Mapping[str, float]) -> str:
    text = f"The goal of {_FLOOR_BAR:.2f} of the processor's peak is not met"
    if "jpeg" in costs:
        share = costs["jpeg"] / costs["pipeline"]
        text += (
            f": decoding full-size JPEG alone is {100 * share:.0f} % of the work and is no "
            "multiplication"
        )
    return text + "."


def _folders(found: Mapping[str, Any]) -> str:
    return f"a folder of {found['many']['files']:,} files with one of {found['few']['files']:,}"


def _scale(found: Mapping[str, Any], films: str) -> str:
    many, few = found["many"], found["few"]
    kind = "wall" if found["clock"] else "cpu"
    ratio = many[f"ms_{kind}"] / few[f"ms_{kind}"]
    more = many[f"ms_{kind}"] - few[f"ms_{kind}"]
    grown = many["largest_mb"] - few["largest_mb"]
    return (
        f"{films}: {ratio:.2f} times the time an image by {_KINDS[kind]} ({more:+.2f} ms), "
        f"{grown:+.0f} MB at the peak"
    )


def _first_row(figures: Mapping[str, Any]) -> str:
    found = figures["scale_of_films"]
    loaded = "" if found["clock"] else f" at load {found['load_before']:.0f}"
    return f"{found['first_row_seconds']:.1f} s{loaded}"


def _faster(ratio: float) -> str:
    return f"{ratio:.0f} times faster" if ratio >= 10 else f"{ratio:.2f} times faster"


def _speed(ratio: float) -> str:
    return f"{ratio:.2f} of its speed"


def _openvino(ratio: float) -> str:
    gain = 100 * (1 / ratio - 1)
    words = f"{abs(gain):.0f} % {'faster' if gain > 0 else 'slower'}"
    return f"OpenVINO is {words}; `--device openvino` takes it"


def _maps(cost: float) -> str:
    return f"{100 * cost:.1f} % more work" if cost > 0.002 else "no difference within noise"


_ROWS = (
    (
        "keras:compiled_over_pipeline",
        "a plain Keras script (`predict` an image, compiled GradientTape maps)",
        _faster,
    ),
    ("keras:eager_over_pipeline", "the same with an eager tape", _faster),
    (
        "torch_over_pipeline",
        "eager PyTorch, the same networks, Grad-CAM of every class by hooks",
        _faster,
    ),
    (
        "pipeline_over_pipeline:int8",
        "int8, where `cxr-quorum prove` has proved it, against fp32",
        _faster,
    ),
    ("pipeline:openvino_over_pipeline", "the same pipeline on OpenVINO", _openvino),
    (
        "floor_over_pipeline",
        "the processor's peak matrix product on the models' multiplications",
        _speed,
    ),
    ("floor_large_sgemm_over_pipeline", "the same with a product of 1,536 x 1,536", _speed),
    ("floor_with_jpeg_over_pipeline", "the same and libjpeg's own work on the same films", _speed),
    ("models_over_pipeline", "the models alone on films in memory", _speed),
    ("maps_cost", "the same models with the maps cut out of their graphs", _maps),
)
