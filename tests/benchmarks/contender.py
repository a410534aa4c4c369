"""One side of the comparison, in a process of its own: runs when told to, says what it cost.

Reads ``run`` lines from standard input; answers one JSON object a line. Clock and processor time,
child processes included: on a machine that does other work only the latter means something.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

Work = Callable[[], int]
"""Does the work once and returns the number of images (or of products, for the floor)."""


def main() -> None:
    """Entry point: ``contender.py NAME SPEC.json``."""
    name, spec = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    with CONTENDERS[name.split(":")[0]](name, spec) as (work, facts):
        print(json.dumps({"ready": name, **facts}), flush=True)
        for line in sys.stdin:
            if line.strip() != "run":
                break
            before, start = family_cpu_seconds(), time.perf_counter()
            images = work()
            wall = time.perf_counter() - start
            cpu = family_cpu_seconds() - before
            print(json.dumps({"images": images, "wall": wall, "cpu": cpu}), flush=True)


def family_cpu_seconds() -> float:
    """Processor time of this process and of all that live below it."""
    total = time.process_time()
    ticks = os.sysconf("SC_CLK_TCK")
    waiting = list(_children(os.getpid()))
    while waiting:
        one = waiting.pop()
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / ticks
            waiting += _children(one)
    return total


def _children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                yield from map(int, (task / "children").read_text().split())


@contextlib.contextmanager
def pipeline(name: str, spec: dict[str, Any]) -> Iterator[tuple[Work, dict[str, Any]]]:
    """Files from disk to a CSV file: ``pipeline``, ``pipeline:openvino``, ``pipeline:int8``."""
    from desktop.core.batch.pipeline import batch_plan, label, without_maps
    from desktop.core.cases import ImageFile
    from desktop.core.export.table import TableRow, write_table
    from desktop.core.imaging.decoders.pool import DecodePool
    from desktop.core.inference.precision import ALL_FP32, plan_precision
    from desktop.core.inference.session import PanelSession
    from desktop.core.panels.registry import open_panel

    kind = name.partition(":")[2]
    threads = spec["threads"]
    panel = open_panel(Path(spec["panel"]))
    plan = batch_plan(threads, spec.get("batch"))
    session = PanelSession(
        panel,
        "openvino" if kind == "openvino" else "cpu",
        threads,
        streams=plan.streams,
        on_cpu=plan_precision(panel, "int8", "cpu") if kind == "int8" else ALL_FP32,
    )
    if kind == "openvino":
        assert session.report.running == "openvino", session.report.reason
    files = [ImageFile(Path(path), Path(path).name) for path in spec["films"]]
    files *= spec["rounds_of_films"]
    target = Path(spec["scratch"]) / f"{name.replace(':', '_')}.csv"
    with DecodePool(plan.decoders, sizes=panel.input_sizes, ahead=plan.ahead) as decoder:

        def work(some: list[ImageFile] = files) -> int:
            cases = label(some, session, maps=True, batch=plan.batch, decoder=decoder)
            rows = (TableRow(without_maps(case.result), device=case.device) for case in cases)
            return write_table(target, panel, rows)

        work(files[: 4 * plan.batch])  # workers are up, films are in memory
        yield (
            work,
            {
                "streams": plan.streams,
                "decoders": plan.decoders,
                "batch": plan.batch,
                "precision": session.report.precision,
            },
        )


@contextlib.contextmanager
def models_alone(name: str, spec: dict[str, Any]) -> Iterator[tuple[Work, dict[str, Any]]]:
    """The same sessions on films that are in memory: ``models`` and ``models:without_maps``."""
    from desktop.core.batch.pipeline import batch_plan
    from desktop.core.cases import ImageFile
    from desktop.core.imaging.decoders.decoder import decode_file
    from desktop.core.inference.session import PanelSession
    from desktop.core.panels.registry import open_panel

    panel = open_panel(Path(spec["panel"]))
    plan = batch_plan(spec["threads"], spec.get("batch"))
    session = PanelSession(panel, "cpu", spec["threads"], streams=plan.streams)
    sizes = panel.input_sizes
    decoded = [
        decode_file(ImageFile(Path(path), Path(path).name), sizes, film=False)
        for path in spec["films"]
    ]
    stack = {size: np.stack([item.pixels[size] for item in decoded]) for size in sizes}
    maps = not name.endswith("without_maps")
    if not maps:
        # What nobody asked for is still computed, so the graph without maps is another graph.
        session = _without_map_nodes(session, spec)

    def ask(start: int) -> None:
        part = {size: batch[start : start + plan.batch] for size, batch in stack.items()}
        session.predict(part, maps=maps)

    def work() -> int:
        starts = list(range(0, len(decoded), plan.batch)) * spec["rounds_of_films"]
        with ThreadPoolExecutor(session.streams) as pool:
            list(pool.map(ask, starts))
        return len(decoded) * spec["rounds_of_films"]

    work()
    yield work, {}


def _without_map_nodes(session: Any, spec: dict[str, Any]) -> Any:
    """The same panel with the nodes of the maps cut out of the graphs."""
    import onnx
    from onnx import utils

    from desktop.core.inference.session import PanelSession, make_session
    from desktop.core.panels.contract import OUTPUT_CAMS
    from desktop.core.panels.registry import open_panel

    def cut(content: bytes, options: Any, providers: Any) -> Any:
        model = onnx.load_from_string(content)
        keep = [output.name for output in model.graph.output if output.name != OUTPUT_CAMS]
        inputs = [item.name for item in model.graph.input]
        smaller = utils.Extractor(model).extract_model(inputs, keep)
        return _NoMaps(make_session(smaller.SerializeToString(), options, providers))

    return PanelSession(
        open_panel(Path(spec["panel"])),
        "cpu",
        spec["threads"],
        streams=session.streams,
        session_maker=cut,
    )


class _NoMaps:
    """A session whose graph has no maps; the first look at a grey image asks for them."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def get_providers(self) -> list[str]:
        return list(self._session.get_providers())

    def run(self, names: list[str], feeds: dict[str, Any]) -> list[Any]:
        known = [name for name in names if name != "cams"]
        values = dict(zip(known, self._session.run(known, feeds), strict=True))
        blank = np.zeros((len(feeds["pixels"]), 1, 1, 1), np.float32)
        return [values.get(name, blank) for name in names]


@contextlib.contextmanager
def sgemm(name: str, spec: dict[str, Any]) -> Iterator[tuple[Work, dict[str, Any]]]:
    """Square float32 products through ONNX Runtime: the speed that multiplications can have.

    Not numpy's: its BLAS may have been told to act like an older processor.
    """
    import onnxruntime
    from onnx import TensorProto, helper

    import desktop.core  # noqa: F401 - switches the runtime's reports off first

    side = spec["sgemm_sides"][name]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        "sgemm",
        [value("a", TensorProto.FLOAT, [side, side]), value("b", TensorProto.FLOAT, [side, side])],
        [value("c", TensorProto.FLOAT, [side, side])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    # One product on each thread, as the pipeline runs one stream on each.
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    random = np.random.default_rng(0)
    feeds = {key: random.random((side, side), np.float32) for key in ("a", "b")}

    def work() -> int:
        count = round(12 * (1536 / side) ** 3) * spec["threads"]
        with ThreadPoolExecutor(spec["threads"]) as pool:
            list(pool.map(lambda _: session.run(None, feeds), range(count)))
        return count

    work()
    yield work, {}


@contextlib.contextmanager
def jpeg(name: str, spec: dict[str, Any]) -> Iterator[tuple[Work, dict[str, Any]]]:
    """libjpeg's own work on the same films at the same reduction, and nothing else."""
    import io

    from PIL import Image

    contents = [Path(path).read_bytes() for path in spec["films"]]
    wanted = (spec["at_least"],) * 2

    def decode(content: bytes) -> None:
        with Image.open(io.BytesIO(content)) as picture:
            picture.draft("L", wanted)
            picture.load()

    def work() -> int:
        with ThreadPoolExecutor(spec["threads"]) as pool:
            list(pool.map(decode, contents))
        return len(contents)

    work()
    yield work, {}


@contextlib.contextmanager
def keras(name: str, spec: dict[str, Any]) -> Iterator[tuple[Work, dict[str, Any]]]:
    """The plain Keras script: ``keras:compiled`` and ``keras:eager``."""
    from tests.benchmarks.peers import build_bodies, describe, keras_script

    runs = Path(spec["runs"]) if spec["runs"] else None
    bodies = build_bodies(spec["panel_name"], spec["classes"], runs)
    if name.endswith("compiled"):
        describe(bodies, Path(spec["networks"]))
    script = keras_script(bodies, compiled=name.endswith("compiled"))
    yield _few(script, spec), {}


@contextlib.contextmanager
def torch(name: str, spec: dict[str, Any]) -> Iterator[tuple[Work, dict[str, Any]]]:
    """The plain PyTorch script."""
    from tests.benchmarks.peers import torch_script

    yield _few(torch_script(Path(spec["networks"]), spec["threads"]), spec), {}


def _few(script: Callable[[list[Path]], None], spec: dict[str, Any]) -> Work:
    """A slow script gets the first films only, evenly spaced so that their sizes are typical."""
    films = [Path(path) for path in spec["films"]]
    few = films[:: max(1, len(films) // spec["few"])][: spec["few"]]
    script(few[:1])  # tracing and memory are not a script's daily work

    def work() -> int:
        script(few)
        return len(few)

    return work


CONTENDERS = {
    "pipeline": pipeline,
    "models": models_alone,
    "sgemm": sgemm,
    "jpeg": jpeg,
    "keras": keras,
    "torch": torch,
}


if __name__ == "__main__":
    main()
