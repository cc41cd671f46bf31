"""Reading resources from the cloud itself: what the store has may be a quarter of an hour old."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from engine.gate import rules
from engine.gate.models import NoRole, Operation, Raw, SessionKind, Sessions, Target, WriteSession
from engine.gate.refusals import NotDone
from store.redact import redact
from store.types import registry

# Types that the service shows under another path or key than "<listing>/<id>" and the singular.
_KEYS = {"security_group_rule": "security_group_rule", "security_group": "security_group"}


def getter(
    sessions: Sessions, cloud: str, region: str, project_id: str = "", kind: SessionKind = "read"
) -> Callable[..., dict[str, Any] | None]:
    """`get(service, path, microversion="", query=())`: the JSON document without secrets; None for 404.

    kind  "tenant": with a token of the project, or an administrator's where there is none
    Raises NotDone for any other answer that is not 200, and what the session raises.
    """

    def get(
        service: str, path: str, microversion: str = "", query: Sequence[tuple[str, str]] = ()
    ) -> dict[str, Any] | None:
        if problem := rules.path_problem(path):
            raise NotDone(problem)
        raw = _session(sessions, cloud, kind, project_id).get(service, region, path, microversion, query)
        if raw.status == 404:
            return None
        if raw.status != 200:
            wanted = rules.retry_after(raw.headers)
            raise NotDone(said(raw, f"the {service} service of {cloud}"), status=raw.status, retry_after=wanted)
        return document(raw)

    return get


def user_data(session: WriteSession, region: str, server_id: str) -> str:
    """A machine's user data as Nova has it (base64); "" for none, or where the session may not see it.

    For passing on to a machine that is made: who asks keeps it nowhere. Raises NotDone, and what the session raises.
    """
    raw = session.get("compute", region, f"/servers/{server_id}", "2.3")
    if raw.status != 200:
        raise NotDone(said(raw, "the compute service"), status=raw.status)
    try:
        found = orjson.loads(raw.body).get("server", {}).get("OS-EXT-SRV-ATTR:user_data")
    except (orjson.JSONDecodeError, AttributeError):
        raise NotDone("the cloud answered with something that is no JSON", status=raw.status) from None
    return found if isinstance(found, str) else ""


def _session(sessions: Sessions, cloud: str, kind: SessionKind, project_id: str) -> WriteSession:
    try:
        return sessions.session(cloud, kind, project_id)
    except NoRole:
        # An administrator sees what lies in every project; to anybody else what he may not see would look gone.
        wide = sessions.session(cloud, "read", project_id)
        if "admin" not in wide.roles:
            raise
        return wide


def read(sessions: Sessions, operation: Operation, target: Target) -> dict[str, Any] | None:
    """The target's document as the cloud has it now, secrets taken out; None when it is gone. Raises as `getter`."""
    listing = registry.ALL[target.type].listing
    path = operation.read_path or f"{listing.path.removesuffix('/detail')}/{{id}}"
    get = getter(sessions, target.cloud, target.region, target.project_id)
    found = get(listing.service, path.format(id=target.id), operation.microversion or listing.microversion)
    if found is None:
        return None
    inner = found.get(_KEYS.get(target.type, target.type))
    if isinstance(inner, dict):
        return inner
    # Glance answers without a wrapper.
    return found


def document(raw: Raw) -> dict[str, Any]:
    """An answer's JSON object with every secret taken out; {} for an empty one. Raises NotDone for no JSON object."""
    if not raw.body:
        return {}
    try:
        found = orjson.loads(raw.body)
    except orjson.JSONDecodeError:
        raise NotDone("the cloud answered with something that is no JSON", status=raw.status) from None
    return redact(found) if isinstance(found, dict) else {"items": found} if isinstance(found, list) else {}


def said(raw: Raw, who: str) -> str:
    """The sentence for an answer that is an error, with the cloud's own words, printable and shortened."""
    words = ""
    try:
        found: Any = orjson.loads(raw.body[:65536]) if raw.body else {}
    except orjson.JSONDecodeError:
        found = {}
    for _ in range(3):
        if not isinstance(found, Mapping):
            break
        message = found.get("message") or found.get("detail")
        if isinstance(message, str):
            words = "".join(c if c.isprintable() else " " for c in message)
            break
        found = next((value for value in found.values() if isinstance(value, Mapping)), None)
    words = " ".join(words.split())[:200]
    return f"{who} refused it ({raw.status})" + (f": {words}" if words else "")
