"""Contexts and targets for operations, without a cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.gate.models import Context, Operation, Target

Answers = Mapping[str, dict[str, Any] | Exception | None]


def context(answers: Answers | None = None, **given: Any) -> Context:
    """A context whose cloud answers by path; what it has no answer for is 404."""
    known = answers or {}

    def get(
        service: str, path: str, microversion: str = "", query: Sequence[tuple[str, str]] = ()
    ) -> dict[str, Any] | None:
        found = known.get(f"{path}?{query[0][0]}={query[0][1]}" if query else path, known.get(path))
        if isinstance(found, Exception):
            raise found
        return found

    return Context("c", "r", get, **given)


def target(type: str, id: str = "id-1", name: str = "web-3", **doc: Any) -> Target:
    """A target with this document."""
    return Target(type, ("c", "r", id), name, project_id="p-1", doc={"id": id, "name": name, **doc} if id else {})


def server(status: str = "ACTIVE", task: str | None = None, **doc: Any) -> Target:
    """A server in this state."""
    states = {"ACTIVE": "active", "SHUTOFF": "stopped", "ERROR": "error", "PAUSED": "paused", "SUSPENDED": "suspended"}
    states |= {"SHELVED_OFFLOADED": "shelved_offloaded", "BUILD": "building", "REBOOT": "active"}
    return target(
        "server", status=status, **{"OS-EXT-STS:vm_state": states[status], "OS-EXT-STS:task_state": task, **doc}
    )


def by_id(operations: Sequence[Operation], id: str) -> Operation:
    """The operation of that id."""
    return next(one for one in operations if one.id == id)
