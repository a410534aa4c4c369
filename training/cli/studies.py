"""The subcommands of ``cxr-train`` that study data and models instead of making them.

``audit``, ``lungs``, ``ood``, ``baseline`` and ``tune``: their arguments and what they call;
``ablation`` and ``leave-one-out`` are in :mod:`training.cli.studies`, ``seeds`` in
:mod:`training.studies.seeds`.

The subcommands ``ablation`` and ``leave-one-out`` of ``cxr-train``: tables of trained rows.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from training.studies.seeds import add_seeds

_MODELS = ("scnn", "ccnn", "daccnn", "resnet50")


def add_studies(commands: Any, data: argparse.ArgumentParser) -> None:
    """Register the subcommands; each sets ``study``, the function to call with the options.

    Args:
        commands: What ``add_subparsers`` gave.
        data: Parent parser with ``--data``.
    """
    _add_audit(commands, data)
    _add_lungs(commands, data)
    _add_ood(commands, data)
    _add_baseline(commands, data)
    _add_tune(commands, data)
    _add_int8(commands, data)
    add_row_studies(commands, data)
    add_seeds(commands, data)


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


def _add_baseline(commands: Any, data: argparse.ArgumentParser) -> None:
    baseline = commands.add_parser(
        "baseline",
        parents=[data],
        help="the plain experiment that everything else is compared with",
        description="Four plain networks on the publishers' own splits as they are, leaks and all: "
        "no standardisation, no balance, no schedule; CCNN against DACCNN is augmentation off "
        "against on.",
    )
    baseline.add_argument(
        "--panel",
        action="append",
        metavar="NAME",
        help="covid19 or pneumonia (repeatable; default: both), or a name for your own folder",
    )
    baseline.add_argument(
        "--model", choices=_MODELS, action="append", help="only this one (repeatable; default: all)"
    )
    baseline.add_argument(
        "--runs",
        type=Path,
        default=Path("runs/baseline"),
        metavar="DIR",
        help="weights, curves and scores (default: runs/baseline)",
    )
    baseline.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        help="instead of the plain 10; ResNet50 gets half as many, a set of less than a thousand "
        "films five times as many",
    )
    baseline.add_argument("--seed", type=int, default=1, metavar="N", help="(default: 1)")
    baseline.add_argument(
        "--side", type=int, metavar="PX", help="side of the images instead of the plain 128"
    )
    baseline.add_argument(
        "--output",
        type=Path,
        default=None,
        metavar="FILE",
        help="table as JSON, with a page in Markdown beside it (default: in --runs)",
    )
    baseline.set_defaults(study=run_baseline)


def _add_tune(commands: Any, data: argparse.ArgumentParser) -> None:
    tune = commands.add_parser(
        "tune",
        parents=[data],
        help="search settings with Optuna on a validation that imitates another hospital",
        description="Stop it at any time; the same command goes on with the same study.",
    )
    tune.add_argument("--panel", required=True, metavar="NAME", help="as for fit")
    tune.add_argument("--model", choices=_MODELS, required=True, help="which network")
    tune.add_argument("--trials", type=int, default=30, metavar="N", help="in all (default: 30)")
    tune.add_argument("--epochs", type=int, metavar="N", help="of each trial (default: 6)")
    tune.add_argument(
        "--epoch-films", type=int, metavar="N", help="drawn an epoch (default: as for fit)"
    )
    tune.add_argument(
        "--side", type=int, metavar="PX", help="largest side tried (default: as for fit)"
    )
    tune.add_argument(
        "--layers",
        action="store_true",
        help="CCNN and DACCNN: search kernels, pooling, activation, normalisation and head as well",
    )
    tune.add_argument(
        "--leave-out",
        metavar="SET",
        help="keep this data set out of training and judge on it: the strongest imitation",
    )
    tune.add_argument(
        "--study",
        dest="study_folder",
        type=Path,
        default=Path("runs/tune"),
        metavar="DIR",
        help="SQLite study, table and best settings (default: runs/tune)",
    )
    tune.add_argument("--seed", type=int, default=1, metavar="N", help="(default: 1)")
    tune.set_defaults(study=run_tune)


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


def run_baseline(options: argparse.Namespace) -> int:
    """The plain experiment."""
    from training.studies.baseline import run_plain_experiment

    run_plain_experiment(
        options.data,
        options.panel or ["covid19", "pneumonia"],
        options.model or list(_MODELS),
        options.runs,
        epochs=options.epochs,
        side=options.side,
        seed=options.seed,
        output=options.output,
    )
    return 0


def run_tune(options: argparse.Namespace) -> int:
    """The search."""
    import dataclasses

    from training.configs import config_for
    from training.data.datasets import recipe_for
    from training.data.split import split
    from training.studies.experiment import at_side
    from training.studies.tune import tune

    recipe = recipe_for(options.panel, options.data)
    base = config_for(options.model, recipe.panel)
    if options.side is not None:
        base = at_side(base, options.side)
    if options.epoch_films is not None:
        base = dataclasses.replace(base, epoch_images=options.epoch_films)
    tune(
        split(recipe, options.data, base.input_size),
        options.model,
        options.study_folder / f"{recipe.panel}-{options.model}",
        trials=options.trials,
        epochs=options.epochs,
        leave_out=options.leave_out,
        seed=options.seed,
        base=base,
        search_layers=options.layers,
    )
    return 0


def _command(usual: str, options: argparse.Namespace) -> str:
    extra = [
        f"--{name.replace('_', '-')} {getattr(options, name)}"
        for name in ("films", "made_from")
        if hasattr(options, name)
    ]
    return " ".join(["cxr-train", usual, *extra])


def add_row_studies(commands: Any, data: argparse.ArgumentParser) -> None:
    """Register both; each sets ``study``, the function to call with the options.

    Args:
        commands: What ``add_subparsers`` gave.
        data: Parent parser with ``--data``.
    """
    _add_ablation(commands, data)
    _add_leave_one_out(commands, data)


def _add_ablation(commands: Any, data: argparse.ArgumentParser) -> None:
    ablation = commands.add_parser(
        "ablation",
        parents=[data],
        help="what each choice of layers, training and data is worth, one change a row",
        description="No test is looked at. Stop it at any time; the same command goes on.",
    )
    ablation.add_argument("--panel", required=True, metavar="NAME", help="as for fit")
    ablation.add_argument(
        "--outside",
        metavar="SET",
        help="data set that no row but its own trains on, to judge all rows (default: none)",
    )
    ablation.add_argument(
        "--row",
        action="append",
        metavar="NAME",
        help="only this row and the first (repeatable; default: all)",
    )
    _size_arguments(ablation)
    ablation.set_defaults(study=run_ablation)


def _add_leave_one_out(commands: Any, data: argparse.ArgumentParser) -> None:
    leave = commands.add_parser(
        "leave-one-out",
        parents=[data],
        help="train without one data set, test on it; once for each",
        description="No test is looked at. Stop it at any time; the same command goes on.",
    )
    leave.add_argument(
        "--panel",
        action="append",
        metavar="NAME",
        help="repeatable; default: covid19 and pneumonia",
    )
    _size_arguments(leave)
    leave.set_defaults(study=run_leave_one_out)


def _size_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", choices=("ccnn", "daccnn"), default="daccnn", help="(default: daccnn)"
    )
    parser.add_argument("--side", type=int, default=64, metavar="PX", help="(default: 64)")
    parser.add_argument("--epochs", type=int, default=8, metavar="N", help="(default: 8)")
    parser.add_argument(
        "--epoch-films", type=int, default=2000, metavar="N", help="(default: 2000)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="(default: 1)")
    parser.add_argument(
        "--runs",
        type=Path,
        default=Path("runs/rows"),
        metavar="DIR",
        help="trained rows; equal ones are shared between studies (default: runs/rows)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=None,
        metavar="FILE",
        help="table as JSON, with a page in Markdown beside it (default: in --runs)",
    )


def _study(options: argparse.Namespace, panel: str, outside: str | None) -> tuple[Any, Any]:
    """A panel's split at the study's size, and the study."""
    from training.configs import config_for
    from training.data.datasets import recipe_for
    from training.data.split import split
    from training.studies.ablation import study_of

    recipe = recipe_for(panel, options.data)
    side = options.side * config_for(options.model, recipe.panel).reduce
    data = split(recipe, options.data, (side, side))
    study = study_of(
        data,
        options.model,
        side=options.side,
        epochs=options.epochs,
        epoch_films=options.epoch_films,
        outside=outside,
        seed=options.seed,
    )
    return data, study


def run_ablation(options: argparse.Namespace) -> int:
    """One change a row."""
    from training.runtime.progress import CONSOLE
    from training.studies.ablation import run_ablation as run

    data, study = _study(options, options.panel, options.outside)
    output = options.output or options.runs / "ablation.json"
    run(data, study, options.runs, output, only=options.row)
    CONSOLE.print(f"Written: {output}", highlight=False)
    return 0


def run_leave_one_out(options: argparse.Namespace) -> int:
    """Each data set left out once."""
    from training.data.datasets import SHIPPED
    from training.runtime.progress import CONSOLE
    from training.studies.leave_one_out import run_leave_one_out as run

    panels = [_study(options, panel, None) for panel in options.panel or SHIPPED]
    output = options.output or options.runs / "leave_one_out.json"
    run(panels, options.runs, output)
    CONSOLE.print(f"Written: {output}", highlight=False)
    return 0
