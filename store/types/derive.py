"""The small functions named by `Column.derive` and `ResourceType.id_derive`: document -> value.

Documents come from the network: every function takes any JSON object and answers a value of its column's type or None.
What it could not make sense of is left out; it never raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Doc = dict[str, Any]


def _dict(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _list(value: Any) -> list[Any]:
    return value if type(value) is list else []


def _text(value: Any) -> str | None:
    return value if type(value) is str and value else None


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (item for item in _list(value) if type(item) is dict)


def _texts(values: Any, key: str) -> list[str]:
    """The texts under `key` of a list of objects, without repeats, in order."""
    if type(values) is not list or not values:
        return []
    found = []
    for item in values:
        if type(item) is dict:
            value = item.get(key)
            if type(value) is str and value:
                found.append(value)
    return found if len(found) < 2 else list(dict.fromkeys(found))


def _pairs(value: Any) -> list[str]:
    """`key=value` of an object's simple values, sorted by key."""
    if type(value) is not dict or not value:
        return []
    return [
        f"{key}={item}" for key, item in sorted(value.items()) if type(item) is str or type(item) in (int, float, bool)
    ]


def metadata_items(doc: Doc) -> list[str]:
    """`key=value` of `metadata`."""
    return _pairs(doc.get("metadata"))


def extra_specs(doc: Doc) -> list[str]:
    """`key=value` of `extra_specs`."""
    return _pairs(doc.get("extra_specs"))


# --- servers


def _server_addresses(doc: Doc, kind: str) -> list[str]:
    addresses = doc.get("addresses")
    if type(addresses) is not dict:
        return []
    found = []
    for entries in addresses.values():
        if type(entries) is not list:
            continue
        for entry in entries:
            if type(entry) is dict:
                address = entry.get("addr")
                if type(address) is str and (not kind or entry.get("OS-EXT-IPS:type", "fixed") == kind):
                    found.append(address)
    return found


def server_addresses(doc: Doc) -> list[str]:
    """All addresses, fixed and floating, in the answer's order."""
    return _server_addresses(doc, "")


def server_fixed_ips(doc: Doc) -> list[str]:
    """Fixed addresses."""
    return _server_addresses(doc, "fixed")


def server_floating_ips(doc: Doc) -> list[str]:
    """Floating addresses."""
    return _server_addresses(doc, "floating")


def server_macs(doc: Doc) -> list[str]:
    """MAC addresses of the interfaces, once each (the answer repeats one per address)."""
    addresses = doc.get("addresses")
    if type(addresses) is not dict:
        return []
    found: list[str] = []
    for entries in addresses.values():
        found += _texts(entries, "OS-EXT-IPS-MAC:mac_addr")
    return found if len(found) < 2 else list(dict.fromkeys(found))


def server_networks(doc: Doc) -> list[str]:
    """Names of the networks the server has addresses on."""
    addresses = doc.get("addresses")
    return list(addresses) if type(addresses) is dict else []


def server_flavor_extra_specs(doc: Doc) -> list[str]:
    """`key=value` of the embedded flavor's extra specs."""
    return _pairs(_dict(doc.get("flavor")).get("extra_specs"))


def server_image_id(doc: Doc) -> str | None:
    """The boot image's id; None for a volume-booted server, whose image is "" in the answer."""
    image = doc.get("image")
    return _text(image.get("id")) if type(image) is dict else None


def server_volume_ids(doc: Doc) -> list[str]:
    """Ids of the attached volumes."""
    return _texts(doc.get("os-extended-volumes:volumes_attached"), "id")


def server_security_groups(doc: Doc) -> list[str]:
    """Names of the security groups, once each (the answer repeats a name per port)."""
    return _texts(doc.get("security_groups"), "name")


def server_user_data_sha256(doc: Doc) -> str | None:
    """Hash of the user data, as the redaction left it; None when there is none."""
    data = doc.get("OS-EXT-SRV-ATTR:user_data")
    return _text(data.get("sha256")) if type(data) is dict else None


def server_group_policy(doc: Doc) -> str | None:
    """`policy`, or the first of `policies` below microversion 2.64."""
    policy = doc.get("policy")
    if type(policy) is str:
        return policy
    return next((item for item in _list(doc.get("policies")) if type(item) is str), None)


def server_group_member_count(doc: Doc) -> int | None:
    """How many servers are in the group."""
    members = doc.get("members")
    return len(members) if type(members) is list else None


def keypair_id(doc: Doc) -> str | None:
    """`<user id>:<name>`; below 2.10 the answer has no user."""
    name = _text(doc.get("name"))
    user = _text(doc.get("user_id"))
    return f"{user}:{name}" if name and user else name


def aggregate_id(doc: Doc) -> str | None:
    """The UUID, or the number below microversion 2.41."""
    number = doc.get("id")
    return _text(doc.get("uuid")) or (str(number) if type(number) is int else _text(number))


def aggregate_host_count(doc: Doc) -> int | None:
    """How many hosts are in the aggregate."""
    hosts = doc.get("hosts")
    return len(hosts) if type(hosts) is list else None


def zone_hosts(doc: Doc) -> list[str]:
    """Names of the hosts in the zone."""
    return sorted(name for name in _dict(doc.get("hosts")) if type(name) is str)


# --- block storage


def volume_server_ids(doc: Doc) -> list[str]:
    """Servers the volume is attached to; several for a multi-attach volume."""
    return _texts(doc.get("attachments"), "server_id")


def volume_server_id(doc: Doc) -> str | None:
    """The first server the volume is attached to."""
    return next(iter(_texts(doc.get("attachments"), "server_id")), None)


def volume_device(doc: Doc) -> str | None:
    """The device name of the first attachment."""
    return next(iter(_texts(doc.get("attachments"), "device")), None)


def volume_attached_at(doc: Doc) -> str | None:
    """When the first attachment was made, as the answer writes it."""
    return next(iter(_texts(doc.get("attachments"), "attached_at")), None)


def volume_service_id(doc: Doc) -> str | None:
    """`<binary>@<host>`: Cinder's services have no id."""
    binary, host = _text(doc.get("binary")), _text(doc.get("host"))
    return f"{binary}@{host}" if binary and host else None


def pool_service_host(doc: Doc) -> str | None:
    """host@backend of host@backend#pool."""
    name = _text(doc.get("name"))
    return name.split("#", 1)[0] if name else None


# --- network


def _routes(value: Any) -> list[str]:
    return [
        f"{item['destination']} via {item['nexthop']}"
        for item in _dicts(value)
        if type(item.get("destination")) is str and type(item.get("nexthop")) is str
    ]


def subnet_pools(doc: Doc) -> list[str]:
    """`first-last` of each allocation pool."""
    return [
        f"{item['start']}-{item['end']}"
        for item in _dicts(doc.get("allocation_pools"))
        if type(item.get("start")) is str and type(item.get("end")) is str
    ]


def subnet_routes(doc: Doc) -> list[str]:
    """`destination via next hop` of each host route."""
    return _routes(doc.get("host_routes"))


def router_routes(doc: Doc) -> list[str]:
    """`destination via next hop` of each extra route."""
    return _routes(doc.get("routes"))


def router_external_ips(doc: Doc) -> list[str]:
    """Addresses of the gateway."""
    return _texts(_dict(doc.get("external_gateway_info")).get("external_fixed_ips"), "ip_address")


def port_fixed_ips(doc: Doc) -> list[str]:
    """Addresses of the port."""
    return _texts(doc.get("fixed_ips"), "ip_address")


def port_subnet_ids(doc: Doc) -> list[str]:
    """Subnets that the addresses are from."""
    return _texts(doc.get("fixed_ips"), "subnet_id")


def port_allowed_addresses(doc: Doc) -> list[str]:
    """Addresses of the allowed address pairs."""
    return _texts(doc.get("allowed_address_pairs"), "ip_address")


def port_allowed_macs(doc: Doc) -> list[str]:
    """MACs of the allowed address pairs, other than the port's own."""
    own = str(doc.get("mac_address") or "").lower()
    macs = (mac.lower() for mac in _texts(doc.get("allowed_address_pairs"), "mac_address"))
    return [mac for mac in dict.fromkeys(macs) if mac != own]


def floating_ip_server_id(doc: Doc) -> str | None:
    """The server behind the port, from `port_details`."""
    details = _dict(doc.get("port_details"))
    owner = details.get("device_owner")
    return _text(details.get("device_id")) if type(owner) is str and owner.startswith("compute:") else None


def trunk_sub_port_ids(doc: Doc) -> list[str]:
    """Ports that carry the tagged networks."""
    return _texts(doc.get("sub_ports"), "port_id")


def agent_state(doc: Doc) -> str | None:
    """`up` or `down`, from `alive`."""
    alive = doc.get("alive")
    return ("up" if alive else "down") if type(alive) is bool else None


# --- identity


def role_assignment_id(doc: Doc) -> str | None:
    """`<role>/<u|g>:<actor>/<scope>`, with `/i` for an inherited one."""
    role = _text(_dict(doc.get("role")).get("id"))
    user = _text(_dict(doc.get("user")).get("id"))
    group = _text(_dict(doc.get("group")).get("id"))
    if not role or not (user or group):
        return None
    kind = assignment_scope_kind(doc) or "none"
    scope = _dict(doc.get("scope"))
    target = _text(_dict(scope.get(kind)).get("id")) or "all"
    actor = f"u:{user}" if user else f"g:{group}"
    return f"{role}/{actor}/{kind}:{target}" + ("/i" if assignment_inherited(doc) else "")


def assignment_scope_kind(doc: Doc) -> str | None:
    """`project`, `domain` or `system`."""
    scope = _dict(doc.get("scope"))
    return next((kind for kind in ("project", "domain", "system") if kind in scope), None)


def assignment_domain_id(doc: Doc) -> str | None:
    """The domain granted on, or the domain of the project granted on."""
    scope = _dict(doc.get("scope"))
    return _text(_dict(scope.get("domain")).get("id")) or _text(
        _dict(_dict(scope.get("project")).get("domain")).get("id")
    )


def assignment_domain_name(doc: Doc) -> str | None:
    """The name of that domain."""
    scope = _dict(doc.get("scope"))
    return _text(_dict(scope.get("domain")).get("name")) or _text(
        _dict(_dict(scope.get("project")).get("domain")).get("name")
    )


def assignment_inherited(doc: Doc) -> bool:
    """Whether the role holds for all projects below."""
    return bool(_text(_dict(doc.get("scope")).get("OS-INHERIT:inherited_to")))


# --- quota


def quota_document(project_id: str, answers: dict[str, Any]) -> Doc:
    """The one document of a project's quota.

    `answers` maps "compute", "volume" and "network" to the services' quota objects, {key: {"limit", "in_use" or
    "used", "reserved"}}; a service that did not answer is left out. Usage is kept apart from limits because it is a
    measurement: it makes no version.
    """
    parts: dict[str, dict[str, dict[str, int]]] = {"limits": {}, "usage": {}, "reserved": {}}
    for service, answer in answers.items():
        rows = {part: dict[str, int]() for part in parts}
        for key, entry in _dict(answer).items():
            if type(entry) is not dict:
                continue
            for part, names in (("limits", ("limit",)), ("usage", ("in_use", "used")), ("reserved", ("reserved",))):
                number = next((entry[name] for name in names if type(entry.get(name)) is int), None)
                if number is not None:
                    rows[part][key] = number
        for part, values in rows.items():
            parts[part][service] = values
    return {"project_id": project_id, **parts}
