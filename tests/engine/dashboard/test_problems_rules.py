"""What counts as a problem, how bad it is and what is said of it: tables of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.dashboard import problems_own, problems_rules
from engine.dashboard.problems_own import Own
from engine.dashboard.problems_rules import SINGLE, Problem
from store import times
from store.estate.reading.problems import Facts

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
Row = dict[str, Any]


def ago(**words: float) -> datetime:
    """That long before NOW."""
    return NOW - timedelta(**words)


def service(**more: Any) -> Row:
    """A row of Facts.services: a compute service that is down with machines behind it."""
    return {
        "type": "compute_service", "cloud": "prod", "region": "one", "id": "s1", "host": "cmp-02",
        "binary": "nova-compute", "state": "down", "disabled": False, "forced": False, "reason": None, "peers": 3,
        "peers_up": 2, "machines": 23, "volumes": 0, "groups": 2, "since": ago(minutes=6), "since_exact": True, **more,
    }  # fmt: skip


SERVICES: list[tuple[Row, str, str, str]] = [
    (service(), "critical", "cmp-02 nova-compute down", "23 machines, 2 anti-affinity groups"),
    (service(machines=0, groups=0), "warning", "cmp-02 nova-compute down", "0 machines"),
    (service(machines=1, groups=1, forced=True), "critical", "cmp-02 nova-compute down",
     "forced down; 1 machine, 1 anti-affinity group"),
    (service(binary="nova-scheduler", machines=0, groups=0), "warning", "cmp-02 nova-scheduler down", "0 machines"),
    (service(binary="nova-scheduler", machines=0, groups=0, peers_up=0), "critical", "cmp-02 nova-scheduler down",
     "0 machines; no nova-scheduler is up in the region"),
    (service(disabled=True, reason="new DIMMs", machines=0, groups=0), "info", "cmp-02 nova-compute down",
     "disabled: new DIMMs; nothing behind it"),
    (service(disabled=True, reason="new DIMMs"), "critical", "cmp-02 nova-compute down",
     "23 machines, 2 anti-affinity groups; disabled: new DIMMs"),
    (service(state="up", disabled=True, reason="new DIMMs", groups=0), "info", "cmp-02 nova-compute disabled",
     "disabled: new DIMMs; 23 machines"),
    (service(state="up", disabled=True, machines=0, groups=0), "info", "cmp-02 nova-compute disabled",
     "disabled, no reason given"),
    (service(type="volume_service", host="c-1@ceph", binary="cinder-volume", volumes=9, machines=4, groups=0),
     "critical", "c-1@ceph cinder-volume down", "9 volumes, 4 machines"),
    (service(type="volume_service", host="c-1", binary="cinder-backup", volumes=0, machines=0, groups=0),
     "warning", "c-1 cinder-backup down", "0 machines"),
    (service(type="network_agent", binary="neutron-openvswitch-agent", groups=0), "critical",
     "cmp-02 neutron-openvswitch-agent down", "23 machines"),
    (service(type="network_agent", binary="neutron-dhcp-agent", groups=0), "warning",
     "cmp-02 neutron-dhcp-agent down", "23 machines"),
    (service(type="network_agent", binary="neutron-dhcp-agent", disabled=True, state="up", groups=0), "info",
     "cmp-02 neutron-dhcp-agent disabled", "switched off; 23 machines"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "severity", "title", "detail"), SERVICES)
def test_services(row: Row, severity: str, title: str, detail: str) -> None:
    (found,) = problems_rules.services([row])
    assert (found.severity, found.title, found.detail) == (severity, title, detail)
    assert found.key == ("prod", "one", "s1") and found.since == ago(minutes=6)


def host(**more: Any) -> Row:
    return {
        "cloud": "prod", "region": "one", "id": "h1", "name": "cmp-02.example", "service_host": "cmp-02",
        "state": "down", "disabled": False, "reason": None, "machines": 2, "since": NOW, "since_exact": True, **more,
    }  # fmt: skip


def test_a_host_is_told_once() -> None:
    assert list(problems_rules.hosts([host()], [service()])) == []
    assert list(problems_rules.hosts([host()], [service(binary="nova-scheduler")]))
    (found,) = problems_rules.hosts([host()], [])
    assert (found.severity, found.title, found.detail) == ("critical", "cmp-02.example down", "2 machines")
    (found,) = problems_rules.hosts([host(machines=0)], [])
    assert found.severity == "warning"
    (found,) = problems_rules.hosts([host(state="up", disabled=True, reason="disks")], [])
    assert (found.severity, found.title, found.detail) == (
        "info", "cmp-02.example disabled", "2 machines; disabled: disks")  # fmt: skip


def machine(**more: Any) -> Row:
    return {
        "cloud": "prod", "region": "one", "id": "m1", "name": "web-1", "status": "ERROR", "task_state": None,
        "fault": "no valid host", "launched_at": ago(days=9), "host": "cmp-1", "project_id": "p1",
        "project_name": "acme", "domain_id": "d1", "since": ago(hours=1), "since_exact": True, **more,
    }  # fmt: skip


MACHINES: list[tuple[Row, tuple[str, str, str] | None]] = [
    (machine(), ("critical", "web-1 ERROR", "no valid host")),
    (machine(since=ago(hours=25)), ("warning", "web-1 ERROR", "no valid host")),
    (machine(launched_at=None), ("warning", "web-1 ERROR", "was never started: no valid host")),
    (machine(fault=None), ("critical", "web-1 ERROR", "Nova says no reason")),
    (machine(status="ACTIVE", task_state="deleting", since=ago(minutes=15)), None),
    (machine(status="ACTIVE", task_state="deleting", since=ago(minutes=16)),
     ("warning", "web-1 hangs in deleting", "ACTIVE, on cmp-1")),
    (machine(status="BUILD", task_state="scheduling", host=None, since=ago(hours=1)),
     ("warning", "web-1 hangs in scheduling", "BUILD, on no host")),
]  # fmt: skip


@pytest.mark.parametrize(("row", "expected"), MACHINES)
def test_machines(row: Row, expected: tuple[str, str, str] | None) -> None:
    found = list(problems_rules.machines([row], NOW))
    assert [(p.severity, p.title, p.detail) for p in found] == ([expected] if expected else [])


def disk(**more: Any) -> Row:
    return {
        "type": "volume", "cloud": "prod", "region": "one", "id": "v1", "name": "root", "status": "error",
        "size_gb": 40, "attached": False, "project_id": "p1", "project_name": "acme", "domain_id": "d1",
        "since": ago(hours=1), "since_exact": True, **more,
    }  # fmt: skip


STORAGE: list[tuple[Row, tuple[str, str, str] | None]] = [
    (disk(), ("warning", "volume root error", "40 GB")),
    (disk(attached=True, status="error_extending"),
     ("critical", "volume root error_extending", "40 GB, a machine uses it")),
    (disk(attached=True, since=ago(days=2)), ("warning", "volume root error", "40 GB, a machine uses it")),
    (disk(type="snapshot", status="error_deleting", size_gb=None), ("warning", "snapshot root error_deleting", "")),
    (disk(status="detaching", since=ago(minutes=14)), None),
    (disk(status="detaching", since=ago(minutes=16)), ("warning", "volume root hangs in detaching", "40 GB")),
    (disk(status="reserved", since=ago(minutes=16)), ("warning", "volume root hangs in reserved", "40 GB")),
    (disk(status="retyping", since=ago(hours=5)), None),
    (disk(status="retyping", since=ago(hours=7)), ("warning", "volume root hangs in retyping", "40 GB")),
    (disk(status="of-a-later-release", since=ago(days=9)), None),
    (disk(type="backup", status="creating", since=ago(hours=1)),
     ("warning", "backup root hangs in creating", "40 GB")),
]  # fmt: skip


@pytest.mark.parametrize(("row", "expected"), STORAGE)
def test_storage(row: Row, expected: tuple[str, str, str] | None) -> None:
    found = list(problems_rules.storage([row], NOW))
    assert [(p.severity, p.title, p.detail) for p in found] == ([expected] if expected else [])


def apart(**more: Any) -> Row:
    return {
        "cloud": "prod", "region": "one", "server_id": "m1", "server_name": "web-1", "volume_id": "v1",
        "volume_name": "data", "volume_status": "in-use", "server_there": True, "volume_there": True, "by": "cinder",
        "project_id": "p1", "project_name": "acme", "domain_id": "d1", "since": ago(hours=1), **more,
    }  # fmt: skip


APART: list[tuple[Row, str | None, str]] = [
    (apart(since=ago(minutes=29)), None, ""),
    (apart(), "Cinder has it in-use there, Nova does not know it", "volume"),
    (apart(server_there=False, server_name=None), "Cinder has it in-use on a machine that does not exist", "volume"),
    (apart(by="nova", volume_status="available"), "Nova has it attached, Cinder says available", "volume"),
    (apart(by="nova", volume_status=None, volume_there=False, volume_name=None),
     "Nova has it attached, Cinder says there is no such volume", "server"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "detail", "type"), APART)
def test_attachments(row: Row, detail: str | None, type: str) -> None:
    found = list(problems_rules.attachments([row], NOW))
    assert [(p.detail, p.type) for p in found] == ([(detail, type)] if detail else [])


def test_addresses_quotas_and_pools() -> None:
    where = {"cloud": "prod", "region": "one", "id": "x", "project_id": "p1", "project_name": "acme", "domain_id": "d1",
             "since": NOW, "since_exact": True}  # fmt: skip
    (found,) = problems_rules.floating_ips(
        [{**where, "address": "203.0.113.9", "server_name": "web-1", "server_id": "m"}]
    )
    assert (found.severity, found.title, found.detail) == ("critical", "203.0.113.9 DOWN", "its machine web-1 runs")
    full = [("snapshots", 10, 10), ("cores", 1900, 2000)]
    (found,) = problems_rules.quotas([{**where, "full": full}])
    assert (found.title, found.detail) == ("quota of acme full", "snapshots 10/10, vCPU 1,900/2,000")
    (found,) = problems_rules.quotas([{**where, "full": full[1:]}])
    assert found.title == "quota of acme nearly full"
    for free, expected in ((160, []), (150, ["warning"]), (50, ["critical"]), (None, [])):
        pool = {**where, "name": "ceph", "state": "up", "total_gb": 1000.0, "free_gb": free}
        assert [p.severity for p in problems_rules.pools([pool])] == expected
    (found,) = problems_rules.pools([{**pool, "state": "down"}])
    assert found.title == "pool ceph down"


def test_many_of_one_project_are_one_problem() -> None:
    few = [machine(id=f"m{n}", name=f"web-{n}") for n in range(SINGLE)]
    assert len(list(problems_rules.machines(few, NOW))) == SINGLE
    many = [*few, machine(id="m9", name="web-9", since=ago(minutes=3))]
    other = machine(id="o1", name="db-1", project_id="p2", project_name="labs")
    found = sorted(problems_rules.machines([*many, other], NOW), key=problems_rules.order)
    assert [(p.title, p.count, p.machines, p.filter) for p in found] == [
        ("6 machines in ERROR in acme", 6, 6, "status:error project_id:=p1"),
        ("db-1 ERROR", 1, 1, None),
    ]
    assert found[0].since == ago(hours=1) and found[0].detail == "newest: web-9 ERROR" and found[0].key is None
    (again,) = problems_rules.machines([*many[1:], machine(id="m10")], NOW)
    assert again.id == found[0].id, "it stays the same problem while machines come and go"


def test_order_is_worst_first_then_by_machines() -> None:
    facts = Facts(services=[service(), service(id="s2", host="cmp-3", machines=0, groups=0)], machines=[machine()])
    titles = [problem.title for problem in problems_rules.judge(facts, NOW)]
    assert titles == ["cmp-02 nova-compute down", "web-1 ERROR", "cmp-3 nova-compute down"]
    assert problems_rules.judge(Facts(), NOW) == []


def test_ids_depend_on_rule_and_subject_only() -> None:
    one = Problem("quota", ("prod", "p1"), "warning", "a")
    assert one.id == Problem("quota", ("prod", "p1"), "critical", "b", count=7).id
    assert (
        len({one.id, Problem("quota", ("prod", "p2"), "warning", "a").id, Problem("q", ("prod", "p1"), "info", "").id})
        == 3
    )


# --- the console's own ---


def state(**more: Any) -> Row:
    return {"cloud": "prod", "region": "one", "type": "server", "state": "ok", "reason": "",
            "fresh_ended_at": ago(minutes=5), **more}  # fmt: skip


def cloud(*errors: str, name: str = "prod") -> Row:
    return {"name": name, "accounts": [{"name": f"a{n}", "file": "f", "last_error": e} for n, e in enumerate(errors)]}


OWN: list[tuple[Own, list[tuple[str, str]]]] = [
    (Own(), []),
    (Own(clouds=[cloud("", "")], states=[state(), state(type="agent", state="not_permitted")]), []),
    (Own(clouds=[cloud("401: expired")]), [("critical", "prod cannot be read")]),
    (Own(clouds=[cloud("401: expired")], states=[state(state="failed")]), [("critical", "prod cannot be read")]),
    (Own(clouds=[cloud("401", "401")]), [("critical", "prod cannot be read")]),
    (Own(clouds=[cloud("401", "")]), [("warning", "account a0 does not work")]),
    (Own(states=[state(state="failed"), state(state="failed", type="volume")]),
     [("warning", "prod one: servers, volumes could not be read")]),
    (Own(states=[state(state="suspect")]),
     [("warning", "prod one: servers show far fewer rows than before; nothing was deleted: somebody must decide")]),
    (Own(states=[state(fresh_ended_at=ago(minutes=45))]), []),
    (Own(states=[state(fresh_ended_at=ago(minutes=46))]), [("warning", "prod is stale: servers")]),
    (Own(states=[state(type=name, fresh_ended_at=ago(hours=2)) for name in ("server", "port", "image", "volume")]),
     [("warning", "prod is stale: images, ports and 2 more")]),
    (Own(disk=("/data", 50 * 2**30, 100 * 2**30)), []),
    (Own(disk=("/data", 9 * 2**30, 100 * 2**30)), [("warning", "/data has 9.0 GB left")]),
    (Own(disk=("/data", 2 * 2**30, 100 * 2**30)), [("critical", "/data has 2.0 GB left")]),
    (Own(disk=("/data", 2**28, 2**30)), [("critical", "/data has 0.2 GB left")]),
    (Own(errors=["the store must be opened again: why"]), [("critical", "the store must be opened again")]),
]  # fmt: skip


@pytest.mark.parametrize(("own", "expected"), OWN)
def test_own_faults(own: Own, expected: list[tuple[str, str]]) -> None:
    assert [(p.severity, p.title) for p in problems_own.judge(own, NOW)] == expected


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ({"state": "running"}, None),
        ({"state": "waiting", "started_at": times.text(ago(minutes=2))}, ("warning", "job 7 waits: Stop 3 servers")),
        ({"state": "waiting", "started_at": times.text(ago(hours=2))}, ("critical", "job 7 waits: Stop 3 servers")),
        ({"state": "failed", "ended_at": times.text(ago(hours=2))}, ("warning", "job 7 failed: Stop 3 servers")),
        ({"state": "failed", "ended_at": times.text(ago(hours=25))}, None),
        ({"state": "cancelled", "ended_at": times.text(ago(hours=2))}, None),
    ],
)
def test_jobs(job: Row, expected: tuple[str, str] | None) -> None:
    base = {"id": "j", "number": 7, "title": "Stop 3 servers", "by": "dana", "cloud": "prod", "failed": 1, "total": 3,
            "detail": "503", "created_at": times.text(ago(hours=3)), "started_at": None, "ended_at": None}  # fmt: skip
    found = list(problems_own.jobs([base | job], NOW))
    assert [(p.severity, p.title) for p in found] == ([expected] if expected else [])
    assert all(p.opens == "job:7" and "dana" in p.detail for p in found)
