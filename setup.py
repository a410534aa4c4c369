"""The names under which an installation holds the packages, and the manual as a part of it.

In the repository the packages are called what they are, ``desktop`` and ``training``. Such general
names do not belong beside other people's packages, so an installation holds them as ``cxr_quorum``
and ``cxr_quorum.training``: the files are copied there and their import lines follow. An editable
installation keeps the names of the repository.
"""

import re
import shutil
import sys
from pathlib import Path

from setuptools import find_namespace_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
MANUAL_FILES = ("*.md", "*.html", "images/*")
FOLDERS = ("desktop", "training", "exported_models")
INSTALLED = {
    "desktop": "cxr_quorum",
    "training": "cxr_quorum.training",
    "exported_models": "cxr_quorum.exported_models",
}
NAMES = {name: name for name in FOLDERS} if "editable_wheel" in sys.argv else INSTALLED
_BARE = re.compile(r"^(\s*)import desktop$", re.MULTILINE)
_FROM = re.compile(r"^(\s*(?:from|import) )(desktop|training)\b", re.MULTILINE)


def installed_imports(source: str) -> str:
    """Import lines of a module as an installation needs them."""
    source = _BARE.sub(rf"\1import {INSTALLED['desktop']} as desktop", source)
    return _FROM.sub(lambda found: found[1] + INSTALLED[found[2]], source)


class BuildForInstallation(build_py):
    """Renames the packages in import lines and copies the manual's pages beside the code."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        package = Path(self.build_lib) / INSTALLED["desktop"]
        for path in package.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            path.write_text(installed_imports(text), encoding="utf-8")
        for pattern in MANUAL_FILES:
            for page in (HERE / "docs").glob(pattern):
                if page.name.startswith("measured_"):
                    continue  # parts of other pages
                target = package / "manual" / page.relative_to(HERE / "docs")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(page, target)


setup(
    cmdclass={"build_py": BuildForInstallation},
    packages=[
        NAMES[folder] + found.removeprefix(folder)
        for folder in FOLDERS
        for found in find_namespace_packages(str(HERE), include=[folder, f"{folder}.*"])
    ],
    package_dir={installed: folder for folder, installed in NAMES.items()},
    entry_points={
        "console_scripts": [
            f"cxr-quorum = {NAMES['desktop']}.__main__:main",
            f"cxr-train = {NAMES['training']}.__main__:main",
        ]
    },
)
