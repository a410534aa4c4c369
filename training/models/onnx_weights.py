"""Take the weights of an exported network back into Keras, to train on from a shipped file.

Checkpoints are too large for the repository; the exported file holds the same network. Kernels are
in it as they were (rounded to 16 bits before the export). Batch normalisation (Ioffe and Szegedy
2015, eq. 3-4) is in it as one factor a and one offset b a channel: its four vectors cannot be told
apart, and inference does not need them. Training does, because it normalises with the statistics of
the batch. So the mean and variance of each channel are measured again on films, and

    gamma = a sqrt(variance + epsilon),    beta = b + a mean

give the same a and b, and nearly the same answers in training.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx
from keras import layers
from onnx import numpy_helper

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)  # Arrays: told apart by identity.
class ExportedConvolution:
    """One convolution of an exported file with what follows it.

    Attributes:
        kernel: [h, w, in, out], Keras's order.
        bias: [out]; zeros where the file has none.
        factor: a of its batch normalisation, [out].
        offset: b of its batch normalisation, [out].
        depth: Convolutions on the longest way from the input, this one included.
        number: Its place in the file.
        before: Numbers of the convolutions that it reads from, also through others.
    """

    kernel: Floats
    bias: Floats
    factor: Floats
    offset: Floats
    depth: int
    number: int
    before: frozenset[int]

    def for_shape(self, shape: tuple[int, ...]) -> Floats | None:
        """The kernel in a wanted shape, None where it has another one.

        A file that reads a grey film once, where the network reads it three times, holds the sum of
        the three.
        """
        if self.kernel.shape == shape:
            return self.kernel
        once = (*shape[:2], 1, shape[3])
        return np.repeat(self.kernel / shape[2], shape[2], 2) if self.kernel.shape == once else None


def take_exported_weights(model: keras.Model, file: Path, images: Floats) -> None:
    """Copy an exported network into a body of the same architecture, in place.

    The last layer is left as it is: the new classes are others.

    Args:
        model: Body of :mod:`training.models`.
        file: ``<model>.onnx`` of any panel.
        images: Training films, float32 [N, h, w, 1], 0 to 255, at the size trained with, for the
            statistics; some hundreds are enough.

    Raises:
        ValueError: The file is another network.
    """
    found = list(_convolutions(onnx.load(file).graph))
    wanted = list(_keras_convolutions(model))
    if len(found) < len(wanted):
        raise ValueError(
            f"{file} holds {len(found)} normalised convolutions, {model.name} has {len(wanted)}. "
            f"Give the {model.name}.onnx of an exported panel."
        )
    read: set[int] = set()
    # From the last one back: the file also holds the small network that looks for outliers, and
    # what the last convolution reads from is not of that one.
    for convolution, normalisation, depth in reversed(wanted):
        shape = tuple(convolution.kernel.shape)
        alike = [one for one in found if one.depth == depth and one.for_shape(shape) is not None]
        match = next((one for one in alike if one.number in read or not read), None)
        if match is None:
            raise ValueError(f"{file} has no {shape} convolution at depth {depth}.")
        found.remove(match)
        read |= match.before
        convolution.kernel.assign(match.for_shape(shape))
        if convolution.use_bias:
            convolution.bias.assign(match.bias)
        else:
            match = dataclasses.replace(match, offset=match.offset + match.factor * match.bias)
        # For now normalise with nothing, so that the forward pass below is already the right one.
        spread = np.sqrt(1.0 + normalisation.epsilon)
        normalisation.moving_mean.assign(np.zeros_like(match.offset))
        normalisation.moving_variance.assign(np.ones_like(match.offset))
        normalisation.gamma.assign(match.factor * spread)
        normalisation.beta.assign(match.offset)
    _measure_statistics(model, [(pair[0], pair[1]) for pair in wanted], images)


def _measure_statistics(
    model: keras.Model, pairs: list[tuple[Any, Any]], images: Floats, batch: int = 32
) -> None:
    """Give each normalisation the mean and variance of its input, keeping what it computes."""
    probe = keras.Model(model.input, [convolution.output for convolution, _ in pairs])
    sums = [np.zeros((2, convolution.output.shape[-1])) for convolution, _ in pairs]
    count = 0
    for start in range(0, len(images), batch):
        films = images[start : start + batch]
        count += len(films)
        for total, values in zip(sums, probe(films, training=False), strict=True):
            channels = np.asarray(values, np.float64).reshape(-1, values.shape[-1])
            share = len(films) / len(channels)
            total += share * np.stack([channels.sum(0), np.square(channels).sum(0)])
    for (_, normalisation), total in zip(pairs, sums, strict=True):
        mean, square = total / count
        variance = np.maximum(square - mean**2, 0.0)
        factor = normalisation.gamma.numpy() / np.sqrt(1.0 + normalisation.epsilon)
        normalisation.beta.assign(normalisation.beta.numpy() + factor * mean)
        normalisation.gamma.assign(factor * np.sqrt(variance + normalisation.epsilon))
        normalisation.moving_mean.assign(mean)
        normalisation.moving_variance.assign(variance)


def _keras_convolutions(model: keras.Model) -> Iterator[tuple[Any, Any, int]]:
    """(convolution, its normalisation, depth) of every normalised convolution."""
    depths: dict[str, int] = {}
    for layer in model.layers:
        # Every layer of the body is used once.
        before = [
            depths[parent.operation.name]
            for node in layer._inbound_nodes
            for parent in node.parent_nodes
        ]
        depths[layer.name] = max(before, default=0) + isinstance(layer, layers.Conv2D)
        if isinstance(layer, layers.BatchNormalization):
            (node,) = layer._inbound_nodes
            yield node.parent_nodes[0].operation, layer, depths[layer.name]


def _convolutions(graph: Any) -> Iterator[ExportedConvolution]:
    """The convolutions of an exported graph with their normalisation, apart or multiplied in."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    users: dict[str, list[Any]] = {}
    depths: dict[str, int] = {}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]].astype(np.float32)
        for name in node.input:
            users.setdefault(name, []).append(node)
    before_of: dict[str, frozenset[int]] = {}
    for number, node in enumerate(graph.node):
        before = max((depths.get(name, 0) for name in node.input), default=0)
        depth = before + (node.op_type == "Conv")
        depths.update(dict.fromkeys(node.output, depth))
        behind = frozenset().union(*(before_of.get(name, frozenset()) for name in node.input))
        itself = frozenset([number]) if node.op_type == "Conv" else frozenset()
        before_of.update(dict.fromkeys(node.output, behind | itself))
        if node.op_type != "Conv" or node.input[1] not in constants:
            continue
        kernel = constants[node.input[1]].astype(np.float32).transpose(2, 3, 1, 0)
        channels = kernel.shape[-1]
        bias = constants[node.input[2]] if len(node.input) > 2 else np.zeros(channels, np.float32)
        follower = _only(users, node.output[0])
        if len(node.input) == 2 and follower is not None and follower.op_type == "Add":
            vector = _vector(follower, constants, channels)
            if vector is None:
                continue
            bias, follower = vector, _only(users, follower.output[0])
        factor = _vector(follower, constants, channels) if _is(follower, "Mul") else None
        if _is(follower, "Relu") and len(node.input) > 2:
            # The converter has multiplied the normalisation into the kernel.
            zeros, ones = np.zeros(channels, np.float32), np.ones(channels, np.float32)
            folded = bias.astype(np.float32)
            yield ExportedConvolution(kernel, zeros, ones, folded, depth, number, behind)
        if factor is None or follower is None:
            continue
        follower = _only(users, follower.output[0])
        offset = _vector(follower, constants, channels) if _is(follower, "Add") else None
        if offset is not None:
            yield ExportedConvolution(
                kernel, bias.astype(np.float32), factor, offset, depth, number, behind
            )


def _only(users: dict[str, list[Any]], name: str) -> Any | None:
    found = users.get(name, [])
    return found[0] if len(found) == 1 else None


def _is(node: Any | None, kind: str) -> bool:
    return node is not None and node.op_type == kind


def _vector(node: Any, constants: dict[str, Any], channels: int) -> Floats | None:
    """The constant of a node if it is one value a channel."""
    for name in node.input:
        value = constants.get(name)
        if value is not None and value.size == channels:
            return value.astype(np.float32).reshape(channels)
    return None
