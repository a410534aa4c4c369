"""How the reader looks: map, class, style, what stays. Saved with the folder, restored with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from desktop.gui.view_values import HeatStyle


@dataclass(frozen=True)
class ViewChoices:
    """Choices that outlive an image.

    Attributes:
        model: Index of the model whose map is on the film.
        map_class: Class of the maps, -1 = what each model predicted.
        style: How maps are drawn.
    """

    model: int = 0
    map_class: int = -1
    style: HeatStyle = field(default_factory=HeatStyle)

    def to_json(self) -> dict[str, Any]:
        """As plain values for the store."""
        return {
            "model": self.model,
            "map_class": self.map_class,
            "heat_visible": self.style.visible,
            "heat_opacity": self.style.opacity,
            "heat_threshold": self.style.threshold,
            "heat_contour": self.style.contour,
        }

    @classmethod
    def from_json(
        cls, values: Mapping[str, Any], default: ViewChoices, *, models: int, classes: int
    ) -> ViewChoices:
        """Read them back; whatever does not fit this panel falls back to the default."""
        choices = replace(default, model=max(0, models - 1))
        try:
            style = HeatStyle(
                visible=bool(values["heat_visible"]),
                opacity=float(values["heat_opacity"]),
                threshold=float(values["heat_threshold"]),
                contour=bool(values["heat_contour"]),
            )
            model, map_class = int(values["model"]), int(values["map_class"])
        except (KeyError, TypeError, ValueError):
            return choices
        return replace(
            choices,
            model=model if 0 <= model < models else choices.model,
            map_class=map_class if -1 <= map_class < classes else -1,
            style=style,
        )
