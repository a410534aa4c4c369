"""Every reason for which a file is not read as a radiograph: one table, code -> meaning -> advice.

The decoder builds its sentences from it; ``doctor`` and the troubleshooting page list it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

from desktop.core.errors import ImageRefused
from desktop.core.names import shown


@dataclass(frozen=True)
class Refusal:
    """One reason.

    Attributes:
        code: Stable name, e.g. ``DECODE-02``.
        meaning: What happened, as the rest of a sentence that begins with the file's name; may hold
            ``{detail}``.
        advice: What to do, a sentence.
    """

    code: str
    meaning: str
    advice: str


_TABLE = (
    Refusal(
        "READ-01",
        "may not be read by this user",
        "Ask for read permission or run as the user who owns it.",
    ),
    Refusal(
        "READ-02",
        "is not there (any more)",
        "It was moved, deleted or never existed; open the folder again.",
    ),
    Refusal(
        "READ-03",
        "is {detail}, not a regular file",
        "Choose the image file itself.",
    ),
    Refusal(
        "READ-04",
        "is too large for a radiograph ({detail})",
        "Check that it is a single film; export it again as one image.",
    ),
    Refusal(
        "READ-05",
        "changed while it was read",
        "Wait until the copy is finished and run it again.",
    ),
    Refusal(
        "READ-06",
        "could not be read from the disk ({detail})",
        "Check the disk, the network share or the link and try again.",
    ),
    Refusal(
        "TYPE-01",
        "is not an image that this app reads ({detail})",
        "Use JPEG, PNG, TIFF, BMP, WebP or DICOM.",
    ),
    Refusal(
        "TYPE-02",
        "is empty (0 bytes)",
        "The copy or export failed; fetch it again.",
    ),
    Refusal(
        "TYPE-03",
        "holds pixels of a kind that no film has ({detail})",
        "Export it as 8-bit or 16-bit grey.",
    ),
    Refusal(
        "DECODE-01",
        "is damaged and cannot be decoded",
        "Fetch or export it again.",
    ),
    Refusal(
        "DECODE-02",
        "ends early: part of the picture is missing",
        "The copy was cut off; fetch it again.",
    ),
    Refusal(
        "DECODE-03",
        "would unpack to more pixels than any radiograph has ({detail})",
        "It may be made to exhaust this computer; do not open it elsewhere.",
    ),
    Refusal(
        "DECODE-04",
        "holds several pictures",
        "Export each film as its own file.",
    ),
    Refusal(
        "DECODE-05",
        "is a colour picture, not a grey film",
        "Export the original film; if it really is one, convert it to grey first.",
    ),
    Refusal(
        "DECODE-06",
        "took longer than {detail} to decode and was given up",
        "It may be damaged; export it again.",
    ),
    Refusal(
        "DECODE-07",
        "made its decoder crash, twice",
        "It is damaged or made to do so; export it again.",
    ),
    Refusal(
        "DECODE-08",
        "needs more memory than there is to decode",
        "Close other programs or export it smaller.",
    ),
    Refusal(
        "SIZE-01",
        "is too small for the models ({detail})",
        "Use the film at its original size.",
    ),
    Refusal(
        "DICOM-01",
        "is a DICOM file without a picture ({detail})",
        "Choose the image object of the study.",
    ),
    Refusal(
        "DICOM-02",
        "is a DICOM image of another kind ({detail})",
        "Only plain radiographs (CR, DX) are read.",
    ),
    Refusal(
        "DICOM-03",
        "is compressed in a way that this app cannot read ({detail})",
        "Export it uncompressed (Explicit VR Little Endian).",
    ),
    Refusal(
        "DICOM-04",
        "is a DICOM object with several frames ({detail})",
        "Export each film as its own object.",
    ),
    Refusal(
        "DICOM-05",
        "is a damaged DICOM file: its header cannot be read",
        "Fetch it again from the archive.",
    ),
    Refusal(
        "DICOM-06",
        "is a damaged DICOM file: its picture is cut off or cannot be decoded",
        "Fetch it again from the archive.",
    ),
    Refusal(
        "DICOM-07",
        "is a DICOM file with pixels of a kind that no film has ({detail})",
        "Export it as 8 to 16 bit grey.",
    ),
)

IMAGE_REFUSALS: Mapping[str, Refusal] = MappingProxyType({row.code: row for row in _TABLE})
"""All codes an ``ImageRefused`` of the decoder can carry."""


def refused(code: str, path: PurePath, detail: str = "") -> ImageRefused:
    """The error for a file: its name, what happened and what to do.

    Args:
        code: A key of ``IMAGE_REFUSALS``.
        path: The file; only its name is shown.
        detail: Fills ``{detail}`` where the meaning has one. May be words of the file itself: it is
            shown like a name, on one line and printable.
    """
    row = IMAGE_REFUSALS[code]
    meaning = row.meaning.replace("{detail}", shown(detail))
    return ImageRefused(code, f"{shown(path)} {meaning}. {row.advice}")
