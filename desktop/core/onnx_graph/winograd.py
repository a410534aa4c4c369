"""Small, deep 3x3 convolutions with fewer products: Winograd's minimal filtering F(2x2, 3x3).

Four outputs of a 3x3 filter cost 36 products; transformed, they cost 16 (Lavin and Gray 2015,
*Fast Algorithms for Convolutional Neural Networks*, section 4.1). The transforms only add,
subtract and halve, so that the result differs from the direct sum by no more than rounding does.
It pays where a map is small and has many channels: there the transforms are cheap, and the 16
products of matrices read each weight once for the whole micro-batch, where the direct kernels read
it again for every row of every film. Larger maps keep their direct kernels.

Heights and widths of the feature maps of an ONNX graph, where they can be told for certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from desktop.core.onnx_graph.graph import (
    Array,
    Graph,
    Node,
    list_attribute,
    number_attribute,
    tensor,
)
from desktop.core.onnx_graph.queries import FoldedConvolution, GraphReading

LARGEST_SIDE = 8
FEWEST_CHANNELS = 128
_TILE = 2
_FREQUENCIES = 4

Matrix = npt.NDArray[np.float32]
# Lavin and Gray, equation 8: of the data, of the filter and of the result.
_DATA: Matrix = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], np.float32)
_FILTER: Matrix = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)
_RESULT: Matrix = np.array([[1, 1, 1, 0], [0, 1, -1, -1]], np.float32)


def transform_small_convolutions(graph: Graph) -> Graph:
    """The same model with its small 3x3 convolutions transformed; ``graph`` itself without any.

    Args:
        graph: Without inner graphs; operators of opset 13 to 17.
    """
    if not 13 <= graph.opset <= 17:  # the first with Split as it is written here, and the last
        return graph
    reading = GraphReading(graph)
    sizes = map_sizes(graph)
    found: dict[str, tuple[FoldedConvolution, tuple[int, int]]] = {}
    for node in graph.nodes:
        size = sizes.get(node.inputs[0]) if node.op_type == "Conv" else None
        folded = reading.folded(node) if size is not None and _is_plain(node) else None
        if folded is not None and size is not None and _pays(folded.weights, size):
            found[folded.end] = folded, size
    if not found:
        return graph
    swallowed = {name for folded, _ in found.values() for name in folded.swallowed}
    tensors = dict(graph.tensors)
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.outputs[0] in found:
            writer = _Writer(*found[node.outputs[0]])
            nodes += writer.nodes
            tensors |= writer.tensors
        elif node.outputs[0] not in swallowed:
            nodes.append(node)
    return replace(graph, nodes=tuple(nodes), tensors=tensors)


def _is_plain(node: Node) -> bool:
    return (
        node.integers("pads") == (1, 1, 1, 1)
        and not node.sizes_its_padding
        and node.integers("strides") in ((), (1, 1))
        and node.integers("dilations") in ((), (1, 1))
        and node.integers("group") in ((), (1,))
    )


def _pays(weights: Array, size: tuple[int, int]) -> bool:
    return (
        weights.shape[2:] == (3, 3)
        and min(weights.shape[:2]) >= FEWEST_CHANNELS
        and max(size) <= LARGEST_SIDE
    )


class _Writer:
    """The nodes and weights that take the place of one convolution.

    Maps are [N, H, W, C] on the way; a side of n pixels has t = ceil(n / 2) tiles of 4 frequencies.
    """

    def __init__(self, folded: FoldedConvolution, size: tuple[int, int]) -> None:
        self.nodes: list[Node] = []
        self.tensors: dict[str, bytes] = {}
        self._end = folded.end
        out, inner = folded.weights.shape[:2]
        (height, width), rows = size, _FREQUENCIES * -(-size[0] // _TILE)
        columns = _FREQUENCIES * -(-width // _TILE)
        data_rows, result_rows = (self._keep(f"rows{i}", m) for i, m in enumerate(_side(height)))
        data_columns, result_columns = (
            self._keep(f"columns{i}", m) for i, m in enumerate(_side(width))
        )
        name = self._transpose(folded.node.inputs[0], (0, 2, 3, 1))
        name = self._node("MatMul", data_columns, name)  # [N, H, 4 t, C]
        name = self._reshape(name, (0, height, columns * inner))
        name = self._node("MatMul", data_rows, name)  # [N, 4 t, 4 t C]
        apart = (-1, _FREQUENCIES, rows // _FREQUENCIES, _FREQUENCIES)
        name = self._reshape(name, (*apart, columns // _FREQUENCIES * inner))
        name = self._transpose(name, (1, 3, 0, 2, 4))
        name = self._reshape(name, (_FREQUENCIES**2, -1, inner))
        name = self._products(name, _transformed(folded))
        name = self._reshape(
            name, (*(_FREQUENCIES,) * 2, -1, rows // _FREQUENCIES, columns // _FREQUENCIES * out)
        )
        name = self._transpose(name, (2, 0, 3, 1, 4))
        name = self._reshape(name, (-1, rows, columns * out))
        name = self._node("MatMul", result_rows, name)  # [N, H, 4 t K]
        name = self._reshape(name, (0, height, columns, out))
        name = self._node("MatMul", result_columns, name)  # [N, H, W, K]
        name = self._node("Add", name, self._keep("bias", folded.bias.astype(np.float32)))
        if folded.rectified:
            name = self._node("Relu", name)
        self._transpose(name, (0, 3, 1, 2), self._end)

    def _products(self, name: str, filters: Matrix) -> str:
        """One product of matrices a frequency: constants of their own are packed when loaded."""
        parts = tuple(f"{self._end}_part{place}" for place in range(len(filters)))
        self.nodes.append(Node("Split", (name,), parts, {"axis": number_attribute("axis", 0)}))
        products = [
            self._node("MatMul", part, self._keep(f"filter{place}", filters[place]))
            for place, part in enumerate(parts)
        ]
        joined = f"{self._end}_joined"
        self.nodes.append(
            Node("Concat", tuple(products), (joined,), {"axis": number_attribute("axis", 0)})
        )
        return joined

    def _node(self, op_type: str, *inputs: str) -> str:
        output = f"{self._end}_step{len(self.nodes)}"
        self.nodes.append(Node(op_type, inputs, (output,), {}))
        return output

    def _reshape(self, name: str, shape: Sequence[int]) -> str:
        wanted = self._keep(f"shape{len(self.nodes)}", np.array(shape, np.int64))
        return self._node("Reshape", name, wanted)

    def _transpose(self, name: str, order: Sequence[int], output: str = "") -> str:
        output = output or f"{self._end}_step{len(self.nodes)}"
        attributes = {"perm": list_attribute("perm", order)}
        self.nodes.append(Node("Transpose", (name,), (output,), attributes))
        return output

    def _keep(self, name: str, values: Array) -> str:
        name = f"{self._end}_{name}"
        self.tensors[name] = tensor(name, values)
        return name


def _side(pixels: int) -> Iterator[Matrix]:
    """[4 t, pixels] that transforms one side of the data, and [pixels, 4 t] of the result.

    Rows of the first and columns of the second are ordered by frequency, then by tile. The zero
    padding of one pixel and what a last tile has too much are left out.
    """
    tiles = -(-pixels // _TILE)
    data = np.zeros((_FREQUENCIES, tiles, pixels + _TILE * 2), np.float32)
    result = np.zeros((tiles * _TILE, _FREQUENCIES, tiles), np.float32)
    for tile in range(tiles):
        first = tile * _TILE
        data[:, tile, first : first + _FREQUENCIES] = _DATA
        result[first : first + _TILE, :, tile] = _RESULT
    yield data[:, :, 1 : pixels + 1].reshape(-1, pixels)
    yield result[:pixels].reshape(pixels, -1)


def _transformed(folded: FoldedConvolution) -> Matrix:
    """float32 [16, C, K]: the filters by frequency."""
    out, inner = folded.weights.shape[:2]
    taps = folded.weights.transpose(2, 3, 1, 0).astype(np.float32) * folded.factor.astype(
        np.float32
    )
    both = np.kron(_FILTER, _FILTER).astype(np.float32) @ taps.reshape(9, inner * out)
    return both.reshape(_FREQUENCIES**2, inner, out)


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
