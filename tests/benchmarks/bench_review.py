"""What a review of 100,000 images costs: opening, filtering, deciding, undoing.

Run as ``python -m tests.benchmarks.bench_review [--images N]``. Everything is real: a store on this
disk with full synchronisation, results of four models for every image. Exit code 1 where a decision
takes longer than a jump may (25 ms); see `gauge` for the columns.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from desktop.core.cases import OPEN, CaseResult, Prediction
from desktop.core.review import decisions
from desktop.core.review.decisions import make_step
from desktop.core.review.query import select_text
from desktop.core.store.review_store import ReviewStore
from desktop.core.vote import verdict
from tests.benchmarks.gauge import Figure, Spent, ThreadGauge, percentile, print_figures
from tests.helpers.review_cases import CLASSES, MODELS, STAMP, fact, labelling, manifest

Value = TypeVar("Value")
QUERIES = (
    ("", "agreement,-entropy"),
    ("covid", ""),
    ("only:resnet50:covid", "-resnet50.covid"),
    ("agreement<4 p.covid:0.3..0.7 -is:reviewed", "-entropy"),
    ("", "name"),
)


_FIGURES: list[Figure] = []


def timed(name: str, work: Callable[[], Value]) -> Value:
    """Run ``work``, note its time and give its value."""
    spent: list[Spent] = []
    with ThreadGauge().measure(spent):
        value = work()
    _FIGURES.append(percentile(name, spent, 50))
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
        gauge = ThreadGauge()
        decided: list[Spent] = []
        for image in images[:300]:
            step = labelling(store, image, "Normal")
            with gauge.measure(decided):
                store.apply(step)
        _FIGURES.append(percentile("one decision, on the disk: median", decided, 50))
        _FIGURES.append(percentile("one decision, on the disk: p99", decided, 99, 25.0))
        revision = store.revision()
        timed("ask for another window's decisions", lambda: store.changes_since(revision))
        megabytes = store.path.stat().st_size / 1e6
        _FIGURES.append(Figure("size of the store", megabytes, unit="MB"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        run(Path(home), options.images)
    return int(print_figures(_FIGURES))


if __name__ == "__main__":
    sys.exit(main())
