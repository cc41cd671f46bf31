"""Windows: every row exactly once, in the order of a naive sort, from any anchor, at any time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.estate.reading.hints import Hints
from store.estate.reading.models import Scope, UnknownColumn, Window
from store.estate.reading.windows import position, read_window
from store.filters import FilterError
from tests.store.estate.reading.tables import T0, database, put

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SORTS = [
    (),
    (("name", False),),
    (("name", True),),
    (("vcpus", True), ("name", False)),
    (("project_name", False),),
    (("project_name", True), ("age", False)),
    (("disk_gb", False), ("status", True)),
    (("region", True), ("name", False)),
    (("id", True),),
    (("created_at", False), ("cloud", True)),
]
FILTERS = ["", "status:active", "!status:active", "project:p1", "vcpus:>1 or name:none", "disk_gb:>5"]
_names = st.none() | st.sampled_from(["", "a", "A", "b", "é", "ab"])
_servers = st.fixed_dictionaries(
    {
        "cloud": st.sampled_from(["c", "d"]),
        "region": st.sampled_from(["r", "s"]),
        "name": _names,
        "status": st.none() | st.sampled_from(["ACTIVE", "ERROR"]),
        "vcpus": st.none() | st.integers(0, 3),
        "project_id": st.none() | st.sampled_from(["p1", "p2", "gone"]),
        "image_id": st.none() | st.just("img"),
        "flavor_disk_gb": st.none() | st.integers(0, 9),
        "volume_ids": st.lists(st.sampled_from(["v1", "v2"]), unique=True, max_size=2),
        "created_at": st.none() | st.integers(0, 3).map(lambda days: T0 - timedelta(days=days)),
        "first": st.integers(0, 5),
        "last": st.none() | st.integers(6, 9),
    }
)
PROJECTS = {"p1": "alpha", "p2": "beta"}
SIZES = {"v1": 7, "v2": 20}


def _fill(connection: duckdb.DuckDBPyConnection, servers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for table in ("server", "project", "volume"):
        connection.execute(f"DELETE FROM {table}_versions")
    for cloud in ("c", "d"):
        for id, name in PROJECTS.items():
            put(connection, "project", id, cloud=cloud, name=name)
        for region in ("r", "s"):
            for id, size in SIZES.items():
                put(connection, "volume", id, cloud=cloud, region=region, size_gb=size)
    rows = []
    for number, server in enumerate(servers):
        values = {key: value for key, value in server.items() if key not in ("first", "last")}
        id = f"s{number % 7}{number}"
        first = T0 + timedelta(days=server["first"])
        last = T0 + timedelta(days=server["last"]) if server["last"] is not None else None
        put(connection, "server", id, **values, valid_from=first, valid_to=last)
        volumes = sum(SIZES[volume] for volume in server["volume_ids"]) if server["volume_ids"] else None
        flavor = server["flavor_disk_gb"]
        disk = flavor if server["image_id"] else (flavor if volumes is None else volumes)
        project = PROJECTS.get(server["project_id"] or "")
        rows.append({**values, "id": id, "project_name": project, "disk_gb": disk, "from": first, "to": last})
    return rows


def _passes(row: dict[str, Any], filter: str) -> bool:
    return {
        "": True,
        "status:active": row["status"] == "ACTIVE",
        "!status:active": row["status"] != "ACTIVE",
        "project:p1": False,
        "vcpus:>1 or name:none": (row["vcpus"] or 0) > 1 or row["name"] in (None, ""),
        "disk_gb:>5": (row["disk_gb"] or 0) > 5,
    }[filter]


def _naive(
    rows: list[dict[str, Any]], sort: tuple[tuple[str, bool], ...], filter: str, at: datetime
) -> list[tuple[str, str, str]]:
    kept = [r for r in rows if r["from"] <= at and (r["to"] is None or r["to"] > at) and _passes(r, filter)]
    for key in ("id", "region", "cloud"):
        kept.sort(key=lambda row: row[key].encode())
    for name, descending in reversed(sort or (("name", False),)):
        column = "created_at" if name == "age" else name
        backward = descending != (name == "age")
        values = [row for row in kept if row[column] is not None]
        values.sort(key=lambda r: r[column].encode() if isinstance(r[column], str) else r[column], reverse=backward)
        kept = values + [row for row in kept if row[column] is None]
    return [(row["cloud"], row["region"], row["id"]) for row in kept]


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return database()


# None, and two that take slices of a few rows: one that is mostly too thin at first.
HINTS = st.sampled_from(
    [
        lambda: None,
        lambda: Hints(least=1, every=1, first_factor=1.0, most=1.0),
        lambda: Hints(least=1, every=3, first_factor=0.1, wider=3.0, most=1.0),
    ]
)
_ask = {
    "hints": HINTS,
    "servers": st.lists(_servers, max_size=14),
    "sort": st.sampled_from(SORTS),
    "filter": st.sampled_from(FILTERS),
    "page": st.integers(1, 5),
    "day": st.sampled_from([None, 0, 3, 6, 8]),
}


def _keys(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [tuple(row[:3]) for row in answer["rows"]]


@settings(max_examples=15, deadline=None)
@given(**_ask)
def test_paging_visits_each_row_once_both_ways(
    connection: duckdb.DuckDBPyConnection, servers: Any, sort: Any, filter: str, page: int, day: int | None, hints: Any
) -> None:
    hints = hints()
    rows = _fill(connection, servers)
    at = None if day is None else T0 + timedelta(days=day)
    expected = _naive(rows, sort, filter, at or T0 + timedelta(days=99))
    base: dict[str, Any] = {"type": "server", "sort": sort, "filter": filter, "at": at and at.replace(tzinfo=UTC)}
    answer = read_window(connection, Window(**base, after=page), NOW, hints)
    seen = _keys(answer)
    assert answer["has_before"] is False and answer["place_index"] == 0
    while answer["has_after"]:
        last = tuple(answer["rows"][-1][:3])
        answer = read_window(connection, Window(**base, anchor=last, after=page), NOW, hints)
        assert _keys(answer)[0] == last and answer["anchor_index"] == 0 and answer["has_before"] is (len(seen) > 1)
        seen += _keys(answer)[1:]
    assert seen == expected
    answer = read_window(connection, Window(**base, anchor="end", before=page), NOW, hints)
    seen = _keys(answer)
    assert answer["has_after"] is False and answer["place_index"] == len(seen)
    assert answer["anchor_index"] == (len(seen) - 1 if seen else None)
    while answer["has_before"]:
        first = tuple(answer["rows"][0][:3])
        answer = read_window(connection, Window(**base, anchor=first, before=page, after=0), NOW, hints)
        assert _keys(answer)[-1] == first and answer["anchor_index"] == len(_keys(answer)) - 1
        seen = _keys(answer)[:-1] + seen
    assert seen == expected


@settings(max_examples=15, deadline=None)
@given(**_ask, data=st.data())
def test_any_anchor_any_size(
    connection: duckdb.DuckDBPyConnection,
    servers: Any,
    sort: Any,
    filter: str,
    page: int,
    day: int | None,
    hints: Any,
    data: st.DataObject,
) -> None:
    """Around any row that ever was: one that passes is in the window, one that does not marks its place."""
    rows = _fill(connection, servers)
    at = None if day is None else T0 + timedelta(days=day)
    moment = at or T0 + timedelta(days=99)
    expected = _naive(rows, sort, filter, moment)
    if not rows:
        return
    row = data.draw(st.sampled_from(rows))
    before = data.draw(st.integers(0, 4))
    key = (row["cloud"], row["region"], row["id"])
    everything = [{**other, "from": moment} if other is row else other for other in rows]
    everything = [{**other, "to": None} if other["id"] == row["id"] else other for other in everything]
    place = _naive(everything, sort, "", moment).index(key)
    full = _naive(everything, sort, "", moment)
    rank = sum(1 for other in full[:place] if other in expected)
    window = Window(
        "server", sort=sort, filter=filter, at=at and at.replace(tzinfo=UTC), anchor=key, before=before, after=page
    )
    answer = read_window(connection, window, NOW, hints())
    start = max(0, rank - before)
    end = rank + page + (1 if key in expected else 0)
    assert _keys(answer) == expected[start:end]
    assert answer["place_index"] == rank - start
    assert answer["anchor_index"] == (rank - start if key in expected else None)
    assert (answer["has_before"], answer["has_after"]) == (start > 0, end < len(expected))
    assert position(connection, window, NOW) == {"total": len(expected), "rank": rank}


def test_ranks_of_a_long_list(connection: duckdb.DuckDBPyConnection) -> None:
    """Found through the sample, also when it no longer fits."""
    connection.execute("DELETE FROM server_versions")
    rows = [("c", "r", f"{n:03}", T0, f"n{n // 3:03}") for n in range(300)]
    sql = "INSERT INTO server_versions (cloud, region, id, valid_from, name) VALUES (?, ?, ?, ?, ?)"
    connection.executemany(sql, rows)
    hints = Hints(least=1, every=4)
    left = [row[2] for row in rows]

    def at(rank: int) -> str:
        window = Window("server", columns=(), anchor=rank, before=0, after=0)
        return read_window(connection, window, NOW, hints)["rows"][0][2]

    for rank in (0, 1, 100, 157, 298, 299):
        assert at(rank) == left[rank]
    connection.execute("DELETE FROM server_versions WHERE id < '120' OR id BETWEEN '150' AND '250'")
    left = [id for id in left if not (id < "120" or "150" <= id <= "250")]
    for rank in range(0, len(left), 7):
        assert at(rank) == left[rank]


@pytest.mark.parametrize(("rank", "first"), [(0, 0), (3, 3), (4, 4)])
def test_anchor_by_rank(connection: duckdb.DuckDBPyConnection, rank: int, first: int) -> None:
    _five(connection)
    answer = read_window(connection, Window("server", anchor=rank, before=1, after=1), NOW)
    assert answer["rows"][answer["anchor_index"]][2] == f"id-{first}"
    assert position(connection, Window("server", anchor=rank), NOW) == {"total": 5, "rank": rank}


def _five(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DELETE FROM server_versions")
    for number in range(5):
        put(connection, "server", f"id-{number}", name=f"n{number}", project_id=f"p{number % 2 + 1}")


def test_a_rank_past_the_end_is_the_end(connection: duckdb.DuckDBPyConnection) -> None:
    _five(connection)
    answer = read_window(connection, Window("server", anchor=99, before=2, after=2), NOW)
    assert [row[2] for row in answer["rows"]] == ["id-3", "id-4"]
    assert (answer["has_before"], answer["has_after"]) == (True, False)


def test_a_key_that_never_was_is_the_start(connection: duckdb.DuckDBPyConnection) -> None:
    _five(connection)
    answer = read_window(connection, Window("server", anchor=("c", "r", "nobody"), before=2, after=2), NOW)
    assert [row[2] for row in answer["rows"]] == ["id-0", "id-1"]


def test_columns_in_the_order_asked_for(connection: duckdb.DuckDBPyConnection) -> None:
    _five(connection)
    answer = read_window(connection, Window("server", columns=("project", "vm_name", "cloud"), after=1), NOW)
    assert answer["columns"] == ["cloud", "region", "id", "project_name", "name"]
    assert answer["rows"][0][4] == "n0"


@pytest.mark.parametrize(
    ("window", "error"),
    [
        (Window("server", columns=("nope",)), UnknownColumn),
        (Window("server", sort=(("nope", False),)), UnknownColumn),
        (Window("server", filter="nope:1"), FilterError),
        (Window("server", filter="(a"), FilterError),
    ],
)
def test_refused(connection: duckdb.DuckDBPyConnection, window: Window, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_window(connection, window, NOW)


def test_an_age_counts_back_from_the_time_looked_at(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DELETE FROM server_versions")
    put(connection, "server", "a", name="a", created_at=T0 - timedelta(days=1))
    then = Window("server", filter="age:<2d", at=T0.replace(tzinfo=UTC) + timedelta(hours=1))
    assert len(read_window(connection, then, NOW)["rows"]) == 1
    assert read_window(connection, Window("server", filter="age:<2d"), NOW)["rows"] == []


@pytest.mark.parametrize(
    ("type", "scope", "expected"),
    [
        ("server", Scope(), {"s1", "s2", "s3"}),
        ("server", Scope(projects=("p1",)), {"s1"}),
        ("server", Scope(projects=()), set()),
        ("server", Scope(domains=("d1",)), {"s1", "s2"}),
        ("server", Scope(domains=("d1",), projects=("p1", "p3")), {"s1"}),
        ("server", Scope(clouds=("other",)), set()),
        ("server", Scope(in_projects=("p3",)), {"s3"}),
        ("server", Scope(projects=("p1",), in_projects=("p3",)), set()),
        ("server", Scope(in_regions=("r",)), {"s1", "s2", "s3"}),
        ("server", Scope(in_regions=("x",)), set()),
        ("project", Scope(projects=("p1",)), {"p1"}),
        ("project", Scope(domains=("d2",)), {"p3"}),
        ("project", Scope(in_regions=("x",)), {"p1", "p2", "p3"}),
        ("domain", Scope(domains=("d1",)), {"d1"}),
        ("domain", Scope(projects=("p1",)), set()),
        ("hypervisor", Scope(), {"h"}),
        ("hypervisor", Scope(projects=("p1",)), set()),
        ("flavor", Scope(projects=("p1",)), {"f"}),
        ("image", Scope(projects=("p1",)), {"i-public", "i-p1"}),
        ("image", Scope(domains=("d2",)), {"i-public"}),
        ("volume_attachment", Scope(projects=("p1",)), {"a1"}),
        ("role_assignment", Scope(domains=("d1",)), {"g1", "g2"}),
        ("user", Scope(domains=("d1",)), {"u"}),
    ],
)
def test_scope(type: str, scope: Scope, expected: set[str]) -> None:
    connection = database()
    for id, domain in (("p1", "d1"), ("p2", "d1"), ("p3", "d2")):
        put(connection, "project", id, name=id, domain_id=domain)
    for id in ("d1", "d2"):
        put(connection, "domain", id, name=id)
    for number in (1, 2, 3):
        put(connection, "server", f"s{number}", name="x", project_id=f"p{number}")
        put(connection, "volume", f"v{number}", project_id=f"p{number}")
        put(connection, "volume_attachment", f"a{number}", volume_id=f"v{number}")
    put(connection, "hypervisor", "h", name="h")
    put(connection, "flavor", "f", name="f")
    put(connection, "image", "i-public", visibility="public", project_id="p9")
    put(connection, "image", "i-p1", visibility="private", project_id="p1")
    put(connection, "image", "i-p2", visibility="private", project_id="p2")
    put(connection, "role_assignment", "g1", scope_kind="project", project_id="p1", domain_id="d1")
    put(connection, "role_assignment", "g2", scope_kind="domain", domain_id="d1")
    put(connection, "role_assignment", "g3", scope_kind="domain", domain_id="d2")
    put(connection, "user", "u", name="u", domain_id="d1")
    answer = read_window(connection, Window(type, columns=(), scope=scope), NOW)
    assert {row[2] for row in answer["rows"]} == (
        expected - {"d2"} if type == "domain" and not scope.domains else expected
    )
    assert position(connection, Window(type, scope=scope), NOW)["total"] == len(answer["rows"])


def test_an_old_sample_costs_time_and_no_rows(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DELETE FROM server_versions")
    rows = [("c", "r", f"{n:03}", T0, f"n{n:03}") for n in range(300)]
    connection.executemany(
        "INSERT INTO server_versions (cloud, region, id, valid_from, name) VALUES (?, ?, ?, ?, ?)", rows
    )
    hints = Hints(least=1, every=4, first_factor=2.0, wider=2.0)
    columns = ("name",)

    def names(anchor: Any, before: int, after: int) -> list[str]:
        window = Window("server", columns=columns, anchor=anchor, before=before, after=after)
        return [row[3] for row in read_window(connection, window, NOW, hints)["rows"]]

    assert names("start", 0, 5) == [f"n{n:03}" for n in range(5)]
    assert names(("c", "r", "150"), 3, 3) == [f"n{n:03}" for n in range(147, 154)]
    connection.execute(
        "DELETE FROM server_versions WHERE name BETWEEN 'n000' AND 'n140' OR name BETWEEN 'n151' AND 'n290'"
    )
    assert names("start", 0, 2) == ["n141", "n142"]
    assert names(("c", "r", "150"), 3, 3) == ["n147", "n148", "n149", "n150", "n291", "n292", "n293"]
    assert names("end", 20, 0) == [f"n{n}" for n in (*range(141, 151), *range(291, 300))][-20:]
