"""What lies outside the estate: drift, policies, compliance, jobs, restores, problems, health, records and logins.

Rows have every name under which a list may declare the same fact; `sources` picks the declared ones.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.copilot.evaluation.oracle import copies, protected
from tests.copilot.evaluation.world import Row

if TYPE_CHECKING:
    from tests.copilot.evaluation.generate import Maker

# (type, field, old, new, severity, state, day, hour, actor)
_DRIFT = (
    ("server", "status", "ACTIVE", "ERROR", "critical", "open", 0, 9, None),
    ("server", "flavor_name", "small", "large", "warning", "open", -1, 10, "alice"),
    ("server", "host", "a", "b", "info", "open", -1, 16, None),
    ("volume", "size_gb", "10", "20", "warning", "acknowledged", -2, 11, "carla"),
    ("security_group_rule", "remote_ip_prefix", "10.0.0.0/8", "0.0.0.0/0", "critical", "open", -2, 11, "dieter"),
    ("network", "shared", "false", "true", "critical", "resolved_unseen", -6, 13, None),
    ("server", "status", "ACTIVE", "SHUTOFF", "warning", "resolved", -8, 10, "alice"),
    ("volume", "server_id", "x", "", "warning", "open", 0, 12, None),
    ("port", "security_group_ids", "a", "b", "critical", "acknowledged", -13, 14, "bertram"),
    ("server", "image_id", "a", "b", "info", "ignored", -8, 10, None),
    ("flavor", "disabled", "false", "true", "info", "expected", -20, 11, "alice"),
    ("server", "locked", "false", "true", "warning", "open", 0, 9, "alice"),
)
_POLICIES = ("daily_5", "weekly_4", "monthly_1st", "hourly_24")
JOBS = (
    ("server.stop", "done", -1, 10, "alice"),
    ("server.reboot", "failed", -1, 16, "carla"),
    ("volume.snapshot", "running", 0, 12, "alice"),
    ("snapshot.delete", "done", 0, 9, "dieter"),
    ("server.start", "failed", 0, 9, "alice"),
    ("network.create", "queued", 0, 12, "carla"),
    ("flavor.create", "cancelled", -6, 13, "alice"),
    ("server.snapshot", "partial", -2, 11, "bertram"),
    ("server.lock", "done", -8, 10, "alice"),
)
_RESTORES = (("SUCCEEDED", -6, 13), ("FAILED", -1, 10), ("RUNNING", 0, 12), ("SUCCEEDED", -1, 16), ("PLANNED", 0, 9))
_PROBLEMS = (
    ("critical", "host", "host {host} is down", -1),
    ("critical", "machine", "{n} machines are in error", 0),
    ("warning", "quota", "{project} uses 95% of its cores", -2),
    ("warning", "storage", "{n} volumes are in error", -6),
    ("info", "floating_ip", "{n} floating IPs are not used", -8),
)


def fill(make: Maker) -> None:
    """All lists."""
    from tests.copilot.evaluation import rooms_people

    lists: dict[str, list[Row]] = {
        "drift_event": _drift(make),
        "snapshot_policy": _policies(make),
        "snapshot_run": _runs(make),
        "compliance": _compliance(make),
        "job": _jobs(make),
        "restore": _restores(make),
        "problem": _problems(make),
        "tenant_health": _health(make),
        "audit_record": rooms_people.records(make),
        "login": rooms_people.logins(make),
        "console_user": [
            _named(n, name, role=role, active=name != "erwin", clouds=[], domains=[], projects=[])
            for n, (name, role) in enumerate(
                zip(
                    ("alice", "bertram", "carla", "dieter", "erwin"),
                    ("admin", "operator", "operator", "viewer", "viewer"),
                    strict=True,
                )
            )
        ],
        "note": rooms_people.notes(make),
        "collection": rooms_people.collections(make),
        "kept_machine": [],
        "policy_assignment": [],
        "drift_rule": [],
        "cloud": [
            {
                "name": cloud,
                "state": "ok",
                "reason": "",
                "regions": list(regions),
                "writable": True,
                "writable_until": None,
                **times(make.world.now - timedelta(minutes=3)),
            }
            for cloud, regions in make.style.clouds
        ],
    }
    make.world.rooms.update(lists)


def _named(number: int, name: str, **fields: Any) -> Row:
    return {"id": str(number + 1), "number": number + 1, "name": name, "username": name, "user": name, **fields}


def times(at: datetime, number: int = 0) -> Row:
    """The same time under all names that lists give it; the `number` of the row makes it its own."""
    names = ("at", "created_at", "started_at", "since", "opened_at", "listed_at", "collected_at")
    return dict.fromkeys(names, at + timedelta(minutes=number))


def about(type: str, row: Row) -> Row:
    """What it is about."""
    name = row.get("name") or row.get("fixed") or row["id"]
    return {
        "type": type,
        "resource_type": type,
        "cloud": row["cloud"],
        "region": row["region"],
        "resource_id": row["id"],
        "resource_name": name,
        "name": name,
        "project_id": row.get("project_id"),
        "project_name": row.get("project"),
        "domain_name": row.get("domain"),
        "tenant_name": row.get("project"),
        "key": (row["cloud"], row["region"], row["id"]),
    }


def calm_server(make: Maker, n: int) -> Row:
    """The n-th of the servers that questions do not take as examples of something else."""
    first = make.style.clouds[0][0]
    rows = [
        s for s in make.world.rows("server") if s["cloud"] == first and not s.get("touched") and s["status"] == "ACTIVE"
    ]
    return rows[n * 3 % len(rows)]


def _drift(make: Maker) -> list[Row]:
    world, found = make.world, []
    for n, (type, field, old, new, severity, state, day, hour, actor) in enumerate(_DRIFT):
        row = calm_server(make, n) if type == "server" else world.rows(type)[n % len(world.rows(type))]
        found.append(
            {
                "id": str(n + 1),
                "number": n + 1,
                **about(type, row),
                "field": field,
                "field_name": field,
                "old": old,
                "new": new,
                "old_value": old,
                "new_value": new,
                "severity": severity,
                "state": state,
                "status": state,
                "acknowledged": state == "acknowledged",
                "actor": actor,
                "user_name": actor,
                "kind": "changed",
                "rule": f"{type} {field}",
                "what": f"{field} changed",
                "count": 1,
                "flapping": False,
                "resolved_at": None,
                "acknowledged_by": None,
                "acknowledged_at": None,
                "grade": "unknown",
                "server_name": row["name"] if type == "server" else None,
                **times(world.at(day, hour), n),
            }
        )
    return found


def _policies(make: Maker) -> list[Row]:
    return [
        _named(
            n,
            name,
            policy=name,
            is_active=name != "hourly_24",
            enabled=name != "hourly_24",
            active=name != "hourly_24",
            keep=5 - n,
            retention=5 - n,
            is_global=n == 0,
            schedule="daily",
            volumes=10 * n,
            window_hours=26,
            method="snapshot",
            sets=[],
            made_by="alice",
            **times(make.world.at(-30, 10)),
        )
        for n, name in enumerate(_POLICIES)
    ]


def _runs(make: Maker) -> list[Row]:
    days = ((-2, "completed", 14, 0), (-1, "partial", 12, 2), (0, "completed", 15, 0), (0, "running", 3, 0))
    return [
        {
            "id": str(n + 1),
            "number": n + 1,
            "status": status,
            "state": status,
            "policy": "daily_5",
            "policies": ["daily_5"],
            "trigger": "schedule",
            "cloud": make.style.clouds[0][0],
            "region": make.style.clouds[0][1][0],
            "snapshots_created": made,
            "created": made,
            "made": made,
            "snapshots_failed": failed,
            "failed": failed,
            "by": "engine",
            "dry_run": False,
            "name": f"run {n + 1}",
            "failed_count": failed,
            "total_volumes": made + failed,
            "deleted": 0,
            "skipped": 0,
            "quota_blocked": 0,
            "triggered_by": "schedule",
            "detail": "",
            "finished_at": None,
            **times(make.world.at(day, 9), n),
        }
        for n, (day, status, made, failed) in enumerate(days)
    ]


def _compliance(make: Maker) -> list[Row]:
    found, kept = [], protected(make.world)
    for n, volume in enumerate(make.world.rows("volume")):
        status = (
            ("compliant", "compliant", "compliant", "missing", "pending")[n % 5] if volume["server_id"] else "no_policy"
        )
        policy = "daily_5" if volume["server_id"] else None
        found.append(
            {
                **about("volume", volume),
                "status": status,
                "policy": policy,
                "policies": [policy] if policy else [],
                "volume_id": volume["id"],
                "volume_name": volume["name"],
                "server_name": volume["server"],
                "server_id": volume["server_id"],
                "level": "critical" if status == "missing" else "ok",
                "size_gb": volume["size_gb"],
                "last_at": None,
                "manual": 0,
                "points": len(copies(make.world, volume)),
                "window_hours": 26.0,
                "reason": "",
                "cover": "same" if volume["id"] in kept else "nothing",
            }
        )
    return found


def _jobs(make: Maker) -> list[Row]:
    return [
        {
            **about("server", calm_server(make, n)),
            "id": str(100 + n),
            "number": 100 + n,
            "action": action,
            "kind": action,
            "state": state,
            "status": state,
            "by": by,
            "actor": by,
            "user": by,
            "submitted_by": by,
            "title": f"{action} {n}",
            "name": f"{action} {n}",
            "detail": "the cloud refused it" if state == "failed" else "",
            "ended_at": None,
            "done": 0,
            "total": 1,
            "reason": "",
            "ticket": "",
            "failed_count": int(state == "failed"),
            **times(make.world.at(day, hour), n),
        }
        for n, (action, state, day, hour, by) in enumerate(JOBS)
    ]


def _restores(make: Maker) -> list[Row]:
    found = []
    for n, (status, day, hour) in enumerate(_RESTORES):
        server = calm_server(make, n + 2)
        found.append(
            {
                **about("server", server),
                "id": str(n + 1),
                "number": n + 1,
                "status": status,
                "state": status,
                "way": "NEW",
                "mode": "NEW",
                "vm_name": server["name"],
                "server_name": server["name"],
                "server_id": server["id"],
                "by": "alice",
                "created_by": "alice",
                "actor": "alice",
                "detail": "quota exceeded" if status == "FAILED" else "",
                "point": "snap-1",
                "new_name": server["name"],
                "step": "",
                "job": n,
                "finished_at": None,
                **times(make.world.at(day, hour), n),
            }
        )
    return found


def _problems(make: Maker) -> list[Row]:
    world, found = make.world, []
    down = world.one("hypervisor", lambda h: h["state"] == "down")
    for n, (severity, rule, words, day) in enumerate(_PROBLEMS):
        title = words.format(host=down["name"], n=n + 2, project=world.rows("project")[1]["name"])
        found.append(
            {
                "id": f"p{n}",
                "number": n + 1,
                "severity": severity,
                "rule": rule,
                "kind": rule,
                "title": title,
                "name": title,
                "detail": title,
                "cloud": down["cloud"],
                "region": down["region"],
                "type": "hypervisor" if rule == "host" else None,
                "count": n + 2,
                "machines": 0,
                "owner": "carla" if n == 0 else None,
                "muted": False,
                "muted_until": None,
                "state": "open",
                "project_name": None,
                "project_id": None,
                "resource_type": None,
                "resource_id": None,
                "note": None,
                **times(world.at(day, 12), n),
            }
        )
    return found


def _health(make: Maker) -> list[Row]:
    found = []
    for n, project in enumerate(make.world.rows("project")):
        own = {
            type: [r for r in make.world.rows(type) if r["project_id"] == project["id"]]
            for type in ("server", "volume")
        }
        score = (96, 72, 41, 88, 55, 63, 100, 91, 80, 84, 77)[n]
        band = "healthy" if score >= 80 else "warning" if score >= 60 else "critical"
        counts = {
            word: sum(s["status"] == status for s in own["server"])
            for word, status in (("running", "ACTIVE"), ("stopped", "SHUTOFF"), ("in_error", "ERROR"))
        }
        found.append(
            {
                "cloud": project["cloud"],
                "project_id": project["id"],
                "project_name": project["name"],
                "domain_name": project["domain"],
                "score": score,
                "grade": band,
                "band": band,
                "reasons": ["machines in error"],
                **counts,
                "servers": len(own["server"]),
                "volumes": len(own["volume"]),
                "volume_gb": sum(v["size_gb"] for v in own["volume"]),
                "drift_events": 0,
                "critical_drift": 0,
                "vcpus": sum(s["vcpus"] for s in own["server"]),
                "ram_mb": sum(s["ram_mb"] for s in own["server"]),
                "compliance_percent": None,
            }
        )
    return found
