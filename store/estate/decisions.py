"""States of listings, and a person's word on rows that are suspected to be gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from store.estate.schema import quoted
from store.times import from_micros, micros

if TYPE_CHECKING:
    import duckdb

    from store.types.declaration import ResourceType

_COLUMNS = (
    "cloud, region, type, scope, state, reason, rows, visibility, listing_id, started_at, ended_at, "
    "whole_listing_id, whole_visibility, whole_started_at, whole_ended_at, fresh_started_at, fresh_ended_at"
)
_TIMES = ("started_at", "ended_at", "whole_started_at", "whole_ended_at", "fresh_started_at", "fresh_ended_at")


def states(connection: duckdb.DuckDBPyConnection, cloud: str | None) -> list[dict[str, Any]]:
    """One dict per (cloud, region, type, scope): the columns of table `states` (times aware, UTC), `missing`
    (rows that wait for a
    decision) and `seen_by` (the visibility as a dict)."""
    where, parameters = ("WHERE s.cloud = ?", [cloud]) if cloud is not None else ("", [])
    rows = connection.execute(
        f"""SELECT {", ".join(f"s.{name}" for name in _COLUMNS.split(", "))}, coalesce(m.missing, 0),
               v.endpoint, v.user_id, v.token_scope, v.roles, v.all_projects
        FROM states s
        LEFT JOIN (SELECT cloud, region, type, scope, count(*) AS missing FROM missing WHERE NOT kept GROUP BY ALL) m
          USING (cloud, region, type, scope)
        LEFT JOIN visibilities v ON v.id = s.visibility
        {where} ORDER BY s.cloud, s.region, s.type, s.scope""",
        parameters,
    ).fetchall()
    names = _COLUMNS.split(", ")
    answer = []
    for row in rows:
        state = dict(zip(names, row, strict=False))
        for name in _TIMES:
            state[name] = from_micros(micros(state[name])) if state[name] is not None else None
        endpoint, user, scope, roles, all_projects = row[len(names) + 1 :]
        state["missing"] = row[len(names)]
        state["seen_by"] = {
            "endpoint": endpoint,
            "user_id": user,
            "scope": scope,
            "roles": list(roles or ()),
            "all_projects": all_projects,
        }
        answer.append(state)
    return answer


def in_force(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """States that still say something: what single projects' lists said before a whole one of all does not."""
    key = ("cloud", "region", "type")
    whole = {
        tuple(state[name] for name in key): state["whole_started_at"]
        for state in found
        if state["scope"] == "all" and state["whole_started_at"] is not None
    }
    return [
        state
        for state in found
        if state["scope"] == "all"
        or (since := whole.get(tuple(state[name] for name in key))) is None
        or state["started_at"] > since
    ]


def decide(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, cloud: str, region: str, accept: bool
) -> dict[str, Any]:
    """Accept (they are gone) or reject (they still exist) the missing rows of a type; {"rows": n, "closed": n,
    "state": ...}.

    Raises KeyError when no row of the type waits for a decision.
    """
    key = [cloud, region, type.name]
    where = "cloud = ? AND region = ? AND type = ?"
    pending = "" if accept else " AND NOT kept"
    waiting = connection.execute(f"SELECT count(*) FROM missing WHERE {where}{pending}", key).fetchall()[0][0]
    if not waiting:
        raise KeyError(f"no {type.plural} of {cloud}{f' ({region})' if region else ''} wait for a decision")
    if not accept:
        connection.execute(f"UPDATE missing SET kept = true WHERE {where}", key)
        reason = f"{waiting} rows are no longer listed and were kept by a person's decision."
        connection.execute(
            f"UPDATE states SET state = 'degraded', reason = ? WHERE {where} AND state IN ('suspect', 'degraded')",
            [reason, *key],
        )
        return {"rows": waiting, "closed": 0, "state": "degraded"}
    # They were gone when the last whole listing did not show them, not when somebody found the time to say so.
    closed = connection.execute(
        f"""UPDATE {quoted(type.table)} AS v SET valid_to = greatest(m.gone, v.valid_from + INTERVAL 1 MICROSECOND)
        FROM (SELECT id, max(s.whole_started_at) AS gone FROM missing JOIN states s USING (cloud, region, type, scope)
              WHERE cloud = ? AND region = ? AND type = ? GROUP BY id) m
        WHERE v.id = m.id AND v.cloud = ? AND v.region = ? AND v.valid_to IS NULL""",
        [*key, cloud, region],
    ).fetchall()[0][0]
    connection.execute(f"DELETE FROM missing WHERE {where}", key)
    connection.execute(
        f"UPDATE states SET state = 'ok', reason = '' WHERE {where} AND state IN ('suspect', 'degraded')", key
    )
    return {"rows": waiting, "closed": closed, "state": "ok"}
