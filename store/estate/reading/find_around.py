"""What an answer names besides the resource itself: its machine at that time, projects, people, networks, routers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.find_rows import Period
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.estate.reading.relation import Moment, Relation
from store.types import registry

if TYPE_CHECKING:
    import duckdb

_SERVER = ("name", "host", "user_id", "project_id", "metadata")
_MOST = 5000

Id = tuple[str, str]  # (cloud, id)


@dataclass(slots=True)
class Machine:
    """A server as it was in one version."""

    key: tuple[str, str, str]
    start: datetime
    end: datetime | None
    row: dict[str, Any]


@dataclass(slots=True)
class Around:
    """Names by (cloud, id), as they are or were last, and the versions of servers, the newest first."""

    projects: dict[Id, tuple[str | None, str | None]] = field(default_factory=dict)  # name, domain
    users: dict[Id, str] = field(default_factory=dict)
    networks: dict[Id, str] = field(default_factory=dict)
    routers: dict[Id, str] = field(default_factory=dict)
    machines: dict[Id, list[Machine]] = field(default_factory=dict)

    def machine(self, period: Period) -> Machine | None:
        """The machine of a period, as it was at its end."""
        if period.type.name == "server":
            return Machine(period.key, period.start, period.end, period.row)
        versions = self.machines.get((period.key[0], period.machine_id or ""))
        if not versions:
            return None
        if period.end is None:
            return versions[0]
        return next((version for version in versions if version.start < period.end), versions[-1])


def around(connection: duckdb.DuckDBPyConnection, periods: Iterable[Period], scope: Scope) -> Around:
    """Everything that the periods refer to, within the scope where a list of it would be."""
    periods = list(periods)
    found = Around()
    found.machines = _machines(
        connection, {_of(one, one.machine_id) for one in periods if one.type.name != "server"}, scope
    )
    people, owners = set(), set()
    for one in periods:
        machine = found.machine(one)
        rows = [one.row, *([machine.row] if machine else [])]
        people |= {_of(one, row.get("user_id")) for row in rows}
        owners |= {_of(one, row.get("project_id")) for row in rows}
    networks = {_of(one, one.row.get("network_id")) for one in periods}
    devices = {
        _of(one, one.row.get("device_id"))
        for one in periods
        if str(one.row.get("device_owner") or "").startswith("network:")
    }
    # Lists show the names of projects, people and networks to whoever may see the row that refers to them.
    found.users = {id: row[0] for id, row in _latest(connection, "user", people, ("name",), Scope()).items()}
    found.networks = {id: row[0] for id, row in _latest(connection, "network", networks, ("name",), Scope()).items()}
    found.routers = {id: row[0] for id, row in _latest(connection, "router", devices, ("name",), scope).items()}
    found.projects = _projects(connection, owners)
    return found


def _of(period: Period, id: Any) -> Id:
    return period.key[0], id if isinstance(id, str) else ""


def _projects(connection: duckdb.DuckDBPyConnection, owners: set[Id]) -> dict[Id, tuple[str | None, str | None]]:
    projects = _latest(connection, "project", owners, ("name", "domain_id"), Scope())
    domains = _latest(connection, "domain", {(id[0], row[1] or "") for id, row in projects.items()}, ("name",), Scope())
    return {id: (row[0], domains.get((id[0], row[1] or ""), (row[1],))[0]) for id, row in projects.items()}


def _latest(
    connection: duckdb.DuckDBPyConnection, type_name: str, wanted: set[Id], columns: tuple[str, ...], scope: Scope
) -> dict[Id, tuple[Any, ...]]:
    """Columns of the newest version of each, also of what is gone."""
    ids = sorted({id for _, id in wanted if id})
    if not ids:
        return {}
    relation = Relation(registry.ALL[type_name], Moment(None))
    limited, parameters = limits.condition(relation, scope)
    newest = ", ".join(f"arg_max({relation.column(name)}, t.valid_from)" for name in columns)
    sql = (
        f"SELECT t.cloud, t.id, {newest} {relation.from_clause} WHERE t.id IN ({', '.join('?' * len(ids))})"
        f" AND ({limited}) GROUP BY t.cloud, t.id"
    )
    rows = run(connection, sql, [*ids, *parameters]).fetchall()
    return {(cloud, id): tuple(values) for cloud, id, *values in rows if (cloud, id) in wanted and values[0]}


def _machines(connection: duckdb.DuckDBPyConnection, wanted: set[Id], scope: Scope) -> dict[Id, list[Machine]]:
    ids = sorted({id for _, id in wanted if id})
    if not ids:
        return {}
    relation = Relation(registry.ALL["server"], Moment(None))
    limited, parameters = limits.condition(relation, scope)
    picked = ", ".join(relation.column(name) for name in ("cloud", "region", "id", "valid_from", "valid_to", *_SERVER))
    sql = (
        f"SELECT {picked} {relation.from_clause} WHERE t.id IN ({', '.join('?' * len(ids))}) AND ({limited})"
        f" ORDER BY t.valid_from DESC LIMIT {_MOST}"
    )
    found: dict[Id, list[Machine]] = {}
    for cloud, region, id, start, end, *values in run(connection, sql, [*ids, *parameters]).fetchall():
        row = dict(zip(_SERVER, values, strict=True))
        found.setdefault((cloud, id), []).append(Machine((cloud, region, id), start, end, row))
    return found
