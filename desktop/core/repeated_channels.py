"""A convolution over several copies of one channel is a convolution over that channel.

A network that was made for colour reads a grey film three times (``Concat(x, x, x)``). Summing its
first weights over the copies does the same with a third of the products.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from desktop.core.graph_reading import GraphReading
from desktop.core.onnx_graph import Graph, Node, tensor


def merge_repeated_channels(graph: Graph) -> Graph:
    """The same model with each repeated map read once; ``graph`` itself where there is none."""
    reading = GraphReading(graph)
    tensors = dict(graph.tensors)
    nodes: list[Node] = []
    for node in graph.nodes:
        source = reading.producers.get(node.inputs[0]) if node.op_type == "Conv" else None
        weights = reading.constant(node.inputs[1]) if source is not None else None
        copies = _copies(source)
        if (
            source is None
            or weights is None
            or weights.dtype.kind != "f"
            or copies < 2
            or weights.shape[1] % copies
            or node.integers("group") not in ((), (1,))
        ):
            nodes.append(node)
            continue
        # Copies follow each other: channel c of copy k is at k * channels + c.
        parts = np.split(weights.astype(np.float64), copies, axis=1)
        merged = f"{node.inputs[1]}_merged"
        tensors[merged] = tensor(merged, np.sum(parts, axis=0).astype(np.float32))
        inputs = (source.inputs[0], merged, *node.inputs[2:])
        nodes.append(replace(node, inputs=inputs, raw=b""))
    if len(tensors) == len(graph.tensors):
        return graph
    return replace(graph, nodes=tuple(nodes), tensors=tensors)


def _copies(node: Node | None) -> int:
    """How often a Concat along the channels repeats its one operand; 1 for anything else."""
    if node is None or node.op_type != "Concat" or node.integers("axis") != (1,):
        return 1
    return len(node.inputs) if len(set(node.inputs)) == 1 else 1
