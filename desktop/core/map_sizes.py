"""Heights and widths of the feature maps of an ONNX graph, where they can be told for certain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from desktop.core.graph_reading import GraphReading
from desktop.core.onnx_graph import Graph, Node

Size = tuple[int, int]

_SAME = frozenset({"Cast", "Relu", "Sqrt", "Reciprocal", "BatchNormalization"})
_BROADCAST = frozenset({"Add", "Sub", "Mul", "Div"})
_POOLS = frozenset({"MaxPool", "AveragePool"})


def map_sizes(graph: Graph) -> Mapping[str, Size]:
    """Tensor -> (height, width) of each map [N, C, H, W] whose size the graph itself states.

    What is left out is not known here; nothing is guessed.
    """
    reading = GraphReading(graph)
    sizes: dict[str, Size] = {}
    for node in graph.nodes:
        size = _size(node, sizes, reading)
        if size is not None:
            sizes[node.outputs[0]] = size
    return sizes


def _size(node: Node, sizes: Mapping[str, Size], reading: GraphReading) -> Size | None:
    rule = _RULES.get(node.op_type)
    return rule(node, sizes, reading) if rule is not None else None


def _reshape(node: Node, _sizes: Mapping[str, Size], reading: GraphReading) -> Size | None:
    shape = reading.constant(node.inputs[1])
    if shape is None or shape.shape != (4,) or (shape[2:] <= 0).any():
        return None
    return int(shape[2]), int(shape[3])


def _same(node: Node, sizes: Mapping[str, Size], _reading: GraphReading) -> Size | None:
    return sizes.get(node.inputs[0])


def _broadcast(node: Node, sizes: Mapping[str, Size], reading: GraphReading) -> Size | None:
    found: list[Size] = []
    for name in node.inputs:
        size = sizes.get(name)
        if size is None:
            values = reading.constant(name)
            if values is None or values.ndim > 4:
                return None
            height, width = (1, 1, *values.shape)[-2:]
            size = (height, width)
        found.append(size)
    # A weight alone makes no map.
    if not any(name in sizes for name in node.inputs):
        return None
    return max(size[0] for size in found), max(size[1] for size in found)


def _mean(node: Node, sizes: Mapping[str, Size], _reading: GraphReading) -> Size | None:
    whole = {2, 3} <= set(node.integers("axes")) and node.integers("keepdims") != (0,)
    return (1, 1) if whole and node.inputs[0] in sizes else None


def _concat(node: Node, sizes: Mapping[str, Size], _reading: GraphReading) -> Size | None:
    found = {sizes.get(name) for name in node.inputs}
    return found.pop() if node.integers("axis") == (1,) and len(found) == 1 else None


def _pad(node: Node, sizes: Mapping[str, Size], reading: GraphReading) -> Size | None:
    size = sizes.get(node.inputs[0])
    pads = reading.constant(node.inputs[1]) if len(node.inputs) > 1 else None
    if size is None or pads is None or pads.shape != (8,):
        return None
    return size[0] + int(pads[2] + pads[6]), size[1] + int(pads[3] + pads[7])


def _window(node: Node, sizes: Mapping[str, Size], reading: GraphReading) -> Size | None:
    """Of a Conv or a pool; ONNX operator specification, without padding that sizes itself."""
    size = sizes.get(node.inputs[0])
    kernel = node.integers("kernel_shape")
    if node.op_type == "Conv":
        weights = reading.constant(node.inputs[1])
        kernel = weights.shape[2:] if weights is not None else ()
    if size is None or len(kernel) != 2 or node.sizes_its_padding:
        return None
    if node.integers("ceil_mode") not in ((), (0,)):
        return None
    strides = node.integers("strides") or (1, 1)
    dilations = node.integers("dilations") or (1, 1)
    pads = node.integers("pads") or (0, 0, 0, 0)
    found = [
        (size[axis] + pads[axis] + pads[axis + 2] - dilations[axis] * (kernel[axis] - 1) - 1)
        // strides[axis]
        + 1
        for axis in (0, 1)
    ]
    return (found[0], found[1]) if min(found) > 0 else None


_Rule = Callable[[Node, Mapping[str, Size], GraphReading], "Size | None"]
_RULES: Mapping[str, _Rule] = {
    "Reshape": _reshape,
    "ReduceMean": _mean,
    "Concat": _concat,
    "Pad": _pad,
    "Conv": _window,
    **dict.fromkeys(_POOLS, _window),
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys(_BROADCAST, _broadcast),
}
