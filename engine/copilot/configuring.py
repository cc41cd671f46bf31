"""The documented configuration of the copilot: a view on the settings `copilot.*`, which decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from engine.access.models import Caller
from engine.api.errors import BadRequest, Conflict, describe
from engine.copilot import asking_models
from engine.copilot.models import Config, ConfigChange, Connection
from engine.settings.copilot_section import Copilot, is_loopback

if TYPE_CHECKING:
    from sqlalchemy import Connection as Transaction

    from engine.audit.service import AuditService
    from engine.settings.service import SettingsService

Item = dict[str, Any]
_KEYS = ("openai_api_key", "anthropic_api_key")


class Configuring:
    """See the module. Blocks; safe on any thread."""

    def __init__(self, settings: SettingsService, audit: AuditService) -> None:
        self._settings, self._audit = settings, audit

    def config(self) -> Item:
        """A Config."""
        current = self._settings.current.copilot
        return {name: getattr(current, name) for name in Config.model_fields}

    def change(self, caller: Caller, change: ConfigChange) -> Item:
        """Change what is given, all or nothing; a Config. Raises BadRequest, Conflict for what only the file sets."""
        given = change.model_dump(exclude_unset=True, exclude_none=True)
        for name in _KEYS:
            if name in given:
                _refuse_key(name, given[name])
        current = self._settings.current.copilot
        changed = {name: value for name, value in given.items() if value != getattr(current, name)}
        for name in changed:
            item = self._settings.item(f"copilot.{name}")
            if not item["changeable"]:
                raise Conflict(
                    f"copilot.{name} can be changed only in the configuration file qdeck.toml"
                    + (", which sets it" if item["locked"] else "")
                )
        self._check(current, changed)
        for name, value in changed.items():
            self._one(caller, name, value, getattr(current, name))
        return self.config()

    def tried(self, wanted: Connection) -> Item:
        """A Tested: the configuration with what is given instead. Raises BadRequest for a value that is none."""
        given = wanted.model_dump(exclude_unset=True, exclude_none=True)
        return asking_models.tried(_with(self._settings.current.copilot, given))

    def _check(self, current: Copilot, changed: Item) -> None:
        new = _with(current, changed)
        if changed.get("redact_sensitive") is False and not new.local:
            raise BadRequest(
                f"Invalid parameter: redact_sensitive: {new.address} is another machine, and what leaves this one is "
                "always redacted"
            )
        if "ollama_url" in changed and not new.redact_sensitive and not is_loopback(new.ollama_url):
            raise BadRequest(
                "Invalid parameter: ollama_url: it is another machine; set redact_sensitive to true with it"
            )

    def _one(self, caller: Caller, name: str, value: Any, before: Any) -> None:
        def also(connection: Transaction) -> None:
            detail = {"before": before, "after": value}
            self._audit.record(caller, "settings.change", f"copilot.{name}", detail, connection=connection)

        self._settings.change(f"copilot.{name}", value, caller.name, also)


def _with(current: Copilot, changed: Item) -> Copilot:
    """The settings with these values. Raises BadRequest."""
    try:
        return Copilot.model_validate({**current.model_dump(), **changed})
    except ValidationError as error:
        raise BadRequest(describe(error.errors())) from error


def _refuse_key(name: str, value: str) -> None:
    """Keys are neither sent over the API nor kept in a database."""
    how = f'write {name} = "env:NAME" or "file:/path" (mode 0600) under [copilot] in qdeck.toml'
    if value.startswith(("env:", "file:")):
        raise Conflict(f"where a key lies can be said only in the configuration file: {how}")
    raise BadRequest(f"Invalid parameter: {name}: keys are never sent or stored here: {how}, and restart the engine")
