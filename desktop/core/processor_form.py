"""The form of a verified model in which it runs: the same answers with fewer products.

Made in memory when a model is loaded, the same bytes every time; files, hashes and published scores
stay those of the exported model.
"""

from __future__ import annotations

from desktop.core.onnx_graph import Graph, read_graph
from desktop.core.repeated_channels import merge_repeated_channels
from desktop.core.stride_hoisting import hoist_strides
from desktop.core.winograd import transform_small_convolutions

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
