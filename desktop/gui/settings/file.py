"""The settings file: JSON in the user's config folder, written completely or not at all.

A damaged file is renamed with a time stamp and reported, and the defaults are used; one bad value
loses only itself. Keys that this version does not know are kept, so that an older version does not
delete a newer one's settings.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication

from desktop.core.errors import OutputFailed, UsageError
from desktop.core.review.query import SavedFilter
from desktop.core.system.app_dirs import config_home, make_private_folder
from desktop.core.system.atomic_write import atomic_write_text
from desktop.gui.settings.schema import DEFAULTS, RecentEntry, Settings

translate = QCoreApplication.translate

SETTINGS_NAME = "settings.json"
_FIELDS = {item.name for item in dataclasses.fields(Settings)} - {"unknown"}
_MAX_BYTES = 4 << 20


@dataclass(frozen=True)
class LoadedSettings:
    """Settings as they were found.

    Attributes:
        settings: The settings, defaults where nothing sound was found.
        notices: Sentences for the user, empty where all was well.
        set_aside: Where a damaged file is now, None where there was none.
    """

    settings: Settings
    notices: tuple[str, ...] = ()
    set_aside: Path | None = None


def settings_path() -> Path:
    """The settings file in `config_home`."""
    return config_home() / SETTINGS_NAME


def load_settings(path: Path) -> LoadedSettings:
    """Read the settings; never fails, because a session must not end over its settings.

    Args:
        path: From `settings_path`. A missing file gives the defaults.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return LoadedSettings(DEFAULTS)
    except OSError as error:
        text = translate(
            "Settings",
            "The settings in {path} cannot be read ({reason}). The defaults are used; check the "
            "file's permissions.",
        )
        return LoadedSettings(DEFAULTS, (text.format(path=path, reason=error.strerror),))
    try:
        if len(content) > _MAX_BYTES:
            raise ValueError("too long")
        values = json.loads(content)
        if not isinstance(values, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError):
        return _set_aside(path)
    return _from_values(values)


def save_settings(path: Path, settings: Settings) -> None:
    """Write the settings.

    Raises:
        OutputFailed: OUTPUT codes of `atomic_write`; the file is as it was.
    """
    values = {
        name: _plain(getattr(settings, name))
        for name in sorted(_FIELDS)
        # Defaults are left out, so that a better default of a later version reaches everybody.
        if getattr(settings, name) != getattr(DEFAULTS, name)
    }
    try:
        make_private_folder(path.parent)
    except OSError as error:
        text = translate(
            "Settings",
            "The settings were not saved because {folder} cannot be created ({reason}). They hold "
            "for this session only.",
        )
        text = text.format(folder=path.parent, reason=error.strerror)
        raise OutputFailed("OUTPUT-02", text) from error
    with atomic_write_text(path) as stream:
        json.dump({**settings.unknown, **values}, stream, indent=2)
        stream.write("\n")


def _set_aside(path: Path) -> LoadedSettings:
    moment = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    target = path.with_name(f"{path.stem}.damaged-{moment}{path.suffix}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.stem}.damaged-{moment}-{number}{path.suffix}")
    try:
        path.rename(target)
    except OSError:
        text = translate(
            "Settings",
            "The settings in {path} are damaged. The defaults are used for this session.",
        )
        return LoadedSettings(DEFAULTS, (text.format(path=path),))
    text = translate(
        "Settings",
        "The settings were damaged and set aside as {name}. The defaults are used; change what you "
        "need again.",
    )
    return LoadedSettings(DEFAULTS, (text.format(name=target.name),), target)


def _from_values(values: dict[str, Any]) -> LoadedSettings:
    settings = replace(
        DEFAULTS, unknown={key: value for key, value in values.items() if key not in _FIELDS}
    )
    notices = []
    for name in sorted(_FIELDS & values.keys()):
        try:
            settings = replace(settings, **{name: _typed(name, values[name])})
        except (UsageError, TypeError, ValueError, KeyError, AttributeError):
            text = translate(
                "Settings",
                "The setting {name} in the settings file was not valid and its default is used.",
            )
            notices.append(text.format(name=name))
    return LoadedSettings(settings, tuple(notices))


def _plain(value: Any) -> Any:
    """A value as JSON holds it."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, SavedFilter | RecentEntry):
        return dataclasses.asdict(value)
    return value


def _typed(name: str, value: Any) -> Any:
    """A value of the file as the field wants it; raises where it cannot be."""
    match name:
        case "shortcuts":
            return {str(action): _texts(keys) for action, keys in value.items()}
        case "window_state":
            return dict(zip(value.keys(), _texts(list(value.values())), strict=True))
        case "saved_filters":
            # One damaged filter must not take the others with it.
            filters = []
            for item in value:
                with suppress(UsageError):
                    filters.append(SavedFilter.from_json(json.dumps(item)))
            return tuple(filters)
        case "recent":
            entries = tuple(RecentEntry(**item) for item in value)
            _texts([text for item in entries for text in (item.path, item.opened)])
            return entries
        case "hints_seen" | "panel_folders":
            return _texts(value)
    return value


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        raise TypeError("a list of texts is needed")
    return tuple(values)
