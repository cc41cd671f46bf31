"""What each project uses, counted from the rows."""

from __future__ import annotations

from collections import defaultdict

from engine.demo.state import State

Usage = dict[str, dict[str, int]]


def compute_usage(state: State) -> Usage:
    """instances, cores, ram (MB) and server_groups by project."""
    usage: Usage = defaultdict(lambda: defaultdict(int))
    for server in state.servers:
        mine = usage[server.project]
        mine["instances"] += 1
        mine["cores"] += server.flavor.vcpus
        mine["ram"] += server.flavor.ram
    for group in state.server_groups:
        usage[group.project]["server_groups"] += 1
    return usage


def volume_usage(state: State) -> Usage:
    """volumes, snapshots, gigabytes (volumes and snapshots, as Cinder counts), backups, and the same by type."""
    usage: Usage = defaultdict(lambda: defaultdict(int))
    types = {}
    for volume in state.volumes:
        mine = usage[volume.project]
        types[volume.id] = volume.type
        mine["volumes"] += 1
        mine["gigabytes"] += volume.size
        mine[f"volumes_{volume.type}"] += 1
        mine[f"gigabytes_{volume.type}"] += volume.size
    for snapshot in state.snapshots:
        mine = usage[snapshot.project]
        mine["snapshots"] += 1
        mine["gigabytes"] += snapshot.size
        kind = types.get(snapshot.volume)
        if kind:
            mine[f"snapshots_{kind}"] += 1
            mine[f"gigabytes_{kind}"] += snapshot.size
    for backup in state.backups:
        mine = usage[backup.project]
        mine["backups"] += 1
        mine["backup_gigabytes"] += backup.size
    return usage


def network_usage(state: State) -> Usage:
    """What Neutron counts: networks, subnets, ports, routers, floating IPs, groups and rules by project."""
    usage: Usage = defaultdict(lambda: defaultdict(int))
    for name, table in (
        ("network", state.networks),
        ("subnet", state.subnets),
        ("port", state.ports),
        ("router", state.routers),
        ("floatingip", state.floating_ips),
        ("security_group", state.security_groups),
        ("security_group_rule", state.rules),
    ):
        for row in table:
            usage[row.project][name] += 1  # type: ignore[attr-defined]
    return usage
