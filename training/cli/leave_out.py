"""``cxr-train leave-out``: train without a hospital and ask its films, hospital by hospital."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

from training.cli.arguments import Command
from training.models import MODELS

#: Hospitals left out together: each is left out once, and COVID-19 and normal films of other
#: hospitals stay in training.
FOLDS = (
    ("cohen", "raikote", "montgomery", "radiography-normal"),
    ("radiography-covid", "hannover", "nih"),
    ("kermany",),
)


def add_commands(commands: Any) -> None:
    """Register the subcommand."""
    parser: Command = commands.add_parser(
        "leave-out",
        help="train without a hospital and score its films; goes on where it was killed",
    )
    parser.data()
    parser.name("--panel", "covid19 or pneumonia", required=True)
    parser.add_argument("--model", choices=MODELS, required=True, help="which network")
    parser.add_argument(
        "--without",
        action="append",
        nargs="+",
        metavar="HOSPITAL",
        help="hospitals left out together in one fold (repeatable; default: three folds that leave "
        "out each hospital once)",
    )
    parser.path("--runs", "where the runs of the folds and leave_out.json go", "runs/leave-out")
    parser.number("--epochs", "epochs at the last image size")
    parser.number("--epoch-films", "films drawn an epoch (0 = all)")
    parser.path("--lungs", "lungs.onnx for --outside", metavar="FILE")
    parser.add_argument(
        "--outside", type=float, metavar="SHARE", help="share of films whose outside is swapped"
    )
    parser.set_defaults(run=_leave_out)


def _leave_out(options: argparse.Namespace) -> None:
    from training.configs import config_for
    from training.data.datasets import recipe_for
    from training.data.split import split
    from training.fit.leave_out import leave_out

    recipe = recipe_for(options.panel, options.data)
    config = config_for(options.model, recipe.panel)
    changes: dict[str, object] = {"weights": "none"}
    if options.epochs is not None:
        changes["stages"] = ((options.epochs, config.stages[-1][1]),)
    if options.epoch_films is not None:
        changes["epoch_images"] = options.epoch_films
    if options.lungs is not None:
        changes["lungs"] = str(options.lungs)
    if options.outside is not None:
        changes["outside"] = options.outside
    config = dataclasses.replace(config, **changes)  # type: ignore[arg-type]
    folder = options.runs / f"{recipe.panel}-{options.model}"
    found = leave_out(config, split(recipe, options.data), folder, options.without or FOLDS, print)
    print(json.dumps({key: found[key] for key in found if key not in ("fit", "folds")}, indent=2))
