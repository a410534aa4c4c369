"""What ``cxr-quorum label`` was asked for: the words of the command line, checked once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from desktop.core.batch.event_log import STANDARD_ERROR
from desktop.core.batch.output_check import LOG_OPTION, refuse_to_write_over
from desktop.core.batch.run import RunSettings
from desktop.core.errors import UsageError
from desktop.core.export.table import FORMATS, TableFormat
from desktop.core.files.path_list import PathList, refuse_addresses
from desktop.core.inference.names import Device, Precision, checked_device, checked_precision

STANDARD_OUTPUT = "-"


@dataclass(frozen=True)
class LabelOptions:
    """The options of one call.

    Attributes:
        paths: Folders and files, those of a list included; addresses only for a cluster.
        recursive: Also look in the folders below.
        panel: Name or folder.
        settings: What is written and how; its precision is planned when the panel is known.
        interval: Seconds between two looks of a watch.
        threads: Processor threads, None for all.
        stop_at_failure: End the run at the first image that cannot be read.
        log: File of events, ``-`` for standard error, None for no log.
        quiet: Say nothing to a person: asked for, or because the log is on standard error.
        cluster: What only ``--engine ray`` takes, None for this machine.
    """

    paths: Collection[Path | str]
    recursive: bool
    panel: str
    settings: RunSettings
    interval: float
    device: Device
    precision: Precision
    threads: int | None
    stop_at_failure: bool
    log: str | None
    quiet: bool
    cluster: ClusterOptions | None


@dataclass(frozen=True)
class ClusterOptions:
    """What only ``--engine ray`` takes.

    Attributes:
        address: The cluster, empty for that of the environment or this machine.
        parts: Folder or address of the part files, empty for beside the table.
        part_size: Images in a part on average, None for what suits their number.
        actors: Most workers at once, None for as many as there is room for.
        recheck: How a rerun sees that a finished image has not changed.
        merge: Write one table, not one a part.
    """

    address: str
    parts: str
    part_size: int | None
    actors: int | None
    recheck: str
    merge: bool


def label_options(words: argparse.Namespace) -> LabelOptions:
    """Take over what ``argparse`` read, and refuse what does not go together.

    Raises:
        UsageError: USAGE-05; USAGE-01 where a list cannot be read.
        OutputFailed: OUTPUT-03, OUTPUT-05 as in ``refuse_to_write_over``.
    """
    paths = words.paths if words.list is None else PathList(words.list, words.paths)
    if not paths:
        raise UsageError("USAGE-05", "There is nothing to label. Name a folder or images.")
    cluster = _cluster_options(words) if words.engine == "ray" else None
    if cluster is None:
        refuse_addresses(paths)
    settings = RunSettings(
        output=None if words.output == STANDARD_OUTPUT else Path(words.output),
        form=table_format(words.format, words.output),
        shape=words.shape,
        heatmaps=words.heatmaps,
        lungs=words.lungs,
        batch=words.batch,
        fresh=words.fresh,
        watching=words.watch,
    )
    if settings.output is None and settings.form == "parquet":
        raise UsageError(
            "USAGE-05",
            "Parquet has its index at the end and cannot be streamed. Name a file with --output, "
            "or stream csv or jsonl.",
        )
    for what, folder in (("heatmaps", settings.heatmaps), ("lungs", settings.lungs)):
        if folder is not None:
            _check_pictures(what, folder, paths, recursive=words.recursive)
    log = None if words.log_json in (None, STANDARD_ERROR) else Path(words.log_json)
    check_targets(settings.output, log, () if words.list is None else (words.list,))
    return LabelOptions(
        paths=paths,
        recursive=words.recursive,
        panel=words.panel,
        settings=settings,
        interval=words.interval,
        device=checked_device(words.device),
        precision=checked_precision(words.precision),
        threads=words.threads,
        stop_at_failure=words.on_error == "fail",
        log=words.log_json,
        # Lines for a program and lines for a person do not mix.
        quiet=words.quiet or words.log_json == STANDARD_ERROR,
        cluster=cluster,
    )


def table_format(asked: str | None, output: str) -> TableFormat:
    """The format asked for, else by the output's ending, else CSV."""
    for form in FORMATS:
        if asked == form or (asked is None and output.lower().endswith(f".{form}")):
            return form
    return "csv"


def check_targets(output: Path | None, log: Path | None, inputs: Collection[Path]) -> None:
    """Refuse a table or log in the place of a film, a model, a list or each other.

    Raises:
        UsageError: USAGE-05; see ``refuse_to_write_over``.
        OutputFailed: OUTPUT-03, OUTPUT-05.
    """
    for target, option in ((output, "--output"), (log, LOG_OPTION)):
        if target is not None:
            refuse_to_write_over(target, option, inputs=inputs)
    if output is not None and log is not None and _real(log) == _real(output):
        raise UsageError(
            "USAGE-05", "--log-json and --output name the same file. Give the log its own."
        )


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _cluster_options(words: argparse.Namespace) -> ClusterOptions:
    for given, option in (
        (words.watch, "--watch"),
        (words.heatmaps, "--heatmaps"),
        (words.lungs, "--lungs"),
    ):
        if given:
            raise UsageError("USAGE-05", f"{option} does not go with --engine ray. Leave one out.")
    if words.output == STANDARD_OUTPUT:
        raise UsageError(
            "USAGE-05", "--engine ray writes part files, not a stream. Name a file with --output."
        )
    if words.on_error == "fail":
        raise UsageError(
            "USAGE-05",
            "--on-error fail does not go with --engine ray: other nodes are already further. "
            "Look at the status column instead.",
        )
    return ClusterOptions(
        address=words.address,
        parts=words.parts,
        part_size=words.part_size,
        actors=words.actors,
        recheck=words.recheck,
        merge=not words.no_merge,
    )


def _check_pictures(
    what: str, pictures: Path, paths: Collection[Path | str], *, recursive: bool
) -> None:
    """Refuse pictures among the films: the next look or run would label them, without an end."""
    pictures = pictures.resolve()
    for path in paths:
        if isinstance(path, str) or not path.is_dir():
            continue
        folder = path.resolve()
        if pictures == folder or (recursive and folder in pictures.parents):
            raise UsageError(
                "USAGE-05",
                f"The {what} would lie among the films and be labelled as films themselves. "
                f"Choose a folder elsewhere for --{what}.",
            )
