"""The form of a verified model in which it runs: the same answers with fewer products.

Made in memory when a model is loaded, the same bytes every time; files, hashes and published scores
stay those of the exported model.

A convolution over several copies of one channel is a convolution over that channel.

A network that was made for colour reads a grey film three times (``Concat(x, x, x)``). Summing its
first weights over the copies does the same with a third of the products.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from desktop.core.onnx_graph.graph import Graph, Node, read_graph, tensor
from desktop.core.onnx_graph.hoist_strides import hoist_strides
from desktop.core.onnx_graph.queries import GraphReading
from desktop.core.onnx_graph.winograd import transform_small_convolutions

FORM_VERSION = 1
"""Goes up when the same file gives another form: what was measured with the old one is void."""

_WITH_INNER_GRAPHS = frozenset({"If", "Loop", "Scan", "SequenceMap"})


def lean_form(content: bytes) -> bytes:
    """A model without the positions that nothing reads; its answers are the same to the last bit.

    Args:
        content: A model file; verified.

    Returns:
        ``content`` itself where there is nothing to leave out.

    Raises:
        ValueError: It is not a whole ONNX file.
    """
    graph = read_graph(content)
    return _written(content, graph, _lean(graph))


def processor_form(content: bytes) -> bytes:
    """A model in the form that a processor runs in fp32; its answers are the same but for rounding.

    Args:
        content: A model file; verified.

    Returns:
        ``content`` itself where there is nothing to gain.

    Raises:
        ValueError: It is not a whole ONNX file.
    """
    graph = read_graph(content)
    lean = _lean(graph)
    if not _is_flat(graph):
        return _written(content, graph, lean)
    return _written(content, graph, transform_small_convolutions(merge_repeated_channels(lean)))


def _lean(graph: Graph) -> Graph:
    return hoist_strides(graph) if _is_flat(graph) else graph


def _is_flat(graph: Graph) -> bool:
    """Without inner graphs, which may read any tensor without saying so."""
    return not any(node.op_type in _WITH_INNER_GRAPHS for node in graph.nodes)


def _written(content: bytes, before: Graph, after: Graph) -> bytes:
    return content if after is before else after.serialised()


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
