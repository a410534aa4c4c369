"""From what each side cost to the ratios that are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cost:
    """What some images cost.

    Attributes:
        images: How many.
        wall: Seconds on the clock.
        cpu: Seconds of processor time, over all threads and child processes.
    """

    images: int
    wall: float
    cpu: float

    def least(self, other: Cost) -> Cost:
        """The smaller of each an image; noise only adds."""
        return Cost(
            self.images,
            min(self.wall, other.wall * self.images / other.images),
            min(self.cpu, other.cpu * self.images / other.images),
        )

    @property
    def words(self) -> str:
        clock, processor = 1000 * self.wall / self.images, 1000 * self.cpu / self.images
        return f"{clock:.1f} ms on the clock, {processor:.1f} ms of processor time"


def figures(costs: Mapping[str, Cost], flops: float, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Milliseconds an image and ratios, each by the clock and by processor time.

    Args:
        costs: Contender -> its cheapest round.
        flops: Multiplications and additions of an image.
        spec: ``threads`` and ``sgemm_sides``.
    """
    found: dict[str, Any] = {"gflop_an_image": round(flops / 1e9, 3)}
    threads = spec["threads"]
    for kind in ("wall", "cpu"):
        each = {name: getattr(cost, kind) / cost.images for name, cost in costs.items()}
        rates = {
            name: 2 * side**3 / each.pop(name)
            for name, side in spec["sgemm_sides"].items()
            if name in each
        }
        if rates:
            rate = max(rates.values())
            each["floor"] = flops / rate
            found[f"gflops_{kind}"] = round(rate / 1e9, 1)
            if "sgemm" in rates:
                each["floor_large_sgemm"] = flops / rates["sgemm"]
            if "jpeg" in each:
                each["floor_with_jpeg"] = each["floor"] + each["jpeg"]
        ratios: dict[str, float] = {}
        whole = each.get("pipeline")
        for name in ("floor", "floor_large_sgemm", "floor_with_jpeg", "models"):
            if whole and name in each:
                ratios[f"{name}_over_pipeline"] = each[name] / whole
        for name in ("keras:compiled", "keras:eager", "torch", "pipeline:openvino"):
            if whole and name in each:
                ratios[f"{name}_over_pipeline"] = each[name] / whole
        if whole and "pipeline:int8" in each:
            ratios["pipeline_over_pipeline:int8"] = whole / each["pipeline:int8"]
        if "models:without_maps" in each and "models" in each:
            ratios["maps_cost"] = each["models"] / each["models:without_maps"] - 1
        found[f"ms_{kind}"] = {name: round(1000 * value, 3) for name, value in each.items()}
        found[f"ratios_{kind}"] = {name: round(value, 4) for name, value in ratios.items()}
    found["threads"] = threads
    return found


def report(found: Mapping[str, Any]) -> None:
    """Print all figures, both ways, and which to believe."""
    for kind, words in (("wall", "on the clock"), ("cpu", "of processor time")):
        print(f"\nms an image {words}")
        for name, value in found[f"ms_{kind}"].items():
            print(f"  {name:28}{value:10.2f}")
        print(f"ratios {words}")
        for name, value in found[f"ratios_{kind}"].items():
            print(f"  {name:34}{value:10.3f}")
    if not found["clock"]:
        print(
            f"\nThe machine did other work (load {found['load_before']}): believe processor time."
        )
