"""The one place that imports pydicom and its decoders, safe from the working directory.

``gdcm.py`` tries ``import dl``, a module of Python 2: a folder or file of that name in the working
directory makes it fail with an AttributeError, and pydicom with it.
"""

from __future__ import annotations

import sys
from typing import Any

from desktop.core.quiet import quiet


def _import_gdcm() -> None:
    modules: dict[str, Any] = sys.modules
    missing = object()
    before = modules.get("dl", missing)
    modules["dl"] = None  # makes `import dl` raise ImportError
    try:
        import gdcm
    except ImportError:
        return  # pydicom reads what its other decoders can; the rest is DICOM-03
    finally:
        if before is missing:
            del modules["dl"]
        else:
            modules["dl"] = before
    # Otherwise hostile files make it write to standard error.
    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()
    gdcm.Trace.DebugOff()


with quiet():
    _import_gdcm()
    from pydicom import dcmread
    from pydicom.dataset import Dataset
    from pydicom.encaps import get_frame
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array
    from pydicom.uid import UID

__all__ = [
    "UID",
    "Dataset",
    "apply_color_lut",
    "dcmread",
    "get_decoder",
    "get_frame",
    "pixel_array",
]
