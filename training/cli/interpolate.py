"""``cxr-train interpolate``: a part of the way from a shipped network to a fine-tuned one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from training.cli.arguments import Command
from training.models import MODELS


def add_commands(commands: Any) -> None:
    """Register the subcommand."""
    parser: Command = commands.add_parser(
        "interpolate",
        help="mean of a finished run and the exported file it began with; then export it",
    )
    parser.data()
    parser.path("--runs", "where the run is", "runs")
    parser.name("--panel", "covid19, pneumonia or your own", required=True)
    parser.add_argument("--model", choices=MODELS, required=True, help="which network")
    parser.add_argument(
        "--share",
        type=float,
        default=0.35,
        metavar="A",
        help="of the way from the file to the run, 0 to 1 (default: 0.35)",
    )
    parser.set_defaults(run=_interpolate)


def _interpolate(options: argparse.Namespace) -> None:
    from training.data.datasets import recipe_for
    from training.data.split import split
    from training.fit.interpolate import InterpolateConfig, interpolate_run
    from training.fit.networks import load_best

    recipe = recipe_for(options.panel, options.data)
    run = options.runs / f"{recipe.panel}-{options.model}"
    config, _, _ = load_best(run)
    shipped = Path(config.weights)
    if shipped.suffix != ".onnx":
        raise ValueError(f"{run} did not begin with an exported file but with {config.weights}.")
    data = split(recipe, options.data)
    interpolate_run(run, shipped, data, InterpolateConfig(share=options.share))
    print(run / "best.npz")
