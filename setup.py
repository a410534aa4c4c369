"""Everything is in pyproject.toml but one thing: the manual becomes part of the wheel.

The pages live in ``docs`` (where MkDocs builds the site from them) and in an installation in
``desktop/manual``, where the window's Help finds them without a network.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
MANUAL_FILES = ("*.md", "*.html", "images/*")


class BuildWithManual(build_py):
    """Copies the manual's pages and pictures beside the code."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "desktop" / "manual"
        for pattern in MANUAL_FILES:
            for page in (HERE / "docs").glob(pattern):
                if page.name.startswith("measured_"):
                    continue  # parts of other pages
                place = target / page.relative_to(HERE / "docs")
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(page, place)


setup(cmdclass={"build_py": BuildWithManual})
