"""How close the whole job comes to what the processor can do, and how far off plain scripts are.

In one run, each side in a process of its own, one after the other in every round:

- *pipeline*: full-size JPEG from disk, decoded in child processes, four models with the maps of
  every class, a CSV file; in fp32, in int8 where this processor is proved to gain by it, and with
  OpenVINO in place of ONNX Runtime;
- *models*: the same sessions on films that are in memory, with maps and with the maps cut out of
  the graphs;
- *sgemm*: float32 products on every thread, a large one (the usual measure) and one that fits the
  cache, where most processors are faster; *jpeg*: libjpeg's own work on the same films. The models'
  multiplications, as the files state them, at the speed of the faster product are the floor, with
  libjpeg's work added the floor of reading films too;
- *keras*: ``load_img``, ``predict`` and a GradientTape Grad-CAM of every class, image by image,
  compiled with ``tf.function`` and eager; *torch*: eager PyTorch with hooks, kinder than the usual
  library.

Ratios are what to look at; seconds depend on the machine. Of several rounds the fastest counts:
whatever else a machine does can only add time. Where it does much else the clock means nothing, and
the ratios are made of processor time, child processes included; the table says which.

    python tests/benchmarks/bench_pipeline.py [--images DIR] [--peers PYTHON] [--json FILE]

Where only some minutes of quiet can be had at a time, ``--only ... --add`` measures some sides, the
pipeline always among them, and adds their ratios to the file. A side that cannot run is named with
its reason, also in the file.

``--peers`` is another interpreter with ``torch`` and ``openvino``, where they are not installed
beside the project. ``--runs`` takes the weights of finished training runs for the Keras networks;
without they are random, which changes no time.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import onnx

from desktop.core.files.inputs import list_inputs
from desktop.core.inference.devices import usable_cores
from desktop.core.panels.registry import open_panel, read_verified
from tests.benchmarks.speed_ratios import Cost, figures, report
from tests.helpers.data_location import shared_data

PEERS = {"torch": "torch", "pipeline:openvino": "openvino"}
"""Contender -> the package it needs."""
ALL = (
    "sgemm",
    "sgemm:cached",
    "jpeg",
    "models",
    "models:without_maps",
    "pipeline",
    "pipeline:int8",
    "pipeline:openvino",
    "keras:compiled",
    "keras:eager",
    "torch",
)
SGEMM_SIDES = {"sgemm": 1536, "sgemm:cached": 384}
BUSY_LOAD = 0.7


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=Path, help="folder of full-size films")
    parser.add_argument("--panel", default="covid19", help="panel, or its folder")
    parser.add_argument("--runs", type=Path, help="folder with <panel>-<model> training runs")
    parser.add_argument("--peers", type=Path, help="interpreter with torch and openvino")
    parser.add_argument("--only", nargs="+", choices=ALL, default=ALL, help="contenders")
    parser.add_argument("--count", type=int, default=60, help="films")
    parser.add_argument("--passes", type=int, default=4, help="passes over the films in a round")
    parser.add_argument("--few", type=int, default=6, help="films for the slow scripts")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the fastest counts")
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--batch", type=int, help="images in a micro-batch")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--add", action="store_true", help="add to the figures that are there")
    arguments = parser.parse_args()
    data = shared_data()
    folder = arguments.images or (data / "full-size" if data else None)
    if folder is None:
        sys.exit("Name a folder of films with --images, or the shared data with CXR_QUORUM_DATA.")
    with tempfile.TemporaryDirectory() as scratch:
        found = measure(arguments, folder, Path(scratch))
    report(found)
    if arguments.json:
        kept = json.loads(arguments.json.read_text()) if arguments.json.exists() else {}
        if arguments.add and "pipeline" in kept:
            found = added(kept["pipeline"], found)
        arguments.json.write_text(json.dumps({**kept, "pipeline": found}, indent=2) + "\n")
    if found["left_out"]:
        print("\nNot measured:")
        for name, reason in found["left_out"].items():
            print(f"  {name}: {reason}")


def measure(arguments: argparse.Namespace, folder: Path, scratch: Path) -> dict[str, Any]:
    """All contenders, round by round; see ``speed_ratios.figures``."""
    films = [str(file.path.resolve()) for file in list_inputs([folder], recursive=True)]
    films = films[: arguments.count]
    panel = open_panel(arguments.panel)
    spec = {
        "films": films,
        "rounds_of_films": arguments.passes,
        "few": arguments.few,
        "panel": str(panel.folder.resolve()),
        "panel_name": panel.name,
        "classes": len(panel.class_names),
        "runs": str(arguments.runs.resolve()) if arguments.runs else "",
        "networks": str(scratch),
        "scratch": str(scratch),
        "threads": arguments.threads,
        "batch": arguments.batch,
        "sgemm_sides": SGEMM_SIDES,
        "at_least": 2 * max(map(max, panel.input_sizes)),
    }
    (scratch / "spec.json").write_text(json.dumps(spec))
    contents = [read_verified(model) for model in panel.models]
    load = os.getloadavg()[0]
    costs: dict[str, Cost] = {}
    facts: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        running: dict[str, Contender] = {}
        for name in arguments.only:
            interpreter = _interpreter(name, arguments.peers)
            if interpreter is None:
                left_out[name] = f"{PEERS[name]} is not installed here, and no --peers was named"
                print(f"{name}: left out, {left_out[name]}", flush=True)
                continue
            try:
                one = stack.enter_context(Contender.started(name, interpreter, scratch))
            except RuntimeError as problem:
                left_out[name] = str(problem)
                print(f"{name}: left out, {problem}", flush=True)
                continue
            print(f"{name}: ready", flush=True)
            running[name], facts[name] = one, one.facts
        for number in range(arguments.rounds):
            for name, one in list(running.items()):
                try:
                    cost = one.run()
                except RuntimeError as problem:
                    # The others' figures stand; this one's are dropped, and it is said.
                    left_out[name] = str(problem)
                    print(f"{name}: left out, {problem}", flush=True)
                    del running[name], facts[name]
                    costs.pop(name, None)
                    continue
                costs[name] = costs[name].least(cost) if name in costs else cost
                print(f"round {number + 1} {name}: {cost.words}", flush=True)
    return {
        "measured": datetime.date.today().isoformat(),
        "processor": _processor(),
        "threads": arguments.threads,
        "films": len(films),
        "rounds": arguments.rounds,
        "load_before": round(load, 2),
        "clock": load < BUSY_LOAD,
        "panel": panel.name,
        "python": platform.python_version(),
        "facts": facts,
        "left_out": left_out,
        **figures(costs, sum(map(flops, contents)), spec),
    }


class Contender:
    """A child process that runs its side when told to."""

    def __init__(self, process: subprocess.Popen[str], facts: Mapping[str, Any]) -> None:
        self._process = process
        self.facts = facts

    @classmethod
    @contextlib.contextmanager
    def started(cls, name: str, interpreter: Path, scratch: Path) -> Iterator[Contender]:
        """Start and wait until it is ready.

        Raises:
            RuntimeError: It ended instead; the text is the last line it said.
        """
        command = [interpreter, Path(__file__).with_name("contender.py"), name, "spec.json"]
        log = scratch / f"{name.replace(':', '_')}.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                list(map(str, command)),
                cwd=scratch,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            )
        try:
            facts = _answer(process)
            if facts is None:
                said = log.read_text().strip().splitlines()
                raise RuntimeError(said[-1] if said else "it said nothing")
            facts.pop("ready")
            yield cls(process, facts)
        finally:
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def run(self) -> Cost:
        """One round.

        Raises:
            RuntimeError: It ended in the middle.
        """
        assert self._process.stdin is not None
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        found = _answer(self._process)
        if found is None:
            raise RuntimeError("it ended in the middle of a round")
        return Cost(found["images"], found["wall"], found["cpu"])


def added(before: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Figures of an earlier part with those of this one; each ratio is of one part alone.

    Raises:
        SystemExit: The parts are not of the same machine, panel and films.
    """
    same = ("processor", "threads", "films", "panel", "python")
    if any(before.get(key) != found[key] for key in same):
        sys.exit("--add: the file has figures of another machine, panel or set of films")
    merged = {**before, **found, "clock": before["clock"] and found["clock"]}
    merged["load_before"] = max(before["load_before"], found["load_before"])
    for key in ("facts", "ms_wall", "ms_cpu", "ratios_wall", "ratios_cpu"):
        merged[key] = {**before[key], **found[key]}
        if key.startswith("ms"):
            # Of the pipeline and the models the fastest part counts, as of rounds.
            both = before[key].keys() & found[key].keys()
            merged[key] |= {name: min(before[key][name], found[key][name]) for name in both}
    left = {**before.get("left_out", {}), **found["left_out"]}
    merged["left_out"] = {k: v for k, v in left.items() if k not in merged["facts"]}
    return merged


def _answer(process: subprocess.Popen[str]) -> dict[str, Any] | None:
    """The next JSON line; what else libraries print is skipped. None at the end."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    return None


def _interpreter(name: str, peers: Path | None) -> Path | None:
    needed = PEERS.get(name)
    if needed is None or importlib.util.find_spec(needed) is not None:
        return Path(sys.executable)
    return peers


def flops(content: bytes) -> float:
    """Multiplications and additions of the convolutions and products of one image."""
    model = onnx.load_from_string(content)
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


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
