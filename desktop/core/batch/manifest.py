"""The manifest of a run: enough to say later which models made a table, and how long it took.

No paths and no file names: they may hold a patient's name, and a manifest is what people send on.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime

import desktop
from desktop.core.batch.pipeline import DEFAULT_BATCH
from desktop.core.batch.run import RunCounts, RunSettings
from desktop.core.export.columns import SCHEMA_VERSION
from desktop.core.inference.devices import DeviceReport
from desktop.core.panels.contract import CONTRACT_VERSION, RESEARCH_USE
from desktop.core.panels.registry import Panel
from desktop.core.system.atomic_write import atomic_write_text, remove_leftovers
from desktop.core.vote import rule_text

MANIFEST_SUFFIX = ".run.json"


@dataclass(frozen=True)
class RunInfo:
    """What a manifest is written from.

    Attributes:
        started: Start of the run, UTC.
        seconds: Wall-clock time from start to the written table.
        complete: False where the run was stopped before the end of its listing.
    """

    panel: Panel
    report: DeviceReport
    settings: RunSettings
    counts: RunCounts
    started: datetime.datetime
    seconds: float
    complete: bool


def manifest_path(output: Path) -> Path:
    """Where the manifest of a table lies: beside it, or beside what a link leads to."""
    real = Path(os.path.realpath(output))
    return real.with_name(real.name + MANIFEST_SUFFIX)


def write_manifest(output: Path, facts: RunInfo) -> Path:
    """Write the manifest beside the table and return its path.

    Raises:
        OutputFailed: See ``atomic_write``.
    """
    target = manifest_path(output)
    # The run that writes the table is the one that may write here.
    remove_leftovers(target)
    with atomic_write_text(target) as stream:
        stream.write(json.dumps(manifest(facts), indent=2, ensure_ascii=False) + "\n")
    return target


def manifest(facts: RunInfo) -> dict[str, Any]:
    """The manifest as JSON values."""
    panel, counts, report = facts.panel, facts.counts, facts.report
    return {
        "app_version": desktop.__version__,
        "contract_version": CONTRACT_VERSION,
        "schema_version": SCHEMA_VERSION,
        "note": RESEARCH_USE,
        "rule": rule_text(len(panel.models)),
        "started": facts.started.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "complete": facts.complete,
        "panel": {
            "name": panel.name,
            "title": panel.title,
            "version": panel.version,
            "classes": list(panel.class_names),
            "ood_limit": panel.ood_limit,
            **({} if panel.none_limit is None else {"none_limit": panel.none_limit}),
            **({} if panel.lungs is None else {"lungs_sha256": panel.lungs.sha256}),
            "models": [
                {
                    "name": model.name,
                    "version": model.card.version,
                    "sha256": model.sha256,
                    "temperature": model.card.temperature,
                    "operating_points": dict(model.card.operating_points),
                }
                for model in panel.models
            ],
        },
        "device": {
            "asked": report.asked,
            "running": report.running,
            "sessions": dict(report.sessions),
            "reason": report.reason,
            "threads": report.threads,
            "precision": report.precision,
            "precision_reason": report.precision_reason,
            "int8": list(report.int8),
        },
        "settings": {
            "format": facts.settings.form,
            "shape": facts.settings.shape,
            "batch": facts.settings.batch or report.batch or DEFAULT_BATCH,
            "heatmaps": facts.settings.heatmaps is not None,
            "lungs": facts.settings.lungs is not None,
            "fresh": facts.settings.fresh,
            "watch": facts.settings.watching,
        },
        "counts": {
            "images": counts.images,
            "ok": counts.ok,
            "failed": counts.failed,
            "resumed": counts.resumed,
            "out_of_distribution": counts.ood,
            **({} if panel.lungs is None else {"no_lungs": counts.no_lungs}),
            **({} if panel.none_limit is None else {"none_of_these": counts.none_of_these}),
            "by_consensus": dict(sorted(counts.consensus.items())),
            "by_agreement": {str(key): value for key, value in sorted(counts.agreement.items())},
            "by_code": dict(sorted(counts.codes.items())),
        },
        "seconds": {
            "wall": round(facts.seconds, 3),
            **{stage: round(seconds, 3) for stage, seconds in counts.stages.items()},
        },
        "versions": {
            "python": platform.python_version(),
            "onnxruntime": onnxruntime.__version__,
            "system": f"{platform.system()} {platform.machine()}",
        },
    }
