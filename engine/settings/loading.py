"""Reads the one TOML file that people write. Every error names the file, the line, the key and what is allowed."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.settings import allowed, positions
from engine.settings.models import Settings

FILE_NAME = "qdeck.toml"
_MOST_BYTES = 1024 * 1024


class SettingsError(Exception):
    """The configuration cannot be used: one line per fault, each naming file, line, key and what is allowed."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the file says. `file` is None when there is none; `keys` are the dotted keys that it sets."""

    settings: Settings = field(default_factory=Settings)
    file: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()


def find(home: Path, env: Mapping[str, str] | None = None, *, only_home: bool = False) -> Path | None:
    """The configuration file: `qdeck.toml` in the engine's home, else in `$XDG_CONFIG_HOME/qdeck`; None when neither.

    only_home: don't look beyond the home (a demo must not become a shared engine by the real one's settings).
    """
    env = os.environ if env is None else env
    places = [home]
    if not only_home:
        config = env.get("XDG_CONFIG_HOME") or (Path(env["HOME"]) / ".config" if env.get("HOME") else None)
        places += [Path(config) / "qdeck"] if config else []
    return next((place / FILE_NAME for place in places if (place / FILE_NAME).exists()), None)


def load(file: Path | None) -> Loaded:
    """Read and check `file`; all defaults when it is None. Raises SettingsError."""
    if file is None:
        return Loaded()
    text = _read(file)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(_syntax(file, text, error)) from error
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        where = positions.lines(text)
        raise SettingsError("\n".join(_fault(file, where, problem) for problem in error.errors())) from error
    return Loaded(settings, file, values, frozenset(_set_keys(values)))


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise SettingsError(f"{file}: is larger than 1 MB, so it is no configuration of qdeck")
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: is not UTF-8 text (byte {error.start + 1}); save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error


def _syntax(file: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    message = str(error)
    found = re.search(r"\(at line (\d+), column (\d+)\)", message)
    number = int(found.group(1)) if found else len(text.splitlines()) or 1
    words = re.sub(r" \(at (line|end).*\)$", "", message)
    return f"{file}, line {number}: is not valid TOML: {words[:1].lower()}{words[1:]}; texts need quotes"


def _fault(file: Path, where: dict[positions.Path, int], problem: Any) -> str:
    path = tuple(str(p) for p in problem["loc"])
    field_path = path
    while field_path and allowed.field_at(field_path) is None and allowed.section_at(field_path) is None:
        if problem["type"] == "extra_forbidden" and field_path == path:
            break
        field_path = field_path[:-1]
    line = positions.line_of(where, path)
    start = f"{file}, line {line}" if line else str(file)
    key = ".".join(path)
    if problem["type"] == "extra_forbidden":
        return f"{start}: {key} is not a setting; {_nearest(path)}"
    if problem["type"] == "missing":
        return f"{start}: {key} is missing; allowed is {_allowed(path)}"
    given = problem.get("input")
    if problem["type"] == "value_error":
        # A rule of our own: its words say what is allowed.
        words = str(problem["msg"]).removeprefix("Value error, ")
        return f"{start}: {key} {words}"
    return f"{start}: {key} is {_shown(given)}; allowed is {_allowed(field_path)}"


def _allowed(path: tuple[str, ...]) -> str:
    found = allowed.field_at(path)
    if found is not None and allowed.section_at(path) is None:
        return allowed.words(found)
    return f"a table, written [{'.'.join(path)}]"


def _nearest(path: tuple[str, ...]) -> str:
    section = allowed.section_at(path[:-1])
    names = sorted(section.model_fields) if section else []
    near = difflib.get_close_matches(path[-1], names, 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"allowed here: {', '.join(names)}" if names else "remove it"


def _shown(value: Any) -> str:
    text = "a table" if isinstance(value, dict) else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _set_keys(values: Mapping[str, Any]) -> set[str]:
    """Dotted keys that the file sets; a table by name (`access.users`) counts whole."""
    known = {key.name for key in allowed.every_key()}
    found: set[str] = set()
    waiting: list[tuple[str, Any]] = list(values.items())
    while waiting:
        name, value = waiting.pop()
        if name in known:
            found.add(name)
        elif isinstance(value, Mapping):
            waiting += [(f"{name}.{inner}", content) for inner, content in value.items()]
    return found
