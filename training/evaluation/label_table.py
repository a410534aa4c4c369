"""Read the CSV that ``cxr-quorum label`` wrote, and put true classes beside its rows.

Rows and films are matched by the hash of the file's bytes, so it does not matter from which folder
the table was made or where the films lie now.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from desktop.core.panels.contract import snake_case
from desktop.core.panels.registry import Panel
from desktop.core.vote import NO_CONSENSUS
from training.data.films import Film
from training.evaluation.predictions import PanelPredictions
from training.evaluation.scores import Predictions, panel_votes

_FILE_COLUMNS = ("sha256", "image", "filename", "file", "path")
_LABEL_COLUMNS = ("label", "class", "truth", "final_label")


@dataclass(frozen=True)
class LabelRow:
    """One image of the table that all models answered.

    Attributes:
        image: Relative path as the table has it.
        sha256: Hash of the file's bytes.
        probabilities: One row [K] a model, in the panel's order.
        ood_score: The panel's score.
        consensus: Class name, or ``no consensus``.
    """

    image: str
    sha256: str
    probabilities: tuple[tuple[float, ...], ...]
    ood_score: float
    consensus: str


@dataclass(frozen=True)
class LabelTable:
    """The rows of a table, and how many images had no full answer."""

    rows: tuple[LabelRow, ...]
    unanswered: int


def read_label_table(path: Path, panel: Panel) -> LabelTable:
    """Read a wide CSV of ``cxr-quorum label``.

    Args:
        panel: The panel that is said to have made it.

    Raises:
        ValueError: It is no such table, was made by another panel or by other model files, or its
            consensus is not what its votes say.
        FileNotFoundError: There is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; make it with cxr-quorum label --output.")
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        header = set(reader.fieldnames or ())
        rows = list(reader)
    wanted = {f"{name}_p_{snake_case(k)}" for name in panel.model_names for k in panel.class_names}
    missing = sorted({"image", "sha256", "status", "consensus", "ood_score", *wanted} - header)
    if missing:
        raise ValueError(
            f"{path.name} is no table of panel {panel.name}: it has no column {missing[0]}. Give "
            "the wide CSV that cxr-quorum label writes with this panel."
        )
    found, unanswered = [], 0
    for row in rows:
        for model in panel.models:
            sha256 = row.get(f"{model.name}_sha256")
            if sha256 and sha256 != model.sha256:
                raise ValueError(
                    f"{path.name} was made by another {model.card.title} than the one in panel "
                    f"{panel.name} {panel.version}. Label the images again."
                )
        cells = [
            [row[f"{name}_p_{snake_case(k)}"] for k in panel.class_names]
            for name in panel.model_names
        ]
        if row["status"] != "ok" or not all(all(one) for one in cells):
            unanswered += 1
            continue
        found.append(
            LabelRow(
                row["image"],
                row["sha256"],
                tuple(tuple(float(cell) for cell in one) for one in cells),
                float(row["ood_score"] or "nan"),
                row["consensus"],
            )
        )
    _check_consensus(path, panel, found)
    return LabelTable(tuple(found), unanswered)


def _check_consensus(path: Path, panel: Panel, rows: list[LabelRow]) -> None:
    if not rows:
        raise ValueError(f"{path.name} has no image that all models of {panel.name} answered.")
    probabilities = np.array([row.probabilities for row in rows])
    votes, _ = panel_votes(list(probabilities.swapaxes(0, 1)))
    for row, vote in zip(rows, votes.tolist(), strict=True):
        expected = panel.class_names[vote] if vote >= 0 else NO_CONSENSUS
        if row.consensus != expected:
            raise ValueError(
                f"{path.name} says {row.consensus} of {row.image}, its own votes say {expected}. "
                "The table was changed, or made by another version; label the images again."
            )


def read_truth(path: Path) -> dict[str, str]:
    """True classes from a CSV: hash, relative path or file name -> class name.

    Raises:
        ValueError: No column with the file, or none with the class.
    """
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        names = {name.strip().lower(): name for name in reader.fieldnames or () if name}
        files = [names[name] for name in _FILE_COLUMNS if name in names]
        labels = [names[name] for name in _LABEL_COLUMNS if name in names]
        if not files or not labels:
            raise ValueError(
                f"{path.name} needs a column with the file (image, filename or sha256) and a "
                f"column called label. Its columns are {', '.join(names) or 'none'}."
            )
        truth: dict[str, str] = {}
        twice: set[str] = set()
        for row in reader:
            label = (row[labels[0]] or "").strip()
            for name in files:
                key = (row[name] or "").strip().replace("\\", "/")
                if key and label and truth.setdefault(key, label) != label:
                    twice.add(key)
    return {key: label for key, label in truth.items() if key not in twice}


def answers_by_truth(
    table: LabelTable, panel: Panel, truth: Mapping[str, str], side: str
) -> tuple[PanelPredictions, int]:
    """The rows whose class is known, as one side.

    Args:
        table: Of :func:`read_label_table`.
        panel: Its panel.
        truth: Of :func:`read_truth`.
        side: Name for these films.

    Returns:
        The answers, and how many rows have no known class of the panel.
    """
    indices = {name.lower(): index for index, name in enumerate(panel.class_names)}
    chosen, labels = [], []
    for row in table.rows:
        keys = (row.sha256, row.image, row.image.rsplit("/", 1)[-1])
        label = next((truth[key] for key in keys if key in truth), "").lower()
        if label in indices:
            chosen.append(row)
            labels.append(indices[label])
    if not chosen:
        raise ValueError(
            f"No row of the table has a known class of {', '.join(panel.class_names)}. Check that "
            "--labels is about these images."
        )
    rows = _side(panel, chosen, labels, [row.image for row in chosen], [])
    answers = PanelPredictions(panel.class_names, panel.model_names, {side: rows})
    return answers, len(table.rows) - len(chosen)


def answers_by_films(
    table: LabelTable, panel: Panel, sides: Mapping[str, list[Film]]
) -> tuple[PanelPredictions, dict[str, int]]:
    """The rows of films whose side and class are known.

    Args:
        table: Of :func:`read_label_table`.
        panel: Its panel.
        sides: Side -> films, in the order in which they are scored.

    Returns:
        The answers of the sides that have any, and for each of these how many films the table
        lacks.
    """
    by_hash = {row.sha256: row for row in table.rows}
    found, lacking = {}, {}
    for side, films in sides.items():
        known = [film for film in films if film.sha256 in by_hash]
        if not known:
            continue
        _, groups = np.unique([film.group for film in known], return_inverse=True)
        found[side] = _side(
            panel,
            [by_hash[film.sha256] for film in known],
            [panel.class_names.index(film.label) for film in known],
            [f"{film.source}/{film.label}/{film.path.name}" for film in known],
            groups.tolist(),
        )
        lacking[side] = len(films) - len(known)
    if not found:
        raise ValueError(
            "No row of the table is about a film that --labels knows. Label the films of that "
            "folder, or give the classes as a CSV."
        )
    return PanelPredictions(panel.class_names, panel.model_names, found), lacking


def _side(
    panel: Panel, rows: list[LabelRow], labels: list[int], names: list[str], groups: list[int]
) -> dict[str, Predictions]:
    truth = np.array(labels, np.int64)
    scores = np.array([row.ood_score for row in rows], np.float64)
    probabilities = np.array([row.probabilities for row in rows])
    return {
        model: Predictions(truth, probabilities[:, index], scores, tuple(names), tuple(groups))
        for index, model in enumerate(panel.model_names)
    }
