"""How close the whole job comes to what the processor can do, and how far off a plain script is.

On the same images and the same weights, in one run:

- *pipeline*: files from disk, decoded in a child process, four models with all maps, a CSV file;
- *plain Keras script*: ``load_img``, ``predict`` and a GradientTape Grad-CAM of every class, image
  by image, as most published notebooks do it (the tape compiled with ``tf.function``, and eager);
- *ONNX Runtime alone*: the same sessions on tensors that are already in memory;
- *sgemm floor*: the models' multiplications over the peak of a large matrix product, measured by
  the same library with the same threads.

Ratios are what to look at; seconds depend on the machine. Of several runs the fastest counts,
because whatever else the machine does can only add time.

    python tests/benchmarks/bench_pipeline.py [--images DIR] [--runs DIR] [--panel covid19]

With ``--runs`` the weights of finished training runs are used, without they are random: speed does
not depend on them.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper

from desktop.core.catalogue import Panel, open_panel
from desktop.core.contract import ModelCard, PanelManifest, PanelMember
from desktop.core.decode_process import DecodePool
from desktop.core.decoding import decode_file
from desktop.core.devices import usable_cores
from desktop.core.export_csv import TableRow, write_table
from desktop.core.folder import FoundFile
from desktop.core.gather import gather
from desktop.core.inference import PanelSession
from desktop.core.pipeline import DEFAULT_BATCH, batch_plan, label, without_maps
from tests.data_location import shared_data

MODELS = ("scnn", "ccnn", "daccnn", "resnet50")
CLASSES = {"covid19": ("Covid", "Normal", "Viral Pneumonia"), "pneumonia": ("Normal", "Pneumonia")}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=Path, help="folder of full-size films")
    parser.add_argument("--runs", type=Path, help="folder with <panel>-<model> training runs")
    parser.add_argument("--panel", default="covid19", choices=sorted(CLASSES))
    parser.add_argument("--count", type=int, default=60, help="images")
    parser.add_argument("--keras-count", type=int, default=8, help="images for the Keras script")
    parser.add_argument("--repeats", type=int, default=3, help="runs, of which the fastest counts")
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    data = shared_data()
    folder = arguments.images or (data / "full-size" if data else None)
    if folder is None:
        sys.exit("Name a folder of films with --images, or the shared data with CXR_QUORUM_DATA.")
    files = list(gather([folder], recursive=True))[: arguments.count]
    with tempfile.TemporaryDirectory() as scratch:
        bodies, panel = write_panel(Path(scratch), arguments.panel, arguments.runs)
        figures = measure(arguments, files, bodies, panel, Path(scratch))
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(
    arguments: argparse.Namespace,
    files: list[FoundFile],
    bodies: dict[str, Any],
    panel: Panel,
    scratch: Path,
) -> dict[str, float]:
    """All figures in seconds an image, and what they were measured with."""
    threads = arguments.threads
    session = PanelSession(panel, "cpu", threads, streams=threads)
    stack = tensors(files, panel)
    flops = sum(model_flops(model.path) for model in panel.models)
    print(f"{len(files)} images, {threads} threads, {flops / 1e9:.2f} GFLOP an image", flush=True)
    peak, alone, whole, without = [], [], [], []
    plan = batch_plan(threads)
    with DecodePool(plan.decoders, sizes=panel.input_sizes, ahead=plan.ahead) as decoder:
        run_pipeline(session, decoder, files[:8], scratch)  # workers are up, files are in memory
        for _ in range(arguments.repeats):
            # Side by side, so that a slower minute of the machine hits all of them.
            peak.append(sgemm_peak(threads))
            alone.append(timed(lambda: run_alone(session, stack)) / len(files))
            whole.append(timed(lambda: run_pipeline(session, decoder, files, scratch)) / len(files))
            without.append(timed(lambda: run_alone(session, stack, maps=False)) / len(files))
    graph, eager = keras_script(files[: arguments.keras_count], bodies)
    return {
        "images": float(len(files)),
        "threads": float(threads),
        "gflop_an_image": flops / 1e9,
        "peak_gflops": max(peak) / 1e9,
        "floor": flops / max(peak),
        "ort_alone": min(alone),
        "ort_alone_without_maps": min(without),
        "pipeline": min(whole),
        "keras_compiled_tape": graph,
        "keras_eager_tape": eager,
    }


def report(figures: dict[str, float]) -> None:
    """Print milliseconds an image and the ratios."""
    pipeline = figures["pipeline"]
    rows = [
        ("sgemm floor", figures["floor"]),
        ("ONNX Runtime alone, in memory", figures["ort_alone"]),
        ("whole pipeline, disk to CSV", pipeline),
        ("plain Keras, compiled tape", figures["keras_compiled_tape"]),
        ("plain Keras, eager tape", figures["keras_eager_tape"]),
    ]
    print(f"\npeak {figures['peak_gflops']:.0f} GFLOPS (sgemm through ONNX Runtime)")
    for name, seconds in rows:
        print(f"{name:32}{1000 * seconds:9.1f} ms/image{1 / seconds:9.1f} images/s")
    maps = figures["ort_alone"] / figures["ort_alone_without_maps"] - 1
    print(
        f"\npipeline / floor                {figures['floor'] / pipeline:6.2f} of the floor's speed"
    )
    print(f"pipeline / ONNX Runtime alone   {figures['ort_alone'] / pipeline:6.2f} of its speed")
    print(f"plain Keras (compiled) / ours   {figures['keras_compiled_tape'] / pipeline:6.1f} x")
    print(f"plain Keras (eager) / ours      {figures['keras_eager_tape'] / pipeline:6.1f} x")
    print(f"maps cost                       {100 * maps:6.1f} %")


def timed(work: Callable[[], object]) -> float:
    """Seconds that ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def tensors(files: Iterable[FoundFile], panel: Panel) -> dict[Any, npt.NDArray[np.uint8]]:
    """All images as the models take them."""
    decoded = [decode_file(file, panel.input_sizes, film=False) for file in files]
    return {size: np.stack([item.pixels[size] for item in decoded]) for size in panel.input_sizes}


def run_alone(
    session: PanelSession, stack: dict[Any, npt.NDArray[np.uint8]], *, maps: bool = True
) -> None:
    """The models on tensors in memory, as many streams as threads."""
    from concurrent.futures import ThreadPoolExecutor

    count = len(next(iter(stack.values())))

    def ask(start: int) -> None:
        part = {size: batch[start : start + DEFAULT_BATCH] for size, batch in stack.items()}
        session.predict(part, maps=maps)

    with ThreadPoolExecutor(session.streams) as pool:
        list(pool.map(ask, range(0, count, DEFAULT_BATCH)))


def run_pipeline(
    session: PanelSession, decoder: DecodePool, files: list[FoundFile], scratch: Path
) -> None:
    """Files from disk to a CSV file, maps included."""
    cases = label(files, session, maps=True, decoder=decoder)
    rows = (TableRow(without_maps(case.result), device="cpu") for case in cases)
    written = write_table(scratch / "votes.csv", session.panel, rows)
    assert written == len(files)


def keras_script(files: list[FoundFile], bodies: dict[str, Any]) -> tuple[float, float]:
    """Seconds an image of the plain script: with a compiled tape, and with an eager one."""
    import keras
    import tensorflow as tf

    from training.grad_cam_head import grad_cams_by_tape, inference_outputs
    from training.models.layers import FEATURES, LOGITS

    classifiers, tapes = {}, {}
    for name, body in bodies.items():
        outputs = inference_outputs(body)
        classifiers[name] = keras.Model(body.inputs, keras.ops.softmax(outputs.output[LOGITS]))
        assert FEATURES in outputs.output
        tapes[name] = tf.function(lambda grey, body=body: grad_cams_by_tape(body, grey))

    def script(tape: Callable[[str, Any], Any]) -> None:
        for file in files:
            for name, body in bodies.items():
                side = body.input_shape[1]
                picture = keras.utils.load_img(
                    file.path, color_mode="grayscale", target_size=(side, side)
                )
                grey = keras.utils.img_to_array(picture)[np.newaxis]
                classifiers[name].predict(grey, verbose=0)
                np.asarray(tape(name, tf.constant(grey)))

    def compiled(name: str, grey: Any) -> Any:
        return tapes[name](grey)

    def eager(name: str, grey: Any) -> Any:
        return grad_cams_by_tape(bodies[name], grey)

    results = []
    for tape in (compiled, eager):
        first, files[:] = files[:], files[:1]
        script(tape)  # tracing and memory are not the script's daily work
        files[:] = first
        results.append(timed(lambda tape=tape: script(tape)) / len(files))
    return results[0], results[1]


def sgemm_peak(threads: int, side: int = 1536) -> float:
    """Peak multiplications and additions a second of a square float32 product, best of several.

    Through ONNX Runtime: numpy's BLAS may have been told to act like an older processor.
    """
    value = helper.make_tensor_value_info
    shape = [side, side]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        "sgemm",
        [value("a", TensorProto.FLOAT, shape), value("b", TensorProto.FLOAT, shape)],
        [value("c", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    random = np.random.default_rng(0)
    feeds = {name: random.random(shape, np.float32) for name in ("a", "b")}
    best = min(timed(lambda: session.run(None, feeds)) for _ in range(8))
    return float(2 * side**3 / best)


def model_flops(path: Path) -> float:
    """Multiplications and additions of the convolutions and products of one image."""
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    shapes = {
        info.name: [axis.dim_value or 1 for axis in info.type.tensor_type.shape.dim]
        for info in [*inferred.graph.value_info, *inferred.graph.output, *inferred.graph.input]
    }
    shapes |= {item.name: list(item.dims) for item in model.graph.initializer}
    total = 0.0
    for node in model.graph.node:
        if node.op_type == "Conv":
            weights = shapes.get(node.input[1]) or shapes[f"{node.input[1]}_half"]
            total += 2.0 * float(np.prod(shapes[node.output[0]])) * float(np.prod(weights[1:]))
        elif node.op_type in ("MatMul", "Gemm") and node.output[0] in shapes:
            inner = shapes.get(node.input[0], [1])[-1]
            total += 2.0 * float(np.prod(shapes[node.output[0]])) * inner
    return total


def write_panel(scratch: Path, panel: str, runs: Path | None) -> tuple[dict[str, Any], Panel]:
    """The four networks in Keras, and the same weights as an exported panel."""
    from training.config import config_for
    from training.export import fixed_body
    from training.graph import to_onnx, with_card
    from training.models import TITLES
    from training.train import load_best

    classes = CLASSES[panel]
    folder = scratch / panel
    folder.mkdir()
    bodies, members = {}, []
    for name in MODELS:
        run = None if runs is None else runs / f"{panel}-{name}"
        if run is not None and (run / "best.npz").exists():
            config, described, trained = load_best(run)
            body = fixed_body(config, described, trained)
        else:
            from training.models import build

            config = config_for(name, panel)
            body = build(
                name, len(classes), config.body_side, dropout=config.dropout, weights="none"
            )
            if runs is not None:
                print(f"{name}: no finished run in {runs}, random weights", flush=True)
        bodies[name] = body
        card = ModelCard(
            name=name,
            title=TITLES[name],
            panel=panel,
            class_names=classes,
            input_size=config.input_size,
            version="0",
            temperature=1.0,
            operating_points={},
            training_data_sha256="0" * 64,
            commit="",
            created="2026-11-23",
        )
        with contextlib.redirect_stderr(None):
            content = with_card(to_onnx(served(body, config, len(classes))), card)
        (folder / f"{name}.onnx").write_bytes(content)
        members.append(PanelMember(name, f"{name}.onnx", hashlib.sha256(content).hexdigest()))
    manifest = PanelManifest(panel, panel, classes, tuple(members), 1.0, "0")
    (folder / "manifest.json").write_text(manifest.to_json())
    return bodies, open_panel(folder)


def served(body: Any, config: Any, classes: int) -> Any:
    """A network ready for export, with an out-of-distribution head of the usual size."""
    from training.calibrate import Calibration
    from training.graph import ServedModel
    from training.models.layers import FEATURES
    from training.out_of_distribution import OodHead, View

    random = np.random.default_rng(0)

    def view(channels: int, dimensions: int) -> View:
        basis = random.normal(size=(channels, min(channels, dimensions))).astype(np.float32)
        centres = random.normal(size=(classes, basis.shape[1])).astype(np.float32)
        return View(np.zeros(channels, np.float32), basis, basis, centres)

    channels = body.get_layer(FEATURES).output.shape[-1]
    ood = OodHead(view(channels, 96), view(14 * 14, 48))
    calibration = Calibration(1.0, (0.0,) * classes)
    return ServedModel(body, config.input_size, config.reduce, calibration, ood)


if __name__ == "__main__":
    main()
