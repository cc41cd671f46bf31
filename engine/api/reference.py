"""Makes docs/api.md from a composed application: every route with its permission and parameters."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

_HEAD = """# The API

<!-- Generated from the routes themselves; a test keeps it current. -->

Every route states a permission, `resource:level`; docs/permissions.md says which role holds it. `public` needs nothing,
`authenticated` any known caller. Errors are `{"detail": "..."}`. Paths under `/q/` carry the header `X-Qdeck-Protocol`.

"""


def permission_of(route: Any) -> str | None:
    """The permission a route states, on its endpoint or on any of its dependencies; None when it states none."""
    if (stated := getattr(route.endpoint, "permission", None)) is not None:
        return stated
    waiting = [getattr(route, "dependant", None)]
    while waiting:
        dependant = waiting.pop()
        if dependant is None:
            continue
        if (stated := getattr(dependant.call, "permission", None)) is not None:
            return stated
        waiting.extend(dependant.dependencies)
    return None


def markdown(app: FastAPI) -> str:
    """The whole page, grouped by the routes' first tag."""
    groups: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for route in iter_route_contexts(app.routes):
        tags = getattr(route, "tags", None) or ["other"]
        words = (getattr(route, "description", "") or "").strip().split("\n\n")[0].replace("\n", " ")
        words = words or f"{(route.name or '').replace('_', ' ').capitalize()}."
        parameters = ", ".join(f"`{name}`" for name in query_parameters(route))
        for method in sorted((route.methods or set()) - {"HEAD"}):
            row = f"| {method} | `{route.path}` | {permission_of(route) or ''} | {parameters} | {words} |"
            groups[str(tags[0])].append((route.path or "", method, row))
    parts = [_HEAD]
    for name in sorted(groups):
        parts.append(f"## {name[:1].upper()}{name[1:]}\n\n")
        parts.append("| method | path | permission | query | what it does |\n|---|---|---|---|---|\n")
        parts.append("\n".join(row for _, _, row in sorted(groups[name])) + "\n\n")
    return "".join(parts).rstrip("\n") + "\n"


def query_parameters(route: Any) -> list[str]:
    """Names of a route's query parameters, those of its dependencies included, in order."""
    found: dict[str, None] = {}

    def gather(dependant: Any) -> None:
        for parameter in dependant.query_params:
            found[parameter.alias] = None
        for inner in dependant.dependencies:
            gather(inner)

    if getattr(route, "dependant", None) is not None:
        gather(route.dependant)
    return list(found)
