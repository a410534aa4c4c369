"""Every way a GPU can fail, with real sessions of the processor that fail as ONNX Runtime does."""

from __future__ import annotations

import stat
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from desktop.core.batch.pipeline import label
from desktop.core.inference.names import Device
from desktop.core.inference.providers import LARGEST_BATCH, Provider, probe_batch, providers_for
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import Panel, open_panel
from tests.helpers.failing_sessions import (
    CUDA_NO_ROOM,
    LOST,
    NO_ROOM,
    EPFail,
    Fail,
    FakeGpu,
    RuntimeException,
)
from tests.helpers.film_files import noise_pixels
from tests.helpers.tiny_models import MODEL_NAMES, write_panel


@pytest.fixture
def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Panel:
    """A panel on a machine that looks as if it had an NVIDIA driver; its memory is ours."""
    monkeypatch.setenv("CXR_QUORUM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("desktop.core.inference.session.why_not", lambda device: "")
    monkeypatch.setattr("desktop.core.inference.session.preload_gpu_libraries", lambda: None)
    for device in ("cuda", "tensorrt"):
        monkeypatch.setitem(
            __import__("desktop.core.inference.providers", fromlist=["MEMORY_OF"]).MEMORY_OF,
            device,
            "cpu",
        )
    return open_panel(write_panel(tmp_path))


def answers(session: PanelSession, images: npt.NDArray[np.uint8]) -> list[tuple[float, ...]]:
    return [
        item.probabilities
        for answer in session.predict(images, maps=False)
        for item in answer.predictions
    ]


def test_a_gpu_that_works_is_used_through_bound_memory(panel: Panel) -> None:
    gpu = FakeGpu()
    session = PanelSession(panel, "cuda", session_maker=gpu)
    assert session.report.running == "cuda"
    assert not session.report.fell_back
    assert session.report.batch is not None
    expected = answers(PanelSession(panel, "cpu"), noise_pixels(5))
    assert np.allclose(answers(session, noise_pixels(5)), expected, atol=1e-6)
    (first, *_) = session.predict(noise_pixels(2), maps=True)
    assert all(item.cams is not None for item in first.predictions)


def test_auto_takes_a_gpu_that_works(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert PanelSession(panel, session_maker=FakeGpu()).report.running == "cuda"


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (RuntimeException(CUDA_NO_ROOM), "too little free memory"),
        (RuntimeException(NO_ROOM), "too little free memory"),
        (Fail("[ONNXRuntimeError] : 1 : FAIL : CUDA driver is too old"), "CUDA not used"),
        (EPFail("[ONNXRuntimeError] : 11 : EP_FAIL : cuDNN status 4"), "CUDA not used"),
    ],
)
def test_a_gpu_that_refuses_the_models_is_left_with_a_reason(
    panel: Panel, problem: Exception, words: str
) -> None:
    session = PanelSession(panel, "cuda", session_maker=FakeGpu(lambda *_: problem))
    assert session.report.running == "cpu"
    assert session.report.fell_back
    assert words in session.report.reason
    assert session.report.batch is None
    assert len(answers(session, noise_pixels(2))) == 2 * len(MODEL_NAMES)


def test_a_session_that_silently_runs_elsewhere_is_noticed(panel: Panel) -> None:
    session = PanelSession(panel, "cuda", session_maker=FakeGpu(silent=True))
    assert session.report.running == "cpu"
    assert "CUDA not used" in session.report.reason


def test_a_gpu_that_fails_at_its_first_answer_is_left(panel: Panel) -> None:
    gpu = FakeGpu(trouble=lambda size, calls: EPFail(LOST))
    session = PanelSession(panel, "cuda", session_maker=gpu)
    assert session.report.running == "cpu"
    assert "CUDA not used" in session.report.reason


def test_tensorrt_is_followed_by_cuda_and_the_first_reason_is_told(panel: Panel) -> None:
    def refuse(provider: str, content: bytes) -> Exception | None:
        return EPFail("no engine") if provider.startswith("Tensorrt") else None

    session = PanelSession(panel, "tensorrt", session_maker=FakeGpu(refuse))
    assert session.report.running == "cuda"
    assert session.report.fell_back
    assert session.report.reason.startswith("TensorRT not used")


def test_tensorrt_keeps_its_engines_where_nobody_else_can_write(panel: Panel) -> None:
    (provider, cpu) = providers_for("tensorrt", "fp16", (224, 160))
    assert isinstance(provider, tuple)
    name, options = provider
    assert (name, cpu) == ("TensorrtExecutionProvider", "CPUExecutionProvider")
    assert options["trt_fp16_enable"] == "1"
    assert options["trt_profile_min_shapes"] == "pixels:1x224x160x1"
    folder = Path(options["trt_engine_cache_path"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_batch_stops_growing_where_memory_ends(panel: Panel) -> None:
    gpu = FakeGpu(trouble=lambda size, calls: RuntimeException(NO_ROOM) if size > 16 else None)
    session = PanelSession(panel, "cuda", session_maker=gpu)
    assert session.report.running == "cuda"
    assert session.report.batch is not None
    assert session.report.batch <= 16
    assert len(answers(session, noise_pixels(40))) == 40 * len(MODEL_NAMES)
    assert max(size for made in gpu.made for size in made.sizes[-3:]) <= 16


class Clock:
    """Time that passes as told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def probed(cost: dict[int, float], most: int = 10_000, seconds: float = 1e9) -> int:
    clock = Clock()

    def answer(size: int) -> None:
        if size > most:
            raise RuntimeException(NO_ROOM)
        clock.now += cost.get(size, 1.0)

    return probe_batch(answer, seconds=seconds, clock=clock)


def test_the_probe_takes_the_batch_that_pays() -> None:
    constant = dict.fromkeys((8, 16, 32, 64, 128, 256), 1.0)
    assert probed(constant) == LARGEST_BATCH
    assert probed({8: 1, 16: 1, 32: 1.9, 64: 3.8}) == 16
    assert probed({8: 1, 16: 2}) == 8


def test_the_probe_backs_off_where_memory_ends_and_where_time_is_over() -> None:
    constant = dict.fromkeys((1, 2, 4, 8, 16, 32, 64, 128, 256), 1.0)
    assert probed(constant, most=64) == 64
    assert probed(constant, most=5) == 4
    assert probed(constant, most=0) == 1
    assert probed(constant, seconds=3) == 16


def test_the_probe_does_not_hide_another_error() -> None:
    def answer(size: int) -> None:
        raise EPFail(LOST)

    with pytest.raises(EPFail):
        probe_batch(answer)


def test_a_gpu_that_fails_during_the_probe_is_left(panel: Panel) -> None:
    gpu = FakeGpu(trouble=lambda size, calls: EPFail(LOST) if size > 4 else None)
    session = PanelSession(panel, "cuda", session_maker=gpu)
    assert session.report.running == "cpu"
    assert session.report.batch is None
    assert "CUDA not used" in session.report.reason


def test_a_gpu_that_is_lost_during_a_run_costs_no_image_and_is_told(panel: Panel) -> None:
    gpu = FakeGpu()
    session = PanelSession(panel, "cuda", session_maker=gpu)
    for made in gpu.made:
        made.trouble = lambda size, calls: EPFail(LOST)
    expected = answers(PanelSession(panel, "cpu"), noise_pixels(6))
    assert np.allclose(answers(session, noise_pixels(6)), expected, atol=1e-6)
    assert session.report.running == "cpu"
    assert session.report.fell_back
    assert "CUDA given up" in session.report.reason
    assert session.report.batch is None


def test_an_image_that_one_model_cannot_stand_does_not_cost_the_gpu(panel: Panel) -> None:
    gpu = FakeGpu()
    session = PanelSession(panel, "cuda", session_maker=gpu)
    first = gpu.made[-len(MODEL_NAMES)]
    first.sizes.clear()
    # Its first look at the image fails; the grey one that is asked then is answered.
    first.trouble = lambda size, calls: EPFail("bad image") if calls == 1 else None
    (answer,) = session.predict(noise_pixels(1))
    assert session.report.running == "cuda"
    assert answer.code == "MODEL-11"
    assert len(answer.predictions) == len(MODEL_NAMES) - 1


def test_memory_that_stays_short_during_a_run_ends_on_the_processor(panel: Panel) -> None:
    gpu = FakeGpu()
    session = PanelSession(panel, "cuda", session_maker=gpu)
    for made in gpu.made:
        made.trouble = lambda size, calls: RuntimeException(CUDA_NO_ROOM)
    assert len(answers(session, noise_pixels(4))) == 4 * len(MODEL_NAMES)
    assert "too little free memory" in session.report.reason


def test_rows_say_what_labelled_them(panel: Panel, tmp_path: Path) -> None:
    from PIL import Image

    from desktop.core.files.inputs import list_inputs

    for number in range(6):
        Image.fromarray(noise_pixels(1, number)[0, :, :, 0]).resize((128, 128)).save(
            tmp_path / f"film{number}.png"
        )
    gpu = FakeGpu()
    session = PanelSession(panel, "cuda", session_maker=gpu)
    devices = []
    for case in label(list_inputs([tmp_path]), session, batch=2, maps=False):
        devices.append(case.device)
        for made in gpu.made:
            made.trouble = lambda size, calls: EPFail(LOST)
    assert len(devices) == 6
    assert devices[0] == "cuda"
    assert devices[-1] == "cpu"


def test_sixteen_bits_are_taken_where_they_change_no_answer(panel: Panel) -> None:
    report = PanelSession(panel, "tensorrt", session_maker=FakeGpu()).report
    assert report.precision == "fp16"
    assert "same votes" in report.precision_reason
    assert report.sentence == "TensorRT, fp16."
    wide = PanelSession(panel, "tensorrt", precision="fp32", session_maker=FakeGpu()).report
    assert wide.precision == "fp32"
    assert wide.sentence == "TensorRT."


def _sixteen(providers: Sequence[Provider]) -> bool:
    """A session of TensorRT is being made that may compute in 16 bits."""
    first = providers[0]
    return not isinstance(first, str) and first[1].get("trt_fp16_enable") == "1"


def test_sixteen_bits_that_change_an_answer_are_not_used(panel: Panel) -> None:
    contents = [model.path.read_bytes() for model in panel.models]
    gpu = FakeGpu()

    def make(content: bytes, options: Any, providers: Sequence[Provider]) -> Any:
        # Another model's real session stands for one that rounds too much.
        turned = contents[contents.index(content) - 1] if _sixteen(providers) else content
        return gpu(turned, options, providers)

    session = PanelSession(panel, "tensorrt", session_maker=make)
    assert session.report.running == "tensorrt"
    assert session.report.precision == "fp32"
    assert "answers differently" in session.report.precision_reason
    assert np.allclose(
        answers(session, noise_pixels(3)), answers(PanelSession(panel, "cpu"), noise_pixels(3))
    )


def test_sixteen_bits_that_fail_on_a_film_are_not_used(panel: Panel) -> None:
    gpu = FakeGpu()

    def make(content: bytes, options: Any, providers: Sequence[Provider]) -> Any:
        made = gpu(content, options, providers)
        if _sixteen(providers):
            # The grey image of the warm-up is answered, the drawn films are not.
            made.trouble = lambda size, calls: EPFail("overflow") if size > 1 else None
        return made

    report = PanelSession(panel, "tensorrt", session_maker=make).report
    assert (report.running, report.precision) == ("tensorrt", "fp32")
    assert "stops with an error" in report.precision_reason


def test_a_gpu_without_room_for_sixteen_bits_has_none_for_thirty_two(panel: Panel) -> None:
    gpu = FakeGpu(lambda provider, content: RuntimeException(CUDA_NO_ROOM))
    report = PanelSession(panel, "tensorrt", session_maker=gpu).report
    assert report.running == "cpu"
    assert "too little free memory" in report.reason
    # One model was enough to know, on TensorRT and on CUDA after it.
    refused = [asked for asked in gpu.asked if len(asked) > 1]
    assert len(refused) == 2


@pytest.mark.parametrize("device", ["directml", "coreml"])
def test_a_device_of_another_system_that_refuses_the_models_is_left(
    panel: Panel, device: Device
) -> None:
    gpu = FakeGpu(lambda provider, content: Fail("not supported"))
    report = PanelSession(panel, device, session_maker=gpu).report
    assert report.running == "cpu"
    assert "not supported" in report.reason


def test_streams_take_turns_on_directml(panel: Panel) -> None:
    """ONNX Runtime: a session of DirectML may not be run from two threads at once."""
    inside, most = [0], [0]
    gpu = FakeGpu()
    session = PanelSession(panel, "directml", streams=4, session_maker=gpu)
    assert session.report.running == "directml"

    def busy(size: int, calls: int) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.01)
        inside[0] -= 1

    for made in gpu.made:
        made.trouble = busy
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda seed: answers(session, noise_pixels(2, seed)), range(8)))
    assert most[0] == 1
    assert all(len(one) == 2 * len(MODEL_NAMES) for one in found)


def test_a_gpu_without_sixteen_bits_runs_with_thirty_two(tmp_path: Path, panel: Panel) -> None:
    made = []

    def refuse(provider: str, content: bytes) -> Exception | None:
        made.append(provider)
        return EPFail("no 16-bit kernel") if len(made) == 1 else None

    report = PanelSession(panel, "tensorrt", session_maker=FakeGpu(refuse)).report
    assert report.running == "tensorrt"
    assert report.precision == "fp32"
    assert "16 bits" in report.precision_reason
