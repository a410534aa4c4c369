"""Measure on this machine whether a panel's int8 forms answer like fp32, and how much faster.

Both forms of each model answer the same films, in turns, on one thread whose own
processor time is taken: other work on the machine then hits both alike or not at all.
"""

from __future__ import annotations

import datetime
import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from desktop.core.batch.pipeline import DEFAULT_BATCH
from desktop.core.cases import ImageFile, Prediction
from desktop.core.imaging.decoders.decoder import decode_file
from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom
from desktop.core.inference.precision import ALL_FP32, PrecisionPlan, plan_precision
from desktop.core.inference.session import PanelSession
from desktop.core.int8.benchmark import (
    SMALLEST_MODEL_GAIN,
    SMALLEST_PANEL_GAIN,
    Int8Benchmark,
    ModelBenchmark,
    benchmark_key,
    write_benchmark,
)
from desktop.core.int8.calibration import SMALLEST_AGREEMENT
from desktop.core.int8.processor import Processor, this_processor
from desktop.core.panels.registry import Panel, PanelModel
from desktop.core.vote import verdict

DRAWN_FILMS = 256
MOST_OWN_FILMS = 512
#: So many films of one's own decide alone. Phantoms stand in for films where there are none; the
#: networks are less sure of them than of films, and an unsure vote changes with the last digit.
ENOUGH_OWN_FILMS = 200
_TURNS = 25

Film = Mapping[tuple[int, int], npt.NDArray[np.uint8]]


@dataclass(frozen=True)
class _Measured:
    """One form of a model: its vote and probabilities a film, None where it gave none; seconds."""

    predictions: Sequence[Prediction | None]
    seconds: float


def benchmark_int8(
    panel: Panel,
    files: Iterable[ImageFile] = (),
    *,
    drawn: int = DRAWN_FILMS,
    home: Path | None = None,
    on_progress: Callable[[str], object] = lambda _: None,
) -> Int8Benchmark:
    """Measure a panel, decide and keep what was found.

    Args:
        panel: The panel; verified.
        files: Own films to compare, of which the first ``MOST_OWN_FILMS`` that can be read are
            taken; ``ENOUGH_OWN_FILMS`` of them decide alone, without any the phantoms do.
        drawn: How many phantoms where they are needed.
        home: Home of what is kept, None for the user's.
        on_progress: Called with what is being done.

    Raises:
        ModelRefused: MODEL-13 where no model has an int8 form that passed at its exporter.
        OutputFailed: It cannot be kept.
    """
    chip = this_processor()
    plan = plan_precision(panel, "int8", "cpu", processor=chip)
    on_progress("Reading films, drawing phantoms where they are too few")
    sizes = panel.input_sizes
    decoded = (decode_file(file, tuple(sizes), film=False) for file in files)
    films: list[Film] = list(
        itertools.islice((item.pixels for item in decoded if not item.code), MOST_OWN_FILMS)
    )
    if len(films) >= ENOUGH_OWN_FILMS:
        drawn = 0
    for number in range(drawn):
        kind = FILM_KINDS[number % len(FILM_KINDS)]
        films.append({size: draw_phantom(kind, number, size)[..., np.newaxis] for size in sizes})
    measured: dict[str, list[_Measured]] = {}
    for model in panel.models:
        on_progress(f"{model.card.title}: {len(films)} films, {_TURNS} timed turns")
        measured[model.name] = _measure(panel, model, films, plan)
    found = _decide(panel, measured, chip, len(films), drawn)
    write_benchmark(panel, found, home=home)
    return found


def _measure(
    panel: Panel, model: PanelModel, films: Sequence[Film], plan: PrecisionPlan
) -> list[_Measured]:
    """fp32, and int8 where it passed."""
    size = model.card.input_size
    batches = [
        np.stack([film[size] for film in films[start : start + DEFAULT_BATCH]])
        for start in range(0, len(films), DEFAULT_BATCH)
    ]
    plans = [ALL_FP32, replace(plan, int8=plan.int8 & {model.name})]
    alone = replace(panel, models=(model,))
    sessions = [
        PanelSession(alone, "cpu", 1, on_cpu=item) for item in plans[: 1 + bool(plans[1].int8)]
    ]
    answers = [
        [
            answer.predictions[0] if answer.predictions else None
            for batch in batches
            for answer in session.predict(batch, maps=False)
        ]
        for session in sessions
    ]
    times: list[list[float]] = [[] for _ in sessions]
    for turn in range(_TURNS):
        for session, taken in zip(sessions, times, strict=True):
            begun = time.thread_time()
            session.predict(batches[turn % max(1, len(batches) - 1)])
            taken.append(time.thread_time() - begun)
    return [_Measured(said, median(taken)) for said, taken in zip(answers, times, strict=True)]


def _decide(
    panel: Panel,
    measured: Mapping[str, Sequence[_Measured]],
    chip: Processor,
    films: int,
    drawn: int,
) -> Int8Benchmark:
    models = tuple(_judge(name, *forms) for name, forms in measured.items() if len(forms) > 1)
    chosen = {model.name for model in models if model.chosen}
    before = [forms[0] for forms in measured.values()]
    after = [forms[name in chosen] for name, forms in measured.items()]
    gain = sum(form.seconds for form in before) / sum(form.seconds for form in after)
    equal = sum(
        _consensus(panel, before, index) == _consensus(panel, after, index)
        for index in range(films)
    )
    share = equal / films
    return Int8Benchmark(
        key=benchmark_key(panel, chip),
        day=datetime.datetime.now(datetime.UTC).date().isoformat(),
        films=films,
        drawn=drawn,
        models=models,
        gain=round(gain, 4),
        equal_consensus=round(share, 6),
        chosen=bool(chosen) and gain >= SMALLEST_PANEL_GAIN and share >= SMALLEST_AGREEMENT,
    )


def _judge(name: str, fp32: _Measured, int8: _Measured) -> ModelBenchmark:
    pairs = list(zip(fp32.predictions, int8.predictions, strict=True))
    equal = sum((one and one.vote) == (other and other.vote) for one, other in pairs) / len(pairs)
    changes = [
        max(map(abs, np.subtract(one.probabilities, other.probabilities).tolist()))
        for one, other in pairs
        if one and other
    ]
    gain = fp32.seconds / int8.seconds
    return ModelBenchmark(
        name=name,
        gain=round(gain, 4),
        equal_labels=round(equal, 6),
        largest_difference=round(max(changes, default=1.0), 6),
        chosen=gain >= SMALLEST_MODEL_GAIN and equal >= SMALLEST_AGREEMENT,
    )


def _consensus(panel: Panel, forms: Sequence[_Measured], index: int) -> int | None:
    said = (form.predictions[index] for form in forms)
    voting = tuple(prediction for prediction in said if prediction is not None)
    if not voting:
        return None
    return verdict(voting, panel.model_names, len(panel.class_names), panel.ood_limit).consensus
