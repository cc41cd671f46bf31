"""Faults on demand: rules that say which calls go wrong, and how."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.demo import names, quotas
from engine.demo.access import Tokens
from engine.demo.answers import TITLES, Refusal, keystone_fault, neutron_fault, openstack_fault, webob_fault
from engine.demo.serving import Request, Response
from engine.demo.state import State

KINDS = {
    "status": "answer with `status` (default 503)",
    "hang": "accept the request and never answer",
    "reset": "reset the connection",
    "truncate": "end in the middle of the body",
    "half": "answer first pages, fail every page that has a marker",
    "slow": "answer after `seconds` (default 1)",
    "malformed": "answer 200 with a body that is no JSON",
    "extra_fields": "add fields to every row that no document names",
    "nulls": "make every value of every row null, except its id",
    "hostile": "put hostile text into every name",
    "big_metadata": "give the first row a metadata value of `bytes` (default 10 MB)",
    "down_cell": "let a cell with `share` (default 0.3) of the hosts not answer: its servers are left out, or bare",
    "expire_token": "make the token worthless after this call, as if its time were over in the middle of a listing",
    "rate_limit": "answer 429 with Retry-After `seconds` (default 1)",
    "missing_service": "take the service out of the catalogue and its address away",
    "break": "let what is named come to nothing: `what` (BREAKS), `name` (a pattern), `message`; no call is changed",
    "quota_gone": "set the quota of the call's project (or `project`) to what it uses, after this call was answered",
}
BREAKS = {
    "server": "a new machine ends in ERROR",
    "volume": "a new volume ends in error",
    "snapshot": "a new snapshot ends in error",
    "backup": "a new backup ends in error",
    "restore": "a volume that a backup is read into ends in error_restoring",
    "image": "an image that is made is gone before it is there",
    "rebuild": "a rebuilt machine ends in ERROR",
    "shelve": "a machine that is shelved stays what it was",
    "unshelve": "a machine that is unshelved stays shelved",
    "attach": "a volume that is attached comes off again",
    "stop": "a machine that is stopped does not listen, and keeps its task",
}
QUIET = ("down_cell", "missing_service", "break")  # kinds that change no answer
# Limits of things that are counted, which a project can use up.
COUNTED = (
    "instances", "cores", "ram", "volumes", "snapshots", "gigabytes", "backups", "backup_gigabytes", "port",
    "floatingip",
)  # fmt: skip
SERVICES = ("identity", "compute", "volume", "network", "image", "placement")


@dataclass
class Rule:
    """One fault in force: where it applies, how often (`times` after `skip` calls), and its kind's options.

    `path` is the beginning of a path, `pattern` a regular expression that is looked for in it. Of the options `after`
    (true) lets the service do its work before the answer goes wrong: status, rate_limit, hang, reset, malformed.
    """

    id: int
    kind: str
    service: str | None = None
    path: str = ""
    pattern: str = ""
    method: str | None = None
    times: int | None = None
    skip: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    hits: int = 0

    def document(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "service": self.service,
            "path": self.path,
            "pattern": self.pattern,
            "method": self.method,
            "times": self.times,
            "skip": self.skip,
            "hits": self.hits,
            **self.options,
        }


class Faults:
    """The rules in force, and the latency of every answer (seconds)."""

    def __init__(self, state: State, tokens: Tokens) -> None:
        self.state, self.tokens = state, tokens
        self.rules: list[Rule] = []
        self.latency = 0.0
        self._numbers = itertools.count(1)
        state.failing = self.failing

    @property
    def missing(self) -> set[str]:
        return {rule.service for rule in self.rules if rule.kind == "missing_service" and rule.service}

    def add(self, given: dict[str, Any]) -> Rule:
        """A rule from JSON. Raises ValueError with the reason."""
        options = dict(given)
        kind = options.pop("kind", None)
        if kind not in KINDS:
            raise ValueError(f"there is no fault of the kind {kind!r}; the kinds are {', '.join(KINDS)}")
        service = options.pop("service", None)
        if service is not None and service not in SERVICES:
            raise ValueError(f"there is no service {service!r}; the services are {', '.join(SERVICES)}")
        if kind == "missing_service" and service is None:
            raise ValueError("missing_service needs the service that is missing")
        method = options.pop("method", None)
        if kind == "break" and options.get("what") not in BREAKS:
            raise ValueError(f"break needs what is to break: {', '.join(BREAKS)}")
        rule = Rule(
            next(self._numbers), kind, service, str(options.pop("path", "") or ""),
            _pattern(options.pop("pattern", "")), str(method).upper() if method else None, options.pop("times", None),
            int(options.pop("skip", 0) or 0), options,
        )  # fmt: skip
        if kind == "break":
            options["name"] = _pattern(options.get("name", ""))
        self.rules.append(rule)
        if kind == "down_cell":
            self._down(float(options.get("share", 0.3)))
        return rule

    def remove(self, id: int | None) -> int:
        """Takes one rule away, or all; how many."""
        gone = [rule for rule in self.rules if id is None or rule.id == id]
        self.rules = [rule for rule in self.rules if rule not in gone]
        if any(rule.kind == "down_cell" for rule in gone):
            self.state.down_servers.clear()
            self.state.down_hosts.clear()
        return len(gone)

    def _down(self, share: float) -> None:
        """A cell is a set of hosts: its servers go together."""
        hosts = sorted(self.state.hosts, key=lambda host: host.number)
        down = self.state.down_hosts = {host.id for host in hosts[: max(1, round(len(hosts) * share))]}
        self.state.down_servers = {server.id for server in self.state.servers if server.host and server.host.id in down}

    # Matching

    def match(self, service: str, path: str, request: Request) -> Rule | None:
        """The first rule that applies to this call; counts it."""
        for rule in self.rules:
            if rule.kind in QUIET:
                continue
            if rule.service not in (None, service) or rule.method not in (None, request.method):
                continue
            if not self._below(path, rule.path) or (rule.pattern and not re.search(rule.pattern, path)):
                continue
            if rule.kind == "half" and request.first("marker") is None:
                continue
            if rule.times is not None and rule.hits - rule.skip >= rule.times:
                continue
            rule.hits += 1
            if rule.hits > rule.skip:
                return rule
        return None

    @staticmethod
    def _below(path: str, prefix: str) -> bool:
        """The prefix may be given with or without version and project: /servers matches /v2.1/servers/detail."""
        if not prefix or path.startswith(prefix):
            return True
        parts = path.split("/")
        return any(f"/{'/'.join(parts[start:])}".startswith(prefix) for start in (2, 3))

    def failing(self, what: str, name: str) -> str | None:
        """Why the thing of that name comes to nothing; None for most. Counts the rule that says so."""
        for rule in self.rules:
            if rule.kind != "break" or rule.options["what"] != what or not re.search(rule.options["name"], name):
                continue
            if rule.times is not None and rule.hits - rule.skip >= rule.times:
                continue
            rule.hits += 1
            if rule.hits > rule.skip:
                return str(rule.options.get("message") or f"The demo cloud was asked to let this {what} fail.")
        return None

    # Effects

    def before(self, rule: Rule, service: str) -> Response | None:
        """The answer of a rule that needs none from the service."""
        return None if rule.options.get("after") else self._wrong(rule, service)

    def _wrong(self, rule: Rule, service: str) -> Response | None:
        kind, options = rule.kind, rule.options
        if kind in ("status", "half"):
            status = int(options.get("status", 503 if kind == "status" else 500))
            message = str(options.get("message") or TITLES.get(status, "Error"))
            retry = options.get("retry_after")
            return _fault(
                service, Refusal(status, message, **({"Retry_After": str(retry)} if retry is not None else {}))
            )
        if kind == "rate_limit":
            seconds = str(options.get("seconds", 1))
            refusal = Refusal(429, "This request was rate-limited.", Retry_After=seconds)
            return _fault(service, refusal)
        if kind in ("hang", "reset"):
            return Response(200, b"", wreck=kind)
        if kind == "malformed":
            return Response(200, b'{"servers": [{"id": "1", ', [("Content-Type", "application/json")])
        return None

    def after(self, rule: Rule, service: str, request: Request, response: Response) -> Response:
        """What a rule does to an answer of the service."""
        kind, options = rule.kind, rule.options
        if options.get("after") and (wrong := self._wrong(rule, service)) is not None:
            return wrong
        if kind == "truncate":
            response.wreck = "truncate"
        elif kind == "slow":
            response.delay += float(options.get("seconds", 1))
        elif kind == "quota_gone":
            self._take_quota(options.get("project"), request)
        elif kind == "expire_token":
            token = self.tokens.known.get(request.headers.get("x-auth-token", ""))
            if token:
                token.revoked = True
        elif response.status == 200 and response.body:
            self._spoil(rule, response)
        return response

    def _take_quota(self, name: str | None, request: Request) -> None:
        """No room is left in the project: each limit is what is used."""
        token = self.tokens.known.get(request.headers.get("x-auth-token", ""))
        project = next((row for row in self.state.projects if name in (row.id, row.name)), None) if name else None
        project = project or (token.project if token else None)
        if project is None:
            return
        for quota, usage in (
            (project.compute_quota, quotas.compute_usage(self.state, project.id)),
            (project.volume_quota, quotas.volume_usage(self.state, project.id)),
            (project.network_quota, quotas.network_usage(self.state, project.id)),
        ):
            used = usage.get(project.id, {})
            quota.update({limit: used.get(limit, 0) for limit in quota if limit in COUNTED})

    def _spoil(self, rule: Rule, response: Response) -> None:
        document = orjson.loads(response.body)
        for rows in _lists(document):
            for index, row in enumerate(rows):
                if rule.kind == "extra_fields":
                    row.update({"x-vendor:extra": {"nested": [1, {"deep": None}]}, "zz_new_field": "surprise"})
                elif rule.kind == "nulls":
                    row.update({name: None for name in row if name not in ("id", "uuid")})
                elif rule.kind == "hostile":
                    row["name"] = names.HOSTILE[index % len(names.HOSTILE)]
                elif rule.kind == "big_metadata" and index == 0:
                    row["metadata"] = {"blob": "x" * int(rule.options.get("bytes", 10 * 1024 * 1024))}
        response.body = orjson.dumps(document)


def _pattern(text: Any) -> str:
    """A regular expression that can be used. Raises ValueError."""
    try:
        return re.compile(str(text or "")).pattern
    except re.error as reason:
        raise ValueError(f"{text!r} is no regular expression: {reason}") from None


def _lists(document: Any) -> list[list[dict[str, Any]]]:
    """The lists of rows of an answer: what its collections are, without the links."""
    if not isinstance(document, dict):
        return []
    return [
        value
        for name, value in document.items()
        if isinstance(value, list) and not name.endswith("links") and all(isinstance(row, dict) for row in value)
    ]


def _fault(service: str, refusal: Refusal) -> Response:
    shapes = {"identity": keystone_fault, "network": neutron_fault, "image": webob_fault}
    return shapes.get(service, openstack_fault)(refusal)
