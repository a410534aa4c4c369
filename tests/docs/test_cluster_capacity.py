"""The plan in the manual follows from the formula and the figures, and from nothing else."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cluster_capacity import Assumed, Measured, known_read_a_node, manual, plan

ROOT = Path(__file__).resolve().parents[2]


def test_the_manual_has_the_figures_of_the_formula() -> None:
    assert manual() in (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")


def test_processors_are_the_bottleneck_where_storage_is_plenty() -> None:
    rich = replace(Assumed(), storage_gb_s=1e6, node_gb_s=1e6)
    known = Measured(core_ms=32.2)
    found = plan(rich, known)
    assert found.bottleneck == "processors"
    by_hand = 100_000_000 * 0.0322 / 3600 / (10 * 32 * 0.85)
    assert found.labelling_hours == pytest.approx(by_hand)
    assert found.price == pytest.approx(by_hand * 320 * 0.04)
    half = plan(replace(rich, nodes=20), known)
    assert half.labelling_hours == pytest.approx(by_hand / 2)
    assert half.price == pytest.approx(found.price)


def test_more_nodes_do_not_help_a_slow_storage() -> None:
    slow = replace(Assumed(), storage_gb_s=1.0)
    few, many = plan(replace(slow, nodes=20)), plan(replace(slow, nodes=40))
    assert few.bottleneck == many.bottleneck == "storage"
    assert few.labelling_hours == many.labelling_hours == pytest.approx(38_000 / 3600)
    assert many.price == pytest.approx(2 * few.price)


def test_the_storage_is_full_at_the_number_of_nodes_that_the_page_names() -> None:
    given = Assumed()
    nodes = int(given.storage_gb_s // known_read_a_node(given))
    assert plan(replace(given, nodes=nodes)).bottleneck == "processors"
    assert plan(replace(given, nodes=nodes + 1)).bottleneck == "storage"


def test_anybody_can_put_in_figures_of_their_own() -> None:
    done = subprocess.run(
        [sys.executable, "docs/cluster_capacity.py", "--films", "1000000", "--nodes", "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = plan(replace(Assumed(), films=1_000_000, nodes=2), Measured())
    assert f"bottleneck: {expected.bottleneck}, {expected.labelling_hours:.2f} hours" in done.stdout
