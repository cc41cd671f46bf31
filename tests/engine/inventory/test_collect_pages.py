"""Pages: markers in every kind of link, loops, truncation, lost places, and whatever bytes arrive."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.inventory.pages import BadPage, NotWhole, Page, Pager, address, parse

LINKS: list[tuple[dict[str, Any], str]] = [
    ({"servers_links": [{"rel": "next", "href": "http://nova/v2.1/servers/detail?limit=2&marker=m1"}]}, "m1"),
    ({"ports_links": [{"rel": "previous", "href": "http://x/ports?marker=p&page_reverse=True"}]}, ""),
    ({"links": {"next": "http://keystone/v3/projects?limit=1&marker=m2", "previous": None}}, "m2"),
    ({"links": {"next": None}}, ""),
    ({"next": "/v2/images?limit=2&marker=m3", "first": "/v2/images?limit=2"}, "m3"),
    ({"backup_links": [{"rel": "next", "href": "https://other.example/b?marker=m%204"}]}, "m 4"),
    ({"servers_links": [None, {"rel": "next", "href": 7}, {"rel": "next"}]}, ""),
    ({}, ""),
]


@pytest.mark.parametrize(("extra", "marker"), LINKS)
def test_the_marker_is_found_in_any_kind_of_link(extra: dict[str, Any], marker: str) -> None:
    assert parse(json.dumps({"rows": [], **extra}).encode(), "rows").marker == marker


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"rows": {}}', b'{"rows": null}', b'{"other": []}', b"<html>502</html>",
     b'{"rows": [], "rows_links": [{"rel": "next", "href": "http://x/rows?limit=5"}]}'],
)  # fmt: skip
def test_what_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(BadPage):
        parse(body, "rows")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_page_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadPage):
        assert isinstance(parse(body, "rows").rows, list)


def test_a_wrapper_is_taken_off() -> None:
    page = parse(b'{"keypairs": [{"keypair": {"name": "a"}}, {"name": "b"}, 7]}', "keypairs", "keypair")
    assert page.rows == [{"name": "a"}, {"name": "b"}, 7]


def rows(*ids: str) -> list[dict[str, str]]:
    return [{"id": id} for id in ids]


def test_links_lead_to_the_end() -> None:
    pager = Pager((("all_tenants", "1"),), 2)
    assert pager.query() == [("all_tenants", "1"), ("limit", "2")]
    assert pager.take(Page(rows("a", "b"), "b"))
    assert pager.query()[-1] == ("marker", "b")
    assert pager.take(Page(rows("c", "d"), "d"))
    assert not pager.take(Page([]))
    assert pager.rows == 4


def test_an_empty_page_with_a_link_is_not_the_end() -> None:
    pager = Pager((), 2)
    assert pager.take(Page([], "z"))


def test_the_same_marker_twice_is_an_error() -> None:
    pager = Pager((), 2)
    pager.take(Page(rows("a", "b"), "b"))
    pager.take(Page(rows("c", "d"), "d"))
    with pytest.raises(NotWhole, match="circle"):
        pager.take(Page(rows("a", "b"), "b"))


def test_truncated_without_a_way_on_is_not_whole() -> None:
    pager = Pager((), 0)
    assert pager.take(Page(rows("a"), "a", truncated=True))
    assert not pager.truncated
    pager.take(Page(rows("b"), "", truncated=True))
    assert pager.truncated


def test_offsets_go_on_until_a_page_is_empty() -> None:
    pager = Pager((), 2, "offset")
    assert pager.take(Page(rows("a", "b")))
    assert pager.query()[-1] == ("offset", "2")
    assert pager.take(Page(rows("c")))  # a server-side limit can make pages short
    assert not pager.take(Page([]))


def test_a_service_that_pays_no_attention_to_offsets() -> None:
    pager = Pager((), 2, "offset")
    pager.take(Page(rows("a", "b")))
    with pytest.raises(NotWhole, match="same page"):
        pager.take(Page(rows("a", "b")))


def test_without_links_the_last_row_is_the_marker() -> None:
    pager = Pager((), 2, links=False)
    assert pager.take(Page(rows("a", "b")))
    assert pager.query()[-1] == ("marker", "b")
    assert pager.take(Page(rows("c")))
    assert not pager.take(Page([]))


def test_without_links_and_limits_everything_comes_at_once() -> None:
    pager = Pager((), 2, links=False)
    assert pager.take(Page(rows("a", "b", "c")))
    assert not pager.take(Page(rows("a", "b", "c")))


def test_a_lost_place_goes_back_row_by_row() -> None:
    pager = Pager((), 3)
    pager.take(Page(rows("a", "b", "c"), "c"))
    assert pager.lost() and pager.query()[-1] == ("marker", "b")
    assert pager.lost() and pager.query()[-1] == ("marker", "a")
    assert not pager.lost()


@given(st.lists(st.text("abcdef", min_size=1, max_size=4), unique=True, max_size=40), st.integers(1, 7), st.booleans())
def test_every_row_of_any_list_arrives_once(ids: list[str], limit: int, links: bool) -> None:
    pager, seen, more = Pager((), limit, links=links), [], True
    while more:
        marker = dict(pager.query()).get("marker")
        start = ids.index(marker) + 1 if marker else 0
        page = ids[start : start + limit]
        seen += page
        more = pager.take(Page(rows(*page), page[-1] if links and len(page) == limit else ""))
    assert seen == ids


def test_addresses_are_ours_whatever_a_link_says() -> None:
    url = address("http://nova/v2.1/", "/servers/detail", [("marker", "a/b?c=d"), ("limit", "2")])
    assert url == "http://nova/v2.1/servers/detail?marker=a%2Fb%3Fc%3Dd&limit=2"
