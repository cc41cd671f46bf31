"""Limits, shares and amounts as words and rows, as quotas, usage and capacity say them."""

from __future__ import annotations

from collections.abc import Sequence

from copilot.answering import wording
from copilot.topics.speech import Speech

RED, YELLOW = 90.0, 70.0  # percent, as everywhere in the console

# What is limited -> words for it. The longest phrases come first where one is a part of another.
RESOURCES: dict[str, tuple[str, ...]] = {
    "security_group_rules": ("security group rules", "security group rule", "firewall rules"),
    "security_groups": ("security groups", "security group", "secgroups"),
    "floating_ips": ("floating ips", "floating ip", "public ips", "fips"),
    "server_groups": ("server groups", "server group"),
    "backup_gigabytes": ("backup gigabytes", "backup space", "backup storage"),
    "key_pairs": ("key pairs", "keypairs", "keypair", "key pair"),
    "instances": ("instances", "instance", "servers", "server", "vms", "vm", "machines", "machine",
                  "virtual machines"),
    "cores": ("cores", "core", "vcpus", "vcpu", "cpus", "cpu", "processors"),
    "ram": ("ram", "memory", "mem"),
    "gigabytes": ("gigabytes", "storage", "space", "disk space", "gb", "volume space", "block storage",
                  "volume storage", "capacity"),
    "volumes": ("volumes", "volume", "disks", "disk"),
    "snapshots": ("snapshots", "snapshot"),
    "backups": ("backups", "backup"),
    "networks": ("networks", "network"),
    "subnets": ("subnets", "subnet"),
    "ports": ("ports", "port"),
    "routers": ("routers", "router"),
}  # fmt: skip
NAMES = {"gigabytes": "storage", "ram": "RAM", "ram_mb": "RAM",
         "cores": "vCPUs", "instances": "servers", "floating_ips": "floating IPs",
         "backup_gigabytes": "backup storage", "key_pairs": "key pairs", "server_groups": "server groups",
         "security_groups": "security groups", "security_group_rules": "security group rules"}  # fmt: skip
UNITS = {"ram": "MB", "ram_mb": "MB", "gigabytes": "GB", "backup_gigabytes": "GB"}
RESOURCE_WORDS = frozenset(word for phrases in RESOURCES.values() for phrase in phrases for word in phrase.split())


def resources_in(speech: Speech) -> list[str]:
    """What is limited that the question names, each once."""
    text, found = f" {speech.text} ", []
    for resource, phrases in RESOURCES.items():
        for phrase in sorted(phrases, key=len, reverse=True):
            if f" {phrase} " in text:
                found.append(resource)
                text = text.replace(f" {phrase} ", " | ")
                break
    if "gigabytes" in found and "volumes" in found and speech.has("disk space", "volume space", "volume storage"):
        found.remove("volumes")
    return found


def said(resource: str) -> str:
    """How an answer calls it."""
    base, _, type = resource.partition(" of ")
    called = NAMES.get(base, base.replace("_", " "))
    return f"{called} of type {wording.clean(type)}" if type else called


def unit(resource: str) -> str:
    """Unit of its limit: "MB", "GB" or ""."""
    return UNITS.get(resource.partition(" of ")[0], "")


def amount(value: float | None, resource: str) -> str:
    """A limit or what is used of it: "259", "1.7 TB", "unlimited"."""
    if value is None or value < 0:
        return "unlimited"
    return wording.measured(value, unit(resource))


def percent(used: float | None, limit: float | None) -> float | None:
    """Used of the limit in percent; None where there is no limit or nothing is known."""
    if used is None or limit is None or limit < 0:
        return None
    if limit == 0:
        return 100.0 if used else 0.0
    return round(100 * used / limit, 1)


def exceeds(used: float | None, limit: float | None, share: float, strictly: bool) -> bool:
    """Whether so many percent of the limit are used, or more than that; compared before rounding."""
    if used is None or limit is None or limit < 0:
        return False
    return used * 100 > share * limit if strictly else used * 100 >= share * limit


def level(share: float | None) -> str:
    """ "critical" from 90 %, "warning" from 70 %, else "ok"; "" where there is no share."""
    if share is None:
        return ""
    return "critical" if share >= RED else "warning" if share >= YELLOW else "ok"


def of(used: float | None, whole: float | None, unit: str) -> str:
    """ "1,023 of 1,728 (59%)"."""
    share = percent(used, whole)
    tail = f" ({share:g}%)" if share is not None else ""
    return f"{wording.measured(used, unit)} of {wording.measured(whole, unit)}{tail}"


def listed(parts: Sequence[str]) -> str:
    """ "a, b and c"."""
    return wording.listed(parts, len(parts), most=len(parts)) if parts else "none"
