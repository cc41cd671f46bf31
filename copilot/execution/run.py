"""Running a query: on the estate, or on a list that a room of the engine hands over."""

from __future__ import annotations

from datetime import datetime

from copilot.execution import estate, lists
from copilot.execution.level import Model
from copilot.execution.result import QueryError, Result
from copilot.model import registry
from copilot.query import Query
from copilot.sources import Sources


def run(query: Query, sources: Sources, now: datetime, model: Model = registry.entity) -> Result:
    """Rows or a number, within the asker's scope.

    Raises QueryError for what the model does not have, NotAllowed, and NotAvailable.
    """
    try:
        entity = model(query.entity)
    except KeyError:
        raise QueryError(f"nothing is known of {query.entity[:60]!r}") from None
    at = query.at if query.at is not None and query.at < now else None
    if entity.type is None:
        return lists.run(query, entity, sources, model, at)
    return estate.run(query, entity, sources, model, at)
