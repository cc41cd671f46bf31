"""What the gate decides from what it was told: pure, `now` is an argument."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from engine.gate.models import Call, Key, Target
from engine.settings.cloud_rules import CloudRules, HandsOff
from store import times
from store.types.actions import ActionDeclaration

PLAN_MINUTES = 30
MOST_TARGETS = 1000
# POST requests that change nothing, by service: (path, the one key of the body).
ASKS: Mapping[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "compute": ((re.compile(r"/servers/[0-9a-zA-Z-]{1,64}/action"), "os-getConsoleOutput"),),
}
_ID = r"[0-9a-zA-Z_.:-]{1,255}"
# What a standing permission covers while a cloud is read-only, by its name: (service, method, path, the one key of the
# body, "" = no body). Nothing else passes, whoever asks; what is in the body is looked at by who gave the permission.
STANDING: Mapping[str, tuple[tuple[str, str, re.Pattern[str], str], ...]] = {
    "snapshots": (
        ("block-storage", "POST", re.compile(r"/snapshots"), "snapshot"),
        ("block-storage", "DELETE", re.compile(rf"/snapshots/{_ID}"), ""),
        ("block-storage", "POST", re.compile(r"/group_snapshots"), "group_snapshot"),
        ("block-storage", "DELETE", re.compile(rf"/group_snapshots/{_ID}"), ""),
        ("block-storage", "POST", re.compile(rf"/volumes/{_ID}/metadata"), "metadata"),
        ("block-storage", "DELETE", re.compile(rf"/volumes/{_ID}/metadata/{_ID}"), ""),
        ("compute", "POST", re.compile(rf"/servers/{_ID}/action"), "createImage"),
        ("image", "DELETE", re.compile(rf"/images/{_ID}"), ""),
    ),
    "grants": (
        ("identity", "PUT", re.compile(rf"/projects/{_ID}/users/{_ID}/roles/{_ID}"), ""),
        ("identity", "DELETE", re.compile(rf"/projects/{_ID}/users/{_ID}/roles/{_ID}"), ""),
    ),
}
# What a plan relies on, of a target's live document: whatever of it is there.
RELIED = (
    "name", "status", "OS-EXT-STS:task_state", "OS-EXT-STS:vm_state", "locked", "locked_reason", "OS-EXT-SRV-ATTR:host",
    "tenant_id", "project_id", "protected", "revision_number", "is_public", "attachments", "size",
)  # fmt: skip
# A create in these services belongs to the project of the token, whatever the body says.
_TOKENS_PROJECT = ("compute", "block-storage")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,80}")
_TYPABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,58}[\x21-\x7e])?")


def is_ask(call: Call) -> bool:
    """Whether the call is one of the few POSTs that change nothing, or a GET."""
    if call.method == "GET":
        return True
    known = ASKS.get(call.service, ()) if call.method == "POST" else ()
    return any(path.fullmatch(call.path) and set(call.body or ()) == {key} for path, key in known)


def stands(standing: str, call: Call) -> bool:
    """Whether the call is one of those that the standing permission of that name may cover."""
    return any(
        (call.service, call.method) == (service, method)
        and path.fullmatch(call.path) is not None
        and set(call.body or ()) == ({key} if key else set())
        for service, method, path, key in STANDING.get(standing, ())
    )


def path_problem(path: str) -> str | None:
    """Why a call's path must not be sent: an id from outside could lead it elsewhere. None when it may."""
    parts = path.split("/")
    if not path.startswith("/") or any(part in (".", "..") for part in parts) or not path.isascii():
        return f"{path!r:.120} is no path below a service"
    return f"{path!r:.120} has characters that do not belong in a path" if re.search(r"[\s#?%\\]|//", path) else None


def lock_problem(doc: Mapping[str, Any], name: str) -> str | None:
    """The sentence for a locked resource; None when it is not locked."""
    if doc.get("locked") is not True:
        return None
    reason = doc.get("locked_reason")
    return f"{name} is locked" + (f": {reason}" if reason else " (no reason was given)")


def protection_problem(doc: Mapping[str, Any], name: str) -> str | None:
    """The sentence for an image (or whatever else says so) that is protected; None when it is not."""
    return f"{name} is protected: take the protection away first" if doc.get("protected") is True else None


def hands_off_problem(rules: CloudRules, target: Target, now: datetime) -> str | None:
    """The sentence for a target that the configuration says not to touch just now; None when it may be."""
    for entry in rules.hands_off:
        if in_force(entry, now) and (word := _covers(entry, target)):
            end = f", until {times.text(entry.until)}" if entry.until else ""
            return f"hands off {word}: {entry.reason}{end} (qdeck.toml)"
    return None


def in_force(entry: HandsOff, now: datetime) -> bool:
    """Whether a freeze is on at that time."""
    return (entry.since is None or entry.since <= now) and (entry.until is None or now < entry.until)


def _covers(entry: HandsOff, target: Target) -> str | None:
    if not (entry.projects or entry.hosts or entry.names):
        return f"the cloud {target.cloud}"
    lists = (
        ("the project", entry.projects, (target.project_name, target.project_id)),
        ("the host", entry.hosts, (target.host,)),
        ("what is named", entry.names, (target.name,)),
    )
    for word, patterns, values in lists:
        for value in values:
            if value and any(fnmatchcase(value, pattern) for pattern in patterns):
                return f"{word} {value}"
    return None


def project_problem(call: Call, token_project: str) -> str | None:
    """Why a create would land in the wrong project; None when it would not."""
    if not call.creates or not call.project_id:
        return None
    if call.service in _TOKENS_PROJECT:
        owner = token_project
    else:
        inner = next((value for value in (call.body or {}).values() if isinstance(value, Mapping)), {})
        owner = str(inner.get("project_id") or inner.get("tenant_id") or token_project)
    if owner == call.project_id:
        return None
    return f"it would belong to the project {owner or 'of nobody'}, not to {call.project_id}: nothing was sent"


def typable(name: str, id: str) -> str:
    """The name, or the start of the id where the name cannot be typed (or tells a lie in a terminal)."""
    return name if _TYPABLE.fullmatch(name) else id[:8]


def phrase(declaration: ActionDeclaration, names: Sequence[str], production: Iterable[str], plural: str) -> str | None:
    """What a person has to type: the names of production clouds, and of what is destroyed (or how many). None for
    nothing."""
    parts = sorted(set(production))
    if declaration.danger == "destructive" and names:
        many = f"{declaration.verb.upper()} {len(names)} {plural.upper().replace('_', ' ')}"
        parts.append(names[0] if len(names) == 1 else many)
    return " ".join(parts) or None


def same_phrase(typed: str, wanted: str) -> bool:
    """Whether the phrase was typed; spaces around it do not count."""
    return typed.strip() == wanted


def ticket_problem(rules: CloudRules, cloud: str, ticket: str) -> str | None:
    """What is wrong with a ticket for that cloud; None when nothing is."""
    if not ticket:
        return f"changes of {cloud} need a ticket" if rules.ticket_required else None
    if rules.ticket_pattern and not re.fullmatch(rules.ticket_pattern, ticket):
        return f"{ticket!r:.80} is no ticket for {cloud}: it must match {rules.ticket_pattern}"
    return None


def reason_problem(rules: CloudRules, cloud: str, reason: str) -> str | None:
    """Whether a reason is missing."""
    return f"changes of {cloud} need a reason" if rules.reason_required and not reason.strip() else None


def relied(doc: Mapping[str, Any], names: Sequence[str], further: Mapping[str, Any]) -> dict[str, Any]:
    """What a plan relies on, of one target."""
    return {name: doc[name] for name in names or RELIED if name in doc} | dict(further)


def differences(key: Key, name: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of one target that are not as they were: [{key, name, field, from, to}]."""
    return [
        {"key": list(key), "name": name, "field": field, "from": was.get(field), "to": now.get(field)}
        for field in sorted(set(was) | set(now))
        if was.get(field) != now.get(field)
    ]


def sealed(value: Any) -> str:
    """SHA-256 over a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait; None when it does not say so in seconds."""
    said = headers.get("retry-after", "")
    return float(said) if re.fullmatch(r"\d{1,6}", said) else None


def request_ids(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The cloud's ids of a request, from an answer's headers; what does not look like one is left out."""
    found: list[str] = []
    for name in ("x-openstack-request-id", "x-compute-request-id"):
        found += [one.strip() for one in headers.get(name, "").split(",")]
    return tuple(dict.fromkeys(one for one in found if _REQUEST_ID.fullmatch(one)))[:10]
