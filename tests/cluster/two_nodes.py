"""Proof on one machine: two Ray nodes, one killed in the middle, the same table byte for byte.

usage: python tests/cluster/two_nodes.py FILMS [--folder DIR] [--panel NAME] [--part-size N]

Starts a Ray cluster of two nodes with one core each, labels FILMS with ``--engine ray``, kills the
second node's raylet (SIGKILL) after the first parts are there, lets the command finish, runs the
same films without a cluster and compares the bytes. Then runs the cluster command again, which must
take everything over. Exits with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Int8Benchmark:
    """What the proof found.

    Attributes:
        images: Rows of the table.
        same: The table of the cluster has the bytes of the local one.
        parts_before: Part files when the node was killed.
        parts: Part files at the end.
        survivors: Nodes that were still there at the end.
        resumed: Rows that the second run of the command took over.
        same_again: Its table has the same bytes too.
        seconds: Time of the first run on the cluster, of the local run.
        said: What the command told on standard error.
    """

    images: int
    same: bool
    parts_before: int
    parts: int
    survivors: int
    resumed: int
    same_again: bool
    seconds: tuple[float, float]
    said: str


def prove(films: Path, folder: Path, panel: str = "covid19", part_size: int = 16) -> Int8Benchmark:
    """Run the proof in ``folder``; needs Ray and about a minute on an idle machine."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "300")
    from ray.cluster_utils import Cluster

    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_BACKEND_LOG_LEVEL": "fatal"}
    os.environ["PYTHONPATH"] = environment["PYTHONPATH"]  # what the nodes' workers get
    output, local = folder / "cluster.csv", folder / "local.csv"
    label = [sys.executable, "-m", "desktop", "label", str(films), "--recursive", "--panel", panel,
             "--device", "cpu"]  # fmt: skip
    cluster = Cluster()
    try:
        cluster.add_node(**_node())
        second = cluster.add_node(**_node())
        cluster.wait_for_nodes()
        command = [*label, "--output", str(output), "--log-json", f"{output}.log", "--engine",
                   "ray", "--part-size", str(part_size), "--address", cluster.address]  # fmt: skip
        begun = time.monotonic()
        running = subprocess.Popen(
            command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
        )
        parts = folder / "cluster.csv.parts"
        while running.poll() is None and len(list(parts.glob("part-*.jsonl"))) < 3:
            time.sleep(0.05)
        before = len(list(parts.glob("part-*.jsonl")))
        (raylet,) = second.all_processes["raylet"]
        os.kill(raylet.process.pid, signal.SIGKILL)
        _, said = running.communicate()
        clusters_seconds = time.monotonic() - begun
        if not output.exists():
            raise SystemExit(f"the run on the cluster ended with {running.returncode}: {said}")
        table = output.read_bytes()
        survivors = _alive(cluster.address)
        subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True)
    finally:
        cluster.shutdown()
    begun = time.monotonic()
    done = subprocess.run(
        [*label, "--output", str(local)], cwd=folder, env=environment, capture_output=True
    )
    assert done.returncode in (0, 1), done.stderr
    ended = [json.loads(line) for line in Path(f"{output}.log").read_text().splitlines()]
    again: Mapping[str, Any] = [event for event in ended if event["event"] == "run_ended"][-1]
    return Int8Benchmark(
        images=again["images"],
        same=table == local.read_bytes(),
        parts_before=before,
        parts=len(list(parts.glob("part-*.jsonl"))),
        survivors=survivors,
        resumed=again["resumed"],
        same_again=output.read_bytes() == local.read_bytes(),
        seconds=(clusters_seconds, time.monotonic() - begun),
        said=said,
    )


def _node() -> dict[str, Any]:
    """One core; ports of its own, as a busy machine is too slow for the ones Ray waits for."""
    names = ("metrics_agent_port", "metrics_export_port", "runtime_env_agent_port",
             "dashboard_agent_listen_port")  # fmt: skip
    return {
        "num_cpus": 1,
        "include_dashboard": False,
        "object_store_memory": 256 * 2**20,
        **{name: _free_port() for name in names},
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _alive(address: str) -> int:
    import ray

    ray.init(address=address, logging_level=40, log_to_driver=False)
    try:
        return sum(node["Alive"] for node in ray.nodes())
    finally:
        ray.shutdown()


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", type=Path)
    parser.add_argument("--folder", type=Path, help="keep what is written here")
    parser.add_argument("--panel", default="covid19")
    parser.add_argument("--part-size", type=int, default=16)
    arguments = parser.parse_args()
    films = arguments.films.absolute()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        proof = prove(films, folder.absolute(), arguments.panel, arguments.part_size)
    print(proof.said.strip())
    print(
        f"{proof.images} images in {proof.parts} parts; {proof.parts_before} were finished when "
        f"the second node was killed, {proof.survivors} of 2 nodes left at the end.\n"
        f"The same bytes as the local run: {proof.same}. The same command again took over "
        f"{proof.resumed} images; the same bytes: {proof.same_again}.\n"
        f"Cluster {proof.seconds[0]:.0f} s, local {proof.seconds[1]:.0f} s."
    )
    return 0 if proof.same and proof.same_again and proof.survivors == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
