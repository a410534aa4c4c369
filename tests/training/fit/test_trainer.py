"""A run learns, writes what it did, and goes on where it was killed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from desktop.core.panels.registry import shipped_panels_folder
from tests.training.conftest import tiny_config
from training.cli.commands import earlier_runs, fit_model
from training.configs import MILD, Augmentation, FitConfig, config_for, config_from_dict
from training.data.augment import augment
from training.data.split import SplitData
from training.fit.drawing import drawing_shares
from training.fit.networks import load_best
from training.fit.trainer import Fit, logit_function, predict_logits
from training.models import TITLES
from training.runtime.files import read_weights
from training.runtime.progress import Progress


def test_the_run_folder_tells_everything(scnn_run: Path) -> None:
    described = json.loads((scnn_run / "config.json").read_text())
    assert described["class_names"] == ["Covid", "Normal", "Viral Pneumonia"]
    assert len(described["training_data_sha256"]) == 64
    assert config_from_dict(described["fit"]) == tiny_config("scnn")
    rows = (scnn_run / "curves.csv").read_text().splitlines()
    assert rows[0].startswith("epoch,loss,val_macro_auc")
    assert len(rows) == 3
    with Image.open(scnn_run / "curves.png") as curves:
        assert curves.size == (640, 360)
    assert json.loads((scnn_run / "metrics.json").read_text())["epoch"] == 2


def test_a_run_keeps_the_commit_that_began_it(
    drawn: SplitData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def commit_after(commit: str) -> str:
        monkeypatch.setenv("CXR_QUORUM_COMMIT", commit)
        Fit(tiny_config("scnn", stages=((1, 32),)), drawn, tmp_path).run()
        return str(json.loads((tmp_path / "config.json").read_text())["commit"])

    assert commit_after("a" * 40) == "a" * 40
    assert commit_after("b" * 40) == "a" * 40


def test_a_killed_run_goes_on_after_its_last_epoch(drawn: SplitData, tmp_path: Path) -> None:
    config = tiny_config("scnn", stages=((3, 32),))

    class Killed(Exception):  # noqa: N818
        pass

    def kill(progress: Progress) -> None:
        if progress.epoch == 2:
            raise Killed

    with pytest.raises(Killed):
        Fit(config, drawn, tmp_path / "run").run(on_progress=kill)
    before = read_weights(tmp_path / "run" / "last.npz")
    again = Fit(config, drawn, tmp_path / "run")
    assert again.state.epoch == 2
    for index, variable in enumerate(again.optimizer.variables):
        np.testing.assert_array_equal(variable.numpy(), before[f"optimizer:{index}"])
    epochs: list[float] = []
    state = again.run(on_epoch=lambda row: epochs.append(row["epoch"]))
    assert epochs == [3.0]
    assert [row["epoch"] for row in state.history] == [1.0, 2.0, 3.0]


def test_a_run_with_other_settings_is_not_resumed(drawn: SplitData, tmp_path: Path) -> None:
    changes = {"stages": ((1, 32),), "input_size": (64, 64), "epoch_images": 16, "batch": 16}
    fit_model(drawn, "scnn", tmp_path, dict(changes))
    with pytest.raises(ValueError, match=r"other settings .*batch"):
        fit_model(drawn, "scnn", tmp_path, {**changes, "batch": 8})


def test_the_best_weights_are_the_averaged_ones_and_load_again(
    scnn_run: Path, drawn: SplitData
) -> None:
    config, _, network = load_best(scnn_run)
    best = read_weights(scnn_run / "best.npz")
    for variable in network.weights:
        np.testing.assert_array_equal(variable.numpy(), best[variable.path])
    logits = predict_logits(logit_function(network, config.reduce), drawn.pixels[:5])
    assert logits.shape == (5, 3)
    assert np.isfinite(logits).all()


def test_it_stops_when_validation_stops_improving(drawn: SplitData, tmp_path: Path) -> None:
    # With a learning rate of nothing no epoch is better than the first.
    config = tiny_config(
        "scnn", stages=((9, 32),), learning_rate=1e-12, patience=1, weight_decay=0.0, average=0.0
    )
    state = Fit(config, drawn, tmp_path / "run").run()
    assert state.epoch < 9


def test_it_learns_to_tell_drawn_classes_apart(drawn: SplitData, tmp_path: Path) -> None:
    config = tiny_config("ccnn", stages=((6, 32),), epoch_images=96, learning_rate=3e-3)
    state = Fit(config, drawn, tmp_path / "run").run()
    losses = [row["loss"] for row in state.history]
    assert losses[-1] < 0.6 * losses[0]


def test_images_grow_during_the_run(drawn: SplitData, tmp_path: Path) -> None:
    config = tiny_config("ccnn", stages=((1, 16), (1, 32)))
    assert [config.side_of_epoch(epoch) for epoch in range(2)] == [16, 32]
    run = Fit(config, drawn, tmp_path / "run")
    assert run.body.input_shape == (None, None, None, 1)
    assert len(run.run().history) == 2


def test_every_class_is_drawn_equally_often(drawn: SplitData) -> None:
    train = np.concatenate([np.flatnonzero(drawn.labels == k)[: 2 + 6 * k] for k in range(3)])
    shares = drawing_shares(drawn, train)
    sums = [shares[drawn.labels[train] == k].sum() for k in range(3)]
    np.testing.assert_allclose(sums, 1 / 3)
    unbalanced = dataclasses.replace(drawn, recipe=dataclasses.replace(drawn.recipe, balance=False))
    np.testing.assert_allclose(drawing_shares(unbalanced, train), 1 / len(train))


def test_augmentation_moves_films_and_keeps_their_range() -> None:
    tf.random.set_seed(3)
    films = tf.random.uniform([4, 32, 32, 1], 0, 255)
    moved = augment(films, MILD)
    assert moved.shape == films.shape
    assert float(tf.reduce_min(moved)) >= 0
    assert float(tf.reduce_max(moved)) <= 255
    assert float(tf.reduce_mean(tf.abs(moved - films))) > 5
    np.testing.assert_array_equal(augment(films, Augmentation()), films)


def test_a_flip_mirrors_left_and_right_only() -> None:
    tf.random.set_seed(1)
    ramp = tf.tile(tf.reshape(tf.range(16.0), [1, 1, 16, 1]), [64, 16, 1, 1])
    ramp += tf.reshape(tf.range(16.0), [1, 16, 1, 1]) * 10
    flipped = augment(ramp, Augmentation(flip=True)).numpy()
    mirrored = [np.allclose(film, ramp[0, :, ::-1], atol=1e-3) for film in flipped]
    same = [np.allclose(film, ramp[0], atol=1e-3) for film in flipped]
    assert all(a or b for a, b in zip(mirrored, same, strict=True))
    assert any(mirrored)
    assert any(same)


def test_frames_cover_edges_only_and_sharpness_keeps_flat_films() -> None:
    tf.random.set_seed(3)
    films = tf.fill([64, 32, 32, 1], 300.0)
    framed = augment(films, Augmentation(frame=0.2)).numpy()[..., 0]
    assert np.all(framed[:, 7:25, 7:25] == 300.0)
    covered = (framed[:, 0, 0] != 300.0) | (framed[:, -1, -1] != 300.0)
    assert 0.25 < covered.mean() < 0.75
    flat = augment(tf.fill([4, 16, 16, 1], 80.0), Augmentation(sharpness=0.6)).numpy()
    np.testing.assert_allclose(flat, 80.0, rtol=1e-5)


def test_resnet50_of_a_shipped_panel_starts_from_earlier_runs_or_from_a_shipped_file() -> None:
    assert config_for("resnet50", "pneumonia").weights == "exported:covid19"
    assert earlier_runs("resnet50", "pneumonia") == []
    assert config_for("resnet50", "covid19").weights == "exported:covid19"
    assert earlier_runs("resnet50", "covid19") == []
    assert earlier_runs("resnet50", "covid19_first") == ["pretraining", "pretraining_longer"]
    assert earlier_runs("resnet50", "any_other") == earlier_runs("scnn", "covid19") == []


@pytest.mark.parametrize("model", list(TITLES))
def test_committed_configurations_are_valid_and_frozen(model: str) -> None:
    for panel in ("covid19", "pneumonia", "any_other"):
        config = config_for(model, panel)
        assert config.model == model
        assert config.body_side == config.stages[-1][1]
        with pytest.raises(dataclasses.FrozenInstanceError):
            config.batch = 1  # type: ignore[misc]
    assert (config_for("daccnn", "x").augmentation != Augmentation()) is True
    assert config_for("ccnn", "x").augmentation == Augmentation()


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        FitConfig(model="scnn", stages=((1, 32),), input_size=(65, 65))
    with pytest.raises(ValueError, match="at least one epoch"):
        FitConfig(model="scnn", stages=())


def test_products_in_16_bits_leave_weights_and_answers_in_32(
    drawn: SplitData, tmp_path: Path
) -> None:
    run = Fit(tiny_config("ccnn", precision="mixed_bfloat16"), drawn, tmp_path / "run")
    policies = {layer.name: layer.compute_dtype for layer in run.body.layers}
    assert policies["second_conv"] == "bfloat16"
    # Grey levels are averaged before anything is rounded.
    assert policies["standardise"] == "float32"
    state = run.run()
    assert np.isfinite([row["loss"] for row in state.history]).all()
    _, _, body = load_best(tmp_path / "run")
    assert {layer.compute_dtype for layer in body.layers} == {"float32"}
    films = drawn.pixels[:4]
    coarse = predict_logits(logit_function(run.body, 2), films)
    fine = predict_logits(logit_function(body, 2), films)
    assert coarse.dtype == fine.dtype == np.float32


def test_a_run_from_an_exported_file_resumes_from_its_own_weights(
    drawn: SplitData, tmp_path: Path
) -> None:
    shipped = shipped_panels_folder() / "covid19" / "resnet50.onnx"
    config = tiny_config(
        "resnet50", stages=((1, 32),), epoch_images=16, batch=8, weights=str(shipped)
    )
    first = Fit(config, drawn, tmp_path / "run")
    fresh = Fit(dataclasses.replace(config, weights="none"), drawn, tmp_path / "other")
    name = "conv2_block1_1_conv"
    started = first.body.get_layer(name).kernel.numpy()
    assert not np.allclose(started, fresh.body.get_layer(name).kernel.numpy())
    first.run()
    trained = first.body.get_layer(name).kernel.numpy()
    again = Fit(config, drawn, tmp_path / "run")
    np.testing.assert_array_equal(again.body.get_layer(name).kernel.numpy(), trained)
    assert not np.array_equal(trained, started)
