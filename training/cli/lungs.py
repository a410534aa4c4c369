"""``cxr-train fit-lungs`` and ``export-lungs``: the network that finds the lungs."""

from __future__ import annotations

import argparse
from typing import Any

from training.cli.arguments import Command

RUN_NAME = "lungs"


def add_commands(commands: Any) -> None:
    """Register both subcommands."""
    fit: Command = commands.add_parser(
        "fit-lungs", help="train the network that finds the lungs, or resume it"
    )
    fit.data()
    fit.path("--runs", "where the run goes", "runs")
    fit.number("--steps", "steps of 16 films", 1800)
    fit.set_defaults(run=_fit)
    export: Command = commands.add_parser(
        "export-lungs", help="score the lungs on held-out films and put them into panels"
    )
    export.data()
    export.path("--runs", "where the run is", "runs")
    export.path(
        "--panel",
        "folder of a panel to write lungs.onnx into (repeatable)",
        action="append",
        required=True,
    )
    export.name("--version", "version of the weights", required=True, metavar="V")
    export.add_argument(
        "--least", type=float, default=0.95, metavar="D", help="smallest mean Dice (default: 0.95)"
    )
    export.add_argument(
        "--least-low",
        type=float,
        default=0.88,
        metavar="D",
        help="smallest 5th percentile of the Dice of a source (default: 0.88)",
    )
    export.set_defaults(run=_export)


def _fit(options: argparse.Namespace) -> None:
    from training.data.lung_masks import find_drawn_films, read_lung_films
    from training.fit.lungs import LungsConfig, LungsFit
    from training.models.lungs import SIDE

    config = LungsConfig(steps=options.steps)
    films = read_lung_films(find_drawn_films(options.data), SIDE)

    def tell(step: int, loss: float, found: Any) -> None:
        overlaps = ", ".join(f"{name} {o.mean:.3f} ({o.low:.3f})" for name, o in found.items())
        print(f"step {step} of {config.steps}: loss {loss:.3f}, Dice {overlaps}", flush=True)

    LungsFit(config, films, options.runs / RUN_NAME).run(tell)


def _export(options: argparse.Namespace) -> None:
    from training.data.lung_masks import find_drawn_films, read_lung_films
    from training.export.lungs import LungsGate, export_lungs, put_into_panel
    from training.fit.lungs import described, load_lungs
    from training.models.lungs import SIDE

    run = options.runs / RUN_NAME
    films = read_lung_films(find_drawn_films(options.data), SIDE)
    facts = {"trained": f"{described(run).get('step', 'unknown')} steps"}
    content = export_lungs(
        load_lungs(run),
        films,
        version=options.version,
        gate=LungsGate(options.least, options.least_low),
        facts=facts,
    )
    for folder in options.panel:
        put_into_panel(folder, content)
        print(folder / "lungs.onnx")
