"""The subcommands of ``cxr-train`` on data and exported panels: audit, lungs, ood, int8."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_studies(commands: Any, data: argparse.ArgumentParser) -> None:
    """Register the subcommands; each sets ``study``, the function to call with the options.

    Args:
        commands: What ``add_subparsers`` gave.
        data: Parent parser with ``--data``.
    """
    _add_audit(commands, data)
    _add_lungs(commands, data)
    _add_ood(commands, data)
    _add_int8(commands, data)
    _add_optimise(commands)


def _add_int8(commands: Any, data: argparse.ArgumentParser) -> None:
    int8 = commands.add_parser(
        "int8",
        parents=[data],
        help="measure how an exported panel runs in int8, and whether it then says the same",
        description="Writes int8.json beside the manifest. Every export of a panel does this too; "
        "by itself it is for panels that were exported before.",
    )
    int8.add_argument(
        "--panel", action="append", metavar="NAME", help="repeatable; default: the shipped panels"
    )
    int8.add_argument(
        "--output",
        type=Path,
        default=Path("exported_models"),
        metavar="DIR",
        help="folder of panels (default: exported_models)",
    )
    int8.set_defaults(study=run_int8)


def run_int8(options: argparse.Namespace) -> int:
    """Measure the int8 forms of panels."""
    from training.export.int8 import run_int8

    return run_int8(options)


def _add_optimise(commands: Any) -> None:
    optimise = commands.add_parser(
        "optimise",
        help="leave out of an exported panel's files what they compute for nothing",
        description="Every export does this too; by itself it is for panels that were exported "
        "before. Weights stay; hashes and the panel's version change.",
    )
    optimise.add_argument("panel", type=Path, metavar="FOLDER", help="the panel's folder")
    optimise.add_argument(
        "--version", required=True, metavar="V", help="version of the panel from now on"
    )
    optimise.set_defaults(study=run_optimise)


def run_optimise(options: argparse.Namespace) -> int:
    """Rewrite a panel's files; says what each model gained."""
    from training.export.rewrite import rewrite_panel
    from training.runtime.progress import CONSOLE

    def show(words: str) -> None:
        CONSOLE.print(words, highlight=False, soft_wrap=True)

    if rewrite_panel(options.panel, options.version, on_progress=show):
        show(f"{options.panel} is version {options.version} now.")
    return 0


def _add_audit(commands: Any, data: argparse.ArgumentParser) -> None:
    audit = commands.add_parser(
        "audit",
        parents=[data],
        help="look for copies, leaks, contradicting labels and shortcuts in a data set",
        description="Exit code 1 where a film or a person stands in both training and test.",
    )
    audit.add_argument(
        "--panel",
        action="append",
        metavar="NAME",
        help="covid19, pneumonia or pretraining (repeatable); default: the shipped panels whose "
        "folders are in --data, else --data itself as a folder of class folders",
    )
    audit.add_argument(
        "--output",
        type=Path,
        default=Path("audit.md"),
        metavar="FILE",
        help="page in Markdown; a JSON file of the same name is written beside it "
        "(default: audit.md)",
    )
    audit.add_argument(
        "--repaired",
        action="store_true",
        help="let only the split that training uses decide the exit code: fit takes known leaks "
        "out by itself",
    )
    audit.set_defaults(study=run_audit)


def _add_lungs(commands: Any, data: argparse.ArgumentParser) -> None:
    lungs = commands.add_parser(
        "lungs", parents=[data], help="do the exported models look at lungs, and vote without any?"
    )
    _panel_arguments(lungs, "lungs.md", films=60)
    lungs.set_defaults(study=run_lungs)


def _add_ood(commands: Any, data: argparse.ArgumentParser) -> None:
    ood = commands.add_parser(
        "ood", parents=[data], help="does a panel notice what is no usual chest film?"
    )
    _panel_arguments(ood, "ood.md", films=150)
    ood.add_argument(
        "--made-from",
        type=int,
        default=40,
        metavar="N",
        help="films of each test side that odd images are made of (default: 40)",
    )
    ood.set_defaults(study=run_ood)


def _panel_arguments(parser: Any, output: str, *, films: int) -> None:
    parser.add_argument("panels", nargs="+", metavar="PANEL", help="name or folder of a panel")
    parser.add_argument(
        "--films",
        type=int,
        default=films,
        metavar="N",
        help=f"films of each class on each side, 0 = all (default: {films})",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(output),
        metavar="FILE",
        help=f"page in Markdown, with a JSON file beside it (default: {output})",
    )


# ---- what they do -------------------------------------------------------------------------------


def _audited_panels(options: argparse.Namespace) -> list[str]:
    from training.data.datasets import RECIPES, SHIPPED

    if options.panel:
        return list(options.panel)
    present = [
        name
        for name in SHIPPED
        if all((options.data / source.folder).is_dir() for source in RECIPES[name].sources)
    ]
    return present or ["own"]


def run_audit(options: argparse.Namespace) -> int:
    """Audit one or more panels' data; 1 where a split leaks."""
    from training.audit.audit import audit_split
    from training.audit.report import as_json, as_page
    from training.data.datasets import recipe_for
    from training.data.split import split
    from training.runtime.files import write_atomically, write_json
    from training.runtime.progress import CONSOLE

    audits = []
    for panel in _audited_panels(options):
        with CONSOLE.status(f"{panel}: decoding") as status:
            data = split(recipe_for(panel, options.data), options.data)
            audits.append(
                audit_split(
                    data,
                    options.data,
                    on_stage=lambda stage, name=panel: status.update(f"{name}: {stage}"),
                )
            )
    write_json(options.output.with_suffix(".json"), as_json(audits))
    page = as_page(audits, _command("audit --data DATA", options))
    write_atomically(options.output, page.encode())
    for audit in audits:
        CONSOLE.print(
            f"{audit.panel}: {len(audit.sameness.copies)} pairs of copies; as the folders came "
            f"{len(audit.leaks_on_disk)} leaks, in the split that training uses "
            f"{len(audit.leaks_in_use)}.",
            highlight=False,
        )
    CONSOLE.print(f"Written: {options.output}", highlight=False)
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


def run_lungs(options: argparse.Namespace) -> int:
    """Heatmap share and the cover-the-lungs test."""
    from training.evaluation.lungs import chosen_films, lungs_page, measure_lungs
    from training.models import TITLES
    from training.runtime.files import write_atomically, write_json
    from training.runtime.progress import CONSOLE

    results = []
    for name in options.panels:
        with CONSOLE.status(f"{name}: loading") as status:
            session, data = _loaded(options, name)
            films = chosen_films(data, options.films or len(data.films))
            results.append(
                measure_lungs(
                    session,
                    data,
                    films,
                    on_stage=lambda stage, name=name: status.update(f"{name}: {stage}"),
                )
            )
    write_json(options.output.with_suffix(".json"), {"panels": results})
    page = lungs_page(results, TITLES, _command("lungs PANEL --data DATA", options))
    write_atomically(options.output, page.encode())
    CONSOLE.print(f"Written: {options.output}", highlight=False)
    return 0


def run_ood(options: argparse.Namespace) -> int:
    """The out-of-distribution evaluation."""
    from training.data.split import VALIDATION
    from training.evaluation.lungs import chosen_films
    from training.ood.evaluation import measure_ood, ood_page
    from training.runtime.files import write_atomically, write_json
    from training.runtime.progress import CONSOLE

    results = []
    for name in options.panels:
        with CONSOLE.status(f"{name}: loading") as status:
            session, data = _loaded(options, name)
            sides = (VALIDATION, *data.test_sides)
            films = chosen_films(data, options.films or len(data.films), sides=sides)
            results.append(
                measure_ood(
                    session,
                    data,
                    films,
                    made_from=options.made_from,
                    on_stage=lambda stage, name=name: status.update(f"{name}: {stage}"),
                )
            )
    write_json(options.output.with_suffix(".json"), {"panels": results})
    page = ood_page(results, _command("ood PANEL --data DATA", options))
    write_atomically(options.output, page.encode())
    CONSOLE.print(f"Written: {options.output}", highlight=False)
    return 0


def _command(usual: str, options: argparse.Namespace) -> str:
    extra = [
        f"--{name.replace('_', '-')} {getattr(options, name)}"
        for name in ("films", "made_from")
        if hasattr(options, name)
    ]
    return " ".join(["cxr-train", usual, *extra])
