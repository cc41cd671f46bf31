"""One meaning, two executors: every query gives the same on the estate, on lists in memory, and as the SQL shown.

Servers, volumes, ports, projects and hosts of a small estate are read as resource types and, row by row the same, as
lists of a room.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot.execution.result import Result, plain, rounded
from copilot.execution.run import run
from copilot.model import registry
from copilot.model.declaration import Entity
from copilot.query import All, AnyOf, Condition, Counted, Measure, Not, Query, Related, Test
from tests.copilot.execution.estates import NOW, Handed
from tests.store.estate.reading.tables import T0, database, put

TYPES = ("server", "volume", "port", "project", "hypervisor")


def as_list(name: str) -> Entity:
    """The entity as a list of a room: the same columns and relations, rows in memory."""
    one = registry.entity(name)
    attributes = dict(one.attributes)
    if one.type is not None and one.type.listing.global_:
        del attributes["region"]  # identity resources lie in no region
    relations = {key: leads for key, leads in one.relations.items() if leads.to in TYPES}
    return replace(one, type=None, attributes=attributes, relations=relations)


LISTS = {name: as_list(name) for name in TYPES}


def handed(connection: duckdb.DuckDBPyConnection) -> Handed:
    """The rows of the public views as lists, in the order of their keys."""
    lists = {}
    for name in TYPES:
        found = connection.execute(f"SELECT * FROM {registry.entity(name).type.plural} ORDER BY cloud, region, id")  # type: ignore[union-attr]
        heads = [column[0] for column in found.description]
        lists[name] = [dict(zip(heads, map(_aware, row), strict=True)) for row in found.fetchall()]
    return Handed(connection, lists=lists)


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def check(query: Query, sources: Handed) -> Result:
    """The result, the same from both executors and from the SQL that is shown."""
    found = run(query, sources, NOW)
    listed = run(query, sources, NOW, LISTS.__getitem__)
    assert (listed.rows, listed.total, listed.value, listed.part, listed.unit) == (
        found.rows, found.total, found.value, found.part, found.unit
    )  # fmt: skip
    assert listed.columns == found.columns
    assert (listed.types, listed.sql) == (found.types, "")
    written = sources.connection.execute(found.sql).fetchall()
    if found.columns:
        shown = [[row[field.name] for field in found.columns] for row in found.rows]
        assert [[rounded(plain(value)) for value in row] for row in written] == shown
    else:
        assert rounded(plain(written[0][0])) == found.value
    return found


@pytest.fixture(scope="module")
def sources() -> Handed:
    connection = database()
    put(connection, "project", "p1", name="acme-prod", enabled=True)
    put(connection, "project", "p2", name="Beta", enabled=False)
    put(connection, "project", "p1", cloud="d", name="elsewhere", enabled=True)
    server = {"project_id": "p1", "host": "h1", "created_at": T0, "power_state": 1, "locked": False}
    put(connection, "server", "s1", **server, name="Web-01", status="ACTIVE", vcpus=2, ram_mb=2048, tags=["Prod", "x"])
    put(connection, "server", "s2", **{**server, "host": "h2"}, name="web-02", status="SHUTOFF", vcpus=4, ram_mb=4096)
    put(connection, "server", "s3", **{**server, "project_id": "p2"}, name="db_01", status="ERROR", tags=["prod"])
    put(connection, "server", "s4", name="", host="", tags=[], created_at=T0 + timedelta(days=2))
    put(connection, "server", "s1", cloud="d", **server, name="ÜBER", status="ACTIVE", vcpus=8, ram_mb=1024)
    put(connection, "server", "s1", region="other", name="twin", status="ACTIVE", vcpus=1)
    put(connection, "volume", "v1", name="root", size_gb=10, server_ids=["s1"], status="in-use", project_id="p1")
    put(connection, "volume", "v2", name="shared", size_gb=30, server_ids=["s1", "s2"], status="in-use")
    put(connection, "volume", "v3", name="spare", size_gb=50, server_ids=[], status="available", project_id="p2")
    put(connection, "port", "n1", device_id="s1", fixed_ips=["10.0.0.1", "10.0.1.1"], network_id="n", status="ACTIVE")
    put(connection, "port", "n2", device_id="", status="DOWN")
    put(connection, "hypervisor", "1", name="h1", state="up", status="enabled", vcpus=16, memory_mb=65536)
    put(connection, "hypervisor", "2", name="", state="down", status="enabled", vcpus=8)
    return handed(connection)


def is_(column: str, *values: Any) -> Test:
    return Test(column, "=", values)


RAW = Related("volume", Test("size_gb", ">", (20,)))
# (entity, condition, ids of the rows that fulfil it; "d/s1" lies in the other cloud, "other/s1" in the other region)
CONDITIONS: list[tuple[str, Condition, str]] = [
    ("server", is_("name", "WEB-01"), "s1"),
    ("server", is_("name", "web-01", "Web-02"), "s1 s2"),
    ("server", is_("name", "über"), "d/s1"),
    ("server", is_("name", "web_01"), ""),  # an underscore is no wildcard
    ("server", Test("name", "contains", ("B-", "%")), "s1 s2"),
    ("server", Test("name", "starts", ("web", "tw")), "s1 s2 other/s1"),
    ("server", Test("name", "ends", ("01",)), "s1 s3"),
    ("server", Test("name", "none"), "s4"),
    ("server", Test("host", "any"), "s1 s2 s3 d/s1"),
    ("server", is_("tags", "PROD"), "s1 s3"),
    ("server", is_("tags", "x", "y"), "s1"),
    ("server", Test("tags", "contains", ("ro",)), "s1 s3"),
    ("server", Test("tags", "starts", ("p", "q")), "s1 s3"),
    ("server", Test("tags", "ends", ("od",)), "s1 s3"),
    ("server", Test("tags", "none"), "s2 s4 d/s1 other/s1"),
    ("server", Test("tags", "any"), "s1 s3"),
    ("server", is_("vcpus", 2, 8), "s1 d/s1"),
    ("server", Test("vcpus", ">=", (4,)), "s2 d/s1"),
    ("server", Test("vcpus", "<", (2.5,)), "s1 other/s1"),
    ("server", Test("vcpus", "none"), "s3 s4"),
    ("server", is_("locked", False), "s1 s2 s3 d/s1"),
    ("server", Not(is_("locked", False)), "s4 other/s1"),
    ("server", Test("created_at", ">", (T0.replace(tzinfo=UTC),)), "s4"),
    ("server", Test("created_at", "<=", (T0.replace(tzinfo=UTC),)), "s1 s2 s3 d/s1"),
    ("server", is_("project_name", "beta"), "s3"),
    ("server", Not(is_("status", "active")), "s2 s3 s4"),  # a state that is not known is not active
    ("server", Not(Not(is_("status", "active"))), "s1 d/s1 other/s1"),
    ("server", Not(All((is_("status", "active"), is_("vcpus", 2)))), "s2 s3 s4 d/s1 other/s1"),
    ("server", AnyOf((is_("vcpus", 2), All((is_("status", "error"), Test("tags", "any"))))), "s1 s3"),
    ("server", AnyOf(()), ""),
    ("server", All((AnyOf((is_("vcpus", 2), is_("vcpus", 4))), Not(is_("host", "h1")))), "s2"),
    ("server", is_("name"), ""),
    ("server", Related("volume"), "s1 s2"),
    ("server", RAW, "s1 s2"),
    ("server", Not(RAW), "s3 s4 d/s1 other/s1"),
    ("server", Related("volume", comparison="=", count=0), "s3 s4 d/s1 other/s1"),
    ("server", Related("volume", comparison="<", count=2), "s2 s3 s4 d/s1 other/s1"),
    ("server", Related("volume", comparison="!=", count=1), "s1 s3 s4 d/s1 other/s1"),
    ("server", Related("volume", is_("name", "root")), "s1"),
    ("server", Related("hypervisor", is_("state", "up")), "s1 s3"),  # the host of that name in the other cloud is none
    ("server", Related("hypervisor", is_("state", "down")), ""),  # two empty names are not the same host
    ("server", Related("project", is_("enabled", True)), "s1 s2 d/s1"),
    ("server", Related("port", Test("fixed_ips", "starts", ("10.0.1.",))), "s1"),
    ("volume", Related("server", comparison=">=", count=2), "v2"),
    ("volume", Related("server", is_("status", "shutoff")), "v2"),
    ("volume", Related("server", is_("status", "active"), "=", 1), "v1 v2"),
    ("volume", Not(Related("server")), "v3"),
    ("project", Related("server", Related("volume", Test("size_gb", ">", (20,)))), "p1"),
    ("project", Related("server", comparison=">=", count=2), "p1"),
    ("project", Related("volume"), "p1 p2"),
    ("hypervisor", Related("server", is_("status", "error")), "1"),
    ("hypervisor", Not(Related("server")), "2"),
]


@pytest.mark.parametrize(("entity", "where", "ids"), CONDITIONS, ids=str)
def test_conditions(sources: Handed, entity: str, where: Condition, ids: str) -> None:
    order = (("cloud", False), ("id", False))
    result = check(Query(entity, where, order=order, columns=("id",)), sources)
    places = {"c": "", "d": "d/"}
    found = [f"{places[cloud]}{'other/' if region == 'other' else ''}{id}" for _, (cloud, region, id) in result.keys]
    assert sorted(found) == sorted(ids.split())
    count = check(Query(entity, where, Measure("count")), sources)
    exists = check(Query(entity, where, Measure("exists")), sources)
    assert (count.value, exists.value) == (len(found), bool(found))


ACTIVE = is_("status", "active")
NUMBERS: list[tuple[Query, Any]] = [
    (Query("server", measure=Measure("sum", "vcpus")), 15),
    (Query("server", measure=Measure("average", "vcpus")), 3.75),
    (Query("server", measure=Measure("average", "ram_mb")), 2389.33),
    (Query("server", measure=Measure("maximum", "ram_mb")), 4096),
    (Query("server", measure=Measure("minimum", "vcpus")), 1),
    (Query("server", measure=Measure("maximum", "created_at")), "2026-11-03T00:00:00Z"),
    (Query("server", is_("name", "nobody"), Measure("sum", "vcpus")), None),
    (Query("server", is_("name", "nobody"), Measure("share", of=ACTIVE)), None),
    (Query("server", measure=Measure("share", of=ACTIVE)), 50.0),
    (Query("server", Related("volume"), Measure("share", of=RAW)), 100.0),
    (Query("server", measure=Measure("share", of=Not(Related("volume")))), 66.7),
    (Query("server", measure=Measure("average", "n"), counted=(Counted("n", "volume"),)), 0.5),
    (Query("server", Test("n", ">", (1,)), Measure("count"), counted=(Counted("n", "volume"),)), 1),
]


@pytest.mark.parametrize(("query", "value"), NUMBERS, ids=str)
def test_numbers(sources: Handed, query: Query, value: Any) -> None:
    assert check(query, sources).value == value


BY_STATUS = ("status",)
GROUPS: list[tuple[Query, list[list[Any]], int]] = [
    (Query("server", group=BY_STATUS, measure=Measure("count")),
     [["ACTIVE", 3], ["ERROR", 1], ["SHUTOFF", 1], [None, 1]], 4),
    (Query("server", group=BY_STATUS, measure=Measure("sum", "vcpus"), limit=2), [["ACTIVE", 11], ["SHUTOFF", 4]], 4),
    (Query("server", group=BY_STATUS, measure=Measure("count"), order=(("status", True),), limit=1),
     [["SHUTOFF", 1]], 4),
    (Query("server", group=BY_STATUS, measure=Measure("count"), order=(("#", False), ("status", False)), limit=1),
     [["ERROR", 1]], 4),
    (Query("server", group=("host",), measure=Measure("count")), [["h1", 3], [None, 2], ["h2", 1]], 3),
    (Query("server", group=("tags",), measure=Measure("count")), [[None, 4], ["Prod", 1], ["prod", 1], ["x", 1]], 4),
    (Query("server", group=("tags", "status"), measure=Measure("share", of=is_("vcpus", 2)), limit=1),
     [["Prod", "ACTIVE", 100.0]], 6),
    (Query("server", group=("locked",), measure=Measure("share", of=ACTIVE)), [[False, 50.0], [None, 50.0]], 2),
    (Query("server", group=("volumes",), measure=Measure("count"), counted=(Counted("volumes", "volume"),)),
     [[0, 4], [1, 1], [2, 1]], 3),
    (Query("server", is_("name", "nobody"), group=BY_STATUS, measure=Measure("count")), [], 0),
]  # fmt: skip


@pytest.mark.parametrize(("query", "rows", "total"), GROUPS, ids=str)
def test_groups(sources: Handed, query: Query, rows: list[list[Any]], total: int) -> None:
    result = check(query, sources)
    assert ([list(row.values()) for row in result.rows], result.total) == (rows, total)


GB = Counted("gb", "volume", kind="sum", column="size_gb")
COUNTED: list[tuple[Query, list[list[Any]]]] = [
    (Query("server", counted=(Counted("n", "volume"), GB), order=(("gb", True), ("vcpus", True)), limit=3,
           columns=("id",)),
     [["Web-01", "s1", 2, 40, 2], ["web-02", "s2", 1, 30, 4], ["ÜBER", "s1", 0, None, 8]]),
    (Query("volume", counted=(Counted("n", "server", kind="average", column="vcpus"),), order=(("n", False),),
           columns=("id",)),
     [["root", "v1", 2.0], ["shared", "v2", 3.0], ["spare", "v3", None]]),
    (Query("project", counted=(Counted("big", "server", ACTIVE, "maximum", "ram_mb"),), order=(("big", True),),
           columns=("id",), limit=2), [["acme-prod", "p1", 2048], ["elsewhere", "p1", 1024]]),
    (Query("hypervisor", counted=(Counted("newest", "server", kind="maximum", column="created_at"),), columns=("id",),
           order=(("name", True),), limit=1), [["h1", "1", "2026-11-01T00:00:00Z"]]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "rows"), COUNTED, ids=str)
def test_counted_numbers(sources: Handed, query: Query, rows: list[list[Any]]) -> None:
    assert [list(row.values()) for row in check(query, sources).rows] == rows


# Anything at all

_texts = st.none() | st.sampled_from(["", "a", "A", "b", "ab", "Ä", "ß", "a'b", "a?b", "$1"])
_words = st.sampled_from(["a", "B", "ä", "SS", "'", "?", "$1", "%", "\\", "\x00\u202e"])
_some = st.none() | st.lists(st.sampled_from(["a", "A", "b", ""]), max_size=3)
_servers = st.fixed_dictionaries(
    {
        "cloud": st.sampled_from(["c", "d"]), "region": st.sampled_from(["r", "s"]),
        "name": _texts, "status": _texts, "host": st.sampled_from(["", "h1", "h2"]), "tags": _some,
        "vcpus": st.none() | st.integers(-2, 3), "locked": st.none() | st.booleans(),
        "project_id": st.none() | st.sampled_from(["", "p1", "p2"]),
        "created_at": st.none() | st.integers(0, 3).map(lambda days: T0 + timedelta(days=days)),
    }
)  # fmt: skip
_volumes = st.fixed_dictionaries(
    {
        "cloud": st.sampled_from(["c", "d"]), "region": st.sampled_from(["r", "s"]), "name": _texts,
        "size_gb": st.none() | st.integers(0, 3), "project_id": st.none() | st.sampled_from(["p1", "p2"]),
        "server_ids": st.none() | st.lists(st.sampled_from(["s0", "s1", "s2", "", "gone"]), max_size=4),
    }
)  # fmt: skip
_whole = st.integers(-2, 3) | st.sampled_from([0.5, 2.0])
_tests = {
    "server": st.one_of(
        st.builds(Test, st.sampled_from(["name", "status", "tags", "host", "project_name"]),
                  st.sampled_from(["=", "contains", "starts", "ends"]), st.lists(_words, max_size=2).map(tuple)),
        st.builds(Test, st.sampled_from(["name", "tags", "vcpus", "locked", "created_at", "project_id"]),
                  st.sampled_from(["none", "any"])),
        st.builds(Test, st.just("vcpus"), st.sampled_from(["=", "<", "<=", ">", ">="]), st.tuples(_whole)),
        st.builds(Test, st.just("locked"), st.just("="), st.tuples(st.booleans())),
        st.builds(Test, st.just("created_at"), st.sampled_from(["<", ">="]),
                  st.just((T0.replace(tzinfo=UTC) + timedelta(days=1),))),
    ),
    "volume": st.one_of(
        st.builds(Test, st.just("name"), st.sampled_from(["=", "contains"]), st.tuples(_words)),
        st.builds(Test, st.just("size_gb"), st.sampled_from(["=", ">", "<="]), st.tuples(_whole)),
        st.builds(Test, st.just("server_ids"), st.sampled_from(["none", "any"])),
    ),
    "project": st.builds(Test, st.just("name"), st.sampled_from(["=", "contains"]), st.tuples(_words)),
}  # fmt: skip
_leads = {"server": ("volume", "project"), "volume": ("server", "project"), "project": ("server", "volume")}


def _conditions(entity: str, depth: int) -> st.SearchStrategy[Condition]:
    found: list[st.SearchStrategy[Condition]] = [_tests[entity]]
    if depth:
        inner = st.deferred(lambda: _conditions(entity, depth - 1))
        few = st.lists(inner, max_size=2).map(tuple)
        found += [st.builds(Not, inner), st.builds(AnyOf, few), st.builds(All, few)]
        found += [
            st.builds(
                Related, st.just(other), _conditions(other, depth - 1),
                st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.integers(0, 2),
            )
            for other in _leads[entity]
        ]  # fmt: skip
    return st.one_of(found)


_counted = {
    "server": st.sampled_from([(), (Counted("n", "volume"),), (GB,), (Counted("n", "project", kind="count"),)]),
    "volume": st.sampled_from([(), (Counted("n", "server", ACTIVE, "sum", "vcpus"),), (Counted("n", "server"),)]),
}
_measures = {
    "server": st.sampled_from(
        [Measure(), Measure("count"), Measure("exists"), Measure("sum", "vcpus"), Measure("average", "vcpus"),
         Measure("maximum", "created_at"), Measure("share", of=Not(ACTIVE)), Measure("share", of=RAW)]
    ),
    "volume": st.sampled_from([Measure(), Measure("count"), Measure("minimum", "size_gb")]),
}  # fmt: skip
_grouped = {
    "server": st.sampled_from([(), ("status",), ("tags",), ("project_name", "locked"), ("created_at", "tags")]),
    "volume": st.sampled_from([(), ("server_ids",), ("project_name",)]),
}
_limits = st.none() | st.integers(0, 4)


@st.composite
def _queries(draw: st.DrawFn) -> Query:
    entity = draw(st.sampled_from(["server", "volume"]))
    counted, measure, group = draw(_counted[entity]), draw(_measures[entity]), draw(_grouped[entity])
    order: tuple[tuple[str, bool], ...] = ()
    if not group:
        columns = ["name", "id", *(one.name for one in counted)]
        order = tuple(draw(st.lists(st.tuples(st.sampled_from(columns), st.booleans()), max_size=2)))
    elif measure.kind != "average":  # a sum of floats has as many orders as ways to add
        order = tuple(draw(st.lists(st.tuples(st.sampled_from(["#", *group]), st.booleans()), max_size=2)))
    return Query(entity, draw(_conditions(entity, 2)), measure, group, counted, order, draw(_limits), columns=("id",))


@pytest.fixture(scope="module")
def empty() -> duckdb.DuckDBPyConnection:
    return database()


@settings(max_examples=40)
@given(servers=st.lists(_servers, max_size=6), volumes=st.lists(_volumes, max_size=5), query=_queries())
def test_any_query_has_one_meaning(
    empty: duckdb.DuckDBPyConnection, servers: list[dict[str, Any]], volumes: list[dict[str, Any]], query: Query
) -> None:
    for name in TYPES:
        empty.execute(f"DELETE FROM {name}_versions")
    for cloud in ("c", "d"):
        put(empty, "project", "p1", cloud=cloud, name="ab")
        put(empty, "project", "p2", cloud=cloud, name="$1")
    for number, server in enumerate(servers):
        put(empty, "server", f"s{number % 3}", **{**server, "region": f"{server['region']}{number // 3}"})
    for number, volume in enumerate(volumes):
        put(empty, "volume", f"v{number}", **{**volume, "region": f"{volume['region']}{number % 2}"})
    check(query, handed(empty))
