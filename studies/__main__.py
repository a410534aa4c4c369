"""``python -m studies``: the finished studies behind the shipped models, to be run again.

Each writes a table as JSON, with a page in Markdown beside it, and goes on where it was stopped.
They are not installed with the program; run them in a checkout with the training extra.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.cli.arguments import exit_code
from training.models import MODELS

_GOES_ON = "No test is looked at. Stop it at any time; the same command goes on."
_PANEL = "as for cxr-train fit"


def build_parser() -> argparse.ArgumentParser:
    """The parser of ``python -m studies``."""
    parser = argparse.ArgumentParser(prog="python -m studies", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="study")
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


def _study_parser(commands: Any, name: str, **texts: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, **texts)
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="folder that holds the data sets"
    )
    return parser


def _output_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="table as JSON, with a page in Markdown beside it (default: in --runs)",
    )


def _add_baseline(commands: Any) -> None:
    baseline = _study_parser(
        commands,
        "baseline",
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
        "--model", choices=MODELS, action="append", help="only this one (repeatable; default: all)"
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
    _output_argument(baseline)
    baseline.set_defaults(run=_run_baseline)


def _add_ablation(commands: Any) -> None:
    ablation = _study_parser(
        commands,
        "ablation",
        help="what each choice of layers, training and data is worth, one change a row",
        description=_GOES_ON,
    )
    ablation.add_argument("--panel", required=True, metavar="NAME", help=_PANEL)
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
    ablation.set_defaults(run=_run_ablation)


def _add_leave_one_out(commands: Any) -> None:
    leave = _study_parser(
        commands,
        "leave-one-out",
        help="train without one data set, test on it; once for each",
        description=_GOES_ON,
    )
    leave.add_argument(
        "--panel",
        action="append",
        metavar="NAME",
        help="repeatable; default: covid19 and pneumonia",
    )
    _size_arguments(leave)
    leave.set_defaults(run=_run_leave_one_out)


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
    _output_argument(parser)


def _add_seeds(commands: Any) -> None:
    seeds = _study_parser(
        commands,
        "seeds",
        help="score the same training with other random seeds, side by side",
        description="Train with `cxr-train fit --seed N --runs FOLDER`, a folder a seed, then give "
        "all folders here.",
    )
    seeds.add_argument("panels", nargs="+", metavar="PANEL", help=_PANEL)
    seeds.add_argument(
        "--runs", type=Path, nargs="+", required=True, metavar="DIR", help="folders of runs"
    )
    seeds.add_argument(
        "--exported",
        type=Path,
        metavar="DIR",
        help="folder of exported panels: their models count as one more seed, so --runs needs the "
        "others only",
    )
    seeds.add_argument(
        "--output",
        type=Path,
        default=Path("seeds.json"),
        metavar="FILE",
        help="table as JSON, with a page in Markdown beside it (default: seeds.json)",
    )
    seeds.set_defaults(run=_run_seeds)


def _add_tune(commands: Any) -> None:
    tune = _study_parser(
        commands,
        "tune",
        help="search settings with Optuna on a validation that imitates another hospital",
        description=_GOES_ON,
    )
    tune.add_argument("--panel", required=True, metavar="NAME", help=_PANEL)
    tune.add_argument("--model", choices=MODELS, required=True, help="which network")
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
        type=Path,
        default=Path("runs/tune"),
        metavar="DIR",
        help="SQLite study, table and best settings (default: runs/tune)",
    )
    tune.add_argument("--seed", type=int, default=1, metavar="N", help="(default: 1)")
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
