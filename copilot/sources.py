"""What the copilot is given by the engine above it: the asker's rights and the facts that do not lie in the estate.

The engine passes one object for each question (`Sources`); everything in it is limited to what the asker may read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from copilot.answers import Key
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")


class NotAllowed(Exception):
    """The asker's role does not include it; the message is one clear sentence."""


class NotAvailable(Exception):
    """It could not be read just now: a cloud that does not answer, a store that is being closed. One clear sentence."""


class Sources(Protocol):
    """Everything that a question may read."""

    @property
    def scope(self) -> Scope:
        """The asker's limits and choice of clouds; added to every query of the estate."""

    def may(self, entity: str) -> bool:
        """Whether the asker may read the entity (a resource type or a room's list)."""

    def read(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run reading work on a connection of the estate, in a READ ONLY transaction. Raises NotAvailable."""

    def version(self, type: str | None = None) -> int:
        """A number that changes whenever data of the resource type changed (None: of any): names are read again."""

    def data_at(self, types: Sequence[str]) -> datetime | None:
        """When the oldest of the newest listings of these resource types began; None when one was never listed."""

    def rows(self, entity: str) -> Sequence[Mapping[str, Any]]:
        """All rows of a room's list (copilot.model.rooms), as dicts by the declared column names; times are aware.
        Raises NotAllowed, NotAvailable."""

    def quota(self, project: Key) -> Mapping[str, Any]:
        """The project's quota, asked of the cloud now: {"items": [{"cloud", "region", "service", "resource", "limit",
        "used"}]}; limit -1 or None = unlimited. Raises NotAllowed, NotAvailable."""

    def find(self, text: str, at: datetime | None = None) -> Mapping[str, Any]:
        """The app's find: {"understood", "items": [...], "more"}, items as in `GET /q/find`. Raises NotAllowed."""

    def changes(
        self, since: datetime, until: datetime | None, key: tuple[str, Key] | None
    ) -> Sequence[Mapping[str, Any]]:
        """What changed in the period, newest first, at most 1,000: {"at", "type", "key", "name", "project_name",
        "what", "kind", "actor"}; kind is "created", "changed" or "deleted"; `key`: of one resource (type, key) only.

        Raises NotAllowed."""

    def capacity(self) -> Sequence[Mapping[str, Any]]:
        """Capacity by cloud: {"cloud", "vcpus", "vcpus_used", "ram_mb", "ram_mb_used", "disk_gb", "disk_gb_used"}.

        Raises NotAllowed."""
