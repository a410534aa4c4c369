"""``cxr-quorum codes``: what the codes in the table mean."""

from __future__ import annotations

import argparse
import dataclasses
import json

from rich.console import Console
from rich.table import Table

from desktop.core.error_codes import all_codes
from desktop.core.errors import UsageError


def run(arguments: argparse.Namespace) -> int:
    """Print all codes, or the one asked for."""
    codes = all_codes()
    if arguments.code:
        codes = tuple(item for item in codes if item.code == arguments.code.upper())
        if not codes:
            raise UsageError(
                "USAGE-03", f"There is no code {arguments.code}. cxr-quorum codes lists them all."
            )
    if arguments.json:
        print(json.dumps([dataclasses.asdict(item) for item in codes], indent=2))
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Code", no_wrap=True)
    table.add_column("What happened")
    table.add_column("What to do")
    for item in codes:
        table.add_row(item.code, item.meaning, item.advice)
    Console().print(table, highlight=False, markup=False)
    return 0
