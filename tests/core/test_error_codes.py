"""The table of codes: each is explained, can happen, and its sentence stands on its own."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import desktop
from desktop.core.error_codes import IMAGE_REFUSALS, all_codes, refused
from tests.core.imaging import test_decode as test_pixels
from tests.core.imaging import test_dicom

ROOT = Path(desktop.__file__).parents[1]
CODE = re.compile(r"[A-Z]{3,}-\d\d")

# Codes that need a file system, a process or a full memory, and the test that brings each about.
ELSEWHERE = {
    "READ-01": test_pixels.test_a_file_without_permission_says_so,
    "READ-02": test_pixels.test_what_cannot_be_read_says_why,
    "READ-03": test_pixels.test_pipes_devices_sockets_and_link_circles_never_block,
    "READ-04": test_pixels.test_a_file_that_is_too_large_is_not_read,
    "READ-05": test_pixels.test_a_file_that_grows_while_it_is_read_is_refused,
    "READ-06": test_pixels.test_what_cannot_be_read_says_why,
    "TYPE-02": test_pixels.test_what_cannot_be_read_says_why,
    "DECODE-06": "tests/core/imaging/decoders/test_pool.py",
    "DECODE-07": "tests/core/imaging/decoders/test_pool.py",
    "DECODE-08": "test_a_film_larger_than_the_memory_is_refused",
}


def test_every_code_in_the_source_is_explained_once_and_in_the_manual() -> None:
    used: set[str] = set()
    for path in (ROOT / "desktop").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                used |= {node.value} if CODE.fullmatch(node.value) else set()
    explained = [item.code for item in all_codes()]
    assert len(used) > 70
    assert used - set(explained) == set()
    assert len(explained) == len(set(explained))
    manual = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    for item in all_codes():
        assert CODE.fullmatch(item.code)
        assert f"`{item.code}`" in manual
        for sentence in (item.meaning, item.advice):
            assert sentence[0].isupper() or sentence.startswith(("int8", "--"))
            assert sentence.endswith(".")


def test_every_code_of_the_table_is_brought_about_by_a_test() -> None:
    made = {code for _, code in (*test_pixels.REFUSED.values(), *test_dicom.REFUSED.values())}
    made |= {"DICOM-02"}  # test_dicom.test_another_modality_is_refused
    assert made | set(ELSEWHERE) == set(IMAGE_REFUSALS)


def test_every_refusal_of_an_image_is_one_of_the_table() -> None:
    raised: set[str] = set()
    for source in (ROOT / "desktop").rglob("*.py"):
        raised |= set(re.findall(r'refused\(\s*"([A-Z]+-\d\d)"', source.read_text("utf-8")))
    assert raised <= set(IMAGE_REFUSALS)
    assert len(raised) > 15


@pytest.mark.parametrize("code", IMAGE_REFUSALS)
def test_a_sentence_names_the_file_what_happened_and_what_to_do(code: str) -> None:
    row = IMAGE_REFUSALS[code]
    sentence = str(refused(code, Path("/some/where/film_07.png"), "a detail"))
    assert sentence.startswith("film_07.png ")
    assert "/some/where" not in sentence
    assert sentence.endswith(row.advice)
    assert "{" not in sentence
    assert len(sentence) < 220


@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space")
def test_a_film_larger_than_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.fromarray(np.zeros((9000, 9000), np.uint8)).save(path, compress_level=1)
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from desktop.core.errors import ImageRefused\n"
        "from desktop.core.imaging.decode import read_radiograph\n"
        "now = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (now + 2**26, now + 2**26))\n"
        "try: read_radiograph(Path(sys.argv[1]))\n"
        "except ImageRefused as refusal: print(refusal.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "DECODE-08", done.stderr


def test_what_a_file_says_of_itself_is_shown_printable_and_short() -> None:
    said = str(refused("DICOM-02", Path("film.dcm"), "CT\x00\n\x1b[31m" + "x" * 500))
    assert said.isprintable()
    assert "CT\\x00\\n" in said
    assert len(said) < 400
