"""The subcommands of ``cxr-train`` that make models: fit, export, run-all."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from training.cli.arguments import Command
from training.models import MODELS


def add_commands(commands: Any) -> None:
    """Register the subcommands; each sets ``run``, the function to call with the options."""
    fit: Command = commands.add_parser("fit", help="train one model, or resume it")
    _add_runs(fit)
    fit.add_argument("--model", choices=MODELS, required=True, help="which network")
    fit.name(
        "--weights",
        "ResNet50 only: imagenet, none, or a best.npz of an earlier run to start from",
        metavar="W",
    )
    fit.number("--epochs", "train N epochs at the last image size")
    fit.number(
        "--epoch-films",
        "films drawn an epoch (default: the model's configuration; 0 = all)",
        dest="epoch_images",
    )
    fit.number("--batch", "films a step")
    fit.number("--seed", "of weights, drawing and augmentation")
    fit.add_argument(
        "--allow-leaks",
        action="store_true",
        help="train although a film or a person stands on two sides of the split",
    )
    fit.set_defaults(run=_fit)

    export: Command = commands.add_parser(
        "export", help="export trained models as ONNX, after comparing them with Keras"
    )
    _add_runs(export)
    _add_output(export)
    export.models()
    export.set_defaults(run=_export)

    everything: Command = commands.add_parser(
        "run-all", help="pretrain, fit and export whole panels"
    )
    everything.data(required=False)
    everything.path("--runs", "where checkpoints, curves and metrics go", "runs")
    _add_output(everything)
    everything.name("--panel", "repeatable; default: covid19 and pneumonia", action="append")
    everything.add_argument(
        "--smoke",
        action="store_true",
        help="tiny networks on drawn films instead of data, in under two minutes",
    )
    everything.set_defaults(run=_run_all, refuse=everything.error)


def _add_runs(parser: Command) -> None:
    parser.data()
    parser.path("--runs", "where checkpoints, curves and metrics go", "runs")
    parser.name(
        "--panel",
        "covid19, pneumonia, pretraining, or a new name of your own in lower case",
        required=True,
    )


def _add_output(parser: Command) -> None:
    parser.path("--output", "folder of panels to export into (default: exported_models)")
    parser.name("--version", "version of the weights (default: year.month.1)", metavar="V")


def _fit(options: argparse.Namespace) -> None:
    from training.audit.audit import refuse_leaks
    from training.cli.commands import fit_model
    from training.configs import config_for
    from training.data.datasets import recipe_for
    from training.data.split import split

    names = ("weights", "epoch_images", "batch", "seed")
    given = {name: getattr(options, name) for name in names}
    changes = {name: value for name, value in given.items() if value is not None}
    recipe = recipe_for(options.panel, options.data)
    if options.epochs is not None:
        side = config_for(options.model, recipe.panel).stages[-1][1]
        changes["stages"] = ((options.epochs, side),)
    data = split(recipe, options.data)
    refuse_leaks(data, options.data, allow=options.allow_leaks)
    fit_model(data, options.model, options.runs, changes)


def _export(options: argparse.Namespace) -> None:
    from training.cli.commands import default_version, export_panel
    from training.data.datasets import recipe_for
    from training.data.split import split

    data = split(recipe_for(options.panel, options.data), options.data)
    runs = options.runs / data.recipe.panel
    models = options.model or [
        model for model in MODELS if Path(f"{runs}-{model}", "best.npz").is_file()
    ]
    if not models:
        raise FileNotFoundError(
            f"No trained model of panel {options.panel} in {options.runs}. Run cxr-train fit first."
        )
    output = options.output or Path("exported_models")
    export_panel(data, models, options.runs, output, options.version or default_version())


def _run_all(options: argparse.Namespace) -> None:
    if not options.smoke and options.data is None:
        options.refuse("run-all needs --data DIR")
    from training.cli.commands import default_version, run_all, smoke_all
    from training.data.datasets import SHIPPED

    if options.smoke:
        smoke_all(options.output)
    else:
        run_all(
            options.panel or list(SHIPPED),
            options.data,
            options.runs,
            options.output or Path("exported_models"),
            options.version or default_version(),
        )
