"""What a node does: label a part with the core's pipeline and commit it as one file. Knows no Ray.

A film that an earlier run finished is taken over if size, stamp and content are still the same, a
refused one by size and stamp alone.
Decoding happens in worker processes as on one machine, so a film that kills its decoder is a row.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import desktop
from desktop.cluster.fetch import FileState, FilmFetcher, file_state
from desktop.cluster.inputs import Film
from desktop.cluster.partition import (
    FinishedFilm,
    Part,
    decode_part,
    encode_part,
    films_of,
    identity,
)
from desktop.cluster.storage import open_store
from desktop.core.batch.pipeline import LabelledCase, batch_plan, label
from desktop.core.batch.result_json import dump_result, load_result, recheck
from desktop.core.cases import CaseResult
from desktop.core.errors import UsageError
from desktop.core.export.columns import TableRow, TableShape
from desktop.core.export.table import TableFormat, write_table
from desktop.core.imaging.decoders.pool import DecodePool
from desktop.core.inference.names import Precision, checked_device
from desktop.core.inference.precision import ALL_FP32, PrecisionPlan
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import Panel, open_panel

Recheck = Literal["content", "time"]


@dataclass(frozen=True)
class Job:
    """What every node gets.

    Attributes:
        version: Version of the app on the machine that started the run.
        made_by: What ``identity`` says there.
        panel: Name of the panel's folder.
        panel_files: Its files, so that every node runs the very same bytes.
        store: Absolute path or address of the part files.
        listing: Name of the listing's file there.
        stop: Name of a file there that asks to begin no further part.
        threads: Processor threads of one worker.
        asked_precision: Precision asked for, for accelerators.
        precision: Which models run in int8 on processors; planned once, the same on every node.
        batch: Images in a micro-batch; None = what suits the device.
        recheck: What tells that a finished film has not changed: its ``content``, read and hashed
            again, or size and ``time`` alone.
        tables: Format of a table of each part, beside its file; None where there is one table.
    """

    version: str
    made_by: str
    panel: str
    panel_files: Mapping[str, bytes]
    store: str
    listing: str
    stop: str
    threads: int = 1
    device: str = "auto"
    asked_precision: Precision = "auto"
    precision: PrecisionPlan = ALL_FP32
    batch: int | None = None
    recheck: Recheck = "content"
    tables: TableFormat | None = None
    shape: TableShape = "wide"


@dataclass(frozen=True)
class PartReport:
    """What became of a part.

    Attributes:
        images: Rows, 0 where it was left alone because of a stop.
        failed: Rows without votes.
        resumed: Rows taken over.
        decode_seconds: Time of reading and decoding, over all workers.
        infer_seconds: Time of the models.
        seconds: Wall-clock time.
        device: What the models ran on.
        problem: Code and sentence of what ends the run; empty where nothing does.
    """

    key: str
    images: int = 0
    failed: int = 0
    resumed: int = 0
    decode_seconds: float = 0.0
    infer_seconds: float = 0.0
    seconds: float = 0.0
    device: str = ""
    problem: tuple[str, str] | None = None

    def to_json(self) -> str:
        """One line, to travel."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> PartReport:
        """What ``to_json`` made."""
        values = json.loads(text)
        if values["problem"] is not None:
            values["problem"] = tuple(values["problem"])
        return cls(**values)


class PartLabeller:
    """Loads the models once and labels parts. Use as a context manager, or ``close`` it.

    Raises:
        UsageError: CLUSTER-03 where this node has another version of the app.
        ModelRefused: As ``open_panel`` and ``PanelSession``.
        OutputFailed: The part files' folder cannot be reached.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._store = open_store(job.store)
        with unpacked_panel(job.panel, job.panel_files) as folder:
            self._panel = open_panel(folder)
            self._made_by = identity(self._panel, job.precision)
            if self._made_by != job.made_by:
                raise UsageError(
                    "CLUSTER-03",
                    f"A node has version {desktop.__version__} of CXR Quorum, the run was started "
                    f"with {job.version} or with other files of it; rows of two versions do not "
                    "mix. Install one version everywhere.",
                )
            plan = batch_plan(job.threads, job.batch)
            self._pool = DecodePool(
                workers=plan.decoders, sizes=self._panel.decode_sizes, ahead=plan.ahead
            )
            try:
                self._session = PanelSession(
                    self._panel,
                    checked_device(job.device),
                    job.threads,
                    streams=plan.streams,
                    precision=job.asked_precision,
                    on_cpu=job.precision,
                )
            except BaseException:
                self._pool.close()
                raise
        self._fetcher = FilmFetcher()

    def label(self, part: Part) -> PartReport:
        """Bring a part up to date and commit it, unless the run is to stop.

        Raises:
            OutputFailed: The part cannot be written; what stood there before is intact.
        """
        if self._store.exists(self._job.stop):
            return PartReport(part.key)
        begun = time.perf_counter()
        films = films_of(self._store, self._job.listing, part)
        earlier = decode_part(self._store.read(part.file), self._made_by) or []
        before = {film.image: film for film in earlier}
        states = {film.image: file_state(film.location) for film in films}
        report = PartReport(part.key, len(films), device=self._session.report.ran)
        rows = {
            film.image: kept
            for film in films
            if (kept := self._unchanged(film, states[film.image], before)) is not None
        }
        report = replace(report, resumed=len(rows))
        for case in self._labelled([film for film in films if film.image not in rows]):
            result = self._with_reason(case.result)
            state = states[result.image]
            rows[result.image] = FinishedFilm(
                image=result.image,
                size=state.size,
                stamp=state.stamp,
                sha256=result.sha256,
                device=self._session.report.ran,
                answer=dump_result(result),
            )
            report = replace(
                report,
                decode_seconds=report.decode_seconds + case.decode_seconds,
                infer_seconds=report.infer_seconds + case.infer_seconds,
            )
        finished = [rows[film.image] for film in films]
        results = [answer_of(self._panel, film) for film in finished]
        self._commit(part, finished, results, unchanged=report.resumed == len(before) == len(films))
        return replace(
            report,
            failed=sum(result.status == "failed" for result in results),
            seconds=time.perf_counter() - begun,
        )

    def close(self) -> None:
        """End the decoders. Safe to call twice."""
        self._pool.close()
        self._fetcher.close()

    def __enter__(self) -> PartLabeller:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _unchanged(
        self, film: Film, state: FileState, before: Mapping[str, FinishedFilm]
    ) -> FinishedFilm | None:
        """The row of an earlier run if it still holds; the same rules as ``RunJournal``."""
        kept = before.get(film.image)
        if kept is None or (kept.size, kept.stamp) != (state.size, state.stamp):
            return None
        need = recheck(answer_of(self._panel, kept))
        if need == "content" and self._job.recheck == "content":
            return kept if self._fetcher.sha256(film) == kept.sha256 else None
        return None if need == "label" else kept

    def _labelled(self, films: list[Film]) -> Iterator[LabelledCase]:
        for case in label(
            self._fetcher.files(films),
            self._session,
            maps=False,
            batch=self._job.batch,
            decoder=self._pool,
        ):
            self._fetcher.forget(case.source)
            yield case

    def _with_reason(self, result: CaseResult) -> CaseResult:
        """A film that could not be fetched has no file; say why instead."""
        refusal = self._fetcher.refusals.pop(result.image, None)
        if refusal is None:
            return result
        return CaseResult(result.image, "", "failed", refusal.code, str(refusal))

    def _commit(
        self, part: Part, films: list[FinishedFilm], results: list[CaseResult], *, unchanged: bool
    ) -> None:
        if not unchanged:
            self._store.write(part.file, encode_part(self._made_by, films))
        if self._job.tables is None:
            return
        name = table_name(part, self._job.tables)
        if unchanged and self._store.exists(name):
            return
        with tempfile.TemporaryDirectory(prefix="cxr-quorum-") as folder:
            path = Path(folder) / name
            rows = (
                TableRow(result, device=film.device)
                for result, film in zip(results, films, strict=True)
            )
            write_table(path, self._panel, rows, self._job.tables, self._job.shape)
            self._store.write(name, path.read_bytes())


def answer_of(panel: Panel, film: FinishedFilm) -> CaseResult:
    """The result of a finished film."""
    return load_result(panel, film.image, film.sha256, film.answer)


def table_name(part: Part, form: TableFormat) -> str:
    """Name of the table of one part."""
    return f"table-{part.key}.{form}"


@contextmanager
def unpacked_panel(name: str, files: Mapping[str, bytes]) -> Iterator[Path]:
    """A panel's files in a private folder; gone once the models are loaded."""
    with tempfile.TemporaryDirectory(prefix="cxr-quorum-panel-") as parent:
        folder = Path(parent) / name
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_bytes(content)
        yield folder


def packed_panel(panel: Panel) -> dict[str, bytes]:
    """Manifest and models of a panel, to travel to the nodes."""
    wanted = (path for path in panel.folder.iterdir() if path.suffix in (".json", ".onnx"))
    return {path.name: path.read_bytes() for path in wanted if path.is_file()}
