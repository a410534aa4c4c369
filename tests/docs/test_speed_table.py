"""The README's table of speed says what was measured, by which clock, and what misses its bar."""

from __future__ import annotations

from typing import Any

import speed_table

from tests.benchmarks.speed_ratios import Cost, figures


def measured(clock: bool, **costs: float) -> dict[str, Any]:
    """A benchmark's file; each cost is seconds an image on the clock, twice that in all."""
    names = {name.replace("__", ":"): value for name, value in costs.items()}
    each = {name: Cost(10, 10 * value, 20 * value) for name, value in names.items()}
    facts = {"clock": clock, "processor": "Chip", "films": 60, "measured": "2026-11-23"}
    found = figures(each, 2e9, {"threads": 2, "sgemm_sides": {"sgemm": 1000}})
    return {"pipeline": {**facts, "load_before": 0.1, **found}}


def test_a_quiet_machine_tells_the_clock_and_what_misses_the_bar() -> None:
    text = speed_table.table(
        measured(True, pipeline=0.02, keras__compiled=0.5, sgemm=0.01, jpeg=0.004)
    )
    assert "by the clock: 20.0 ms an image, or 50 images/s" in text
    assert "25 times faster" in text
    assert "0.50 of its speed" in text  # 2 GFLOP at 200 GFLOP/s
    assert "goal of 0.90" in text
    assert "20 % of the work" in text
    assert "PyTorch" not in text


def test_a_busy_machine_tells_processor_time_and_says_so() -> None:
    text = speed_table.table(measured(False, pipeline=0.02, torch=0.5, pipeline__openvino=0.018))
    assert "by processor time, because the machine did other work: 20.0 ms" in text
    assert "OpenVINO is 11 % faster" in text
    assert "goal of" not in text


def test_a_folders_size_is_told_where_it_was_measured() -> None:
    run = {"files": 1000, "ms_wall": 2.0, "ms_cpu": 3.0, "largest_mb": 400.0}
    scale = {"clock": True, "load_before": 0.1, "first_row_seconds": 1.44, "few": run}
    scale["many"] = {**run, "files": 100_000, "ms_wall": 2.02, "largest_mb": 410.0}
    tiny = {**scale, "clock": False, "many": {**scale["many"], "ms_cpu": 3.6}}
    text = speed_table.table(
        {**measured(True, pipeline=0.02), "scale_of_films": scale, "scale": tiny}
    )
    of_films, of_tiny = (line for line in text.splitlines() if "a folder of 100,000" in line)
    assert "1,000 | full-size films: 1.01 times the time an image by the clock" in of_films
    assert "+10 MB" in of_films
    assert "small films" in of_tiny
    assert "1.20 times the time an image by processor time (+0.60 ms)" in of_tiny
    assert "first row | 1.4 s" in text
