"""The subcommands of ``cxr-train`` on data and exported panels; most write a page and its JSON."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from training.cli.arguments import Command

_METADATA = (
    "scores by subgroup: a CSV with filename and any of age, sex, view, site, or a folder of DICOM "
    "files"
)


def add_commands(commands: Any) -> None:
    """Register the subcommands; each sets ``run``, the function to call with the options."""
    evaluate: Command = commands.add_parser(
        "evaluate",
        help="score an exported panel on films it was not trained on",
        description="Either runs the panel on --data, or scores the CSV that cxr-quorum label "
        "wrote; where the report has the same figures, they are compared, with exit code 1 if one "
        "does not come out.",
    )
    evaluate.data(required=False)
    evaluate.name("panel_folder", "name or folder of the panel", metavar="PANEL")
    evaluate.path(
        "--csv",
        "score this table of cxr-quorum label instead of running the models",
        metavar="FILE",
    )
    evaluate.path(
        "--labels",
        "true classes for --csv: a CSV with image and label, or a folder as for --data",
        metavar="WHERE",
    )
    evaluate.path("--metadata", _METADATA, metavar="WHERE")
    evaluate.path("--json", "write all scores here as well", metavar="FILE")
    evaluate.set_defaults(run=_evaluate, refuse=evaluate.error)

    audit: Command = commands.add_parser(
        "audit",
        help="look for copies, leaks, contradicting labels and shortcuts in a data set",
        description="Exit code 1 where a film or a person stands in both training and test.",
    )
    audit.data()
    audit.name(
        "--panel",
        "covid19, pneumonia or pretraining (repeatable); default: the shipped panels whose folders "
        "are in --data, else --data itself as a folder of class folders",
        action="append",
    )
    _add_page(audit, "audit.md")
    audit.add_argument(
        "--repaired",
        action="store_true",
        help="let only the split that training uses decide the exit code: fit takes known leaks "
        "out by itself",
    )
    audit.set_defaults(run=_audit)

    lungs: Command = commands.add_parser(
        "lungs", help="do the exported models look at lungs, and vote without any?"
    )
    _add_panels(lungs, films=60)
    _add_page(lungs, "lungs.md")
    lungs.set_defaults(run=_lungs)

    ood: Command = commands.add_parser(
        "ood", help="does a panel notice what is no usual chest film?"
    )
    _add_panels(ood, films=150)
    ood.number("--made-from", "films of each test side that odd images are made of", 40)
    _add_page(ood, "ood.md")
    ood.set_defaults(run=_ood)

    int8: Command = commands.add_parser(
        "int8",
        help="measure how an exported panel runs in int8, and whether it then says the same",
        description="Writes int8.json beside the manifest. Every export of a panel does this too; "
        "by itself it is for panels that were exported before.",
    )
    int8.data()
    int8.name("--panel", "repeatable; default: the shipped panels", action="append")
    int8.path("--output", "folder of panels", "exported_models")
    int8.set_defaults(run=_int8)

    optimise: Command = commands.add_parser(
        "optimise",
        help="leave out of an exported panel's files what they compute for nothing",
        description="Every export does this too; by itself it is for panels that were exported "
        "before. Weights stay; hashes and the panel's version change.",
    )
    optimise.path("panel", "the panel's folder", metavar="FOLDER")
    optimise.name("--version", "version of the panel from now on", required=True, metavar="V")
    optimise.set_defaults(run=_optimise)

    report: Command = commands.add_parser("report", help="write the report of the exported panels")
    report.path("--models", "folder of panels", "exported_models")
    report.path(
        "--output",
        "Markdown file; the page with figures, model_report.html, is written beside it",
        "docs/MODEL_REPORT.md",
        metavar="FILE",
    )
    report.set_defaults(run=_report)


def _add_panels(parser: Command, *, films: int) -> None:
    parser.data()
    parser.name("panels", "name or folder of a panel", nargs="+", metavar="PANEL")
    parser.number("--films", "films of each class on each side, 0 = all", films)


def _add_page(parser: Command, output: str) -> None:
    parser.path("--output", "page in Markdown, with a JSON file beside it", output, metavar="FILE")


# ---- what they do -------------------------------------------------------------------------------


@contextmanager
def _stages(name: str, first: str) -> Iterator[Callable[[str], None]]:
    """Shows the stage that work on a panel is in."""
    from training.runtime.progress import CONSOLE

    with CONSOLE.status(f"{name}: {first}") as status:
        yield lambda stage: status.update(f"{name}: {stage}")


def _write(options: argparse.Namespace, values: Any, page: Callable[..., str]) -> None:
    """The JSON file and the page, which says by which command it was made."""
    from training.runtime.files import write_atomically, write_json
    from training.runtime.progress import CONSOLE

    command = [
        "cxr-train",
        options.command,
        "PANEL --data DATA" if "panels" in options else "--data DATA",
    ]
    for name in ("films", "made_from"):
        if name in options:
            command.append(f"--{name.replace('_', '-')} {getattr(options, name)}")
    write_json(options.output.with_suffix(".json"), values)
    write_atomically(options.output, page(command=" ".join(command)).encode())
    CONSOLE.print(f"Written: {options.output}")


def _evaluate(options: argparse.Namespace) -> None:
    if options.csv is not None and options.labels is None:
        options.refuse("evaluate --csv needs --labels: a CSV or a folder with the true classes")
    if options.csv is None and options.data is None:
        options.refuse("evaluate needs --data DIR")
    from training.evaluation.evaluate import evaluate_films, evaluate_table
    from training.runtime.files import write_json

    if options.csv is None:
        found = evaluate_films(options.panel_folder, options.data, options.metadata)
    else:
        found = evaluate_table(options.panel_folder, options.csv, options.labels, options.metadata)
    if options.json:
        write_json(options.json, found)


def _audit(options: argparse.Namespace) -> int:
    """1 where a split leaks."""
    from training.audit.audit import audit_split
    from training.audit.report import as_json, as_page
    from training.data.datasets import RECIPES, SHIPPED, recipe_for
    from training.data.split import split
    from training.runtime.progress import CONSOLE

    present = [
        name
        for name in SHIPPED
        if all((options.data / source.folder).is_dir() for source in RECIPES[name].sources)
    ]
    audits = []
    for panel in options.panel or present or ["own"]:
        with _stages(panel, "decoding") as on_stage:
            data = split(recipe_for(panel, options.data), options.data)
            audits.append(audit_split(data, options.data, on_stage=on_stage))
    for audit in audits:
        CONSOLE.print(
            f"{audit.panel}: {len(audit.sameness.copies)} pairs of copies; as the folders came "
            f"{len(audit.leaks_on_disk)} leaks, in the split that training uses "
            f"{len(audit.leaks_in_use)}."
        )
    _write(options, as_json(audits), partial(as_page, audits))
    return int(any(audit.leaks(repaired=options.repaired) for audit in audits))


def _loaded(options: argparse.Namespace, name: str) -> tuple[Any, Any]:
    """A panel's session and its data at the panel's input size."""
    from desktop.core.inference.session import PanelSession
    from desktop.core.panels.registry import open_panel
    from training.data.datasets import recipe_for
    from training.data.split import split

    panel = open_panel(Path(name) if "/" in name else name)
    if len(panel.input_sizes) > 1:
        raise ValueError("The panel's models take different input sizes; study them one by one.")
    recipe = recipe_for(panel.name, options.data)
    if recipe.class_names != panel.class_names:
        raise ValueError(
            f"{options.data} has the classes {', '.join(recipe.class_names)}, panel {panel.name} "
            f"{', '.join(panel.class_names)}. Give films of the panel's classes."
        )
    return PanelSession(panel, "cpu"), split(recipe, options.data, panel.input_sizes[0])


def _lungs(options: argparse.Namespace) -> None:
    from training.evaluation.lungs import TIGHT, WIDE, chosen_films, measure_lungs
    from training.models import TITLES
    from training.runtime.pages import render

    results = []
    for name in options.panels:
        with _stages(name, "loading") as on_stage:
            session, data = _loaded(options, name)
            films = chosen_films(data, options.films or len(data.films))
            results.append(measure_lungs(session, data, films, on_stage=on_stage))
    boxes = {"tight_area": TIGHT.area, "wide_area": WIDE.area}
    page = partial(render, "lungs.md.j2", results=results, titles=TITLES, **boxes)
    _write(options, {"panels": results}, page)


def _ood(options: argparse.Namespace) -> None:
    from training.data.split import VALIDATION
    from training.evaluation.lungs import chosen_films
    from training.ood.evaluation import CUTS, measure_ood
    from training.runtime.pages import render

    results = []
    for name in options.panels:
        with _stages(name, "loading") as on_stage:
            session, data = _loaded(options, name)
            sides = (VALIDATION, *data.test_sides)
            films = chosen_films(data, options.films or len(data.films), sides=sides)
            made_from = options.made_from
            found = measure_ood(session, data, films, made_from=made_from, on_stage=on_stage)
            results.append(found)
    page = partial(render, "ood.md.j2", results=results, cuts=CUTS)
    _write(options, {"panels": results}, page)


def _int8(options: argparse.Namespace) -> None:
    import time

    from desktop.core.panels.registry import open_panel
    from training.data.datasets import SHIPPED, recipe_for
    from training.data.split import split
    from training.export.int8 import INT8_NAME, quantise_panel
    from training.runtime.progress import CONSOLE

    for name in options.panel or SHIPPED:
        begun, folder = time.monotonic(), options.output / name
        size = open_panel(folder.absolute()).input_sizes[0]
        data = split(recipe_for(name, options.data), options.data, size)
        quantise_panel(folder, data, on_progress=CONSOLE.print)
        CONSOLE.print(f"{folder / INT8_NAME}, {time.monotonic() - begun:.0f} s")


def _optimise(options: argparse.Namespace) -> None:
    from training.export.rewrite import rewrite_panel
    from training.runtime.progress import CONSOLE

    if rewrite_panel(options.panel, options.version, on_progress=CONSOLE.print):
        CONSOLE.print(f"{options.panel} is version {options.version} now.")


def _report(options: argparse.Namespace) -> None:
    from training.report.report import write_report

    for path in write_report(options.models, options.output):
        print(path)
