"""Axes of the charts."""

from __future__ import annotations

import pytest

from desktop.gui.scorecard.charts import share_axis


@pytest.mark.parametrize(
    ("lowest", "highest", "axis"),
    [
        (0.0, 1.0, (0.0, 1.0, 0.25)),
        (0.8, 0.95, (0.75, 1.0, 0.05)),
        (0.55, 0.95, (0.5, 1.0, 0.1)),
        (0.71, 0.84, (0.65, 0.9, 0.05)),
        (1.0, 1.0, (0.95, 1.0, 0.05)),
        (0.0, 0.0, (0.0, 0.05, 0.05)),
    ],
)
def test_an_axis_of_shares_has_round_ends_and_room_beside_the_data(
    lowest: float, highest: float, axis: tuple[float, float, float]
) -> None:
    assert share_axis(lowest, highest) == pytest.approx(axis)
