"""How many nodes, hours and how much money a number of films takes; the manual's page is made here.

usage: python docs/cluster_capacity.py [--films N] [--core-ms MS] [--film-mb MB] [--nodes N] ...

Measured figures and assumptions are kept apart by name. Every time is a stage that works while the
others do, or one that waits for them; the slowest of the first kind is the bottleneck.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Measured:
    """What was measured on the development machine (two cores, no GPU, November 2026).

    Attributes:
        core_ms: Processor time of one full-size film through decoder and four models, ms of one
            core: both cores' time by ``tests/benchmarks/bench_pipeline.py``, idle moments included.
        film_mb: Mean size of those 60 JPEG films, MB.
        list_us: Listing and cutting one film on the machine that starts the run, microseconds;
            without the time of the storage. ``tests/benchmarks/bench_cluster_driver.py``.
        merge_us: Putting one row into the one CSV table there, microseconds; same script.
        part_bytes: Bytes of a film in a part file; same script.
        row_bytes: Bytes of a film's row in the CSV; same script.
    """

    core_ms: float = 28.5
    film_mb: float = 0.38
    list_us: float = 5.0
    merge_us: float = 90.0
    part_bytes: int = 531
    row_bytes: int = 853


@dataclass(frozen=True)
class Assumed:
    """What nobody measured here; put your own figures in.

    Attributes:
        films: Number of films.
        nodes: Machines.
        cores: Processor cores of each, of the kind that was measured.
        useful: Share of the cores' time that goes into films; the rest is starting, waiting for the
            last parts and repeating those of lost nodes.
        core_hour: Price of a core for an hour, in the currency of your choice.
        storage_gb_s: Bytes that the storage gives to all nodes together, GB a second.
        node_gb_s: Bytes that one node's network takes, GB a second.
        listed_a_second: Files that the storage lists in a second.
    """

    films: int = 100_000_000
    nodes: int = 10
    cores: int = 32
    useful: float = 0.85
    core_hour: float = 0.04
    storage_gb_s: float = 5.0
    node_gb_s: float = 1.25
    listed_a_second: float = 10_000.0


@dataclass(frozen=True)
class Plan:
    """What follows.

    Attributes:
        stages: Hours of each stage that runs at once with the others, by its name.
        listing_hours: Before the first film.
        merging_hours: After the last, for one table; none with ``--no-merge``.
        core_hours: Cores that are paid for while films are labelled, and while they are listed.
        price: Their price.
        films_a_second: Of the slowest stage.
        read_gb_s: What is read while labelling.
        parts_gb: Size of the part files.
        table_gb: Size of the one table.
    """

    stages: dict[str, float]
    listing_hours: float
    merging_hours: float
    core_hours: float
    price: float
    films_a_second: float
    read_gb_s: float
    parts_gb: float
    table_gb: float

    @property
    def bottleneck(self) -> str:
        """The slowest stage."""
        return max(self.stages, key=lambda name: self.stages[name])

    @property
    def labelling_hours(self) -> float:
        """From the first film to the last."""
        return self.stages[self.bottleneck]


def plan(given: Assumed, measured: Measured | None = None) -> Plan:
    """Compute everything.

    hours(processors) = films * core_ms / (nodes * cores * useful), hours(storage) =
    films * film_mb / storage_gb_s, hours(network) = films * film_mb / (nodes * node_gb_s); they
    overlap, so the largest counts. The nodes are paid from the first film to the last; the machine
    that lists and merges needs none of them.
    """
    known = measured or Measured()
    films = given.films
    gigabytes = films * known.film_mb / 1000
    stages = {
        "processors": films * known.core_ms / 3.6e6 / (given.nodes * given.cores * given.useful),
        "storage": gigabytes / given.storage_gb_s / 3600,
        "network of the nodes": gigabytes / (given.nodes * given.node_gb_s) / 3600,
    }
    hours = max(stages.values())
    return Plan(
        stages=stages,
        listing_hours=films * max(1 / given.listed_a_second, known.list_us / 1e6) / 3600,
        merging_hours=films * known.merge_us / 3.6e9,
        core_hours=hours * given.nodes * given.cores,
        price=hours * given.nodes * given.cores * given.core_hour,
        films_a_second=films / hours / 3600,
        read_gb_s=gigabytes / hours / 3600,
        parts_gb=films * known.part_bytes / 1e9,
        table_gb=films * known.row_bytes / 1e9,
    )


def manual() -> str:
    """The figures of the manual's page: what went in, the plan, and what changes it."""
    return "\n".join(
        [*_inputs(), "", *_node_table(), "", *_sensitivity(), "", *_ends()],
    )


def _inputs() -> Iterator[str]:
    known, given = Measured(), Assumed()
    yield "| figure | value | where it comes from |"
    yield "| --- | --- | --- |"
    yield (
        f"| processor time a film | {known.core_ms} ms of one core | measured: "
        f"{known.core_ms / 2:.1f} ms a film on two cores, from a full-size JPEG on disk to the "
        "row, four models, fp32 |"
    )
    yield f"| size of a film | {known.film_mb} MB | measured: mean of those 60 JPEG films |"
    yield (
        f"| listing and cutting | {known.list_us:.0f} µs a film | measured, processor time, "
        "without the storage |"
    )
    yield f"| one table | {known.merge_us:.0f} µs a row | measured, processor time, CSV |"
    yield f"| part files | {known.part_bytes} bytes a film | measured |"
    yield f"| table | {known.row_bytes} bytes a row | measured, CSV |"
    yield f"| useful time | {100 * given.useful:.0f} % | **assumed** |"
    yield f"| a core for an hour | {given.core_hour:.2f} | **assumed**, any currency |"
    yield f"| storage, all nodes together | {given.storage_gb_s:g} GB/s | **assumed** |"
    yield f"| network of a node | {given.node_gb_s:g} GB/s (10 Gbit/s) | **assumed** |"
    yield f"| storage lists | {given.listed_a_second:,.0f} files/s | **assumed** |"


def _node_table() -> Iterator[str]:
    given = Assumed()
    yield f"{given.films:,} films, nodes of {given.cores} cores:"
    yield ""
    yield "| nodes | hours | films/s | read | core hours | price | bottleneck |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    for nodes in (1, 4, 10, 20, 40):
        found = plan(replace(given, nodes=nodes))
        yield (
            f"| {nodes} | {found.labelling_hours:.1f} | {found.films_a_second:,.0f} | "
            f"{found.read_gb_s:.1f} GB/s | {found.core_hours:,.0f} | {found.price:,.0f} | "
            f"{found.bottleneck} |"
        )


def _sensitivity() -> Iterator[str]:
    given, known = Assumed(), Measured()
    changes: list[tuple[str, Assumed, Measured]] = [
        ("as above", given, known),
        ("decoding and models twice as fast", given, _faster(known, 2.0)),
        ("cores half as fast", given, _faster(known, 0.5)),
        ("only 60 % of the time is useful", replace(given, useful=0.6), known),
        ("storage gives 1 GB/s", replace(given, storage_gb_s=1.0), known),
        ("films of 2 MB", given, replace(known, film_mb=2.0)),
        ("uncompressed DICOM of 16 MB", given, replace(known, film_mb=16.0)),
        ("a core hour at 0.015 (interruptible)", replace(given, core_hour=0.015), known),
    ]
    yield f"What changes the {given.nodes} nodes:"
    yield ""
    yield "| change | hours | price | bottleneck |"
    yield "| --- | ---: | ---: | --- |"
    for words, assumed, measured in changes:
        found = plan(assumed, measured)
        yield f"| {words} | {found.labelling_hours:.1f} | {found.price:,.0f} | {found.bottleneck} |"


def _ends() -> Iterator[str]:
    given = Assumed()
    found = plan(given)
    yield "Before and after, on the machine that starts the run:"
    yield ""
    yield "| step | hours | |"
    yield "| --- | ---: | --- |"
    yield (
        f"| listing | {found.listing_hours:.1f} | the storage's listing, one after the other; less "
        "with a list from your archive |"
    )
    yield (
        f"| one table | {found.merging_hours:.1f} | {found.table_gb:,.0f} GB of CSV by one core; 0 "
        "with `--no-merge` |"
    )
    yield f"| part files | | {found.parts_gb:,.0f} GB to keep until the run is done |"
    enough = math.ceil(given.storage_gb_s / known_read_a_node(given))
    yield ""
    yield (
        f"At {given.storage_gb_s:g} GB/s the storage feeds {enough - 1} of these nodes; from "
        f"{enough} on, more nodes wait for it and cost more for nothing."
    )


def known_read_a_node(given: Assumed, measured: Measured | None = None) -> float:
    """GB a second that one node reads when nothing holds it up."""
    known = measured or Measured()
    return given.cores * given.useful / known.core_ms * 1000 * known.film_mb / 1000


def _faster(known: Measured, times: float) -> Measured:
    return replace(known, core_ms=known.core_ms / times)


def main() -> None:
    """Print the plan for figures of one's own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for kind in (Measured, Assumed):
        for field in fields(kind):
            default = field.default
            parser.add_argument(
                f"--{field.name.replace('_', '-')}", type=type(default), default=default
            )
    words = vars(parser.parse_args())
    measured = Measured(**{field.name: words[field.name] for field in fields(Measured)})
    found = plan(Assumed(**{field.name: words[field.name] for field in fields(Assumed)}), measured)
    for name, value in dataclasses.asdict(found).items():
        print(f"{name}: {value}")
    print(f"bottleneck: {found.bottleneck}, {found.labelling_hours:.2f} hours")


if __name__ == "__main__":
    main()
