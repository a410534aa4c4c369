"""Read an ONNX file's outline without running it, to refuse what must not be run.

ONNX Runtime opens external data, resolves custom operators and optimises the graph while it loads.
A file from a stranger is therefore looked at here first, with a reader of the protocol buffer wire
format that skips the weights: no third-party parser, no allocation that the file can choose. What
passes has one reading only (``schema``), so the runtime finds nothing in it that was not seen here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from desktop.core.errors import ModelRefused
from desktop.core.onnx_graph.protobuf import NotCanonicalError
from desktop.core.onnx_graph.schema import LISTS, checked

MAX_NODES = 5_000
"""The shipped ResNet50 has 300; ONNX Runtime needs minutes to optimise tens of thousands."""

MAX_FIELDS = 500_000
"""Parts of a file that are looked at: a hundred times as many as the shipped ResNet50 has, where a
file of a gigabyte can hold half a billion."""

MAX_DEPTH = 16
"""Graphs within graphs, and types within types."""

# Built into ONNX Runtime; any other domain would need a library that a model brings along.
BUILT_IN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
# A graph that can run for ever, and one whose time does not depend on its size.
ENDLESS_OPERATORS = frozenset({"Loop", "Scan", "SequenceMap"})
# Holds a model that was compiled for a device, or the path of one.
_READS_FILES = frozenset({"EPContext"})
# At byte 4: a FlatBuffer, which a runtime that guesses the format would read instead.
_OTHER_FORMATS = (b"ORTM", b"TFL3")

_Found = dict[int, list[Any]]


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of the graph.

    Attributes:
        name: Tensor name.
        element_type: ONNX ``TensorProto.DataType`` (1 = float32, 2 = uint8), 0 if it is no tensor.
        shape: One entry per axis, None where the axis is free; None if the rank is not stated.
    """

    name: str
    element_type: int
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True)
class OnnxOutline:
    """What a model file says before anything of it runs."""

    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    metadata: Mapping[str, str]
    node_count: int


def read_outline(content: bytes | memoryview) -> OnnxOutline:
    """Read inputs, outputs and metadata, and refuse what could reach outside the file.

    Raises:
        ModelRefused: MODEL-05 damaged, too deep, too large, or with more than one reading, MODEL-06
            external data, MODEL-07 operators that ONNX Runtime does not bring along or that may
            never end.
    """
    try:
        if bytes(content[4:8]) in _OTHER_FORMATS:
            raise NotCanonicalError("it could be read as a file of another format")
        outline: OnnxOutline = _Reader().message(memoryview(content), "Model")
        return outline
    except NotCanonicalError as problem:
        raise ModelRefused(
            "MODEL-05",
            "The file is not written as the onnx package writes it, so other programs could read "
            f"something else in it: {problem}. Export it again.",
        ) from problem
    except (IndexError, ValueError) as error:
        raise ModelRefused(
            "MODEL-05", "The file is not a complete ONNX model. Copy or export it again."
        ) from error


class _Reader:
    """One walk over one file; counts nodes and parts over all graphs and subgraphs."""

    def __init__(self) -> None:
        self._nodes = 0
        self._looked_at = 0

    def message(self, data: memoryview, kind: str, depth: int = 0) -> Any:
        """Check a message and all that is in it.

        Args:
            data: The message.
            kind: Its name in the schema.
            depth: Graphs or types that it is in.

        Returns:
            What is needed of it afterwards; weights, nodes and attributes are forgotten.
        """
        if kind in ("Training", "Function"):
            raise ModelRefused(
                "MODEL-07",
                "The model brings its own functions or training graph, which this app does not "
                "run. Export it for inference with standard operators.",
            )
        depth += kind in ("Graph", "Type")
        if depth > MAX_DEPTH + 1:
            raise ValueError("nested too deep")
        found: _Found = {}
        for number, field, value in checked(data, kind):
            self._looked_at += 1
            if isinstance(value, memoryview) and field.kind in LISTS:
                self._looked_at += len(value) // 64  # they are looked at, as raw weights are not
            if self._looked_at > MAX_FIELDS:
                raise ModelRefused(
                    "MODEL-05",
                    f"The model's description has more than {MAX_FIELDS:,} parts and is not read.",
                )
            kept: Any = value
            if isinstance(value, memoryview) and field.is_message:
                kept = self.message(value, field.kind, depth)
            elif isinstance(value, memoryview) and field.kind == "string":
                kept = str(value, "utf-8")
            found.setdefault(number, []).append(kept)
        if kind == "Model":
            return self._model(found)
        if kind == "Node":
            self._nodes += 1
            if self._nodes > MAX_NODES:
                raise ModelRefused(
                    "MODEL-05", f"The model has more than {MAX_NODES:,} operations and is not run."
                )
        return _FINISHED.get(kind, _forget)(found)

    def _model(self, found: _Found) -> OnnxOutline:
        if 7 not in found:
            raise ValueError("no graph")
        inputs, outputs = found[7][0]
        return OnnxOutline(inputs, outputs, dict(found.get(14, ())), self._nodes)


def _forget(_found: _Found) -> None:
    return None


def _keep(found: _Found) -> _Found:
    return found


def _only(found: _Found, number: int, default: Any = "") -> Any:
    return found[number][0] if number in found else default


def _graph(found: _Found) -> tuple[tuple[TensorInfo, ...], tuple[TensorInfo, ...]]:
    # Old exporters list weights among the inputs.
    initialised = set(found.get(5, ()))
    inputs = tuple(item for item in found.get(11, ()) if item.name not in initialised)
    return inputs, tuple(found.get(12, ()))


def _node(found: _Found) -> None:
    _check_domain(_only(found, 7))
    operator = _only(found, 4)
    if operator in ENDLESS_OPERATORS:
        raise ModelRefused(
            "MODEL-07",
            f"The model contains a loop ({operator}), which may never end. "
            "Export it without loops.",
        )
    if operator in _READS_FILES:
        raise _external()


def _tensor(found: _Found) -> str:
    """Name of an initializer; the weights themselves are skipped."""
    if 13 in found or _only(found, 14, 0):
        raise _external()
    name: str = _only(found, 8)
    return name


def _external() -> ModelRefused:
    return ModelRefused(
        "MODEL-06",
        "The model keeps weights in another file, which could be any file of this machine. Export "
        "it as one file.",
    )


def _value_info(found: _Found) -> TensorInfo:
    tensor = _only(_only(found, 2, {}), 1, {})
    shape = None
    if 2 in tensor:
        shape = tuple(_only(axis, 1, None) for axis in tensor[2][0].get(1, ()))
    return TensorInfo(_only(found, 1), _only(tensor, 1, 0), shape)


def _entry(found: _Found) -> tuple[str, str]:
    return _only(found, 1), _only(found, 2)


def _check_domain(domain: str) -> None:
    if domain not in BUILT_IN_DOMAINS:
        raise ModelRefused(
            "MODEL-07",
            f"The model needs custom operators ({domain[:40]!r}), which are foreign code and are "
            "not loaded. Export it with standard ONNX operators.",
        )


_FINISHED = {
    "Graph": _graph,
    "OperatorSet": lambda found: _check_domain(_only(found, 1)),
    "Node": _node,
    "Tensor": _tensor,
    "ValueInfo": _value_info,
    "Entry": _entry,
    **dict.fromkeys(("Type", "TensorType", "Shape", "Dimension"), _keep),
}
