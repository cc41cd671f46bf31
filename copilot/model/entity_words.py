"""What people call the resource types. The first word is how an answer names one; plurals are made by rule."""

from __future__ import annotations

# type -> words for one of them, lower case; the plurals are made of them
WORDS: dict[str, tuple[str, ...]] = {
    "server": (
        "server", "vm", "virtual machine", "instance", "machine", "box", "guest", "virtual server", "virtual",
        "compute instance", "nova instance", "vps", "workload", "srv", "virtual box", "guest machine",
    ),
    "hypervisor": (
        "host", "hypervisor", "compute host", "compute node", "node", "hv", "physical host", "physical server",
        "physical machine", "physical node", "compute server", "compute machine", "hypervisor host", "compute",
    ),
    "project": ("project", "tenant", "org", "organisation", "organization", "customer", "proj", "tennant",
        "consumer", "client"),
    "domain": ("domain", "keystone domain", "dom"),
    "user": ("user", "account", "user account", "keystone user", "cloud user", "openstack user", "usr"),
    "group": ("user group", "keystone group", "group", "grp"),
    "role": ("role", "keystone role"),
    "role_assignment": ("role assignment", "assignment", "grant", "access", "access right", "permission",
        "member of", "members of",
        "project member",
        "membership"),
    "service": ("service", "catalog service", "openstack service", "cloud service"),
    "endpoint": ("endpoint", "api endpoint", "catalog endpoint"),
    "flavor": ("flavor", "flavour", "instance type", "vm type", "machine type", "vm size", "flv"),
    "keypair": ("key pair", "keypair", "ssh key", "ssh keypair", "key"),
    "server_group": ("server group", "affinity group", "anti affinity group", "antiaffinity group", "sgrp"),
    "aggregate": ("host aggregate", "aggregate", "agg"),
    "availability_zone": ("availability zone", "az", "zone", "avail zone"),
    "compute_service": ("compute service", "nova service", "csvc"),
    "volume": ("volume", "disk", "vol", "block volume", "block device", "cinder volume", "data disk", "virtual disk"),
    "snapshot": ("snapshot", "snap", "volume snapshot", "disk snapshot", "cinder snapshot"),
    "volume_type": ("volume type", "disk type", "storage class", "volume class", "vtype"),
    "volume_attachment": ("volume attachment", "attachment", "disk attachment"),
    "backup": ("backup", "volume backup", "cinder backup", "bak", "bkp", "bkup"),
    "volume_service": ("volume service", "cinder service", "storage service", "vsvc"),
    "storage_pool": ("storage pool", "pool", "storage backend", "backend", "cinder backend", "cinder pool"),
    "cinder_message": ("storage message", "cinder message", "volume message"),
    "image": ("image", "img", "glance image", "template", "vm image", "os image", "disk image"),
    "network": ("network", "net", "virtual network", "neutron network", "tenant network", "lan", "vnet"),
    "subnet": ("subnet", "sub net", "subnetwork", "ip range", "address range"),
    "port": ("port", "network port", "neutron port", "nic", "vnic", "network interface", "interface", "network card"),
    "router": ("router", "virtual router", "neutron router", "rtr"),
    "floating_ip": (
        "floating IP", "floating ip", "fip", "floatingip", "public ip", "floating address", "external ip",
        "elastic ip", "public address", "floater", "floating ip address", "public ip address",
    ),
    "security_group": ("security group", "sg", "secgroup", "sec group", "firewall group", "secgrp", "securitygroup"),
    "security_group_rule": (
        "security group rule", "rule", "firewall rule", "sg rule", "secgroup rule", "sec group rule", "security rule",
    ),
    "trunk": ("trunk", "trunk port", "vlan trunk"),
    "network_agent": ("network agent", "agent", "neutron agent"),
    "quota": ("quota", "limit"),
}  # fmt: skip

# words whose plural is no rule's
PLURALS: dict[str, str] = {
    "vm": "vms", "box": "boxes", "virtual box": "virtual boxes", "proxy": "proxies",
        "storage class": "storage classes",
    "volume class": "volume classes", "floating address": "floating addresses", "public address": "public addresses",
    "floating ip address": "floating ip addresses", "public ip address": "public ip addresses", "vps": "vpses",
}  # fmt: skip


def plural(word: str) -> str:
    """The plural of a phrase: "key pair" -> "key pairs"."""
    if word in PLURALS:
        return PLURALS[word]
    if word.endswith(("s", "x", "sh", "ch")):
        return f"{word}es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"
