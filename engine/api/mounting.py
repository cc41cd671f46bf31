"""Putting a room's routes into the application, without making each of them anew.

FastAPI's own `include_router` rebuilds every route at every level of nesting: 0.3 s of CPU for this API, as much as all
the rest of a worker's start. No router here has a prefix or dependencies to hand down, so routes are taken as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute


def mount(into: FastAPI | APIRouter, router: APIRouter, tags: Sequence[str | Enum] = ()) -> None:
    """Add the routes of `router` to `into`; routes without tags of their own get `tags`, else the router's."""
    given = list(tags) or list(router.tags)
    for route in router.routes:
        if isinstance(route, APIRoute) and not route.tags:
            route.tags = list(given)
    into.routes.extend(router.routes)


def first(app: FastAPI, paths: Sequence[str]) -> None:
    """Have requests for these paths looked for before all others: routes are tried one after the other, and with two
    hundred of them that costs as much as the answer.

    Raises ValueError for a path with parameters, which might take requests that are another route's, or that is none.
    """
    found = {getattr(route, "path", "") for route in app.routes}
    for path in paths:
        if "{" in path or path not in found:
            raise ValueError(f"{path} can't be looked for first")
    places = {path: place for place, path in enumerate(paths)}
    app.router.routes.sort(key=lambda route: places.get(getattr(route, "path", ""), len(places)))
