"""Which processor runs the models, and an honest report of it.

``onnxruntime.get_available_providers()`` lists what a build was compiled with, not what works here,
so a report only says what the sessions themselves say after they were made. A fallback always has
a reason in words.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime

from desktop.core.inference.names import Device

# On Windows the variable set in desktop/core/__init__.py does not count, only this call.
onnxruntime.disable_telemetry_events()


PROVIDER_OF: dict[str, str] = {
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINO",
    "cpu": "CPUExecutionProvider",
}
DEVICE_OF = {provider: device for device, provider in PROVIDER_OF.items()}
TITLES = {
    "cuda": "CUDA",
    "tensorrt": "TensorRT",
    "directml": "DirectML",
    "coreml": "Core ML",
    "openvino": "OpenVINO",
    "cpu": "CPU",
}


@dataclass(frozen=True)
class DeviceReport:
    """What was asked for, what runs, and why it differs.

    Attributes:
        asked: The device asked for, ``auto`` included.
        running: The device of the sessions; ``cpu`` if any of them is on the CPU.
        sessions: (model name, device) as each session itself reports.
        reason: Why another device than the one asked for (or, with auto, than a GPU) runs; a
            sentence, empty where nothing was given up.
        threads: Processor threads that inference may use.
        precision: What the convolutions compute in: ``fp32``, ``fp16`` or ``int8``.
        precision_reason: Why it is this precision; a sentence, empty for plain fp32.
        int8: Names of the models that run in int8; the others of the panel run in fp32.
        batch: Images a step that a probe of an accelerator found best; None where none was made.
    """

    asked: Device
    running: str
    sessions: tuple[tuple[str, str], ...]
    reason: str
    threads: int
    precision: str = "fp32"
    precision_reason: str = ""
    batch: int | None = None
    int8: tuple[str, ...] = ()

    @property
    def ran(self) -> str:
        """What a row of a table says: ``cpu``, ``cpu int8``, ``cuda``, ``cuda fp16``."""
        return self.running if self.precision == "fp32" else f"{self.running} {self.precision}"

    @property
    def fell_back(self) -> bool:
        """A device was named and another one runs."""
        return self.asked not in ("auto", self.running)

    @property
    def sentence(self) -> str:
        """For a status bar: ``CPU, 2 threads.`` or with the reason in front."""
        threads = f", {self.threads} thread{'s' if self.threads != 1 else ''}"
        where = TITLES[self.running] + (threads if self.running in ("cpu", "openvino") else "")
        if self.precision != "fp32":
            where += f", {self.precision}"
        if self.int8:
            where += f" in {len(self.int8)} of {len(self.sessions)} models"
        return f"{self.reason} Running on {where}." if self.reason else f"{where}."


def devices_to_try(asked: Device) -> tuple[str, ...]:
    """Devices in order of preference, the CPU last.

    TensorRT builds an engine for minutes, so only who names it gets it.
    """
    if asked == "cpu":
        return ("cpu",)
    if asked == "tensorrt":
        return ("tensorrt", "cuda", "cpu")
    if asked != "auto":
        return (asked, "cpu")
    return {"win32": ("cuda", "directml", "cpu"), "darwin": ("coreml", "cpu")}.get(
        sys.platform, ("cuda", "cpu")
    )


def usable_cores() -> int:
    """Processor cores this process may use: affinity and container quota respected."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        cores = os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            cores = min(cores, max(1, round(int(quota) / int(period))))
    return max(1, cores)


def why_not(
    device: str,
    *,
    built_in: Sequence[str] | None = None,
    load: Callable[[str], object] = ctypes.CDLL,
) -> str:
    """Why ``device`` cannot work here, as far as can be told without trying; empty if it may work.

    Args:
        device: A device other than ``auto``.
        built_in: Providers of this ONNX Runtime build; None asks it.
        load: Opens a shared library or raises OSError.
    """
    if device == "cpu":
        return ""
    if device == "openvino":
        found = importlib.util.find_spec("openvino") is not None
        return "" if found else "OpenVINO not used: the package openvino is not installed."
    providers = onnxruntime.get_available_providers() if built_in is None else built_in
    if PROVIDER_OF[device] not in providers:
        return f"{TITLES[device]} not used: this build of ONNX Runtime has no {TITLES[device]}."
    if device not in ("cuda", "tensorrt"):
        return ""
    windows = sys.platform == "win32"
    needed = [("nvcuda.dll" if windows else "libcuda.so.1", "no NVIDIA driver found")]
    if device == "tensorrt":
        needed.append(
            ("nvinfer_10.dll" if windows else "libnvinfer.so.10", "TensorRT 10 not found")
        )
    for library, problem in needed:
        try:
            load(library)
        except OSError:
            return f"{TITLES[device]} not used: {problem}."
    return ""


def why_session_fell_back(
    device: str,
    error: str = "",
    *,
    during_run: bool = False,
    load: Callable[[str], object] = ctypes.CDLL,
) -> str:
    """Why a session that asked for ``device`` did not get it, after the fact.

    Args:
        device: A device other than ``auto`` and ``cpu``.
        error: What ONNX Runtime said, if it raised.
        during_run: It had worked until now.
        load: Opens a shared library or raises OSError.
    """
    head = f"{TITLES[device]} {'given up' if during_run else 'not used'}: "
    if is_out_of_memory(error):
        return head + "the GPU has too little free memory for the models."
    if device in ("cuda", "tensorrt") and not during_run:
        windows = sys.platform == "win32"
        try:
            load("cudnn64_9.dll" if windows else "libcudnn.so.9")
        except OSError:
            return head + "cuDNN 9 not found."
    first_line = error.strip().splitlines()[0][:160] if error.strip() else ""
    return head + (f"{first_line.rstrip('.')}." if first_line else "the driver did not accept it.")


def is_out_of_memory(message: str) -> bool:
    """True where an ONNX Runtime or CUDA message means that memory ran out."""
    words = message.lower()
    marks = (
        "out of memory",
        "failed to allocate",
        "bad_alloc",
        "bad allocation",
        "cuda failure 2:",
        "cuda error 2:",
        "outofmemory",
        "cudnn_status_alloc_failed",
        "cublas_status_alloc_failed",
    )
    return any(mark in words for mark in marks)


def quiet_runtime() -> None:
    """Keep ONNX Runtime's C++ log off stderr; what matters is said in the report."""
    onnxruntime.set_default_logger_severity(4)


def preload_gpu_libraries() -> None:
    """Load CUDA and cuDNN from their pip packages, if they are installed that way."""
    preload: Any = getattr(onnxruntime, "preload_dlls", None)
    if preload is not None:
        # It prints what it does not find; the report says it better.
        with contextlib.redirect_stdout(io.StringIO()):
            preload()
