"""Whether all of Nova's cells answer: the servers of one that does not are left out of every paged list, in silence.

Nova names them (bare rows, status UNKNOWN) only in a list asked for without limit, marker, sort or filter. Such a
list ends at the service's own maximum, so an administrator asks for the compute services instead: those of a cell that
does not answer are UNKNOWN too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from engine.clouds.errors import CloudError
from engine.clouds.session import microversion_header, number
from engine.inventory.collector.readers import one
from engine.inventory.pages import BadPage, Degraded, address

if TYPE_CHECKING:
    from engine.clouds.session import Answer
    from engine.inventory.collector.calls import Caller
    from engine.inventory.collector.tasks import Task

_TOLD_FROM = (2, 69)
_REFUSED = (403, 404)
_ASKED = 10  # vanished servers looked at one by one where no list tells

Doc = dict[str, Any]


def is_bare(type: str, row: Doc) -> bool:
    """Whether a row stands for something in a cell that does not answer, and says nothing about it."""
    if row.get("status") != "UNKNOWN":
        return False
    # Nova also has a status UNKNOWN of servers that it does know; compute services are enabled or disabled.
    return (type == "server" and "flavor" not in row) or type == "compute_service"


def cell_down(what: str, count: int = 0) -> Degraded:
    """The sentence about a cell that does not answer. `what`: servers, compute services; `count` 0 = not known."""
    number = f"{count} " if count else ""
    return Degraded(
        f"a cell of the compute service does not answer; {number}{what} of it may be missing from the list, their last "
        "known state is kept and nothing was deleted. Have the cell's database and message queue looked at"
    )


def check_cells(caller: Caller, task: Task, vanished: Callable[[], Sequence[str]]) -> None:
    """Raise Degraded when a cell does not answer, so that its servers are missing from the list of `task`.

    One light call. Where not even that tells (a project with more servers than one answer holds), some of the
    `vanished` servers are asked for one by one. Nothing can be told about a Nova that does not know microversion 2.69.
    Raises CloudError, BadPage, Cancelled too.
    """
    if not task.microversion or number(task.microversion) < _TOLD_FROM:
        return
    if task.all_projects:
        try:
            services, _ = _list(caller, task, "/os-services", "services", [])
        except CloudError as error:
            if error.status not in _REFUSED:
                raise
        else:
            if any(row.get("status") == "UNKNOWN" for row in services):
                raise cell_down("servers")
            return
    # Without details a server has no status, unless its cell does not answer.
    servers, more = _list(caller, task, "/servers", "servers", [("all_tenants", "1")] if task.all_projects else [])
    if down := sum(1 for row in servers if row.get("status") == "UNKNOWN"):
        raise cell_down("servers", down)
    if more:
        for id in _sample(vanished()):
            document = one(caller, task, id)
            if document is not None and is_bare("server", document):
                raise cell_down("servers")


def _sample(ids: Sequence[str]) -> Sequence[str]:
    """Some of the ids, from all over the list."""
    return ids[:: max(1, len(ids) // _ASKED)][:_ASKED]


def _list(caller: Caller, task: Task, path: str, key: str, query: list[tuple[str, str]]) -> tuple[list[Doc], bool]:
    """Rows of one answer, and whether there are more than it holds."""
    import orjson

    def read(answer: Answer) -> tuple[list[Doc], bool]:
        try:
            body = orjson.loads(answer.body)
            rows = [row for row in body[key] if isinstance(row, dict)]
        except (ValueError, KeyError, TypeError):
            raise BadPage(f"the answer has no list {key!r}") from None
        return rows, bool(body.get(f"{key}_links"))

    headers = microversion_header(task.type.listing.service, task.microversion)
    return caller.get(address(task.endpoint.url, path, query), headers, f"whether all cells answer ({key})", read)
