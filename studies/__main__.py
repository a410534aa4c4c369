"""``python -m studies``: the finished studies behind the shipped models, to be run again.

Each writes a table as JSON, with a page in Markdown beside it, and goes on where it was stopped.
They are not installed with the program; run them in a checkout with the training extra.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from training.cli.arguments import Command, exit_code
from training.models import MODELS

_GOES_ON = "No test is looked at. Stop it at any time; the same command goes on."
_PANEL = "as for cxr-train fit"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studies",
        description="Runs a finished study again. Each writes a table as JSON, with a page in "
        "Markdown beside it, and goes on where it was stopped.",
    )
    commands = parser.add_subparsers(required=True, metavar="study", parser_class=Command)
    _add_baseline(commands)
    _add_ablation(commands)
    _add_leave_one_out(commands)
    _add_seeds(commands)
    _add_tune(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one study; exit codes as of ``cxr-train``."""
    options = build_parser().parse_args(arguments)
    return exit_code("studies", lambda: options.run(options))


def _add_baseline(commands: Any) -> None:
    baseline: Command = commands.add_parser(
        "baseline",
        help="the plain experiment that everything else is compared with",
        description="Four plain networks on the publishers' own splits as they are, leaks and all: "
        "no standardisation, no balance, no schedule; CCNN against DACCNN is augmentation off "
        "against on.",
    )
    baseline.data()
    baseline.name(
        "--panel",
        "covid19 or pneumonia (repeatable; default: both), or a name for your own folder",
        action="append",
    )
    baseline.models()
    baseline.path("--runs", "weights, curves and scores", "runs/baseline")
    baseline.number(
        "--epochs",
        "instead of the plain 10; ResNet50 gets half as many, a set of less than a thousand films "
        "five times as many",
    )
    baseline.number("--side", "side of the images instead of the plain 128", metavar="PX")
    _add_seed_and_output(baseline)
    baseline.set_defaults(run=_run_baseline)


def _add_ablation(commands: Any) -> None:
    ablation: Command = commands.add_parser(
        "ablation",
        help="what each choice of layers, training and data is worth, one change a row",
        description=_GOES_ON,
    )
    ablation.name("--panel", _PANEL, required=True)
    ablation.name(
        "--outside",
        "data set that no row but its own trains on, to judge all rows (default: none)",
        metavar="SET",
    )
    ablation.name(
        "--row", "only this row and the first (repeatable; default: all)", action="append"
    )
    _add_sizes(ablation)
    ablation.set_defaults(run=_run_ablation)


def _add_leave_one_out(commands: Any) -> None:
    leave: Command = commands.add_parser(
        "leave-one-out",
        help="train without one data set, test on it; once for each",
        description=_GOES_ON,
    )
    leave.name("--panel", "repeatable; default: covid19 and pneumonia", action="append")
    _add_sizes(leave)
    leave.set_defaults(run=_run_leave_one_out)


def _add_sizes(parser: Command) -> None:
    parser.data()
    parser.add_argument(
        "--model", choices=("ccnn", "daccnn"), default="daccnn", help="(default: daccnn)"
    )
    parser.number("--side", "of the images", 64, metavar="PX")
    parser.number("--epochs", "of each row", 8)
    parser.number("--epoch-films", "drawn an epoch", 2000)
    parser.path("--runs", "trained rows; equal ones are shared between studies", "runs/rows")
    _add_seed_and_output(parser)


def _add_seed_and_output(parser: Command) -> None:
    parser.number("--seed", "of weights and drawing", 1)
    parser.path(
        "--output",
        "table as JSON, with a page in Markdown beside it (default: in --runs)",
        metavar="FILE",
    )


def _add_seeds(commands: Any) -> None:
    seeds: Command = commands.add_parser(
        "seeds",
        help="score the same training with other random seeds, side by side",
        description="Train with `cxr-train fit --seed N --runs FOLDER`, a folder a seed, then give "
        "all folders here.",
    )
    seeds.data()
    seeds.name("panels", _PANEL, nargs="+", metavar="PANEL")
    seeds.path("--runs", "folders of runs", nargs="+", required=True)
    seeds.path(
        "--exported",
        "folder of exported panels: their models count as one more seed, so --runs needs the "
        "others only",
    )
    seeds.path(
        "--output",
        "table as JSON, with a page in Markdown beside it",
        "seeds.json",
        metavar="FILE",
    )
    seeds.set_defaults(run=_run_seeds)


def _add_tune(commands: Any) -> None:
    tune: Command = commands.add_parser(
        "tune",
        help="search settings with Optuna on a validation that imitates another hospital",
        description=_GOES_ON,
    )
    tune.data()
    tune.name("--panel", _PANEL, required=True)
    tune.add_argument("--model", choices=MODELS, required=True, help="which network")
    tune.number("--trials", "in all", 30)
    tune.number("--epochs", "of each trial (default: 6)")
    tune.number("--epoch-films", "drawn an epoch (default: as for fit)")
    tune.number("--side", "largest side tried (default: as for fit)", metavar="PX")
    tune.add_argument(
        "--layers",
        action="store_true",
        help="CCNN and DACCNN: search kernels, pooling, activation, normalisation and head as well",
    )
    tune.name(
        "--leave-out",
        "keep this data set out of training and judge on it: the strongest imitation",
        metavar="SET",
    )
    tune.path("--study", "SQLite study, table and best settings", "runs/tune")
    tune.number("--seed", "of the draw and of every trial", 1)
    tune.set_defaults(run=_run_tune)


# ---- what they do; TensorFlow is imported only here ----


def _run_baseline(options: argparse.Namespace) -> None:
    from studies.baseline import run_plain_experiment

    run_plain_experiment(
        options.data,
        options.panel or ["covid19", "pneumonia"],
        options.model or list(MODELS),
        options.runs,
        epochs=options.epochs,
        side=options.side,
        seed=options.seed,
        output=options.output,
    )


def _study(options: argparse.Namespace, panel: str, outside: str | None) -> tuple[Any, Any]:
    """A panel's split at the study's size, and the study."""
    from studies.ablation import study_of
    from training.configs import config_for
    from training.data.datasets import recipe_for
    from training.data.split import split

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


def _run_ablation(options: argparse.Namespace) -> None:
    from studies.ablation import run_ablation

    data, study = _study(options, options.panel, options.outside)
    output = options.output or options.runs / "ablation.json"
    run_ablation(data, study, options.runs, output, only=options.row)
    print(f"Written: {output}")


def _run_leave_one_out(options: argparse.Namespace) -> None:
    from studies.leave_one_out import run_leave_one_out
    from training.data.datasets import SHIPPED

    panels = [_study(options, panel, None) for panel in options.panel or SHIPPED]
    output = options.output or options.runs / "leave_one_out.json"
    run_leave_one_out(panels, options.runs, output)
    print(f"Written: {output}")


def _run_seeds(options: argparse.Namespace) -> None:
    from studies.seeds import score_seeds

    score_seeds(options.panels, options.data, options.runs, options.output, options.exported)
    print(f"Written: {options.output}")


def _run_tune(options: argparse.Namespace) -> None:
    import dataclasses

    from studies.experiment import at_side
    from studies.tune import tune
    from training.configs import config_for
    from training.data.datasets import recipe_for
    from training.data.split import split

    recipe = recipe_for(options.panel, options.data)
    base = config_for(options.model, recipe.panel)
    if options.side is not None:
        base = at_side(base, options.side)
    if options.epoch_films is not None:
        base = dataclasses.replace(base, epoch_images=options.epoch_films)
    tune(
        split(recipe, options.data, base.input_size),
        options.model,
        options.study / f"{recipe.panel}-{options.model}",
        trials=options.trials,
        epochs=options.epochs,
        leave_out=options.leave_out,
        seed=options.seed,
        base=base,
        search_layers=options.layers,
    )


if __name__ == "__main__":
    sys.exit(main())
