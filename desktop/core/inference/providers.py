"""What accelerators need beyond a session: options, memory of their own, a batch that pays.

No GPU has run this yet. Each branch is exercised with real sessions of the processor behind
wrappers that fail the way ONNX Runtime fails.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from desktop.core.inference.devices import PROVIDER_OF, is_out_of_memory
from desktop.core.panels.contract import INPUT_PIXELS
from desktop.core.system.app_dirs import data_home, make_private_folder

Provider = str | tuple[str, dict[str, str]]
Pixels = npt.NDArray[np.uint8]

MEMORY_OF: dict[str, str] = {"cuda": "cuda", "tensorrt": "cuda"}
"""Device -> ONNX Runtime's word for its memory, where inputs are bound there; others copy."""

ONE_AT_A_TIME = frozenset({"directml"})
"""Devices whose sessions may not be run from two threads at once, as ONNX Runtime says of DirectML;
streams then take turns.
"""

FIRST_BATCH, LARGEST_BATCH = 8, 256
_WORTH = 1.10
"""A batch twice the size must give this many times the images a second to be taken."""
_PROBE_SECONDS = 3.0


def providers_for(device: str, precision: str, size: tuple[int, int]) -> list[Provider]:
    """What to hand to a session: the device's provider with its options, then the processor.

    Args:
        device: A device other than ``auto``.
        precision: ``fp32`` or ``fp16``.
        size: Input size (height, width) of the model: TensorRT builds its engine for it.
    """
    if device == "cpu":
        return [PROVIDER_OF["cpu"]]
    options: dict[str, str] = {}
    if device == "cuda":
        options = {
            # Several models share the memory: each takes what it needs, not the next power of two.
            "arena_extend_strategy": "kSameAsRequested",
            # Batches of several sizes come by: an exhaustive search would run again for each.
            "cudnn_conv_algo_search": "HEURISTIC",
            "cudnn_conv_use_max_workspace": "1",
        }
    elif device == "tensorrt":
        height, width = size
        shape = f"{INPUT_PIXELS}:{{}}x{height}x{width}x1"
        options = {
            "trt_fp16_enable": "1" if precision == "fp16" else "0",
            "trt_profile_min_shapes": shape.format(1),
            "trt_profile_opt_shapes": shape.format(4 * FIRST_BATCH),
            "trt_profile_max_shapes": shape.format(LARGEST_BATCH),
        }
        folder = _engine_folder()
        if folder:
            # Building an engine takes minutes; nobody else may put one there.
            options |= {"trt_engine_cache_enable": "1", "trt_engine_cache_path": folder}
    provider: Provider = (PROVIDER_OF[device], options) if options else PROVIDER_OF[device]
    return [provider, PROVIDER_OF["cpu"]]


def _engine_folder() -> str:
    """A folder only this user can read and write; empty where it cannot be had."""
    folder = data_home() / "tensorrt"
    with contextlib.suppress(OSError):
        make_private_folder(folder)
        folder.chmod(0o700)
        return str(folder)
    return ""


class Films:
    """A batch uint8 [N, H, W, 1], copied to an accelerator once for all models that read it."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels = pixels
        self._there: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self.pixels)

    def part(self, start: int, stop: int) -> Films:
        """Some of them; all of them are the same object, so that they are copied once."""
        if start == 0 and stop >= len(self.pixels):
            return self
        return Films(self.pixels[start:stop])

    def in_memory_of(self, memory: str) -> Any:
        """The same pixels in an accelerator's memory."""
        if memory not in self._there:
            contiguous = np.ascontiguousarray(self.pixels)
            self._there[memory] = onnxruntime.OrtValue.ortvalue_from_numpy(contiguous, memory, 0)
        return self._there[memory]


def ask_session(
    session: Any, wanted: Sequence[str], films: Films, memory: str | None
) -> list[npt.NDArray[np.float32]]:
    """Run a session on films, through bound memory where there is some.

    Args:
        session: An ONNX Runtime session, or what behaves like one.
        wanted: Names of the outputs.
        films: What to look at.
        memory: ONNX Runtime's word for the accelerator's memory, None = hand over plain arrays.
    """
    if memory is None:
        return list(session.run(list(wanted), {INPUT_PIXELS: films.pixels}))
    binding = session.io_binding()
    binding.bind_ortvalue_input(INPUT_PIXELS, films.in_memory_of(memory))
    for name in wanted:
        binding.bind_output(name, memory)
    session.run_with_iobinding(binding)
    return list(binding.copy_outputs_to_cpu())


def probe_batch(
    answer: Callable[[int], object],
    *,
    seconds: float = _PROBE_SECONDS,
    clock: Callable[[], float] = time.perf_counter,
) -> int:
    """The batch that pays on this accelerator, found in a few seconds.

    Doubles as long as that is clearly faster, and steps back where memory runs out.

    Args:
        answer: Labels so many films; called twice for each size, because the first time chooses
            kernels and takes memory.
        seconds: No larger batch is begun after that.
        clock: For tests.

    Returns:
        A power of two, at most ``LARGEST_BATCH``; 1 where not even two films have room.

    Raises:
        Exception: What ``answer`` raised, where it was not for want of memory.
    """
    end = clock() + seconds
    best, pace, size = 1, 0.0, FIRST_BATCH
    while size <= LARGEST_BATCH:
        try:
            answer(size)
            start = clock()
            answer(size)
        except Exception as error:  # ONNX Runtime has no common base class for its errors
            if not is_out_of_memory(str(error)):
                raise
            if best > 1 or size == 1:
                return best
            size //= 2  # not even the first had room: smaller ones
            end = clock() - 1
            continue
        found = size / max(1e-9, clock() - start)
        if found < pace * _WORTH:
            return best
        best, pace = size, found
        if clock() >= end:
            return best
        size *= 2
    return best
