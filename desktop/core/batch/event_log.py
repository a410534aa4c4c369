"""Events of a run as JSON lines, for whoever watches many runs.

An event never holds a file's name, path or any of a refusal's words: those may name a patient, also
when hashed, because names are few enough to try. An image is known by its place in the table and by
the hash of its content, both of which the table holds too.
"""

from __future__ import annotations

import datetime
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from desktop.core.system.atomic_write import output_failed

Value = str | int | float | bool | None | Mapping[str, "Value"] | tuple["Value", ...]
STANDARD_ERROR = "-"


class RunLog:
    """Writes one line an event, at once. Use as a context manager.

    Every line has ``time`` (UTC), ``seconds`` since the log began, which no change of the clock
    disturbs, and ``event``.

    Args:
        target: A file, which is appended to; ``-`` for standard error; None writes nothing.

    Raises:
        OutputFailed: The file cannot be opened.
    """

    def __init__(self, target: str | None) -> None:
        self._began = time.monotonic()
        self._stream: TextIO | None = None
        self._owned = target not in (None, STANDARD_ERROR)
        self.lost = False
        if target == STANDARD_ERROR:
            self._stream = sys.stderr
        elif target is not None:
            path = Path(target)
            try:
                self._stream = path.open("a", encoding="utf-8", newline="\n")
            except OSError as error:
                raise output_failed(path, error) from error

    def event(self, name: str, **facts: Value) -> None:
        """Write one event. A log that cannot be written never ends a run; ``lost`` tells."""
        if self._stream is None or self.lost:
            return
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        head = {
            "time": now.replace("+00:00", "Z"),
            "seconds": round(time.monotonic() - self._began, 3),
            "event": name,
        }
        try:
            self._stream.write(json.dumps(head | facts, allow_nan=False) + "\n")
            self._stream.flush()
        except OSError:
            self.lost = True

    def __enter__(self) -> RunLog:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None and self._owned:
            try:
                self._stream.close()
            except OSError:
                self.lost = True
