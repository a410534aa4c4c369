"""Which heatmaps the pages show, and what their overlap says. Pure functions over a result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication

from desktop.core.cases import CaseResult, Prediction
from desktop.core.heatmaps.grad_cam import consensus_map, normalised, overlap, upsampled
from desktop.gui.images.view_types import MapLayer
from desktop.gui.panel_info import PanelInfo

_SIDE = 96
ALIKE, APART = 0.6, 0.45
FloatMap = npt.NDArray[np.float32]


def maps_of(
    result: CaseResult | None, panel: PanelInfo, map_class: int
) -> list[tuple[FloatMap, int] | None]:
    """(map [h, w], class index) of each model in panel order; None without an answer or maps.

    ``map_class`` -1 = the class that each model votes for.
    """
    found: dict[str, Prediction] = {}
    if result is not None:
        found = {item.model: item for item in result.predictions}
    maps: list[tuple[FloatMap, int] | None] = []
    for model in panel.models:
        prediction = found.get(model.name)
        if prediction is None or prediction.cams is None:
            maps.append(None)
            continue
        index = map_class if map_class >= 0 else prediction.vote
        maps.append((prediction.cams[index], index))
    return maps


def consensus_region(maps: Sequence[FloatMap], needed: int) -> FloatMap | None:
    """Map whose half outlines where at least ``needed`` models look; None with too few maps."""
    if len(maps) < needed or not maps:
        return None
    return consensus_map(maps, (_SIDE, _SIDE), needed)


def difference_maps(maps: Sequence[FloatMap | None]) -> list[FloatMap | None]:
    """Where each model looks and the others do not: its map minus the mean of the others, cut at 0.

    All maps are first brought to 0..1, so the result is in 0..1 and must not be rescaled.
    """
    fine = [None if cam is None else upsampled(normalised(cam), (_SIDE, _SIDE)) for cam in maps]
    results: list[FloatMap | None] = []
    for index, own in enumerate(fine):
        others = [cam for cam in (*fine[:index], *fine[index + 1 :]) if cam is not None]
        if own is None or not others:
            results.append(None)
        else:
            mean = np.mean(others, axis=0, dtype=np.float32)
            results.append(np.maximum(own - mean, 0).astype(np.float32))
    return results


def overlap_sentence(matrix: npt.NDArray[np.float64], titles: Sequence[str]) -> str:
    """``SCNN and ResNet50 look at the same places. CCNN does not.``"""
    translate = QCoreApplication.translate
    count = len(titles)
    if count < 2:
        return translate("Compare", "Fewer than two maps to compare.")
    off = matrix - np.eye(count)
    first, second = (int(index) for index in np.unravel_index(np.argmax(off), off.shape))
    apart = [title for index, title in enumerate(titles) if off[index].max() < APART]
    if off[first, second] < ALIKE:
        if len(apart) == count:
            return translate("Compare", "No two models look at the same places.")
        return translate("Compare", "The models look at partly the same places.")
    if off[~np.eye(count, dtype=bool)].min() >= ALIKE:
        return translate("Compare", "All models look at the same places.")
    names = sorted((first, second))
    sentence = translate("Compare", "{first} and {second} look at the same places.").format(
        first=titles[names[0]], second=titles[names[1]]
    )
    if len(apart) == 1:
        sentence += " " + translate("Compare", "{model} does not.").format(model=apart[0])
    elif apart:
        listed = translate("Compare", "{first} and {second}").format(
            first=", ".join(apart[:-1]), second=apart[-1]
        )
        sentence += " " + translate("Compare", "{models} do not.").format(models=listed)
    return sentence


def overlap_of(maps: Sequence[FloatMap | None]) -> npt.NDArray[np.float64]:
    """Overlap [n, n] of the maps that are there; NaN rows and columns for those that are not."""
    there = [index for index, cam in enumerate(maps) if cam is not None]
    matrix = np.full((len(maps), len(maps)), np.nan)
    if there:
        matrix[np.ix_(there, there)] = overlap([cam for cam in maps if cam is not None])
    return matrix


def prediction_of(result: CaseResult | None, facts: PanelInfo, model: int) -> Prediction | None:
    """Answer of the model with this index, None where it gave none."""
    if result is None or not 0 <= model < len(facts.models):
        return None
    name = facts.models[model].name
    return next((item for item in result.predictions if item.model == name), None)


def map_layer(
    result: CaseResult | None, facts: PanelInfo, model: int, map_class: int
) -> MapLayer | None:
    """The map to draw.

    Args:
        result: Answer with maps, None while there is none or it is hidden.
        facts: The panel.
        model: Index of the model.
        map_class: Class index, -1 = what the model predicted.
    """
    prediction = prediction_of(result, facts, model)
    if prediction is None or prediction.cams is None:
        return None
    index = map_class if map_class >= 0 else prediction.vote
    return MapLayer(prediction.cams[index], facts.models[model].title, facts.class_names[index])
