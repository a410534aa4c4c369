"""Pins every dependency with its hashes, for all systems and Pythons at once.

usage: python packaging/lock.py

The files name versions and hashes only, no server, so they work with any mirror.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCKS = {"app.txt": ("samples",), "dev.txt": ("dev", "packaging")}


def main() -> int:
    """Entry point."""
    for name, extras in LOCKS.items():
        target = HERE / "locks" / name
        wanted = [word for extra in extras for word in ("--extra", extra)]
        subprocess.run(
            [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *wanted,
             "--universal", "--python-version", "3.11", "--generate-hashes", "--upgrade",
             "--no-emit-index-url", "--no-emit-find-links", "--quiet",
             "--custom-compile-command", "make lock", "--output-file", str(target)],
            check=True,
            cwd=HERE.parent,
        )  # fmt: skip
        if "://" in target.read_text(encoding="utf-8"):
            raise SystemExit(f"{target.name} names a server")
    return 0


if __name__ == "__main__":
    sys.exit(main())
