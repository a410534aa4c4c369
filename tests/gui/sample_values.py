"""Invented votes, maps and decisions for the widgets: figures for the eye, not results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

import desktop
from desktop.core.cases import CaseResult, Decision, Prediction
from desktop.core.imaging.decode import Radiograph, eight_bit
from desktop.core.vote import verdict
from desktop.gui.panel_info import PanelInfo, make_panel_facts

COVID_CLASSES = ("Covid", "Normal", "Viral Pneumonia")
POINTS = {"Covid": 0.4, "Normal": 0.5, "Viral Pneumonia": 0.45}
MODELS = (("scnn", "SCNN"), ("ccnn", "CCNN"), ("daccnn", "DACCNN"), ("resnet50", "ResNet50"))
KEYS = {
    "label_1": "1",
    "label_2": "2",
    "label_3": "3",
    "unsure": "U",
    "flag": "K",
    "comment": "C",
    "undo": "Ctrl+Z",
    "next_unreviewed": "N",
    "accept": "Enter",
}
ICON_NAMES = sorted(
    path.stem for path in (Path(desktop.__file__).parent / "assets" / "icons").glob("*.svg")
)


def covid_panel() -> PanelInfo:
    """The shipped three-class panel."""
    models = [(name, title, POINTS, "1") for name, title in MODELS]
    return make_panel_facts("covid19", "COVID-19", COVID_CLASSES, models)


def cam(left: float = 1.0, right: float = 0.85, corner: float = 0.0) -> npt.NDArray[np.float32]:
    """A map [14, 14] with a spot in each lung and, if asked, one in the upper left corner."""
    y, x = np.mgrid[0:14, 0:14].astype(np.float32)
    spots = left * np.exp(-((y - 7) ** 2 / 6 + (x - 4) ** 2 / 3))
    spots += right * np.exp(-((y - 7.5) ** 2 / 5 + (x - 9.5) ** 2 / 3))
    spots += corner * np.exp(-((y - 0.5) ** 2 + (x - 0.5) ** 2) / 2)
    return spots.astype(np.float32)


def prediction(
    model: str,
    probabilities: tuple[float, ...],
    cams: npt.NDArray[np.float32] | None = None,
    ood_score: float | None = 0.6,
) -> Prediction:
    """An answer with a map for every class."""
    if cams is None:
        cams = np.stack([cam(1.0, 0.85), cam(0.3, 0.2), cam(0.6, 1.0)])
    return Prediction(model, probabilities, ood_score, cams)


_ANSWERS = {
    "tie": ((0.71, 0.04, 0.25), (0.34, 0.05, 0.61), (0.38, 0.03, 0.59), (0.82, 0.03, 0.15)),
    "agree": ((0.02, 0.95, 0.03), (0.1, 0.8, 0.1), (0.01, 0.98, 0.01), (0.001, 0.998, 0.001)),
    "dissent": ((0.71, 0.04, 0.25), (0.34, 0.6, 0.06), (0.6, 0.03, 0.37), (0.82, 0.03, 0.15)),
}


def result(kind: str = "tie") -> CaseResult:
    """``tie`` (out of distribution, one map in a corner), ``agree``, ``dissent`` or ``failed``."""
    if kind == "failed":
        return CaseResult(
            "00416_lateral.dcm",
            "",
            "failed",
            "DECODE-02",
            "00416_lateral.dcm ends early and was skipped; the other images are unaffected. "
            "Copy it again from the source.",
        )
    maps = {
        "scnn": np.stack([cam(1.0, 0.7), cam(0.2, 0.2), cam(0.5, 0.9)]),
        "ccnn": np.stack([np.roll(cam(0.9, 0.8), -3, 0), cam(0.2, 0.2), cam(0.3, 1.0)]),
        "daccnn": np.stack([cam(0.8, 0.5, 0.9), cam(0.1, 0.3), cam(0.4, 0.9, 1.6)]),
        "resnet50": np.stack([cam(0.9, 1.0), cam(0.2, 0.1), cam(0.6, 0.7)]),
    }
    answers = _ANSWERS.get(kind, _ANSWERS["tie"])
    score = 1.4 if kind == "tie" else 0.6
    predictions = tuple(
        prediction(name, values, maps[name], score)
        for (name, _), values in zip(MODELS, answers, strict=True)
    )
    names = [name for name, _ in MODELS]
    return CaseResult(
        "00417.dcm",
        "0" * 64,
        "ok",
        predictions=predictions,
        verdict=verdict(predictions, names, 3, 1.0),
    )


def decision(label: str | None = None, flagged: bool = False, comment: str = "") -> Decision:
    """A decision as the store would hand it out."""
    if label is None:
        return Decision(flagged=flagged, comment=comment)
    return Decision(
        label=label, state="labelled", label_source="own", flagged=flagged, comment=comment
    )


def thumbnail(film: Radiograph, side: int = 128) -> QImage:
    """A square cover crop."""
    grey = np.ascontiguousarray(eight_bit(film))
    height, width = grey.shape
    image = QImage(grey.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    least = min(width, height)
    square = image.copy((width - least) // 2, (height - least) // 2, least, least)
    return square.scaled(
        side,
        side,
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
