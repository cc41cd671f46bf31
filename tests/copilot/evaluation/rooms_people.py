"""What people did: records, logins, notes; and how clouds were listed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.copilot.evaluation.rooms import JOBS, about, calm_server, times
from tests.copilot.evaluation.world import Row

if TYPE_CHECKING:
    from tests.copilot.evaluation.generate import Maker

_LOGINS = (
    ("alice", True, 0, 9),
    ("carla", True, 0, 12),
    ("mallory", False, 0, 12),
    ("dieter", True, -1, 10),
    ("alice", True, -1, 16),
    ("mallory", False, -1, 16),
    ("bertram", True, -2, 11),
    ("alice", False, -6, 13),
)


def records(make: Maker) -> list[Row]:
    """The audit."""
    return [
        {
            "seq": 500 + n,
            "actor": by,
            "action": action,
            "outcome": "failed" if state == "failed" else "ok",
            "target": f"target {n}",
            "cloud": make.style.clouds[0][0],
            "reason": "",
            "ticket": "",
            "role": "admin",
            "via": "console",
            **times(make.world.at(day, hour), n),
        }
        for n, (action, state, day, hour, by) in enumerate(JOBS)
    ]


def logins(make: Maker) -> list[Row]:
    """Who came in, and who did not."""
    return [
        {
            "user": name,
            "ok": ok,
            "outcome": "ok" if ok else "refused",
            "address": "127.0.0.1",
            "agent": "qdeck",
            **times(make.world.at(day, hour), n),
        }
        for n, (name, ok, day, hour) in enumerate(_LOGINS)
    ]


def notes(make: Maker) -> list[Row]:
    """Notes on machines."""
    return [
        {
            **about("server", calm_server(make, n)),
            "id": str(n + 1),
            "kind": "server",
            "text": text,
            "note": text,
            "by": by,
            "author": by,
            "created_by": by,
            "about": "server",
            "until": None,
            **times(make.world.at(-2, 11)),
        }
        for n, (text, by) in enumerate(
            (("do not touch before the audit", "alice"), ("waiting for the vendor", "carla"))
        )
    ]


def collections(make: Maker) -> list[Row]:
    """The last listings."""
    at = make.world.now - timedelta(minutes=3)
    return [
        {
            "id": f"{cloud}/{region}/{type}",
            "cloud": cloud,
            "region": region,
            "type": type,
            "name": type,
            "state": "ok",
            "status": "ok",
            "reason": "",
            "resource_type": type,
            "scope": "all",
            "missing": 0,
            "rows": len(make.world.rows(type)),
            "ended_at": at,
            **times(at),
        }
        for cloud, regions in make.style.clouds
        for region in regions
        for type in ("server", "volume", "network", "image")
    ]
