"""Accounts, and what all projects share: flavors, images, networks, aggregates."""

from __future__ import annotations

import io
import random
from typing import Any

from tests.lab.company import (
    AGGREGATES,
    CLOSED,
    DOMAINS,
    FLAVORS,
    IMAGE_PROPERTIES,
    IMAGES,
    NETWORKS,
    PROJECTS,
    USERS,
)
from tests.lab.places import COMPUTES


def make_accounts(cloud: Any, password: str) -> list[tuple[Any, Any]]:
    """Domains, projects and users; returns (project, domain) pairs in the order of PROJECTS.

    The lab's `admin` becomes admin of every project but one, the outsider of none.
    """
    identity = cloud.identity
    roles = {role.name: role for role in identity.roles()}
    admin = identity.find_user("admin", domain_id="default")
    made = []
    for name in PROJECTS:
        title = name.split("-")[0]
        domain = identity.find_domain(title) or identity.create_domain(name=title, description=DOMAINS[title])
        project = identity.find_project(name, domain_id=domain.id) or identity.create_project(
            name=name, domain_id=domain.id, description=f"{name} team", tags=[title]
        )
        if name != CLOSED:
            identity.assign_project_role_to_user(project, admin, roles["admin"])
        group = identity.find_group(f"{title}-staff", domain_id=domain.id) or identity.create_group(
            name=f"{title}-staff", domain_id=domain.id
        )
        identity.assign_domain_role_to_group(domain, group, roles["reader"])
        for suffix, role in USERS.items():
            user = identity.find_user(f"{name}-{suffix}", domain_id=domain.id) or identity.create_user(
                name=f"{name}-{suffix}", domain_id=domain.id, password=password, default_project_id=project.id
            )
            identity.assign_project_role_to_user(project, user, roles[role])
        made.append((project, domain))
    return made


def make_shared(cloud: Any) -> None:
    """Flavors, images, provider networks, host aggregates, one QoS policy."""
    make_flavors(cloud.compute)
    make_images(cloud.image)
    make_networks(cloud.network)
    known = {group.name for group in cloud.compute.aggregates()}
    for name, (zone, hosts) in AGGREGATES.items():
        if name not in known:
            more = {"availability_zone": zone} if zone else {}
            group = cloud.compute.create_aggregate(name=name, **more)
            for host in COMPUTES[hosts]:
                cloud.compute.add_host_to_aggregate(group, host)


def make_flavors(compute: Any) -> None:
    """All flavors; the c2 ones carry extra specs."""
    known = {flavor.name for flavor in compute.flavors(is_public=None)}
    for name, (vcpus, ram, disk) in FLAVORS.items():
        if name not in known:
            flavor = compute.create_flavor(name=name, vcpus=vcpus, ram=ram, disk=disk)
            if name.startswith("c2"):
                compute.create_flavor_extra_specs(flavor, {"hw:cpu_policy": "shared"})


def make_images(image: Any) -> None:
    """Public raw images of 96 KiB of noise."""
    known = {item.name for item in image.images()}
    for name, (distribution, version, disk) in IMAGES.items():
        if name not in known:
            properties = {"os_distro": distribution, "os_version": version, **IMAGE_PROPERTIES.get(name, {})}
            make_image(image, name, disk, **properties)


def make_image(image: Any, name: str, disk: int, **properties: str) -> Any:
    """One of them, active."""
    return image.create_image(
        name=name,
        disk_format="raw",
        container_format="bare",
        visibility="public",
        min_disk=disk,
        min_ram=256,
        data=io.BytesIO(random.Random(name).randbytes(96 * 1024)),
        wait=True,
        **properties,
    )


def make_networks(network: Any) -> None:
    """An external and a shared network, and a QoS policy for all."""
    for name, (kind, tag, cidr, outside) in NETWORKS.items():
        if network.find_network(name):
            continue
        more = {"provider_segmentation_id": tag} if tag else {}
        made = network.create_network(
            name=name,
            is_router_external=outside,
            is_shared=not outside,
            provider_network_type=kind,
            provider_physical_network="physnet1",
            **more,
        )
        network.create_subnet(
            name=f"{name}-v4", network_id=made.id, ip_version=4, cidr=cidr, is_dhcp_enabled=not outside
        )
    if not network.find_qos_policy("limit-100mbit"):
        policy = network.create_qos_policy(name="limit-100mbit", is_shared=True)
        network.create_qos_bandwidth_limit_rule(policy, max_kbps=100000, max_burst_kbps=10000, direction="egress")
