"""A run: files in, a table out, with everything that makes it safe to stop and to repeat.

Finished images are journalled as they come, found again by content on a rerun, and the table is
written once, whole, in the order of the listing. What happened is counted for the summary and the
run manifest.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from desktop.core.batch.journal import RunJournal
from desktop.core.batch.pipeline import LabelledCase, label
from desktop.core.cases import CaseResult, ImageFile
from desktop.core.errors import OutputFailed, UsageError
from desktop.core.export.columns import TableRow, TableShape
from desktop.core.export.parquet import require_parquet
from desktop.core.export.table import TableFormat, write_table
from desktop.core.heatmaps.sheet import PictureStyle, picture_name, write_picture
from desktop.core.imaging.decoders.decoder import Decoder, file_sha256
from desktop.core.imaging.lungs import film_mask
from desktop.core.inference.precision import ALL_FP32, PrecisionPlan
from desktop.core.inference.session import PanelSession
from desktop.core.panels.registry import Panel
from desktop.core.system.atomic_write import atomic_write, output_failed, remove_leftovers
from desktop.core.system.cancel_token import CancelToken
from desktop.core.vote import consensus_text


@dataclass(frozen=True)
class RunSettings:
    """What a run writes and how.

    Attributes:
        output: Table file; None = rows are only yielded and nothing is resumed.
        form: Format of the table.
        shape: ``wide``, one row an image, or ``long``, one row an image and model.
        heatmaps: Folder for one picture an image, made if missing; None = no pictures.
        lungs: Folder for one mask of the lungs an image, likewise.
        batch: Images in a micro-batch; None = what suits the device.
        precision: Which models run in int8 on the CPU; see ``LabelRun.precision``.
        fresh: Label everything again, also what an earlier run on this output finished.
        watching: ``results`` is called again and again with what has arrived. The table then holds
            every image in the order of arrival, also those that were moved away since.
        style: How pictures are drawn.
    """

    output: Path | None = None
    form: TableFormat = "csv"
    shape: TableShape = "wide"
    heatmaps: Path | None = None
    lungs: Path | None = None
    batch: int | None = None
    precision: PrecisionPlan = ALL_FP32
    fresh: bool = False
    watching: bool = False
    style: PictureStyle = field(default_factory=PictureStyle)


@dataclass
class RunCounts:
    """What happened so far; ``finished`` images of an earlier run are counted in all but time.

    Attributes:
        images: Rows so far.
        ok: Rows with at least one vote.
        failed: Rows without.
        resumed: Rows taken over from an earlier run on the same output.
        consensus: Rows by consensus class, ``no consensus`` included.
        agreement: Rows by number of agreeing models.
        codes: Rows by refusal code.
        ood: Rows called out of distribution.
        none_of_these: Rows called none of the panel's classes.
        no_lungs: Rows without lungs.
        decode_seconds: Time that reading and decoding took, over all workers.
        infer_seconds: Time that the models took, over all streams.
        draw_seconds: Time that pictures took, over all streams.
        write_seconds: Time that journal and table took.
        wait_seconds: Time that streams had nothing to do, over all streams, because films were
            still being decoded or rows written.
    """

    images: int = 0
    ok: int = 0
    failed: int = 0
    resumed: int = 0
    consensus: Counter[str] = field(default_factory=Counter)
    agreement: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    ood: int = 0
    none_of_these: int = 0
    no_lungs: int = 0
    decode_seconds: float = 0.0
    infer_seconds: float = 0.0
    draw_seconds: float = 0.0
    write_seconds: float = 0.0
    wait_seconds: float = 0.0

    @property
    def stages(self) -> dict[str, float]:
        """Seconds of each stage, in the order of the work."""
        return {
            "decode": self.decode_seconds,
            "infer": self.infer_seconds,
            "draw": self.draw_seconds,
            "write": self.write_seconds,
            "wait": self.wait_seconds,
        }

    def add(self, result: CaseResult, class_names: tuple[str, ...]) -> None:
        """Count one row."""
        self.images += 1
        self.ok += result.status == "ok"
        self.failed += result.status == "failed"
        if result.code:
            self.codes[result.code] += 1
        self.no_lungs += result.lungs_found is False
        if result.verdict is not None:
            self.consensus[consensus_text(result.verdict, class_names)] += 1
            self.agreement[result.verdict.agreement] += 1
            self.ood += result.verdict.ood
            self.none_of_these += result.verdict.none_of_these


class LabelRun:
    """One run on one output. Use as a context manager: leaving it commits and unlocks.

    ``complete`` says whether the last ``results`` came to the end of its listing.

    Raises:
        OutputFailed: The output's folder cannot be written, or another run is writing it
            (OUTPUT-06). Raised before any model is loaded.
        UsageError: USAGE-04 where Parquet is asked for and cannot be written here, USAGE-05 where
            masks of lungs are asked of a panel that finds none.
    """

    def __init__(self, panel: Panel, settings: RunSettings) -> None:
        self.panel = panel
        self.settings = settings
        self.counts = RunCounts()
        self.complete = False
        self._journal: RunJournal | None = None
        self._first_position = 0
        self._labelled: set[str] = set()
        if settings.form == "parquet":
            require_parquet()
        if settings.lungs is not None and panel.lungs is None:
            raise UsageError(
                "USAGE-05",
                f"Panel {panel.name} has no network that finds lungs, so --lungs has nothing to "
                "write. Leave it out, or use another panel.",
            )
        for folder in (settings.heatmaps, settings.lungs):
            if folder is not None:
                _make_folder(folder)
        if settings.output is not None:
            self._journal = RunJournal(
                settings.output,
                panel,
                precision=settings.precision,
                fresh=settings.fresh,
                keep_positions=settings.watching,
            )
            self._first_position = self._journal.next_position
            # The journal's lock says that nobody else writes this table, by whatever name.
            remove_leftovers(settings.output)

    @property
    def precision(self) -> PrecisionPlan:
        """How the models must run so that all rows of the output are alike."""
        return self._journal.precision if self._journal else self.settings.precision

    @property
    def notice(self) -> str:
        """Something to tell about an earlier run on this output, empty if there is nothing."""
        return self._journal.notice if self._journal else ""

    def results(
        self,
        files: Iterable[ImageFile],
        session: PanelSession,
        *,
        decoder: Decoder | None = None,
        cancel: CancelToken | None = None,
        on_resumed: Callable[[TableRow], object] | None = None,
        on_case: Callable[[LabelledCase, int], object] | None = None,
    ) -> Iterator[TableRow]:
        """Label what is not finished yet: one row a file, in order, durable soon after.

        Args:
            files: The listing, read lazily.
            decoder: Decodes ahead; None = threads of this process.
            cancel: When set, images in hand are finished and no others begun.
            on_resumed: Called with each row taken over from an earlier run on this output; those
                are not yielded.
            on_case: Called with each case as it is labelled and its position in the table.
        """
        begun, busy = time.perf_counter(), self._busy_seconds
        positions: dict[str, int] = {}
        token = cancel or CancelToken()
        waiting = self._unfinished(files, positions, on_resumed, token)
        for case in label(
            waiting,
            session,
            maps=False,
            batch=self.settings.batch,
            decoder=decoder,
            cancel=token,
            draw=self._draw if self.settings.heatmaps is not None else None,
            save_lungs=self._save_lungs if self.settings.lungs is not None else None,
        ):
            start = time.perf_counter()
            position = positions.pop(case.source.image)
            if self._journal is not None:
                self._journal.add(case.source, case.result, case.device, position)
                if case.closes_batch:
                    self._journal.commit(if_due=True)
            self.counts.write_seconds += time.perf_counter() - start
            self.counts.decode_seconds += case.decode_seconds
            self.counts.infer_seconds += case.infer_seconds
            self.counts.add(case.result, self.panel.class_names)
            if self.settings.watching:
                self._labelled.add(case.source.image)
            if on_case is not None:
                on_case(case, position)
            yield TableRow(case.result, device=case.device)
        if self._journal is not None:
            self._journal.commit()
        offered = session.streams * (time.perf_counter() - begun)
        self.counts.wait_seconds += max(0.0, offered - (self._busy_seconds - busy))

    def write_table(self) -> int:
        """Write the table of everything finished in this listing; returns the number of images.

        After a run that was stopped it also has the rows of the last table that this run had not
        come to, so that stopping early never makes a table shorter.

        Raises:
            OutputFailed: The old file, if any, is intact, and so is the journal.
        """
        assert self._journal is not None
        start = time.perf_counter()
        settings, tally = self.settings, RunCounts()

        def rows() -> Iterator[TableRow]:
            assert self._journal is not None
            for case in self._journal.rows(unreached=settings.watching or not self.complete):
                tally.add(case.result, self.panel.class_names)
                yield TableRow(case.result, device=case.device)

        assert settings.output is not None
        count = write_table(settings.output, self.panel, rows(), settings.form, settings.shape)
        self.counts.write_seconds += time.perf_counter() - start
        if settings.watching or not self.complete:
            self._count_as_written(tally)
        else:
            self._journal.forget_unreached()
        return count

    def commit_now(self, seconds: float = 5.0) -> bool:
        """Make durable what is finished, from any thread, right before the process ends.

        Returns:
            Whether it is; see ``RunJournal.commit_now``. True where rows are only yielded.
        """
        return self._journal is None or self._journal.commit_now(seconds)

    def close(self) -> None:
        """Commit and unlock. Safe to call twice."""
        if self._journal is not None:
            self._journal.close()

    def __enter__(self) -> LabelRun:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._journal is not None:
            self._journal.__exit__(kind, error, trace)

    def _unfinished(
        self,
        files: Iterable[ImageFile],
        positions: dict[str, int],
        on_resumed: Callable[[TableRow], object] | None,
        token: CancelToken,
    ) -> Iterator[ImageFile]:
        """Files that need the models; finished ones are placed in the table on the way."""
        for position, file in enumerate(files, self._first_position):
            if token.cancelled:
                return
            if self.settings.watching:
                self._first_position = position + 1
            row = self._finished_row(file, position, token)
            if row is None and token.cancelled:  # in the middle of hashing it
                return
            if row is not None:
                self.counts.resumed += 1
                self.counts.add(row.result, self.panel.class_names)
                if on_resumed is not None:
                    on_resumed(row)
                continue
            positions[file.image] = position
            yield file
        self.complete = True

    def _finished_row(self, file: ImageFile, position: int, token: CancelToken) -> TableRow | None:
        if self._journal is None:
            return None
        case = self._journal.finished(file, lambda path: file_sha256(path, token))
        if case is None:
            return None
        if case.result.predictions and not self._has_picture(file.image):
            return None
        if case.result.predictions and self.settings.lungs and case.result.lungs_found is None:
            return None  # nobody looked for its lungs in the earlier run
        self._journal.set_position(file.image, position)
        return TableRow(case.result, device=case.device)

    def _count_as_written(self, tally: RunCounts) -> None:
        """Count what the table holds: an image may come twice, or be from an earlier run."""
        before = self.counts
        labelled = before.images - before.resumed
        if self.settings.watching:
            labelled = len(self._labelled)
        self.counts = replace(
            tally,
            resumed=max(0, tally.images - labelled),
            decode_seconds=before.decode_seconds,
            infer_seconds=before.infer_seconds,
            draw_seconds=before.draw_seconds,
            write_seconds=before.write_seconds,
            wait_seconds=before.wait_seconds,
        )

    @property
    def _busy_seconds(self) -> float:
        return self.counts.infer_seconds + self.counts.draw_seconds

    def _has_picture(self, image: str) -> bool:
        folders = {"heatmaps": self.settings.heatmaps, "lungs": self.settings.lungs}
        return all(
            folder is None or (folder / picture_name(image, kind)).exists()
            for kind, folder in folders.items()
        )

    def _save_lungs(self, result: CaseResult, size: tuple[int, int]) -> None:
        assert self.settings.lungs is not None
        assert self.panel.lungs is not None
        assert result.lungs_mask is not None
        start = time.perf_counter()
        mask = film_mask(result.lungs_mask, size, self.panel.lungs.card.threshold)
        if not result.lungs_found:
            # Specks are no lungs: the file stands for "looked at, none found".
            mask[:] = 0
        with atomic_write(self.settings.lungs / picture_name(result.image, "lungs")) as stream:
            Image.fromarray(mask).save(stream, format="PNG")
        self.counts.draw_seconds += time.perf_counter() - start

    def _draw(self, result: CaseResult, film: npt.NDArray[np.uint8]) -> None:
        assert self.settings.heatmaps is not None
        start = time.perf_counter()
        write_picture(self.settings.heatmaps, result, film, self.panel, self.settings.style)
        self.counts.draw_seconds += time.perf_counter() - start


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OutputFailed(
            "OUTPUT-03",
            f"{folder.name} is a file, so pictures cannot be put into it. Name a folder.",
        ) from error
    except OSError as error:
        raise output_failed(folder, error) from error
