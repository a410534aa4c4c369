"""Export one finished run into a panel folder: convert, pass the gate, score, write, register."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.errors import ModelRefused
from desktop.core.panels.contract import (
    MANIFEST_NAME,
    ModelCard,
    PanelManifest,
    PanelMember,
)
from training.configs import FitConfig
from training.data.split import TRAIN, VALIDATION, SplitData
from training.evaluation.lungs import card_lungs
from training.evaluation.predictions import answers_of
from training.evaluation.scores import (
    Predictions,
    known_scores,
    operating_points,
    scores,
    side_prefix,
)
from training.export.cards import facts_of, model_page
from training.export.onnx_export import ServedModel, to_onnx, with_card
from training.export.parity_check import Differences, check_parity
from training.fit.drawing import drawing_shares
from training.fit.networks import load_best, logits_of
from training.metrics.calibration import (
    Calibration,
    FalseAlarms,
    balanced_weights,
    calibrate,
    limit_false_alarms,
    read_calibration,
)
from training.metrics.reliability import uncalibrated
from training.models import TITLES, build
from training.models.layers import FEATURES, LOGITS, float_variables, front, round_kernels
from training.ood.outlier_exposure import ExposureHead, fit_exposure
from training.ood.score import fit_ood, thumbnails
from training.runtime.files import write_atomically, write_weights
from training.runtime.git_commit import current_commit

_OOD_FILMS = 2500
_GATE_FILMS = 24
_EXPOSURE_SEED = 28


@dataclass(frozen=True)
class Exported:
    """What an export wrote: the file, what the gate measured, and the card inside."""

    path: Path
    differences: Differences
    card: ModelCard


def fixed_body(config: FitConfig, described: dict[str, Any], trained: Any) -> Any:
    """The trained network at the exported image size, kernels rounded to 16 bits."""
    body = build(
        config.model,
        logits_of(described),
        config.body_side,
        dropout=config.dropout,
        weights="none",
    )
    values = {variable.path: variable.numpy() for variable in float_variables(trained)}
    for variable in float_variables(body):
        variable.assign(values[variable.path])
    round_kernels(body)
    return body


def _inspector(
    body: Any, reduce: int
) -> Callable[[npt.NDArray[np.uint8]], tuple[npt.NDArray[np.float32], ...]]:
    """Pixels [N, H, W, 1] -> logits [N, K], pooled features [N, C] and thumbnails [N, T]."""
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def step(batch: Any) -> Any:
        grey = front(batch, reduce)
        values = body(grey, training=False)
        return values[LOGITS], tf.reduce_mean(values[FEATURES], axis=(1, 2)), thumbnails(grey)

    def inspect(pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        parts = [
            [part.numpy() for part in step(tf.constant(pixels[start : start + 64]))]
            for start in range(0, len(pixels), 64)
        ]
        return tuple(np.concatenate([part[index] for part in parts]) for index in range(3))

    return inspect


def _mirrored_thumbnails(pixels: npt.NDArray[np.uint8], reduce: int) -> npt.NDArray[np.float32]:
    """Thumbnails of the mirrored films; no network is needed for these."""
    import tensorflow as tf

    parts = [
        thumbnails(front(tf.constant(pixels[start : start + 64, :, ::-1]), reduce)).numpy()
        for start in range(0, len(pixels), 64)
    ]
    return np.concatenate(parts)


def per_source_weights(data: SplitData, films: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Weights with which every data set counts the same, however many films it has."""
    sources = np.array([data.films[index].source for index in films])
    names, counts = np.unique(sources, return_counts=True)
    size = dict(zip(names.tolist(), counts.tolist(), strict=True))
    return np.array([1.0 / size[name] for name in sources.tolist()])


#: The members of a panel share it: it sees the film, not the network.
_exposures: dict[tuple[str, int, int], tuple[ExposureHead, npt.NDArray[np.float32]]] = {}


def _exposure(data: SplitData, reduce: int) -> tuple[ExposureHead, npt.NDArray[np.float32]]:
    key = (data.training_hash, data.pixels.shape[1], reduce)
    if key not in _exposures:
        train, validation = data.indices(TRAIN), data.indices(VALIDATION)
        _exposures[key] = fit_exposure(
            data.pixels[train],
            per_source_weights(data, train),
            data.pixels[validation],
            per_source_weights(data, validation),
            reduce=reduce,
            seed=_EXPOSURE_SEED,
        )
    return _exposures[key]


def calibration_of(logits: npt.NDArray[np.float32], data: SplitData) -> Calibration:
    """Calibrate as the recipe asks, from the logits [N, K] of its validation films."""
    validation = data.indices(VALIDATION)
    labels = data.labels[validation]
    sources = [data.films[index].source for index in validation]
    recipe = data.recipe
    found = calibrate(logits, labels, balanced_weights(labels, sources), shift=recipe.shift)
    if recipe.false_alarms is None:
        return found
    usual, alarm, share = recipe.false_alarms
    index = recipe.class_names.index
    limit = FalseAlarms(index(usual), index(alarm), share)
    return limit_false_alarms(found, logits, labels, sources, limit)


def serve(run: Path, data: SplitData) -> tuple[ServedModel, FitConfig, dict[str, Any]]:
    """The model of a run as it will be exported, calibrated on validation."""
    config, described, trained = load_best(run)
    if tuple(described["class_names"]) != data.recipe.class_names:
        raise ModelRefused(
            "EXPORT-03",
            f"The run in {run.name} was trained on other classes ({described['class_names']}). "
            "Export it with the recipe it was trained with.",
        )
    body = fixed_body(config, described, trained)
    validation = data.indices(VALIDATION)
    inspect = _inspector(body, config.reduce)
    logits, features, small = inspect(data.pixels[validation])
    calibration = read_calibration(run) or calibration_of(
        logits[:, : len(data.recipe.class_names)], data
    )

    train = data.indices(TRAIN)
    random = np.random.default_rng(config.seed)
    if len(train) > _OOD_FILMS:
        shares = drawing_shares(data, train)
        train = np.sort(random.choice(train, _OOD_FILMS, replace=False, p=shares))
    _, train_features, train_small = inspect(data.pixels[train])
    # Mirrored chests (dextrocardia, films filed the wrong way round) are still chests.
    mirrored = _mirrored_thumbnails(data.pixels[train], config.reduce)
    both = np.concatenate([train_small, mirrored])
    ood = fit_ood(
        (train_features, both, data.labels[train], per_source_weights(data, train)),
        (features, small, per_source_weights(data, validation)),
        _exposure(data, config.reduce),
    )
    none = bool(described.get("none_of_these"))
    served = ServedModel(body, config.input_size, config.reduce, calibration, ood, none)
    return served, config, described


def gate_images(data: SplitData, count: int = _GATE_FILMS) -> list[Path]:
    """Validation films of every source and class in turn: real files for the gate to decode."""
    by_kind: dict[tuple[str, str], list[Path]] = {}
    for index in data.indices(VALIDATION):
        film = data.films[index]
        by_kind.setdefault((film.source, film.label), []).append(film.path)
    rows = [iter(paths) for paths in by_kind.values()]
    chosen: list[Path] = []
    while rows and len(chosen) < count:
        for row in list(rows):
            path = next(row, None)
            if path is None:
                rows.remove(row)
            elif len(chosen) < count:
                chosen.append(path)
    return chosen


def export_model(
    run: Path,
    data: SplitData,
    folder: Path,
    *,
    version: str,
    gate_paths: list[Path] | None = None,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Exported:
    """Write ``<model>.onnx`` and ``<model>.md`` into a panel folder and register the model.

    Args:
        run: Folder of a finished (or still running: the best so far) run.
        data: The split it was trained on.
        folder: The panel's folder, created if missing.
        version: Version of these weights.
        gate_paths: Images for the gate; by default validation films.
        on_stage: Told what is being done.

    Raises:
        ModelRefused: EXPORT-01 to EXPORT-03; nothing was written.
    """
    on_stage("calibrating on validation")
    served, config, described = serve(run, data)
    on_stage("converting")
    content = to_onnx(served)
    on_stage("comparing Keras with ONNX Runtime")
    images = gate_images(data) if gate_paths is None else gate_paths
    differences = check_parity(served, content, images)

    on_stage("scoring")
    validation = answers_of(content, data, VALIDATION)
    answers = {side: answers_of(content, data, side) for side in data.test_sides}
    names = data.recipe.class_names
    temperature = round(served.calibration.temperature, 6)
    shift = {
        name: round(value, 6)
        for name, value in zip(names, served.calibration.shift, strict=True)
        if value
    }
    metrics = {
        f"{side_prefix(side)}_{name}": values
        for side, answer in {VALIDATION: validation, **answers}.items()
        for name, values in known_scores(
            scores(
                answer, names, before=uncalibrated(answer.probabilities, temperature, shift, names)
            )
        ).items()
    }
    on_stage("covering the lungs")
    card = ModelCard(
        name=config.model,
        title=TITLES[config.model],
        panel=data.recipe.panel,
        class_names=data.recipe.class_names,
        input_size=config.input_size,
        version=version,
        temperature=temperature,
        operating_points=operating_points(
            validation.labels, validation.probabilities, data.recipe.class_names
        ),
        training_data_sha256=described["training_data_sha256"],
        commit=str(described.get("commit") or ""),
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
        facts=facts_of(run, described, config, served, differences),
        metrics=metrics,
        lungs=card_lungs(content, data),
        exported_commit=current_commit(),
        shift=shift,
    )
    final = with_card(content, card)
    on_stage("writing")
    path = folder / f"{card.name}.onnx"
    write_atomically(path, final)
    write_atomically(folder / f"{card.name}.md", model_page(card, len(final)).encode())
    _keep_answers(run, {VALIDATION: validation, **answers})
    _register(folder, data, card, hashlib.sha256(final).hexdigest())
    return Exported(path, differences, card)


def _register(folder: Path, data: SplitData, card: ModelCard, sha256: str) -> None:
    """Put the model into the manifest, or replace it there; members keep the order of the votes."""
    path = folder / MANIFEST_NAME
    members = {card.name: PanelMember(card.name, f"{card.name}.onnx", sha256)}
    limit, lungs, none_limit = 1.0, None, None
    if path.is_file():
        old = PanelManifest.from_json(path.read_text("utf-8"))
        if old.class_names == card.class_names:
            members = {**{member.name: member for member in old.members}, **members}
            limit, lungs, none_limit = old.ood_limit, old.lungs, old.none_limit
    order = {name: index for index, name in enumerate(TITLES)}
    manifest = PanelManifest(
        name=card.panel,
        title=data.recipe.title,
        class_names=card.class_names,
        members=tuple(sorted(members.values(), key=lambda m: (order.get(m.name, 99), m.name))),
        ood_limit=limit,
        lungs=lungs,
        none_limit=none_limit,
        version=card.version,
    )
    write_atomically(path, manifest.to_json().encode())


def _keep_answers(run: Path, answers: dict[str, Predictions]) -> None:
    """Keep what the exported model said, for the panel's own scores and for reports."""
    values: dict[str, npt.NDArray[Any]] = {}
    for side, answer in answers.items():
        values[f"{side}:labels"] = answer.labels
        values[f"{side}:probabilities"] = answer.probabilities
        values[f"{side}:ood"] = answer.ood_scores
        values[f"{side}:names"] = np.array(answer.names, dtype=np.str_)
        values[f"{side}:groups"] = np.array(answer.groups, np.int64)
    write_weights(run / "answers.npz", values)
