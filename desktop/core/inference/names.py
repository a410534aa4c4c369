"""Names of devices and precisions, as options and settings spell them; needs no ONNX Runtime."""

from __future__ import annotations

from typing import Literal, TypeVar, get_args

from desktop.core.errors import UsageError

Device = Literal["auto", "cuda", "tensorrt", "directml", "coreml", "openvino", "cpu"]
DEVICES: tuple[Device, ...] = get_args(Device)

Precision = Literal["auto", "fp32", "fp16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

_Name = TypeVar("_Name", bound=str)


def checked_device(word: str) -> Device:
    """Turn a setting or option into a device.

    Raises:
        UsageError: USAGE-02 if there is no such device.
    """
    return _checked("device", word, DEVICES)


def checked_precision(word: str) -> Precision:
    """Turn a setting or option into a precision.

    Raises:
        UsageError: USAGE-02 if there is no such precision.
    """
    return _checked("precision", word, PRECISIONS)


def _checked(what: str, word: str, known: tuple[_Name, ...]) -> _Name:
    for name in known:
        if word.lower() == name:
            return name
    raise UsageError("USAGE-02", f"There is no {what} {word}. Choose one of {', '.join(known)}.")
