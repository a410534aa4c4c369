"""Export the network that finds the lungs into a panel folder, behind a gate of its own."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf

from desktop.core.errors import ModelRefused
from desktop.core.panels.contract import (
    CONTRACT_VERSION,
    LUNGS_CARD_METADATA_KEY,
    LUNGS_NAME,
    MANIFEST_NAME,
    OUTPUT_MASK,
    PanelManifest,
    PanelMember,
)
from desktop.core.panels.lungs_card import LungsCard
from training.data.lung_masks import LungFilms, dice
from training.export.onnx_export import convert
from training.models.layers import round_kernels
from training.models.lungs import mask_of
from training.runtime.files import write_atomically
from training.runtime.git_commit import current_commit
from training.runtime.onnx_run import run_onnx

TOLERANCE = 1e-4
THRESHOLD = 0.5
#: Lungs of less than this share of the film were not found: the smallest drawn ones fill 8 %.
SMALLEST_SHARE = 0.06
_GATE_FILMS = 24


@dataclass(frozen=True)
class LungsGate:
    """What the gate asks of the exported file on held-out films of every source.

    Attributes:
        mean: Smallest mean Dice.
        low: Smallest 5th percentile.
    """

    mean: float = 0.95
    low: float = 0.88


def export_lungs(
    body: Any,
    films: LungFilms,
    *,
    version: str,
    gate: LungsGate,
    facts: Mapping[str, str] | None = None,
) -> bytes:
    """The ONNX file with its card, compared with Keras and scored on held-out films.

    Args:
        body: The trained network; its kernels are rounded to 16 bits in place.
        films: Films with masks; the held-out ones are scored.
        version: Of the weights.
        gate: What is asked; below it nothing is given.
        facts: For people.

    Raises:
        ModelRefused: EXPORT-01 where Keras and ONNX Runtime differ by more than 1e-4, or the Dice
            of a source is below the gate.
    """
    round_kernels(body)
    size = body.input_shape[1]
    content = convert(
        lambda pixels: {OUTPUT_MASK: mask_of(body, pixels)}, (size, size), [OUTPUT_MASK]
    )
    _same_as_keras(body, content, films)
    metrics = {}
    for source in films.sources:
        chosen = films.indices(held_out=True, source=source)
        if not len(chosen):
            continue
        (masks,) = run_onnx(content, films.pixels[chosen], [OUTPUT_MASK])
        values = dice(masks >= THRESHOLD, films.masks[chosen] > 127)
        mean, low = float(values.mean()), float(np.percentile(values, 5))
        if mean < gate.mean or low < gate.low:
            raise ModelRefused(
                "EXPORT-01",
                f"On {len(chosen)} held-out films of {source} the lungs overlap the drawn ones by "
                f"{mean:.3f} (5th percentile {low:.3f}); {gate.mean:g} and {gate.low:g} are asked. "
                "Nothing was written. Train longer, or give other limits.",
            )
        metrics[f"{source}_dice"] = {"value": mean, "low": low, "n": float(len(chosen))}
    card = LungsCard(
        version=version,
        input_size=(size, size),
        threshold=THRESHOLD,
        smallest_share=SMALLEST_SHARE,
        training_data_sha256=films.training_hash,
        commit=current_commit() or "",
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
        metrics=metrics,
        facts=dict(facts or {}),
    )
    model = onnx.load_from_string(content)
    entry = model.metadata_props.add()
    entry.key, entry.value = LUNGS_CARD_METADATA_KEY, card.to_json()
    result: bytes = model.SerializeToString()
    return result


def _same_as_keras(body: Any, content: bytes, films: LungFilms) -> None:
    chosen = films.indices(held_out=True)[:_GATE_FILMS]
    if not len(chosen):
        raise ModelRefused("EXPORT-02", "No film is held out, so nothing was written.")
    pixels = films.pixels[chosen]
    (masks,) = run_onnx(content, pixels, [OUTPUT_MASK])
    apart = float(np.abs(masks - np.asarray(mask_of(body, tf.constant(pixels)))).max())
    if not apart <= TOLERANCE:
        raise ModelRefused(
            "EXPORT-01",
            f"Keras and ONNX Runtime differ by {apart:.2g} in their masks, more than "
            f"{TOLERANCE:g} allows. Nothing was written.",
        )


def put_into_panel(folder: Path, content: bytes) -> None:
    """Write ``lungs.onnx`` and register it in the panel's manifest.

    Raises:
        FileNotFoundError: The folder is no panel.
    """
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is no panel. Export its models first.")
    manifest = PanelManifest.from_json(path.read_text("utf-8"))
    file = f"{LUNGS_NAME}.onnx"
    member = PanelMember(LUNGS_NAME, file, hashlib.sha256(content).hexdigest())
    write_atomically(folder / file, content)
    changed = dataclasses.replace(manifest, lungs=member, contract_version=CONTRACT_VERSION)
    write_atomically(path, changed.to_json().encode())
