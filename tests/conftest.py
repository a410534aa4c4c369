"""What every test shares: skips where the real X-rays are absent, and reproducible fuzzing."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.data_location import shared_data

# The same examples on every machine and no folder of earlier ones: a failure is never a surprise.
# No deadline: how long an example takes says more about the machine than about the code.
settings.register_profile("reproducible", derandomize=True, database=None, deadline=None)
settings.load_profile("reproducible")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked ``data`` where the public X-rays are not on this machine."""
    if shared_data() is not None:
        return
    absent = pytest.mark.skip(reason="needs the public X-rays; see tests/data_location.py")
    for item in items:
        if "data" in item.keywords:
            item.add_marker(absent)
