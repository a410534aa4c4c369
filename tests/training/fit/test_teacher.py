"""A student learns what its teacher says of the film that both see."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.conftest import tiny_config
from training.data.split import SplitData
from training.fit.networks import load_best
from training.fit.teacher import Teacher
from training.fit.trainer import Fit
from training.models.layers import LOGITS


def _sure_of(place: int) -> keras.Model:
    """A network that always says the same class."""
    inputs = keras.Input((16, 16, 1))
    kind = keras.ops.mean(inputs, axis=(1, 2)) * 0
    bias = np.full(3, -20.0, np.float32)
    bias[place] = 20.0
    return keras.Model(
        inputs,
        {LOGITS: keras.layers.Dense(3, bias_initializer=keras.initializers.Constant(bias))(kind)},
    )


def test_targets_lie_between_the_labels_and_the_teacher() -> None:
    labels = tf.constant([[1.0, 0.0, 0.0]])
    images = tf.random.uniform([1, 16, 16, 1])
    wanted = Teacher(_sure_of(2), 0.6).targets(images, labels).numpy()
    np.testing.assert_allclose(wanted, [[0.4, 0.0, 0.6]], atol=1e-5)


def test_a_teacher_of_another_size_is_asked_at_its_own_size() -> None:
    images = tf.random.uniform([2, 40, 40, 1])
    wanted = Teacher(_sure_of(1), 1.0).targets(images, tf.zeros([2, 3])).numpy()
    np.testing.assert_allclose(wanted, [[0, 1, 0]] * 2, atol=1e-5)


def test_a_share_above_one_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        Teacher(_sure_of(0), 1.5)


def test_a_run_with_a_teacher_leaves_the_teacher_as_it_was(
    drawn: SplitData, scnn_run: Path, tmp_path: Path
) -> None:
    config = tiny_config("ccnn", teacher=str(scnn_run), teacher_share=0.7)
    run = Fit(config, drawn, tmp_path)
    assert run._teacher is not None
    before = [variable.numpy() for variable in run._teacher.body.variables]
    run.run()
    for old, variable in zip(before, run._teacher.body.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
    _, described, _ = load_best(tmp_path)
    assert described["fit"]["teacher_share"] == 0.7


def test_a_run_on_imitated_scanners_resumes_to_the_same_weights(
    drawn: SplitData, tmp_path: Path
) -> None:
    config = tiny_config("scnn", scanners=0.8, stages=((1, 32),))
    Fit(config, drawn, tmp_path / "once").run()
    longer = dataclasses.replace(config, stages=((2, 32),))
    whole = Fit(longer, drawn, tmp_path / "whole")
    assert whole.config.scanners == 0.8
    assert whole.run().epoch == 2
