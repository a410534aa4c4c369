"""Run a panel: ONNX Runtime sessions that never take the batch down with them.

Bytes are hashed, checked and then run from memory, so what was verified is what runs. A model that
fails on an image gives no vote for it, with a code; the other models and images are unaffected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from desktop.core.cases import Prediction
from desktop.core.catalogue import Panel, PanelModel, read_verified
from desktop.core.contract import (
    INPUT_PIXELS,
    OUTPUT_CAMS,
    OUTPUT_OOD_SCORE,
    OUTPUT_PROBABILITIES,
)
from desktop.core.devices import (
    DEVICE_OF,
    PROVIDER_OF,
    Device,
    DeviceReport,
    devices_to_try,
    is_out_of_memory,
    preload_gpu_libraries,
    quiet_runtime,
    usable_cores,
    why_not,
    why_session_fell_back,
)
from desktop.core.errors import ModelRefused

Size = tuple[int, int]
Pixels = npt.NDArray[np.uint8]
SessionMaker = Callable[[bytes, onnxruntime.SessionOptions, Sequence[str]], Any]


@dataclass(frozen=True)
class PanelAnswer:
    """What the models of a panel say about one image.

    Attributes:
        predictions: One per model that answered, panel order.
        code: Code of the first missing answer, empty where all answered.
        reason: Sentence about the models without an answer, empty where all answered.
    """

    predictions: tuple[Prediction, ...]
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class _NoAnswer:
    code: str
    sentence: str


def make_session(
    content: bytes, options: onnxruntime.SessionOptions, providers: Sequence[str]
) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session that raises instead of falling back by itself and printing so."""
    return onnxruntime.InferenceSession(
        content, options, providers=list(providers), enable_fallback=0
    )


class PanelSession:
    """The loaded models of one panel.

    ``predict`` may be called from ``streams`` threads at once.

    Args:
        panel: The panel to load.
        device: Device asked for; what really runs is in ``report``.
        threads: Processor threads for inference, None = all usable cores.
        streams: Callers of ``predict`` that run at once. With as many streams as threads each
            model runs on its caller's thread, which is the fastest way through a folder; with one
            stream all threads work on the same image, which is the fastest answer for one image.
        session_maker: Makes a session; for tests of providers this machine does not have.

    Raises:
        ModelRefused: A model is not what the manifest says, cannot be loaded or gives no sound
            answer for a grey image.
    """

    def __init__(
        self,
        panel: Panel,
        device: Device = "auto",
        threads: int | None = None,
        *,
        streams: int = 1,
        session_maker: SessionMaker = make_session,
    ) -> None:
        self.panel = panel
        self.streams = max(1, streams)
        self._make = session_maker
        self._threads = max(1, threads or usable_cores())
        self._batch_limit: dict[str, int] = {}
        self._sessions: dict[str, Any] = {}
        quiet_runtime()
        reason = self._load(device)
        running = {name: _device_of(session) for name, session in self._sessions.items()}
        self.report = DeviceReport(
            asked=device,
            running=_slowest(running.values()),
            sessions=tuple(running.items()),
            reason=reason,
            threads=self._threads,
        )

    def predict(
        self, pixels: Pixels | Mapping[Size, Pixels], *, maps: bool = True
    ) -> list[PanelAnswer]:
        """Ask every model about every image.

        Args:
            pixels: uint8 [N, H, W, 1] where all members want one size, else one such batch for
                each of ``panel.input_sizes``, all with the same N.
            maps: Also ask for the Grad-CAM maps.

        Returns:
            One answer an image, in order.

        Raises:
            ValueError: A batch does not have the shape that the panel asks for.
        """
        batches = self._batches(pixels)
        count = len(next(iter(batches.values())))
        columns = [
            self._ask(model, batches[model.card.input_size], maps) for model in self.panel.models
        ]
        return [_answer([column[index] for column in columns]) for index in range(count)]

    def _batches(self, pixels: Pixels | Mapping[Size, Pixels]) -> Mapping[Size, Pixels]:
        sizes = self.panel.input_sizes
        if isinstance(pixels, np.ndarray):
            if len(sizes) != 1:
                raise ValueError(f"one batch for each of {sizes} is needed")
            pixels = {sizes[0]: pixels}
        counts = {len(batch) for batch in pixels.values()}
        shapes = {size: batch.shape[1:] for size, batch in pixels.items()}
        if len(counts) != 1 or any(shapes.get(size) != (*size, 1) for size in sizes):
            raise ValueError(f"uint8 [N, H, W, 1] for each of {sizes} is needed, got {shapes}")
        return pixels

    def _ask(self, model: PanelModel, batch: Pixels, maps: bool) -> list[Prediction | _NoAnswer]:
        limit = self._batch_limit.get(model.name, len(batch)) or 1
        answers: list[Prediction | _NoAnswer] = []
        position = 0
        while position < len(batch):
            part = batch[position : position + limit]
            try:
                answers += self._run(model, part, maps)
            except Exception as error:  # ONNX Runtime has no common base class for its errors
                if len(part) > 1:
                    # Smaller steps: they need less memory, and one image cannot cost the others.
                    limit = len(part) // 2 if is_out_of_memory(str(error)) else 1
                    if is_out_of_memory(str(error)):
                        self._batch_limit[model.name] = limit
                    continue
                answers.append(_failure(model, error))
            position += len(part)
        return answers

    def _run(self, model: PanelModel, batch: Pixels, maps: bool) -> list[Prediction | _NoAnswer]:
        wanted = [OUTPUT_PROBABILITIES]
        if model.has_ood_score:
            wanted.append(OUTPUT_OOD_SCORE)
        if maps and model.has_maps:
            wanted.append(OUTPUT_CAMS)
        values = self._sessions[model.name].run(wanted, {INPUT_PIXELS: batch})
        tensors = dict(zip(wanted, values, strict=True))
        probabilities = tensors[OUTPUT_PROBABILITIES]
        if probabilities.shape != (len(batch), len(model.card.class_names)):
            raise ValueError(f"probabilities of shape {probabilities.shape}")
        return [_prediction(model, tensors, index) for index in range(len(batch))]

    def _load(self, device: Device) -> str:
        """Make all sessions on the first device that works; returns why earlier ones did not."""
        reasons: list[str] = []
        for candidate in devices_to_try(device):
            reason = why_not(candidate)
            if not reason:
                reason = self._try(candidate)
                if not reason:
                    break
            reasons.append(reason)
        return reasons[0] if reasons else ""

    def _try(self, device: str) -> str:
        """Load and warm up on one device; returns why it did not work, empty if it did."""
        if device in ("cuda", "tensorrt"):
            preload_gpu_libraries()
        providers = list(dict.fromkeys([PROVIDER_OF[device], PROVIDER_OF["cpu"]]))
        self._sessions = {}
        for model in self.panel.models:
            content = read_verified(model)
            try:
                session = self._make(content, self._options(), providers)
                if _device_of(session) != device:
                    return why_session_fell_back(device)
                self._sessions[model.name] = session
                self._warm_up(model)
            except ModelRefused:
                if device == "cpu":
                    raise
                return why_session_fell_back(device)
            except Exception as error:  # see _ask
                if device != "cpu":
                    return why_session_fell_back(device, str(error))
                raise _refusal(model, error) from error
        return ""

    def _options(self) -> onnxruntime.SessionOptions:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, self._threads // self.streams)
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # Four sessions and the decoder share the cores: a spinning thread would steal them.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return options

    def _warm_up(self, model: PanelModel) -> None:
        """Run a grey image: memory is allocated, kernels are chosen, outputs are checked."""
        grey = np.full((1, *model.card.input_size, 1), 128, np.uint8)
        (answer,) = self._run(model, grey, maps=True)
        if isinstance(answer, _NoAnswer):
            raise ModelRefused(
                "MODEL-10",
                f"{model.card.title} gives no sound probabilities for a plain grey image and is "
                "not run. Export it again.",
            )


def _prediction(
    model: PanelModel, tensors: Mapping[str, npt.NDArray[np.float32]], index: int
) -> Prediction | _NoAnswer:
    row = tensors[OUTPUT_PROBABILITIES][index].astype(np.float64)
    if not np.isfinite(row).all() or row.min() < -1e-6 or abs(row.sum() - 1) > 1e-3:
        return _NoAnswer(
            "MODEL-10",
            f"{model.card.title} gave no valid probabilities for this image and has no vote in it.",
        )
    score = tensors.get(OUTPUT_OOD_SCORE)
    cams = tensors.get(OUTPUT_CAMS)
    sound = cams is not None and bool(np.isfinite(cams[index]).all())
    return Prediction(
        model=model.name,
        probabilities=tuple(float(value) for value in row.clip(0, 1)),
        ood_score=_steady(score[index]) if score is not None else None,
        # A copy, so that one kept map does not keep the whole batch.
        cams=np.maximum(cams[index], 0) if cams is not None and sound else None,
    )


def _steady(score: np.float32) -> float | None:
    """An image's score, the same alone and in any batch; None where it is not a number.

    Sums in vector kernels depend on where in a batch an image lies, by about 1e-7; four decimals
    are far more than the score means and hide that.
    """
    return round(float(score), 4) if np.isfinite(score) else None


def _answer(items: Sequence[Prediction | _NoAnswer]) -> PanelAnswer:
    missing = [item for item in items if isinstance(item, _NoAnswer)]
    return PanelAnswer(
        predictions=tuple(item for item in items if isinstance(item, Prediction)),
        code=missing[0].code if missing else "",
        reason=" ".join(item.sentence for item in missing),
    )


def _failure(model: PanelModel, error: Exception) -> _NoAnswer:
    if is_out_of_memory(str(error)):
        return _NoAnswer(
            "MODEL-12",
            f"Memory ran out while {model.card.title} looked at this image; it has no vote in it. "
            "Close other programs and label the image again.",
        )
    return _NoAnswer(
        "MODEL-11",
        f"{model.card.title} stopped with an error on this image and has no vote in it.",
    )


def _refusal(model: PanelModel, error: Exception) -> ModelRefused:
    if is_out_of_memory(str(error)):
        return ModelRefused(
            "MODEL-12",
            f"There is too little memory to load {model.card.title}. Close other programs.",
        )
    return ModelRefused(
        "MODEL-05",
        f"ONNX Runtime cannot run {model.path.name}: the graph is damaged or needs a newer "
        "version of the app. Export the model again or update the app.",
    )


def _device_of(session: Any) -> str:
    return DEVICE_OF.get(session.get_providers()[0], "cpu")


def _slowest(devices: Any) -> str:
    found = set(devices)
    return "cpu" if "cpu" in found or not found else sorted(found)[0]
