"""Files and results in the store: what was seen in the folder and what the panel said about it.

A result belongs to the content of a file and to exactly one set of models; the same film under two
names is stored once. Probabilities are kept as float64, so an export from the store has the same
bytes as one from the run. ``model_ood`` holds a score a model; where the models also say "none of
these", those scores follow in the same blob; where the panel finds lungs, then 1 = found or 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import numpy as np

from desktop.core.cases import CaseResult, FileStamp, ImageFile, Prediction, Verdict
from desktop.core.panels.contract import PanelManifest
from desktop.core.review.case_table import FAILED, NONE, READ, ResultColumns
from desktop.core.store.connection import StoreConnection, image_path, sound_rows, stored_path
from desktop.core.vote import above, mean_given

_CHUNK = 500
_RESULT = (
    "probabilities, model_ood, mean, consensus, agreement, entropy, ood_score, ood, code, reason"
)


class ResultRows:
    """The tables ``image``, ``content``, ``result`` and ``failure``. The caller holds transactions.

    Args:
        connection: The store.
        panel: The panel whose results are read and written.
        panel_id: Its row in the table ``panel``.
    """

    def __init__(self, connection: StoreConnection, panel: PanelManifest, panel_id: int) -> None:
        self._connection = connection
        self._sound = connection.sound
        self._panel_id = panel_id
        self._classes = len(panel.class_names)
        self._models = tuple(member.name for member in panel.members)
        self._none_limit = panel.none_limit
        # Rows of scores a film: distances; none of these; whether lungs were found.
        self._none_row = 1
        self._lungs_row = 1 if panel.none_limit is None else 2
        self._score_rows = self._lungs_row + (panel.lungs is not None)

    # reading -----------------------------------------------------------------------------------

    def images(self) -> list[str]:
        """All images ever seen, in the order in which they were first seen."""
        rows = self._connection.execute("SELECT path FROM image ORDER BY id")
        return [image_path(path) for (path,) in rows]

    def finished(self) -> dict[str, FileStamp]:
        """Images with a result or a failure of exactly these models, as they were then."""
        rows = self._connection.execute(
            f"SELECT path, size, mtime_ns, {self._sound('image')} FROM image"
            " WHERE EXISTS (SELECT 1 FROM result"
            " WHERE result.content = image.content AND result.panel = :panel)"
            " OR EXISTS (SELECT 1 FROM failure"
            " WHERE failure.image = image.id AND failure.panel = :panel)"
            " ORDER BY id",
            {"panel": self._panel_id},
        )
        return {image_path(path): (size, mtime_ns) for path, size, mtime_ns in sound_rows(rows)}

    def contents(self, images: Sequence[str]) -> dict[str, bytes]:
        """Image -> raw content hash, where it is known."""
        found: dict[str, bytes] = {}
        for chunk in _chunks(images):
            rows = self._connection.execute(
                f"SELECT path, sha256, {self._sound('image', 'content')} FROM image"
                " JOIN content ON content.id = content"
                f" WHERE path IN ({_marks(chunk)})",
                [stored_path(image) for image in chunk],
            )
            found.update((image_path(path), sha256) for path, sha256 in sound_rows(rows))
        return found

    def columns(self) -> ResultColumns:
        """All results of these models, in columns."""
        rows = self._connection.execute(
            f"SELECT path, sha256, {_RESULT}, {self._sound('image', 'content', 'result')}"
            " FROM image JOIN content ON content.id = image.content"
            " JOIN result ON result.content = image.content AND result.panel = :panel"
            # The same film under another name may have been read where this file was not.
            " WHERE NOT EXISTS (SELECT 1 FROM failure WHERE failure.image = image.id"
            " AND failure.panel = :panel) ORDER BY image.id",
            {"panel": self._panel_id},
        )
        failures = self._connection.execute(
            f"SELECT path, sha256, code, reason, {self._sound('image', 'failure')} FROM failure"
            " JOIN image ON image.id = failure.image WHERE panel = ? ORDER BY image.id",
            (self._panel_id,),
        )
        return self._columns(list(sound_rows(rows)), list(sound_rows(failures)))

    def case_results(self, images: Iterable[str]) -> Iterator[CaseResult]:
        """Results of these images in this order, without maps; those without one are left out."""
        for chunk in _chunks(list(images)):
            found: dict[str, CaseResult] = {}
            paths = [stored_path(image) for image in chunk]
            rows = self._connection.execute(
                f"SELECT path, sha256, {_RESULT}, {self._sound('image', 'content', 'result')}"
                " FROM image JOIN content ON content.id = image.content"
                " JOIN result ON result.content = image.content AND result.panel = ?"
                f" WHERE path IN ({_marks(chunk)})",
                [self._panel_id, *paths],
            )
            for path, sha256, *values in sound_rows(rows):
                found[path] = self._case_result(image_path(path), sha256, values)
            rows = self._connection.execute(
                f"SELECT path, sha256, code, reason, {self._sound('image', 'failure')} FROM failure"
                " JOIN image ON image.id = failure.image"
                f" WHERE panel = ? AND path IN ({_marks(chunk)})",
                [self._panel_id, *paths],
            )
            for path, sha256, code, reason in sound_rows(rows):
                image = image_path(path)
                found[path] = CaseResult(image, sha256.hex(), "failed", code, reason)
            yield from (found[path] for path in paths if path in found)

    def devices(self) -> dict[str, str]:
        """Image -> device its answer came from, where it has one; empty where that is unknown."""
        rows = self._connection.execute(
            "SELECT path, coalesce(failure.device, result.device) AS device FROM image"
            " LEFT JOIN result ON result.content = image.content AND result.panel = :panel"
            " LEFT JOIN failure ON failure.image = image.id AND failure.panel = :panel"
            " WHERE coalesce(failure.device, result.device) IS NOT NULL",
            {"panel": self._panel_id},
        )
        return {image_path(path): device for path, device in rows}

    # writing, inside the caller's transaction --------------------------------------------------

    def record_files(self, files: Iterable[ImageFile]) -> None:
        """Note what a scan saw. A file that is not as it was counts as unread again."""
        self._connection.execute(
            "CREATE TEMP TABLE IF NOT EXISTS seen (path TEXT PRIMARY KEY, size, mtime_ns)"
        )
        self._connection.execute("DELETE FROM temp.seen")
        self._connection.executemany(
            "INSERT OR REPLACE INTO temp.seen VALUES (?, ?, ?)",
            ((stored_path(file.image), *file.stamp) for file in files),
        )
        self._connection.execute(
            "DELETE FROM failure WHERE image IN (SELECT image.id FROM image JOIN temp.seen"
            " USING (path) WHERE (image.size, image.mtime_ns) != (seen.size, seen.mtime_ns))"
        )
        self._connection.execute(
            "UPDATE image SET size = seen.size, mtime_ns = seen.mtime_ns, content = NULL"
            " FROM temp.seen WHERE seen.path = image.path"
            " AND (image.size, image.mtime_ns) != (seen.size, seen.mtime_ns)"
        )
        self._connection.execute(
            "INSERT INTO image (path, size, mtime_ns) SELECT path, size, mtime_ns FROM temp.seen"
            " WHERE path NOT IN (SELECT path FROM image) ORDER BY seen.rowid"
        )

    def record(self, result: CaseResult, file: ImageFile, device: str) -> bytes:
        """Keep one result or failure with the device it came from.

        Returns:
            The raw content hash, empty where unknown.
        """
        sha256 = bytes.fromhex(result.sha256)
        content = self._content_id(sha256) if sha256 else None
        (image,) = self._connection.execute(
            "INSERT INTO image (path, size, mtime_ns, content) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (path) DO UPDATE SET size = excluded.size,"
            " mtime_ns = excluded.mtime_ns, content = excluded.content RETURNING id",
            (stored_path(result.image), *file.stamp, content),
        ).fetchone()
        if result.status == "failed":
            self._connection.execute(
                "INSERT OR REPLACE INTO failure (image, panel, sha256, code, reason, device)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (image, self._panel_id, sha256, result.code, _storable(result.reason), device),
            )
            return sha256
        if content is None or result.verdict is None:
            raise ValueError("a result that is ok has a content hash and a verdict")
        self._connection.execute(
            "DELETE FROM failure WHERE image = ? AND panel = ?", (image, self._panel_id)
        )
        self._connection.execute(
            f"INSERT OR REPLACE INTO result (content, panel, {_RESULT}, device)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (content, self._panel_id, *self._values(result, result.verdict), device),
        )
        return sha256

    # -------------------------------------------------------------------------------------------

    def _content_id(self, sha256: bytes) -> int:
        found = self._connection.execute(
            "SELECT id FROM content WHERE sha256 = ?", (sha256,)
        ).fetchone()
        if found is None:
            cursor = self._connection.execute("INSERT INTO content (sha256) VALUES (?)", (sha256,))
            return cast("int", cursor.lastrowid)
        return cast("int", found[0])

    def _values(self, result: CaseResult, verdict: Verdict) -> tuple[Any, ...]:
        """The columns of _RESULT."""
        probabilities = np.full((len(self._models), self._classes), np.nan)
        scores = np.full((self._score_rows, len(self._models)), np.nan)
        for prediction in result.predictions:
            model = self._models.index(prediction.model)
            probabilities[model] = prediction.probabilities
            if prediction.ood_score is not None:
                scores[0, model] = prediction.ood_score
            if prediction.none_of_these is not None and self._none_limit is not None:
                scores[self._none_row, model] = prediction.none_of_these
        if result.lungs_found is not None and self._lungs_row < self._score_rows:
            scores[self._lungs_row] = result.lungs_found
        return (
            probabilities.astype("<f8").tobytes(),
            scores.astype("<f8").tobytes(),
            np.asarray(verdict.mean_probabilities, "<f8").tobytes(),
            verdict.consensus,
            verdict.agreement,
            verdict.entropy,
            verdict.ood_score,
            verdict.ood,
            result.code,
            _storable(result.reason),
        )

    def _case_result(self, image: str, sha256: bytes, values: Sequence[Any]) -> CaseResult:
        packed, packed_ood, mean, consensus, agreement, entropy, score, ood, code, reason = values
        rows = np.frombuffer(packed, "<f8").reshape(len(self._models), self._classes).tolist()
        kinds = np.frombuffer(packed_ood, "<f8").reshape(-1, len(self._models))
        given = [[None if own != own else own for own in kind] for kind in kinds.tolist()]
        silent = [None] * len(self._models)
        none_scores = silent if self._none_limit is None else given[self._none_row]
        lungs = given[self._lungs_row][0] if self._lungs_row < len(given) else None
        predictions = tuple(
            Prediction(name, tuple(row), own, none_of_these=none)
            for name, row, own, none in zip(self._models, rows, given[0], none_scores, strict=True)
            if row[0] == row[0]  # NaN = no answer
        )
        none_score = mean_given(none_scores)
        by_model = {prediction.model: prediction.vote for prediction in predictions}
        verdict = Verdict(
            consensus=consensus,
            agreement=agreement,
            votes=tuple(by_model.get(name) for name in self._models),
            mean_probabilities=tuple(np.frombuffer(mean, "<f8").tolist()),
            entropy=entropy,
            ood_score=score,
            ood=bool(ood),
            none_score=none_score,
            none_of_these=above(none_score, self._none_limit),
        )
        return CaseResult(
            image,
            sha256.hex(),
            "ok",
            code,
            reason,
            predictions,
            verdict,
            lungs_found=None if lungs is None else bool(lungs),
        )

    def _columns(self, rows: list[Any], failures: list[Any]) -> ResultColumns:
        models, classes = len(self._models), self._classes
        count = len(rows) + len(failures)
        read = slice(0, len(rows))

        def filled(shape: tuple[int, ...], blank: object, dtype: Any) -> Any:
            return np.full((count, *shape), blank, dtype)

        by_column = list(zip(*rows, strict=True)) if rows else [()] * 12
        stored, hashes, packed, packed_ood, means, consensus, agreement, *rest = by_column
        entropy, score, ood, codes, reasons = rest
        paths = [image_path(path) for path in (*stored, *(line[0] for line in failures))]
        probabilities = filled((models, classes), np.nan, np.float64)
        probabilities[read] = np.frombuffer(b"".join(packed), "<f8").reshape(-1, models, classes)
        model_ood = filled((models,), np.nan, np.float64)
        scores = np.frombuffer(b"".join(packed_ood), "<f8")
        scores = scores.reshape(-1, self._score_rows, models)
        model_ood[read] = scores[:, 0]
        none_score = filled((), np.nan, np.float64)
        none_of_these = filled((), False, np.bool_)
        if self._none_limit is not None:
            # As for one film: the same sum in the same order, so the same flag.
            means_of = [
                mean_given([v for v in row if v == v]) for row in scores[:, self._none_row].tolist()
            ]
            none_score[read] = [np.nan if item is None else item for item in means_of]
            none_of_these[read] = [above(item, self._none_limit) for item in means_of]
        mean = filled((classes,), np.nan, np.float64)
        blank = np.full(classes, np.nan).tobytes()
        joined = b"".join(item or blank for item in means)
        mean[read] = np.frombuffer(joined, "<f8").reshape(-1, classes)
        status = filled((), FAILED, np.int8)
        status[read] = READ
        consensus_column = filled((), NONE, np.int16)
        consensus_column[read] = [NONE if item is None else item for item in consensus]
        agreement_column = filled((), 0, np.int16)
        agreement_column[read] = agreement
        entropy_column = filled((), np.nan, np.float64)
        entropy_column[read] = entropy
        score_column = filled((), np.nan, np.float64)
        score_column[read] = [np.nan if item is None else item for item in score]
        ood_column = filled((), False, np.bool_)
        ood_column[read] = ood
        refusals = {
            path: (code, reason)
            for path, code, reason in zip(
                paths,
                (*codes, *(line[2] for line in failures)),
                (*reasons, *(line[3] for line in failures)),
                strict=True,
            )
            if code
        }
        return ResultColumns(
            images=paths,
            sha256=[item.hex() for item in (*hashes, *(line[1] for line in failures))],
            status=status,
            probabilities=probabilities,
            model_ood=model_ood,
            consensus=consensus_column,
            agreement=agreement_column,
            mean_probabilities=mean,
            entropy=entropy_column,
            ood_score=score_column,
            ood=ood_column,
            none_score=none_score,
            none_of_these=none_of_these,
            refusals=refusals,
        )


def _storable(sentence: str) -> str:
    """A sentence may name a file whose name is not Unicode."""
    return sentence.encode("utf-8", "backslashreplace").decode("utf-8")


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def _marks(items: Sequence[str]) -> str:
    return ", ".join("?" * len(items))
