"""Measure on this machine whether a panel's int8 forms answer like fp32, and how much faster.

Both forms of each model answer the same films, turn and turn about, on one thread whose own
processor time is taken: other work on the machine then hits both alike or not at all.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from desktop.core.batch.pipeline import DEFAULT_BATCH
from desktop.core.cases import ImageFile, Prediction
from desktop.core.imaging.decoder import decode_file
from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom
from desktop.core.inference.precision import PrecisionPlan, plan_precision
from desktop.core.inference.session import PanelSession
from desktop.core.int8.calibration import SMALLEST_AGREEMENT
from desktop.core.int8.processor import Processor, this_processor
from desktop.core.int8.proof import (
    SMALLEST_MODEL_GAIN,
    SMALLEST_PANEL_GAIN,
    Int8Benchmark,
    ModelProof,
    proof_key,
    write_proof,
)
from desktop.core.panels.registry import Panel, PanelModel
from desktop.core.vote import verdict

DRAWN_FILMS = 256
MOST_OWN_FILMS = 512
#: So many films of one's own decide alone. Phantoms stand in for films where there are none; the
#: networks hesitate on them more than on films, and a hesitating vote tips at the last digit.
ENOUGH_OWN_FILMS = 200
_TURNS = 25

Size = tuple[int, int]
Film = Mapping[Size, npt.NDArray[np.uint8]]
Tell = Callable[[str], object]


@dataclass(frozen=True)
class _Measured:
    """One model in both forms: its answers and the seconds of a micro-batch."""

    fp32: Sequence[Prediction]
    fp32_seconds: float
    int8: Sequence[Prediction] = ()
    int8_seconds: float = 0.0


def prove(
    panel: Panel,
    files: Iterable[ImageFile] = (),
    *,
    drawn: int = DRAWN_FILMS,
    home: Path | None = None,
    processor: Processor | None = None,
    tell: Tell = lambda _: None,
) -> Int8Benchmark:
    """Measure a panel, decide and keep the proof.

    Args:
        panel: The panel; verified.
        files: Own films to compare, of which the first ``MOST_OWN_FILMS`` that can be read are
            taken; ``ENOUGH_OWN_FILMS`` of them decide alone, without any the phantoms do.
        drawn: How many phantoms where they are needed.
        home: Home of the proofs, None for the user's.
        processor: None for this machine's.
        tell: Told what is being done.

    Raises:
        ModelRefused: MODEL-13 where no model has an int8 form that passed at its exporter.
        OutputFailed: The proof cannot be kept.
    """
    chip = processor or this_processor()
    plan = plan_precision(panel, "int8", "cpu", processor=chip)
    tell("Reading films, drawing phantoms where they are too few")
    films = _own_films(files, panel.input_sizes)
    if len(films) >= ENOUGH_OWN_FILMS:
        drawn = 0
    films += [_phantom(number, panel.input_sizes) for number in range(drawn)]
    measured: dict[str, _Measured] = {}
    for model in panel.models:
        tell(f"{model.card.title}: {len(films)} films, {_TURNS} timed turns")
        measured[model.name] = _measure(panel, model, films, plan)
    proof = _decide(panel, measured, chip, len(films), drawn)
    write_proof(panel, proof, home=home)
    return proof


def _phantom(number: int, sizes: Sequence[Size]) -> Film:
    kind = FILM_KINDS[number % len(FILM_KINDS)]
    return {size: draw_phantom(kind, number, size)[..., np.newaxis] for size in sizes}


def _own_films(files: Iterable[ImageFile], sizes: Sequence[Size]) -> list[Film]:
    films: list[Film] = []
    for file in files:
        if len(films) == MOST_OWN_FILMS:
            break
        decoded = decode_file(file, tuple(sizes), film=False)
        if not decoded.code:
            films.append(decoded.pixels)
    return films


def _measure(
    panel: Panel, model: PanelModel, films: Sequence[Film], plan: PrecisionPlan
) -> _Measured:
    alone = replace(panel, models=(model,))
    size = model.card.input_size
    batches = [
        np.stack([film[size] for film in films[start : start + DEFAULT_BATCH]])
        for start in range(0, len(films), DEFAULT_BATCH)
    ]
    plans = [PrecisionPlan()]
    if model.name in plan.int8:
        plans.append(replace(plan, int8=frozenset({model.name})))
    sessions = [PanelSession(alone, "cpu", 1, on_cpu=item) for item in plans]
    answers = [_answers(session, batches) for session in sessions]
    times: list[list[float]] = [[] for _ in sessions]
    for turn in range(_TURNS):
        for session, taken in zip(sessions, times, strict=True):
            begun = time.thread_time()
            session.predict(batches[turn % max(1, len(batches) - 1)])
            taken.append(time.thread_time() - begun)
    seconds = [median(taken) for taken in times]
    if len(sessions) == 1:
        return _Measured(answers[0], seconds[0])
    return _Measured(answers[0], seconds[0], answers[1], seconds[1])


def _answers(session: PanelSession, batches: Sequence[npt.NDArray[np.uint8]]) -> list[Prediction]:
    """One prediction a film; a model that fails on one gives a vote for nothing there."""
    nothing = Prediction(session.panel.models[0].name, (float("nan"),))
    found = []
    for batch in batches:
        for answer in session.predict(batch, maps=False):
            found.append(answer.predictions[0] if answer.predictions else nothing)
    return found


def _decide(
    panel: Panel, measured: Mapping[str, _Measured], chip: Processor, films: int, drawn: int
) -> Int8Benchmark:
    models = tuple(_judge(name, item) for name, item in measured.items() if item.int8)
    chosen = {model.name for model in models if model.chosen}
    fp32 = sum(item.fp32_seconds for item in measured.values())
    mixed = sum(
        item.int8_seconds if name in chosen else item.fp32_seconds
        for name, item in measured.items()
    )
    equal = 0
    for place in range(films):
        before = [measured[model.name].fp32[place] for model in panel.models]
        after = [
            (item.int8 if model.name in chosen else item.fp32)[place]
            for model in panel.models
            for item in (measured[model.name],)
        ]
        equal += _consensus(panel, before) == _consensus(panel, after)
    gain, share = fp32 / mixed, equal / films
    return Int8Benchmark(
        key=proof_key(panel, chip),
        day=datetime.datetime.now(datetime.UTC).date().isoformat(),
        films=films,
        drawn=drawn,
        models=models,
        gain=round(gain, 4),
        equal_consensus=round(share, 6),
        chosen=bool(chosen) and gain >= SMALLEST_PANEL_GAIN and share >= SMALLEST_AGREEMENT,
    )


def _judge(name: str, item: _Measured) -> ModelProof:
    pairs = list(zip(item.fp32, item.int8, strict=True))
    equal = sum(_vote(one) == _vote(other) for one, other in pairs) / len(pairs)
    changes = [
        max(map(abs, np.subtract(one.probabilities, other.probabilities).tolist()))
        for one, other in pairs
        if len(one.probabilities) == len(other.probabilities)
    ]
    gain = item.fp32_seconds / item.int8_seconds
    return ModelProof(
        name=name,
        gain=round(gain, 4),
        equal_labels=round(equal, 6),
        largest_difference=round(max(changes, default=1.0), 6),
        chosen=gain >= SMALLEST_MODEL_GAIN and equal >= SMALLEST_AGREEMENT,
    )


def _vote(prediction: Prediction) -> int | None:
    return None if prediction.probabilities[0] != prediction.probabilities[0] else prediction.vote


def _consensus(panel: Panel, predictions: Sequence[Prediction]) -> int | None:
    voting = tuple(item for item in predictions if _vote(item) is not None)
    if not voting:
        return None
    found = verdict(voting, panel.model_names, len(panel.class_names), panel.ood_limit)
    return found.consensus
