"""Leave out of an exported graph what a network computes and then throws away.

Strides move up: a pointwise convolution with stride 2 reads every second row and column of a map.
Where nothing else reads that map, three quarters of it were computed for nothing; ResNet50 ends
three of its four stages so (He et al. 2016, with the stride in the first convolution of a block).
The stride moves up to the convolutions that make the map. Each number that is left is the sum of
the same products as before, so answers stay the same to the last bit. Compilers do the same
(OpenVINO among them); ONNX Runtime does not.

Repeated channels are read once: a network made for colour reads a grey film three times
(``Concat(x, x, x)``). Summing its first weights over the copies does the same with a third of the
products; answers differ by rounding.

Maximum pools pad by themselves: zeros around a map that is never below zero lose against every
value, so the pool's own padding gives the same to the last bit and saves a copy of the map.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

_Stride = tuple[int, ...]
_ONE = (1, 1)
# Each position of what they make is made of the same position of what they read.
_POINTWISE = frozenset({"Relu", "Add", "Mul"})
# What surely makes a map [N, C, H, W].
_MAKES_MAPS = frozenset({"Conv", "MaxPool", "AveragePool"})


def optimise(model: onnx.ModelProto) -> bool:
    """Run all passes over a model, in place; False where there was nothing to gain.

    A model with inner graphs, which may read any tensor without saying so, is left alone.
    """
    kinds = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
    if any(item.type in kinds for node in model.graph.node for item in node.attribute):
        return False
    moved = _StrideMover(model.graph).run()
    merged = _merge_repeated_channels(model.graph)
    padded = _pad_in_pools(model.graph)
    if merged or padded:
        _drop_unused(model.graph)
    return moved or merged or padded


class _Reader:
    """A graph's tensors by who makes and who reads them; weights also behind a widening Cast."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.outputs = {output.name for output in graph.output}
        self.producers = {name: node for node in graph.node for name in node.output}
        self.consumers: dict[str, list[Any]] = {}
        for node in graph.node:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)
        self._weights = {item.name: item for item in graph.initializer}
        self._values: dict[str, npt.NDArray[Any] | None] = {}
        self._names = {*self._weights, *self.producers, *self.consumers}

    def fresh(self, name: str) -> str:
        """A name that no tensor has yet."""
        while name in self._names:
            name += "_"
        self._names.add(name)
        return name

    def constant(self, name: str) -> npt.NDArray[Any] | None:
        """Values of a weight as they are stored, None for anything else."""
        if name not in self._values:
            producer = self.producers.get(name)
            stored = producer.input[0] if producer and producer.op_type == "Cast" else name
            tensor = self._weights.get(stored)
            self._values[name] = numpy_helper.to_array(tensor) if tensor is not None else None
        return self._values[name]


class _StrideMover(_Reader):
    """One walk against the flow: which maps are read with gaps only.

    Attributes:
        maps: Tensors that surely are maps [N, C, H, W].
        strides: Map -> the stride with which all its readers read it.
    """

    def __init__(self, graph: onnx.GraphProto) -> None:
        super().__init__(graph)
        self.maps: set[str] = set()
        for node in graph.node:
            if node.op_type in _MAKES_MAPS or (
                node.op_type in _POINTWISE and self.maps.intersection(node.input)
            ):
                self.maps.add(node.output[0])
        self._thinned: dict[tuple[str, _Stride], str] = {}
        self.strides: dict[str, _Stride] = {}
        for node in reversed(graph.node):
            stride = self._stride_of(node.output[0])
            if stride is not None and self._can_move(node):
                self.strides[node.output[0]] = stride

    def run(self) -> bool:
        """Rewrite the nodes; False where no stride can move."""
        if not self.strides:
            return False
        nodes: list[Any] = []
        for node in list(self.graph.node):
            made = self.strides.get(node.output[0])
            if node.op_type == "Conv":
                self._restride(node, made or _ONE, self.strides.get(node.input[0], _ONE))
            elif made is not None:
                self._thin_inputs(node, made, nodes)
            nodes.append(node)
        _replace(self.graph.node, nodes)
        return True

    def _stride_of(self, name: str) -> _Stride | None:
        """What all readers of a tensor have in common; None where one wants more."""
        if name in self.outputs:
            return None
        strides = {self._read_with(node, name) for node in self.consumers.get(name, [])}
        return strides.pop() if len(strides) == 1 else None

    def _read_with(self, node: Any, name: str) -> _Stride | None:
        if node.op_type == "Conv":
            weights = self.constant(node.input[1])
            pointwise = weights is not None and weights.ndim == 4 and weights.shape[2:] == _ONE
            if name in node.input[1:] or not pointwise or any(_integers(node, "pads")):
                return None
            if _stride(node) != _ONE:
                return _stride(node)
        return self.strides.get(node.output[0])

    def _can_move(self, node: Any) -> bool:
        if node.op_type == "Conv":
            weights = self.constant(node.input[1])
            return weights is not None and weights.ndim == 4 and not _sizes_its_padding(node)
        return node.op_type in _POINTWISE and all(map(self._fits, node.input))

    def _fits(self, name: str) -> bool:
        """An operand that is a map, or one number a channel."""
        values = None if name in self.maps else self.constant(name)
        return name in self.maps or (
            values is not None and (values.size == 1 or values.shape[-2:] == _ONE)
        )

    def _restride(self, node: Any, made: _Stride, read: _Stride) -> None:
        """A convolution whose result is read with stride ``made`` and whose source has ``read``.

        The source has no other positions any more: next to each other is what was apart.
        """
        own = _stride(node)
        new = [a * b // c for a, b, c in zip(own, made, read, strict=True)]
        if tuple(new) != own:
            kept = [item for item in node.attribute if item.name != "strides"]
            _replace(node.attribute, [*kept, helper.make_attribute("strides", new)])

    def _thin_inputs(self, node: Any, stride: _Stride, nodes: list[Any]) -> None:
        """Give a node only the positions that are still wanted of maps that others read whole.

        Every n-th row and column is what a maximum pool over one number gives.
        """
        for index, name in enumerate(node.input):
            if name not in self.maps or name in self.strides:
                continue
            if (name, stride) not in self._thinned:
                thin = self.fresh(f"{name}_{stride[0]}x{stride[1]}")
                self._thinned[name, stride] = thin
                nodes.append(
                    helper.make_node("MaxPool", [name], [thin], kernel_shape=[1, 1], strides=stride)
                )
            node.input[index] = self._thinned[name, stride]


def _merge_repeated_channels(graph: onnx.GraphProto) -> bool:
    """Let each convolution over copies of one map read it once; False where there is none."""
    reader = _Reader(graph)
    merged = False
    for node in graph.node:
        source = reader.producers.get(node.input[0]) if node.op_type == "Conv" else None
        weights = reader.constant(node.input[1]) if source is not None else None
        copies = _copies(source)
        if (
            weights is None
            or copies < 2
            or weights.dtype.kind != "f"
            or weights.shape[1] % copies
            or _integers(node, "group") not in ((), (1,))
        ):
            continue
        # Copies follow each other: channel c of copy k is at k * channels + c.
        parts = np.split(weights.astype(np.float64), copies, axis=1)
        name = reader.fresh(f"{node.input[1]}_merged")
        summed = np.sum(parts, axis=0).astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(summed, name))
        node.input[0], node.input[1] = source.input[0], name
        merged = True
    return merged


def _copies(node: Any) -> int:
    """How often a Concat along the channels repeats its one operand; 1 for anything else."""
    if node is None or node.op_type != "Concat" or _integers(node, "axis") != (1,):
        return 1
    return len(node.input) if len(set(node.input)) == 1 else 1


def _pad_in_pools(graph: onnx.GraphProto) -> bool:
    """Let maximum pools pad the rectified maps that they read; False where nothing pads one."""
    reader = _Reader(graph)
    found = False
    for node in graph.node:
        padding = reader.producers.get(node.input[0]) if node.op_type == "MaxPool" else None
        if padding is None or not _pads_with_zeros(padding, reader):
            continue
        kernel, around = _integers(node, "kernel_shape"), reader.constant(padding.input[1])
        stated = {item.name for item in node.attribute}
        plain = len(node.output) == 1 and stated <= {"kernel_shape", "strides"}
        if not plain or around is None or around.shape != (8,) or around[[0, 1, 4, 5]].any():
            continue
        pads = [int(around[axis]) for axis in (2, 3, 6, 7)]
        if all(0 <= pad < side for pad, side in zip(pads, kernel * 2, strict=True)):
            node.attribute.append(helper.make_attribute("pads", pads))
            node.input[0] = padding.input[0]
            found = True
    return found


def _pads_with_zeros(node: Any, reader: _Reader) -> bool:
    """A Pad with zeros around a map that is never below zero."""
    if node.op_type != "Pad" or any(item.s != b"constant" for item in node.attribute):
        return False
    source = reader.producers.get(node.input[0])
    filler = (
        reader.constant(node.input[2]) if len(node.input) > 2 and node.input[2] else np.zeros(1)
    )
    rectified = source is not None and source.op_type == "Relu"
    return rectified and len(node.input) < 4 and filler is not None and not filler.any()


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Remove nodes and weights that nothing reads any more."""
    read = {output.name for output in graph.output}
    nodes = []
    for node in reversed(graph.node):
        if read.intersection(node.output):
            read.update(node.input)
            nodes.append(node)
    _replace(graph.node, reversed(nodes))
    _replace(graph.initializer, [item for item in graph.initializer if item.name in read])


def _integers(node: Any, name: str) -> tuple[int, ...]:
    """An attribute that is a number or a list of numbers; empty where it is not stated."""
    for item in node.attribute:
        if item.name == name:
            value = helper.get_attribute_value(item)
            return (value,) if isinstance(value, int) else tuple(value)
    return ()


def _stride(node: Any) -> _Stride:
    return _integers(node, "strides") or _ONE


def _sizes_its_padding(node: Any) -> bool:
    """Padding that follows from the size and the stride (``auto_pad``), not from numbers."""
    return any(item.name == "auto_pad" and item.s != b"NOTSET" for item in node.attribute)


def _replace(field: Any, values: Iterable[Any]) -> None:
    """Put other messages into a repeated field."""
    kept = []
    for value in values:
        copy = type(value)()
        copy.CopyFrom(value)
        kept.append(copy)
    del field[:]
    field.extend(kept)
