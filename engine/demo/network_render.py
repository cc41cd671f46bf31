"""Networks, subnets, ports and the rest as Neutron writes them; some fields are for administrators only."""

from __future__ import annotations

from typing import Any

from engine.demo.clock import nova_time
from engine.demo.network_records import Agent, FloatingIp, Network, Port, Router, Rule, SecurityGroup, Subnet, Trunk

Document = dict[str, Any]
DETAILS = {
    "port_filter": True,
    "ovs_hybrid_plug": False,
    "datapath_type": "system",
    "bridge_name": "br-int",
    "connectivity": "l2",
}


def network_document(row: Network, admin: bool, now: int) -> Document:
    """The network as Neutron tells it; `admin` adds the provider's fields; `now` in seconds."""
    document: Document = {
        "id": row.id,
        "name": row.name,
        "tenant_id": row.project,
        "project_id": row.project,
        "admin_state_up": row.admin_up,
        "mtu": row.mtu,
        "status": row.status,
        "subnets": [subnet.id for subnet in row.subnets],
        "shared": row.shared,
        "availability_zone_hints": [],
        "availability_zones": ["nova"] if row.subnets and not row.external else [],
        "ipv4_address_scope": None,
        "ipv6_address_scope": None,
        "router:external": row.external,
        "qinq": False,
        "description": row.description,
        "port_security_enabled": True,
        "qos_policy_id": None,
        "tags": list(row.tags),
        "created_at": nova_time(row.created),
        "updated_at": nova_time(row.updated),
        "revision_number": row.revision,
    }
    if row.external:
        document["is_default"] = True
    if admin:
        document["provider:network_type"] = row.kind
        document["provider:physical_network"] = row.physical
        document["provider:segmentation_id"] = row.segment
    return document


def subnet_document(row: Subnet, admin: bool, now: int) -> Document:
    """The subnet as Neutron tells it, with its allocation pool."""
    return {
        "id": row.id,
        "name": row.name,
        "project_id": row.project,
        "network_id": row.network.id,
        "ip_version": row.version,
        "subnetpool_id": None,
        "enable_dhcp": row.dhcp,
        "ipv6_ra_mode": None,
        "ipv6_address_mode": None,
        "gateway_ip": row.gateway,
        "cidr": row.cidr,
        "allocation_pools": [{"start": start, "end": end} for start, end in row.ranges()],
        "host_routes": [],
        "dns_nameservers": list(row.dns),
        "description": row.description,
        "router:external": row.network.external,
        "service_types": [],
        "tags": list(row.tags),
        "created_at": nova_time(row.created),
        "updated_at": nova_time(row.updated),
        "revision_number": row.revision,
        "tenant_id": row.project,
    }


def port_document(row: Port, admin: bool, now: int) -> Document:
    """The port as Neutron tells it; `admin` adds the binding to a host."""
    document: Document = {
        "id": row.id,
        "name": row.name,
        "network_id": row.network.id,
        "project_id": row.project,
        "mac_address": row.mac,
        "admin_state_up": row.admin_up,
        "status": row.status,
        "device_id": row.device_id,
        "device_owner": row.device_owner,
        "fixed_ips": [{"subnet_id": subnet, "ip_address": ip} for subnet, ip in row.fixed_ips],
        "allowed_address_pairs": [{"ip_address": ip, "mac_address": mac or row.mac} for ip, mac in row.pairs],
        "extra_dhcp_opts": [],
        "security_groups": list(row.groups),
        "description": row.description,
        "binding:vnic_type": row.vnic,
    }
    if admin:
        document["binding:profile"] = {}
        document["binding:host_id"] = row.host
        document["binding:vif_type"] = "ovs" if row.host else "unbound"
        document["binding:vif_details"] = {**DETAILS, "bound_drivers": {"0": "openvswitch"}} if row.host else {}
    document["port_security_enabled"] = row.security
    document["qos_policy_id"] = row.qos
    document["qos_network_policy_id"] = None
    if admin:
        document["resource_request"] = None
    document["tags"] = list(row.tags)
    document["created_at"] = nova_time(row.created)
    document["updated_at"] = nova_time(row.updated)
    document["revision_number"] = row.revision
    document["tenant_id"] = row.project
    return document


def router_document(row: Router, admin: bool, now: int) -> Document:
    """The router as Neutron tells it, with its way out."""
    gateway = None
    if row.external is not None:
        gateway = {
            "network_id": row.external.id,
            "external_fixed_ips": [{"subnet_id": row.subnet, "ip_address": row.ip}],
            "enable_snat": True,
        }
    document: Document = {
        "id": row.id,
        "name": row.name,
        "project_id": row.project,
        "admin_state_up": row.admin_up,
        "status": row.status,
        "external_gateway_info": gateway,
        "description": "",
        "availability_zones": ["nova"],
    }
    if admin:
        document["ha"] = False
    return document | {
        "availability_zone_hints": [],
        "routes": [],
        "flavor_id": None,
        "tags": [],
        "created_at": nova_time(row.created),
        "updated_at": nova_time(row.updated),
        "revision_number": row.revision,
        "tenant_id": row.project,
    }


def floating_document(row: FloatingIp, admin: bool, now: int) -> Document:
    """The floating IP as Neutron tells it, with the port it leads to."""
    port = row.port
    details = None
    if port:
        details = {
            "name": port.name,
            "network_id": port.network.id,
            "mac_address": port.mac,
            "admin_state_up": port.admin_up,
            "status": port.status,
            "device_id": port.device_id,
            "device_owner": port.device_owner,
        }
    return {
        "id": row.id,
        "tenant_id": row.project,
        "project_id": row.project,
        "floating_ip_address": row.ip,
        "floating_network_id": row.network.id,
        "router_id": row.router,
        "port_id": port.id if port else None,
        "fixed_ip_address": row.leads_to,
        "status": row.status,
        "description": row.description,
        "qos_policy_id": None,
        "port_details": details,
        "port_forwardings": [],
        "tags": list(row.tags),
        "created_at": nova_time(row.created),
        "updated_at": nova_time(row.updated),
        "revision_number": row.revision,
    }


def rule_document(row: Rule, admin: bool, now: int) -> Document:
    """The security group rule as Neutron tells it in its own list."""
    return {
        "id": row.id,
        "project_id": row.project,
        "security_group_id": row.group,
        "ethertype": row.ethertype,
        "direction": row.direction,
        "protocol": row.protocol,
        "port_range_min": row.low,
        "port_range_max": row.high,
        "remote_ip_prefix": row.prefix,
        "remote_address_group_id": None,
        "normalized_cidr": row.prefix,
        "remote_group_id": row.remote_group,
        "belongs_to_default_sg": row.description is None,
        "description": row.description,
        "created_at": nova_time(row.created),
        "updated_at": nova_time(row.created),
        "revision_number": 0,
        "tenant_id": row.project,
    }


def group_document(row: SecurityGroup, admin: bool, now: int) -> Document:
    """The security group as Neutron tells it, with all its rules."""
    rules = []
    for rule in row.rules:
        document = rule_document(rule, admin, now)
        document["belongs_to_default_sg"] = None
        rules.append(document | {"standard_attr_id": int(rule.id[:6], 16), "tags": []})
    return {
        "id": row.id,
        "name": row.name,
        "stateful": True,
        "tenant_id": row.project,
        "project_id": row.project,
        "description": row.description,
        "shared": False,
        "security_group_rules": rules,
        "tags": [],
        "created_at": nova_time(row.created),
        "updated_at": nova_time(row.updated),
        "revision_number": row.revision,
    }


def agent_document(row: Agent, admin: bool, now: int) -> Document:
    """The network agent as Neutron tells it; one that is alive was heard of within 30 s of `now`."""

    def plain(seconds: int) -> str:
        return nova_time(seconds).replace("T", " ")[:-1]

    beat = now - now % 30 if row.alive else row.stopped_at or row.created
    return {
        "id": row.id,
        "agent_type": row.kind,
        "binary": row.binary,
        "topic": row.topic,
        "host": row.host,
        "admin_state_up": True,
        "created_at": plain(row.created),
        "started_at": plain(row.created + 3600),
        "heartbeat_timestamp": plain(beat),
        "description": None,
        "resources_synced": None,
        "availability_zone": row.zone,
        "alive": row.alive,
        "configurations": row.configurations,
    }


def trunk_document(row: Trunk, admin: bool, now: int) -> Document:
    """The trunk as Neutron tells it, with its sub-ports."""
    children = [
        {"port_id": port.id, "segmentation_type": "vlan", "segmentation_id": tag} for port, tag in row.sub_ports
    ]
    return {
        "id": row.id,
        "name": row.name,
        "tenant_id": row.project,
        "project_id": row.project,
        "port_id": row.port.id,
        "status": row.status,
        "admin_state_up": True,
        "sub_ports": children,
        "description": "",
        "tags": [],
        "created_at": nova_time(row.created),
        "updated_at": nova_time(row.updated),
        "revision_number": 3,
    }
