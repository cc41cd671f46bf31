"""The demo cloud's switches, on a Unix socket that only its owner can open."""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from engine.demo.access import Unknown
from engine.demo.answers import answer
from engine.demo.clock import nova_time
from engine.demo.cloud import Cloud
from engine.demo.serving import Request, Response


def control_listener(path: Path) -> socket.socket:
    """A bound socket, 0600 from its first moment. Raises OSError when something else than a dead socket is there."""
    if path.exists() or path.is_symlink():
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(f"{path} is in the way: it is no socket")
        probe = socket.socket(socket.AF_UNIX)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise OSError(f"another demo cloud answers at {path}")
        finally:
            probe.close()
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as reason:
        listener.close()
        raise OSError(f"the control socket {path} cannot be made: {reason}") from None
    finally:
        os.umask(before)
    return listener


class Control:
    """GET /state, POST /state, /clock, /change, /faults, /latency, /boots, /hosts, /roles, /tokens; DELETE /faults."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._routes: dict[tuple[str, str], Callable[[dict[str, Any], Request], Any]] = {
            ("GET", "/state"): self.state,
            ("POST", "/state"): self.set_state,
            ("POST", "/clock"): self.clock,
            ("POST", "/change"): self.change,
            ("GET", "/faults"): lambda body, request: self._faults(),
            ("POST", "/faults"): self.fault,
            ("DELETE", "/faults"): self.repair,
            ("POST", "/latency"): self.latency,
            ("POST", "/boots"): self.boots,
            ("POST", "/hosts"): self.host,
            ("POST", "/roles"): self.role,
            ("POST", "/tokens"): self.expire,
        }

    async def handle(self, request: Request) -> Response:
        route = self._routes.get((request.method, request.path))
        if route is None:
            return answer({"detail": f"there is no switch {request.method} {request.path}"}, 404)
        try:
            body = orjson.loads(request.body) if request.body else {}
            if not isinstance(body, dict):
                raise ValueError("the body must be a JSON object")
            self.cloud.settle()
            return answer(route(body, request))
        except Unknown as reason:
            return answer({"detail": str(reason)}, 404)
        except KeyError as missing:
            return answer({"detail": f"the body lacks {missing}"}, 400)
        except (ValueError, TypeError) as reason:
            return answer({"detail": str(reason)}, 400)

    def state(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        cloud, state = self.cloud, self.cloud.state
        counts = {
            name: len(getattr(state, name))
            for name in (
                "domains", "projects", "users", "groups", "flavors", "images", "hosts", "servers",
                "deleted_servers", "server_groups", "volumes", "attachments", "snapshots", "backups",
                "networks", "subnets", "routers", "ports", "floating_ips", "security_groups", "rules",
                "trunks", "agents",
            )
        }  # fmt: skip
        return {
            "now": nova_time(cloud.clock.now()),
            "epoch": nova_time(state.epoch),
            "seed": cloud.seed,
            "auth_url": f"{cloud.identity.url}/v3",
            "requests": cloud.requests,
            "tokens": len(cloud.tokens.known),
            "changes": cloud.changes.count,
            "changes_per_day": cloud.changes.per_day,
            "pace": cloud.clock.pace,
            "latency_ms": cloud.faults.latency * 1000,
            "faults": [rule.document() for rule in cloud.faults.rules],
            "counts": counts,
        }

    def set_state(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        """{"changes_per_day": n}: 0 keeps the cloud still. {"pace": part}: how long changes take from now on.

        {"shelved_seconds": n}: how long a shelved machine keeps its host; negative: until it is offloaded.
        """
        known = {"changes_per_day", "pace", "shelved_seconds"}
        if not body or not set(body) <= known:
            raise ValueError(f"the body must have {', '.join(sorted(known))}")
        if "changes_per_day" in body:
            self.cloud.changes.set_pace(float(body["changes_per_day"]))
        if "pace" in body:
            if not 0 <= float(body["pace"]) <= 1000:
                raise ValueError("pace must be between 0 and 1,000")
            self.cloud.clock.pace = float(body["pace"])
        self.cloud.state.shelved_seconds = float(body.get("shelved_seconds", self.cloud.state.shelved_seconds))
        return self.state(body, request)

    def clock(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        """{"advance_seconds": n} or {"advance_to": "now"}: to the wall clock's time."""
        import time

        before = self.cloud.changes.count
        if body.get("advance_to") == "now":
            seconds = max(0.0, time.time() - self.cloud.clock.now())
        else:
            seconds = float(body.get("advance_seconds", 0))
        if seconds < 0:
            raise ValueError("the demo cloud's clock only goes forward")
        self.cloud.advance(seconds)
        return {"now": nova_time(self.cloud.clock.now()), "changes": self.cloud.changes.count - before}

    def change(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        """{"count": k, "kind": optional}: k changes at once."""
        return {"changes": self.cloud.changes.make(int(body.get("count", 1)), body.get("kind"))}

    # Faults

    def _faults(self) -> dict[str, Any]:
        return {"faults": [rule.document() for rule in self.cloud.faults.rules]}

    def fault(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        rule = self.cloud.faults.add(body)
        self._catalogue()
        return rule.document()

    def repair(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        text = request.first("id")
        removed = self.cloud.faults.remove(int(text) if text else None)
        self._catalogue()
        return {"removed": removed}

    def _catalogue(self) -> None:
        kinds = {"volume": "block-storage"}
        self.cloud.identity.missing.clear()
        self.cloud.identity.missing.update(kinds.get(name, name) for name in self.cloud.faults.missing)

    def latency(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        milliseconds = float(body["ms"])
        if not 0 <= milliseconds <= 600_000:
            raise ValueError("ms must be between 0 and 600,000")
        self.cloud.faults.latency = milliseconds / 1000
        return {"ms": milliseconds}

    # Machines and hosts

    def boots(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        """{"name": pattern, "boot": "well"|"panic"|"silent"}: how machines of that name boot, by their console."""
        how = {"well": "", "panic": "panic", "silent": "silent"}.get(str(body["boot"]))
        if how is None:
            raise ValueError("boot must be well, panic or silent")
        self.cloud.state.boots.insert(0, (re.compile(str(body["name"])), how))
        return {"rules": len(self.cloud.state.boots)}

    def host(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        """{"host": name, "up": bool}: a host that is down answers nothing, and what is asked of its machines stays."""
        host = _named(self.cloud.state.hosts, body["host"], "host")
        host.up = bool(body["up"])
        host.stopped_at = None if host.up else self.cloud.state.now()
        return {"host": host.name, "up": host.up}

    # Roles and tokens

    def role(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        """{"action": "grant"|"revoke", "user", "role", "project" | "domain" (names) | "system": true}."""
        state = self.cloud.state
        user = _named(state.users, body.get("user"), "user")
        if body.get("role") not in state.role_ids:
            raise Unknown(f"there is no role {body.get('role')!r}")
        scope: dict[str, Any]
        if body.get("project"):
            scope = {"project": _named(state.projects, body["project"], "project").id}
        elif body.get("domain"):
            scope = {"domain": _named(state.domains, body["domain"], "domain").id}
        elif body.get("system"):
            scope = {"system": True}
        else:
            raise ValueError("name a project or a domain, or say system")
        if body.get("action") not in ("grant", "revoke"):
            raise ValueError("action must be grant or revoke")
        ended = self.cloud.tokens.change_role(user, body["role"], body["action"] == "grant", **scope)
        return {"tokens_ended": ended}

    def expire(self, body: dict[str, Any], request: Request) -> dict[str, Any]:
        """{"user": name, optional}: ends tokens that were given out."""
        return {"tokens_ended": self.cloud.tokens.expire(body.get("user"))}


def _named(table: Any, name: Any, what: str) -> Any:
    for row in table:
        if name in (row.id, row.name):
            return row
    raise Unknown(f"there is no {what} {name!r} in the demo cloud")
