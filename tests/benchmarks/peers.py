"""What the pipeline is measured beside: plain scripts in Keras and PyTorch, with the same networks.

Both read each film as published notebooks do, ask each network for its classes and for a Grad-CAM
map of every class, image by image. The PyTorch networks are built from the layers and weights of
the Keras ones, and must give the same logits before anything is timed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MODELS = ("scnn", "ccnn", "daccnn", "resnet50")
LIKENESS = "likeness.npz"
"""One input and each network's logits, to prove that two scripts run the same networks."""


# --- Keras -----------------------------------------------------------------------------------


def build_bodies(panel: str, classes: int, runs: Path | None) -> dict[str, Any]:
    """The four networks: with the weights of finished runs, else random; speed does not differ."""
    from training.configs import config_for
    from training.export.exporter import fixed_body
    from training.fit.networks import load_best
    from training.models import build

    bodies = {}
    for name in MODELS:
        run = None if runs is None else runs / f"{panel}-{name}"
        if run is not None and (run / "best.npz").exists():
            bodies[name] = fixed_body(*load_best(run))
        else:
            config = config_for(name, panel)
            bodies[name] = build(
                name, classes, config.body_side, dropout=config.dropout, weights="none"
            )
    return bodies


def describe(bodies: dict[str, Any], folder: Path) -> None:
    """Write layers and weights of the networks, and what they say about one input."""
    random = np.random.default_rng(0)
    answers: dict[str, npt.NDArray[Any]] = {}
    for name, body in bodies.items():
        layers, weights = [], {}
        for layer in body.layers:
            settings = layer.get_config()
            sources = [
                origin._keras_history.operation.name
                for node in layer._inbound_nodes[-1:]
                for origin in node.input_tensors
            ]
            layers.append(
                {
                    "name": layer.name,
                    "kind": type(layer).__name__,
                    "from": sources,
                    **{key: settings.get(key) for key in _SETTINGS if key in settings},
                }
            )
            for number, value in enumerate(layer.get_weights()):
                weights[f"{layer.name}/{number}"] = np.asarray(value)
        (folder / f"{name}.json").write_text(json.dumps(layers))
        np.savez(folder / f"{name}.npz", **weights)
        side = body.input_shape[1]
        grey = random.uniform(0, 255, (1, side, side, 1)).astype(np.float32)
        answers[f"{name}/grey"] = grey
        answers[f"{name}/logits"] = np.asarray(body(grey, training=False)["logits"])
    np.savez(folder / LIKENESS, **answers)


_SETTINGS = (
    "strides",
    "padding",
    "pool_size",
    "activation",
    "epsilon",
    "scale",
    "use_bias",
    "negative_slope",
)


def keras_script(bodies: dict[str, Any], *, compiled: bool) -> Callable[[Sequence[Path]], None]:
    """``load_img``, ``predict`` and a GradientTape map of every class, image by image.

    Args:
        bodies: The networks.
        compiled: The tape is a ``tf.function``; else it runs eagerly.
    """
    import keras
    import tensorflow as tf

    from training.models.grad_cam import grad_cams_by_tape, inference_outputs
    from training.models.layers import LOGITS

    classifiers, tapes = {}, {}
    for name, body in bodies.items():
        outputs = inference_outputs(body)
        classifiers[name] = keras.Model(body.inputs, keras.ops.softmax(outputs.output[LOGITS]))
        plain = lambda grey, body=body: grad_cams_by_tape(body, grey)  # noqa: E731
        tapes[name] = tf.function(plain) if compiled else plain

    def run(files: Sequence[Path]) -> None:
        for file in files:
            for name, body in bodies.items():
                side = body.input_shape[1]
                picture = keras.utils.load_img(
                    file, color_mode="grayscale", target_size=(side, side)
                )
                grey = keras.utils.img_to_array(picture)[np.newaxis]
                classifiers[name].predict(grey, verbose=0)
                np.asarray(tapes[name](tf.constant(grey)))

    return run


# --- PyTorch ---------------------------------------------------------------------------------


def torch_script(folder: Path, threads: int) -> Callable[[Sequence[Path]], None]:
    """Eager PyTorch with hooks: one forward pass an image and network, one backward pass a class.

    That is kinder than the usual Grad-CAM library, which repeats the forward pass for every class.

    Args:
        folder: What ``describe`` wrote.
        threads: Processor threads.

    Raises:
        AssertionError: A network answers differently from its Keras original.
    """
    import torch
    from PIL import Image

    torch.set_num_threads(threads)
    networks = {name: _network(folder, name) for name in MODELS}
    answers = np.load(folder / LIKENESS)
    for name, network in networks.items():
        grey = torch.from_numpy(answers[f"{name}/grey"].transpose(0, 3, 1, 2).copy())
        logits = network(grey).detach().numpy()
        assert np.allclose(logits, answers[f"{name}/logits"], atol=1e-3, rtol=1e-3), name

    def run(files: Sequence[Path]) -> None:
        for file in files:
            for network in networks.values():
                with Image.open(file) as picture:
                    small = picture.convert("L").resize((network.side, network.side))
                grey = torch.from_numpy(np.asarray(small, np.float32))[None, None]
                _maps_by_hooks(network, grey)

    return run


def _maps_by_hooks(network: Any, grey: Any) -> tuple[Any, list[Any]]:
    import torch

    kept: dict[str, Any] = {}
    layer = network.parts["features"]
    hooks = [
        layer.register_forward_hook(lambda _, __, output: kept.update(features=output)),
        layer.register_full_backward_hook(lambda _, __, grads: kept.update(gradient=grads[0])),
    ]
    logits = network(grey)
    maps = []
    for column in range(logits.shape[1]):
        network.zero_grad()
        logits[0, column].backward(retain_graph=True)
        alphas = kept["gradient"].mean((2, 3), keepdim=True)
        maps.append(torch.relu((alphas * kept["features"]).sum(1)).detach().numpy())
    for hook in hooks:
        hook.remove()
    return torch.softmax(logits, 1).detach().numpy(), maps


def _network(folder: Path, name: str) -> Any:
    import torch
    from torch import nn
    from torch.nn import functional

    layers = json.loads((folder / f"{name}.json").read_text())
    with np.load(folder / f"{name}.npz") as stored:
        weights = {key: torch.from_numpy(stored[key].copy()) for key in stored.files}
    side = int(np.load(folder / LIKENESS)[f"{name}/grey"].shape[1])

    class Padded(nn.Module):
        """A layer behind the padding that Keras calls ``same``: odd pixels at the far end."""

        def __init__(self, inner: Any, kernel: int, stride: int, value: float) -> None:
            super().__init__()
            self.inner, self.kernel, self.stride, self.value = inner, kernel, stride, value

        def forward(self, images: Any) -> Any:
            amounts = []
            for length in (images.shape[3], images.shape[2]):
                total = max((-(-length // self.stride) - 1) * self.stride + self.kernel - length, 0)
                amounts += [total // 2, total - total // 2]
            return self.inner(functional.pad(images, amounts, value=self.value))

    class Standardise(nn.Module):
        def __init__(self, scale: float) -> None:
            super().__init__()
            self.scale = scale

        def forward(self, images: Any) -> Any:
            centred = images - images.mean((1, 2, 3), keepdim=True)
            variance = centred.square().mean((1, 2, 3), keepdim=True)
            return centred * (self.scale / torch.sqrt(variance + 1.0))

    class KerasFlatten(nn.Module):
        def forward(self, images: Any) -> Any:
            return images.permute(0, 2, 3, 1).flatten(1)

    class Average(nn.Module):
        def forward(self, images: Any) -> Any:
            return images.mean((2, 3))

    def convolution(layer: dict[str, Any]) -> Any:
        kernel = weights[f"{layer['name']}/0"].permute(3, 2, 0, 1).contiguous()
        bias = weights.get(f"{layer['name']}/1")
        size, stride = kernel.shape[2], _one(layer["strides"])
        same = layer["padding"] == "same"
        part = nn.Conv2d(
            kernel.shape[1],
            kernel.shape[0],
            size,
            stride,
            padding=size // 2 if same and stride == 1 else 0,
            bias=bias is not None,
        )
        part.weight.data = kernel
        if bias is not None:
            part.bias.data = bias
        return Padded(part, size, stride, 0.0) if same and stride > 1 else part

    def dense(layer: dict[str, Any]) -> Any:
        matrix, bias = weights[f"{layer['name']}/0"], weights[f"{layer['name']}/1"]
        part = nn.Linear(matrix.shape[0], matrix.shape[1])
        part.weight.data, part.bias.data = matrix.T.contiguous(), bias
        return nn.Sequential(part, nn.ReLU()) if layer["activation"] == "relu" else part

    def normalisation(layer: dict[str, Any]) -> Any:
        values = [weights[f"{layer['name']}/{number}"] for number in range(4)]
        part = nn.BatchNorm2d(len(values[0]), eps=layer["epsilon"])
        part.weight.data, part.bias.data, part.running_mean, part.running_var = values
        return part

    def pool(layer: dict[str, Any]) -> Any:
        size, stride = _one(layer["pool_size"]), _one(layer["strides"])
        part = nn.MaxPool2d(size, stride)
        return Padded(part, size, stride, -np.inf) if layer["padding"] == "same" else part

    def part_for(layer: dict[str, Any]) -> Any:
        kind = layer["kind"]
        if kind == "Conv2D":
            return convolution(layer)
        if kind == "Dense":
            return dense(layer)
        if kind == "BatchNormalization":
            return normalisation(layer)
        if kind == "MaxPooling2D":
            return pool(layer)
        if kind == "ZeroPadding2D":
            (top, bottom), (left, right) = layer["padding"]
            return nn.ZeroPad2d((left, right, top, bottom))
        if kind == "Standardise":
            return Standardise(layer["scale"])
        if kind == "ReLU" or layer.get("activation") == "relu":
            return nn.ReLU()
        plain = {"Flatten": KerasFlatten, "GlobalAveragePooling2D": Average}
        return plain.get(kind, nn.Identity)()

    class Network(nn.Module):
        """The layers in their order; eager, one call a layer."""

        def __init__(self) -> None:
            super().__init__()
            self.side = side
            self.parts = nn.ModuleDict({layer["name"]: part_for(layer) for layer in layers})

        def forward(self, images: Any) -> Any:
            values: dict[str, Any] = {}
            for layer in layers:
                sources = [values[name] for name in layer["from"]]
                if layer["kind"] == "InputLayer":
                    value = images
                elif layer["kind"] == "Concatenate":
                    value = torch.cat(sources, 1)
                elif layer["kind"] == "Add":
                    value = sources[0] + sources[1]
                else:
                    value = self.parts[layer["name"]](sources[0])
                values[layer["name"]] = value
            return values["logits"]

    return Network().eval()


def _one(setting: Any) -> int:
    return int(setting[0] if isinstance(setting, list | tuple) else setting)
