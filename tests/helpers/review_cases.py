"""Cases, panels and steps for the tests of the review: small, honest values, no doubles."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from desktop.core.cases import CaseResult, Decision, ImageFile, Prediction
from desktop.core.panels.contract import PanelManifest, PanelMember
from desktop.core.review import decisions
from desktop.core.review.decisions import Stamp, Step, make_step
from desktop.core.store.review_store import ReviewStore
from desktop.core.store.schema import TABLES, create_tables, prepare
from desktop.core.vote import verdict

CLASSES = ("Covid", "Normal", "Viral Pneumonia")
MODELS = ("scnn", "ccnn", "daccnn", "resnet50")
STAMP = Stamp("Dr. Wójcik", "2026-11-23T09:30:00Z")


def manifest(name: str = "covid19", *, model_hash: str = "a" * 64) -> PanelManifest:
    """A panel of four models and three classes."""
    members = tuple(PanelMember(model, f"{model}.onnx", model_hash) for model in MODELS)
    return PanelManifest(name, "Three classes", CLASSES, members, 1.5, "2026.11.1")


def content(seed: object) -> str:
    """A content hash, 64 hexadecimal digits."""
    return hashlib.sha256(repr(seed).encode()).hexdigest()


def votes_of(letters: str, *, certainty: float = 0.8) -> tuple[tuple[float, ...] | None, ...]:
    """Probabilities of four models from letters: C, N, V or ``-`` for no answer."""
    rest = (1 - certainty) / 2
    return tuple(
        None
        if letter == "-"
        else tuple(certainty if index == "CNV".index(letter) else rest for index in range(3))
        for letter in letters
    )


def case(
    image: str,
    letters: str = "CCCC",
    *,
    certainty: float = 0.8,
    sha256: str = "",
    ood_score: float | None = 0.5,
    map_seed: int | None = None,
) -> CaseResult:
    """A case as the pipeline gives it, with the votes of ``letters``."""
    random = np.random.default_rng(map_seed)
    predictions = tuple(
        Prediction(
            model,
            row,
            ood_score,
            None if map_seed is None else random.random((3, 7, 7), dtype=np.float32) * 40,
        )
        for model, row in zip(MODELS, votes_of(letters, certainty=certainty), strict=True)
        if row is not None
    )
    said = verdict(predictions, MODELS, len(CLASSES), 1.5)
    return CaseResult(image, sha256 or content(image), "ok", "", "", predictions, said)


def failed(image: str, code: str = "DECODE-02") -> CaseResult:
    """A case that could not be read."""
    return CaseResult(image, "", "failed", code, f"{image} ends early and was skipped.")


def fact(image: str, *, size: int = 1000, mtime_ns: int = 5) -> ImageFile:
    """A file as a scan sees it."""
    return ImageFile(Path(image), image, size, mtime_ns)


def record(store: ReviewStore, *results: CaseResult, mtime_ns: int = 5) -> frozenset[str]:
    """Put results into a store."""
    return store.record_results([(item, fact(item.image, mtime_ns=mtime_ns)) for item in results])


def labelling(
    store: ReviewStore,
    images: str | Sequence[str],
    class_name: str = "Covid",
    *,
    shown: bool = True,
) -> Step:
    """The step of a label key, computed from where the store stands."""
    names = [images] if isinstance(images, str) else images
    return make_step(
        "label",
        {image: store.decision(image) for image in names},
        lambda _, before: decisions.label(before, class_name, STAMP, votes_shown=shown),
        value=class_name,
    )


def changing(
    store: ReviewStore, image: str, command: Callable[[Decision], Decision], kind: str = "comment"
) -> Step:
    """The step of any other command on one image."""
    before = store.decision(image)
    return make_step(kind, {image: before}, lambda _, current: command(current))  # type: ignore[arg-type]


def raw_store(path: Path) -> sqlite3.Connection:
    """A store's file without the store, in autocommit."""
    connection = sqlite3.connect(path, isolation_level=None)
    prepare(connection)
    return connection


def make_old(path: Path, version: int) -> None:
    """Make a closed store one that version 1 or 2 of the tables wrote, with the same rows."""
    old = path.with_name("old.sqlite")
    with closing(raw_store(old)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        create_tables(connection, version)
        connection.execute("ATTACH ? AS new", (str(path),))
        for table in TABLES:
            rows = connection.execute(f"PRAGMA main.table_info({table})").fetchall()
            columns = ", ".join(name for _, name, *_ in rows)
            connection.execute(
                f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}"
            )
        connection.execute("DELETE FROM meta WHERE key = 'version'")
        for number, manifest in connection.execute("SELECT id, manifest FROM panel").fetchall():
            connection.execute(
                "UPDATE panel SET fingerprint = ? WHERE id = ?",
                (old_fingerprint(PanelManifest.from_json(manifest)), number),
            )
    old.replace(path)


def old_fingerprint(panel: PanelManifest) -> str:
    """What stores up to version 2 called a panel."""
    facts = [
        panel.name,
        panel.class_names,
        [(member.name, member.sha256) for member in panel.members],
        panel.ood_limit,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def open_store(
    tmp_path: Path, *, panel: str = "covid19", busy_timeout_ms: int = 5000
) -> ReviewStore:
    """The store of ``tmp_path/films``, kept below ``tmp_path/home``."""
    folder = tmp_path / "films"
    folder.mkdir(exist_ok=True)
    return ReviewStore.open(
        folder, manifest(panel), home=tmp_path / "home", busy_timeout_ms=busy_timeout_ms
    )
