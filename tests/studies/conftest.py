"""The drawn films and the tiny run of the training's tests."""

from tests.training.conftest import _own_cache, drawn, films, scnn_run

__all__ = ["_own_cache", "drawn", "films", "scnn_run"]
