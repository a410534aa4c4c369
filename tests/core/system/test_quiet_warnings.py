"""Warnings of decoding libraries are silent for as long as anybody decodes."""

from __future__ import annotations

import warnings

from desktop.core.system.quiet_warnings import quiet


def test_silence_lasts_until_the_last_one_leaves() -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with quiet():
            with quiet():
                warnings.warn("inner", stacklevel=1)
            warnings.warn("still quiet", stacklevel=1)
        warnings.warn("loud again", stacklevel=1)
    assert [str(item.message) for item in heard] == ["loud again"]
