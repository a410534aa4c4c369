"""Real sessions on real (tiny) models: answers, failures, fallbacks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from desktop.core.errors import ModelRefused, UsageError
from desktop.core.inference.devices import (
    devices_to_try,
    is_out_of_memory,
    usable_cores,
    why_not,
    why_session_fell_back,
)
from desktop.core.inference.names import DEVICES, checked_device
from desktop.core.inference.providers import Provider
from desktop.core.inference.session import PanelSession, make_session
from desktop.core.panels.registry import open_panel, read_verified
from tests.helpers.film_files import noise_pixels
from tests.helpers.tiny_models import MODEL_NAMES, write_panel


def test_every_model_answers_every_image_in_order(tmp_path: Path) -> None:
    session = PanelSession(open_panel(write_panel(tmp_path)))
    answers = session.predict(noise_pixels(3))
    for answer in answers:
        assert [item.model for item in answer.predictions] == list(MODEL_NAMES)
        assert answer.code == answer.reason == ""
        for item in answer.predictions:
            assert sum(item.probabilities) == pytest.approx(1, abs=1e-5)
            assert item.cams is not None
            assert item.cams.shape == (3, 8, 8)
            assert item.cams.min() >= 0
            assert item.ood_score is not None


def test_maps_can_be_left_out(tmp_path: Path) -> None:
    session = PanelSession(open_panel(write_panel(tmp_path)))
    (answer,) = session.predict(noise_pixels(1), maps=False)
    assert all(item.cams is None for item in answer.predictions)


def test_an_image_gets_the_same_answer_alone_and_in_any_batch(tmp_path: Path) -> None:
    panel = open_panel(write_panel(tmp_path))
    images = noise_pixels(8)
    expected = PanelSession(panel, threads=1).predict(images, maps=False)
    session = PanelSession(panel, threads=2)
    for size in (1, 2, 3, 5):
        parts = [session.predict(images[i : i + size], maps=False) for i in range(0, 8, size)]
        for given, wanted in zip([a for part in parts for a in part], expected, strict=True):
            for one, other in zip(given.predictions, wanted.predictions, strict=True):
                assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)
                assert one.ood_score == other.ood_score


def test_members_may_want_different_sizes(tmp_path: Path) -> None:
    panel = open_panel(write_panel(tmp_path, sizes={"ccnn": (128, 64)}))
    assert panel.input_sizes == ((64, 64), (128, 64))
    session = PanelSession(panel)
    batches = {(64, 64): noise_pixels(2), (128, 64): np.zeros((2, 128, 64, 1), np.uint8)}
    assert [len(answer.predictions) for answer in session.predict(batches)] == [4, 4]
    with pytest.raises(ValueError, match="one batch for each"):
        session.predict(noise_pixels(2))


def test_a_batch_of_the_wrong_shape_is_a_bug(tmp_path: Path) -> None:
    session = PanelSession(open_panel(write_panel(tmp_path)))
    with pytest.raises(ValueError, match="is needed"):
        session.predict(np.zeros((1, 32, 32, 1), np.uint8))


def test_a_model_without_numbers_loses_its_vote_and_says_so(tmp_path: Path) -> None:
    session = PanelSession(open_panel(write_panel(tmp_path, nan_below={"ccnn": 60})))
    dark, bright = np.zeros((1, 64, 64, 1), np.uint8), np.full((1, 64, 64, 1), 200, np.uint8)
    first, second = session.predict(np.concatenate([dark, bright]))
    assert [item.model for item in first.predictions] == ["scnn", "daccnn", "resnet50"]
    assert first.code == "MODEL-10"
    assert "CCNN" in first.reason
    assert len(second.predictions) == 4


def test_a_model_that_is_broken_on_every_image_is_refused(tmp_path: Path) -> None:
    panel = open_panel(write_panel(tmp_path, nan_below={"ccnn": 1000}))
    with pytest.raises(ModelRefused) as caught:
        PanelSession(panel)
    assert caught.value.code == "MODEL-10"


class Failing:
    """A real session whose ``run`` fails when told to, as a GPU out of memory does."""

    def __init__(self, session: Any, most: int, message: str) -> None:
        self._session, self._most, self._message = session, most, message
        self.sizes: list[int] = []

    def get_providers(self) -> list[str]:
        return list(self._session.get_providers())

    def run(self, names: Sequence[str], feeds: dict[str, Any]) -> Any:
        size = len(feeds["pixels"])
        self.sizes.append(size)
        if size > self._most:
            raise RuntimeError(self._message)
        return self._session.run(names, feeds)


def failing_session(tmp_path: Path, most: int, message: str) -> tuple[PanelSession, list[Failing]]:
    made: list[Failing] = []

    def maker(
        content: bytes, options: onnxruntime.SessionOptions, providers: Sequence[Provider]
    ) -> Failing:
        made.append(Failing(make_session(content, options, providers), most, message))
        return made[-1]

    panel = open_panel(write_panel(tmp_path, models=("scnn",)))
    return PanelSession(panel, "cpu", session_maker=maker), made


def test_out_of_memory_halves_the_batch_and_remembers(tmp_path: Path) -> None:
    session, (model,) = failing_session(tmp_path, 2, "Failed to allocate memory for buffer")
    model.sizes.clear()
    assert all(answer.predictions for answer in session.predict(noise_pixels(8)))
    assert model.sizes == [8, 4, 2, 2, 2, 2]
    model.sizes.clear()
    session.predict(noise_pixels(8))
    assert model.sizes == [2, 2, 2, 2]


def test_out_of_memory_on_a_single_image_costs_only_its_vote(tmp_path: Path) -> None:
    session, (model,) = failing_session(tmp_path, 8, "CUDA out of memory")
    model._most = 0
    answers = session.predict(noise_pixels(2))
    assert [answer.code for answer in answers] == ["MODEL-12", "MODEL-12"]


def test_another_error_is_tried_image_by_image(tmp_path: Path) -> None:
    session, (model,) = failing_session(tmp_path, 1, "Non-zero status code")
    model.sizes.clear()
    assert all(answer.predictions for answer in session.predict(noise_pixels(3)))
    assert model.sizes == [3, 1, 1, 1]
    model._most = 0
    assert session.predict(noise_pixels(1))[0].code == "MODEL-11"


def test_the_report_says_what_the_sessions_say(tmp_path: Path) -> None:
    report = PanelSession(open_panel(write_panel(tmp_path)), "cpu", 1).report
    assert report.running == "cpu"
    assert report.sessions == tuple((name, "cpu") for name in MODEL_NAMES)
    assert not report.fell_back
    assert report.sentence == "CPU, 1 thread."


@pytest.mark.skipif(
    "DmlExecutionProvider" in onnxruntime.get_available_providers(), reason="has DirectML"
)
def test_a_device_that_is_not_there_falls_back_and_says_why(tmp_path: Path) -> None:
    report = PanelSession(open_panel(write_panel(tmp_path)), "directml", 2).report
    assert report.fell_back
    assert report.running == "cpu"
    assert "no DirectML" in report.sentence
    assert "Running on CPU" in report.sentence


def test_why_a_device_cannot_work() -> None:
    def nothing(name: str) -> object:
        raise OSError(name)

    built_in = ["CUDAExecutionProvider", "TensorrtExecutionProvider", "CPUExecutionProvider"]
    assert "no NVIDIA driver" in why_not("cuda", built_in=built_in, load=nothing)
    assert why_not("cuda", built_in=built_in, load=lambda name: name) == ""
    assert "has no Core ML" in why_not("coreml", built_in=built_in)
    assert why_not("cpu") == ""
    only_driver = lambda name: name if "cuda" in name else nothing(name)  # noqa: E731
    assert "TensorRT 10" in why_not("tensorrt", built_in=built_in, load=only_driver)
    assert "cuDNN 9 not found" in why_session_fell_back("cuda", load=nothing)
    assert "did not accept" in why_session_fell_back("cuda", load=lambda name: name)
    assert "cannot do that." in why_session_fell_back("coreml", "cannot do that.\nmore")


def test_every_device_ends_at_the_cpu() -> None:
    assert all(devices_to_try(device)[-1] == "cpu" for device in DEVICES)
    assert devices_to_try("tensorrt") == ("tensorrt", "cuda", "cpu")
    assert checked_device("CUDA") == "cuda"
    with pytest.raises(UsageError, match="quantum"):
        checked_device("quantum")


def test_memory_messages_are_recognised() -> None:
    assert is_out_of_memory("Failed to allocate memory for requested buffer of size 5")
    assert is_out_of_memory("std::bad_alloc")
    assert not is_out_of_memory("Non-zero status code")
    assert usable_cores() >= 1


def test_a_session_does_not_keep_the_file_it_was_made_of(tmp_path: Path) -> None:
    model = open_panel(write_panel(tmp_path)).models[0]
    content = read_verified(model)
    before = sys.getrefcount(content)
    session = make_session(content, None, ["CPUExecutionProvider"])
    assert sys.getrefcount(content) == before
    assert session.run(None, {"pixels": noise_pixels(1)})
