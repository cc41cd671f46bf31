"""What the cloud itself tells of one resource: Nova's actions and fault of a server, Cinder's messages of volumes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

from engine.clouds.errors import CloudError
from engine.inventory.events_cloud import CloudLines, Line, side_by_side
from engine.inventory.events_rules import items, text
from store.types import registry

MOST_ACTIONS = 200
MOST_DETAILED = 24  # actions whose steps are read: one call each
MOST_DISKS = 8  # volumes of a server whose messages are read: one call each
MOST_MESSAGES = 100
WITH_MESSAGES = ("volume", "snapshot", "backup")
_NOVA = registry.ALL["server"].listing.microversion
_CINDER = registry.ALL["cinder_message"].listing.microversion
_PAGED = (2, 58)  # from here on the list of actions knows `limit`
_MARGIN = 0.2  # seconds before the end at which what is there is taken


@dataclass(frozen=True, slots=True)
class Asked:
    """Which resource is asked about. `project` may be "" when it is not known."""

    type: str
    cloud: str
    region: str
    id: str
    project: str = ""
    volumes: tuple[str, ...] = ()


@dataclass(slots=True)
class Told:
    """What came of it: documents, and sentences about what did not come."""

    actions: list[tuple[dict[str, Any], list[dict[str, Any]]]] = field(default_factory=list)
    fault: Any = None
    messages: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def jobs(lines: CloudLines, asked: Asked, seconds: float) -> dict[str, Callable[[], Told]]:
    """What to ask, by a name for sentences: empty for types of which no cloud tells more than lists do."""
    deadline = time.monotonic() + seconds - _MARGIN
    found: dict[str, Callable[[], Told]] = {}
    if asked.type == "server":
        found["instance actions"] = partial(_actions, lines, asked, deadline)
        found["the server's fault"] = partial(_fault, lines, asked, deadline)
    if asked.type in WITH_MESSAGES or asked.volumes:
        found["volume messages"] = partial(_messages, lines, asked, deadline)
    return found


def _left(deadline: float) -> float:
    return max(0.1, deadline - time.monotonic())


def _line(lines: CloudLines, asked: Asked, service: str, deadline: float) -> Line:
    return lines.line(asked.cloud, asked.region, service, asked.project, _left(deadline))


def _actions(lines: CloudLines, asked: Asked, deadline: float) -> Told:
    line = _line(lines, asked, "compute", deadline)
    path = f"/servers/{quote(asked.id, safe='')}/os-instance-actions"
    told = Told()
    try:
        found = items(
            line.get(path, [("limit", str(MOST_ACTIONS))] if _paged(line) else [], _NOVA).get("instanceActions")
        )
    except CloudError as error:
        if error.kind != "not_found":
            raise
        told.remarks.append("Nova has no actions of this server any more: it was deleted and its records were archived")
        return told
    found = found[:MOST_ACTIONS]
    if len(found) == MOST_ACTIONS:
        told.remarks.append(f"only the newest {MOST_ACTIONS} instance actions were read")
    wanted = [text(action.get("request_id"), 255) for action in found]
    # What failed is worth a call also when it is old.
    failed = [request for request, action in zip(wanted, found, strict=True) if action.get("message")]
    chosen = list(dict.fromkeys(request for request in (*wanted[: MOST_DETAILED - 4], *failed) if request))
    chosen = chosen[:MOST_DETAILED]
    steps = _steps(line, path, chosen, deadline, told)
    told.actions = [(action, steps.get(request, [])) for request, action in zip(wanted, found, strict=True)]
    if len(set(wanted)) > len(chosen):
        told.remarks.append(f"steps were read of the newest {len(chosen)} instance actions")
    return told


def _paged(line: Line) -> bool:
    from engine.clouds.session import number

    return number(line.top) >= _PAGED


def _steps(
    line: Line, path: str, requests: Sequence[str], deadline: float, told: Told
) -> dict[str, list[dict[str, Any]]]:
    work = {request: partial(line.get, f"{path}/{quote(request, safe='')}", None, _NOVA) for request in requests}
    answers = side_by_side(work, _left(deadline))
    found: dict[str, list[dict[str, Any]]] = {}
    missing = []
    for request, answer in answers.items():
        if isinstance(answer, CloudError):
            missing.append(answer)
            continue
        action = answer.get("instanceAction")
        found[request] = items(action.get("events")) if isinstance(action, dict) else []
    if missing:
        told.problems.append(f"steps of {len(missing)} instance actions are missing: {missing[0]}")
    return found


def _fault(lines: CloudLines, asked: Asked, deadline: float) -> Told:
    line = _line(lines, asked, "compute", deadline)
    try:
        server = line.get(f"/servers/{quote(asked.id, safe='')}", None, _NOVA).get("server")
    except CloudError as error:
        if error.kind != "not_found":
            raise
        return Told()  # gone: what was stored of its fault is told instead
    return Told(fault=server.get("fault") if isinstance(server, dict) else None)


def _messages(lines: CloudLines, asked: Asked, deadline: float) -> Told:
    line = _line(lines, asked, "block-storage", deadline)
    told = Told()
    ids = [asked.id] if asked.type in WITH_MESSAGES else list(asked.volumes[:MOST_DISKS])
    if len(asked.volumes) > MOST_DISKS and asked.type not in WITH_MESSAGES:
        told.remarks.append(f"messages were read of {MOST_DISKS} of the {len(asked.volumes)} volumes")

    def read(id: str) -> list[dict[str, Any]]:
        query = [("resource_uuid", id), ("limit", str(MOST_MESSAGES))]
        return items(line.get("/messages", query, _CINDER).get("messages"))

    for answer in side_by_side({id: partial(read, id) for id in ids}, _left(deadline)).values():
        if isinstance(answer, CloudError):
            told.problems.append(f"volume messages are missing: {answer}")
        else:
            told.messages += answer
    told.problems = list(dict.fromkeys(told.problems))
    return told
