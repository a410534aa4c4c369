"""The subcommands ``ablation`` and ``leave-one-out`` of ``cxr-train``: tables of trained rows."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


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
    from training.ablation import study_of
    from training.commands import recipe_for
    from training.config import config_for
    from training.splits import split

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
    from training.ablation import run_ablation as run
    from training.progress import CONSOLE

    data, study = _study(options, options.panel, options.outside)
    output = options.output or options.runs / "ablation.json"
    run(data, study, options.runs, output, only=options.row)
    CONSOLE.print(f"Written: {output}", highlight=False)
    return 0


def run_leave_one_out(options: argparse.Namespace) -> int:
    """Each data set left out once."""
    from training.commands import SHIPPED
    from training.leave_one_out import run_leave_one_out as run
    from training.progress import CONSOLE

    panels = [_study(options, panel, None) for panel in options.panel or SHIPPED]
    output = options.output or options.runs / "leave_one_out.json"
    run(panels, options.runs, output)
    CONSOLE.print(f"Written: {output}", highlight=False)
    return 0
