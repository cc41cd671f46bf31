"""Rows of networks, and of what lies on them, as the service lists them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.copilot.evaluation.world import Row

Doc = dict[str, Any]


def utc(at: datetime) -> str:
    """As most services write times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def network(row: Row) -> Doc:
    """A network."""
    return {
        "id": row["id"],
        "name": row["name"],
        "status": row["status"],
        "project_id": row["project_id"],
        "admin_state_up": True,
        "shared": row["shared"],
        "router:external": row["external"],
        "mtu": 1450,
        "provider:network_type": row["kind"],
        "provider:physical_network": None,
        "provider:segmentation_id": None,
        "port_security_enabled": True,
        "subnets": row["subnets"],
        "description": "",
        "tags": [],
        "created_at": utc(row["created"]),
    }


def subnet(row: Row) -> Doc:
    """A subnet."""
    return {
        "id": row["id"],
        "name": row["name"],
        "cidr": row["cidr"],
        "gateway_ip": row["gateway"],
        "ip_version": 4,
        "enable_dhcp": row["dhcp"],
        "network_id": row["network_id"],
        "project_id": row["project_id"],
        "dns_nameservers": [],
        "allocation_pools": [],
        "host_routes": [],
        "description": "",
        "tags": [],
        "created_at": utc(row["created"]),
    }


def port(row: Row) -> Doc:
    """A port."""
    return {
        "id": row["id"],
        "name": row["name"],
        "status": row["status"],
        "mac_address": row["mac"],
        "network_id": row["network_id"],
        "fixed_ips": [{"subnet_id": row["subnet_id"], "ip_address": row["fixed"]}],
        "device_owner": row["owner"],
        "device_id": row["device_id"],
        "project_id": row["project_id"],
        "security_groups": row["group_ids"],
        "admin_state_up": True,
        "port_security_enabled": True,
        "binding:host_id": row["host"],
        "binding:vif_type": "ovs",
        "binding:vnic_type": "normal",
        "description": "",
        "tags": [],
        "allowed_address_pairs": [],
        "created_at": utc(row["created"]),
    }


def floating_ip(row: Row) -> Doc:
    """A floating ip."""
    details = {"device_owner": "compute:nova", "device_id": row["server_id"]} if row["server_id"] else None
    return {
        "id": row["id"],
        "floating_ip_address": row["address"],
        "status": row["status"],
        "fixed_ip_address": row["fixed"],
        "project_id": row["project_id"],
        "floating_network_id": row["network_id"],
        "router_id": None,
        "port_id": row["port_id"],
        "port_details": details,
        "description": "",
        "dns_name": "",
        "tags": [],
        "created_at": utc(row["created"]),
    }


def router(row: Row) -> Doc:
    """A router."""
    gateway = {
        "network_id": row["external_network_id"],
        "enable_snat": True,
        "external_fixed_ips": [{"subnet_id": "x", "ip_address": row["external_ip"]}],
    }
    return {
        "id": row["id"],
        "name": row["name"],
        "status": row["status"],
        "project_id": row["project_id"],
        "admin_state_up": True,
        "external_gateway_info": gateway,
        "ha": False,
        "distributed": False,
        "routes": [],
        "description": "",
        "tags": [],
        "created_at": utc(row["created"]),
    }


def security_group(row: Row) -> Doc:
    """A security group."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": "",
        "project_id": row["project_id"],
        "stateful": True,
        "shared": False,
        "tags": [],
        "created_at": utc(row["created"]),
    }


def rule(row: Row) -> Doc:
    """A rule."""
    return {
        "id": row["id"],
        "security_group_id": row["group_id"],
        "direction": row["direction"],
        "ethertype": "IPv4",
        "protocol": row["protocol"],
        "port_range_min": row["port"],
        "port_range_max": row["port"],
        "remote_ip_prefix": row["remote"],
        "remote_group_id": None,
        "project_id": row["project_id"],
        "description": "",
        "created_at": utc(row["created"]),
    }
