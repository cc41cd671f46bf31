"""A request to a cloud's service, as what it changes: from method, path and, where it is known, body. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.drift import causes

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{0,254}")
_VERSION = re.compile(r"^v\d+(\.\d+)?$")
_PROJECT = re.compile(r"^[0-9a-f]{32}$")
_STATES = frozenset({"status", "vm_state"})


@dataclass(frozen=True, slots=True)
class Request:
    """What a request changes.

    type, id  the resource that it names
    verb      "update", "delete", "create", or "action" of a server (`nova`: what Nova calls it, "" = not recorded)
    fields    of drift that it sets; None = not known, for lack of a body
    values    field -> what it was set to
    part      (type, id) of what belongs to the server and is meant: a volume that is attached, a port
    slow      the change may be seen later than the request
    """

    type: str
    id: str
    verb: str
    nova: str = ""
    fields: frozenset[str] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    part: tuple[str, str] | None = None
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A request that was made: when, by whom (None: no name), and which record tells it.

    job      id of our own job, step its number; `ours`: this console sent it
    project  that the sender acted in; `service`: one of the cloud's services
    """

    cloud: str
    at: datetime
    request: Request
    actor: str | None = None
    request_ids: tuple[str, ...] = ()
    source: str = ""
    ours: bool = False
    service: bool = False
    job: str = ""
    step: int = 0
    project: str = ""


def parse(service: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Request | None:
    """The request; None for one that changes nothing of what drift looks at (or makes something new).

    service  as the catalogue calls it ("compute", "network", "block-storage", "image"), "" where a path must say it
    path     below the service's endpoint, or all of it: what stands before the collection is left out
    """
    parts = [part for part in path.split("?")[0].split("/") if part]
    place = _place(service, parts)
    if place is None or method not in ("POST", "PUT", "PATCH", "DELETE"):
        return None
    type, rest = place
    if not rest or not _ID.fullmatch(rest[0]):
        return None
    id, tail = rest[0], rest[1:]
    if type == "server" and tail:
        return _of_server(id, method, tail, body)
    if tail == ["action"] and method == "POST":
        return _of_volume(type, id, body)
    if type == "router" and tail and tail[0] in ("add_extraroutes", "remove_extraroutes"):
        return Request(type, id, "update", fields=frozenset({"routes"}))
    if tail:
        return Request(type, id, "update") if type in ("image", "flavor") else None
    if method == "DELETE":
        return Request(type, id, "delete", "delete" if type == "server" else "")
    return None if method == "POST" else _update(type, id, body)


def _place(service: str, parts: list[str]) -> tuple[str, list[str]] | None:
    """(type, what follows the collection's name)."""
    for index, part in enumerate(parts):
        for (of, name), type in causes.COLLECTIONS.items():
            if part == name and service in ("", of):
                return type, parts[index + 1 :]
        if not (_VERSION.match(part) or _PROJECT.match(part) or index < 3):
            return None
    return None


def _update(type: str, id: str, body: Mapping[str, Any] | None) -> Request:
    inner: Any = body
    if body is not None and len(body) == 1:
        only = next(iter(body.values()))
        inner = only if isinstance(only, Mapping) else body
    if not isinstance(inner, Mapping) or not inner:
        return Request(type, id, "update")
    fields: set[str] = set()
    values: dict[str, Any] = {}
    for key, value in inner.items():
        names = causes.set_by(type, str(key))
        fields.update(names)
        values[names[0]] = value
    return Request(type, id, "update", fields=frozenset(fields), values=values)


def _of_server(id: str, method: str, tail: list[str], body: Mapping[str, Any] | None) -> Request | None:
    if tail == ["action"]:
        if method != "POST":
            return None
        if body is None:
            return Request("server", id, "action", "?")
        name = next(iter(body), "")
        groups = name in ("addSecurityGroup", "removeSecurityGroup")
        return Request(
            "server", id, "action", causes.SERVER_ACTIONS.get(name, ""),
            fields=frozenset({"security_groups"}) if groups else frozenset({"status", "vm_state"})
            if name == "os-resetState" else frozenset(),
        )  # fmt: skip
    if tail[0] == "os-volume_attachments":
        given = (body or {}).get("volumeAttachment")
        volume = tail[1] if len(tail) > 1 else given.get("volumeId") if isinstance(given, Mapping) else None
        nova = "detach_volume" if method == "DELETE" else "swap_volume" if method == "PUT" else "attach_volume"
        return Request("server", id, "action", nova, part=("volume", str(volume)) if volume else None)
    if tail[0] == "os-interface":
        nova = "detach_interface" if method == "DELETE" else "attach_interface"
        return Request("server", id, "action", nova, part=("port", tail[1]) if len(tail) > 1 else None)
    if tail[0] == "metadata":
        return Request("server", id, "update", fields=frozenset({"metadata"}))
    return None


def _of_volume(type: str, id: str, body: Mapping[str, Any] | None) -> Request | None:
    if type not in ("volume", "snapshot"):
        return Request(type, id, "update")
    if body is None:
        return Request(type, id, "update")
    name = next(iter(body), "")
    given = body.get(name)
    values: dict[str, Any] = {}
    if name == "os-extend" and isinstance(given, Mapping):
        values["size"] = given.get("new_size")
    elif name == "os-retype" and isinstance(given, Mapping):
        values["volume_type"] = given.get("new_type")
    fields = frozenset(causes.VOLUME_ACTIONS.get(name, ()))
    return Request(type, id, "update", fields=fields, values=values, slow=name in causes.SLOW)


def causes_event(request: Request, event: Mapping[str, Any]) -> bool:
    """Whether a request can have caused an event ({type, resource_id, owner_id, kind, field, new_value, ...})."""
    type, field_, new = event["type"], event["field"], event["new_value"]
    if request.verb == "action" or request.nova:
        if request.part is not None and type == request.part[0] and event["resource_id"] != request.part[1]:
            return False
        if request.id in (event["owner_id"], event["resource_id"]):
            if type == "server" and request.fields and field_ in request.fields:
                return True
            if type == "port" and field_ == "security_groups" and "security_groups" in (request.fields or ()):
                return True
            known = request.nova in causes.NOVA
            if known and causes.explains(request.nova, type, field_, new):
                return True
            if request.nova == "?":
                return causes.is_told(type, field_)
        return False
    if (request.type, request.id) != (type, event["resource_id"]):
        return False
    if request.verb in ("delete", "create"):
        return bool(event["kind"] == f"{request.verb}d")
    if event["kind"] in ("deleted", "created"):
        return False
    if event["kind"] == "unseen":
        return True
    if request.fields is None:
        # A request whose body nobody kept can have set any field; states follow from other things.
        return field_ not in _STATES
    if field_ not in request.fields:
        return False
    if field_ not in request.values:
        return True
    return causes.same_value(type, field_, request.values[field_], new) is not False
