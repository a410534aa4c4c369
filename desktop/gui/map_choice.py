"""Which heatmap lies over the film. Pure functions over a result."""

from __future__ import annotations

from desktop.core.cases import CaseResult, Prediction
from desktop.gui.panel_facts import PanelFacts
from desktop.gui.view_values import MapLayer


def prediction_of(result: CaseResult | None, facts: PanelFacts, model: int) -> Prediction | None:
    """Answer of the model with this index, None where it gave none."""
    if result is None or not 0 <= model < len(facts.models):
        return None
    name = facts.models[model].name
    return next((item for item in result.predictions if item.model == name), None)


def map_layer(
    result: CaseResult | None, facts: PanelFacts, model: int, map_class: int
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
