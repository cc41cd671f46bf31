"""Pages: whatever their size, together they are the whole listing, once each."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.demo.harness import Wire

LISTS = [
    ("compute", "/v2.1/servers/detail?all_tenants=1", "servers"),
    ("compute", "/v2.1/servers?all_tenants=1&sort_key=display_name&sort_dir=asc", "servers"),
    ("compute", "/v2.1/flavors/detail?is_public=None", "flavors"),
    ("compute", "/v2.1/os-hypervisors/detail?", "hypervisors"),
    ("volume", "/volumes/detail?all_tenants=1", "volumes"),
    ("volume", "/volumes/detail?all_tenants=1&sort=size:asc", "volumes"),
    ("volume", "/snapshots/detail?all_tenants=1", "snapshots"),
    ("volume", "/backups/detail?all_tenants=1", "backups"),
    ("network", "/v2.0/ports?", "ports"),
    ("network", "/v2.0/ports?fields=id&fields=name", "ports"),
    ("network", "/v2.0/networks?sort_key=name&sort_dir=desc", "networks"),
    ("network", "/v2.0/security-group-rules?", "security_group_rules"),
    ("image", "/v2/images?", "images"),
    ("image", "/v2/images?sort_key=name&sort_dir=asc", "images"),
]


def target_with(target: str, limit: int) -> str:
    return f"{target}{'' if target.endswith('?') else '&'}limit={limit}"


@pytest.mark.parametrize(("service", "target", "key"), LISTS)
@settings(deadline=None, max_examples=6)
@given(limit=st.integers(1, 70))
def test_pages_add_up(wire: Wire, service: str, target: str, key: str, limit: int) -> None:
    whole = wire(service, target_with(target, 1000)).json[key]
    paged = wire.rows(service, target_with(target, limit), key)
    assert [row["id"] for row in paged] == [row["id"] for row in whole]
    assert len({row["id"] for row in whole}) == len(whole) > 1


@pytest.mark.parametrize(
    ("service", "target", "key", "maximum"),
    [
        ("compute", "/v2.1/servers?all_tenants=1", "servers", 1000),
        ("volume", "/volumes?all_tenants=1", "volumes", 1000),
        ("image", "/v2/images", "images", 25),
    ],
)
def test_no_limit_means_the_services_own(service: str, target: str, key: str, maximum: int) -> None:
    large = Wire.new(1200)
    document = large(service, target).json
    assert len(document[key]) == maximum
    more = large(service, f"{target}{'&' if '?' in target else '?'}limit=5000").json
    assert len(more[key]) == min(1000, len(large.rows(service, target, key)))


def test_network_has_no_limit_of_its_own() -> None:
    large = Wire.new(1200)
    assert len(large("network", "/v2.0/ports").json["ports"]) == len(large.cloud.state.ports) > 1000
    assert "ports_links" not in large("network", "/v2.0/ports").json
    assert len(large("network", "/v2.0/ports?limit=0").json["ports"]) == len(large.cloud.state.ports)


@pytest.mark.parametrize(("service", "target", "key"), [row for row in LISTS if "sort" not in row[1]][:4])
def test_a_full_last_page_has_a_link_to_an_empty_one(wire: Wire, service: str, target: str, key: str) -> None:
    count = len(wire(service, target_with(target, 1000)).json[key])
    document = wire(service, target_with(target, count)).json
    assert f"{key}_links" in document
    empty = wire(service, target_with(target, count) + f"&marker={document[key][-1]['id']}").json
    assert empty[key] == []


@pytest.mark.parametrize(
    ("service", "target", "status"),
    [
        ("compute", "/v2.1/servers/detail?marker=nothing", 400),
        ("volume", "/volumes/detail?marker=nothing", 404),
        ("network", "/v2.0/ports?marker=nothing&limit=2", 404),
        ("image", "/v2/images?marker=nothing", 400),
        ("compute", "/v2.1/servers?limit=-1", 400),
        ("compute", "/v2.1/servers?limit=abc", 400),
        ("volume", "/volumes?limit=-1", 400),
        ("volume", "/volumes?limit=abc", 400),
        ("network", "/v2.0/ports?limit=-1", 400),
        ("image", "/v2/images?limit=-1", 400),
        ("compute", "/v2.1/servers?frobnicate=1", 400),
        ("network", "/v2.0/ports?frobnicate=1", 400),
        ("network", "/v2.0/ports?changed_since=2020-01-01T00:00:00Z", 400),
        ("compute", "/v2.1/servers?sort_key=zzz", 400),
        ("volume", "/volumes?sort=zzz", 400),
    ],
)
def test_bad_questions(wire: Wire, service: str, target: str, status: int) -> None:
    assert wire(service, target).status == status


def test_unknown_filters_that_answer_nothing(wire: Wire) -> None:
    assert wire("volume", "/volumes?all_tenants=1&frobnicate=1").json["volumes"] == []
    assert wire("image", "/v2/images?frobnicate=1").json["images"] == []


def test_rows_that_go_between_two_pages_take_no_other_with_them() -> None:
    own = Wire.new(40)
    first = own("compute", "/v2.1/servers?all_tenants=1&limit=10").json
    gone = first["servers"][-1]["id"]
    before = {row["id"] for row in own.rows("compute", "/v2.1/servers?all_tenants=1", "servers")}
    assert own("compute", f"/v2.1/servers/{gone}", method="DELETE").status == 204
    own.advance(5)
    # Nova still takes a deleted server as a marker.
    rest = own.rows("compute", f"/v2.1/servers?all_tenants=1&limit=10&marker={gone}", "servers")
    assert {row["id"] for row in first["servers"]} | {row["id"] for row in rest} == before


def test_reversed_network_pages(wire: Wire) -> None:
    document = wire("network", "/v2.0/ports?limit=5").json
    after = wire("network", f"/v2.0/ports?limit=5&marker={document['ports'][-1]['id']}").json
    back = wire("network", f"/v2.0/ports?limit=5&marker={after['ports'][0]['id']}&page_reverse=True").json
    assert back["ports"] == document["ports"]
