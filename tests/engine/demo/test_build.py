"""The cloud that is built: the same from the same seed, whole, and lifelike."""

from __future__ import annotations

import gc
import time
from collections import Counter

import pytest

from engine.demo.build import build
from engine.demo.clock import Clock
from engine.demo.state import State
from engine.demo.tables import newest_first
from tests.engine.demo.harness import EPOCH, Wire

LISTS = [
    ("compute", "/v2.1/servers/detail?all_tenants=1"),
    ("volume", "/volumes/detail?all_tenants=1"),
    ("network", "/v2.0/ports"),
    ("image", "/v2/images?limit=1000"),
    ("identity", "/v3/role_assignments?include_names"),
]


def made(servers: int, seed: str = "test") -> State:
    return build(seed, servers, EPOCH, Clock(EPOCH, wall=lambda: 0.0))[0]


def check_whole(state: State) -> None:
    """Every reference leads somewhere, both ends agree, and the orders hold each row once."""
    for table in (state.servers, state.volumes, state.snapshots):
        _, rows = table.order("newest", newest_first)
        assert len(rows) == len(table) and all(table.get(row.id) is row for row in rows)
        assert rows == sorted(rows, key=newest_first)
    devices = {"": None, **state.servers.rows, **state.routers.rows, **state.floating_ips.rows}
    for port in state.ports:
        assert port.network.id in state.networks
        assert port.device_id in devices or port.device_owner == "network:dhcp"
        assert all(subnet in state.subnets for subnet, _ in port.fixed_ips)
        assert all(group in state.security_groups for group in port.groups)
        if port.device_owner.startswith("compute:"):
            assert port in state.servers.rows[port.device_id].ports
    for server in state.servers:
        assert server.project in state.projects
        assert server.user in state.users
        assert server.flavor.id in state.flavors or server.flavor.name.endswith(".2019")
        assert all(port.id in state.ports for port in server.ports)
        assert all(attachment.id in state.attachments for attachment in server.volumes)
        assert not server.host or server.host.id in state.hosts
    for attachment in state.attachments:
        assert attachment in state.volumes.rows[attachment.volume].attachments
        assert attachment in state.servers.rows[attachment.server].volumes
    for snapshot in state.snapshots:
        assert state.volumes.rows[snapshot.volume].project == snapshot.project
        assert state.volumes.rows[snapshot.volume].created < snapshot.created
    for backup in state.backups:
        assert backup.volume in state.volumes
    for rule in state.rules:
        assert rule in state.security_groups.rows[rule.group].rules
    for floating in state.floating_ips:
        assert floating.port is None or floating.port.floating is floating
    addresses = Counter(address for port in state.ports for address in port.fixed_ips)
    assert max(addresses.values()) == 1


def check_hosts(state: State) -> None:
    """What a host says is used is what its servers use, and no host is overfull."""
    for host in state.hosts:
        mine = [server for server in state.servers if server.host is host]
        assert host.vms == len(mine)
        assert host.vcpus_used == sum(server.flavor.vcpus for server in mine) <= host.vcpus * 4
        assert host.ram_used == sum(server.flavor.ram for server in mine) <= host.ram
        assert host.disk_used == sum(server.flavor.disk for server in mine if not server.from_volume)


@pytest.mark.parametrize("servers", [1, 7, 50, 700])
def test_everything_refers_to_something(servers: int) -> None:
    state = made(servers)
    assert len(state.servers) == servers
    check_whole(state)
    check_hosts(state)


def test_fifty_thousand_servers() -> None:
    began = time.process_time()
    state = made(50_000)
    # Measured 1.8 s; a generous bound, since other tests share the machine.
    assert time.process_time() - began < 5
    assert len(state.servers) == 50_000
    assert 60_000 < len(state.volumes) < 90_000
    assert 80_000 < len(state.ports) < 110_000
    assert 20_000 < len(state.snapshots) < 30_000
    # Half a million objects that stay: the collector would look at all of them again and again.
    gc.freeze()
    try:
        check_whole(state)
    finally:
        gc.unfreeze()
    used = sum(host.ram_used for host in state.hosts)
    assert used == sum(server.flavor.ram for server in state.servers if server.host)


def test_the_same_seed_gives_the_same_answers() -> None:
    one, other, different = Wire.new(40), Wire.new(40), Wire.new(40, seed="another")
    for service, target in LISTS:
        # Ids in links are the token's own project, which is the same as well.
        assert one(service, target).response.body == other(service, target).response.body
        assert one(service, target).response.body != different(service, target).response.body


@pytest.mark.parametrize("servers", [0, -1, 50_001])
def test_sizes_out_of_range_are_refused(servers: int) -> None:
    with pytest.raises(ValueError, match="1 to 50,000"):
        made(servers)


def test_it_looks_like_a_cloud_in_use() -> None:
    state = made(400)
    sizes = sorted(Counter(server.project for server in state.servers).values())
    assert sizes[-1] > 5 * sizes[0]
    booted = sum(server.from_volume for server in state.servers)
    assert booted > len(state.servers) / 2
    assert {"ACTIVE", "SHUTOFF", "ERROR"} <= {server.status for server in state.servers}
    assert any(server.fault for server in state.servers)
    assert {"error", "attaching", "available", "in-use"} <= {volume.status for volume in state.volumes}
    assert any(len(volume.attachments) == 2 for volume in state.volumes)
    assert any(not host.up and host.vms for host in state.hosts)
    assert any(not agent.alive for agent in state.agents)
    assert any("[red]" in server.name for server in state.servers)
    assert any("\x1b" in server.name for server in state.servers)
    protected = [volume for volume in state.volumes if (volume.metadata or {}).get("auto_snapshot") == "true"]
    assert protected
    made_by_policy = [row for row in state.snapshots if (row.metadata or {}).get("created_by") == "p9_auto_snapshots"]
    assert all(row.name.startswith("auto-") for row in made_by_policy) and made_by_policy
    # A snapshot nobody remembers: a year old, of a volume nothing uses.
    assert any(row.created < EPOCH - 300 * 86400 for row in state.snapshots)
    assert all(server.created <= EPOCH for server in state.servers)


def test_a_quota_is_nearly_used_up() -> None:
    from engine.demo.quotas import compute_usage

    state = made(400)
    usage = compute_usage(state)
    shares = [
        usage[project.id]["cores"] / project.compute_quota["cores"] for project in state.projects if project.id in usage
    ]
    assert max(shares) > 0.9
    assert all(share <= 1 for share in shares)
