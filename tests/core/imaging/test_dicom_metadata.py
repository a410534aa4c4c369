"""Which way the patient lies is told only as the file says it."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from desktop.core.imaging.dicom_metadata import film_facts, number


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (["L", "F"], "L\\F"),
        (["R", "F"], "R\\F"),
        (["LA", "FP"], "LA\\FP"),
        (["L"], ""),
        (["L", ""], ""),
        (["1", "2"], ""),
        (None, ""),
    ],
)
def test_directions_are_read_or_left_out(stored: list[str] | None, read: str) -> None:
    dataset = Dataset()
    if stored is not None:
        dataset.PatientOrientation = stored
    assert film_facts(dataset).patient_orientation == read


def test_a_tag_that_holds_several_numbers_gives_its_first_and_a_damaged_one_none() -> None:
    dataset = Dataset()
    dataset.WindowCenter = [40, 80]
    dataset.WindowWidth = 400
    dataset.PatientName = "Doe"
    assert number(dataset, "WindowCenter") == 40.0
    assert number(dataset, "WindowWidth") == 400.0
    assert number(dataset, "PatientName") is None
    assert number(dataset, "Rows") is None
