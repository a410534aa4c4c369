"""Scores by subgroup: by data set, and by whatever a metadata table or DICOM headers tell.

A mean over all films hides whom a model fails. A group of fewer than 20 films is shown and called
too small: its interval is wide and nothing should be read into it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluation.scores import Predictions, measures_for, panel_votes, verdict_measures
from training.metrics import classification as metrics

#: Fewer films than this are said to be too few.
FEW = 20
_SAMPLES = 1000

#: What a column tells -> names that it may have.
_COLUMNS = {
    "age": ("age", "patientage", "patient age"),
    "sex": ("sex", "gender", "patientsex", "patient gender"),
    "view": ("view", "view position", "viewposition", "projection"),
    "site": ("site", "hospital", "institution", "institutionname", "location"),
}
_FILE_COLUMNS = ("image", "filename", "file", "file name", "path", "name", "image index")
_AGES = ((18, "under 18"), (40, "18 to 39"), (60, "40 to 59"), (80, "60 to 79"))
_CHILDREN = ("chest-xray-pneumonia-224",)
_ADULTS = ("adult-supplement", "covid19-radiography-224")

Traits = Mapping[str, str]


def age_group(text: str) -> str:
    """``under 18`` to ``80 and over`` of ``45``, ``045Y`` or ``18M``; empty for anything else."""
    match = re.fullmatch(r"\s*0*(\d{1,3})(?:\.\d+)?\s*([YMWDymwd]?)\s*", text)
    if match is None:
        return ""
    unit = match[2].upper()
    years = (
        int(match[1]) if unit in ("", "Y") else int(match[1]) // {"M": 12, "W": 52, "D": 365}[unit]
    )
    if years > 120:
        return ""
    return next((name for limit, name in _AGES if years < limit), "80 and over")


def known_traits(source: str, file_name: str) -> dict[str, str]:
    """What the public data sets tell of a film without a table."""
    traits = {"data set": source}
    if source in _CHILDREN:
        traits["age (by data set)"] = "children"
    elif source in _ADULTS:
        traits["age (by data set)"] = "adults"
    match = re.match(r"person\d+_(bacteria|virus)_", file_name)
    if source in _CHILDREN:
        traits["cause (file name)"] = {"bacteria": "bacterial", "virus": "viral"}.get(
            match[1] if match else "", "normal"
        )
    return traits


def read_metadata(path: Path) -> dict[str, dict[str, str]]:
    """Traits by file from a CSV, or from the DICOM headers of a folder.

    A CSV needs a column with the file (``filename``, ``image`` or ``path``) and any of age, sex,
    view, site; other columns are taken as they are named.

    Args:
        path: CSV file, or a folder with DICOM files.

    Returns:
        Key (relative path with ``/``, and file name) -> traits. A file name that two rows share is
        no key.

    Raises:
        ValueError: No column with the file, or none with a trait.
        FileNotFoundError: There is no such file.
    """
    if path.is_dir():
        return _from_dicom(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; --metadata takes a CSV file or a folder.")
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        header = {name: name.strip().lower() for name in reader.fieldnames or () if name}
        files = [name for name, low in header.items() if low in _FILE_COLUMNS]
        kinds = {name: kind for kind, names in _COLUMNS.items() for name in names}
        traits = {name: kinds.get(low, low) for name, low in header.items() if name not in files}
        if not files or not traits:
            raise ValueError(
                f"{path.name} needs a column with the file ({', '.join(_FILE_COLUMNS[:3])}) and "
                "one or more of age, sex, view, site. Its columns are "
                f"{', '.join(header) or 'none'}."
            )
        rows = [
            (
                [row[name] for name in files if row.get(name)],
                {kind: _value(kind, row.get(name) or "") for name, kind in traits.items()},
            )
            for row in reader
        ]
    return _by_key(rows)


def _value(kind: str, text: str) -> str:
    text = text.strip()
    if kind == "age":
        return age_group(text) or "not known"
    if kind == "sex":
        return {"m": "male", "f": "female"}.get(text[:1].lower(), "not known")
    return text or "not known"


def _by_key(rows: Iterable[tuple[Sequence[str], dict[str, str]]]) -> dict[str, dict[str, str]]:
    result: dict[str, dict[str, str]] = {}
    twice: set[str] = set()
    for files, traits in rows:
        keys = {file.replace("\\", "/") for file in files}
        for key in keys | {key.rsplit("/", 1)[-1] for key in keys}:
            if key in result and result[key] != traits:
                twice.add(key)
            result[key] = traits
    return {key: traits for key, traits in result.items() if key not in twice}


def _from_dicom(folder: Path) -> dict[str, dict[str, str]]:
    """Age, sex, view and site of the DICOM files below a folder; no name and no number of anybody.

    The site is the institution, or where that is gone, maker and model of the machine.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    tags = [
        "PatientAge", "PatientSex", "ViewPosition", "InstitutionName", "Manufacturer",
        "ManufacturerModelName",
    ]  # fmt: skip
    rows = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
        except (InvalidDicomError, OSError, EOFError):
            continue
        values = {tag: str(header.get(tag, "") or "") for tag in tags}
        machine = " ".join(filter(None, (values[tags[4]], values[tags[5]])))
        texts = (*(values[tag] for tag in tags[:3]), values["InstitutionName"] or machine)
        found = {kind: _value(kind, text) for kind, text in zip(_COLUMNS, texts, strict=True)}
        rows.append(([path.relative_to(folder).as_posix()], found))
    if not rows:
        raise ValueError(f"No DICOM file below {folder}; --metadata takes a CSV or DICOM files.")
    return _by_key(rows)


def traits_of(name: str, table: Mapping[str, Traits]) -> Traits | None:
    """The traits of a film: by its path or any end of it, the longest first; None if not there."""
    parts = name.split("/")
    keys = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((table[key] for key in keys if key in table), None)


def subgroup_scores(
    answers: Predictions,
    members: list[npt.NDArray[np.float64]],
    traits: Sequence[Traits | None],
    class_names: tuple[str, ...],
    *,
    samples: int = _SAMPLES,
) -> list[dict[str, Any]]:
    """Scores of a panel for every value of every trait, ready for JSON.

    Args:
        answers: Labels and the panel's mean probabilities.
        members: Probabilities [N, K] of each model.
        traits: Of each film; None where nothing is known.
        class_names: K names.
        samples: Of the bootstrap.

    Returns:
        Rows with ``by``, ``group``, ``films``, ``few`` (fewer than 20), ``classes`` (films of each)
        and ``scores``: ``accuracy``, ``balanced_accuracy`` and an area where more than one class
        occurs, a recall each class, and ``verdict_accuracy`` and ``consensus_share``.
    """
    votes, _ = panel_votes(members)
    carried = np.column_stack([answers.probabilities, votes.astype(np.float64)])
    kinds = list(dict.fromkeys(kind for given in traits if given for kind in given))
    rows = []
    for kind in kinds:
        values = np.array([(given or {}).get(kind, "not known") for given in traits])
        groups = sorted(set(values.tolist()), key=lambda value: (value == "not known", value))
        if len(groups) < 2 and kind in ("data set", "age (by data set)"):
            continue
        for group in groups:
            chosen = values == group
            labels = answers.labels[chosen]
            rows.append(
                {
                    "by": kind,
                    "group": str(group),
                    "films": len(labels),
                    "few": len(labels) < FEW,
                    "classes": {
                        class_names[k]: int((labels == k).sum()) for k in np.unique(labels)
                    },
                    "scores": metrics.with_intervals(
                        _measures(labels, class_names), labels, carried[chosen], samples=samples
                    ),
                }
            )
    return rows


def _measures(
    labels: npt.NDArray[np.int64], class_names: tuple[str, ...]
) -> dict[str, metrics.Measure]:
    found = measures_for(labels, class_names)
    wanted = {"accuracy"}
    if len(np.unique(labels)) > 1:
        wanted |= {"balanced_accuracy"} | {name for name in found if "auc" in name}
    kept = {
        name: measure
        for name, measure in found.items()
        if name in wanted or name.startswith("recall_")
    }
    verdicts = verdict_measures()
    return kept | {name: verdicts[name] for name in ("verdict_accuracy", "consensus_share")}
