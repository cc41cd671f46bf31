"""Error bodies: each service has a form of its own, and the wording is part of the contract."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.conftest import Cloud
from tests.contract.wire import error_of
from tests.live.projects import COMPUTE, STORAGE, Project

NIL = "00000000-0000-0000-0000-000000000001"

NOT_FOUND = [
    ("compute", f"/servers/{NIL}", "itemNotFound", f"Instance {NIL} could not be found."),
    ("compute", f"/flavors/{NIL}", "itemNotFound", f"Flavor {NIL} could not be found."),
    ("compute", "/os-aggregates/99999", "itemNotFound", "Aggregate 99999 could not be found."),
    ("block-storage", f"/volumes/{NIL}", "itemNotFound", f"Volume {NIL} could not be found."),
    ("block-storage", f"/snapshots/{NIL}", "itemNotFound", f"Snapshot {NIL} could not be found."),
    ("block-storage", f"/backups/{NIL}", "itemNotFound", f"Backup {NIL} could not be found."),
    ("network", f"/v2.0/networks/{NIL}", "NeutronError", f"Network {NIL} could not be found."),
    ("network", f"/v2.0/subnets/{NIL}", "NeutronError", f"Subnet {NIL} could not be found."),
    ("network", f"/v2.0/ports/{NIL}", "NeutronError", f"Port {NIL} could not be found."),
    ("network", f"/v2.0/routers/{NIL}", "NeutronError", f"Router {NIL} could not be found"),
    ("network", f"/v2.0/floatingips/{NIL}", "NeutronError", f"Floating IP {NIL} could not be found"),
    ("network", f"/v2.0/security-groups/{NIL}", "NeutronError", f"Security group {NIL} does not exist"),
    ("image", f"/v2/images/{NIL}", "Not Found", f"No image found with ID {NIL}<br /><br />\n\n\n"),
    ("identity", f"/projects/{NIL}", "error", f"Could not find project: {NIL}."),
    ("identity", f"/users/{NIL}", "error", f"Could not find user: {NIL}."),
]


@pytest.mark.parametrize(("service", "path", "name", "message"), NOT_FOUND)
def test_not_found(cloud: Cloud, service: str, path: str, name: str, message: str) -> None:
    answer = cloud.admin(service, path)
    assert answer.status_code == 404
    assert error_of(answer) == (name, message)
    assert answer.headers["Content-Type"].startswith("application/json")


def test_forms_of_error_bodies(cloud: Cloud) -> None:
    compute = cloud.admin("compute", f"/servers/{NIL}").json()
    assert compute["itemNotFound"]["code"] == 404
    network = cloud.admin("network", f"/v2.0/ports/{NIL}").json()
    assert network["NeutronError"]["type"] == "PortNotFound"
    assert network["NeutronError"]["detail"] == ""
    identity = cloud.admin("identity", f"/users/{NIL}").json()
    assert (identity["error"]["code"], identity["error"]["title"]) == (404, "Not Found")
    image = cloud.admin("image", f"/v2/images/{NIL}").json()
    assert image["code"] == "404 Not Found"
    placement = cloud.admin("placement", f"/resource_providers/{NIL}").json()
    assert placement["errors"][0]["status"] == 404
    assert placement["errors"][0]["request_id"].startswith("req-")


@pytest.mark.parametrize(
    ("service", "path", "status"),
    [("compute", "/nothing-here", 404), ("network", "/v2.0/frobs", 404), ("identity", "/frobs", 404)],
)
def test_unknown_paths(cloud: Cloud, service: str, path: str, status: int) -> None:
    assert cloud.admin(service, path).status_code == status


@pytest.mark.parametrize(
    ("service", "path", "body", "status", "message"),
    [
        ("compute", "/servers", {}, 400, "'server' is a required property"),
        ("block-storage", "/volumes", {}, 400, "'volume' is a required property"),
        ("block-storage", "/volumes", {"volume": {"size": 1, "volume_type": "nope"}}, 404, "Volume type with "),
        ("network", "/v2.0/networks", {"network": {"zzz": 1}}, 400, "Unrecognized attribute(s) 'zzz'"),
    ],
)
def test_bad_bodies(cloud: Cloud, service: str, path: str, body: Any, status: int, message: str) -> None:
    answer = cloud.admin(service, path, "POST", json=body)
    assert answer.status_code == status
    assert message in error_of(answer)[1]


def test_over_quota(tenant: Project) -> None:
    volume = tenant.member("block-storage", "/volumes", "POST", json={"volume": {"size": 900_000}}, version=STORAGE)
    assert volume.status_code == 413
    assert error_of(volume)[0] == "overLimit"
    assert "exceeds allowed gigabytes quota" in error_of(volume)[1]


def test_server_quota(tenant: Project) -> None:
    images = tenant.member.get("image", "/v2/images")["images"]
    image = next(one["id"] for one in images if one["status"] == "active" and one["size"])
    flavors = tenant.member.get("compute", "/flavors/detail")["flavors"]
    flavor = max(flavors, key=lambda item: item["disk"])["id"]
    body = {"name": "q", "imageRef": image, "flavorRef": flavor, "networks": "none", "min_count": 50}
    answer = tenant.member("compute", "/servers", "POST", json={"server": body}, version=COMPUTE)
    assert answer.status_code == 403
    assert error_of(answer)[1].startswith("Quota exceeded for ")


def test_a_network_in_use_is_not_deleted(tenant: Project) -> None:
    port = tenant.create("network", "/v2.0/ports", {"port": {"network_id": tenant.network_id}})["port"]
    answer = tenant.member("network", f"/v2.0/networks/{tenant.network_id}", "DELETE")
    assert answer.status_code == 409
    assert answer.json()["NeutronError"]["type"] == "NetworkInUse"
    assert port["id"] in answer.json()["NeutronError"]["message"]
