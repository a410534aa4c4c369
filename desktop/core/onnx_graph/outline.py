"""Read an ONNX file's outline without running it, to refuse what must not be run.

ONNX Runtime opens external data, resolves custom operators and optimises the graph while it loads.
A file from a stranger is therefore looked at here first, with a reader of the protocol buffer wire
format that skips the weights: no third-party parser, no allocation that the file can choose.
Field numbers: ``onnx.proto``, ONNX 1.x (IR version 3 to 13).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from desktop.core.errors import ModelRefused
from desktop.core.onnx_graph.protobuf import Bytes, fields
from desktop.core.onnx_graph.protobuf import message as _message
from desktop.core.onnx_graph.protobuf import text as _any_text

MAX_NODES = 5_000
"""The shipped ResNet50 has 300; ONNX Runtime needs minutes to optimise tens of thousands."""

MAX_FIELDS = 500_000
"""Parts of a file that are looked at: a hundred times as many as the shipped ResNet50 has, where a
file of a gigabyte can hold half a billion."""

MAX_METADATA_BYTES = 1 << 20
_MAX_NAME_BYTES = 1 << 16
MAX_DEPTH = 16
# Built into ONNX Runtime; any other domain would need a library that a model brings along.
BUILT_IN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
# A graph that can run for ever, and one whose time does not depend on its size.
ENDLESS_OPERATORS = frozenset({"Loop", "Scan", "SequenceMap"})


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

    Args:
        content: The whole file.

    Raises:
        ModelRefused: MODEL-05 damaged or too deep or too large, MODEL-06 external data,
            MODEL-07 operators that ONNX Runtime does not bring along or that may never end.
    """
    try:
        return _Reader().model(memoryview(content))
    except (IndexError, ValueError) as error:
        raise ModelRefused(
            "MODEL-05", "The file is not a complete ONNX model. Copy or export it again."
        ) from error


class _Reader:
    """One walk over one file; counts nodes over all graphs and subgraphs."""

    def __init__(self) -> None:
        self.nodes = 0
        self.looked_at = 0

    def model(self, data: memoryview) -> OnnxOutline:
        metadata: dict[str, str] = {}
        graph: memoryview | None = None
        for number, value in self._fields(data):
            if number == 7:
                if graph is not None:
                    raise ValueError("two graphs")
                graph = _message(value)
            elif number == 8:
                self._operator_set(_message(value))
            elif number == 14:
                entry = dict(self._fields(_message(value)))
                text = _message(entry.get(2, b""))
                if len(text) > MAX_METADATA_BYTES:
                    raise ModelRefused(
                        "MODEL-05", "The model's metadata is larger than 1 MB and is not read."
                    )
                metadata[_text(entry.get(1, b""))] = _any_text(text)
            elif number in (20, 25):
                raise ModelRefused(
                    "MODEL-07",
                    "The model brings its own functions or training graph, which this app does not "
                    "run. Export it for inference with standard operators.",
                )
        if graph is None:
            raise ValueError("no graph")
        inputs, outputs = self._graph(graph, 0)
        return OnnxOutline(inputs, outputs, metadata, self.nodes)

    def _fields(self, data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
        for field in fields(data):
            self.looked_at += 1
            if self.looked_at > MAX_FIELDS:
                raise ModelRefused(
                    "MODEL-05",
                    f"The model's description has more than {MAX_FIELDS:,} parts and is not read.",
                )
            yield field

    def _operator_set(self, data: memoryview) -> None:
        domain = _text(dict(self._fields(data)).get(1, b""))
        _check_domain(domain)

    def _graph(
        self, data: memoryview, depth: int
    ) -> tuple[tuple[TensorInfo, ...], tuple[TensorInfo, ...]]:
        if depth > MAX_DEPTH:
            raise ValueError("graphs nested too deep")
        inputs: list[TensorInfo] = []
        outputs: list[TensorInfo] = []
        initialised: set[str] = set()
        for number, value in self._fields(data):
            if number == 1:
                self._node(_message(value), depth)
            elif number == 5:
                initialised.add(self._tensor(_message(value)))
            elif number == 11:
                inputs.append(self._value_info(_message(value)))
            elif number == 12:
                outputs.append(self._value_info(_message(value)))
            elif number == 15:
                for _, part in self._fields(_message(value)):
                    if isinstance(part, memoryview):
                        self._tensor(part)
        # Old exporters list weights among the inputs.
        asked = tuple(item for item in inputs if item.name not in initialised)
        return asked, tuple(outputs)

    def _node(self, data: memoryview, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ModelRefused(
                "MODEL-05", f"The model has more than {MAX_NODES:,} operations and is not run."
            )
        for number, value in self._fields(data):
            if number == 4 and _text(value) in ENDLESS_OPERATORS:
                raise ModelRefused(
                    "MODEL-07",
                    f"The model contains a loop ({_text(value)}), which may never end. "
                    "Export it without loops.",
                )
            if number == 7:
                _check_domain(_text(value))
            elif number == 5:
                self._attribute(_message(value), depth)

    def _attribute(self, data: memoryview, depth: int) -> None:
        for number, value in self._fields(data):
            if number in (5, 10):
                self._tensor(_message(value))
            elif number in (6, 11):
                self._graph(_message(value), depth + 1)
            elif number in (22, 23):
                for _, part in self._fields(_message(value)):
                    if isinstance(part, memoryview):
                        self._tensor(part)

    def _tensor(self, data: memoryview) -> str:
        """Name of an initializer; the weights themselves are skipped."""
        name = ""
        for number, value in self._fields(data):
            if number == 8:
                name = _text(value)
            elif number == 13 or (number == 14 and value == 1):
                raise ModelRefused(
                    "MODEL-06",
                    "The model keeps weights in another file, which could be any file of this "
                    "machine. Export it as one file.",
                )
        return name

    def _value_info(self, data: memoryview) -> TensorInfo:
        parts = dict(self._fields(data))
        kind = dict(self._fields(_message(parts.get(2, memoryview(b"")))))
        element_type = 0
        shape: tuple[int | None, ...] | None = None
        if 1 in kind:
            for number, value in self._fields(_message(kind[1])):
                if number == 1 and isinstance(value, int):
                    element_type = value
                elif number == 2:
                    axes = [
                        _message(axis)
                        for field, axis in self._fields(_message(value))
                        if field == 1
                    ]
                    shape = tuple(map(self._dimension, axes))
        return TensorInfo(_text(parts.get(1, b"")), element_type, shape)

    def _dimension(self, data: memoryview) -> int | None:
        value = dict(self._fields(data)).get(1)
        return value if isinstance(value, int) else None


def _text(value: int | Bytes) -> str:
    """A name; ValueError where it is longer than any name."""
    if len(_message(value)) > _MAX_NAME_BYTES:
        raise ValueError("a name without end")
    return _any_text(value)


def _check_domain(domain: str) -> None:
    if domain not in BUILT_IN_DOMAINS:
        raise ModelRefused(
            "MODEL-07",
            f"The model needs custom operators ({domain[:40]!r}), which are foreign code and are "
            "not loaded. Export it with standard ONNX operators.",
        )
