"""A real Ray cluster of two nodes on this machine, one of them killed in the middle."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import pytest
from PIL import Image

from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom
from tests.helpers.tiny_models import write_panel


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra cluster")
@pytest.mark.timeout(900)
def test_a_killed_node_costs_nothing_but_time(tmp_path: Path) -> None:
    from tests.cluster.two_nodes import prove

    films = tmp_path / "films"
    films.mkdir()
    for number in range(160):
        kind = FILM_KINDS[number % len(FILM_KINDS)]
        film = Image.fromarray(draw_phantom(kind, number, (160, 160)))
        film.save(films / f"film_{number}.png")
    (films / "film_9b.png").write_bytes(b"no picture")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own
        proof = prove(films, tmp_path, panel=str(write_panel(tmp_path / "panels")))
    assert proof.same, proof.said
    assert proof.images == 161
    assert proof.survivors == 1
    assert 1 <= proof.parts_before < proof.parts
    assert proof.same_again
    assert proof.resumed == 161
