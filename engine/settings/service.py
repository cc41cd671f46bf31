"""The settings in force: defaults, then what was changed in the app, then the file, which wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, delete, insert, select, update

from engine.api.errors import BadRequest, Conflict, NotFound, describe
from engine.settings import allowed
from engine.settings.loading import Loaded
from engine.settings.models import Settings
from store import times
from store.ops.ops import Ops
from store.ops.tables import session_views
from store.ops.tables import settings as table

MOST_VIEW_BYTES = 16 * 1024
_log = structlog.get_logger("qdeck.settings")


class SettingsService:
    """Settings of one engine. `current` is replaced whole at a change; `on_change` callbacks get the new one."""

    def __init__(self, ops: Ops, loaded: Loaded | None = None) -> None:
        self._ops = ops
        self._loaded = loaded or Loaded()
        self._keys = {key.name: key for key in allowed.every_key()}
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Settings], None]] = []
        with ops.read() as connection:
            self.current = self._effective(_overrides(connection))

    def on_change(self, callback: Callable[[Settings], None]) -> None:
        """Call `callback(settings)` after every change made in the app, from the thread that made it."""
        self._listeners.append(callback)

    def items(self) -> list[dict[str, Any]]:
        """Every key: value, default, source (default, app, file), locked (the file sets it), changeable, allowed."""
        with self._ops.read() as connection:
            changed = _overrides(connection)
        return [self._item(key, changed) for key in self._keys.values()]

    def item(self, name: str) -> dict[str, Any]:
        """One key, as in `items`. Raises NotFound."""
        key = self._known(name)
        with self._ops.read() as connection:
            return self._item(key, _overrides(connection))

    def change(self, name: str, value: Any, by: str, also: Callable[[Connection], Any] | None = None) -> dict[str, Any]:
        """Set a key in the app. `also` runs in the same transaction (the audit record).

        Raises NotFound for no key, Conflict when the file sets it or only the file may, BadRequest for a wrong value.
        """
        key = self._changeable(name)
        if value is None:
            raise BadRequest(f"{name} needs a value; delete the setting to go back to the default")
        with self._lock:
            with self._ops.begin() as connection:
                changed = {**_overrides(connection), name: (value, None, None)}
                try:
                    current = self._effective(changed, strict=True)
                except ValidationError as error:
                    raise BadRequest(f"{describe(error.errors())}; allowed is {key.allowed}") from error
                row = {"value": value, "updated_at": times.utcnow(), "updated_by": by}
                if not connection.execute(update(table).where(table.c.key == name).values(row)).rowcount:
                    connection.execute(insert(table).values(key=name, **row))
                if also is not None:
                    also(connection)
            self.current = current
        self._tell()
        return self.item(name)

    def reset(self, name: str, also: Callable[[Connection], Any] | None = None) -> dict[str, Any]:
        """Go back to the default. Raises as `change` does."""
        self._changeable(name)
        with self._lock:
            with self._ops.begin() as connection:
                connection.execute(delete(table).where(table.c.key == name))
                current = self._effective(_overrides(connection))
                if also is not None:
                    also(connection)
            self.current = current
        self._tell()
        return self.item(name)

    def view(self, owner: str) -> str | None:
        """The view that `owner` left, as JSON text; None when there is none."""
        with self._ops.read() as connection:
            return connection.scalar(select(session_views.c.view).where(session_views.c.owner == owner))

    def keep_view(self, owner: str, view: str) -> None:
        """Keep `owner`'s view (JSON text). Raises BadRequest over 16 KB."""
        if len(view.encode()) > MOST_VIEW_BYTES:
            raise BadRequest(f"a view may have {MOST_VIEW_BYTES} bytes")
        row = {"view": view, "updated_at": times.utcnow()}
        with self._ops.begin() as connection:
            if not connection.execute(update(session_views).where(session_views.c.owner == owner).values(row)).rowcount:
                connection.execute(insert(session_views).values(owner=owner, **row))

    def _tell(self) -> None:
        for listener in self._listeners:
            listener(self.current)

    def _known(self, name: str) -> allowed.Key:
        key = self._keys.get(name)
        if key is None:
            raise NotFound(f"{name} is not a setting")
        return key

    def _changeable(self, name: str) -> allowed.Key:
        key = self._known(name)
        if not key.in_app:
            raise Conflict(f"{name} can be set only in the configuration file qdeck.toml")
        if name in self._loaded.keys:
            raise Conflict(f"{name} is set in {self._loaded.file}, which wins; remove it there to change it here")
        return key

    def _effective(self, changed: dict[str, Any], *, strict: bool = False) -> Settings:
        """Settings of all three sources. An old override that this release does not accept is left out, and logged."""
        values: dict[str, Any] = {}
        for name, (value, _, _) in changed.items():
            if name in self._keys and self._keys[name].in_app:
                _put(values, name, value)
        _merge(values, self._loaded.values)
        try:
            return Settings.model_validate(values)
        except ValidationError as error:
            if strict:
                raise
            bad = {".".join(str(p) for p in problem["loc"]) for problem in error.errors()}
            left = {name: row for name, row in changed.items() if name not in bad}
            if len(left) == len(changed):
                raise
            _log.warning("settings changed in the app are not valid any more and are ignored", keys=sorted(bad))
            return self._effective(left)

    def _item(self, key: allowed.Key, changed: dict[str, Any]) -> dict[str, Any]:
        locked = key.name in self._loaded.keys
        override = changed.get(key.name) if key.in_app else None
        return {
            "key": key.name,
            "value": _plain(self.current.value(key.name)),
            "default": _plain(key.default),
            "source": "file" if locked else "app" if override else "default",
            "locked": locked,
            "changeable": key.in_app and not locked,
            "allowed": key.allowed,
            "description": key.description,
            "updated_at": override[1] if override and not locked else None,
            "updated_by": override[2] if override and not locked else None,
        }

    @property
    def file(self) -> str | None:
        """Path of the configuration file; None when there is none."""
        return None if self._loaded.file is None else str(self._loaded.file)


def _overrides(connection: Connection) -> dict[str, Any]:
    return {row.key: (row.value, row.updated_at, row.updated_by) for row in connection.execute(select(table))}


def _put(values: dict[str, Any], dotted: str, value: Any) -> None:
    *sections, last = dotted.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[last] = value


def _merge(values: dict[str, Any], over: Any) -> None:
    for name, value in over.items():
        if isinstance(value, dict) and isinstance(values.get(name), dict):
            _merge(values[name], value)
        else:
            values[name] = value


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return str(value) if hasattr(value, "__fspath__") else value
