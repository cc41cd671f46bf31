"""What of the facts is a problem, how bad, and in what words. Pure: facts and the time in, problems out.

critical   somebody cannot work now, or work that runs is at risk
warning    broken or about to be, without anybody standing still
info       so on purpose (a disabled host), worth knowing at a look
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from store.estate.reading.problems import Facts

Severity = Literal["critical", "warning", "info"]
Row = Mapping[str, Any]
RANK: Mapping[str, int] = {"critical": 0, "warning": 1, "info": 2}

TASK_OLD = timedelta(minutes=15)
FRESH_ERROR = timedelta(hours=24)  # a machine that ran and broke within it is somebody's night
SETTLED = timedelta(minutes=30)  # Nova's and Cinder's lists are not of one moment
SINGLE = 5  # of one rule in one project; more of them are one problem with a count
POOL_WARNING, POOL_CRITICAL = 85.0, 95.0
_LONG = timedelta(hours=6)
_SHORT = timedelta(minutes=15)
# How long a volume, snapshot or backup may be in a passing state before it is stuck.
PASSING: Mapping[str, timedelta] = {
    "creating": _SHORT, "deleting": _SHORT, "attaching": _SHORT, "detaching": _SHORT, "reserved": _SHORT,
    "extending": _SHORT, "managing": _SHORT, "unmanaging": _SHORT, "error_deleting": timedelta(),
    "downloading": _LONG, "uploading": _LONG, "retyping": _LONG, "backing-up": _LONG, "restoring-backup": _LONG,
    "restoring": _LONG, "maintenance": _LONG, "migrating": _LONG,
}  # fmt: skip
_QUOTA_WORDS = {"ram_mb": "RAM (MB)", "cores": "vCPU", "instances": "servers", "gigabytes": "volume GB"}
# Binaries of agents without which machines on the host lose their network, not only changes of it.
_DATA_PATH = ("openvswitch", "linuxbridge", "ovn", "l3", "sriov")


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of the list.

    rule, subject   what makes it the same problem tomorrow; `id` is made of them
    type, key       resource type and (cloud, region, id) of the one thing that is broken; key is None of several
    filter          filter of the list of `type` behind it
    count           how many things are broken; machines: how many servers are affected or stand behind it
    since_exact     false: it was so already when it was first looked at
    """

    rule: str
    subject: tuple[str, ...]
    severity: Severity
    title: str
    detail: str = ""
    cloud: str | None = None
    region: str | None = None
    type: str | None = None
    key: tuple[str, str, str] | None = None
    filter: str | None = None
    project_id: str | None = None
    project_name: str | None = None
    domain_id: str | None = None
    since: datetime | None = None
    since_exact: bool = True
    count: int = 1
    machines: int = 0
    opens: str | None = None  # what enter opens where it is no list of resources: "clouds", "jobs", "job:<number>"

    @property
    def id(self) -> str:
        """16 hexadecimal digits, the same for the same rule and subject for ever."""
        return hashlib.sha256("\0".join((self.rule, *self.subject)).encode()).hexdigest()[:16]


def order(problem: Problem) -> tuple[Any, ...]:
    """Sort key: worst first, then by how many machines it touches, then the newest."""
    return (RANK[problem.severity], -problem.machines, -problem.count, -_begun(problem), problem.title, problem.id)


def judge(facts: Facts, now: datetime) -> list[Problem]:
    """All problems of the clouds, worst first."""
    found = [
        *services(facts.services),
        *hosts(facts.hosts, facts.services),
        *machines(facts.machines, now),
        *storage(facts.storage, now),
        *attachments(facts.attachments, now),
        *floating_ips(facts.floating_ips),
        *quotas(facts.quotas),
        *pools(facts.pools),
    ]
    return sorted(found, key=order)


def counted(count: int, one: str, many: str = "") -> str:
    """ "1 machine", "23 machines"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def services(rows: Iterable[Row]) -> Iterator[Problem]:
    """Services and agents that are down; those that are disabled on purpose are told, not raised."""
    for row in rows:
        down = (row["state"] or "").lower() == "down"
        behind = _behind(row)
        alone = row["peers_up"] == 0
        reason = f"disabled: {row['reason']}" if row["reason"] else "disabled, no reason given"
        if row["type"] == "network_agent":
            reason = "switched off"
        if not down:
            severity: Severity = "info"
            detail = f"{reason}; {behind}" if row["machines"] else reason
        elif row["disabled"] and not row["machines"] and not row["volumes"]:
            severity, detail = "info", f"{reason}; nothing behind it"
        else:
            severity = "critical" if alone or _serious(row) else "warning"
            forced = "forced down; " if row["forced"] else ""
            last = f"; no {row['binary']} is up in the region" if alone and row["peers"] > 1 else ""
            detail = f"{forced}{behind}{last}" + (f"; {reason}" if row["disabled"] else "")
        yield _of(
            row,
            "service_down" if down else "service_disabled",
            severity,
            f"{row['host']} {row['binary']} {'down' if down else 'disabled'}",
            detail,
            type=row["type"],
            machines=row["machines"],
        )


def _behind(row: Row) -> str:
    """What stands behind a service, in words."""
    parts = []
    if row["volumes"]:
        parts.append(counted(row["volumes"], "volume"))
    if row["machines"] or not parts:
        parts.append(counted(row["machines"], "machine"))
    if row["groups"]:
        parts.append(counted(row["groups"], "anti-affinity group"))
    return ", ".join(parts)


def _serious(row: Row) -> bool:
    """Whether machines suffer while it is down: those behind compute, storage and what carries packets."""
    if row["type"] == "network_agent":
        return row["machines"] > 0 and any(word in row["binary"] for word in _DATA_PATH)
    return bool(row["machines"] or row["volumes"]) and row["binary"] in ("nova-compute", "cinder-volume")


def hosts(rows: Iterable[Row], known: Sequence[Row]) -> Iterator[Problem]:
    """Hypervisors that are down or disabled and whose compute service says nothing of it."""
    told = {
        (row["cloud"], row["region"], row["host"])
        for row in known
        if row["type"] == "compute_service" and row["binary"] == "nova-compute"
    }
    for row in rows:
        if (row["cloud"], row["region"], row["service_host"] or row["name"]) in told:
            continue
        down = (row["state"] or "").lower() == "down"
        reason = f"disabled: {row['reason']}" if row["reason"] else "disabled, no reason given"
        detail = counted(row["machines"], "machine") + (f"; {reason}" if row["disabled"] else "")
        severity: Severity = "info" if not down else "critical" if row["machines"] else "warning"
        yield _of(
            row,
            "host_down" if down else "host_disabled",
            severity,
            f"{row['name']} {'down' if down else 'disabled'}",
            detail,
            type="hypervisor",
            machines=row["machines"],
        )


def machines(rows: Iterable[Row], now: datetime) -> Iterator[Problem]:
    """Machines in ERROR, and those whose task does not end."""
    broken: list[Problem] = []
    stuck: list[Problem] = []
    for row in rows:
        name = row["name"] or row["id"]
        if (row["status"] or "").upper() == "ERROR":
            ran = row["launched_at"] is not None
            fresh = now - row["since"] <= FRESH_ERROR
            severity: Severity = "critical" if ran and fresh else "warning"
            words = row["fault"] or "Nova says no reason"
            detail = words if ran else f"was never started: {words}"
            broken.append(_of(row, "machine_error", severity, f"{name} ERROR", detail, type="server", machines=1))
        elif now - row["since"] > TASK_OLD:
            detail = f"{row['status']}, on {row['host']}" if row["host"] else f"{row['status']}, on no host"
            title = f"{name} hangs in {row['task_state']}"
            stuck.append(_of(row, "machine_stuck", "warning", title, detail, type="server", machines=1))
    yield from together(broken, lambda n: f"{counted(n, 'machine')} in ERROR", "status:error")
    yield from together(stuck, lambda n: f"{counted(n, 'machine')} with a task that hangs", "task_state:any")


def storage(rows: Iterable[Row], now: datetime) -> Iterator[Problem]:
    """Volumes, snapshots and backups in error or stuck in a passing state."""
    broken: dict[str, list[Problem]] = {}
    stuck: dict[str, list[Problem]] = {}
    for row in rows:
        status, name = (row["status"] or "").lower(), row["name"] or row["id"]
        what = row["type"]
        size = f"{row['size_gb']} GB" if row["size_gb"] is not None else ""
        if status.startswith("error"):
            severity: Severity = "critical" if row["attached"] and now - row["since"] <= FRESH_ERROR else "warning"
            detail = ", ".join(part for part in (size, "a machine uses it" if row["attached"] else "") if part)
            one = _of(row, f"{what}_error", severity, f"{what} {name} {status}", detail, type=what)
            broken.setdefault(what, []).append(replace(one, machines=int(row["attached"])))
        elif status in PASSING and now - row["since"] > PASSING[status]:
            title = f"{what} {name} hangs in {status}"
            stuck.setdefault(what, []).append(_of(row, f"{what}_stuck", "warning", title, size, type=what))
    for what, found in broken.items():
        yield from together(found, partial(_broken, what), "status:~^error")
    passing = ",".join(status for status in PASSING if not status.startswith("error"))
    for what, found in stuck.items():
        yield from together(found, partial(_hanging, what), f"status:{passing}")


def _broken(what: str, count: int) -> str:
    return f"{counted(count, what)} in error"


def _hanging(what: str, count: int) -> str:
    return f"{counted(count, what)} in a passing state for too long"


def attachments(rows: Iterable[Row], now: datetime) -> Iterator[Problem]:
    """Attachments that only Nova or only Cinder knows, and for so long that it is no matter of timing."""
    found = []
    for row in rows:
        if now - row["since"] <= SETTLED:
            continue
        server = row["server_name"] or row["server_id"]
        volume = row["volume_name"] or row["volume_id"]
        if row["by"] == "nova":
            detail = f"Nova has it attached, Cinder says {row['volume_status'] or 'there is no such volume'}"
        elif row["server_there"]:
            detail = f"Cinder has it {row['volume_status']} there, Nova does not know it"
        else:
            detail = f"Cinder has it {row['volume_status']} on a machine that does not exist"
        type, id = ("volume", row["volume_id"]) if row["volume_there"] else ("server", row["server_id"])
        one = _of({**row, "id": id}, "attachment_apart", "warning", f"{volume} on {server}", detail, type=type)
        subject = (row["cloud"], row["region"], row["server_id"], row["volume_id"])
        found.append(replace(one, subject=subject, machines=int(row["server_there"]), since_exact=False))
    yield from found


def floating_ips(rows: Iterable[Row]) -> Iterator[Problem]:
    """Floating IPs that do not work though their machine runs."""
    found = [
        _of(
            row,
            "floating_ip_down",
            "critical",
            f"{row['address']} DOWN",
            f"its machine {row['server_name'] or row['server_id']} runs",
            type="floating_ip",
            machines=1,
        )
        for row in rows
    ]
    yield from together(found, lambda n: f"{counted(n, 'floating IP')} DOWN while their machines run", "status:down")


def quotas(rows: Iterable[Row]) -> Iterator[Problem]:
    """Projects near or at a limit."""
    for row in rows:
        words = [
            f"{_QUOTA_WORDS.get(name, name.replace('_', ' '))} {used:,}/{limit:,}" for name, used, limit in row["full"]
        ]
        at_limit = any(used >= limit for _, used, limit in row["full"])
        name = row["project_name"] or row["project_id"]
        yield replace(
            _of(row, "quota", "warning", f"quota of {name} {'full' if at_limit else 'nearly full'}", ", ".join(words)),
            type="quota",
            key=(row["cloud"], row["region"], row["id"]),
            count=len(words),
            since=None,  # usage is a measurement: the row does not say when it grew
            since_exact=False,
        )


def pools(rows: Iterable[Row]) -> Iterator[Problem]:
    """Storage pools that are down or nearly full."""
    for row in rows:
        if (row["state"] or "").lower() == "down":
            yield _of(row, "pool_down", "critical", f"pool {row['name']} down", "", type="storage_pool")
            continue
        if row["free_gb"] is None or not row["total_gb"]:
            continue
        used = 100.0 * (1 - row["free_gb"] / row["total_gb"])
        if used >= POOL_WARNING:
            severity: Severity = "critical" if used >= POOL_CRITICAL else "warning"
            detail = f"{row['free_gb']:,.0f} of {row['total_gb']:,.0f} GB free"
            one = _of(row, "pool_full", severity, f"pool {row['name']} {used:.0f} % full", detail, type="storage_pool")
            yield replace(one, since=None, since_exact=False)


def together(found: Sequence[Problem], words: Callable[[int], str], filter: str) -> Iterator[Problem]:
    """More than SINGLE of one rule in one project become one problem with a count; its list lies behind it."""
    groups: dict[tuple[str, str, str, str], list[Problem]] = {}
    for one in found:
        groups.setdefault((one.rule, one.cloud or "", one.region or "", one.project_id or ""), []).append(one)
    for (rule, cloud, region, project), members in groups.items():
        if len(members) <= SINGLE:
            yield from members
            continue
        worst = min(members, key=order)
        begun = [one.since for one in members if one.since]
        where = f"project_id:={project}" if project else ""
        yield replace(
            worst,
            rule=f"{rule}s",
            subject=(cloud, region, project),
            title=f"{words(len(members))} in {worst.project_name or project or cloud}",
            detail=f"newest: {max(members, key=_begun).title}",
            key=None,
            filter=f"{filter} {where}".strip(),
            since=min(begun, default=None),
            since_exact=all(one.since_exact for one in members),
            count=len(members),
            machines=sum(one.machines for one in members),
        )


def _begun(problem: Problem) -> float:
    return problem.since.timestamp() if problem.since else 0.0


def _of(
    row: Row, rule: str, severity: Severity, title: str, detail: str, *, type: str | None = None, machines: int = 0
) -> Problem:
    """A problem of one resource."""
    return Problem(
        rule=rule,
        subject=(row["cloud"], row["region"], row["id"] if type != "quota" else row["project_id"]),
        severity=severity,
        title=title,
        detail=detail,
        cloud=row["cloud"],
        region=row["region"],
        type=type,
        key=(row["cloud"], row["region"], row["id"]),
        project_id=row.get("project_id"),
        project_name=row.get("project_name"),
        domain_id=row.get("domain_id"),
        since=row["since"],
        since_exact=row.get("since_exact", False),
        machines=machines,
    )
