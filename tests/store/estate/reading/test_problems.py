"""What the store picks out as broken, from real listings: each kind, since when, and nothing of a healthy estate."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store.estate.estate import Estate
from store.estate.reading import problems
from store.estate.reading.problems import Facts
from store.types.derive import quota_document
from tests.engine.inventory.reading import DOCUMENTS, START, VOLUME_TENANT, server, take_in


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with Estate.open(tmp_path / "estate.duckdb") as found:
        for type, documents in DOCUMENTS.items():
            take_in(found, type, documents)
        yield found


def later(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def facts(estate: Estate) -> Facts:
    with estate.reader() as connection:
        return problems.read(connection)


def with_status(number: int, status: str, **more: Any) -> list[dict[str, Any]]:
    """The servers as before, one of them changed."""
    return [
        one if one["id"] != server(number)["id"] else {**one, "status": status, **more} for one in DOCUMENTS["server"]
    ]


def test_a_healthy_estate_has_nothing(estate: Estate) -> None:
    found = facts(estate)
    assert [getattr(found, name) for name in Facts.__slots__] == [[] for _ in Facts.__slots__]


def test_since_is_when_the_state_was_first_seen_without_a_break(estate: Estate) -> None:
    take_in(estate, "server", with_status(1, "ERROR"), later(10))
    take_in(estate, "server", with_status(1, "ACTIVE"), later(20))
    take_in(estate, "server", with_status(1, "ERROR"), later(30))
    take_in(estate, "server", with_status(1, "ERROR", name="renamed"), later(40))
    (row,) = facts(estate).machines
    assert (row["name"], row["since"], row["since_exact"]) == ("renamed", later(30), True)
    assert (row["project_name"], row["domain_id"]) == ("labs-dev", "d2")


def test_what_was_so_from_the_beginning_says_so(estate: Estate) -> None:
    stuck = {**server(9), "OS-EXT-STS:task_state": "deleting"}
    take_in(estate, "server", [*DOCUMENTS["server"], stuck], later(10))
    (row,) = facts(estate).machines
    assert (row["task_state"], row["since"], row["since_exact"]) == ("deleting", later(10), False)


def test_services_know_what_stands_behind_them(estate: Estate) -> None:
    up = {"id": "c1", "host": "cmp-1", "binary": "nova-compute", "state": "up", "status": "enabled", "zone": "nova"}
    other = {**up, "id": "c2", "host": "cmp-2"}
    group = {"id": "g1", "name": "g", "policy": "anti-affinity", "members": [server(1)["id"], server(2)["id"]]}
    take_in(estate, "server_group", [group])
    take_in(estate, "compute_service", [up, other])
    take_in(estate, "compute_service", [{**up, "state": "down"}, {**other, "status": "disabled"}], later(5))
    backend = {"host": "h@b", "binary": "cinder-volume", "state": "down", "status": "enabled", "zone": "nova"}
    take_in(estate, "volume_service", [backend], later(5))
    agent = {"id": "a1", "host": "cmp-1", "binary": "neutron-dhcp-agent", "alive": False, "admin_state_up": True}
    take_in(estate, "network_agent", [agent], later(5))
    found = {(row["type"], row["host"]): row for row in facts(estate).services}
    down = found["compute_service", "cmp-1"]
    assert (down["state"], down["disabled"], down["machines"], down["groups"]) == ("down", False, 3, 1)
    assert (down["peers"], down["peers_up"], down["since"], down["since_exact"]) == (2, 1, later(5), True)
    assert (found["compute_service", "cmp-2"]["disabled"], found["compute_service", "cmp-2"]["machines"]) == (True, 0)
    assert (found["volume_service", "h@b"]["volumes"], found["volume_service", "h@b"]["machines"]) == (3, 1)
    assert found["network_agent", "cmp-1"]["machines"] == 3


def test_hosts_and_storage(estate: Estate) -> None:
    take_in(estate, "hypervisor", [{**DOCUMENTS["hypervisor"][0], "state": "down"}], later(5))
    volumes = [{**one, "status": "error" if one["id"] == "v1" else one["status"]} for one in DOCUMENTS["volume"]]
    take_in(estate, "volume", volumes, later(5))
    take_in(estate, "snapshot", [{**DOCUMENTS["snapshot"][0], "status": "deleting"}], later(5))
    found = facts(estate)
    assert [(row["name"], row["machines"], row["disabled"]) for row in found.hosts] == [("cmp-1", 3, False)]
    assert [(row["type"], row["name"], row["status"], row["attached"]) for row in found.storage] == [
        ("volume", "root", "error", True),
        ("snapshot", "nightly", "deleting", False),
    ]


def test_attachments_on_which_the_two_disagree(estate: Estate) -> None:
    free = {**DOCUMENTS["volume"][0], "status": "available", "attachments": []}
    foreign = {"id": "v9", "name": "lost", "status": "in-use", "size": 1, VOLUME_TENANT: "p1",
               "attachments": [{"server_id": "gone", "device": "/dev/vdb"}]}  # fmt: skip
    take_in(estate, "volume", [free, *DOCUMENTS["volume"][1:], foreign], later(5))
    rows = {row["volume_id"]: row for row in facts(estate).attachments}
    assert set(rows) == {"v1", "v9"}
    assert (rows["v1"]["by"], rows["v1"]["server_there"], rows["v1"]["volume_status"]) == ("nova", True, "available")
    assert (rows["v9"]["by"], rows["v9"]["server_there"], rows["v9"]["since"]) == ("cinder", False, later(5))


def test_floating_ips_down_only_while_the_machine_runs(estate: Estate) -> None:
    down = {**DOCUMENTS["floating_ip"][0], "status": "DOWN"}
    take_in(estate, "floating_ip", [down], later(5))
    assert [(row["address"], row["server_name"]) for row in facts(estate).floating_ips] == [("203.0.113.2", "web-1")]
    take_in(estate, "server", with_status(1, "SHUTOFF"), later(6))
    assert facts(estate).floating_ips == []


def test_quotas_and_pools(estate: Estate) -> None:
    cores = {"limit": 10, "in_use": 9, "reserved": 0}
    compute = {"cores": cores, "instances": {"limit": -1, "in_use": 50}, "ram": {"limit": 1000, "in_use": 899}}
    document = quota_document("p1", {"compute": compute, "volume": {"snapshots": {"limit": 10, "in_use": 10}}})
    take_in(estate, "quota", [document], later(5))
    pool = {"name": "h@b#p", "capabilities": {"total_capacity_gb": 100.0, "free_capacity_gb": 4.0}}
    endless = {"name": "h@b#q", "capabilities": {"total_capacity_gb": "infinite", "free_capacity_gb": "infinite"}}
    take_in(estate, "storage_pool", [pool, endless], later(5))
    found = facts(estate)
    assert [(row["project_name"], row["full"]) for row in found.quotas] == [
        ("acme-prod", [("snapshots", 10, 10), ("cores", 9, 10)])
    ]
    assert [(row["name"], row["free_gb"]) for row in found.pools] == [("h@b#p", 4.0)]
