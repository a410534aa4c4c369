"""There is one decoder, one normalisation and no Qt or TensorFlow where a cluster job runs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DECODER = {"decode.py", "raster.py", "dicom.py", "dicom_codecs.py"}
#: Turns what the decoder refuses (CT slices, photographs) into what somebody would have exported,
#: to see whether the panel notices (ood), or reads age and sex from headers (subgroups): no film of
#: a data set goes through either.
NOT_FILMS = {"outlier_images.py", "evaluation.py", "subgroups.py", "lung_masks.py"}
#: What opens an image file; drawing and saving pictures is not decoding.
OPENERS = {"open", "imread", "dcmread", "read_file", "decode_jpeg", "decode_png", "load_img"}
DECODERS = {
    "BmpImagePlugin.BmpImageFile",
    "JpegImagePlugin.jpeg_factory",
    "PngImagePlugin.PngImageFile",
    "TiffImagePlugin.TiffImageFile",
    "WebPImagePlugin.WebPImageFile",
}
OPENER_MODULES = {"PIL.Image", "PIL", "Image", "cv2", "imageio", "pydicom", "tf.io", "tf.image"}


def _sources() -> list[Path]:
    return [
        path for top in ("desktop", "training", "studies") for path in (ROOT / top).rglob("*.py")
    ]


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_only_the_decoder_reads_dicom() -> None:
    readers = {
        path.name
        for path in _sources()
        if _imported(ast.parse(path.read_text("utf-8"))) & {"pydicom", "gdcm", "pylibjpeg"}
    }
    assert readers, "the decoder itself must be found, else this test looks in the wrong place"
    assert readers <= DECODER | NOT_FILMS


def test_only_the_decoder_opens_pictures() -> None:
    offenders = []
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node) in DECODERS:
                offenders.append(f"{path.relative_to(ROOT)}:{node.lineno}")
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr in OPENERS and ast.unparse(node.func.value) in OPENER_MODULES:
                offenders.append(f"{path.relative_to(ROOT)}:{node.lineno}")
            if node.func.attr in {"fromData", "loadFromData"}:
                offenders.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {Path(line.split(":")[0]).name for line in offenders} - DECODER - NOT_FILMS == set(), (
        offenders
    )
    assert offenders, "the decoder itself must be found, else this test looks in the wrong place"


def test_images_are_standardised_in_one_place() -> None:
    """Only the graph's own layer takes off the mean; nothing outside scales pixels for a model."""
    owners = {
        path.name
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Standardise")
    }
    assert owners == {"scnn.py", "ccnn.py", "resnet50.py", "layer_variants.py", "lungs.py"}
    for path in _sources():
        assert "preprocess_input" not in path.read_text("utf-8"), path


def test_the_core_and_the_command_line_run_where_qt_and_tensorflow_are_not_installed() -> None:
    program = """
import importlib, pkgutil, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {'PySide6', 'shiboken6', 'tensorflow', 'keras', 'training'}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import desktop.core, desktop.cli
for package in (desktop.core, desktop.cli):
    for module in pkgutil.walk_packages(getattr(package, '__path__', []), package.__name__ + '.'):
        importlib.import_module(module.name)
from desktop.__main__ import main
sys.exit(main(['codes']))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "DECODE-01" in done.stdout
