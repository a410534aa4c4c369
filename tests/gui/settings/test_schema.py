"""Settings: their limits, their file, damage, unknown keys and keys that collide."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from desktop.core.errors import OutputFailed, UsageError
from desktop.core.review.query import SavedFilter
from desktop.gui.settings.file import load_settings, save_settings, settings_path
from desktop.gui.settings.schema import (
    DEFAULTS,
    RecentEntry,
    Settings,
    explanations,
)

CHANGED = dataclasses.replace(
    DEFAULTS,
    theme="light",
    reviewer="Zoë Łuk",
    blind_first=True,
    heatmap_opacity_percent=60,
    panel_folders=("/models/mine", "/models/\udcff"),
    shortcuts={"accept": ("Return", "Enter"), "flag": ()},
    saved_filters=(SavedFilter("Mine", "is:split", "-entropy"),),
    recent=(RecentEntry("/films", "2026-11-23T09:00"),),
    hints_seen=("first-run",),
    window_state={"geometry": "AAEC"},
)


def test_settings_come_back_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "config" / "settings.json"
    save_settings(path, CHANGED)
    loaded = load_settings(path)
    assert loaded.settings == CHANGED
    assert loaded.notices == ()


def test_defaults_are_not_written_so_that_better_ones_can_come(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    save_settings(path, DEFAULTS)
    assert json.loads(path.read_text()) == {}
    assert load_settings(path).settings == DEFAULTS


def test_a_missing_file_gives_the_defaults_without_a_word(tmp_path: Path) -> None:
    loaded = load_settings(tmp_path / "none.json")
    assert (loaded.settings, loaded.notices) == (DEFAULTS, ())


def test_keys_of_a_newer_version_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "light", "hologram": {"depth": 3}}')
    settings = load_settings(path).settings
    save_settings(path, dataclasses.replace(settings, reviewer="A"))
    assert json.loads(path.read_text()) == {
        "hologram": {"depth": 3},
        "reviewer": "A",
        "theme": "light",
    }


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b'{"a":' * 5000, b"\0" * 99]
)
def test_a_damaged_file_is_set_aside_and_reported(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(text)
    loaded = load_settings(path)
    assert loaded.settings == DEFAULTS
    assert loaded.set_aside is not None
    assert loaded.set_aside.read_bytes() == text
    assert loaded.set_aside.name in loaded.notices[0]
    assert not path.exists()
    path.write_bytes(text)
    again = load_settings(path)
    assert again.set_aside != loaded.set_aside
    assert loaded.set_aside.read_bytes() == text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "pink"),
        ("theme", 3),
        ("text_scale_percent", 500),
        ("text_scale_percent", 99.5),
        ("text_scale_percent", True),
        ("blind_first", 1),
        ("safety_sample_percent", -1),
        ("panel_folders", "one"),
        ("panel_folders", [1]),
        ("shortcuts", ["A"]),
        ("shortcuts", {"flag": "K"}),
        ("recent", [{"path": 1, "opened": "x"}]),
        ("recent", [{"way": "x"}]),
        ("window_state", {"geometry": 7}),
        ("hints_seen", None),
        ("saved_filters", 7),
    ],
)
def test_one_bad_value_loses_only_itself(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"reviewer": "A", name: value}))
    loaded = load_settings(path)
    assert loaded.settings == dataclasses.replace(DEFAULTS, reviewer="A")
    assert len(loaded.notices) == 1
    assert name in loaded.notices[0]


def test_one_bad_saved_filter_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    good = {"name": "Mine", "query": "is:split", "sort": ""}
    path.write_text(json.dumps({"saved_filters": [good, {"name": 7}, "x"]}))
    assert load_settings(path).settings.saved_filters == (SavedFilter("Mine", "is:split"),)


def test_settings_that_cannot_be_saved_say_so_and_leave_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputFailed):
        save_settings(tmp_path / "file" / "settings.json", CHANGED)
    assert (tmp_path / "file").read_text() == "not a folder"


def test_a_folder_instead_of_the_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "settings.json").mkdir()
    loaded = load_settings(tmp_path / "settings.json")
    assert loaded.settings == DEFAULTS
    assert "cannot be read" in loaded.notices[0]


@pytest.mark.parametrize(
    "values",
    [{"theme": "pink"}, {"text_scale_percent": 74}, {"heatmap_opacity_percent": 101}, {"wheel": 1}],
)
def test_a_value_outside_its_limits_cannot_exist(values: dict[str, object]) -> None:
    with pytest.raises(UsageError) as refused:
        Settings(**values)  # type: ignore[arg-type]
    assert refused.value.code == "SETTINGS-01"
    assert next(iter(values)) in str(refused.value)


def test_every_setting_explains_itself_in_whole_sentences() -> None:
    for name, item in explanations().items():
        assert item.title, name
        assert item.title[0].isupper(), name
        assert item.text.endswith("."), name
        default = getattr(DEFAULTS, name)
        assert not item.choices or default in item.choices


def test_settings_are_frozen_all_the_way_down() -> None:
    with pytest.raises(TypeError):
        CHANGED.shortcuts["flag"] = ("X",)  # type: ignore[index]


def test_the_environment_moves_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXR_QUORUM_HOME", str(tmp_path))
    assert settings_path().is_relative_to(tmp_path)
    monkeypatch.delenv("CXR_QUORUM_HOME")
    assert not settings_path().is_relative_to(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_the_settings_folder_belongs_to_the_user_alone(tmp_path: Path) -> None:
    save_settings(tmp_path / "new" / "settings.json", CHANGED)
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


texts = st.text(max_size=8)
plain_values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts)
json_values = st.recursive(
    plain_values,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
FIELDS = [item.name for item in dataclasses.fields(Settings)]


@hypothesis_settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=4))
def test_no_content_of_the_file_keeps_the_app_from_starting(
    tmp_path: Path, values: dict[str, object]
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(values))
    loaded = load_settings(path)
    save_settings(path, loaded.settings)
    assert load_settings(path).settings == loaded.settings
