"""The one list of what is never stored, logged, exported or shown: applied to every document where it enters the
engine.

Which keys of a document matter depends only on its key names, so that question is answered once per shape of document
(a tuple of keys)
and remembered; a typical server then costs one look-up and a walk through the few fields that may hold anything.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from typing import Any

HIDDEN = "(redacted)"

# User data is kept as a digest, so that a change is still seen.
_DIGESTED = frozenset({"user_data", "OS-EXT-SRV-ATTR:user_data"})
# Keys that look like a secret, wherever they stand.
_SECRET = re.compile(
    r"pass(?:wd|word|phrase)|adminpass|secret|token|credential|private[_-]?key|auth[_-]?key|api[_-]?key|access[_-]?key|"
    r"^remote_console$|^console$|console[_-]?url|^blob$",
    re.IGNORECASE,
)
# Keys that match the above and are no secrets.
_PLAIN = frozenset(
    {"password_expires_at", "ignore_password_expiry", "ignore_change_password_upon_first_use", "lock_password"}
)
# Fields that can't hold a tenant's own keys: never entered. (The keys of `addresses` are network names.)
_CLOSED = frozenset(
    {
        "id",
        "name",
        "links",
        "addresses",
        "security_groups",
        "os-extended-volumes:volumes_attached",
        "fixed_ips",
        "allowed_address_pairs",
        "attachments",
        "subnets",
        "tags",
        "status",
        "hostId",
        "created",
        "updated",
        "created_at",
        "updated_at",
        "tenant_id",
        "project_id",
        "user_id",
        "flavor",
        "server_groups",
        "image",
        "locked",
        "progress",
        "key_name",
        "description",
        "config_drive",
        "host_status",
        "provider:segmentation_id",
    }
)
# Nova's and Cinder's own attributes: texts, numbers and times, whatever comes after the colon.
_ATTRIBUTES = ("OS-EXT-", "OS-SRV-", "OS-DCF:", "OS-FLV-", "os-vol-", "os-extended-", "accessIP", "router:")
# Addresses of images can carry the store's own user and password.
_URLS = frozenset({"direct_url", "url", "locations"})
_USERINFO = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@")
_DEPTH = 8
_SHAPES_KEPT = 4096

_plans: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...]]] = {}
_verdicts: dict[str, bool] = {}


def redact(doc: dict[str, Any]) -> dict[str, Any]:
    """Take every secret out of `doc`, in place; answers `doc`. Never raises on what a JSON parser can make."""
    shape = tuple(doc)
    plan = _plans.get(shape)
    if plan is None:
        plan = _plan(shape)
    hidden, entered = plan
    for key in hidden:
        doc[key] = _cover(key, doc[key])
    for key in entered:
        value = doc[key]
        kind = type(value)
        if (kind is dict or kind is list) and value:
            _walk(value, _DEPTH, key in _URLS)
    return doc


def _plan(shape: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    hidden = tuple(key for key in shape if is_secret(key) or key in _DIGESTED or key in _URLS)
    plan = hidden, tuple(key for key in shape if _open(key) and (key not in hidden or key in _URLS))
    if len(_plans) >= _SHAPES_KEPT:  # hostile documents could make shapes without end
        _plans.clear()
    _plans[shape] = plan
    return plan


def _open(key: str) -> bool:
    return key not in _CLOSED and not key.startswith(_ATTRIBUTES)


def is_secret(key: str) -> bool:
    """Whether a field or metadata key of that name looks like it holds a secret."""
    verdict = _verdicts.get(key)
    if verdict is None:
        verdict = _SECRET.search(key) is not None and key not in _PLAIN
        if len(_verdicts) >= _SHAPES_KEPT:
            _verdicts.clear()
        _verdicts[key] = verdict
    return verdict


def _walk(value: Any, depth: int, url: bool = False) -> None:
    if type(value) is dict:
        for key, inner in value.items():
            kind = type(inner)
            if is_secret(key) or key in _DIGESTED or key in _URLS:
                value[key] = inner = _cover(key, inner)
                kind = type(inner)
            if kind is dict or kind is list:
                if depth <= 0:
                    value[key] = HIDDEN  # deeper than any API goes: not looked into, so not kept
                else:
                    _walk(inner, depth - 1, url)
    else:
        for place, inner in enumerate(value):
            kind = type(inner)
            if kind is dict or kind is list:
                if depth <= 0:
                    value[place] = HIDDEN
                else:
                    _walk(inner, depth - 1, url)
            elif url and kind is str:
                value[place] = _USERINFO.sub("", inner)


def _cover(key: str, value: Any) -> Any:
    """What is kept in place of a secret value: nothing of it, but whether there was one."""
    if value is None or value == "" or value is False or value is True:
        return value
    if key in _DIGESTED:
        return digest(value)
    if key in _URLS and not is_secret(key):
        return _USERINFO.sub("", value) if isinstance(value, str) else value
    return HIDDEN


def digest(value: Any) -> Any:
    """SHA-256 and size in bytes of user data (base64, as Nova sends it)."""
    if value == HIDDEN:
        return HIDDEN
    if not isinstance(value, str):
        done = isinstance(value, dict) and set(value) == {"sha256", "size"}
        return value if done else HIDDEN
    try:
        data = binascii.a2b_base64(value.encode("ascii"), strict_mode=True)
    except (binascii.Error, ValueError):
        data = value.encode("utf-8", "surrogatepass")
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
