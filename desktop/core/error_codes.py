"""Every code a person can meet, in one table: what happened and what to do.

``cxr-quorum codes`` and the troubleshooting page list it; the decoder's refusals are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from types import MappingProxyType

from desktop.core.errors import ImageRefused
from desktop.core.system.text import display_name


@dataclass(frozen=True)
class ErrorCode:
    """One code.

    Attributes:
        code: Stable name, e.g. ``DECODE-02``.
        meaning: What happened, a sentence. One about an image begins with "The file" and may hold
            ``{detail}``.
        advice: What to do, a sentence.
    """

    code: str
    meaning: str
    advice: str


_TABLE = """
READ-01 The file may not be read by this user. -> Ask for read permission or run as the user who
    owns it.
READ-02 The file is not there (any more). -> It was moved, deleted or never existed; open the folder
    again.
READ-03 The file is {detail}, not a regular file. -> Choose the image file itself.
READ-04 The file is too large for a radiograph ({detail}). -> Check that it is a single film; export
    it again as one image.
READ-05 The file changed while it was read. -> Wait until the copy is finished and run it again.
READ-06 The file could not be read from the disk ({detail}). -> Check the disk, the network share or
    the link and try again.
TYPE-01 The file is not an image that this app reads ({detail}). -> Use JPEG, PNG, TIFF, BMP, WebP
    or DICOM.
TYPE-02 The file is empty (0 bytes). -> The copy or export failed; fetch it again.
TYPE-03 The file holds pixels of a kind that no film has ({detail}). -> Export it as 8-bit or 16-bit
    grey.
DECODE-01 The file is damaged and cannot be decoded. -> Fetch or export it again.
DECODE-02 The file ends early: part of the picture is missing. -> The copy was cut off; fetch it
    again.
DECODE-03 The file would unpack to more pixels than any radiograph has ({detail}). -> It may be made
    to exhaust this computer; do not open it elsewhere.
DECODE-04 The file holds several pictures. -> Export each film as its own file.
DECODE-05 The file is a colour picture, not a grey film. -> Export the original film; if it really
    is one, convert it to grey first.
DECODE-06 The file took longer than {detail} to decode and was given up. -> It may be damaged;
    export it again.
DECODE-07 The file made its decoder crash, twice. -> It is damaged or made to do so; export it
    again.
DECODE-08 The file needs more memory than there is to decode. -> Close other programs or export it
    smaller.
SIZE-01 The file is too small for the models ({detail}). -> Use the film at its original size.
DICOM-01 The file is a DICOM file without a picture ({detail}). -> Choose the image object of the
    study.
DICOM-02 The file is a DICOM image of another kind ({detail}). -> Only plain radiographs (CR, DX)
    are read.
DICOM-03 The file is compressed in a way that this app cannot read ({detail}). -> Export it
    uncompressed (Explicit VR Little Endian).
DICOM-04 The file is a DICOM object with several frames ({detail}). -> Export each film as its own
    object.
DICOM-05 The file is a damaged DICOM file: its header cannot be read. -> Fetch it again from the
    archive.
DICOM-06 The file is a damaged DICOM file: its picture is cut off or cannot be decoded. -> Fetch it
    again from the archive.
DICOM-07 The file is a DICOM file with pixels of a kind that no film has ({detail}). -> Export it as
    8 to 16 bit grey.
MODEL-01 There is no panel of this name. -> List the panels with cxr-quorum models.
MODEL-02 A model or panel keeps another version of the contract than this app reads. -> Export it
    again or update the app.
MODEL-03 A model's card is missing or not valid. -> Export the model again.
MODEL-04 A panel's manifest is damaged or contradicts itself. -> Export the panel again.
MODEL-05 A file of a panel cannot be read, is too large, damaged, a link, not written as the onnx
    package writes it, or not understood by ONNX Runtime. -> Copy or export it again, or update the
    app.
MODEL-06 A model keeps its weights in another file, which could be any file of this machine. ->
    Export it as one file.
MODEL-07 A model needs custom operators, functions or loops, which are not run. -> Export it for
    inference with standard ONNX operators.
MODEL-08 A model file is not the one that the manifest was made for: its hash differs. -> Install
    the panel again.
MODEL-09 A model's card, graph and manifest do not fit each other. -> Export the panel again.
MODEL-10 A model gave no valid probabilities for an image and has no vote in it. -> Look at the
    image; if it happens often, export the model again.
MODEL-11 A model stopped with an error on an image and has no vote in it. -> Label the image again;
    if it happens again, export the model again.
MODEL-12 Memory ran out while a model was loaded or looked at an image. -> Close other programs or
    use --batch 1, and label again.
MODEL-13 int8 was asked for, and the panel has no int8 form that fits its files and gave the same
    answers as fp32. -> Use --precision fp32 or auto, or export the panel again.
MODEL-14 A model of a panel that did not come with the app took far too long, or ended the process
    that tried it, and is not run. -> Export the panel again, or use another.
OUTPUT-01 The disk is full; what stood there before is intact. -> Free some space.
OUTPUT-02 The output's folder is read-only or belongs to somebody else. -> Choose another folder.
OUTPUT-03 The output's folder does not exist. -> Create it or choose another.
OUTPUT-04 The output is open in another program. -> Close it there or choose a new name.
OUTPUT-05 The output could not be written; what stood there before is intact. -> Try another folder.
OUTPUT-06 Another run is writing the same output. -> Wait until it has finished or choose another
    output.
OUTPUT-07 The output's folder was moved, deleted or disconnected during the run. -> Bring it back
    and give the same command again.
OUTPUT-08 The journal of a run was damaged while it went on; no table was written, and the old one
    is intact. -> Check the disk and give the same command again.
USAGE-01 A path that was named does not exist, or a list of paths is none. -> Check the path.
USAGE-02 There is no device of this name. -> See cxr-quorum label --help.
USAGE-03 There is no code of this name. -> List all with cxr-quorum codes.
USAGE-04 Parquet needs the package pyarrow, which is not installed. -> Install cxr-quorum[parquet],
    or choose csv or jsonl.
USAGE-05 The options asked for do not go together. -> See cxr-quorum label --help.
FOLDER-01 The folder does not exist. -> Check the path.
FOLDER-02 What was named as a folder is none. -> Choose the folder it lies in.
FOLDER-03 The folder cannot be read. -> Check its permissions.
FOLDER-04 There is no image in the folder. -> Add --recursive to look in those below.
WINDOW-01 There is no display for the window. -> Use a command, e.g. cxr-quorum label.
STORE-01 The review of a folder was damaged and set aside; a new one was begun. -> Look over the
    latest decisions.
STORE-02 The review of a folder was damaged while it was open. -> Open the folder again.
STORE-03 A decision was not saved because the disk is full. -> Free some space and decide again.
STORE-04 A decision was not saved because another program locks the review. -> Decide again in a
    moment.
STORE-05 The review of a folder cannot be written where it lies. -> Make that folder writable.
STORE-06 Another window decided on the same image meanwhile. -> Look at it and decide again.
STORE-07 The review was written by a newer version of the app. -> Update the app.
STORE-08 The review was moved or deleted while it was open. -> Open the folder again.
STORE-09 A decision was not saved. -> Check the disk and decide again.
REVIEW-00 There is nothing to undo or redo. -> Go on.
REVIEW-01 There is no consensus to accept. -> Give your own label with a number key.
REVIEW-02 The votes are hidden until you have given your label. -> Label first.
REVIEW-03 The comment is too long. -> Shorten it.
REVIEW-04 A step on many images is still being saved. -> Wait a moment, then go on.
QUERY-01 The search uses a word that does not exist. -> Put plain text in quotation marks.
QUERY-02 The search compares with something that is no number. -> Write it like 0.5.
QUERY-03 The search names no class, or several at once. -> Write a bit more of its name.
QUERY-04 A bracket, quotation mark or minus sign has no partner. -> Close or remove it.
QUERY-05 The search uses the votes while you read blind. -> Leave blind reading first.
QUERY-06 A saved filter is damaged and was left out. -> Save it again.
QUERY-07 Nothing can be sorted by this word. -> Choose a column's name.
SETTINGS-01 A setting was given a value it cannot have. -> Choose one of its values.
CLASS-01 The class folders would lie inside the opened folder and be listed again. -> Choose a
    folder elsewhere.
CLASS-02 A film has changed since it was labelled and was not put into a class folder. -> Open the
    folder again and look at it.
CLASS-03 The disk with the class folders is full. -> Free some space and run it again.
CLASS-04 A link is not possible there. -> Choose copies.
CLASS-05 A film could not be put into a class folder. -> Check that it is still there and may be
    read.
CLASS-06 Too many other files have the film's name there. -> Choose an empty folder.
ENGINE-01 The models stopped with an error at this image, twice. -> Export the image again, or
    report it.
ENGINE-02 The process that runs the models stopped again and again; what is answered is kept. ->
    Free some memory, choose another device or restart the app.
PENDING-01 The models had not come to this image when the table was written. -> Let the run finish
    and export again.
CLUSTER-01 --engine ray needs the package ray, which is not installed. -> Install
    cxr-quorum[cluster] on every node, or leave --engine out.
CLUSTER-02 The Ray cluster cannot be reached. -> Check the address and that ray start was run there
    with the same versions.
CLUSTER-03 A node of the cluster has another version of the app. -> Install one version on every
    node.
CLUSTER-04 Parts of a run on a cluster could not be finished; what is finished is kept. -> Look at
    the nodes' memory and Ray's logs, then give the same command again.
CLUSTER-05 An address cannot be read: the package for it is missing, or the storage refused. ->
    Install fsspec's package for it on every node; check address and credentials.
DECODER-01 The process that decodes images cannot be started. -> Free some memory or install the app
    again.
"""
_FAMILIES_OF_IMAGES = ("READ", "TYPE", "DECODE", "SIZE", "DICOM")


def _parsed(row: str) -> ErrorCode:
    code, _, text = row.partition(" ")
    return ErrorCode(code, *text.split(" -> "))


_CODES = tuple(map(_parsed, _TABLE.strip().replace("\n    ", " ").splitlines()))
IMAGE_REFUSALS: Mapping[str, ErrorCode] = MappingProxyType(
    {row.code: row for row in _CODES if row.code.split("-")[0] in _FAMILIES_OF_IMAGES}
)
"""All codes an ``ImageRefused`` of the decoder can carry."""


def all_codes() -> tuple[ErrorCode, ...]:
    """All codes, sorted, with an ellipsis for what differs from case to case."""
    rows = (replace(row, meaning=row.meaning.replace("{detail}", "…")) for row in _CODES)
    return tuple(sorted(rows, key=lambda row: row.code))


def refused(code: str, path: PurePath, detail: str = "") -> ImageRefused:
    """The error for a file: its name, what happened and what to do.

    Args:
        code: A key of ``IMAGE_REFUSALS``.
        path: The file; only its name is shown.
        detail: Fills ``{detail}`` where the meaning has one; shown on one line and printable.
    """
    row = IMAGE_REFUSALS[code]
    meaning = row.meaning.removeprefix("The file").replace("{detail}", display_name(detail))
    return ImageRefused(code, f"{display_name(path)}{meaning} {row.advice}")
