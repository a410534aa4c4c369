"""Give the models of a panel that was exported earlier the graph passes of today's export."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx

from desktop.core.errors import ModelRefused
from desktop.core.inference.session import drawn_films
from desktop.core.int8.calibration import INT8_NAME, read_calibration
from desktop.core.panels.contract import MANIFEST_NAME, OUTPUT_PROBABILITIES
from desktop.core.panels.registry import PanelModel, open_panel, read_verified
from training.evaluation.predictions import SCORES_NAME
from training.export.graph_passes import optimise
from training.runtime.files import write_atomically, write_json
from training.runtime.onnx_run import run_onnx

TOLERANCE = 1e-6


def rewrite_panel(
    folder: Path, version: str, *, on_progress: Callable[[str], None] = lambda _: None
) -> bool:
    """Run the graph passes over a panel's files: same weights, new hashes, a new panel version.

    What was measured for int8 stays bound to the rewritten files: a rewritten convolution keeps the
    name of its output, and the copies of a channel have the range of that channel.

    Args:
        folder: The panel's folder.
        version: The panel's version from now on, if a file changes.
        on_progress: Told what each model gained.

    Returns:
        False where no file had anything to gain; then nothing was written.

    Raises:
        ModelRefused: EXPORT-01 where a probability of a drawn film would change by more than 1e-6;
            nothing was written.
    """
    panel = open_panel(folder.absolute())
    calibration = read_calibration(panel)
    changed: dict[str, bytes] = {}
    for model in panel.models:
        graph = onnx.load_from_string(read_verified(model))
        sources = {node.output[0]: node.input[0] for node in graph.graph.node}
        if not optimise(graph):
            on_progress(f"{model.card.title}: nothing to gain")
            continue
        content: bytes = graph.SerializeToString()
        difference = _difference(model, content)
        changed[model.name] = content
        on_progress(f"{model.card.title}: rewritten, probabilities {difference:.1e} apart at most")
        if calibration is not None and model.name in calibration.models:
            measured = calibration.models[model.name]
            left = {name for node in graph.graph.node for name in node.input}
            ranges = {n if n in left else sources.get(n, n): r for n, r in measured.ranges.items()}
            bound = replace(measured, sha256=hashlib.sha256(content).hexdigest(), ranges=ranges)
            calibration = replace(calibration, models={**calibration.models, model.name: bound})
    if not changed:
        return False
    members = tuple(
        replace(member, sha256=hashlib.sha256(changed[member.name]).hexdigest())
        if member.name in changed
        else member
        for member in panel.manifest.members
    )
    for model in panel.models:
        if model.name in changed:
            write_atomically(model.path, changed[model.name])
    manifest = replace(panel.manifest, members=members, version=version)
    write_atomically(folder / MANIFEST_NAME, manifest.to_json().encode())
    if calibration is not None:
        write_atomically(folder / INT8_NAME, calibration.to_json().encode())
    _set_version(folder, panel.version, version)
    return True


def _difference(model: PanelModel, content: bytes) -> float:
    films = drawn_films(model.card.input_size)
    before, after = (
        run_onnx(data, films, [OUTPUT_PROBABILITIES])[0] for data in (read_verified(model), content)
    )
    found = float(np.abs(before - after).max())
    if not found <= TOLERANCE:
        raise ModelRefused(
            "EXPORT-01",
            f"{model.card.title} rewritten differs by {found:.2g} in its probabilities, more than "
            f"{TOLERANCE:g} allows. Nothing was written; the file that was there is intact.",
        )
    return found


def _set_version(folder: Path, before: str, version: str) -> None:
    """Say the new version on the panel's page and in its scores, where there are any."""
    scores, page = folder / SCORES_NAME, folder / "README.md"
    if scores.is_file():
        write_json(scores, {**json.loads(scores.read_text("utf-8")), "version": version})
    if page.is_file():
        text = page.read_text("utf-8").replace(f"Version {before};", f"Version {version};", 1)
        write_atomically(page, text.encode())
