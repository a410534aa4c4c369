"""What could run foreign code or reach a network is named nowhere in the program."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALLS = {"eval", "exec", "compile", "__import__"}
MODULES = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve", "socket", "ssl", "ftplib"}
MODULES |= {"http", "urllib", "requests", "httpx", "aiohttp", "smtplib", "xmlrpc", "telnetlib"}


def sources() -> list[tuple[str, ast.Module]]:
    """The app; the cluster engine reads from addresses that a person names, and is apart."""
    found = []
    for path in sorted((ROOT / "desktop").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("desktop/cluster/") and name != "desktop/cli/label_cluster.py":
            found.append((name, ast.parse(path.read_text(encoding="utf-8"))))
    assert len(found) > 100
    return found


def test_no_text_is_run_as_code() -> None:
    called = {
        (name, node.func.id)
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS
    }
    assert called == set()


def test_no_pickle_is_read_and_no_network_is_known() -> None:
    imported = set()
    for name, tree in sources():
        for node in ast.walk(tree):
            names = [item.name for item in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            roots = {one.split(".")[0] for one in names} & MODULES
            imported |= {(name, root) for root in roots}
    assert imported == set()


def test_arrays_from_files_never_hold_objects() -> None:
    trusting = [
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle"
    ]
    assert trusting == []
