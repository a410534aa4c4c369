"""Labels that a film's publisher contradicts: ``label_corrections.csv`` of the data root.

A folder calls a film COVID-19; the collection that it came from says SARS, a bacterium, or that
nothing was found. The publisher is believed. Where such a film stands in an official test, it is
left out of the score instead: a test is not relabelled.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "label_corrections.csv"
#: What the publisher says -> finding of :mod:`training.data.datasets`.
FINDING_OF = {
    "No Finding": "Normal",
    "SARS": "Viral",
    "Streptococcus": "Bacterial",
    "Pneumocystis": "Pneumonia",
    "ARDS": "Other",
}


@dataclass(frozen=True)
class Correction:
    """One film's true label.

    Attributes:
        folder_says: Class of the folder that the film lies in.
        publisher_says: In the publisher's words.
        finding: The same as a finding of the recipes.
    """

    folder_says: str
    publisher_says: str
    finding: str


def read_corrections(data_root: Path) -> Mapping[Path, Correction]:
    """File -> correction; empty where the data root has no such file.

    Raises:
        ValueError: A word of the publisher that no finding is known for: nothing is guessed.
    """
    path = data_root / FILE_NAME
    if not path.is_file():
        return {}
    found: dict[Path, Correction] = {}
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            said = row["publisher_says"]
            if said not in FINDING_OF:
                raise ValueError(
                    f"{path} says {said!r} of {row['film']}; known are {', '.join(FINDING_OF)}. "
                    "Add the word to training.data.corrections or take the row out."
                )
            found[data_root / row["film"]] = Correction(row["folder_says"], said, FINDING_OF[said])
    return found
