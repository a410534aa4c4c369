"""Part of the way from one network to another: weights between them, statistics and head anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from training.data.split import VALIDATION, SplitData
from training.export.exporter import export_model
from training.fit.interpolate import InterpolateConfig, interpolate_run, interpolated
from training.fit.networks import load_best
from training.models.layers import FEATURES, float_variables, front
from training.runtime.files import read_weights


def test_weights_lie_between_and_the_head_is_the_second_ones() -> None:
    first = {"a_conv/kernel": np.zeros(3), "logits/kernel": np.zeros((2, 3))}
    second = {"a_conv/kernel": np.ones(3), "logits/kernel": np.ones((2, 4))}
    found = interpolated(first, second, 0.25)
    np.testing.assert_array_equal(found["a_conv/kernel"], np.full(3, 0.25))
    np.testing.assert_array_equal(found["logits/kernel"], np.ones((2, 4)))


def test_other_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="a_conv/kernel"):
        interpolated({"a_conv/kernel": np.zeros(2)}, {"a_conv/kernel": np.zeros(3)}, 0.5)


def test_a_share_beyond_the_way_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        InterpolateConfig(share=1.2)


@pytest.fixture(scope="module")
def changed(
    scnn_run: Path, drawn: SplitData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A copy of the run, half of the way back to its own exported file."""
    folder = tmp_path_factory.mktemp("interpolate")
    shipped = export_model(scnn_run, drawn, folder / "drawn", version="9").path
    run = folder / "drawn-scnn"
    shutil.copytree(scnn_run, run)
    config = InterpolateConfig(share=0.5, statistics_batches=30, head_steps=40, batch=16)
    interpolate_run(run, shipped, drawn, config)
    return run, shipped


def test_between_a_network_and_itself_it_sees_the_same(
    changed: tuple[Path, Path], scnn_run: Path, drawn: SplitData
) -> None:
    run, _ = changed
    seen = []
    for folder in (scnn_run, run):
        config, _, body = load_best(folder)
        films = front(tf.constant(drawn.pixels[drawn.indices(VALIDATION)]), config.reduce)
        seen.append(body(films, training=False)[FEATURES].numpy().ravel())
    assert np.corrcoef(*seen)[0, 1] > 0.8


def test_the_fine_tuned_weights_are_kept_and_the_run_says_what_was_done(
    changed: tuple[Path, Path], scnn_run: Path
) -> None:
    run, shipped = changed
    kept, before = read_weights(run / "tuned.npz"), read_weights(scnn_run / "best.npz")
    assert all(np.array_equal(kept[name], before[name]) for name in before)
    told = json.loads((run / "config.json").read_text())["interpolation"]
    assert told["share"] == 0.5
    assert told["shipped"] == shipped.name
    _, _, body = load_best(run)
    after = {variable.path: variable.numpy() for variable in float_variables(body)}
    assert not np.array_equal(after["logits/kernel"], before["logits/kernel"])


def test_a_second_call_starts_from_the_fine_tuned_weights_again(
    changed: tuple[Path, Path], drawn: SplitData
) -> None:
    run, shipped = changed
    kept = read_weights(run / "tuned.npz")["second_conv/kernel"]
    config = InterpolateConfig(share=1.0, statistics_batches=1, head_steps=1, batch=16)
    interpolate_run(run, shipped, drawn, config)
    np.testing.assert_array_equal(read_weights(run / "best.npz")["second_conv/kernel"], kept)
