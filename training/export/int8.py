"""Measure what the app needs to run a panel in int8, and whether it then says the same.

Writes ``int8.json`` beside the panel's manifest: ranges of the activations and corrections of the
biases over validation films (`training.export.int8_statistics`), and which models of the panel, in
which int8 form, still answer like fp32 on films that training never saw. The int8 weights are made
by the app from the fp32 file (`desktop.core.inference.int8_graph`).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.inference.int8_graph import (
    NO_CORRECTIONS,
    Corrections,
    Ranges,
    WeightBits,
    convolutions,
    quantise,
)
from desktop.core.inference.int8_recipe import (
    INT8_NAME,
    Agreement,
    Int8Calibration,
    Int8Form,
    ModelRecipe,
)
from desktop.core.inference.precision import (
    SMALLEST_AGREEMENT,
    SMALLEST_FLAG_AGREEMENT,
    SMALLEST_PANEL_GAIN,
    good_enough,
)
from desktop.core.panels.contract import INPUT_PIXELS, OUTPUT_OOD_SCORE, OUTPUT_PROBABILITIES
from desktop.core.panels.registry import Panel, PanelModel, open_panel, read_verified
from training.data.split import VALIDATION, SplitData
from training.evaluation.scores import panel_votes
from training.export.int8_statistics import (
    BATCH,
    measure_corrections,
    measure_ranges,
    multiplications,
)
from training.export.int8_statistics import session as session_of
from training.metrics import classification as metrics
from training.runtime.files import write_atomically

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Tell = Callable[[str], object]

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


@dataclass(frozen=True)
class _Choice:
    """One way to run a model.

    Attributes:
        said: What it says of the films.
        work: Its multiplications, each int8 one counted by the time it takes beside fp32.
        form: The int8 form; None = fp32.
    """

    said: _Said
    work: float
    form: Int8Form | None = None


def quantise_panel(
    folder: Path, data: SplitData, *, tell: Tell = lambda _: None
) -> Int8Calibration:
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
    ranges: dict[str, Ranges] = {}
    choices: dict[WeightBits, dict[str, list[_Choice]]] = {bits: {} for bits in _BITS}
    for model in panel.models:
        begun = time.monotonic()
        content = read_verified(model)
        work = multiplications(content, films.pixels[:1])
        fp32 = _Choice(_ask(content, films.pixels), sum(work.values()))
        for bits in _BITS:
            choices[bits][model.name] = [fp32]
        if not work:
            tell(f"{model.card.title}: nothing in its graph can be quantised")
            continue
        pixels = data.pixels[for_ranges]
        ranges[model.name] = measure_ranges(content, pixels, *kept_choices(content))
        for bits in _BITS:
            for choice in _forms(content, ranges[model.name], bits, films, fp32, panel, pixels):
                choices[bits][model.name].append(choice)
                assert choice.form is not None
                tell(_words(model, bits, choice.form))
        tell(f"{model.card.title}: {time.monotonic() - begun:.0f} s")
    forms: dict[str, dict[int, Int8Form]] = {name: {} for name in ranges}
    together: dict[int, Agreement] = {}
    for bits in _BITS if ranges else ():
        chosen, found, gain = _best_panel(panel, films, choices[bits])
        together[bits] = found
        for name in ranges:
            forms[name][bits] = _kept_form(choices[bits][name], chosen[name])
        verdict = "may be chosen" if good_enough(found) else "is not chosen"
        names = [name for name, one in chosen.items() if one.form is not None]
        tell(
            f"Panel, {bits}-bit weights in {', '.join(names)}, about {gain:.1f} times as fast: "
            f"{100 * found.equal_labels:.2f} % of {found.films} films with the same consensus, "
            f"{100 * found.equal_flags:.2f} % flagged alike, AUC {found.auc_change:+.4f}; {verdict}"
        )
    models = {
        model.name: ModelRecipe(model.sha256, ranges[model.name], forms[model.name])
        for model in panel.models
        if model.name in ranges
    }
    recipe = Int8Calibration(len(for_ranges), models, together)
    write_atomically(folder / INT8_NAME, recipe.to_json().encode())
    return recipe


def kept_choices(content: bytes) -> tuple[tuple[str, ...], ...]:
    """Which convolutions may stay in fp32, from none on: one set a form that is tried."""
    names = [item.name for item in convolutions(content)]
    if len(names) >= _DEEP:
        last = [tuple(names[-count:]) for count in _LAST]
        return ((), *((names[0], *kept) for kept in ((), *last)), tuple(names[:_FIRST]), *last)
    if len(names) < 2:
        return ((),)
    return ((), (names[0],), (names[-1],))


def _forms(
    content: bytes,
    ranges: Ranges,
    bits: WeightBits,
    films: _Films,
    fp32: _Choice,
    panel: Panel,
    pixels: Pixels,
) -> Iterable[_Choice]:
    """Every int8 form of a model that is tried."""
    work = multiplications(content, films.pixels[:1])
    first = convolutions(content)[0].name
    shared: Corrections = NO_CORRECTIONS
    for kept in kept_choices(content):
        if len(work) < _DEEP or not shared:
            shared = measure_corrections(content, ranges, bits, pixels, kept)
        found = shared
        if len(work) >= _DEEP and first in kept:
            # Without what the beginning rounds, everything after it is off by something else.
            found = measure_corrections(content, ranges, bits, pixels, kept)
        corrections = {name: values for name, values in found.items() if name not in kept}
        rounded = quantise(content, ranges, bits, kept, corrections=corrections)
        raw = _ask(rounded, films.pixels)
        score = _back_to_scale(raw.scores, fp32.said.scores, films.sides == VALIDATION)
        said = _Said(raw.probabilities, score[0] * raw.scores + score[1])
        agreement = _agreement(
            films,
            (fp32.said.probabilities.argmax(1), fp32.said),
            (said.probabilities.argmax(1), said),
            panel.ood_limit,
        )
        passed = agreement.equal_labels >= SMALLEST_AGREEMENT
        slow = sum(work[name] for name in kept)
        yield _Choice(
            said,
            slow + (sum(work.values()) - slow) / _FASTER[bits],
            Int8Form(kept, score, agreement, passed, corrections),
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
    exact = [one.said for one in plain]
    votes = panel_votes([said.probabilities for said in exact])[0]
    ranked: list[tuple[tuple[float, ...], dict[str, _Choice], Agreement, float]] = []
    for some in itertools.product(*(choices[name] for name in names)):
        if all(one.form is None for one in some):
            continue
        said = [one.said for one in some]
        found = _agreement(
            films,
            (votes, _mean(exact)),
            (panel_votes([one.probabilities for one in said])[0], _mean(said)),
            panel.ood_limit,
        )
        gain = sum(one.work for one in plain) / sum(one.work for one in some)
        alone = all(one.form is None or one.form.passed for one in some)
        alike = _margin(found, [one.form.agreement for one in some if one.form is not None])
        good = alone and good_enough(found)
        enough = good and gain >= _ENOUGH_GAIN
        order = (float(good), float(enough), alike if enough or not good else gain, gain)
        ranked.append((order, dict(zip(names, some, strict=True)), found, gain))
    best = max(ranked, key=lambda item: item[0])
    return best[1], best[2], best[3]


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
    session = session_of(content)
    wanted = [OUTPUT_PROBABILITIES, OUTPUT_OOD_SCORE]
    parts = [
        session.run(wanted, {INPUT_PIXELS: pixels[start : start + BATCH]})
        for start in range(0, len(pixels), BATCH)
    ]
    probabilities, scores = (np.concatenate([part[k] for part in parts]) for k in range(2))
    return _Said(probabilities.astype(np.float64), scores.astype(np.float64))


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
