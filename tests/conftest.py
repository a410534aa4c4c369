"""What every test shares: a small panel, skips without the real X-rays, reproducible fuzzing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from desktop.core.panels.registry import Panel, open_panel
from desktop.core.system.app_dirs import HOME_VARIABLE
from tests.helpers.data_location import shared_data
from tests.helpers.film_files import blur_films
from tests.helpers.tiny_models import write_panel

# The same examples on every machine and no folder of earlier ones: a failure is never a surprise.
# No deadline: how long an example takes says more about the machine than about the code.
settings.register_profile("reproducible", derandomize=True, database=None, deadline=None)
settings.load_profile("reproducible")


@pytest.fixture(scope="session", autouse=True)
def same_terminal() -> Iterator[None]:
    """Whatever terminal and locale the tests run in, what is printed is 80 columns without colour.

    A test that needs a terminal says so.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "dumb")
        for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "LANGUAGE", "LC_ALL", "LANG"):
            patch.delenv(name, raising=False)
        patch.setenv("LC_ALL", "C.UTF-8")
        yield


@pytest.fixture(scope="session", autouse=True)
def home_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test leaves anything in the home of who runs it; many set a home of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(tmp_path_factory.mktemp("home")))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked ``data`` where the public X-rays are not on this machine."""
    if shared_data() is not None:
        return
    absent = pytest.mark.skip(reason="needs the public X-rays; see tests/helpers/data_location.py")
    for item in items:
        if "data" in item.keywords:
            item.add_marker(absent)


@pytest.fixture(scope="session")
def panel_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a panel of four tiny models; not to be changed."""
    return write_panel(tmp_path_factory.mktemp("panels"))


@pytest.fixture(scope="session")
def panel(panel_folder: Path) -> Panel:
    """The panel of ``panel_folder``, opened."""
    return open_panel(panel_folder)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder of six films, ``film0.png`` and on, that a test may change."""
    return blur_films(tmp_path / "films", 6, seed=7, size=(280, 260))
