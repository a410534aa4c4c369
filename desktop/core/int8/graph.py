"""From a verified fp32 model to its int8 form: 8-bit weights and activations in the convolutions.

The int8 form is never stored: it is made in memory, the same bytes every time, from the file whose
hash was checked and what its exporter measured. Only the convolutions between the standardised
image and the last feature map are changed; the front, the classifier, the heatmaps and the
out-of-distribution score stay fp32, and so do residual sums: a sum that is rounded in every block
adds up to most of a deep network's error, while in fp32 rounding only reaches a block's branch.
Quantisation is static, per channel for weights (symmetric, int8) and per tensor for activations
(affine, uint8), written as QuantizeLinear and DequantizeLinear pairs that ONNX Runtime turns into
integer kernels (Jacob et al. 2018, eq. 1-7). What rounding changes in a channel on average is
taken off its bias (Nagel et al. 2019, section 4.2).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from desktop.core.int8.processor import WeightBits
from desktop.core.onnx_graph.graph import (
    Array,
    Graph,
    GraphReading,
    Node,
    number_attribute,
    read_graph,
    tensor,
)
from desktop.core.panels.contract import OUTPUT_OOD_SCORE, OUTPUT_PROBABILITIES

Ranges = Mapping[str, tuple[float, float]]
Corrections = Mapping[str, Sequence[float]]
NO_CORRECTIONS: Corrections = MappingProxyType({})

QUANTISER_VERSION = 2
"""Goes up when the same file and ranges give another int8 form."""

_OLDEST_OPSET = 13  # the first in which a scale may differ from channel to channel
_LARGEST_BIAS = 2.0**30


@dataclass(frozen=True)
class Convolution:
    """A convolution that can compute in 8 bits, with what follows it and can be folded into it.

    Attributes:
        weights: [out, in, kh, kw] as stored, float16 or float32.
        factor: float64 [out] that the weights of each channel are to be multiplied by: batch
            normalisation, folded in.
        bias: float64 [out], the same folded in.
        rectified: A ReLU ends it.
        summed: The tensor before that ReLU; ``name`` where there is none.
        name: The tensor that the rest of the graph sees; kept ones, ranges and corrections call
            the convolution by it.
        swallowed: Outputs of the nodes that are folded in.
    """

    node: Node
    weights: Array
    factor: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]
    rectified: bool
    summed: str
    name: str
    swallowed: frozenset[str]

    @property
    def source(self) -> str:
        """The tensor that it reads."""
        return self.node.inputs[0]


def convolutions(content: bytes) -> tuple[Convolution, ...]:
    """The convolutions of a verified model file that can be quantised, in the graph's order."""
    return tuple(_Trunk(read_graph(content)).steps.values())


def activation_names(content: bytes, kept: Collection[str] = ()) -> tuple[str, ...]:
    """Tensors whose ranges an int8 form needs, in the order of the graph.

    Args:
        content: A model file; verified.
        kept: Convolutions that stay fp32, by their names.

    Returns:
        Empty where nothing in the graph can be quantised.
    """
    return _Trunk(read_graph(content), kept).measured


def quantise(
    content: bytes,
    ranges: Ranges,
    weight_bits: WeightBits = 8,
    kept: Collection[str] = (),
    score: tuple[float, float] = (1.0, 0.0),
    corrections: Corrections = NO_CORRECTIONS,
    *,
    beside: bool = False,
) -> bytes:
    """The int8 form of a model.

    Args:
        content: The fp32 model file; verified.
        ranges: Tensor name -> (lowest, highest) value, for all of ``activation_names``.
        weight_bits: 7 (a *reduced range*) where the processor adds two products of bytes in 16 bits
            and would overflow: x86 without VNNI.
        kept: Convolutions that stay fp32, by their names.
        score: (slope, offset) that brings the out-of-distribution score back to the scale of fp32:
            it is a distance, and rounding makes every image a little odder.
        corrections: Name of a convolution -> what to add to the bias of each channel.
        beside: Leave the graph as it is and write ``<name>_float`` beside each convolution: its sum
            in 8 bits of what it reads in fp32. For measuring what each alone does.

    Raises:
        ValueError: There is nothing to quantise, a range is missing or not a range, or a correction
            is not one number a channel.
    """
    graph = read_graph(content)
    trunk = _Trunk(graph, kept)
    missing = [name for name in trunk.measured if name not in ranges]
    if not trunk.measured or missing:
        raise ValueError(f"no ranges for {missing}" if missing else "no convolution to quantise")
    model = _Writer(graph, trunk, ranges, weight_bits, corrections, beside).model()
    return _rescaled(model, OUTPUT_OOD_SCORE, score).serialised()


class _Trunk:
    """What of a graph is quantised.

    Attributes:
        steps: Name -> the convolution whose result has it.
        measured: Tensors that need a range.
    """

    def __init__(self, graph: Graph, kept: Collection[str] = ()) -> None:
        self._graph = graph
        self._reading = GraphReading(graph)
        wanted = self._before(OUTPUT_PROBABILITIES) if graph.opset >= _OLDEST_OPSET else set()
        nodes = (node for node in graph.nodes if node.op_type == "Conv")
        found = (self._folded(node) for node in nodes if wanted.intersection(node.outputs))
        self.steps = {step.name: step for step in found if step is not None}
        for name in kept:
            self.steps.pop(name, None)
        names: list[str] = []
        for name, step in self.steps.items():
            names += [name] if self.made_by(step.source) else [step.source, name]
        self.measured = tuple(dict.fromkeys(names))

    def made_by(self, name: str) -> Convolution | None:
        """The quantised convolution whose range a tensor has: maximum pools change none."""
        while name not in self.steps:
            node = self._reading.producers.get(name)
            if node is None or node.op_type != "MaxPool" or len(node.outputs) > 1:
                return None
            name = node.inputs[0]
        return self.steps[name]

    def _before(self, output: str) -> set[str]:
        """Tensors that an output is computed from."""
        found: set[str] = set()
        waiting = [output]
        while waiting:
            name = waiting.pop()
            node = self._reading.producers.get(name)
            if node is not None and name not in found:
                found.add(name)
                waiting += node.inputs
        return found

    def _folded(self, node: Node) -> Convolution | None:
        """A Conv with what can be folded into it; None where its weights are no constants."""
        reading = self._reading
        weights = reading.constant(node.inputs[1])
        stored = reading.constant(node.inputs[2]) if len(node.inputs) > 2 else np.zeros(1)
        if weights is None or stored is None or weights.ndim != 4 or weights.dtype.kind != "f":
            return None
        channels = len(weights)
        factor, bias = np.ones(channels), np.broadcast_to(stored.astype(np.float64), channels)
        end, swallowed, rectified = node.outputs[0], set[str](), False
        summed = end
        while not rectified and (after := reading.only_consumer(end)) is not None:
            other = [name for name in after.inputs if name != end]
            values = self._per_channel(other[0], channels) if len(other) == 1 else None
            if after.op_type == "Mul" and values is not None:
                factor, bias = factor * values, bias * values
            elif after.op_type == "Add" and values is not None:
                bias = bias + values
            elif after.op_type == "Relu":
                rectified = True
            else:
                break
            swallowed.add(end)
            end = after.outputs[0]
            summed = summed if rectified else end
        return Convolution(
            node, weights, factor, bias, rectified, summed, end, frozenset(swallowed)
        )

    def _per_channel(self, name: str, channels: int) -> npt.NDArray[np.float64] | None:
        """A constant that is one number a channel [1, C, 1, 1] or one for all, as [C]."""
        values = self._reading.constant(name)
        if values is None or values.dtype.kind != "f":
            return None
        if values.size == 1:
            return np.full(channels, values.ravel()[0], np.float64)
        if values.size == channels and values.shape[-3:] == (channels, 1, 1):
            return values.ravel().astype(np.float64)
        return None


class _Writer:
    """Writes the quantised graph; every tensor that the fp32 part reads keeps its name."""

    def __init__(
        self,
        graph: Graph,
        trunk: _Trunk,
        ranges: Ranges,
        weight_bits: WeightBits,
        corrections: Corrections,
        beside: bool,
    ) -> None:
        self._graph, self._trunk, self._beside = graph, trunk, beside
        self._ranges, self._corrections = ranges, corrections
        self._largest = 2 ** (weight_bits - 1) - 1
        self._tensors = dict(graph.tensors)
        self._nodes: list[Node] = []
        self._rounded: set[str] = set()

    def model(self) -> Graph:
        steps = self._trunk.steps
        swallowed = {name for step in steps.values() for name in step.swallowed}
        for node in self._graph.nodes:
            name = node.outputs[0]
            if name in steps:
                self._nodes += [node] if self._beside else []
                self._write(steps[name])
            elif not self._beside and self._trunk.made_by(name):  # a pool, on bytes
                self._nodes.append(replace(node, outputs=(f"{name}_float",), raw=b""))
                self._round(f"{name}_float", name, name)
            elif self._beside or not swallowed.intersection(node.outputs):
                self._nodes.append(node)
        return replace(self._graph, nodes=tuple(self._used()), tensors=self._tensors)

    def _used(self) -> list[Node]:
        """Nodes without those whose results nothing reads any more (casts of 16-bit weights)."""
        if self._beside:
            return self._nodes
        read = {name for node in self._nodes for name in node.inputs} | set(self._graph.outputs)
        return [node for node in self._nodes if read.intersection(node.outputs)]

    def _write(self, step: Convolution) -> None:
        read = self._as_integers(step.source)
        scale_in, _ = self._affine(step.source)
        rows = step.weights.reshape(len(step.weights), -1).astype(np.float32)
        peaks = np.maximum(rows.max(axis=1), -rows.min(axis=1)).astype(np.float64)
        added = np.asarray(self._corrections.get(step.name, 0.0), np.float64)
        if added.shape not in ((), step.bias.shape) or not np.isfinite(added).all():
            raise ValueError(f"the correction of {step.name} is not one number a channel")
        exact = step.bias + added
        # A channel that is nearly switched off must not ask for a bias beyond 32 bits.
        smallest = np.abs(exact) / (float(scale_in) * _LARGEST_BIAS)
        widest = np.maximum(peaks * np.abs(step.factor) / self._largest, smallest)
        scales = np.maximum(widest, 1e-12).astype(np.float32)
        rows *= (step.factor / scales).astype(np.float32)[:, np.newaxis]
        np.rint(rows, out=rows)
        np.clip(rows, -self._largest, self._largest, out=rows)
        both = scale_in * scales
        name = step.name
        inputs = (
            read,
            self._dequantised(
                f"{name}_weights", rows.astype(np.int8).reshape(step.weights.shape), scales
            ),
            self._dequantised(f"{name}_bias", np.rint(exact / both).astype(np.int32), both),
        )
        self._nodes.append(Node("Conv", inputs, (f"{name}_float",), step.node.attributes))
        if not self._beside:
            self._round(f"{name}_float", name, name)

    def _as_integers(self, name: str) -> str:
        """Name of ``name`` after a round trip through 8 bits, which an integer kernel reads."""
        if self._trunk.made_by(name) and not self._beside:
            return name  # it is one already
        if name not in self._rounded:
            self._rounded.add(name)
            self._round(name, f"{name}_rounded", name)
        return f"{name}_rounded"

    def _round(self, source: str, target: str, base: str) -> None:
        """QuantizeLinear and DequantizeLinear; a zero point of 0 is the ReLU as well."""
        scale, zero = self._affine(base)
        parameters = (self._keep(f"{base}_scale", scale), self._keep(f"{base}_zero", zero))
        whole = f"{target}_8bit"
        self._nodes.append(Node("QuantizeLinear", (source, *parameters), (whole,), {}))
        self._nodes.append(Node("DequantizeLinear", (whole, *parameters), (target,), {}))

    def _dequantised(self, name: str, values: Array, scales: Array) -> str:
        inputs = (
            self._keep(f"{name}_8bit", values),
            self._keep(f"{name}_scale", scales),
            self._keep(f"{name}_zero", np.zeros(len(scales), values.dtype)),
        )
        attributes = {"axis": number_attribute("axis", 0)}
        self._nodes.append(Node("DequantizeLinear", inputs, (name,), attributes))
        return name

    def _affine(self, name: str) -> tuple[Array, Array]:
        """Scale float32 [] and zero point uint8 [] of an activation."""
        step = self._trunk.made_by(name)
        source = name if step is None else step.name
        low, high = self._ranges[source]
        if not (np.isfinite(low) and np.isfinite(high) and low <= high):
            raise ValueError(f"the range of {source} is not a range")
        low, high = min(low, 0.0), max(high, 0.0)
        if step is not None and step.rectified:
            low = 0.0
        scale = max((high - low) / 255, 1e-12)
        return np.array(scale, np.float32), np.array(round(-low / scale), np.uint8)

    def _keep(self, name: str, values: Array) -> str:
        if name not in self._tensors:
            self._tensors[name] = tensor(name, values)
        return name


def _rescaled(graph: Graph, output: str, scale: tuple[float, float]) -> Graph:
    """The graph with ``slope * output + offset`` in the place of an output."""
    if output not in graph.outputs or scale == (1.0, 0.0):
        return graph
    before = f"{output}_before"

    def renamed(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(before if name == output else name for name in names)

    nodes = [
        replace(node, inputs=renamed(node.inputs), outputs=renamed(node.outputs), raw=b"")
        if output in (*node.inputs, *node.outputs)
        else node
        for node in graph.nodes
    ]
    slope, offset = names = (f"{output}_slope", f"{output}_offset")
    added = {
        name: tensor(name, np.array(v, np.float32)) for name, v in zip(names, scale, strict=True)
    }
    nodes += [
        Node("Mul", (before, slope), (f"{output}_scaled",), {}),
        Node("Add", (f"{output}_scaled", offset), (output,), {}),
    ]
    return replace(graph, nodes=tuple(nodes), tensors={**graph.tensors, **added})
