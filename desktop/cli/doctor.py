"""``cxr-quorum doctor``: what runs here, and why."""

from __future__ import annotations

import argparse
import dataclasses
import json

from desktop.core.batch.pipeline import batch_plan
from desktop.core.diagnostics.system import Diagnosis, diagnose
from desktop.core.inference.names import checked_device, checked_precision
from desktop.core.system.text import printable


def run(arguments: argparse.Namespace) -> int:
    """Print the diagnosis; 0 if labelling works here, 1 if something is wrong."""
    found = diagnose(
        checked_device(arguments.device),
        arguments.threads,
        checked_precision(arguments.precision),
    )
    print(_json(found) if arguments.json else _text(found))
    return 0 if found.report is not None and not found.warnings and not found.refused else 1


def _text(found: Diagnosis) -> str:
    lines = [f"CXR Quorum {found.app_version}", found.python]
    lines += [f"  {name} {version}" for name, version in found.packages]
    lines += ["", f"Processor: {found.cores} usable cores, {found.processor}", "", "Device"]
    if found.report is not None:
        lines.append(f"  {found.report.sentence}")
    lines += [f"  {reason or name + ': may work here'}" for name, reason in found.devices]
    if found.choices:
        lines += ["", "What a batch uses, and why"]
        lines += [f"  {item.what} {item.chosen}: {item.why}" for item in found.choices]
    lines += ["", "Panels"]
    for panel, precision in zip(found.panels, found.precisions, strict=True):
        models = ", ".join(model.card.title for model in panel.models)
        lines.append(f"  {panel.name} {panel.version}: {models}; all hashes verified")
        lines.append(f"    {panel.folder}")
        lines.append(f"    on the processor {precision.chosen}: {precision.why}")
    for refused in found.refused:
        lines.append(f"  Refused: {refused.folder}")
        lines.append(f"    {refused.problem} [{refused.problem.code}]")
    lines += ["", "Formats"]
    lines += [f"  {item.name}: {item.by or 'not readable here'}" for item in found.formats]
    lines += ["", "Protection from hostile files"]
    lines += [
        f"  {item.name}: {item.what if item.holds else 'does not hold on this system.'}"
        for item in found.protections
    ]
    lines += ["", "Folders"]
    for what, path, writable in found.folders:
        lines.append(f"  {what}: {path}" + ("" if writable else " (not writable)"))
    if found.warnings:
        lines += ["", "To do", *(f"  {warning}" for warning in found.warnings)]
    return "\n".join(map(printable, lines))


def _json(found: Diagnosis) -> str:
    report = found.report
    values = {
        "app_version": found.app_version,
        "python": found.python,
        "packages": dict(found.packages),
        "cores": found.cores,
        "processor": found.processor,
        "device": None
        if report is None
        else {
            "asked": report.asked,
            "running": report.running,
            "sessions": dict(report.sessions),
            "reason": report.reason,
            "threads": report.threads,
            "precision": report.precision,
            "int8": list(report.int8),
            "batch": dataclasses.asdict(batch_plan(report.threads, report.batch)),
            "choices": {
                item.what: {"chosen": item.chosen, "why": item.why} for item in found.choices
            },
        },
        "devices": {name: reason or "may work here" for name, reason in found.devices},
        "panels": {
            panel.name: {
                "version": panel.version,
                "folder": str(panel.folder),
                "precision": precision.chosen,
                "precision_reason": precision.why,
            }
            for panel, precision in zip(found.panels, found.precisions, strict=True)
        },
        "refused": {
            str(item.folder): {"code": item.problem.code, "reason": str(item.problem)}
            for item in found.refused
        },
        "formats": {item.name: item.by or None for item in found.formats},
        "protections": {item.name: item.holds for item in found.protections},
        "folders": {
            what: {"path": str(path), "writable": writable}
            for what, path, writable in found.folders
        },
        "warnings": list(found.warnings),
    }
    return json.dumps(values, indent=2)
