"""The cache of heatmaps: what is lost is computed again, and nobody is troubled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.core.store.heatmap_cache import MapCache, pack_maps, unpack_maps
from tests.helpers.review_cases import MODELS, case

KEY = b"k" * 32


def packed() -> bytes:
    return pack_maps(case("a.png", map_seed=1).predictions, MODELS)


def test_bytes_that_are_no_maps_are_refused_and_not_guessed_at() -> None:
    sound = packed()
    assert set(unpack_maps(sound, MODELS)) == set(MODELS)
    for damaged in (b"", b"XXXX" + sound[4:], sound[:-20], sound[:8] + b"\0" * 40):
        with pytest.raises(ValueError, match=r"."):
            unpack_maps(damaged, MODELS)


def test_a_cache_of_maps_that_cannot_be_opened_costs_only_the_cache(tmp_path: Path) -> None:
    (tmp_path / "maps.sqlite").mkdir()
    (tmp_path / "maps.sqlite" / "in the way").touch()
    (tmp_path / "maps.damaged.sqlite").mkdir()
    (tmp_path / "maps.damaged.sqlite" / "too").touch()
    cache = MapCache(tmp_path / "maps.sqlite")
    cache.put([(KEY, "p", packed())])
    assert cache.get(KEY, ["p"], MODELS) == {}
    cache.close()
    cache.close()


def test_a_writer_that_fails_in_the_middle_leaves_nothing_half_written(tmp_path: Path) -> None:
    cache = MapCache(tmp_path / "maps.sqlite")

    def rows() -> Iterator[tuple[bytes, str, bytes]]:
        yield KEY, "p", packed()
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        cache.put(rows())
    assert cache.get(KEY, ["p"], MODELS) == {}
    cache.put([(KEY, "p", packed())])
    assert set(cache.get(KEY, ["p"], MODELS)) == set(MODELS)
    cache.close()
