"""What a caller whose role is limited sees of policies, and may change. Pure, but for reading his projects once.

Policies themselves hold everywhere: everybody sees them, only callers without limits change them. Everything else
belongs to clouds, tenants and volumes; who is limited to some of these changes what touches nothing beyond them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.api.errors import Forbidden
from engine.inventory.reads import scope_of
from engine.snapshots.models import Key
from store.estate.reading import snapshot_volumes

if TYPE_CHECKING:
    from engine.inventory.reads import InventoryReads

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """The part that a caller may see. `projects`: (cloud, project id) -> name; None: of all projects."""

    clouds: tuple[str, ...] | None
    projects: Mapping[tuple[str, str], str] | None

    @property
    def everything(self) -> bool:
        return self.clouds is None and self.projects is None

    def sees(self, row: Row) -> bool:
        """Whether a set or exclusion (that names no volume) may touch this part: its cloud and its tenant lie in it, or
        it names none."""
        if not self._cloud(row["cloud"], unnamed=True):
            return False
        return self.projects is None or self._tenant(row, unnamed=True)

    def may_change(self, row: Row) -> bool:
        """Whether it touches nothing beyond this part."""
        if not self._cloud(row["cloud"], unnamed=False):
            return False
        return self.projects is None or (bool(row["tenant_id"]) and self._tenant(row, unnamed=False))

    def _cloud(self, cloud: str, *, unnamed: bool) -> bool:
        return self.clouds is None or (cloud in self.clouds if cloud else unnamed)

    def _tenant(self, row: Row, *, unnamed: bool) -> bool:
        id, name = row["tenant_id"], row["tenant_name"] or row["match"].get("tenant_name", "")
        assert self.projects is not None
        mine = [(project, called) for (cloud, project), called in self.projects.items() if row["cloud"] in ("", cloud)]
        if id:
            return any(project == id for project, _ in mine)
        if name:
            return any(called.casefold() == name.casefold() for _, called in mine)
        return unnamed


def part_of(reads: InventoryReads, caller: Caller) -> Part:
    """The caller's part."""
    if caller.projects is None and caller.domains is None:
        return Part(caller.clouds, None)
    rows = reads.read(lambda connection: snapshot_volumes.projects(connection, scope_of(caller)))
    return Part(caller.clouds, {(cloud, id): name or "" for cloud, id, name in rows})


def within(reads: InventoryReads, caller: Caller, keys: list[Key]) -> set[Key]:
    """Those of the volumes that the caller may see."""
    if not caller.limited:
        return set(keys)
    found = reads.read(lambda connection: snapshot_volumes.read(connection, scope_of(caller), keys))
    return {row[:3] for row in found}


def check_unlimited(caller: Caller, what: str) -> None:
    """Raise Forbidden for a role that is limited to a part; `what` holds beyond it."""
    if caller.limited:
        raise Forbidden(
            f"Permission denied: {what}, and your role is limited to clouds, domains or projects; name one of yours"
        )
