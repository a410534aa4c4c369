"""Drawn films, one tiny trained run, and nothing that TensorFlow prints."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

tensorflow = pytest.importorskip("tensorflow", reason="training extra is not installed")

from training.configs import FitConfig  # noqa: E402
from training.data import synthetic as smoke  # noqa: E402
from training.data.datasets import recipe_for_folder  # noqa: E402
from training.data.split import SplitData, split  # noqa: E402
from training.fit.trainer import Fit  # noqa: E402

SIZE = (64, 64)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Decoded arrays of the tests stay out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of drawn films, 16 a class."""
    return smoke.draw_films(tmp_path_factory.mktemp("drawn") / "films", films_a_class=16)


@pytest.fixture(scope="session")
def drawn(films: Path) -> SplitData:
    """The drawn films, split."""
    return split(recipe_for_folder(films, "drawn"), films, SIZE)


def tiny_config(model: str, **changes: object) -> FitConfig:
    """A run of seconds."""
    values: dict[str, object] = {
        "model": model,
        "stages": ((2, 32),),
        "input_size": SIZE,
        "epoch_images": 48,
        "batch": 16,
        "average": 0.5,
    }
    return FitConfig(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def scnn_run(drawn: SplitData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of SCNN."""
    folder = tmp_path_factory.mktemp("runs") / "drawn-scnn"
    Fit(tiny_config("scnn"), drawn, folder).run()
    return folder
