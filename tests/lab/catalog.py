"""Accounts, catalog and defaults, made through the APIs; runs in the lab's Python.

usage: catalog.py catalog | finish
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import subprocess

from tests.lab import places, processes, services
from tests.lab.client import connect
from tests.lab.databases import nova_manage

SERVICES = {
    "glance": ("image", ""),
    "placement": ("placement", ""),
    "nova": ("compute", "/v2.1"),
    "cinder": ("block-storage", "/v3/%(project_id)s"),
    "neutron": ("network", ""),
}
ROLES = ("admin", "manager", "member", "reader", "service")
VOLUME_TYPES = {"standard": "hdd", "premium": "ssd"}


def write_clouds(known: dict[str, str]) -> None:
    """Write clouds.yaml (0600): one entry per point of view that tests need."""
    from tests.lab.configuration import write

    admin = {"project_name": "admin", "project_domain_name": "Default"}
    demo = {"project_name": "demo", "project_domain_name": "Default"}
    entries: list[tuple[str, str, str, dict[str, str]]] = [
        ("lab-admin", "admin", "admin", admin),
        ("lab-system", "admin", "admin", {"system_scope": "all"}),
        ("lab-outsider-admin", "outsider-admin", "outsider", admin),
        ("lab-member", "lab-member", "member", demo),
        ("lab-reader", "lab-reader", "reader", demo),
    ]
    lines = ["clouds:"]
    for name, user, secret, scope in entries:
        auth = {"auth_url": places.url("keystone", "/v3"), "username": user, "password": known[secret]}
        lines += [f"  {name}:", f"    region_name: {places.REGION}", "    interface: public", "    auth:"]
        lines += [f"      {key}: {value}" for key, value in {**auth, "user_domain_name": "Default", **scope}.items()]
    write("clouds.yaml", "\n".join(lines) + "\n")


def ensure_user(identity: Any, name: str, password: str) -> Any:
    """The user of that name in the default domain, made when missing."""
    return identity.find_user(name, domain_id="default") or identity.create_user(
        name=name, password=password, domain_id="default"
    )


def ensure_project(identity: Any, name: str, description: str) -> Any:
    """The project of that name in the default domain, made when missing."""
    return identity.find_project(name, domain_id="default") or identity.create_project(
        name=name, domain_id="default", description=description
    )


def catalog() -> None:
    """Roles, service accounts, endpoints, and the people of clouds.yaml."""
    known = places.load_secrets()
    identity = connect().identity
    roles = {role.name: role for role in identity.roles()}
    for name in ROLES:
        roles[name] = roles.get(name) or identity.create_role(name=name)
    project = ensure_project(identity, "service", "service accounts")
    listed = {service.type: service for service in identity.services()}
    endpoints = {(item.service_id, item.interface): item for item in identity.endpoints()}
    for name, (kind, suffix) in SERVICES.items():
        user = ensure_user(identity, name, known["service"])
        for role in ("admin", "service"):
            identity.assign_project_role_to_user(project, user, roles[role])
        service = listed.get(kind) or identity.create_service(type=kind, name=name)
        url = places.url(name, suffix)
        for interface in ("public", "internal", "admin"):
            endpoint = endpoints.get((service.id, interface))
            if endpoint is None:
                identity.create_endpoint(service_id=service.id, interface=interface, url=url, region_id=places.REGION)
            elif endpoint.url != url:
                identity.update_endpoint(endpoint, url=url)
    demo = ensure_project(identity, "demo", "people try things")
    home = identity.find_project("admin", domain_id="default")
    for name, secret, role, where in (
        ("lab-member", "member", "member", demo),
        ("lab-reader", "reader", "reader", demo),
        # An administrator of the cloud without a role in any tenant's project.
        ("outsider-admin", "outsider", "admin", home),
    ):
        identity.assign_project_role_to_user(where, ensure_user(identity, name, known[secret]), roles[role])


def _backends_up(cloud: Any) -> bool:
    listed = [s for s in cloud.compute.services() if s.binary == "nova-compute"]
    computes = {s.host for s in listed if s.state == "up" or s.is_forced_down}
    # The scheduler knows a back end only once that has told its pools: until then volumes of its type end in error.
    pools = cloud.block_storage.get("/scheduler-stats/get_pools").json()["pools"]
    return set(places.COMPUTES) <= computes and len(pools) >= sum(len(names) for names in places.BACKENDS.values())


def wait_backends(cloud: Any, seconds: float = 300) -> None:
    """Wait until all compute hosts and volume back ends report; SystemExit when one died."""
    import openstack

    deadline = time.monotonic() + seconds
    reason = "they do not report"
    while True:
        try:
            if _backends_up(cloud):
                return
        except openstack.exceptions.SDKException as error:
            reason = str(error)
        dead = [s.name for s in services.everything() if not processes.read_pid(s.name)]
        if dead:
            raise SystemExit(f"Ended by themselves: {', '.join(dead)}; see {places.LOG}.")
        if time.monotonic() > deadline:
            raise SystemExit(f"Compute hosts or volume back ends are not up after {seconds:.0f} s: {reason}.")
        time.sleep(1)


def finish() -> None:
    """Map the compute hosts into their cell, raise the admin project's quota, make volume types."""
    cloud = connect()
    wait_backends(cloud)
    if not set(places.COMPUTES) <= {hypervisor.name for hypervisor in cloud.compute.hypervisors()}:
        subprocess.check_call([*nova_manage(), "cell_v2", "discover_hosts"])
    project = cloud.current_project_id
    cloud.compute.update_quota_set(project, instances=500, cores=2000, ram=4 << 20)
    cloud.block_storage.update_quota_set(project, volumes=500, snapshots=500, gigabytes=50000, backups=200)
    types = {kind.name for kind in cloud.block_storage.types()}
    for name, backend in VOLUME_TYPES.items():
        if name not in types:
            cloud.block_storage.create_type(
                name=name, description=f"{backend} back end", extra_specs={"volume_backend_name": backend}
            )


if __name__ == "__main__":
    {"catalog": catalog, "finish": finish}[sys.argv[1]]()
