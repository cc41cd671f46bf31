"""From the body of a request about a list to the window that the store reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.access.models import Caller
from engine.inventory.models import RankAnchor, WindowBody
from engine.inventory.reads import find_type, moment, scope_of
from store.estate.reading.models import Window


def window_of(body: WindowBody, caller: Caller, now: datetime) -> Window:
    """The list as the caller may see it. Raises BadRequest."""
    anchor: Any = body.anchor
    if not isinstance(anchor, str):
        anchor = anchor.rank if isinstance(anchor, RankAnchor) else tuple(anchor.key)
    return Window(
        type=find_type(body.type).name,
        columns=None if body.columns is None else tuple(body.columns),
        at=moment(body.at, now),
        filter=body.filter,
        sort=tuple(body.sort),
        anchor=anchor,
        before=body.before,
        after=body.after,
        scope=scope_of(caller, body.clouds, body.regions, body.projects),
    )
