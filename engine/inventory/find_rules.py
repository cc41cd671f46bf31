"""Answers of "find anything" in words: what it is, whose, on which machine and host, since when. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from store import times
from store.estate.reading.find_around import Around, Machine
from store.estate.reading.find_rows import Period
from store.estate.reading.find_terms import Term

_DEVICES = {
    "network:router_gateway": "the gateway",
    "network:router_interface": "an interface",
    "network:router_interface_distributed": "an interface",
    "network:ha_router_replicated_interface": "an interface",
    "network:router_centralized_snat": "the SNAT interface",
    "network:router_ha_interface": "an HA interface",
}
_NOUNS = {"floating_ip": "floating IP"}
_SPOKEN = {
    "key_name": "key",
    "flavor_name": "flavor",
    "image_name": "image",
    "network_names": "network",
    "mac_address": "MAC",
    "mac_addresses": "MAC",
    "tags": "tag",
    "service_host": "host",
    "instance_name": "instance name",
    "hostname": "host name",
    "request_id": "request",
}
_ABOUT_ADDRESSES = ("address", "prefix", "mac")


def item(term: Term, period: Period, around: Around, now: datetime) -> dict[str, Any]:
    """One answer; see engine.inventory.find_models.FoundItem for its fields."""
    machine = around.machine(period)
    cloud = period.key[0]
    project_id = period.row.get("project_id") or (machine.row.get("project_id") if machine else None)
    if period.type.name == "project":
        project, domain = period.name, None
    else:
        project, domain = around.projects.get((cloud, project_id or ""), (project_id or None, None))
    creator = _creator(period, machine, around)
    marked = _marked_owner(period.row) or (_marked_owner(machine.row) if machine else None)
    says = sentence(term, period, machine, around)
    return {
        "type": period.type.name,
        "key": list(period.key),
        "name": period.name or period.key[2],
        "what": says + until(period.end, now),
        "says": says,
        "value": period.match.value,
        "project": project,
        "domain": domain,
        "creator": creator,
        "owner": marked or creator or project,
        "machine": None if machine is None else {"key": list(machine.key), "name": machine.row["name"]},
        "host": period.row.get("host") or (machine.row.get("host") if machine else None),
        "network": around.networks.get((cloud, period.row.get("network_id") or "")),
        "status": period.row.get("status"),
        "from": times.text(period.start),
        "to": None if period.end is None else times.text(period.end),
        "gone": period.gone,
        "why": period.match.column,
    }


def _creator(period: Period, machine: Machine | None, around: Around) -> str | None:
    id = period.row.get("user_id") or (machine.row.get("user_id") if machine else None)
    return around.users.get((period.key[0], id or ""), id or None)


def _marked_owner(row: dict[str, Any]) -> str | None:
    """The value of the metadata key `owner`."""
    for entry in row.get("metadata") or ():
        key, _, value = entry.partition("=")
        if key.lower() == "owner" and value:
            return value
    return None


def until(end: datetime | None, now: datetime) -> str:
    """` until Tue 14:02 UTC`, with the date when that is a week ago or longer; "" for what has not ended."""
    if end is None:
        return ""
    week = abs((times.naive(now) - end).total_seconds()) >= 6 * 86400
    return f" until {end:%Y-%m-%d %H:%M} UTC" if week else f" until {end:%a %H:%M} UTC"


def sentence(term: Term, period: Period, machine: Machine | None, around: Around) -> str:
    """What it is, or was, without the time: `10.20.0.7 was web-3`."""
    is_, has = ("is", "has") if period.end is None else ("was", "had")
    noun, name = _noun(period.type.name), period.name
    column, value = period.match.column, period.match.value
    if term.kind in _ABOUT_ADDRESSES and column not in ("id", "name", "description"):
        subject = term.text if term.kind == "address" else value
        return f"{subject} {is_} {_role(period, machine, around, whole=subject == value)}"
    called = f"{noun} {name or _first(period.row.get('fixed_ips')) or period.key[2]}"
    if column == "id" or value == name:
        subject = name or value
        article = "an" if noun[0] in "aeio" else "a"
        return f"{subject} {is_} {article} {noun}{_more(period, machine)}"
    spoken = _SPOKEN.get(column, column.replace("_", " "))
    if column == "device_id" and machine is not None:
        return f"{called} {is_} {machine.row['name'] or value}'s"
    if column == "host":
        return f"{called} {is_} on host {value}"
    return f"{called} {has} {spoken} {value}"


def _first(values: list[str] | None) -> str | None:
    return values[0] if values else None


def _more(period: Period, machine: Machine | None) -> str:
    if machine is not None and period.type.name != "server" and machine.row["name"]:
        return f" of {machine.row['name']}"
    return ""


def _role(period: Period, machine: Machine | None, around: Around, *, whole: bool) -> str:
    """What has the address: a machine's name, a router's gateway, a subnet (of which it is the `whole` range)."""
    type, column, row = period.type.name, period.match.column, period.row
    name = period.name or period.key[2]
    of = machine.row["name"] or machine.key[2] if machine else None
    if type == "server":
        return name
    if type == "port":
        return _port(period, of, around)
    if type == "floating_ip":
        if column == "fixed_ip":
            return f"behind floating IP {name}" + (f" of {of}" if of else "")
        return (
            f"a floating IP of {of}"
            if of
            else f"a floating IP {'to' if row.get('port_id') else 'that is free'}"
            + (f" {row.get('fixed_ip')}" if row.get("port_id") else "")
        )
    if type == "router":
        return f"the gateway address of router {name}" if column == "external_ips" else f"in a route of router {name}"
    if type == "subnet":
        roles = {"gateway_ip": "the gateway of", "dns_nameservers": "a name server of", "cidr": "in"}
        exact = "the range of" if column == "cidr" and whole else roles.get(column, "in")
        network = around.networks.get((period.key[0], row.get("network_id") or ""))
        return f"{exact} subnet {name}" + (f" on {network}" if network else "")
    if type == "hypervisor":
        return f"hypervisor {name}"
    return f"{_SPOKEN.get(column, column.replace('_', ' '))} of {_noun(type)} {name}"


_ALLOWED = {"allowed_addresses": "address", "allowed_macs": "MAC"}


def _port(period: Period, of: str | None, around: Around) -> str:
    row, cloud = period.row, period.key[0]
    network = around.networks.get((cloud, row.get("network_id") or ""))
    on = f" on {network}" if network else ""
    device, id = row.get("device_owner") or "", row.get("device_id") or ""
    if of or device.startswith("compute:"):
        who = of or f"machine {id}"
    elif device in ("network:dhcp", "network:floatingip"):
        who = "a DHCP port" if device == "network:dhcp" else "the port of a floating IP"
    elif device in _DEVICES:
        who = f"{_DEVICES[device]} of router {around.routers.get((cloud, id), id)}"
    elif device:
        who = f"a port of {device}"
    else:
        who = f"port {period.name or period.key[2]}, which nothing uses,"
    if period.match.column in _ALLOWED:
        return f"an allowed {_ALLOWED[period.match.column]} of {who}{on}"
    return who + on


def _noun(type: str) -> str:
    return _NOUNS.get(type, type.replace("_", " "))


def audited(record: dict[str, Any], now: datetime) -> dict[str, Any]:
    """An answer from our own audit: who did what under that request."""
    at: datetime = record["at"]
    says = f"{record['actor']} did {record['action']} on {record['target'] or 'nothing'} ({record['outcome']})"
    when = until(times.naive(at), now).replace(" until ", ", ")
    return {
        "type": "audit",
        "key": ["", "", str(record["seq"])],
        "name": record["action"],
        "what": says + when,
        "says": says,
        "value": record["target"],
        "project": None,
        "domain": None,
        "creator": record["actor"],
        "owner": record["actor"],
        "machine": None,
        "host": None,
        "network": None,
        "status": record["outcome"],
        "from": times.text(at),
        "to": times.text(at),
        "gone": False,
        "why": "audit",
    }
