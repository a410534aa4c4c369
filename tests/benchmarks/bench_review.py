"""What a review of 100,000 images costs: opening, filtering, deciding, undoing.

Run as ``python -m tests.benchmarks.bench_review [--images N]``. Everything is real: a store on this
disk with full synchronisation, results of four models for every image. Times are wall-clock; the
machine should be idle.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from desktop.core import decisions
from desktop.core.case_query import select_text
from desktop.core.cases import OPEN, CaseResult, Prediction
from desktop.core.decisions import make_step
from desktop.core.review_store import ReviewStore
from desktop.core.vote import verdict
from tests.review_cases import CLASSES, MODELS, STAMP, fact, labelling, manifest

Value = TypeVar("Value")
QUERIES = (
    ("", "agreement,-entropy"),
    ("covid", ""),
    ("only:resnet50:covid", "-resnet50.covid"),
    ("agreement<4 p.covid:0.3..0.7 -is:reviewed", "-entropy"),
    ("", "name"),
)


def timed(name: str, work: Callable[[], Value]) -> Value:
    """Run ``work``, print its time and give its value."""
    start = time.perf_counter()
    value = work()
    print(f"{name:48} {1000 * (time.perf_counter() - start):10.1f} ms")
    return value


def fill(store: ReviewStore, images: Sequence[str]) -> None:
    """Record a result for every image, 500 in a transaction as the batch does."""
    random = np.random.default_rng(0)
    for start in range(0, len(images), 500):
        chunk = images[start : start + 500]
        rows = random.dirichlet((1, 1, 1), size=(len(chunk), len(MODELS))).tolist()
        results = []
        for number, (image, answers) in enumerate(zip(chunk, rows, strict=True), start):
            predictions = tuple(
                Prediction(model, tuple(answer), 0.5)
                for model, answer in zip(MODELS, answers, strict=True)
            )
            said = verdict(predictions, MODELS, len(CLASSES), 1.5)
            result = CaseResult(image, f"{number:064x}", "ok", "", "", predictions, said)
            results.append((result, fact(image)))
        store.record_results(results)


def run(home: Path, count: int) -> None:
    """Measure everything on a new store below ``home``."""
    folder = home / "films"
    folder.mkdir()
    images = [f"ward{number % 50}/scan_{number}.png" for number in range(count)]
    with ReviewStore.open(folder, manifest(), home=home) as store:
        timed(f"note {count:,} scanned files", lambda: store.record_files(map(fact, images)))
        timed("record all results", lambda: fill(store, images))
        every = make_step(
            "label",
            dict.fromkeys(images, OPEN),
            lambda _, before: decisions.label(before, "Covid", STAMP, votes_shown=True),
        )
        timed("label all in one step", lambda: store.apply(every))
        timed("undo that step", store.undo)
        timed("redo that step", store.redo)
    store = timed("open the store", lambda: ReviewStore.open(folder, manifest(), home=home))
    with store:
        table = timed("load the table, every image decided", store.load_table)
        for query, sort in QUERIES:
            select_text(table, query, sort)
            name = f"filter {query or 'everything'!r}" + (f" by {sort}" if sort else "")
            timed(name[:47], lambda query=query, sort=sort: select_text(table, query, sort))
        times = []
        for image in images[:300]:
            step = labelling(store, image, "Normal")
            start = time.perf_counter()
            store.apply(step)
            times.append(1000 * (time.perf_counter() - start))
        times.sort()
        print(f"{'one decision, on the disk: median':48} {statistics.median(times):10.2f} ms")
        print(f"{'one decision, on the disk: p99':48} {times[int(0.99 * len(times))]:10.2f} ms")
        revision = store.revision()
        timed("ask for another window's decisions", lambda: store.changes_since(revision))
        megabytes = store.path.stat().st_size / 1e6
        print(f"{'size of the store':48} {megabytes:10.1f} MB")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        run(Path(home), options.images)
    return 0


if __name__ == "__main__":
    sys.exit(main())
