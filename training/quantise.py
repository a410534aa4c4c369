"""Measure what the app needs to run a panel in int8, and whether it then says the same.

Writes ``int8.json`` beside the panel's manifest: ranges of the activations over validation films,
and for each model the fastest int8 form that still answers like fp32 on films that training never
saw. The int8 weights themselves are made by the app from the fp32 file (`desktop.core.quantised`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from desktop.core.catalogue import Panel, PanelModel, open_panel, read_verified
from desktop.core.contract import INPUT_PIXELS, OUTPUT_OOD_SCORE, OUTPUT_PROBABILITIES
from desktop.core.devices import usable_cores
from desktop.core.int8_recipe import (
    INT8_NAME,
    Agreement,
    Int8Form,
    ModelRecipe,
    PanelRecipe,
)
from desktop.core.precision import SMALLEST_AGREEMENT, good_enough
from desktop.core.quantised import (
    Ranges,
    WeightBits,
    activation_names,
    convolution_names,
    quantise,
)
from training import metrics
from training.checkpoints import write_atomically
from training.evaluate import panel_votes
from training.splits import VALIDATION, SplitData

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Tell = Callable[[str], object]

RANGE_FILMS = 128
MOST_FILMS_A_SIDE = 600
_BITS: tuple[WeightBits, ...] = (8, 7)
_LAST_STAGE = 10
"""Convolutions of ResNet50's last stage: a fifth of its work, and the noise in its features."""
_DEEP = 40


@dataclass(frozen=True)
class _Said:
    """What one form of a model said of the films: probabilities [N, K] and scores [N]."""

    probabilities: Floats
    scores: Floats


@dataclass(frozen=True)
class _Films:
    """The films that decide.

    Attributes:
        pixels: uint8 [N, H, W, 1].
        labels: int64 [N].
        sides: N names of sides.
    """

    pixels: Pixels
    labels: npt.NDArray[np.int64]
    sides: npt.NDArray[np.str_]


def quantise_panel(folder: Path, data: SplitData, *, tell: Tell = lambda _: None) -> PanelRecipe:
    """Measure a panel and write its ``int8.json``.

    Args:
        folder: The panel's folder, with its manifest.
        data: The split that its models were trained on, at the panel's input size.
        tell: Told what is being done and found.

    Returns:
        What was written.
    """
    panel = open_panel(folder.absolute())
    random = np.random.default_rng(0)
    for_ranges = _balanced(data, data.indices(VALIDATION), RANGE_FILMS, random)
    films = _deciding_films(data, for_ranges, random)
    fp32: dict[str, _Said] = {}
    int8: dict[str, dict[WeightBits, _Said]] = {}
    recipes: dict[str, ModelRecipe] = {}
    for model in panel.models:
        begun = time.monotonic()
        content = read_verified(model)
        fp32[model.name] = _ask(content, films.pixels)
        names = activation_names(content)
        int8[model.name] = {}
        if not names:
            tell(f"{model.card.title}: nothing in its graph can be quantised")
            continue
        ranges = measure_ranges(content, data.pixels[for_ranges])
        forms: dict[int, Int8Form] = {}
        for bits in _BITS:
            form, said = _best_form(content, ranges, bits, films, fp32[model.name], panel)
            forms[bits] = form
            int8[model.name][bits] = said
            tell(_words(model, bits, form))
        recipes[model.name] = ModelRecipe(model.sha256, ranges, forms)
        tell(f"{model.card.title}: {time.monotonic() - begun:.0f} s")
    together = {
        bits: _together(panel, films, fp32, int8, recipes, bits) for bits in _BITS if recipes
    }
    recipe = PanelRecipe(len(for_ranges), recipes, together)
    write_atomically(folder / INT8_NAME, recipe.to_json().encode())
    for bits, found in together.items():
        verdict = "may be chosen" if good_enough(found) else "is not chosen"
        tell(
            f"Panel, {bits}-bit weights: {100 * found.equal_labels:.2f} % of {found.films} films "
            f"with the same consensus, {100 * found.equal_flags:.2f} % flagged alike, AUC "
            f"{found.auc_change:+.4f}; {verdict}"
        )
    return recipe


def measure_ranges(content: bytes, pixels: Pixels) -> dict[str, tuple[float, float]]:
    """Lowest and highest value of each activation over films, of an fp32 model.

    Args:
        content: The model file.
        pixels: uint8 [N, H, W, 1].

    Returns:
        Name -> range, to six significant digits, which is far finer than 255 steps.
    """
    names = list(activation_names(content))
    model = onnx.load_from_string(content)
    for name in names:
        model.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    shown = model.SerializeToString()
    session = _session(shown)
    low, high = dict.fromkeys(names, np.inf), dict.fromkeys(names, -np.inf)
    for start in range(0, len(pixels), 8):
        found = session.run(names, {INPUT_PIXELS: pixels[start : start + 8]})
        for name, values in zip(names, found, strict=True):
            low[name] = min(low[name], float(values.min()))
            high[name] = max(high[name], float(values.max()))
    return {name: (float(f"{low[name]:.6g}"), float(f"{high[name]:.6g}")) for name in names}


def _best_form(
    content: bytes,
    ranges: Ranges,
    bits: WeightBits,
    films: _Films,
    fp32: _Said,
    panel: Panel,
) -> tuple[Int8Form, _Said]:
    """The fastest form that answers alike; where none does, the one that comes nearest."""
    convolutions = convolution_names(content)
    choices: list[tuple[str, ...]] = [()]
    if len(convolutions) >= _DEEP:
        choices.append(convolutions[-_LAST_STAGE:])
    best: tuple[Int8Form, _Said] | None = None
    for kept in choices:
        raw = _ask(quantise(content, ranges, bits, kept), films.pixels)
        score = _back_to_scale(raw.scores, fp32.scores, films.sides == VALIDATION)
        said = _Said(raw.probabilities, score[0] * raw.scores + score[1])
        agreement = _agreement(
            films,
            (fp32.probabilities.argmax(1), fp32),
            (said.probabilities.argmax(1), said),
            panel.ood_limit,
        )
        passed = agreement.equal_labels >= SMALLEST_AGREEMENT
        form = Int8Form(kept, score, agreement, passed)
        if best is None or agreement.equal_labels > best[0].agreement.equal_labels:
            best = form, said
        if passed:
            break
    assert best is not None
    return best


def _together(
    panel: Panel,
    films: _Films,
    fp32: Mapping[str, _Said],
    int8: Mapping[str, Mapping[WeightBits, _Said]],
    recipes: Mapping[str, ModelRecipe],
    bits: WeightBits,
) -> Agreement:
    """The panel with int8 in the models that passed."""
    mixed = [
        int8[name][bits] if name in recipes and recipes[name].forms[bits].passed else fp32[name]
        for name in panel.model_names
    ]
    plain = [fp32[name] for name in panel.model_names]
    return _agreement(
        films,
        (panel_votes([said.probabilities for said in plain])[0], _mean(plain)),
        (panel_votes([said.probabilities for said in mixed])[0], _mean(mixed)),
        panel.ood_limit,
    )


def _mean(members: Sequence[_Said]) -> _Said:
    return _Said(
        np.mean([said.probabilities for said in members], axis=0),
        np.mean([said.scores for said in members], axis=0),
    )


def _agreement(
    films: _Films,
    before: tuple[npt.NDArray[np.int64], _Said],
    after: tuple[npt.NDArray[np.int64], _Said],
    limit: float,
) -> Agreement:
    change = np.abs(before[1].probabilities - after[1].probabilities).max(axis=1)
    areas = [
        _area(films.labels[side], after[1].probabilities[side])
        - _area(films.labels[side], before[1].probabilities[side])
        for name in np.unique(films.sides)
        if name != VALIDATION or len(np.unique(films.sides)) == 1
        for side in (films.sides == name,)
    ]
    known = [area for area in areas if area == area]
    return Agreement(
        films=len(films.labels),
        equal_labels=round(float(np.mean(before[0] == after[0])), 6),
        equal_flags=round(
            float(np.mean((before[1].scores > limit) == (after[1].scores > limit))), 6
        ),
        mean_difference=round(float(change.mean()), 6),
        largest_difference=round(float(change.max()), 6),
        auc_change=round(max(known, key=abs), 6) if known else 0.0,
    )


def _area(labels: npt.NDArray[np.int64], probabilities: Floats) -> float:
    """AUC of a side, as the scores name it: between the two classes that occur, else macro."""
    present = np.unique(labels)
    if probabilities.shape[1] > 2 and len(present) == 2:
        return metrics.auc(labels == present[0], probabilities[:, present[0]])
    return metrics.macro_auc(labels, probabilities)


def _back_to_scale(
    int8: Floats, fp32: Floats, chosen: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """Slope and offset that bring int8 scores nearest to fp32 on validation (least squares)."""
    if chosen.sum() < 8 or int8[chosen].std() < 1e-6:
        return 1.0, 0.0
    slope, offset = np.polyfit(int8[chosen], fp32[chosen], 1)
    return float(f"{slope:.6g}"), float(f"{offset:.6g}")


def _ask(content: bytes, pixels: Pixels) -> _Said:
    session = _session(content)
    parts = [
        session.run([OUTPUT_PROBABILITIES, OUTPUT_OOD_SCORE], {INPUT_PIXELS: pixels[i : i + 8]})
        for i in range(0, len(pixels), 8)
    ]
    probabilities, scores = (np.concatenate([part[k] for part in parts]) for k in range(2))
    return _Said(probabilities.astype(np.float64), scores.astype(np.float64))


def _session(content: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cores()
    options.log_severity_level = 4
    # Training may run beside this: a spinning thread would wait for cores that it blocks itself.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _balanced(
    data: SplitData, indices: npt.NDArray[np.int64], count: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Up to ``count`` films, of every data set and class in turn."""
    by_kind: dict[tuple[str, str], list[int]] = {}
    for index in random.permutation(indices).tolist():
        film = data.films[index]
        by_kind.setdefault((film.source, film.label), []).append(index)
    rows = [iter(by_kind[kind]) for kind in sorted(by_kind)]
    chosen: list[int] = []
    while rows and len(chosen) < count:
        for row in list(rows):
            index = next(row, None)
            if index is None:
                rows.remove(row)
            elif len(chosen) < count:
                chosen.append(index)
    return np.array(sorted(chosen), np.int64)


def _deciding_films(
    data: SplitData, measured: npt.NDArray[np.int64], random: np.random.Generator
) -> _Films:
    """Validation films without those of the ranges, and the tests; so many of each at most."""
    rest = np.setdiff1d(data.indices(VALIDATION), measured)
    groups = {VALIDATION: rest if len(rest) else measured}
    groups |= {side: data.indices(side) for side in data.test_sides}
    chosen, sides = [], []
    for side, indices in groups.items():
        some = np.sort(random.permutation(indices)[:MOST_FILMS_A_SIDE])
        chosen.append(some)
        sides += [side] * len(some)
    films = np.concatenate(chosen)
    return _Films(data.pixels[films], data.labels[films], np.array(sides, np.str_))


def _words(model: PanelModel, bits: int, form: Int8Form) -> str:
    found = form.agreement
    kept = f", {len(form.kept)} convolutions kept in fp32" if form.kept else ""
    verdict = "passed" if form.passed else "not enough"
    return (
        f"{model.card.title}, {bits}-bit weights{kept}: {100 * found.equal_labels:.2f} % of "
        f"{found.films} films with the same label, probabilities {found.mean_difference:.4f} apart "
        f"on average, AUC {found.auc_change:+.4f}; {verdict}"
    )


def run_int8(options: Any) -> int:
    """The subcommand ``int8``; see ``training.studies``."""
    from training.commands import recipe_for
    from training.progress import CONSOLE
    from training.splits import split

    for name in options.panel or ("covid19", "pneumonia"):
        folder = options.output / name
        size = open_panel(folder.absolute()).input_sizes[0]
        data = split(recipe_for(name, options.data), options.data, size)
        begun = time.monotonic()
        quantise_panel(
            folder, data, tell=lambda words: CONSOLE.print(words, highlight=False, soft_wrap=True)
        )
        CONSOLE.print(f"{folder / INT8_NAME}, {time.monotonic() - begun:.0f} s", highlight=False)
    return 0
