"""Numbers, durations, devices and literal text as the window writes them."""

from __future__ import annotations

from PySide6.QtCore import QLocale

DEVICE_TITLES = {
    "cpu": "CPU",
    "cuda": "CUDA",
    "tensorrt": "TensorRT",
    "directml": "DirectML",
    "coreml": "Core ML",
    "openvino": "OpenVINO",
}


def grouped(count: int) -> str:
    """A number with its digits grouped: 4,812."""
    return QLocale().toString(count)


def duration(seconds: float) -> str:
    """``2 min 21 s``, ``3 h 5 min``, ``12 s``."""
    rounded = max(0, round(seconds))
    if rounded < 60:
        return f"{rounded} s"
    if rounded < 3600:
        return f"{rounded // 60} min {rounded % 60} s"
    return f"{rounded // 3600} h {rounded % 3600 // 60} min"


def literal(text: str) -> str:
    """Text of a file or a person for a menu, where & would underline the next letter."""
    return text.replace("&", "&&")
