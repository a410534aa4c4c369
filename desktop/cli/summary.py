"""The words at the end of a run."""

from __future__ import annotations

from desktop.cli.progress import duration
from desktop.core.label_run import RunCounts, RunSettings
from desktop.core.run_log import RunLog

_STAGES = {"decode": "decode", "infer": "models", "draw": "pictures", "write": "write"}


def summary(
    counts: RunCounts, settings: RunSettings, seconds: float, *, interrupted: bool
) -> list[str]:
    """Lines that say what a run did.

    Args:
        counts: What happened.
        settings: What was asked for.
        seconds: Wall-clock time.
        interrupted: Somebody stopped it before its end.
    """
    fresh = counts.images - counts.resumed
    rate = f", {fresh / seconds:.1f} images/s" if fresh and seconds > 0.5 else ""
    if settings.watching:
        rate = ""
    lines = [f"{image_count(counts.images)} in {duration(seconds)}{rate}."]
    if counts.resumed:
        lines.append(f"{counts.resumed:,} taken over from an earlier run.")
    if fresh:
        lines.append(stage_words(counts))
    if counts.consensus:
        votes = ", ".join(f"{n:,} {word}" for word, n in counts.consensus.most_common())
        lines.append(f"Consensus: {votes}.")
    if counts.ood:
        lines.append(f"{counts.ood:,} unlike the training images.")
    if counts.failed:
        codes = ", ".join(f"{n:,} {code}" for code, n in counts.codes.most_common())
        lines.append(f"{counts.failed:,} failed ({codes}); cxr-quorum codes explains them.")
    if settings.output is not None:
        lines.append(f"Table: {settings.output}")
    if settings.heatmaps is not None:
        lines.append(f"Heatmaps: {settings.heatmaps}")
    if interrupted:
        kept = "is kept" if counts.images == 1 else "are kept"
        rest = "; the same command goes on with the rest." if settings.output else "."
        lines.append(f"Stopped. {image_count(counts.images)} {kept}{rest}")
    return lines


def stage_words(counts: RunCounts) -> str:
    """Where the time went: work of all processes and threads, and what the models waited."""
    work = ", ".join(
        f"{word} {counts.stages[stage]:.1f} s"
        for stage, word in _STAGES.items()
        if stage != "draw" or counts.draw_seconds
    )
    return f"Work of all cores: {work}; the models waited {counts.wait_seconds:.1f} s."


def image_count(count: int) -> str:
    """``1 image``, ``2,000 images``."""
    return f"{count:,} image" + ("" if count == 1 else "s")


def log_end(
    log: RunLog, counts: RunCounts, seconds: float, *, code: int, complete: bool, interrupted: bool
) -> None:
    """The last line of ``--log-json``: how the run ended, in numbers, whatever engine ran it."""
    log.event(
        "run_ended",
        exit_code=code,
        complete=complete,
        interrupted=interrupted,
        images=counts.images,
        failed=counts.failed,
        resumed=counts.resumed,
        by_code=dict(counts.codes),
        wall_seconds=round(seconds, 3),
        stage_seconds={stage: round(value, 3) for stage, value in counts.stages.items()},
    )
