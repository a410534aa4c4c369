"""What runs on this machine, and why: the facts behind ``doctor`` and the window's About box."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

import desktop
from desktop.core.batch.pipeline import batch_plan
from desktop.core.errors import CxrError, ModelRefused
from desktop.core.imaging.decoders.child import ROOM_BYTES
from desktop.core.imaging.decoders.decoder import DECODE_LIMIT_S
from desktop.core.inference.devices import PROVIDER_OF, TITLES, DeviceReport, usable_cores, why_not
from desktop.core.inference.names import DEVICES, Device, Precision
from desktop.core.inference.precision import plan_precision
from desktop.core.inference.sandbox import check_in_sandbox
from desktop.core.inference.session import PanelSession
from desktop.core.int8.processor import this_processor
from desktop.core.panels.registry import (
    Panel,
    RefusedPanel,
    open_panel,
    survey_panels,
    user_panels_folder,
)
from desktop.core.system.app_dirs import config_home, data_home
from desktop.core.system.cage import try_cage

_PACKAGES = (
    "onnxruntime-gpu",
    "onnxruntime",
    "numpy",
    "pillow",
    "pydicom",
    "simplejpeg",
    "python-gdcm",
    "pyjpegls",
    "pylibjpeg-rle",
    "pylibjpeg-openjpeg",
    "PySide6-Essentials",
    "pyarrow",
)


@dataclass(frozen=True)
class FormatSupport:
    """A file format and the library that reads it here; ``by`` is empty where nothing does."""

    name: str
    by: str


@dataclass(frozen=True)
class Choice:
    """Something the app chose for a batch on this machine.

    Attributes:
        what: What was to be chosen, one word.
        why: The reason, a sentence.
    """

    what: str
    chosen: str
    why: str


@dataclass(frozen=True)
class Protection:
    """Something that keeps a hostile film from doing harm.

    Attributes:
        name: Of the kernel's part or of the limit.
        holds: Whether it does on this system, tried.
        what: What it stops, a sentence.
    """

    name: str
    holds: bool
    what: str


@dataclass(frozen=True)
class Diagnosis:
    """Everything ``doctor`` says.

    Attributes:
        python: Python and system.
        packages: (name, version) of what inference and decoding stand on; only installed ones.
        cores: Usable processor cores.
        processor: Which one, with the instruction sets that int8 chooses by.
        devices: (device, why it is not used; empty where it may work).
        report: What a panel really runs on; None where no panel could be loaded.
        choices: What a batch would use here, and why; empty where no panel could be loaded.
        panels: Usable panels, verified.
        precisions: For each of them what a batch on the processor would compute in, and why: a
            proof of int8 holds for one panel.
        refused: Refused panel folders.
        formats: File formats and what reads them.
        protections: What decoders are kept from.
        folders: (what, path, writable).
        warnings: Sentences about what is wrong and what to do.
    """

    app_version: str
    python: str
    packages: tuple[tuple[str, str], ...]
    cores: int
    processor: str
    devices: tuple[tuple[str, str], ...]
    report: DeviceReport | None
    choices: tuple[Choice, ...]
    panels: tuple[Panel, ...]
    precisions: tuple[Choice, ...]
    refused: tuple[RefusedPanel, ...]
    formats: tuple[FormatSupport, ...]
    protections: tuple[Protection, ...]
    folders: tuple[tuple[str, Path, bool], ...]
    warnings: tuple[str, ...]


def diagnose(
    device: Device = "auto", threads: int | None = None, precision: Precision = "auto"
) -> Diagnosis:
    """Look at everything; loads the first panel to see what really runs.

    Args:
        threads: Threads to ask for, None = all usable cores.
    """
    packages = tuple((name, version) for name in _PACKAGES if (version := _version(name)))
    found, refused = survey_panels()
    panels: list[Panel] = []
    problems = list(refused)
    for panel in found:
        try:
            panels.append(open_panel(panel.folder))
        except ModelRefused as problem:
            problems.append(RefusedPanel(panel.folder, problem))
    report = None
    if panels:
        try:
            plan = plan_precision(panels[0], precision, device)
            check_in_sandbox(panels[0], plan)
            running: Device = "cpu" if plan.asked == "int8" else device
            session = PanelSession(panels[0], running, threads, precision=precision, on_cpu=plan)
            report = session.report
        except ModelRefused as problem:
            problems.append(RefusedPanel(panels[0].folder, problem))
    return Diagnosis(
        app_version=desktop.__version__,
        python=f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        packages=packages,
        cores=usable_cores(),
        processor=this_processor().words,
        devices=tuple((TITLES[word], why_not(word)) for word in DEVICES if word != "auto"),
        report=report,
        choices=() if report is None else choices(report, threads),
        panels=tuple(panels),
        precisions=tuple(_precision_of(panel, precision, device) for panel in panels),
        refused=tuple(problems),
        formats=_formats(),
        protections=protections(),
        folders=_folders(),
        warnings=_warnings(dict(packages), panels),
    )


def _precision_of(panel: Panel, asked: Precision, device: Device) -> Choice:
    try:
        plan = plan_precision(panel, asked, device)
    except CxrError as problem:
        return Choice(panel.name, "none", str(problem))
    why = plan.reason or "What the models were trained and tested in; nothing is converted."
    return Choice(panel.name, plan.precision, why)


def choices(report: DeviceReport, asked_threads: int | None = None) -> tuple[Choice, ...]:
    """Everything a batch chooses, from what the sessions themselves say.

    Args:
        asked_threads: Threads that were asked for, None where the app chose.
    """
    plan = batch_plan(report.threads, report.batch)
    cores = usable_cores()
    if report.asked == report.running:
        provider = "As asked for."
    else:
        provider = report.reason or "The fastest that works here."
    if asked_threads is None:
        threads = f"One for each of {cores} usable cores, limits of a container respected."
    else:
        threads = f"As asked for; {cores} cores are usable."
    return (
        Choice("provider", PROVIDER_OF[report.running], provider),
        Choice("threads", str(report.threads), threads),
        Choice(
            "streams",
            str(plan.streams),
            "One thread each: a stream never waits for the slowest part of another's operator.",
        ),
        Choice(
            "batch",
            str(plan.batch),
            "Weights are read once a batch, so that eight images take 2 % less time than in "
            "batches of four; larger ones delay the first row and leave cores idle at a folder's "
            "end."
            if report.batch is None
            else "A probe at the start: the next larger one was hardly faster or had no room.",
        ),
        Choice(
            "decoders",
            str(plan.decoders),
            f"Processes of their own, so that a damaged file costs one image; up to {plan.ahead} "
            "films ahead, which bounds the memory.",
        ),
        Choice(
            "precision",
            report.precision,
            report.precision_reason
            or "What the models were trained and tested in; nothing is converted.",
        ),
    )


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _formats() -> tuple[FormatSupport, ...]:
    gdcm = "gdcm" if importlib.util.find_spec("gdcm") else ""
    jpegls = "pyjpegls" if importlib.util.find_spec("jpeg_ls") else gdcm
    rle = "pylibjpeg-rle" if importlib.util.find_spec("rle") else gdcm or "pydicom (slow)"
    wavelet = "pylibjpeg-openjpeg" if importlib.util.find_spec("openjpeg") else gdcm
    return (
        FormatSupport("JPEG", "simplejpeg"),
        FormatSupport("PNG, TIFF, BMP, WebP", "Pillow"),
        FormatSupport("DICOM, uncompressed", "pydicom"),
        FormatSupport("DICOM, RLE", rle),
        FormatSupport("DICOM, JPEG baseline", "Pillow"),
        FormatSupport("DICOM, JPEG extended and lossless", gdcm),
        FormatSupport("DICOM, JPEG-LS", jpegls),
        FormatSupport("DICOM, JPEG 2000", wavelet),
    )


def protections() -> tuple[Protection, ...]:
    """What decoding processes are kept from here; tries it in a process of its own."""
    held = try_cage()
    return (
        Protection(
            "seccomp",
            "seccomp" in held,
            "A decoder can open no file, connect nowhere, and start or signal no other process.",
        ),
        Protection(
            "Landlock",
            "landlock" in held,
            "The same for files and, from Linux 6.7, connections, by another part of the kernel.",
        ),
        Protection(
            "memory limit",
            sys.platform == "linux",
            f"A decoder that takes more than {ROOM_BYTES / 2**30:g} GB costs its own film.",
        ),
        Protection(
            "time limit",
            True,
            f"A decoder that takes more than {DECODE_LIMIT_S:g} s costs its own film.",
        ),
    )


def _folders() -> tuple[tuple[str, Path, bool], ...]:
    named = (
        ("Reviews", data_home()),
        ("Settings", config_home()),
        ("Own panels", user_panels_folder()),
    )
    return tuple((what, path, _can_write(path)) for what, path in named)


def _can_write(path: Path) -> bool:
    """True where files can be made in ``path``, or ``path`` itself can still be made."""
    existing = path
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    return os.access(existing, os.W_OK)


def _warnings(packages: dict[str, str], panels: list[Panel]) -> tuple[str, ...]:
    warnings = []
    if "onnxruntime" in packages and "onnxruntime-gpu" in packages:
        warnings.append(
            "Both onnxruntime and onnxruntime-gpu are installed and overwrite each other's files. "
            "Uninstall both, then install the app again."
        )
    if not panels:
        warnings.append("No panel of models is installed. Install the app again.")
    if sys.version_info < (3, 12) and packages.get("PySide6-Essentials", "").startswith("6.12."):
        warnings.append(
            "PySide6 6.12 crashes on Python 3.11. Install PySide6-Essentials below 6.12."
        )
    return tuple(warnings)
