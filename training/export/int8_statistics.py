"""What an fp32 model's activations say about its int8 form: ranges, and corrections of biases."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper

from desktop.core.inference.devices import usable_cores
from desktop.core.inference.session import make_session, session_options
from desktop.core.int8.calibration import packed, unpacked
from desktop.core.int8.graph import (
    Convolution,
    Corrections,
    Ranges,
    activation_names,
    convolutions,
    quantise,
)
from desktop.core.int8.processor import WeightBits
from desktop.core.panels.contract import INPUT_PIXELS

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

BATCH = 8
SHALLOW = 8
"""Up to so many convolutions are corrected one after the other, in the int8 form itself."""
_BINS = 2048
_SHARES = np.linspace(0.3, 1.0, 36)
_MOST_VALUES = 200_000


def ask(
    content: bytes, names: Sequence[str], pixels: Pixels, *, optimised: bool = True
) -> Iterator[list[npt.NDArray[np.float32]]]:
    """Outputs of a model, batch by batch."""
    import onnxruntime

    options = session_options(usable_cores(), 1)
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = make_session(content, options, ["CPUExecutionProvider"])
    for start in range(0, len(pixels), BATCH):
        yield session.run(list(names), {INPUT_PIXELS: pixels[start : start + BATCH]})


def measure_ranges(content: bytes, pixels: Pixels, *kept: Collection[str]) -> Ranges:
    """The range of each activation that rounds films with the smallest mean square error.

    Lowest and highest value would leave 255 steps to a few bright letters; here what lies outside
    the range is clipped, and steps are as fine as that is worth (over a histogram; each end is a
    share of the extreme).

    Args:
        content: An fp32 model file.
        pixels: uint8 [N, H, W, 1].
        kept: For each form that may be made, the convolutions that stay fp32 in it.

    Returns:
        Name -> range, to six significant digits, which is far finer than 255 steps.
    """
    every = (activation_names(content, one) for one in ((), *kept))
    names = list(dict.fromkeys(name for one in every for name in one))
    low, high = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for found in _activations(content, names, pixels):
        for name, values in found.items():
            low[name] = min(low[name], float(values.min()))
            high[name] = max(high[name], float(values.max()))
    counts = {name: np.zeros(_BINS, np.int64) for name in names}
    for found in _activations(content, names, pixels):
        for name, values in found.items():
            # An odd stride meets every row and column.
            some = values.ravel()[:: 2 * (values.size // _MOST_VALUES // 2) + 1]
            width = (high[name] - low[name]) / _BINS or 1.0
            bins = ((some - low[name]) / width).astype(np.int64)
            counts[name] += np.bincount(np.clip(bins, 0, _BINS - 1), minlength=_BINS)
    return {name: _best_range(low[name], high[name], counts[name]) for name in names}


def _best_range(low: float, high: float, counts: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Which part of [low, high], which has 0 in it, to spread 255 steps over."""
    middles = low + (high - low) / _BINS * (np.arange(_BINS) + 0.5)
    best, error = (low, high), np.inf
    for above in _SHARES:
        for below in _SHARES if low < 0 else (1.0,):
            start, end = low * below, high * above
            clipped = float(counts @ (middles - np.clip(middles, start, end)) ** 2)
            rounded = float(counts.sum()) * ((end - start) / 255) ** 2 / 12
            if clipped + rounded < error:
                best, error = (start, end), clipped + rounded
    return float(f"{best[0]:.6g}"), float(f"{best[1]:.6g}")


def measure_corrections(
    content: bytes,
    ranges: Ranges,
    bits: WeightBits,
    pixels: Pixels,
    kept: Collection[str] = (),
) -> Corrections:
    """What to add to each channel's bias so that rounding changes its mean over films by nothing.

    A deep network's convolutions are corrected each for its own rounding, on the activations of
    fp32: corrections of what earlier ones do to later ones would chase each other. In a shallow one
    each is corrected in turn in the int8 form, in which all before it are right already.
    """
    wanted = convolutions(content)
    if len(wanted) > SHALLOW:
        both = quantise(content, ranges, bits, beside=True)
        means = _channel_means(both, [n for one in wanted for n in (one.summed, _sum(one))], pixels)
        return _stored({one.name: means[one.summed] - means[_sum(one)] for one in wanted})
    exact = _channel_means(content, [item.summed for item in wanted], pixels)
    corrections: Corrections = {}
    for item in wanted:
        if item.name not in kept:
            form = quantise(content, ranges, bits, kept, corrections=corrections)
            found = _channel_means(form, [_sum(item)], pixels, optimised=False)[_sum(item)]
            added = _stored({item.name: exact[item.summed] - found})
            corrections = {**corrections, **added}
    return corrections


def multiplications(content: bytes, film: Pixels) -> dict[str, float]:
    """Multiplications of each convolution that can be quantised, for one film [1, H, W, 1]."""
    wanted = convolutions(content)
    if not wanted:
        return {}
    names = [item.summed for item in wanted]
    sizes = {
        name: v.size for found in _activations(content, names, film) for name, v in found.items()
    }
    return {one.name: float(one.weights[0].size * sizes[one.summed]) for one in wanted}


def _sum(item: Convolution) -> str:
    """The tensor in an int8 form that is the convolution before it is rounded."""
    return f"{item.name}_float"


def _stored(corrections: dict[str, Floats]) -> Corrections:
    """As they are read back: a byte a channel."""
    return unpacked(packed({name: values.tolist() for name, values in corrections.items()}))


def _channel_means(
    content: bytes, names: Sequence[str], pixels: Pixels, *, optimised: bool = True
) -> dict[str, Floats]:
    """Mean of each channel of tensors [N, C, H, W] over films."""
    model = onnx.load_from_string(content)
    means = {f"{name}_mean": name for name in names}
    for mean, name in means.items():
        node = helper.make_node("ReduceMean", [name], [mean], axes=[2, 3], keepdims=0)
        model.graph.node.append(node)
    total: dict[str, Any] = dict.fromkeys(names, 0.0)
    shown = model.SerializeToString()
    for found in _activations(shown, list(means), pixels, optimised=optimised):
        for mean, values in found.items():
            total[means[mean]] = total[means[mean]] + values.astype(np.float64).sum(axis=0)
    return {name: np.asarray(value) / len(pixels) for name, value in total.items()}


def _activations(
    content: bytes, names: Sequence[str], pixels: Pixels, *, optimised: bool = True
) -> Iterator[dict[str, npt.NDArray[np.float32]]]:
    """Inner tensors of a model, batch by batch."""
    model = onnx.load_from_string(content)
    for name in names:
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    for values in ask(model.SerializeToString(), names, pixels, optimised=optimised):
        yield dict(zip(names, values, strict=True))
