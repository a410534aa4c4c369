"""From a verified fp32 model to the form whose convolutions compute in 16-bit floats, for GPUs.

Made in memory, never stored. The trunk changes: convolutions and what follows them directly. The
standardisation in front, the classifier, the heatmaps' sums and the out-of-distribution score keep
their 32 bits. Whether the answers stay the same is asked of the loaded session, not assumed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from desktop.core.onnx_graph.graph import (
    FLOAT,
    FLOAT16,
    Graph,
    GraphReading,
    Node,
    number_attribute,
    read_graph,
    tensor,
)

# What may follow a convolution in 16 bits; with two operands, the other one is a weight or 16 bits.
_FOLLOW = frozenset({"Relu", "MaxPool", "Add", "Mul", "Pad"})
_LARGEST = float(np.finfo(np.float16).max)


def halved(content: bytes) -> bytes:
    """The 16-bit form of a model.

    Args:
        content: The fp32 model file; verified.

    Raises:
        ValueError: It has no convolution that could be changed.
    """
    writer = _Writer(read_graph(content))
    if not writer.half:
        raise ValueError("no convolution to change")
    return writer.model().serialised()


class _Writer:
    """One walk in topological order.

    Attributes:
        half: Outputs of the nodes that compute in 16 bits.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._reading = GraphReading(graph)
        self._tensors = dict(graph.tensors)
        self._nodes: list[Node] = []
        self._twins: set[str] = set()
        self.half: set[str] = set()
        for node in graph.nodes:
            if self._can_change(node):
                self.half.add(node.outputs[0])

    def model(self) -> Graph:
        graph = self._graph
        wide = set(graph.outputs)
        for node in graph.nodes:
            if node.outputs[0] not in self.half:
                wide.update(node.inputs)
        for node in graph.nodes:
            if node.outputs[0] not in self.half:
                self._nodes.append(node)
                continue
            inputs = tuple(self._narrow(node, index) for index in range(len(node.inputs)))
            output = node.outputs[0]
            self._nodes.append(Node(node.op_type, inputs, (_twin(output),), node.attributes))
            if output in wide:
                self._cast(_twin(output), output, FLOAT)
        read = {name for node in self._nodes for name in node.inputs} | set(graph.outputs)
        used = tuple(node for node in self._nodes if read.intersection(node.outputs))
        return replace(graph, nodes=used, tensors=self._tensors)

    def _can_change(self, node: Node) -> bool:
        if len(node.outputs) != 1 or not all(node.inputs):
            return False
        if node.op_type == "Conv":
            return all(self._reading.constant(name) is not None for name in node.inputs[1:])
        if node.op_type not in _FOLLOW:
            return False
        data = [name for name in node.inputs if self._reading.constant(name) is None]
        return bool(data) and all(name in self.half for name in data)

    def _narrow(self, node: Node, index: int) -> str:
        """Name of an input in 16 bits."""
        name = node.inputs[index]
        values = self._reading.constant(name)
        if values is not None:
            if values.dtype.kind != "f":
                return name  # the amounts of a Pad
            if _twin(name) not in self._tensors:
                narrow = np.clip(values, -_LARGEST, _LARGEST).astype(np.float16)
                self._tensors[_twin(name)] = tensor(_twin(name), narrow)
        elif name not in self.half and name not in self._twins:
            self._twins.add(name)
            self._cast(name, _twin(name), FLOAT16)
        return _twin(name)

    def _cast(self, source: str, target: str, kind: int) -> None:
        attributes = {"to": number_attribute("to", kind)}
        self._nodes.append(Node("Cast", (source,), (target,), attributes))


def _twin(name: str) -> str:
    return f"{name}_half"
