"""Lines of an outside source: API access logs and notifications, as records of requests. Pure; hostile lines too.

Three forms are understood:

- an access log that names who asks, as OpenStack services write it
  (`2026-11-29 10:00:00.1 ... [req-... USER PROJECT ...] ... "PUT /v2.0/subnets/ID HTTP/1.1" status: 200 ...`), and the
  combined log of a web server, which names nobody
- CADF audit events of the services' audit filter (`requestPath`, `initiator`, `outcome`)
- notifications of Neutron and Cinder (`event_type`, `payload`), bare or as `{"oslo.message": "..."}`
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from engine.drift.requests import Record, Request, parse
from store import times
from store.times import naive

_LONGEST = 256 * 1024
_ASKED = re.compile(r'"(POST|PUT|PATCH|DELETE) (/\S{1,2000}) HTTP/[\d.]+"(?: status:)? (\d{3})')
_WHO = re.compile(r"\[(?:\S+ )?(req-[0-9a-f-]{36}) ([0-9A-Za-z._@-]+) ([0-9A-Za-z._-]+)")
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)")
_APACHE = re.compile(r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]")
_NOTIFIED = {
    "network": "network", "subnet": "subnet", "port": "port", "router": "router", "floatingip": "floating_ip",
    "security_group": "security_group", "security_group_rule": "security_group_rule", "volume": "volume",
    "snapshot": "snapshot", "image": "image",
}  # fmt: skip
_VOLUME_FIELDS = {
    "resize": frozenset({"size"}), "retype": frozenset({"volume_type"}), "attach": frozenset({"server_id", "status"}),
    "detach": frozenset({"server_id", "status"}),
}  # fmt: skip
_METHODS = {"update": "PUT", "delete": "DELETE", "disable": "DELETE", "create": "POST"}


def record(cloud: str, line: str | Mapping[str, Any], service: str = "") -> Record | None:
    """The request that a line tells of; None for one that changed nothing, did not succeed, or is not understood."""
    if isinstance(line, Mapping):
        return _of_json(cloud, line, service)
    if len(line) > _LONGEST:
        return None
    brace = line.find("{")
    if brace >= 0 and '"' in line[brace : brace + 2]:
        try:
            document = orjson.loads(line[brace:])
        except orjson.JSONDecodeError:
            document = None
        if isinstance(document, dict):
            return _of_json(cloud, document, service)
    return _of_log(cloud, line, service)


def _of_log(cloud: str, line: str, service: str) -> Record | None:
    asked = _ASKED.search(line)
    at = _moment(line)
    if asked is None or at is None or not asked[3].startswith("2"):
        return None
    request = parse(service, asked[1], asked[2])
    if request is None:
        return None
    who = _WHO.search(line)
    request_id, user, project = who.groups() if who else ("", "", "")
    return Record(
        cloud, at, request, None if user in ("", "-", "None") else user, (request_id,) if request_id else (),
        "access log", project=project,
    )  # fmt: skip


def _moment(line: str) -> datetime | None:
    try:
        if (found := _STAMP.search(line)) is not None:
            return naive(times.parse(found[1].replace(",", ".").replace(" ", "T", 1)))
        if (found := _APACHE.search(line)) is not None:
            return naive(datetime.strptime(found[1], "%d/%b/%Y:%H:%M:%S %z"))
    except ValueError:
        pass
    return None


def _of_json(cloud: str, document: Mapping[str, Any], service: str) -> Record | None:
    inner = document.get("oslo.message")
    if isinstance(inner, str) and len(inner) <= _LONGEST:
        try:
            document = orjson.loads(inner)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(document, dict):
            return None
    payload = document.get("payload", document)
    if not isinstance(payload, Mapping):
        return None
    if "requestPath" in payload:
        return _of_cadf(cloud, payload, service)
    return _of_notification(cloud, document, payload)


def _of_cadf(cloud: str, payload: Mapping[str, Any], service: str) -> Record | None:
    if payload.get("outcome") != "success":
        return None
    at = _time(payload.get("eventTime"))
    verb, _, action = _text(payload.get("action")).partition("/")
    path = _text(payload.get("requestPath"))
    method = "POST" if action and path.rstrip("/").endswith("/action") else _METHODS.get(verb, "")
    body = {action: None} if action and path.rstrip("/").endswith("/action") else None
    request = parse(service, method, path, body)
    if at is None or request is None:
        return None
    who = payload.get("initiator")
    who = who if isinstance(who, Mapping) else {}
    actor = _text(who.get("id")) or _text(who.get("name")) or None
    ids = tuple(id for id in (_text(who.get("request_id")),) if id)
    return Record(cloud, at, request, actor, ids, "notification", project=_text(who.get("project_id")))


def _of_notification(cloud: str, document: Mapping[str, Any], payload: Mapping[str, Any]) -> Record | None:
    kind, _, what = _text(document.get("event_type")).partition(".")
    verb, _, phase = what.partition(".")
    type, at = _NOTIFIED.get(kind), _time(document.get("timestamp"))
    if type is None or at is None or phase == "start":
        return None
    inner = payload.get(kind)
    inner = inner if isinstance(inner, Mapping) else {}
    id = _text(inner.get("id")) or _text(payload.get(f"{kind}_id")) or _text(payload.get("id"))
    if not id or (verb not in ("update", "delete") and not (type == "volume" and verb in _VOLUME_FIELDS)):
        return None
    request = Request(type, id, "delete" if verb == "delete" else "update", fields=_VOLUME_FIELDS.get(verb))
    context = document.get("ctxt")
    context = context if isinstance(context, Mapping) else {}

    def said(name: str) -> str:
        return _text(document.get(f"_context_{name}")) or _text(context.get(name))

    # Cinder's and Glance's payloads name the owner of the resource, who need not be who asked.
    actor = said("user_id") or said("user") or None
    ids = tuple(id for id in (said("request_id"),) if id)
    project = said("project_id") or said("tenant_id") or said("tenant")
    return Record(cloud, at, request, actor, ids, "notification", project=project)


def _time(value: Any) -> datetime | None:
    try:
        return naive(times.parse(value.replace(" ", "T", 1))) if isinstance(value, str) else None
    except ValueError:
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= 2000 else ""
