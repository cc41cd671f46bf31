"""The bodies of the documented changes of networks, security groups and rules."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AliasChoices, Field

from engine.compute.models import Given, Name, Text


def _also(name: str, *others: str) -> AliasChoices:
    return AliasChoices(name, *others)


class NetworkBody(Given):
    """A new network. The provider's fields also under Neutron's names."""

    name: Name
    project_id: Text | None = Field(None, validation_alias=_also("project_id", "tenant_id"))
    description: Text | None = None
    admin_state_up: bool = True
    shared: bool = Field(False, validation_alias=_also("shared", "is_shared"))
    external: bool = Field(False, validation_alias=_also("external", "is_external", "router:external"))
    network_type: Text | None = Field(None, validation_alias=_also("network_type", "provider:network_type"))
    physical_network: Text | None = Field(None, validation_alias=_also("physical_network", "provider:physical_network"))
    segmentation_id: int | None = Field(None, validation_alias=_also("segmentation_id", "provider:segmentation_id"))
    mtu: int | None = None

    def options(self) -> dict[str, Any]:
        """As the action network.create takes them."""
        same = ("name", "description", "admin_state_up", "shared", "external", "mtu")
        provider = ("network_type", "physical_network", "segmentation_id")
        found = {name: getattr(self, name) for name in same}
        found |= {f"provider_{name}": getattr(self, name) for name in provider}
        return {**found, "project": self.project_id}


class GroupBody(Given):
    """A new security group; it belongs to the configured account's project unless another is named."""

    name: Name
    description: Text | None = None
    project_id: Text | None = Field(None, validation_alias=_also("project_id", "tenant_id"))

    def options(self) -> dict[str, Any]:
        """As the action security_group.create takes them."""
        return {"name": self.name, "description": self.description, "project": self.project_id}


class RuleBody(Given):
    """A new rule of a security group."""

    security_group_id: Name
    direction: Literal["ingress", "egress"] = "ingress"
    ethertype: Literal["IPv4", "IPv6"] = "IPv4"
    protocol: str | int | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None
    remote_ip_prefix: Text | None = None
    remote_group_id: Text | None = None
    description: Text | None = None

    def options(self) -> dict[str, Any]:
        """As the action security_group_rule.create takes them."""
        same = ("direction", "ethertype", "port_range_min", "port_range_max", "remote_ip_prefix", "description")
        found = {name: getattr(self, name) for name in same}
        found |= {"security_group": self.security_group_id, "remote_group": self.remote_group_id}
        return {**found, "protocol": None if self.protocol is None else str(self.protocol)}
