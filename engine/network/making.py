"""What the creates of networks and security groups have in common: whose they are, and how an interrupted one is found.

Neutron takes no id and (in most clouds) no tag with a create, so the step's token goes into the description, with the
reason and the ticket, where everybody finds them who asks later what the resource is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.gate.models import Context
from engine.gate.refusals import NotDone

Options = Mapping[str, Any]
Command = tuple[str, ...]

MOST_DESCRIPTION = 255
MARK_LENGTH = 12  # of the token's characters: 48 bits


def mark(ctx: Context) -> str:
    """What a description that we made ends with: "[qdeck 0123456789ab]"; "" while there is no token yet."""
    return f"[qdeck {ctx.token[:MARK_LENGTH]}]" if ctx.token else ""


def description(ctx: Context, options: Options) -> str:
    """The description given, then (ticket: reason) and the mark; what does not fit is cut from the middle part."""
    given, own = str(options.get("description") or ""), mark(ctx)
    why = ": ".join(part for part in (ctx.ticket, ctx.reason) if part)
    room = MOST_DESCRIPTION - len(given) - len(own) - 4
    why = f"({why[:room]})" if why and room > 0 else ""
    given = given[: MOST_DESCRIPTION - len(own) - 1]
    return " ".join(part for part in (given, why, own) if part)


def find(ctx: Context, path: str, key: str, options: Options) -> str | None:
    """The id of what an earlier attempt with this token made, or None."""
    if not ctx.token:
        return None
    query = (("description", description(ctx, options)), ("fields", "id"), ("limit", "1"))
    rows = listed(ctx, path, key, query)
    return str(rows[0]["id"]) if rows else None


def listed(ctx: Context, path: str, key: str, query: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
    """One page of a listing; raises what `ctx.get` does."""
    found = ctx.get("network", path, "", query) or {}
    return [row for row in found.get(key, ()) if isinstance(row, dict)]


def project_problem(ctx: Context, project_id: str) -> tuple[str | None, tuple[str, ...]]:
    """(why nothing can be made for the project, warnings): Neutron takes any text for a project."""
    try:
        found = ctx.get("identity", f"/projects/{project_id}")
    except NotDone:
        return None, (f"whether the project {project_id} exists could not be asked",)
    if found is None:
        return f"there is no project {project_id}", ()
    if (found.get("project") or {}).get("enabled") is False:
        return None, (f"the project {project_id} is disabled",)
    return None, ()


def same_name(ctx: Context, path: str, key: str, options: Options) -> tuple[str, ...]:
    """A warning when the project has one of that name: Neutron allows it, people mix them up."""
    query = (("name", str(options["name"])), ("project_id", str(options["project"])), ("fields", "id"), ("limit", "1"))
    rows = listed(ctx, path, key, query)
    return (f"the project has one called {options['name']} already ({rows[0]['id']})",) if rows else ()
