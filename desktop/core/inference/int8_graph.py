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
from typing import Literal

import numpy as np

from desktop.core.onnx_graph.graph import (
    Array,
    Graph,
    Node,
    list_attribute,
    number_attribute,
    read_graph,
    tensor,
)
from desktop.core.onnx_graph.queries import FoldedConvolution, GraphReading
from desktop.core.panels.contract import OUTPUT_OOD_SCORE, OUTPUT_PROBABILITIES

WeightBits = Literal[7, 8]
Ranges = Mapping[str, tuple[float, float]]
Corrections = Mapping[str, Sequence[float]]
NO_CORRECTIONS: Corrections = MappingProxyType({})

QUANTISER_VERSION = 2
"""Goes up when the same file and ranges give another int8 form."""

_OLDEST_OPSET = 13  # the first in which a scale may differ from channel to channel
_LARGEST_BIAS = 2.0**30


@dataclass(frozen=True)
class _Pool:
    """A maximum pool, with the zero padding in front of it if it has one."""

    node: Node
    source: str
    end: str
    pads: tuple[int, ...]
    swallowed: frozenset[str]


_Step = FoldedConvolution | _Pool


@dataclass(frozen=True)
class Quantisable:
    """A convolution that can compute in 8 bits, as an exporter needs to know it.

    Attributes:
        name: The tensor that ends it; what ``kept``, ranges and corrections call it by.
        source: The tensor that it reads.
        summed: The tensor before its ReLU; ``name`` where it has none.
        products: Multiplications for each number of its output.
        channels: Of its output.
    """

    name: str
    source: str
    summed: str
    products: int
    channels: int


def convolutions(content: bytes) -> tuple[Quantisable, ...]:
    """The convolutions of a verified model file that can be quantised, in the graph's order."""
    return tuple(
        Quantisable(
            end,
            step.node.inputs[0],
            step.summed,
            int(np.prod(step.weights.shape[1:])),
            len(step.weights),
        )
        for end, step in _Trunk(read_graph(content)).steps.items()
        if isinstance(step, FoldedConvolution)
    )


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

    Raises:
        ValueError: There is nothing to quantise, a range is missing or not a range, or a correction
            is not one number a channel.
    """
    graph = read_graph(content)
    trunk = _Trunk(graph, kept)
    missing = [name for name in trunk.measured if name not in ranges]
    if not trunk.measured or missing:
        raise ValueError(f"no ranges for {missing}" if missing else "no convolution to quantise")
    model = _Writer(graph, trunk, ranges, weight_bits, corrections).model()
    return _rescaled(model, OUTPUT_OOD_SCORE, score).serialised()


class _Trunk:
    """What of a graph is quantised.

    Attributes:
        steps: Node output -> the step that this node ends.
        swallowed: Outputs of nodes that disappear.
        measured: Tensors that need a range.
        rectified: Tensors that are never below zero.
        source_of: Pool's end -> the tensor whose range it shares.
    """

    def __init__(self, graph: Graph, kept: Collection[str] = ()) -> None:
        self._graph = graph
        self._kept = frozenset(kept)
        self._reading = GraphReading(graph)
        self.steps: dict[str, _Step] = {}
        self.rectified: set[str] = set()
        self.source_of: dict[str, str] = {}
        if graph.opset >= _OLDEST_OPSET:
            self._find()
        self.swallowed = frozenset(name for step in self.steps.values() for name in step.swallowed)
        self.measured = self._measured()

    def scale_source(self, name: str) -> str:
        """The tensor whose range a quantised tensor has: pooling changes none."""
        while name in self.source_of:
            name = self.source_of[name]
        return name

    def _find(self) -> None:
        wanted = self._before(OUTPUT_PROBABILITIES)
        for node in self._graph.nodes:
            if not wanted.intersection(node.outputs):
                continue
            step: _Step | None = None
            if node.op_type == "Conv":
                step = self._reading.folded(node)
            elif node.op_type == "MaxPool":
                step = self._pool(node)
            if step is None or step.end in self._kept:
                continue
            self.steps[step.end] = step
            if isinstance(step, _Pool):
                self.source_of[step.end] = step.source
                if step.source in self.rectified:
                    self.rectified.add(step.end)
            elif step.rectified:
                self.rectified.add(step.end)
        self._drop_pools_at_the_end()

    def _before(self, output: str) -> set[str]:
        """Tensors that an output is computed from."""
        found: set[str] = set()
        waiting = [output]
        while waiting:
            name = waiting.pop()
            node = self._reading.producers.get(name)
            if name in found or node is None:
                continue
            found.add(name)
            waiting += node.inputs
        return found

    def _pool(self, node: Node) -> _Pool | None:
        source, pads, swallowed = node.inputs[0], node.integers("pads") or (0, 0, 0, 0), set[str]()
        if len(node.outputs) != 1 or any(name in node.attributes for name in ("auto_pad",)):
            return None
        padding = self._reading.producers.get(source)
        if padding is not None and padding.op_type == "Pad" and self._reading.only_consumer(source):
            around = self._reading.constant(padding.inputs[1])
            filler = self._reading.constant(padding.inputs[2]) if len(padding.inputs) > 2 else None
            zero = filler is None or not filler.any()
            # Zeros lose against any value that is not below zero, as no padding at all does.
            if (
                around is None
                or around.shape != (8,)
                or around[[0, 1, 4, 5]].any()
                or any(pads)
                or not zero
                or "mode" in padding.attributes
                or padding.inputs[0] not in self.rectified
            ):
                return None
            swallowed.add(source)
            pads = tuple(int(around[place]) for place in (2, 3, 6, 7))
            source = padding.inputs[0]
        if source not in self.steps:
            return None
        return _Pool(node, source, node.outputs[0], pads, frozenset(swallowed))

    def _drop_pools_at_the_end(self) -> None:
        """Leave pools in fp32 that no integer kernel reads: rounding again would gain nothing."""
        while True:
            taken = {name for step in self.steps.values() for name in _inputs(step)}
            last = [
                end
                for end, step in self.steps.items()
                if isinstance(step, _Pool) and end not in taken
            ]
            if not last:
                return
            for end in last:
                del self.steps[end]

    def _measured(self) -> tuple[str, ...]:
        names: list[str] = []
        for end, step in self.steps.items():
            names += [name for name in _inputs(step) if name not in self.steps]
            if not isinstance(step, _Pool):
                names.append(end)
        return tuple(dict.fromkeys(names))


def _inputs(step: _Step) -> Sequence[str]:
    return step.node.inputs[:1] if isinstance(step, FoldedConvolution) else (step.source,)


class _Writer:
    """Writes the quantised graph; every tensor that the fp32 part reads keeps its name."""

    def __init__(
        self,
        graph: Graph,
        trunk: _Trunk,
        ranges: Ranges,
        weight_bits: WeightBits,
        corrections: Corrections,
    ) -> None:
        self._graph = graph
        self._trunk = trunk
        self._ranges = ranges
        self._corrections = corrections
        self._largest = 2 ** (weight_bits - 1) - 1
        self._tensors = dict(graph.tensors)
        self._nodes: list[Node] = []
        self._known: set[str] = set()

    def model(self) -> Graph:
        trunk = self._trunk
        for node in self._graph.nodes:
            step = trunk.steps.get(node.outputs[0])
            if step is not None:
                self._write(step)
            elif not trunk.swallowed.intersection(node.outputs):
                self._nodes.append(node)
        return replace(self._graph, nodes=tuple(self._used()), tensors=self._tensors)

    def _used(self) -> list[Node]:
        """Nodes without those whose results nothing reads any more (casts of 16-bit weights)."""
        read = {name for node in self._nodes for name in node.inputs} | set(self._graph.outputs)
        return [node for node in self._nodes if read.intersection(node.outputs)]

    def _write(self, step: _Step) -> None:
        if isinstance(step, FoldedConvolution):
            self._write_convolution(step)
        else:
            attributes = {**step.node.attributes, "pads": list_attribute("pads", step.pads)}
            source = self._as_integers(step.source)
            self._nodes.append(Node("MaxPool", (source,), (f"{step.end}_float",), attributes))
            self._round(f"{step.end}_float", step.end)

    def _write_convolution(self, step: FoldedConvolution) -> None:
        source = step.node.inputs[0]
        read = self._as_integers(source)
        scale_in, _ = self._affine(source)
        rows = step.weights.reshape(len(step.weights), -1).astype(np.float32)
        peaks = np.maximum(rows.max(axis=1), -rows.min(axis=1)).astype(np.float64)
        added = np.asarray(self._corrections.get(step.end, 0.0), np.float64)
        if added.shape not in ((), step.bias.shape) or not np.isfinite(added).all():
            raise ValueError(f"the correction of {step.end} is not one number a channel")
        exact = step.bias + added
        # A channel that is nearly switched off must not ask for a bias beyond 32 bits.
        smallest = np.abs(exact) / (float(scale_in) * _LARGEST_BIAS)
        widest = np.maximum(peaks * np.abs(step.factor) / self._largest, smallest)
        scales = np.maximum(widest, 1e-12).astype(np.float32)
        rows *= (step.factor / scales).astype(np.float32)[:, np.newaxis]
        np.rint(rows, out=rows)
        np.clip(rows, -self._largest, self._largest, out=rows)
        weights = rows.astype(np.int8).reshape(step.weights.shape)
        both = scale_in * scales
        bias = np.rint(exact / both).astype(np.int32)
        name = step.end
        self._dequantise(f"{name}_weights", weights, scales)
        self._dequantise(f"{name}_bias", bias, both)
        inputs = (read, f"{name}_weights", f"{name}_bias")
        self._nodes.append(Node("Conv", inputs, (f"{name}_float",), step.node.attributes))
        self._round(f"{name}_float", name)

    def _as_integers(self, name: str) -> str:
        """Name of ``name`` after a round trip through 8 bits, which an integer kernel reads."""
        if name in self._trunk.steps:
            return name  # it is one already
        if name not in self._known:
            self._known.add(name)
            self._round(name, f"{name}_rounded")
        return f"{name}_rounded"

    def _round(self, source: str, target: str) -> None:
        """QuantizeLinear and DequantizeLinear; a zero point of 0 is the ReLU as well."""
        base = target.removesuffix("_rounded")
        scale, zero = self._affine(base)
        parameters = (self._keep(f"{base}_scale", scale), self._keep(f"{base}_zero", zero))
        whole = f"{target}_8bit"
        self._nodes.append(Node("QuantizeLinear", (source, *parameters), (whole,), {}))
        self._nodes.append(Node("DequantizeLinear", (whole, *parameters), (target,), {}))

    def _dequantise(self, name: str, values: Array, scales: Array) -> None:
        zeros = np.zeros(len(scales), values.dtype)
        inputs = (
            self._keep(f"{name}_8bit", values),
            self._keep(f"{name}_scale", scales),
            self._keep(f"{name}_zero", zeros),
        )
        attributes = {"axis": number_attribute("axis", 0)}
        self._nodes.append(Node("DequantizeLinear", inputs, (name,), attributes))

    def _affine(self, name: str) -> tuple[Array, Array]:
        """Scale float32 [] and zero point uint8 [] of an activation."""
        source = self._trunk.scale_source(name)
        low, high = self._ranges[source]
        if not (np.isfinite(low) and np.isfinite(high) and low <= high):
            raise ValueError(f"the range of {source} is not a range")
        low, high = min(low, 0.0), max(high, 0.0)
        if source in self._trunk.rectified:
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
    nodes = [
        replace(
            node,
            inputs=tuple(before if name == output else name for name in node.inputs),
            outputs=tuple(before if name == output else name for name in node.outputs),
            raw=b"",
        )
        if output in (*node.inputs, *node.outputs)
        else node
        for node in graph.nodes
    ]
    slope, offset = (np.array(value, np.float32) for value in scale)
    tensors = {
        **graph.tensors,
        f"{output}_slope": tensor(f"{output}_slope", slope),
        f"{output}_offset": tensor(f"{output}_offset", offset),
    }
    nodes += [
        Node("Mul", (before, f"{output}_slope"), (f"{output}_scaled",), {}),
        Node("Add", (f"{output}_scaled", f"{output}_offset"), (output,), {}),
    ]
    return replace(graph, nodes=tuple(nodes), tensors=tensors)
