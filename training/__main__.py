"""``cxr-train``: fit, export and evaluate the models of a panel.

TensorFlow is imported only by the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from training.cli import interpolate, leave_out, lungs, make, measure
from training.cli.arguments import Command, exit_code

_EXAMPLES = """\
examples:
  cxr-train run-all --smoke                           all four on drawn films, two minutes
  cxr-train run-all --data DATA --panel covid19       train and export one panel
  cxr-train fit --data MY_FILMS --panel mine --model scnn
                                                      MY_FILMS/Healthy, MY_FILMS/Sick, any names
  cxr-train export --data MY_FILMS --panel mine       what was trained, into exported_models/mine
  cxr-train evaluate exported_models/mine --data OTHER_FILMS
  cxr-train evaluate covid19 --csv votes.csv --labels DATA --metadata people.csv

A killed run goes on where its last epoch ended: type the same command again.
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cxr-train",
        description="Train the four networks of a panel on folders of chest X-rays, and export "
        "them as files that CXR Quorum votes with. Research use only.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="command", parser_class=Command
    )
    make.add_commands(commands)
    measure.add_commands(commands)
    interpolate.add_commands(commands)
    lungs.add_commands(commands)
    leave_out.add_commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 = done, 1 = refused with a sentence, 2 = usage, 130 = interrupted."""
    options = build_parser().parse_args(arguments)
    return exit_code("cxr-train", lambda: options.run(options))


if __name__ == "__main__":
    sys.exit(main())
