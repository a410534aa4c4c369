"""What the rewriting of ONNX graphs needs to know of a graph before it changes anything.

Weights may be stored in 16 bits and widened by a Cast; what a convolution is multiplied with and
what is added to it afterwards can be folded into its weights and its bias.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.core.onnx_graph.graph import FLOAT, Array, Graph, Node


@dataclass(frozen=True)
class FoldedConvolution:
    """A convolution with what follows it and can be folded into it.

    Attributes:
        node: The Conv.
        weights: [out, in, kh, kw] as stored, float16 or float32.
        factor: float64 [out] that the weights of each channel are to be multiplied by: batch
            normalisation, folded in.
        bias: float64 [out], the same folded in.
        rectified: A ReLU ends it.
        summed: Name of the tensor before that ReLU; ``end`` where there is none.
        end: Name of the tensor that the rest of the graph sees.
        swallowed: Outputs of the nodes that are folded in.
    """

    node: Node
    weights: Array
    factor: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]
    rectified: bool
    summed: str
    end: str
    swallowed: frozenset[str]


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
        """A weight's values as they are stored, also where the graph widens them."""
        if name not in self._values:
            self._values[name] = self._graph.constant(self._widened.get(name, name))
        return self._values[name]

    def only_consumer(self, name: str) -> Node | None:
        """The one node that reads a tensor; None where there are more or the world reads it."""
        consumers = self.consumers.get(name, [])
        return consumers[0] if len(consumers) == 1 and name not in self._graph.outputs else None

    def per_channel(self, name: str, channels: int) -> npt.NDArray[np.float64] | None:
        """A constant that is one number a channel [1, C, 1, 1] or one for all, as [C]."""
        values = self.constant(name)
        if values is None or values.dtype.kind != "f":
            return None
        if values.size == 1:
            return np.full(channels, values.ravel()[0], np.float64)
        if values.size == channels and values.shape[-3:] == (channels, 1, 1):
            return values.ravel().astype(np.float64)
        return None

    def folded(self, node: Node) -> FoldedConvolution | None:
        """A Conv with what can be folded into it; None where its weights are no constants."""
        weights = self.constant(node.inputs[1])
        stored = self.constant(node.inputs[2]) if len(node.inputs) > 2 else np.zeros(1)
        if weights is None or stored is None or weights.ndim != 4 or weights.dtype.kind != "f":
            return None
        channels = len(weights)
        factor, bias = np.ones(channels), np.broadcast_to(stored.astype(np.float64), channels)
        end, swallowed, rectified = node.outputs[0], set[str](), False
        summed = end
        while not rectified and (after := self.only_consumer(end)) is not None:
            other = [name for name in after.inputs if name != end]
            values = self.per_channel(other[0], channels) if len(other) == 1 else None
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
        return FoldedConvolution(
            node, weights, factor, bias, rectified, summed, end, frozenset(swallowed)
        )
