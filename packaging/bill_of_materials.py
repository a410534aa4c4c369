"""The SBOM: CycloneDX JSON of exactly the distributions that the app is made of.

usage: python packaging/bill_of_materials.py FILE
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bundle_contents import PROJECT, canonical_name, distribution_closure


def write_bill_of_materials(target: Path, epoch: int) -> None:
    """Write the SBOM of the environment that runs this, cut down to what the app needs.

    Args:
        target: JSON file.
        epoch: Seconds since 1970 for its time stamp.
    """
    raw = subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible",
         "--of", "JSON", sys.executable],
        capture_output=True,
        text=True,
        check=True,
    ).stdout  # fmt: skip
    target.write_text(json.dumps(reduced(json.loads(raw), epoch), indent=1) + "\n")


def main() -> int:
    """Entry point."""
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bill_of_materials(target, int(os.environ.get("SOURCE_DATE_EPOCH", "1767225600")))
    return 0


def reduced(document: dict, epoch: int) -> dict:  # type: ignore[type-arg]
    """Only the app's own closure, without paths of the machine that built it."""
    from datetime import UTC, datetime

    wanted = set(distribution_closure(PROJECT, frozenset({"samples"})))
    components = [c for c in document["components"] if canonical_name(c["name"]) in wanted]
    for component in components:
        component["externalReferences"] = [
            reference
            for reference in component.get("externalReferences", [])
            if reference["url"].startswith("https://")
            and "comment" in reference
            and "Metadata" in reference["comment"]
        ]
        component["properties"] = []
    kept = {component["bom-ref"] for component in components}
    document["components"] = components
    document["dependencies"] = [
        entry | {"dependsOn": [ref for ref in entry.get("dependsOn", []) if ref in kept]}
        for entry in document.get("dependencies", [])
        if entry["ref"] in kept
    ]
    document.setdefault("metadata", {})["timestamp"] = datetime.fromtimestamp(
        epoch, UTC
    ).isoformat()
    document["metadata"].pop("properties", None)
    return document


if __name__ == "__main__":
    sys.exit(main())
