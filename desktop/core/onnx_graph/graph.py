"""An ONNX graph as values that can be changed and written again, without the ``onnx`` package.

What is not changed keeps its very bytes. Only for files that ``outline.read_outline`` accepted.
Field numbers: ``onnx.proto``, ONNX 1.x.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from desktop.core.onnx_graph.protobuf import Bytes, fields, heading, message, numbers, text, written

Array = npt.NDArray[Any]

FLOAT, UINT8, INT8, INT32, INT64, FLOAT16 = 1, 2, 3, 6, 7, 10
_DTYPES: dict[int, np.dtype[Any]] = {
    FLOAT: np.dtype("<f4"),
    UINT8: np.dtype("u1"),
    INT8: np.dtype("i1"),
    INT32: np.dtype("<i4"),
    INT64: np.dtype("<i8"),
    FLOAT16: np.dtype("<f2"),
}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        op_type: Operator, e.g. ``Conv``.
        inputs: Tensor names; empty where an optional input is left out.
        outputs: Tensor names.
        attributes: Name -> serialised ``AttributeProto``.
        raw: The whole serialised node as it was read; empty for a new one.
    """

    op_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, bytes | memoryview]
    raw: bytes | memoryview = b""

    def integers(self, name: str) -> tuple[int, ...]:
        """An attribute that is a number or a list of numbers; empty where it is not stated."""
        if name not in self.attributes:
            return ()
        found: list[int] = []
        for number, value in fields(memoryview(self.attributes[name])):
            if number in (3, 8):
                found += numbers(value)
        return tuple(found)

    def serialised(self) -> bytes | memoryview:
        """The ``NodeProto``."""
        if self.raw:
            return self.raw
        parts = [written(1, name) for name in self.inputs]
        parts += [written(2, name) for name in self.outputs]
        parts += [written(4, self.op_type)]
        parts += [written(5, attribute) for attribute in self.attributes.values()]
        return b"".join(parts)


@dataclass(frozen=True)
class Graph:
    """A model file, taken apart.

    Attributes:
        nodes: Operations in topological order.
        tensors: Name -> serialised ``TensorProto`` of each weight.
        outputs: Names of the graph's outputs.
        opset: Version of the standard operators.
        rest_of_graph: Serialised fields of the graph that are kept as they are.
        rest_of_model: The same of the model.
    """

    nodes: tuple[Node, ...]
    tensors: Mapping[str, bytes | memoryview]
    outputs: tuple[str, ...]
    opset: int
    rest_of_graph: tuple[tuple[int, int | memoryview], ...]
    rest_of_model: tuple[tuple[int, int | memoryview], ...]

    def constant(self, name: str) -> Array | None:
        """A weight's values; None where it is no weight or kept in an unusual way."""
        return tensor_values(self.tensors[name]) if name in self.tensors else None

    def serialised(self) -> bytes:
        """The model file; weights that nothing uses any more are left out."""
        used = {name for node in self.nodes for name in node.inputs}
        inner: list[tuple[int, int | Bytes]] = [(1, node.serialised()) for node in self.nodes]
        inner += [(5, data) for name, data in self.tensors.items() if name in used]
        graph = _in_order([*inner, *self.rest_of_graph])
        before = [field for field in self.rest_of_model if field[0] < 7]
        after = [field for field in self.rest_of_model if field[0] > 7]
        start = heading(7, sum(map(len, graph)))
        return b"".join([*_in_order(before), start, *graph, *_in_order(after)])


def _in_order(values: Iterable[tuple[int, int | Bytes]]) -> list[Bytes]:
    """Fields in ascending order, as pieces: large ones are copied once, with the whole file."""
    pieces: list[Bytes] = []
    for number, value in sorted(values, key=lambda field: field[0]):
        if isinstance(value, int):
            pieces.append(written(number, value))
        else:
            pieces += heading(number, len(value)), value
    return pieces


class GraphReading:
    """A graph's tensors by who makes and who reads them.

    Attributes:
        producers: Tensor -> the node that makes it.
        consumers: Tensor -> the nodes that read it.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.producers = {name: node for node in graph.nodes for name in node.outputs}
        self.consumers: dict[str, list[Node]] = {}
        for node in graph.nodes:
            for name in node.inputs:
                self.consumers.setdefault(name, []).append(node)
        self._widened = {
            node.outputs[0]: node.inputs[0]
            for node in graph.nodes
            if node.op_type == "Cast" and node.integers("to") == (FLOAT,)
        }
        self._values: dict[str, Array | None] = {}

    def constant(self, name: str) -> Array | None:
        """A weight's values as they are stored, also where a Cast widens them from 16 bits."""
        if name not in self._values:
            self._values[name] = self._graph.constant(self._widened.get(name, name))
        return self._values[name]

    def only_consumer(self, name: str) -> Node | None:
        """The one node that reads a tensor; None where there are more or the world reads it."""
        consumers = self.consumers.get(name, [])
        return consumers[0] if len(consumers) == 1 and name not in self._graph.outputs else None


def read_graph(content: bytes) -> Graph:
    """Take a model file apart.

    Raises:
        ValueError: It is not a whole ONNX file.
    """
    rest_of_model: list[tuple[int, int | memoryview]] = []
    graph = memoryview(b"")
    opset = 0
    try:
        for number, value in fields(memoryview(content)):
            if number == 7:
                graph = message(value)
                continue
            rest_of_model.append((number, value))
            if number == 8:
                entry = dict(fields(message(value)))
                version = entry.get(2, 0)
                if not text(entry.get(1, b"")) and isinstance(version, int):
                    opset = version
        return _graph(graph, opset, tuple(rest_of_model))
    except IndexError as error:
        raise ValueError("the file ends early") from error


def _graph(
    data: memoryview, opset: int, rest_of_model: tuple[tuple[int, int | memoryview], ...]
) -> Graph:
    nodes: list[Node] = []
    tensors: dict[str, bytes | memoryview] = {}
    outputs: list[str] = []
    rest: list[tuple[int, int | memoryview]] = []
    for number, value in fields(data):
        if number == 1:
            nodes.append(_node(message(value)))
        elif number == 5:
            tensors[_tensor_name(message(value))] = message(value)
        elif number != 13:  # shapes of inner tensors: ONNX Runtime finds them by itself
            rest.append((number, value))
            if number == 12:
                outputs.append(text(dict(fields(message(value))).get(1, b"")))
    return Graph(tuple(nodes), tensors, tuple(outputs), opset, tuple(rest), rest_of_model)


def _node(data: memoryview) -> Node:
    inputs: list[str] = []
    outputs: list[str] = []
    op_type = ""
    attributes: dict[str, bytes | memoryview] = {}
    for number, value in fields(data):
        if number == 1:
            inputs.append(text(value))
        elif number == 2:
            outputs.append(text(value))
        elif number == 4:
            op_type = text(value)
        elif number == 5:
            attribute = message(value)
            name = text(next((v for n, v in fields(attribute) if n == 1), b""))
            attributes[name] = attribute
        elif number == 7 and len(message(value)):
            op_type = f"{text(value)}:{op_type}"
    return Node(op_type, tuple(inputs), tuple(outputs), attributes, data)


def _tensor_name(data: memoryview) -> str:
    return next((text(value) for number, value in fields(data) if number == 8), "")


def tensor_values(data: bytes | memoryview) -> Array | None:
    """Values of a serialised tensor; None for kinds and encodings that no weight here has."""
    shape: list[int] = []
    code = 0
    raw: memoryview | None = None
    floats: memoryview | None = None
    for number, value in fields(memoryview(data)):
        if number == 1:
            shape += numbers(value)
        elif number == 2 and isinstance(value, int):
            code = value
        elif number == 4:
            floats = message(value)
        elif number == 9:
            raw = message(value)
    content = raw if raw is not None else floats if code == FLOAT else None
    if code not in _DTYPES or content is None:
        return None
    values = np.frombuffer(content, _DTYPES[code])
    return values.reshape(shape) if values.size == np.prod(shape, dtype=np.int64) else None


def tensor(name: str, values: Array) -> bytes:
    """Serialise a tensor."""
    parts = [written(1, side) for side in values.shape]
    parts += [written(2, _CODES[values.dtype]), written(8, name), written(9, values.tobytes())]
    return b"".join(parts)


def number_attribute(name: str, value: int) -> bytes:
    """Serialise an attribute that is one integer."""
    return b"".join((written(1, name), written(3, value), written(20, 2)))
