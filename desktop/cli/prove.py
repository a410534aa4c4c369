"""``cxr-quorum prove``: is int8 worth it on this processor, with these models?"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

from desktop.core.diagnostics.int8_benchmark import benchmark_int8
from desktop.core.files.inputs import list_inputs
from desktop.core.inference.precision import plan_precision
from desktop.core.inference.sandbox import check_in_sandbox
from desktop.core.int8.benchmark import SMALLEST_PANEL_GAIN, Int8Benchmark, benchmark_path
from desktop.core.int8.calibration import SMALLEST_AGREEMENT
from desktop.core.int8.processor import this_processor
from desktop.core.panels.registry import Panel, open_panel
from desktop.core.system.text import printable


def run(arguments: argparse.Namespace) -> int:
    """Measure and keep; 0 where ``auto`` now takes int8, 1 where it stays with fp32."""
    panel = open_panel(arguments.panel)
    check_in_sandbox(panel)
    check_in_sandbox(panel, plan_precision(panel, "int8", "cpu"))
    files = list_inputs(arguments.paths, recursive=arguments.recursive) if arguments.paths else ()
    proof = benchmark_int8(panel, files, on_progress=_show)
    if arguments.json:
        values = {**dataclasses.asdict(proof), "file": str(benchmark_path(panel))}
        print(json.dumps(values, indent=2))
    else:
        print(_text(panel, proof))
    return 0 if proof.chosen else 1


def _show(text: str) -> None:
    if sys.stderr.isatty():
        print(printable(text), file=sys.stderr)


def _text(panel: Panel, proof: Int8Benchmark) -> str:
    titles = {model.name: model.card.title for model in panel.models}
    own = proof.films - proof.drawn
    chip = this_processor()
    lines = [
        f"{panel.name} {panel.version} on {chip.words}",
        f"{proof.drawn} drawn phantoms and {own} films of yours; weights of {chip.weight_bits} "
        "bits.",
        "",
    ]
    found = {model.name: model for model in proof.models}
    for name, title in titles.items():
        model = found.get(name)
        if model is None:
            lines.append(f"  {title}: fp32; its int8 form did not pass at its exporter")
            continue
        what = "int8" if model.chosen else "fp32"
        lines.append(
            f"  {title}: {what}; int8 is {model.gain:.2f} times as fast, "
            f"{100 * model.equal_labels:.1f} % equal labels, probabilities at most "
            f"{model.largest_difference:.3f} apart"
        )
    lines += [
        "",
        f"Panel: {proof.gain:.2f} times as fast as fp32, {100 * proof.equal_consensus:.1f} % equal "
        f"consensus (needed: {SMALLEST_PANEL_GAIN} times, {100 * SMALLEST_AGREEMENT} %).",
        f"With --precision auto: {plan_precision(panel, 'auto', 'cpu').precision}.",
        f"Kept in {benchmark_path(panel)}",
    ]
    return "\n".join(map(printable, lines))
