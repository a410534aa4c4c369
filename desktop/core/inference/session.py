"""Run a panel: ONNX Runtime sessions that never take the batch down with them.

Bytes are hashed, checked and then run from memory, so what was verified is what runs. A model that
fails on an image gives no vote for it, with a code; the other models and images are unaffected.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from desktop.core.cases import Prediction
from desktop.core.errors import ModelRefused
from desktop.core.inference.devices import (
    DEVICE_OF,
    DeviceReport,
    devices_to_try,
    is_out_of_memory,
    preload_gpu_libraries,
    quiet_runtime,
    usable_cores,
    why_not,
    why_session_fell_back,
)
from desktop.core.inference.lungs import FAILED_CODE, FAILED_SENTENCE, FoundLungs, LungsSession
from desktop.core.inference.names import Device, Precision
from desktop.core.inference.precision import ALL_FP32, PrecisionPlan
from desktop.core.inference.predictions import (
    ModelFailure,
    PanelPrediction,
    answer,
    failure,
    prediction,
    refusal,
)
from desktop.core.inference.providers import (
    MEMORY_OF,
    ONE_AT_A_TIME,
    Films,
    Provider,
    ask_session,
    probe_batch,
    providers_for,
)
from desktop.core.int8.calibration import int8_form
from desktop.core.panels.contract import (
    OUTPUT_CAMS,
    OUTPUT_NONE_OF_THESE,
    OUTPUT_OOD_SCORE,
    OUTPUT_PROBABILITIES,
)
from desktop.core.panels.registry import Panel, PanelModel, read_verified

Size = tuple[int, int]
Pixels = npt.NDArray[np.uint8]
_SAME = 0.02
"""Largest difference of a probability that another precision may make."""
SessionMaker = Callable[[bytes, onnxruntime.SessionOptions, Sequence[Provider]], Any]


@dataclass(frozen=True)
class _Loaded:
    """Sessions on one device, replaced as a whole.

    Attributes:
        device: Where they run.
        precision: What the convolutions compute in.
        why_precision: Why that; a sentence, empty for plain fp32.
        turn: Held while a session runs.
    """

    device: str
    sessions: Mapping[str, Any]
    precision: str = "fp32"
    why_precision: str = ""
    turn: contextlib.AbstractContextManager[Any] = field(default_factory=contextlib.nullcontext)


def make_session(
    content: bytes, options: onnxruntime.SessionOptions, providers: Sequence[Provider]
) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session that raises instead of falling back by itself and printing so."""
    session = onnxruntime.InferenceSession(
        content, options, providers=list(providers), enable_fallback=0
    )
    if hasattr(session, "_model_bytes"):
        # Kept to make the session again on other providers, which nobody asks for: 120 MB.
        session._model_bytes = b""
    return session


def session_options(threads: int, streams: int) -> onnxruntime.SessionOptions:
    """How every session of a panel runs, that ``streams`` callers use at once."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(1, threads // streams)
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Never guessed: a file can be read as another format than the one that was checked.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # Four sessions and the decoder share the cores: a spinning thread would steal them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


class PanelSession:
    """The loaded models of one panel.

    ``predict`` may be called from ``streams`` threads at once.

    Args:
        device: Device asked for; what really runs is in ``report``.
        threads: Processor threads for inference, None = all usable cores.
        streams: Callers of ``predict`` that run at once. With as many streams as threads each
            model runs on its caller's thread, which is the fastest way through a folder; with one
            stream all threads work on the same image, which is the fastest answer for one image.
        precision: ``auto`` = 16 bits on an accelerator where the answers to drawn films stay the
            same, else 32; or one of the others. Says nothing about the CPU.
        on_cpu: Which models run in int8 where the CPU runs them; see ``plan_precision``.
        lungs: Also look for the lungs, where the panel has a network for them: takes two thirds
            of the time of the four models again.
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
        precision: Precision = "auto",
        on_cpu: PrecisionPlan = ALL_FP32,
        lungs: bool = False,
        session_maker: SessionMaker = make_session,
    ) -> None:
        self.panel = panel
        self.streams = max(1, streams)
        self._asked = device
        self._precision = precision
        self._on_cpu = on_cpu
        self._make = session_maker
        self._threads = max(1, threads or usable_cores())
        self._batch_limit: dict[str, int] = {}
        self._changing = threading.Lock()
        quiet_runtime()
        self._loaded, reason = self._load(device)
        self._lungs = (
            LungsSession(panel.lungs, self._on_processor) if lungs and panel.lungs else None
        )
        self.report = self._report(reason)
        if self._loaded.device in MEMORY_OF:
            self._probe()

    def predict(
        self, pixels: Pixels | Mapping[Size, Pixels], *, maps: bool = True
    ) -> list[PanelPrediction]:
        """Ask every model about every image.

        Args:
            pixels: uint8 [N, H, W, 1] where all members want one size, else one such batch for
                each of ``panel.input_sizes``, all with the same N. Lungs are looked for where there
                is a batch of their network's size, as in ``panel.decode_sizes``.
            maps: Also ask for the Grad-CAM maps.

        Returns:
            One answer an image, in order.

        Raises:
            ValueError: A batch does not have the shape that the panel asks for.
        """
        sized = self._batches(pixels)
        batches = {size: Films(batch) for size, batch in sized.items()}
        count = len(next(iter(batches.values())))
        columns: list[Sequence[Prediction | ModelFailure | FoundLungs]] = [
            self._ask(model, batches[model.card.input_size], maps) for model in self.panel.models
        ]
        if self._lungs is not None and self._lungs.card.input_size in sized:
            columns.append(self.find_lungs(sized[self._lungs.card.input_size]))
        return [answer([column[index] for column in columns]) for index in range(count)]

    def find_lungs(self, pixels: Pixels) -> list[FoundLungs | ModelFailure]:
        """Where the lungs are on each film; of a panel that has a network for them.

        Args:
            pixels: uint8 [N, h, w, 1] of that network's size.
        """
        assert self._lungs is not None
        nothing = ModelFailure(FAILED_CODE, FAILED_SENTENCE)
        try:
            found = self._lungs.find(pixels)
        except Exception:  # see _ask
            if len(pixels) == 1:
                return [nothing]
            # One film must not cost the others.
            return [self.find_lungs(pixels[i : i + 1])[0] for i in range(len(pixels))]
        return [nothing if one is None else one for one in found]

    def _on_processor(self, content: bytes) -> Any:
        return self._make(
            content,
            session_options(self._threads, self.streams),
            providers_for("cpu", "fp32", (0, 0)),
        )

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

    def _ask(self, model: PanelModel, films: Films, maps: bool) -> list[Prediction | ModelFailure]:
        limit = self._batch_limit.get(model.name, len(films)) or 1
        answers: list[Prediction | ModelFailure] = []
        position = 0
        while position < len(films):
            part = films.part(position, position + limit)
            loaded = self._loaded
            try:
                answers += _run(loaded, model, part, maps)
            except Exception as error:  # ONNX Runtime has no common base class for its errors
                if len(part) > 1:
                    # Smaller steps: they need less memory, and one image cannot cost the others.
                    limit = len(part) // 2 if is_out_of_memory(str(error)) else 1
                    if is_out_of_memory(str(error)):
                        self._batch_limit[model.name] = limit
                    continue
                if self._give_up_device(loaded, model, error):
                    continue
                answers.append(failure(model, error))
            position += len(part)
        return answers

    def _give_up_device(self, failed: _Loaded, model: PanelModel, error: Exception) -> bool:
        """Go on with the processor where an accelerator no longer answers; False = it still does.

        Some errors of a GPU stay: every later call fails as well. An image that only this model
        cannot stand must not cost the GPU, so a grey one is asked first.
        """
        with self._changing:
            if self._loaded is not failed:
                return True  # another stream has just done it
            if failed.device == "cpu":
                return False
            try:
                self._warm_up(failed, model)
                return False
            except Exception:  # it fails on everything
                pass
            self._loaded = self._made("cpu", "fp32")
            self._batch_limit.clear()
            self.report = self._report(
                why_session_fell_back(failed.device, str(error), during_run=True)
            )
            return True

    def _load(self, device: Device) -> tuple[_Loaded, str]:
        """Sessions on the first device that works, and why earlier ones did not."""
        reasons: list[str] = []
        for candidate in devices_to_try(device):
            reason = why_not(candidate)
            if not reason:
                if candidate in MEMORY_OF:
                    preload_gpu_libraries()
                try:
                    return self._best_precision(candidate), reasons[0] if reasons else ""
                except _DeviceFailed as problem:
                    reason = why_session_fell_back(candidate, str(problem))
            reasons.append(reason)
        raise AssertionError("the processor is always tried")

    def _best_precision(self, device: str) -> _Loaded:
        """16 bits on an accelerator where that is wanted and changes no answer, else 32.

        On the CPU what was planned for it.
        """
        if device == "cpu" and self._on_cpu.int8:
            return replace(self._made("cpu", "int8"), why_precision=self._on_cpu.reason)
        if device == "cpu":
            return replace(self._made("cpu", "fp32"), why_precision=self._on_cpu.reason)
        if device not in MEMORY_OF or self._precision not in ("auto", "fp16"):
            return self._made(device, "fp32")
        exact = self._made("cpu", "fp32")
        try:
            half = self._made(device, "fp16")
        except _DeviceFailed as problem:
            if is_out_of_memory(str(problem)):
                raise
            reason = "With 16 bits the models cannot be loaded."
        else:
            reason = self._difference(half, exact)
            if not reason:
                why = "The drawn films get the same votes with 16 and with 32 bits."
                return replace(half, why_precision=why)
        return replace(self._made(device, "fp32"), why_precision=reason)

    def _difference(self, one: _Loaded, other: _Loaded) -> str:
        """What differs between two ways to run the panel; a sentence, empty where nothing does."""
        for model in self.panel.models:
            films = Films(drawn_films(model.card.input_size))
            try:
                found = _run(one, model, films, maps=False)
            except Exception:  # see _ask
                return f"With 16 bits {model.card.title} stops with an error."
            for mine, theirs in zip(found, _run(other, model, films, maps=False), strict=True):
                if not _same_answer(mine, theirs):
                    return f"With 16 bits {model.card.title} answers differently."
        return ""

    def _made(self, device: str, precision: str) -> _Loaded:
        """Load and warm up every model on one device.

        Raises:
            _DeviceFailed: This device cannot; another one may.
            ModelRefused: The processor cannot either.
        """
        loaded = _Loaded(device, {}, precision)
        if device in ONE_AT_A_TIME:
            loaded = replace(loaded, turn=threading.Lock())
        for model in self.panel.models:
            try:
                content = self._content(model, precision)
                session = self._session(content, device, precision, model)
                if _device_of(session) != device:
                    raise _DeviceFailed
                loaded = replace(loaded, sessions={**loaded.sessions, model.name: session})
                self._warm_up(loaded, model)
            except Exception as error:  # see _ask
                if device != "cpu":
                    said = "" if isinstance(error, ModelRefused) else str(error)
                    raise _DeviceFailed(said) from error
                if isinstance(error, ModelRefused):
                    raise
                raise refusal(model, error) from error
        return loaded

    def _content(self, model: PanelModel, precision: str) -> bytes:
        plan = self._on_cpu
        if precision == "int8" and plan.calibration is not None and model.name in plan.int8:
            return int8_form(model, plan.calibration, plan.bits)
        return read_verified(model)

    def _session(self, content: bytes, device: str, precision: str, model: PanelModel) -> Any:
        # Late: most runs need neither.
        if device == "openvino":
            from desktop.core.inference.openvino import OpenVinoSession

            return OpenVinoSession(content, self._threads, self.streams)
        if device == "cuda" and precision == "fp16":
            from desktop.core.onnx_graph.float16 import halved

            content = halved(content)
        providers = providers_for(device, precision, model.card.input_size)
        return self._make(content, session_options(self._threads, self.streams), providers)

    def _probe(self) -> None:
        """Find the batch that pays on the accelerator; leave it where even that fails."""
        loaded = self._loaded

        def ask(count: int) -> None:
            for model in self.panel.models:
                grey = np.full((count, *model.card.input_size, 1), 128, np.uint8)
                _run(loaded, model, Films(grey), maps=True)

        try:
            self.report = replace(self.report, batch=probe_batch(ask))
        except Exception as error:  # see _ask
            self._loaded = self._made("cpu", "fp32")
            self.report = self._report(why_session_fell_back(loaded.device, str(error)))

    def _report(self, reason: str) -> DeviceReport:
        loaded = self._loaded
        running = {name: _device_of(session) for name, session in loaded.sessions.items()}
        return DeviceReport(
            asked=self._asked,
            running=_slowest(running.values()),
            sessions=tuple(running.items()),
            reason=reason,
            threads=self._threads,
            precision=loaded.precision,
            precision_reason=loaded.why_precision,
            int8=self._on_cpu.names if loaded.precision == "int8" else (),
        )

    def _warm_up(self, loaded: _Loaded, model: PanelModel) -> None:
        """Run a grey image: memory is allocated, kernels are chosen, outputs are checked."""
        grey = np.full((1, *model.card.input_size, 1), 128, np.uint8)
        (answer,) = _run(loaded, model, Films(grey), maps=True)
        if isinstance(answer, ModelFailure):
            raise ModelRefused(
                "MODEL-10",
                f"{model.card.title} gives no sound probabilities for a plain grey image and is "
                "not run. Export it again.",
            )


class _DeviceFailed(Exception):  # noqa: N818 - never leaves this module
    """A device cannot run the panel; the text is ONNX Runtime's."""


def drawn_films(size: Size) -> Pixels:
    """A few drawn films as a model takes them: uint8 [N, H, W, 1]."""
    # Late: only accelerators need it.
    from desktop.core.imaging.decode import model_pixels
    from desktop.core.imaging.phantoms import FILM_KINDS, draw_phantom

    drawn = [draw_phantom(kind, number) for number, kind in enumerate(FILM_KINDS)]
    return np.stack([model_pixels(film, size) for film in drawn])


def _same_answer(one: Prediction | ModelFailure, other: Prediction | ModelFailure) -> bool:
    if isinstance(one, ModelFailure) or isinstance(other, ModelFailure):
        return isinstance(one, ModelFailure) and isinstance(other, ModelFailure)
    pairs = zip(one.probabilities, other.probabilities, strict=True)
    return one.vote == other.vote and all(abs(a - b) <= _SAME for a, b in pairs)


def _run(
    loaded: _Loaded, model: PanelModel, films: Films, maps: bool
) -> list[Prediction | ModelFailure]:
    wanted = [OUTPUT_PROBABILITIES]
    if model.has_ood_score:
        wanted.append(OUTPUT_OOD_SCORE)
    if model.says_none:
        wanted.append(OUTPUT_NONE_OF_THESE)
    if maps and model.has_maps:
        wanted.append(OUTPUT_CAMS)
    session = loaded.sessions[model.name]
    with loaded.turn:
        values = ask_session(session, wanted, films, MEMORY_OF.get(loaded.device))
    tensors = dict(zip(wanted, values, strict=True))
    probabilities = tensors[OUTPUT_PROBABILITIES]
    if probabilities.shape != (len(films), len(model.card.class_names)):
        raise ValueError(f"probabilities of shape {probabilities.shape}")
    return [prediction(model, tensors, index) for index in range(len(films))]


def _device_of(session: Any) -> str:
    return DEVICE_OF.get(session.get_providers()[0], "cpu")


def _slowest(devices: Any) -> str:
    found = set(devices)
    return "cpu" if "cpu" in found or not found else sorted(found)[0]
