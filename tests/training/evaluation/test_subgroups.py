"""Scores by subgroup, from a table or from DICOM headers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from training.evaluation.scores import Predictions
from training.evaluation.subgroups import (
    age_group,
    known_traits,
    read_metadata,
    subgroup_scores,
    traits_of,
)

CLASSES = ("Normal", "Pneumonia")


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("7", "under 18"), ("045Y", "40 to 59"), ("18M", "under 18"), ("17.9", "under 18"),
        ("80", "80 and over"), ("", ""), ("old", ""), ("148", ""),
    ],
)  # fmt: skip
def test_ages_fall_into_groups(text: str, group: str) -> None:
    assert age_group(text) == group


def test_a_table_is_found_by_path_and_by_name(tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text(
        "Filename,Patient Age,Sex,View Position,Scanner\n"
        "a/one.png,034Y,F,PA,X1\nb/two.png,,m,AP,X2\nc/two.png,70,f,AP,X2\n",
        encoding="utf-8-sig",
    )
    found = read_metadata(table)
    assert traits_of("set/Normal/one.png", found) == {
        "age": "18 to 39", "sex": "female", "view": "PA", "scanner": "X1",
    }  # fmt: skip
    assert traits_of("root/b/two.png", found)["sex"] == "male"  # type: ignore[index]
    # Two people with a file of this name: the name alone tells neither.
    assert traits_of("two.png", found) is None
    assert traits_of("three.png", found) is None
    assert found["b/two.png"]["age"] == "not known"


def test_a_table_without_files_or_traits_says_what_it_needs(tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("who,age\nx,3\n")
    with pytest.raises(ValueError, match="needs a column with the file"):
        read_metadata(table)
    table.write_text("filename\nx.png\n")
    with pytest.raises(ValueError, match="age, sex, view, site"):
        read_metadata(table)
    with pytest.raises(FileNotFoundError):
        read_metadata(tmp_path / "absent.csv")


def test_dicom_headers_tell_age_sex_view_and_site(tmp_path: Path) -> None:
    header = pydicom.Dataset()
    header.PatientName, header.PatientID = "Secret^Name", "4711"
    header.PatientAge, header.PatientSex, header.ViewPosition = "063Y", "M", "PA"
    header.Manufacturer, header.ManufacturerModelName = "Maker", "DR 1"
    header.file_meta = pydicom.dataset.FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = pydicom.uid.ComputedRadiographyImageStorage
    header.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    (tmp_path / "ward").mkdir()
    header.save_as(tmp_path / "ward" / "film.dcm", enforce_file_format=True)
    (tmp_path / "readme.txt").write_text("no film")
    found = read_metadata(tmp_path)
    assert traits_of("ward/film.dcm", found) == {
        "age": "60 to 79", "sex": "male", "view": "PA", "site": "Maker DR 1",
    }  # fmt: skip
    assert "Secret" not in repr(found)
    assert "4711" not in repr(found)


def test_groups_are_scored_alone_and_small_ones_say_so() -> None:
    labels = np.array([0, 1] * 20 + [1] * 5)
    right = np.eye(2)[labels]
    # Everybody of the second group is called wrong.
    probabilities = np.where((np.arange(45) < 40)[:, np.newaxis], right, 1 - right)
    traits = [{"sex": "female"}] * 40 + [{"sex": "male"}] * 4 + [None]
    answers = Predictions(labels, probabilities, np.ones(45), tuple(map(str, range(45))))
    rows = subgroup_scores(answers, [probabilities] * 3, traits, CLASSES, samples=100)
    by_group = {row["group"]: row for row in rows}
    assert list(by_group) == ["female", "male", "not known"]
    assert by_group["female"]["scores"]["balanced_accuracy"]["value"] == 1
    assert by_group["female"]["scores"]["auc"]["value"] == 1
    assert not by_group["female"]["few"]
    male = by_group["male"]
    assert male["few"]
    assert male["films"] == 4
    assert male["scores"]["verdict_accuracy"]["value"] == 0
    assert "auc" not in male["scores"]
    assert male["classes"] == {"Pneumonia": 4}


def test_public_names_tell_children_adults_and_the_cause() -> None:
    child = known_traits("chest-xray-pneumonia-224", "person7_virus_12.jpeg")
    assert child["age (by data set)"] == "children"
    assert child["cause (file name)"] == "viral"
    assert known_traits("adult-supplement", "00000013_026.jpg")["age (by data set)"] == "adults"
    assert known_traits("own", "x.png") == {"data set": "own"}
