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
    """``CPU, 2 threads`` or the GPU's name; ``device`` as the engine reports it.

    Where it is not fp32 the precision follows: ``cpu int8`` is ``CPU, 2 threads, int8``.
    """
    name, _, precision = device.partition(" ")
    words = _processor_words(name)
    return f"{words}, {precision}" if precision else words


def _processor_words(name: str) -> str:
    if name != "cpu":
        return _TITLES.get(name, name)
    threads = _threads()
    if threads == 1:
        return QCoreApplication.translate("DeviceWords", "CPU, 1 thread")
    return QCoreApplication.translate("DeviceWords", "CPU, {count} threads").format(count=threads)


def _threads() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
