"""Measure what the app needs to run a panel in int8, and whether it then says the same.

Writes ``int8.json`` beside the panel's manifest: ranges of the activations and corrections of the
biases over validation films (`training.export.int8_statistics`), and which models of the panel, in
which int8 form, still answer like fp32 on films that training never saw. The int8 weights are made
by the app from the fp32 file (`desktop.core.int8.graph`).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.int8.benchmark import SMALLEST_PANEL_GAIN
from desktop.core.int8.calibration import (
    INT8_NAME,
    SMALLEST_AGREEMENT,
    SMALLEST_FLAG_AGREEMENT,
    Agreement,
    Int8Calibration,
    Int8Form,
    ModelCalibration,
    packed,
)
from desktop.core.int8.graph import NO_CORRECTIONS, Corrections, Ranges, convolutions, quantise
from desktop.core.int8.processor import WeightBits
from desktop.core.panels.contract import OUTPUT_OOD_SCORE, OUTPUT_PROBABILITIES
from desktop.core.panels.registry import Panel, PanelModel, open_panel, read_verified
from training.data.split import VALIDATION, SplitData
from training.evaluation.scores import panel_votes
from training.export.int8_statistics import (
    ask,
    measure_corrections,
    measure_ranges,
    multiplications,
)
from training.metrics import classification as metrics
from training.runtime.files import write_atomically

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

RANGE_FILMS = 128
MOST_FILMS_A_SIDE = 600
_BITS: tuple[WeightBits, ...] = (8, 7)
_DEEP = 40
_LAST = (6, 10)
"""Convolutions at the end of ResNet50, two blocks or its last stage: what they round goes
straight into the features that tell a strange film.
"""
_FIRST = 11
"""Convolutions at its beginning, the stem and the first stage: what they round goes through all
that follows, and labels change with it.
"""
_FASTER: Mapping[WeightBits, float] = {8: 3.2, 7: 2.0}
"""How many times faster a convolution is in int8, roughly; only for choosing between forms.
``cxr-quorum prove`` measures.
"""
_ENOUGH_GAIN = 1.1 * SMALLEST_PANEL_GAIN
"""From here on another form is taken for being more like fp32, not for being faster."""


@dataclass(frozen=True)
class _Outputs:
    """What one form of a model answers about the films: probabilities [N, K] and scores [N]."""

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


@dataclass(frozen=True)
class _Choice:
    """One way to run a model.

    Attributes:
        outputs: Its answers about the films.
        work: Its multiplications, each int8 one counted by the time it takes beside fp32.
        form: The int8 form; None = fp32.
    """

    outputs: _Outputs
    work: float
    form: Int8Form | None = None


def quantise_panel(
    folder: Path, data: SplitData, *, on_progress: Callable[[str], object] = lambda _: None
) -> Int8Calibration:
    """Measure a panel and write its ``int8.json``.

    Args:
        folder: The panel's folder, with its manifest.
        data: The split that its models were trained on, at the panel's input size.
        on_progress: Called with what is being done and found.

    Returns:
        What was written.
    """
    panel = open_panel(folder.absolute())
    random = np.random.default_rng(0)
    for_ranges = _balanced(data, data.indices(VALIDATION), RANGE_FILMS, random)
    films = _deciding_films(data, for_ranges, random)
    ranges: dict[str, Ranges] = {}
    choices: dict[WeightBits, dict[str, list[_Choice]]] = {bits: {} for bits in _BITS}
    for model in panel.models:
        begun = time.monotonic()
        content = read_verified(model)
        work = multiplications(content, films.pixels[:1])
        fp32 = _Choice(_run(content, films.pixels), sum(work.values()))
        for bits in _BITS:
            choices[bits][model.name] = [fp32]
        if not work:
            on_progress(f"{model.card.title}: nothing in its graph can be quantised")
            continue
        pixels = data.pixels[for_ranges]
        ranges[model.name] = measure_ranges(content, pixels, *kept_choices(content))
        for bits in _BITS:
            for choice in _forms(
                content, ranges[model.name], bits, films, fp32, panel.ood_limit, pixels
            ):
                choices[bits][model.name].append(choice)
                on_progress(_summary(model, bits, choice.form))
        on_progress(f"{model.card.title}: {time.monotonic() - begun:.0f} s")
    forms: dict[str, dict[int, Int8Form]] = {name: {} for name in ranges}
    together: dict[int, Agreement] = {}
    for bits in _BITS if ranges else ():
        chosen, found, gain = _best_panel(panel, films, choices[bits])
        together[bits] = found
        for name in ranges:
            forms[name][bits] = _kept_form(choices[bits][name], chosen[name])
        verdict = "may be chosen" if found.good_enough else "is not chosen"
        names = [name for name, one in chosen.items() if one.form is not None]
        on_progress(
            f"Panel, {bits}-bit weights in {', '.join(names)}, about {gain:.1f} times as fast: "
            f"{100 * found.equal_labels:.2f} % of {found.films} films with the same consensus, "
            f"{100 * found.equal_flags:.2f} % flagged alike, AUC {found.auc_change:+.4f}; {verdict}"
        )
    models = {
        model.name: ModelCalibration(model.sha256, forms[model.name], ranges[model.name])
        for model in panel.models
        if model.name in ranges
    }
    calibration = Int8Calibration(len(for_ranges), models, together)
    write_atomically(folder / INT8_NAME, calibration.to_json().encode())
    return calibration


def kept_choices(content: bytes) -> tuple[tuple[str, ...], ...]:
    """Which convolutions may stay in fp32, from none on: one set a form that is tried."""
    names = [item.name for item in convolutions(content)]
    if len(names) >= _DEEP:
        last = [tuple(names[-count:]) for count in _LAST]
        return ((), *((names[0], *kept) for kept in ((), *last)), tuple(names[:_FIRST]), *last)
    return ((), (names[0],), (names[-1],)) if len(names) > 1 else ((),)


def _forms(
    content: bytes,
    ranges: Ranges,
    bits: WeightBits,
    films: _Films,
    fp32: _Choice,
    limit: float,
    pixels: Pixels,
) -> Iterable[_Choice]:
    """Every int8 form of a model that is tried."""
    work = multiplications(content, films.pixels[:1])
    found: Corrections = NO_CORRECTIONS
    for kept in kept_choices(content):
        # A deep network's are each for its own rounding: the same whatever is kept.
        if len(work) < _DEEP or not found:
            found = measure_corrections(content, ranges, bits, pixels, kept)
        corrections = {name: values for name, values in found.items() if name not in kept}
        raw = _run(quantise(content, ranges, bits, kept, corrections=corrections), films.pixels)
        score = _back_to_scale(raw.scores, fp32.outputs.scores, films.sides == VALIDATION)
        outputs = _Outputs(raw.probabilities, score[0] * raw.scores + score[1])
        agreement = _agreement(
            films,
            (fp32.outputs.probabilities.argmax(1), fp32.outputs),
            (outputs.probabilities.argmax(1), outputs),
            limit,
        )
        passed = agreement.equal_labels >= SMALLEST_AGREEMENT
        slow = sum(work[name] for name in kept)
        yield _Choice(
            outputs,
            slow + (sum(work.values()) - slow) / _FASTER[bits],
            Int8Form(kept, score, agreement, passed, packed(corrections)),
        )


def _best_panel(
    panel: Panel, films: _Films, choices: Mapping[str, Sequence[_Choice]]
) -> tuple[dict[str, _Choice], Agreement, float]:
    """Which models to run in int8 and how: choices by name, the panel's agreement, its rough gain.

    Of all that answer like fp32 and are clearly worth it the one that does so by the largest
    margin; of those that are less fast the fastest; where the panel never answers like fp32 what
    comes nearest. A model alone passes with fewer changed labels than four together have changed
    consensus, so they are judged together.
    """
    names = panel.model_names
    plain = [choices[name][0] for name in names]
    before = _together([one.outputs for one in plain])
    ranked: list[tuple[tuple[float, ...], dict[str, _Choice], Agreement, float]] = []
    for some in itertools.product(*(choices[name] for name in names)):
        forms = [one.form for one in some if one.form is not None]
        if not forms:
            continue
        found = _agreement(films, before, _together([one.outputs for one in some]), panel.ood_limit)
        gain = sum(one.work for one in plain) / sum(one.work for one in some)
        alike = _margin(found, [form.agreement for form in forms])
        good = found.good_enough and all(form.passed for form in forms)
        enough = good and gain >= _ENOUGH_GAIN
        order = (float(good), float(enough), alike if enough or not good else gain, gain)
        ranked.append((order, dict(zip(names, some, strict=True)), found, gain))
    return max(ranked, key=lambda item: item[0])[1:]


def _margin(together: Agreement, alone: Iterable[Agreement]) -> float:
    """How far the tightest requirement is met, 1 = by all there is: `cxr-quorum prove` asks the
    same of each model and of the panel again, on other films.
    """
    labels = [together.equal_labels, *(one.equal_labels for one in alone)]
    return min(
        (min(labels) - SMALLEST_AGREEMENT) / (1 - SMALLEST_AGREEMENT),
        (together.equal_flags - SMALLEST_FLAG_AGREEMENT) / (1 - SMALLEST_FLAG_AGREEMENT),
    )


def _kept_form(choices: Sequence[_Choice], chosen: _Choice) -> Int8Form:
    """The form to write: the chosen one, else the nearest to fp32, which then has not passed."""
    if chosen.form is not None:
        return chosen.form
    forms = [one.form for one in choices if one.form is not None]
    nearest = max(forms, key=lambda form: form.agreement.equal_labels)
    return replace(nearest, passed=False)


def _together(members: Sequence[_Outputs]) -> tuple[npt.NDArray[np.int64], _Outputs]:
    """Consensus of each film, and what the members say on average."""
    probabilities = [outputs.probabilities for outputs in members]
    scores = [outputs.scores for outputs in members]
    mean = _Outputs(np.mean(probabilities, axis=0), np.mean(scores, axis=0))
    return panel_votes(probabilities)[0], mean


def _agreement(
    films: _Films,
    before: tuple[npt.NDArray[np.int64], _Outputs],
    after: tuple[npt.NDArray[np.int64], _Outputs],
    limit: float,
) -> Agreement:
    change = np.abs(before[1].probabilities - after[1].probabilities).max(axis=1)
    flags = (before[1].scores > limit) == (after[1].scores > limit)
    sides = [name for name in np.unique(films.sides) if name != VALIDATION] or [VALIDATION]
    areas = [
        _area(films.labels[side], after[1].probabilities[side])
        - _area(films.labels[side], before[1].probabilities[side])
        for side in (films.sides == name for name in sides)
    ]
    known = [area for area in areas if area == area]
    return Agreement(
        films=len(films.labels),
        equal_labels=round(float(np.mean(before[0] == after[0])), 6),
        equal_flags=round(float(np.mean(flags)), 6),
        mean_difference=round(float(change.mean()), 6),
        largest_difference=round(float(change.max()), 6),
        auc_change=round(float(max(known, key=abs)), 6) if known else 0.0,
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


def _run(content: bytes, pixels: Pixels) -> _Outputs:
    parts = list(ask(content, [OUTPUT_PROBABILITIES, OUTPUT_OOD_SCORE], pixels))
    return _Outputs(
        *(np.concatenate(values).astype(np.float64) for values in zip(*parts, strict=True))
    )


def _balanced(
    data: SplitData, indices: npt.NDArray[np.int64], count: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Up to ``count`` films, of every data set and class in turn."""
    by_kind: dict[tuple[str, str], list[int]] = {}
    for index in random.permutation(indices).tolist():
        film = data.films[index]
        by_kind.setdefault((film.source, film.label), []).append(index)
    rows = itertools.zip_longest(*(by_kind[kind] for kind in sorted(by_kind)))
    chosen = (index for row in rows for index in row if index is not None)
    return np.array(sorted(itertools.islice(chosen, count)), np.int64)


def _deciding_films(
    data: SplitData, measured: npt.NDArray[np.int64], random: np.random.Generator
) -> _Films:
    """Validation films without those of the ranges, and the tests; so many of each at most."""
    rest = np.setdiff1d(data.indices(VALIDATION), measured)
    groups = {VALIDATION: rest if len(rest) else measured}
    groups |= {side: data.indices(side) for side in data.test_sides}
    chosen = {
        side: np.sort(random.permutation(indices)[:MOST_FILMS_A_SIDE])
        for side, indices in groups.items()
    }
    films = np.concatenate(list(chosen.values()))
    sides = np.repeat(list(chosen), [len(some) for some in chosen.values()])
    return _Films(data.pixels[films], data.labels[films], sides)


def _summary(model: PanelModel, bits: int, form: Int8Form | None) -> str:
    assert form is not None
    found = form.agreement
    kept = f", {len(form.kept)} convolutions kept in fp32" if form.kept else ""
    verdict = "passed" if form.passed else "not enough"
    return (
        f"{model.card.title}, {bits}-bit weights{kept}: {100 * found.equal_labels:.2f} % of "
        f"{found.films} films with the same label, probabilities {found.mean_difference:.4f} apart "
        f"on average, AUC {found.auc_change:+.4f}; {verdict}"
    )
