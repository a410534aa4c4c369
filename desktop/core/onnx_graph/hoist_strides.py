"""Leave out what a network computes and then throws away, without changing a single answer.

A pointwise convolution with stride 2 reads every second row and column of a feature map. Where
nothing else reads that map, three quarters of it were computed for nothing; ResNet50 ends three of
its four stages so (He et al. 2016, with the stride in the first convolution of a block). The stride
is moved up to the convolutions that make the map: their kernels then stop only where somebody
looks. Each number that is left is the sum of the same products as before. Compilers do the same
(OpenVINO among them); ONNX Runtime does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from desktop.core.onnx_graph.graph import Graph, Node, list_attribute
from desktop.core.onnx_graph.queries import GraphReading

_Stride = tuple[int, int]

# Each position of what they make is made of the same position of what they read.
_ONE_OPERAND = frozenset({"Relu"})
_TWO_OPERANDS = frozenset({"Add", "Mul"})
# What surely makes a map [N, C, H, W].
_MAKES_MAPS = frozenset({"Conv", "MaxPool", "AveragePool"})


def hoist_strides(graph: Graph) -> Graph:
    """The same model without the positions that nothing reads.

    Args:
        graph: Without inner graphs.

    Returns:
        A graph with the same inputs, outputs and answers; ``graph`` itself where there is nothing
        to gain.
    """
    wanted = _Wanted(graph)
    return _written(graph, wanted) if wanted.strides else graph


class _Wanted:
    """One walk against the flow: which maps are read with gaps only.

    Attributes:
        maps: Tensors that surely are maps [N, C, H, W].
        strides: Map -> the stride with which all its readers read it.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._reading = GraphReading(graph)
        self.maps = self._find_maps()
        self.strides: dict[str, _Stride] = {}
        for node in reversed(graph.nodes):
            stride = self._stride_of(node.outputs[0])
            if stride is not None and self._can_move(node):
                self.strides[node.outputs[0]] = stride

    def _find_maps(self) -> set[str]:
        found: set[str] = set()
        for node in self._graph.nodes:
            if node.op_type in _MAKES_MAPS or (
                node.op_type in _ONE_OPERAND | _TWO_OPERANDS and found.intersection(node.inputs)
            ):
                found.add(node.outputs[0])
        return found

    def _stride_of(self, name: str) -> _Stride | None:
        """What all readers of a tensor have in common; None where one wants more."""
        if name in self._graph.outputs:
            return None
        strides = {self._read_with(node, name) for node in self._reading.consumers.get(name, [])}
        return strides.pop() if len(strides) == 1 else None

    def _read_with(self, node: Node, name: str) -> _Stride | None:
        if node.op_type != "Conv":
            return self.strides.get(node.outputs[0])
        if name in node.inputs[1:] or not self._is_pointwise(node):
            return None
        own = _stride(node)
        return own if own != (1, 1) else self.strides.get(node.outputs[0])

    def _can_move(self, node: Node) -> bool:
        if len(node.outputs) != 1:
            return False
        if node.op_type == "Conv":
            return self._is_flat(node) and not node.sizes_its_padding
        if node.op_type in _ONE_OPERAND:
            return node.inputs[0] in self.maps
        return node.op_type in _TWO_OPERANDS and all(map(self._fits, node.inputs))

    def _fits(self, name: str) -> bool:
        """An operand that is a map, or one number a channel."""
        if name in self.maps:
            return True
        values = self._reading.constant(name)
        return values is not None and (values.size == 1 or values.shape[-2:] == (1, 1))

    def _is_flat(self, node: Node) -> bool:
        """A convolution of pictures, not of volumes or of rows."""
        values = self._reading.constant(node.inputs[1])
        return values is not None and values.ndim == 4

    def _is_pointwise(self, node: Node) -> bool:
        values = self._reading.constant(node.inputs[1])
        flat = values is not None and values.ndim == 4 and values.shape[2:] == (1, 1)
        return flat and not any(node.integers("pads"))


def _written(graph: Graph, wanted: _Wanted) -> Graph:
    nodes: list[Node] = []
    thinned: dict[tuple[str, _Stride], str] = {}
    names = {name for node in graph.nodes for name in (*node.inputs, *node.outputs)}
    for node in graph.nodes:
        stride = wanted.strides.get(node.outputs[0])
        if node.op_type == "Conv":
            nodes.append(_convolution(node, stride, wanted.strides.get(node.inputs[0])))
        elif stride is None:
            nodes.append(node)
        else:
            inputs = []
            for name in node.inputs:
                if name not in wanted.maps or name in wanted.strides:
                    inputs.append(name)
                    continue
                # Others read all of it, so only this reader's copy is thinned.
                if (name, stride) not in thinned:
                    thin = f"{name}_{stride[0]}x{stride[1]}"
                    while thin in names:
                        thin += "_"
                    names.add(thin)
                    thinned[name, stride] = thin
                    nodes.append(_thinner(name, thin, stride))
                inputs.append(thinned[name, stride])
            nodes.append(replace(node, inputs=tuple(inputs), raw=b""))
    return replace(graph, nodes=tuple(nodes))


def _convolution(node: Node, made: _Stride | None, read: _Stride | None) -> Node:
    """A convolution whose result is read with stride ``made`` and whose source has ``read``."""
    if made is None and read is None:
        return node
    own, more = _stride(node), made or (1, 1)
    stride = (own[0] * more[0], own[1] * more[1])
    if read is not None:
        # The source has no other positions any more: next to each other is what was apart.
        stride = (stride[0] // read[0], stride[1] // read[1])
    attributes = {**node.attributes, "strides": list_attribute("strides", stride)}
    return replace(node, attributes=attributes, raw=b"")


def _thinner(source: str, target: str, stride: Sequence[int]) -> Node:
    """Every so manieth row and column: the maximum of one number."""
    attributes = {
        "kernel_shape": list_attribute("kernel_shape", (1, 1)),
        "strides": list_attribute("strides", stride),
    }
    return Node("MaxPool", (source,), (target,), attributes)


def _stride(node: Node) -> _Stride:
    strides = node.integers("strides") or (1, 1)
    return strides[0], strides[-1]
