"""Windows of a header: what is not valid is left out."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from desktop.core.imaging.dicom_voi import own_windows


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("centre", "width"), [("40", "-1"), ("40", "0"), ("", "400"), ("40", "")])
def test_a_window_without_centre_or_width_is_none(function: str, centre: str, width: str) -> None:
    header = Dataset()
    header.WindowCenter, header.WindowWidth, header.VOILUTFunction = centre, width, function
    arguments = {"inverted": False, "exposed": (0.0, 255.0)}
    assert own_windows(header, 1.0, 0.0, **arguments) == ()
    header.WindowCenter, header.WindowWidth = "40", "400"
    (window,) = own_windows(header, 1.0, 0.0, **arguments)
    assert window.low < 40 < window.high
