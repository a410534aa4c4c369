"""What a DICOM header says of a film, as text for a panel; nothing that names the patient."""

from __future__ import annotations

import math
import re

from desktop.core.imaging.dicom_codecs import Dataset
from desktop.core.imaging.radiograph import DicomMetadata
from desktop.core.system.text import display_name

_AGE_UNITS = {"D": "days", "W": "weeks", "M": "months", "Y": "years"}
_SEXES = {"M": "male", "F": "female", "O": "other"}
_SIDES = {"L": "left", "R": "right", "B": "both", "U": ""}


def film_facts(dataset: Dataset) -> DicomMetadata:
    """Collect the facts; what is missing or damaged stays empty."""
    side = text(dataset, "ImageLaterality") or text(dataset, "Laterality")
    sex = text(dataset, "PatientSex").upper()
    return DicomMetadata(
        view=text(dataset, "ViewPosition"),
        laterality=_SIDES.get(side.upper(), side),
        age=_age(text(dataset, "PatientAge")),
        sex=_SEXES.get(sex, sex),
        study_date=_date(text(dataset, "StudyDate")),
        manufacturer=text(dataset, "Manufacturer"),
        device=text(dataset, "ManufacturerModelName"),
        patient_orientation=_directions(dataset),
    )


def spacing(dataset: Dataset) -> tuple[tuple[float, float] | None, str]:
    """(row, column) spacing in mm and where it holds; None and empty where nothing valid is said.

    ``PixelSpacing`` comes first. It is calibrated only where it says so or differs from
    ``ImagerPixelSpacing``; otherwise it too is measured at the detector, where a chest is magnified
    by some percent.
    """
    imager = _pair(dataset, "ImagerPixelSpacing")
    own = _pair(dataset, "PixelSpacing")
    if own is None:
        return (imager, "at the detector") if imager else (None, "")
    differs = imager is not None and any(
        not math.isclose(a, b, rel_tol=1e-3) for a, b in zip(own, imager, strict=True)
    )
    if text(dataset, "PixelSpacingCalibrationType") or differs:
        return own, "calibrated"
    return own, "at the detector"


def warns_of_text(dataset: Dataset) -> bool | None:
    """What ``BurnedInAnnotation`` says, None where it says nothing."""
    return {"YES": True, "NO": False}.get(text(dataset, "BurnedInAnnotation").upper())


def text(dataset: Dataset, word: str) -> str:
    """An element as one printable line, empty where missing or damaged."""
    try:
        value = dataset.get(word)
    except Exception:  # pydicom converts on access and raises anything for damaged bytes
        return ""
    if value is None:
        return ""
    if not isinstance(value, str) and hasattr(value, "__iter__") and not isinstance(value, bytes):
        value = next(iter(value), "")
    return display_name(str(value).strip().strip("\0"))


def _directions(dataset: Dataset) -> str:
    """Patient orientation as two direction letters, e.g. ``L\\F``; empty unless both are sound."""
    try:
        value = dataset.get("PatientOrientation")
        parts = [str(part).strip().upper() for part in value] if value is not None else []
    except Exception:  # pydicom converts on access and raises anything for damaged bytes
        return ""
    sound = len(parts) == 2 and all(part[:1] in "LRAPHF" and part.isalpha() for part in parts)
    return "\\".join(parts) if sound else ""


def number(dataset: Dataset, word: str) -> float | None:
    """An element as a finite number, the first of several; None where missing or damaged."""
    try:
        value = dataset.get(word)
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            value = float(value)
        else:
            value = float(next(iter(value)))
    except Exception:  # pydicom converts on access and raises anything for damaged bytes
        return None
    return value if math.isfinite(value) else None


def _pair(dataset: Dataset, word: str) -> tuple[float, float] | None:
    try:
        row, column = (float(value) for value in dataset.get(word))
    except Exception:  # as above; also where there are not two numbers
        return None
    usable = all(math.isfinite(value) and 0 < value < 100 for value in (row, column))
    return (row, column) if usable else None


def _age(value: str) -> str:
    match = re.fullmatch(r"0*(\d+)([DWMY])", value.upper())
    return f"{match[1]} {_AGE_UNITS[match[2]]}" if match else value


def _date(value: str) -> str:
    match = re.fullmatch(r"(\d{4})\.?(\d\d)\.?(\d\d)", value)
    return "-".join(match.groups()) if match else value
