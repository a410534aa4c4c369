"""The gate of ``make coverage``: at least 95 % of the branches of ``desktop.core`` are reached.

usage: python tests/branch_coverage.py    after coverage run and coverage combine
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

NEEDED = 95.0


def main() -> int:
    """Print the figure and the files that miss most; 1 below what is needed."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "coverage.json"
        subprocess.run(
            [sys.executable, "-m", "coverage", "json", "--quiet", "-o", str(target)], check=True
        )
        report = json.loads(target.read_text("utf-8"))
    rows = [(name, file["summary"]) for name, file in report["files"].items()]
    missing = {name: row["num_branches"] - row["covered_branches"] for name, row in rows}
    for name in sorted(missing, key=lambda item: -missing[item])[:12]:
        if missing[name]:
            print(f"{missing[name]:4d} branches not reached in {name}")
    total = report["totals"]
    share = 100 * total["covered_branches"] / total["num_branches"]
    lines = 100 * total["covered_lines"] / total["num_statements"]
    print(
        f"desktop.core: {share:.1f} % of {total['num_branches']:,} branches, "
        f"{lines:.1f} % of {total['num_statements']:,} statements; {NEEDED:.0f} % needed"
    )
    return 0 if share >= NEEDED else 1


if __name__ == "__main__":
    sys.exit(main())
