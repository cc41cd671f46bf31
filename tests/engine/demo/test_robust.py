"""Whatever is sent, the cloud refuses in its own words: no route answers 500."""

from __future__ import annotations

from typing import Any

import pytest

from engine.demo.routing import Routes
from tests.engine.demo.harness import Wire

BODIES: list[Any] = [
    None,
    [],
    {},
    "text",
    7,
    {"server": None},
    {"server": {"name": 1, "flavorRef": {}, "networks": 5}},
    {
        "server": {
            "name": "x",
            "flavorRef": "{flavor}",
            "imageRef": "{image}",
            "networks": [7, {"uuid": None}],
            "tags": 3,
        }
    },
    {
        "server": {
            "name": "x",
            "flavorRef": "{flavor}",
            "networks": "none",
            "block_device_mapping_v2": [{"uuid": []}, 3],
        }
    },
    {"server": {"name": "x", "flavorRef": "{flavor}", "imageRef": "{image}", "networks": "none", "min_count": "many"}},
    {"server": {"name": "x", "flavorRef": "{flavor}", "imageRef": "{image}", "networks": "none", "metadata": [1]}},
    {"volume": {"size": [], "metadata": 3}},
    {"volume": {"size": 1, "name": {}, "imageRef": 3}},
    {"snapshot": {"volume_id": None}},
    {"backup": []},
    {"metadata": []},
    {"os-extend": None},
    {"os-stop": {}},
    {"resize": {"flavorRef": []}},
    {"resize": "x"},
    {"lock": 5},
    {"volumeAttachment": None},
    {"volumeAttachment": {"volumeId": {}}},
    {"network": {"name": {}, "mtu": "x"}},
    {"subnet": {"network_id": "{network}", "cidr": "10.0.0.0/99"}},
    {"subnet": {"network_id": "{network}", "cidr": "fd00::/64", "ip_version": 6}},
    {"port": {"network_id": "{network}", "security_groups": 3, "fixed_ips": "x"}},
    {"security_group": {"name": []}},
    {"security_group_rule": {"security_group_id": "{group}", "direction": [], "protocol": {}}},
    {"project": {"name": "p", "domain_id": {}}},
    {"user": {"name": "u", "password": 3, "enabled": "perhaps"}},
    {"user": "x"},
    {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": [], "domain": 5}}}}},
    {"auth": {"identity": {"methods": ["token"], "token": 5}, "scope": []}},
    {"name": {}, "visibility": [], "min_disk": "x", "tags": 3},
]
QUERIES = [
    "?limit=1",
    "?limit=99999999999999999999",
    "?marker=",
    "?all_tenants=perhaps",
    "?sort=:&sort_key=&sort_dir=x",
]
PATHS = {
    "compute": "/v2.1{0}",
    "volume": "{0}",
    "network": "{0}",
    "image": "{0}",
    "placement": "{0}",
    "identity": "{0}",
}


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        return ids.get(value.strip("{}"), value)
    if isinstance(value, dict):
        return {key: filled(part, ids) for key, part in value.items()}
    return [filled(part, ids) for part in value] if isinstance(value, list) else value


def targets(wire: Wire, service: str) -> list[tuple[str, str]]:
    """Every route with ids of things that are there and with nonsense."""
    state = wire.cloud.state
    project = wire.token("member").project_id
    servers = [row.id for row in state.servers if row.project == project]
    volumes = [row.id for row in state.volumes if row.project == project]
    found = []
    routes: Routes = wire.cloud.services[service].routes  # type: ignore[attr-defined]
    for method, expression, _ in routes._routes:
        pattern = expression.pattern.strip("^$")
        for value in (servers[0] if "servers" in pattern else volumes[0], "nonsense", "%00"):
            text = pattern
            while "(?P<" in text:
                start = text.index("(?P<")
                text = text[:start] + value + text[text.index(")", start) + 1 :]
            found.append((method, PATHS[service].format(text)))
    return found


@pytest.mark.parametrize("service", sorted(PATHS))
def test_no_route_breaks(service: str) -> None:
    wire = Wire.new(12)
    state = wire.cloud.state
    ids = {
        "flavor": next(row.id for row in state.flavors if row.public),
        "image": next(row.id for row in state.images),
        "network": next(row.id for row in state.networks),
        "group": next(row.id for row in state.security_groups),
    }
    for method, target in targets(wire, service):
        for role in ("admin", "member") if method != "GET" else ("admin", "member", "system"):
            if method in ("POST", "PUT", "PATCH"):
                for body in BODIES:
                    answer = wire(service, target, role, method, filled(body, ids))
                    assert answer.status < 500, (method, target, role, body, answer.response.body)
            else:
                for query in ("", *QUERIES) if method == "GET" else ("",):
                    answer = wire(service, target + query, role, method)
                    assert answer.status < 500, (method, target + query, role, answer.response.body)
    wire.advance(60)
