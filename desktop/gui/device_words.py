"""The processor that runs the models, in words; without ONNX Runtime, never loaded here."""

from __future__ import annotations

import os

from PySide6.QtCore import QCoreApplication

_TITLES = {
    "cpu": "CPU",
    "cuda": "CUDA",
    "tensorrt": "TensorRT",
    "directml": "DirectML",
    "coreml": "Core ML",
    "openvino": "OpenVINO",
}


def device_words(device: str) -> str:
    """``CPU, 2 threads`` or the GPU's name; ``device`` as the engine reports it."""
    title = _TITLES.get(device, device)
    if device != "cpu":
        return title
    threads = _threads()
    if threads == 1:
        return QCoreApplication.translate("DeviceWords", "CPU, 1 thread")
    return QCoreApplication.translate("DeviceWords", "CPU, {count} threads").format(count=threads)


def _threads() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
