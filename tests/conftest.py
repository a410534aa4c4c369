"""What every test shares: skips where the real X-rays are absent, and reproducible fuzzing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from desktop.core.system.app_dirs import HOME_VARIABLE
from tests.helpers.data_location import shared_data

# The same examples on every machine and no folder of earlier ones: a failure is never a surprise.
# No deadline: how long an example takes says more about the machine than about the code.
settings.register_profile("reproducible", derandomize=True, database=None, deadline=None)
settings.load_profile("reproducible")


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
