"""Manifests and cards made to do harm: each is refused with a code and one printable sentence."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.core.errors import ModelRefused
from desktop.core.int8.calibration import read_calibration
from desktop.core.panels.contract import CARD_METADATA_KEY
from desktop.core.panels.registry import open_panel, survey_panels
from tests.helpers import command
from tests.helpers.tiny_models import CLASS_NAMES, tiny_card, tiny_graph, with_card, write_panel
from tests.hostile.panels import honest, hostile_panel

CLEAR = "\x1b[2J\x1b]0;owned\x07"
TURNED = "\u202egnp.a"
POSIX = os.name == "posix"


def refusal(panel: Path) -> ModelRefused:
    with pytest.raises(ModelRefused) as caught:
        open_panel(panel)
    found, problems = survey_panels([panel])
    assert [item.folder for item in problems] == [panel]
    assert panel not in [item.folder for item in found]
    sentence = str(caught.value)
    assert sentence.isprintable(), repr(sentence)
    assert sentence.endswith(".")
    assert len(sentence) < 400
    return caught.value


def manifest_of(panel: Path) -> dict[str, object]:
    values: dict[str, object] = json.loads((panel / "manifest.json").read_text())
    return values


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"ood_limit": 1.5', '"ood_limit": NaN'),
        ('"ood_limit": 1.5', '"ood_limit": Infinity'),
        ('"ood_limit": 1.5', '"ood_limit": 1e999'),
        ('"ood_limit": 1.5', f'"ood_limit": 1{"0" * 400}'),
        ('"ood_limit": 1.5', f'"ood_limit": 1{"0" * 5000}'),
        ('"ood_limit": 1.5', '"ood_limit": 1.5, "ood_limit": 1e9'),
        ('"file": "scnn.onnx"', '"file": "/etc/passwd", "file": "scnn.onnx"'),
        ('"title": "Tiny covid19"', f'"title": {"[" * 50_000}{"]" * 50_000}'),
        ('"title": "Tiny covid19"', f'"title": {"[" * 900}{"]" * 900}'),
        ('"title": "Tiny covid19"', '"title": "\\ud800"'),
    ],
)
def test_json_of_more_than_one_meaning_is_refused(tmp_path: Path, old: str, new: str) -> None:
    panel = write_panel(tmp_path)
    text = (panel / "manifest.json").read_text()
    assert text.count(old) == 1
    (panel / "manifest.json").write_text(text.replace(old, new))
    assert refusal(panel).code == "MODEL-04"


def test_a_manifest_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    panel = write_panel(tmp_path)
    text = (panel / "manifest.json").read_bytes()
    (panel / "manifest.json").write_bytes(text.replace(b"Tiny", b"T\xefny"))
    assert refusal(panel).code == "MODEL-04"


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("title", f"Lungs{CLEAR}", "MODEL-04"),
        ("title", "Lungs\r\nNormal", "MODEL-04"),
        ("title", "x" * 300_000, "MODEL-04"),
        ("version", TURNED, "MODEL-04"),
        ("name", f"covid{CLEAR}", "MODEL-04"),
        ("class_names", ["Covid\n=cmd", "Normal", "Viral Pneumonia"], "MODEL-04"),
        ("class_names", [f"class {number}" for number in range(20_000)], "MODEL-04"),
        ("contract_version", CLEAR * 1000, "MODEL-02"),
        ("contract_version", [[CLEAR]], "MODEL-02"),
    ],
)
def test_words_that_no_screen_should_show_are_refused(
    tmp_path: Path, key: str, value: object, code: str
) -> None:
    panel = write_panel(tmp_path)
    (panel / "manifest.json").write_text(json.dumps(manifest_of(panel) | {key: value}))
    assert refusal(panel).code == code


@pytest.mark.parametrize(
    "file",
    ["../scnn.onnx", "/etc/passwd", "deep/scnn.onnx", "scnn.onnx\0", "SCNN.onnx", f"{CLEAR}.onnx"],
)
def test_a_model_file_is_named_after_its_model_and_lies_beside_the_manifest(
    tmp_path: Path, file: str
) -> None:
    panel = write_panel(tmp_path)
    values = manifest_of(panel)
    values["members"][0]["file"] = file  # type: ignore[index]
    (panel / "manifest.json").write_text(json.dumps(values))
    assert refusal(panel).code == "MODEL-04"


def many_models(panel: Path) -> None:
    values = manifest_of(panel)
    values["members"] = [
        {"name": f"m{number}", "file": f"m{number}.onnx", "sha256": "0" * 64}
        for number in range(5_000)
    ]
    (panel / "manifest.json").write_text(json.dumps(values))


def a_gigabyte(panel: Path) -> None:
    with (panel / "manifest.json").open("r+b") as stream:
        stream.truncate(1 << 30)  # sparse: takes no room


def a_link(panel: Path) -> None:
    elsewhere = panel.parent / "elsewhere.json"
    (panel / "manifest.json").rename(elsewhere)
    (panel / "manifest.json").symlink_to(elsewhere)


def a_link_to_nothing(panel: Path) -> None:
    (panel / "manifest.json").unlink()
    (panel / "manifest.json").symlink_to("nowhere")


def a_pipe(panel: Path) -> None:
    (panel / "manifest.json").unlink()
    os.mkfifo(panel / "manifest.json")


def a_folder(panel: Path) -> None:
    (panel / "manifest.json").unlink()
    (panel / "manifest.json").mkdir()


def a_device(panel: Path) -> None:
    (panel / "manifest.json").unlink()
    try:
        os.mknod(panel / "manifest.json", 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("only root makes devices")


@pytest.mark.skipif(not POSIX, reason="POSIX files")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (many_models, "MODEL-04"),
        (a_gigabyte, "MODEL-05"),
        (a_link, "MODEL-05"),
        (a_link_to_nothing, "MODEL-05"),
        (a_pipe, "MODEL-05"),
        (a_folder, "MODEL-05"),
        (a_device, "MODEL-05"),
    ],
)
def test_a_manifest_is_a_small_file_of_its_panel(
    tmp_path: Path, change: Callable[[Path], None], code: str
) -> None:
    panel = write_panel(tmp_path)
    change(panel)
    assert refusal(panel).code == code


def panel_with_card(folder: Path, change: Callable[[str], str]) -> Path:
    """A panel whose first model has another card, and a manifest that says that all is right."""
    panel = write_panel(folder)
    card = tiny_card("scnn", "covid19", CLASS_NAMES, (64, 64))
    proto = with_card(tiny_graph("scnn", 3, (64, 64)), card)
    (entry,) = (item for item in proto.metadata_props if item.key == CARD_METADATA_KEY)
    entry.value = change(entry.value)
    content = proto.SerializeToString()
    (panel / "scnn.onnx").write_bytes(content)
    values = manifest_of(panel)
    values["members"][0]["sha256"] = hashlib.sha256(content).hexdigest()  # type: ignore[index]
    (panel / "manifest.json").write_text(json.dumps(values))
    return panel


@pytest.mark.parametrize(
    "changes",
    [
        {"title": f"SCNN{CLEAR}"},
        {"title": 7},
        {"version": TURNED},
        {"created": "today\n"},
        {"commit": 7},
        {"class_names": ["Covid\x1b[2J", "Normal", "Viral Pneumonia"]},
        {"temperature": "warm"},
        {"operating_points": [0.5]},
        {"operating_points": {"Covid": None}},
        {"metrics": 5},
        {"metrics": {"accuracy": 0.9}},
        {"metrics": {"accuracy": {"value": "high"}}},
        {"metrics": {f"accuracy{CLEAR}": {"value": 1.0}}},
        {"facts": {"data": 5}},
        {"facts": {"data": CLEAR}},
        {"facts": {"data": "x" * 100_000}},
        {"input_size": ["64", 64]},
        {"input_size": 64},
    ],
)
def test_a_card_with_other_values_than_the_contract_is_refused(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    panel = panel_with_card(tmp_path, lambda text: json.dumps(json.loads(text) | changes))
    assert refusal(panel).code == "MODEL-03"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"temperature": 1.0', '"temperature": NaN'),
        ('"temperature": 1.0', '"temperature": 1.0, "temperature": 2.0'),
        ('"shift": {}', f'"shift": {{"Covid": 1{"0" * 400}}}'),
        ('"shift": {}', '"shift": {"Covid": -Infinity}'),
        ('"shift": {}', f'"shift": {"[" * 50_000}{"]" * 50_000}'),
    ],
)
def test_a_card_of_more_than_one_meaning_is_refused(tmp_path: Path, old: str, new: str) -> None:
    panel = panel_with_card(tmp_path, lambda text: text.replace(old, new))
    assert refusal(panel).code == "MODEL-03"


@pytest.mark.parametrize(
    "text",
    [
        '{"format": 2, "quantiser_version": %d, "films": Infinity, "models": {}, "together": {}}',
        '{"format": 2, "quantiser_version": %d, "films": 1e999, "models": {}, "together": {}}',
        '{"format": 2, "format": 2, "quantiser_version": %d}',
        "[" * 100_000,
    ],
)
def test_ranges_beside_the_manifest_are_held_to_the_same(tmp_path: Path, text: str) -> None:
    from desktop.core.int8.graph import QUANTISER_VERSION

    panel = open_panel(write_panel(tmp_path))
    said = text.replace("%d", str(QUANTISER_VERSION))
    (panel.folder / "int8.json").write_text(said)
    with pytest.raises(ModelRefused) as caught:
        read_calibration(panel)
    assert caught.value.code == "MODEL-13"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX names")
def test_the_command_shows_any_panel_without_acting_on_its_words(tmp_path: Path) -> None:
    """Markup in what is allowed, bytes that are no text in a folder's name, and a refused one."""
    shown = write_panel(tmp_path / os.fsdecode(b"no \xff text\x1b[2J"), name="mine")
    values = manifest_of(shown) | {"title": "[/red] :warning: [link=x]", "version": "[bold]"}
    (shown / "manifest.json").write_text(json.dumps(values))
    bad = write_panel(tmp_path / "bad", name="other")
    (bad / "manifest.json").write_text(json.dumps(values | {"title": CLEAR}))
    for words in ([], ["--json"]):
        done = command.run(["models", shown, bad, *words], tmp_path)
        assert done.returncode == 1
        assert b"Traceback" not in done.stderr
        assert all(line.isprintable() for line in done.stdout.decode().splitlines())
        assert b"[/red] :warning: [link=x]" in done.stdout


def test_a_panel_that_is_as_it_should_be_is_opened(tmp_path: Path) -> None:
    assert open_panel(panel_with_card(tmp_path / "a", str)).class_names == CLASS_NAMES
    assert open_panel(hostile_panel(tmp_path / "b", honest)).class_names == CLASS_NAMES
