"""Finds routes that can never be reached because an earlier one takes their requests."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

_PARAMETER = re.compile(r"\{[^}]+\}")


def shadowed(app: FastAPI) -> list[tuple[str, str]]:
    """All pairs (earlier, later) of "METHOD path" where the later one's own path is taken by the earlier one.

    `/servers/{id}` before `/servers/bulk` is such a pair: a request for the second would answer as the first.
    """
    found = []
    for earlier, later in combinations(iter_route_contexts(app.routes), 2):
        for method in sorted((earlier.methods or set()) & (later.methods or set()) - {"HEAD"}):
            if _takes(earlier, later):
                found.append((f"{method} {earlier.path}", f"{method} {later.path}"))
    return found


def _takes(earlier: Any, later: Any) -> bool:
    """Whether `earlier` matches a path made from `later`'s own words."""
    # A word no real segment equals stands for parameters, so that two templates of one shape count as well.
    sample = _PARAMETER.sub("1f6e5c1c", later.path or "")
    return bool(earlier.path_regex.match(sample))
