"""What the models of a panel said of the films they were scored on, beside the panel's files.

``answers.npz`` holds names, true classes, probabilities and distances, no image: enough to compute
every score of the report again.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.core.panels.contract import OUTPUT_OOD_SCORE, OUTPUT_PROBABILITIES
from training.data.split import SplitData
from training.evaluation.scores import Predictions
from training.runtime.files import read_weights, write_atomically
from training.runtime.onnx_run import run_onnx

ANSWERS_NAME, SCORES_NAME, FIGURES_NAME = "answers.npz", "scores.json", "figures.json"


@dataclass(frozen=True)
class PanelPredictions:
    """All answers of a panel.

    Attributes:
        class_names: K names in output order.
        models: Names in the order of the manifest.
        sides: Side -> model -> what it said; validation first, all models on the same films.
    """

    class_names: tuple[str, ...]
    models: tuple[str, ...]
    sides: Mapping[str, Mapping[str, Predictions]]

    def members(self, side: str) -> list[Predictions]:
        """The answers of all models on one side, in order."""
        return [self.sides[side][model] for model in self.models]


def together(members: list[Predictions]) -> Predictions:
    """Mean probabilities and mean score of the members, film by film.

    Raises:
        ValueError: They were asked about different films.
    """
    names = members[0].names
    if any(member.names != names for member in members):
        raise ValueError("The members were scored on different films; export them again.")
    return Predictions(
        members[0].labels,
        np.mean([member.probabilities for member in members], axis=0),
        np.mean([member.ood_scores for member in members], axis=0),
        names,
        next((member.groups for member in members if member.groups), ()),
    )


def write_answers(folder: Path, answers: PanelPredictions) -> None:
    """Write ``answers.npz`` into a panel's folder, compressed."""
    values: dict[str, npt.NDArray[np.generic]] = {
        "class_names": np.array(answers.class_names, dtype=np.str_),
        "models": np.array(answers.models, dtype=np.str_),
        "sides": np.array(list(answers.sides), dtype=np.str_),
    }
    for index, side in enumerate(answers.sides):
        members = answers.members(side)
        whole = together(members)
        values[f"{index}_names"] = np.frombuffer("\n".join(whole.names).encode(), np.uint8)
        values[f"{index}_labels"] = whole.labels.astype(np.int8)
        values[f"{index}_groups"] = np.array(whole.groups, np.int32)
        probabilities = [member.probabilities for member in members]
        values[f"{index}_probabilities"] = np.stack(probabilities, dtype=np.float32)
        distances = [member.ood_scores for member in members]
        values[f"{index}_ood"] = np.stack(distances, dtype=np.float32)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **values)  # type: ignore[arg-type]
    write_atomically(folder / ANSWERS_NAME, buffer.getvalue())


def read_answers(folder: Path) -> PanelPredictions:
    """Read what :func:`write_answers` wrote.

    Raises:
        FileNotFoundError: The panel was exported before answers were kept.
    """
    path = folder / ANSWERS_NAME
    if not path.is_file():
        raise FileNotFoundError(f"{folder.name} has no {ANSWERS_NAME}. Export the panel again.")
    with np.load(path) as arrays:
        models = tuple(str(name) for name in arrays["models"])
        sides: dict[str, dict[str, Predictions]] = {}
        for number, side in enumerate(arrays["sides"]):
            names = tuple(arrays[f"{number}_names"].tobytes().decode().split("\n"))
            probabilities = arrays[f"{number}_probabilities"].astype(np.float64)
            distances = arrays[f"{number}_ood"].astype(np.float64)
            labels = arrays[f"{number}_labels"].astype(np.int64)
            groups = tuple(arrays[f"{number}_groups"].tolist())
            sides[str(side)] = {
                model: Predictions(labels, probabilities[index], distances[index], names, groups)
                for index, model in enumerate(models)
            }
        classes = tuple(str(name) for name in arrays["class_names"])
    return PanelPredictions(classes, models, sides)


def read_scores(folder: Path) -> dict[str, dict[str, float]]:
    """The panel's scores of ``scores.json``, named ``<side>_<metric>``."""
    values = json.loads((folder / SCORES_NAME).read_text("utf-8"))["scores"]
    return {name: dict(row) for name, row in values.items()}


def answers_of(content: bytes, data: SplitData, side: str) -> Predictions:
    """What an exported model says of one side's films, in ONNX Runtime."""
    films = data.indices(side)
    probabilities, ood = run_onnx(
        content, data.pixels[films], [OUTPUT_PROBABILITIES, OUTPUT_OOD_SCORE]
    )
    names = tuple(
        f"{data.films[i].source}/{data.films[i].label}/{data.films[i].path.name}" for i in films
    )
    _, groups = np.unique([data.films[i].group for i in films], return_inverse=True)
    return Predictions(
        data.labels[films],
        probabilities.astype(np.float64),
        ood.astype(np.float64),
        names,
        tuple(groups.tolist()),
    )


def read_run_answers(run: Path) -> dict[str, Predictions]:
    """What :func:`export_model` kept, by side."""
    values = read_weights(run / "answers.npz")
    return {
        side: Predictions(
            values[f"{side}:labels"],
            values[f"{side}:probabilities"],
            values[f"{side}:ood"],
            tuple(values[f"{side}:names"].tolist()),
            # Runs exported earlier do not have them.
            tuple(values.get(f"{side}:groups", np.array([], np.int64)).tolist()),
        )
        for side in dict.fromkeys(key.rsplit(":", 1)[0] for key in values)
    }
