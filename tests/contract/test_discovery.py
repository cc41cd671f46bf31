"""Version documents: what a client reads before it knows anything."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests

from tests.contract.conftest import Cloud
from tests.contract.wire import TIMEOUT

SERVICES = ["identity", "compute", "block-storage", "network", "image", "placement"]


def root(cloud: Cloud, service: str) -> str:
    """Scheme, host and port of a service."""
    parts = urlsplit(cloud.admin.endpoints[service])
    return f"{parts.scheme}://{parts.netloc}"


def anonymous(url: str) -> requests.Response:
    """GET without a token, redirects not followed."""
    return requests.get(url, timeout=TIMEOUT, allow_redirects=False, headers={"Accept": "application/json"})


def test_catalog_has_the_services_and_public_endpoints(cloud: Cloud) -> None:
    assert set(SERVICES) <= set(cloud.admin.endpoints)
    service = next(item for item in cloud.admin.token["catalog"] if item["type"] == "compute")
    assert set(service) == {"endpoints", "id", "type", "name"}
    assert set(service["endpoints"][0]) == {"id", "interface", "region_id", "url", "region"}
    assert cloud.admin.endpoints["block-storage"].endswith(f"/v3/{cloud.admin.project_id}")


@pytest.mark.parametrize(
    ("service", "status", "version"),
    [
        ("identity", 300, "v3."),
        ("compute", 200, "v2.1"),
        ("block-storage", 300, "v3.0"),
        ("network", 200, "v2.0"),
        ("image", 300, "v2."),
        ("placement", 200, "v1.0"),
    ],
)
def test_root_lists_versions_without_a_token(cloud: Cloud, service: str, status: int, version: str) -> None:
    answer = anonymous(root(cloud, service) + "/")
    assert answer.status_code == status
    versions = answer.json()["versions"]
    versions = versions["values"] if service == "identity" else versions
    found = [item for item in versions if item["id"].startswith(version)]
    assert found, versions
    assert found[0]["status"] in ("CURRENT", "SUPPORTED", "stable")
    assert any(link["rel"] == "self" for link in found[0]["links"])


@pytest.mark.parametrize(("service", "lowest", "at_least"), [("compute", "2.1", 90), ("block-storage", "3.0", 60)])
def test_microversion_range_is_in_the_root_document(cloud: Cloud, service: str, lowest: str, at_least: int) -> None:
    versions = anonymous(root(cloud, service) + "/").json()["versions"]
    current = next(item for item in versions if item["status"] == "CURRENT")
    assert current["min_version"] == lowest
    assert int(current["version"].split(".")[1]) >= at_least


def test_placement_names_its_highest_version_its_own_way(cloud: Cloud) -> None:
    (version,) = anonymous(root(cloud, "placement") + "/").json()["versions"]
    assert version["min_version"] == "1.0"
    assert int(version["max_version"].split(".")[1]) >= 30


def test_identity_version_document(cloud: Cloud) -> None:
    document = anonymous(cloud.admin.login.auth_url).json()["version"]
    assert document["id"].startswith("v3.")
    assert document["links"][0]["href"].rstrip("/") == cloud.admin.login.auth_url


def test_compute_version_document(cloud: Cloud) -> None:
    document = anonymous(cloud.admin.endpoints["compute"] + "/").json()["version"]
    assert (document["id"], document["min_version"]) == ("v2.1", "2.1")


def test_network_extensions_are_listed(cloud: Cloud) -> None:
    aliases = {item["alias"] for item in cloud.member.get("network", "/v2.0/extensions")["extensions"]}
    assert {"router", "security-group", "agent", "trunk", "standard-attr-timestamp", "pagination"} <= aliases


def test_keystoneauth_discovers_it(cloud: Cloud) -> None:
    from keystoneauth1 import session
    from keystoneauth1.identity import v3

    auth = v3.Password(
        auth_url=cloud.admin.login.auth_url,
        username=cloud.admin.login.user,
        password=cloud.admin.login.password,
        user_domain_name="Default",
        project_name="admin",
        project_domain_name="Default",
    )
    made = session.Session(auth=auth)
    for service, highest in (("compute", (2, 90)), ("volumev3", (3, 60)), ("placement", (1, 30))):
        data = made.get_endpoint_data(service_type=service, interface="public")
        assert data is not None, service
        assert data.max_microversion >= highest
