"""The service catalogue: six services, each at an address of its own, one region, three interfaces."""

from __future__ import annotations

from typing import Any

from engine.demo.access import Token
from engine.demo.state import State

# type, name, path below the service's own address; and the name it has within the demo
SERVICES = [
    ("compute", "nova", "/v2.1"),
    ("identity", "keystone", "/v3"),
    ("image", "glance", ""),
    ("network", "neutron", ""),
    ("placement", "placement", ""),
    ("block-storage", "cinder", "/v3/$(project_id)s"),
]
NAMES = {"block-storage": "volume"}
INTERFACES = ("admin", "internal", "public")


def endpoints(state: State, roots: dict[str, str], missing: set[str]) -> list[dict[str, Any]]:
    """Every endpoint as GET /v3/endpoints shows it, without links."""
    return [
        {
            "id": state.named_id(f"endpoint/{kind}/{interface}"),
            "interface": interface,
            "region_id": state.region,
            "service_id": state.named_id(f"service/{kind}"),
            "url": roots[NAMES.get(kind, kind)] + path,
            "enabled": True,
            "region": state.region,
        }
        for kind, _, path in SERVICES
        if kind not in missing
        for interface in INTERFACES
    ]


def catalogue(state: State, roots: dict[str, str], token: Token, missing: set[str]) -> list[dict[str, Any]]:
    """What the token's holder is told; block storage needs a project in its address."""
    services = []
    for kind, name, path in SERVICES:
        if kind in missing or ("project_id" in path and not token.project):
            continue
        url = roots[NAMES.get(kind, kind)] + path.replace("$(project_id)s", token.project_id)
        services.append(
            {
                "endpoints": [
                    {
                        "id": state.named_id(f"endpoint/{kind}/{interface}"),
                        "interface": interface,
                        "region_id": state.region,
                        "url": url,
                        "region": state.region,
                    }
                    for interface in INTERFACES
                ],
                "id": state.named_id(f"service/{kind}"),
                "type": kind,
                "name": name,
            }
        )
    return services
