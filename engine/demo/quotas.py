"""What each project uses, counted from the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from engine.demo.state import State
from engine.demo.tables import Table

Usage = dict[str, dict[str, int]]


def _of(table: Table[Any], project: str | None) -> Iterable[Any]:
    """The rows of one project, or all."""
    return table if project is None else table.having("project", project)


def _new() -> Usage:
    return defaultdict(lambda: defaultdict(int))


def compute_usage(state: State, project: str | None = None) -> Usage:
    """instances, cores, ram (MB) and server_groups by project."""
    usage = _new()
    for server in _of(state.servers, project):
        mine = usage[server.project]
        mine["instances"] += 1
        mine["cores"] += server.flavor.vcpus
        mine["ram"] += server.flavor.ram
    for group in _of(state.server_groups, project):
        usage[group.project]["server_groups"] += 1
    return usage


def volume_usage(state: State, project: str | None = None) -> Usage:
    """volumes, snapshots, gigabytes (volumes and snapshots, as Cinder counts), backups, and the same by type."""
    usage = _new()
    for volume in _of(state.volumes, project):
        mine = usage[volume.project]
        mine["volumes"] += 1
        mine["gigabytes"] += volume.size
        mine[f"volumes_{volume.type}"] += 1
        mine[f"gigabytes_{volume.type}"] += volume.size
    for snapshot in _of(state.snapshots, project):
        mine = usage[snapshot.project]
        mine["snapshots"] += 1
        mine["gigabytes"] += snapshot.size
        volume = state.volumes.get(snapshot.volume)
        if volume:
            mine[f"snapshots_{volume.type}"] += 1
            mine[f"gigabytes_{volume.type}"] += snapshot.size
    for backup in _of(state.backups, project):
        mine = usage[backup.project]
        mine["backups"] += 1
        mine["backup_gigabytes"] += backup.size
    return usage


def network_usage(state: State, project: str | None = None) -> Usage:
    """What Neutron counts: networks, subnets, ports, routers, floating IPs, groups and rules by project."""
    usage = _new()
    for name, table in (
        ("network", state.networks),
        ("subnet", state.subnets),
        ("port", state.ports),
        ("router", state.routers),
        ("floatingip", state.floating_ips),
        ("security_group", state.security_groups),
        ("security_group_rule", state.rules),
        ("trunk", state.trunks),
    ):
        for row in _of(table, project):
            usage[row.project][name] += 1
    return usage
