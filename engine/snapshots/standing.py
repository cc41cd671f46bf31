"""Clouds where policy runs may work although they are read-only: the standing permission, given and taken by people.

A cloud is read-only until somebody lifts that for a time. Policies run at night, when nobody does; so an administrator
allows them, once and for good, and nothing but what they need: the gate lets the calls of engine/gate/rules.py
(STANDING) through for jobs of policy runs, and this says on which clouds, and looks at what is written to volumes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select

from engine.access.models import ENGINE, Caller
from engine.api.errors import Forbidden
from engine.gate import rules
from engine.gate.models import Call
from engine.gate.refusals import Refused
from engine.snapshots import making
from store import times
from store.ops.grant_tables import snapshot_clouds as table

if TYPE_CHECKING:
    from engine.audit.service import AuditService
    from engine.gate.windows import WriteWindows
    from store.ops.ops import Ops

STANDING = "snapshots"


class PolicyClouds:
    """See the module. Thread-safe."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        windows: WriteWindows,
        names: Callable[[], Iterable[str]],
        changed: Callable[[str], object] = lambda cloud: None,
        clock: Callable[[], datetime] = times.utcnow,
    ) -> None:
        """`names()`: all clouds; `changed(cloud)` is told after every change."""
        self._ops, self._audit, self._windows, self._names = ops, audit, windows, names
        self._changed, self._clock = changed, clock
        windows.stand(STANDING, self.problem)

    def enabled(self, cloud: str) -> bool:
        """Whether policy runs may work there at any time: people said so, or it has no read-only mode (the demo)."""
        if self.always(cloud):
            return True
        with self._ops.read() as connection:
            return connection.scalar(select(table.c.cloud).where(table.c.cloud == cloud)) is not None

    def problem(self, call: Call) -> str | None:
        """Why a call of a policy run may not be sent to a cloud that is read-only; None when it may."""
        if not self.enabled(call.cloud):
            return (
                f"{call.cloud} is not enabled for policy runs, and read-only: an administrator enables it with "
                f"`qdeck snapshot enable {call.cloud}`"
            )
        written = (call.body or {}).get("metadata") if call.path.endswith("/metadata") else None
        foreign = [key for key in written or () if not making.is_ours(key)]
        taken = call.path.partition("/metadata/")[2]
        if foreign or (taken and not making.is_ours(taken)):
            return f"{call.cloud} is read-only: policy runs write no other metadata than that of policies"
        return None

    def page(self, caller: Caller) -> list[dict[str, Any]]:
        """The clouds that the caller may see, as GET /q/snapshot/clouds answers them."""
        with self._ops.read() as connection:
            rows = {row["cloud"]: row for row in connection.execute(select(table)).mappings()}
        names = [name for name in self._names() if caller.clouds is None or name in caller.clouds]
        return [self._item(name, rows.get(name)) for name in names]

    def item(self, caller: Caller, cloud: str) -> dict[str, Any]:
        """One of them. Raises Refused("unknown")."""
        found = next((item for item in self.page(caller) if item["cloud"] == cloud), None)
        if found is None:
            raise Refused("unknown", f"there is no cloud {cloud!r:.80} here")
        return found

    def enable(self, caller: Caller, cloud: str, reason: str, typed: str = "") -> dict[str, Any]:
        """Let policy runs work there until it is disabled. Raises Refused, Forbidden; harmless when it is so."""
        self._mine(caller, cloud)
        if self._windows.rules(cloud).production and not rules.same_phrase(typed, cloud):
            raise Refused("typed", f"{cloud} is a production cloud: type its name to enable policy runs", typed=cloud)
        if not reason.strip():
            raise Refused("reason", f"say why policy runs may change {cloud} while it is read-only")
        if not self.enabled(cloud):
            row = {"enabled_at": self._clock(), "enabled_by": caller.name[:255], "reason": reason.strip()}
            with self._ops.begin() as connection:
                connection.execute(delete(table).where(table.c.cloud == cloud))
                connection.execute(insert(table).values(cloud=cloud, **row))
                self._audit.record(
                    caller, "snapshot.enable", cloud, {"cloud": cloud, "reason": reason}, connection=connection
                )
            self._changed(cloud)
        return self.item(caller, cloud)

    def disable(self, caller: Caller, cloud: str, reason: str = "") -> dict[str, Any]:
        """No policy run changes it any more while it is read-only, a running one neither. Harmless when it is so.

        Raises Refused, also for a demo, Forbidden.
        """
        self._mine(caller, cloud)
        if self.always(cloud):
            raise Refused(
                "refused", f"{cloud} has no read-only mode: what policies do there is stopped by disabling them"
            )
        self._end(caller, cloud, reason)
        return self.item(caller, cloud)

    def forget(self, cloud: str) -> None:
        """The cloud is no longer watched: one of that name that is added later was allowed nothing."""
        self._end(ENGINE, cloud, "the cloud is no longer watched")

    def _end(self, caller: Caller, cloud: str, reason: str) -> None:
        def act(connection: Connection) -> int:
            found = connection.execute(delete(table).where(table.c.cloud == cloud)).rowcount
            if found:
                detail = {"cloud": cloud, "reason": reason}
                self._audit.record(caller, "snapshot.disable", cloud, detail, connection=connection)
            return found

        if self._ops.finish(act):
            self._changed(cloud)

    def _mine(self, caller: Caller, cloud: str) -> None:
        self.item(caller, cloud)
        if caller.projects is not None or caller.domains is not None:
            raise Forbidden("Permission denied: this is about all projects of a cloud, and your role is not")

    def always(self, cloud: str) -> bool:
        """Whether it has no read-only mode, as the demo."""
        return self._windows.state(cloud) == (True, None)

    def _item(self, cloud: str, row: Any) -> dict[str, Any]:
        always = self.always(cloud)
        return {
            "cloud": cloud,
            "enabled": always or row is not None,
            "demo": always,
            "production": self._windows.rules(cloud).production,
            "enabled_by": None if row is None else row["enabled_by"],
            "enabled_at": None if row is None else row["enabled_at"],
            "reason": None if row is None else row["reason"],
        }
