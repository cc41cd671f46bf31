"""Pages: the whole of a listing, however small the pages are, and how bad parameters are refused."""

from __future__ import annotations

import pytest

from tests.contract.conftest import Cloud
from tests.contract.wire import error_of, next_link, rows_of

MISSING = "00000000-0000-0000-0000-000000000001"

# service, path, microversion, name of the list
LISTINGS = [
    ("compute", "/servers/detail?all_tenants=1", "2.90", "servers"),
    ("compute", "/flavors/detail?is_public=None", "2.90", "flavors"),
    ("compute", "/os-hypervisors/detail", "2.87", "hypervisors"),
    ("block-storage", "/volumes/detail?all_tenants=1", "3.60", "volumes"),
    ("block-storage", "/snapshots/detail?all_tenants=1", "3.60", "snapshots"),
    ("block-storage", "/backups/detail?all_tenants=1", "3.60", "backups"),
    ("network", "/v2.0/ports", None, "ports"),
    ("network", "/v2.0/networks", None, "networks"),
    ("network", "/v2.0/security-group-rules", None, "security_group_rules"),
    ("image", "/v2/images", None, "images"),
]
LARGE = [item for item in LISTINGS if item[3] not in ("hypervisors", "backups")]


def with_query(path: str, query: str) -> str:
    """Add one parameter to a path."""
    return f"{path}{'&' if '?' in path else '?'}{query}"


def ids(rows: list[dict]) -> list[str]:
    """The ids, in order."""
    return [str(row["id"]) for row in rows]


@pytest.mark.parametrize(("service", "path", "version", "name"), LISTINGS)
def test_pages_add_up_to_the_whole_listing(
    cloud: Cloud, service: str, path: str, version: str | None, name: str
) -> None:
    whole = ids(rows_of(cloud.admin.get(service, with_query(path, "limit=1000"), version)))
    assert whole
    size = max(1, len(whole) // 3)
    pages = list(cloud.admin.pages(service, with_query(path, f"limit={size}"), version))
    paged = [row for page in pages for row in ids(page[name])]
    assert len(pages) >= 2
    assert all(len(page[name]) <= size for page in pages)
    assert len(paged) == len(set(paged)), "a row came twice"
    assert set(paged) == set(whole)


@pytest.mark.parametrize(("service", "path", "version", "name"), LARGE)
def test_marker_starts_after_that_row(cloud: Cloud, service: str, path: str, version: str | None, name: str) -> None:
    first = cloud.admin.get(service, with_query(path, "limit=2"), version)
    marker = ids(first[name])[0]
    after = cloud.admin.get(service, with_query(path, f"limit=1&marker={marker}"), version)
    assert ids(after[name]) == ids(first[name])[1:]


@pytest.mark.parametrize(
    ("service", "path", "version", "key"),
    [
        ("compute", "/servers/detail?all_tenants=1", "2.90", "servers_links"),
        ("block-storage", "/volumes/detail?all_tenants=1", "3.60", "volumes_links"),
        ("network", "/v2.0/ports", None, "ports_links"),
    ],
)
def test_links_are_absolute_and_keep_the_query(
    cloud: Cloud, service: str, path: str, version: str | None, key: str
) -> None:
    document = cloud.admin.get(service, with_query(path, "limit=1"), version)
    link = next(item for item in document[key] if item["rel"] == "next")
    assert link["href"].startswith("http://")
    assert "limit=1" in link["href"]
    assert f"marker={rows_of(document)[0]['id']}" in link["href"]
    if "all_tenants" in path:
        assert "all_tenants=1" in link["href"]


def test_network_pages_link_back_too(cloud: Cloud) -> None:
    first = cloud.admin.get("network", "/v2.0/ports?limit=1")
    assert {link["rel"] for link in first["ports_links"]} == {"next", "previous"}
    previous = next(link["href"] for link in first["ports_links"] if link["rel"] == "previous")
    assert "page_reverse=True" in previous


def test_network_fields_shorten_rows_and_page_as_usual(cloud: Cloud) -> None:
    document = cloud.admin.get("network", "/v2.0/ports?fields=id&limit=1")
    assert set(rows_of(document)[0]) == {"id"}
    assert "fields=id" in next_link(document)


def test_image_pages_link_with_relative_paths(cloud: Cloud) -> None:
    document = cloud.admin.get("image", "/v2/images?limit=1")
    assert document["first"] == "/v2/images?limit=1"
    assert document["schema"] == "/v2/schemas/images"
    assert document["next"].startswith("/v2/images?")
    assert f"marker={document['images'][0]['id']}" in document["next"]


@pytest.mark.parametrize(("service", "path", "version", "name"), LARGE)
def test_a_page_that_is_exactly_full_has_a_next_link(
    cloud: Cloud, service: str, path: str, version: str | None, name: str
) -> None:
    """No service looks ahead: after the last full page comes an empty one."""
    whole = rows_of(cloud.admin.get(service, with_query(path, "limit=1000"), version))
    pages = list(cloud.admin.pages(service, with_query(path, f"limit={len(whole)}"), version))
    assert [len(page[name]) for page in pages] == [len(whole), 0]


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("compute", "/servers/detail"),
        ("block-storage", "/volumes/detail"),
        ("network", "/v2.0/ports"),
        ("image", "/v2/images"),
    ],
)
@pytest.mark.parametrize("limit", ["-1", "abc"])
def test_bad_limits_are_400(cloud: Cloud, service: str, path: str, limit: str) -> None:
    assert cloud.admin(service, f"{path}?limit={limit}").status_code == 400


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("compute", "/servers/detail?all_tenants=1"),
        ("block-storage", "/volumes/detail?all_tenants=1"),
        ("image", "/v2/images"),
    ],
)
def test_limit_zero_is_an_empty_page(cloud: Cloud, service: str, path: str) -> None:
    document = cloud.admin.get(service, with_query(path, "limit=0"))
    assert rows_of(document) == []
    assert next_link(document) == ""


def test_limit_zero_means_all_to_the_network_service(cloud: Cloud) -> None:
    assert len(rows_of(cloud.admin.get("network", "/v2.0/ports?limit=0"))) > 1


@pytest.mark.parametrize(
    ("service", "path", "status", "message"),
    [
        ("compute", "/servers/detail?all_tenants=1", 400, f"marker [{MISSING}] not found"),
        ("block-storage", "/volumes/detail?all_tenants=1", 404, f"Volume {MISSING} could not be found."),
        ("network", "/v2.0/ports?limit=2", 404, f"Port {MISSING} could not be found."),
        ("image", "/v2/images", 400, f"No image found with ID {MISSING}"),
    ],
)
def test_bad_markers(cloud: Cloud, service: str, path: str, status: int, message: str) -> None:
    answer = cloud.admin(service, with_query(path, f"marker={MISSING}"))
    assert answer.status_code == status
    assert message in error_of(answer)[1]


def test_unknown_parameters_each_service_its_own_way(cloud: Cloud) -> None:
    compute = cloud.admin("compute", "/servers/detail?frobnicate=1", version="2.90")
    assert compute.status_code == 400
    network = cloud.admin("network", "/v2.0/ports?frobnicate=1")
    assert network.status_code == 400
    assert error_of(network)[1] == "['frobnicate'] is invalid attribute for filtering"
    volumes = cloud.admin.get("block-storage", "/volumes/detail?all_tenants=1&frobnicate=1", "3.60")
    assert volumes["volumes"] == []
    assert cloud.admin.get("image", "/v2/images?frobnicate=1")["images"] == []


@pytest.mark.parametrize("collection", ["projects", "users", "domains", "roles"])
def test_identity_answers_whole_lists_with_links(cloud: Cloud, collection: str) -> None:
    document = cloud.admin.get("identity", f"/{collection}")
    assert set(document["links"]) >= {"self", "next", "previous"}
    assert document["links"]["next"] is None
    assert len(document[collection]) > 1
