"""One resource: as of a time, with its links and versions; the public views."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from store.estate.reading import history, single, views
from store.estate.reading.models import Scope, Window
from store.estate.reading.windows import read_window
from store.types import registry
from tests.store.estate.reading.tables import T0, database, put

SERVER = registry.ALL["server"]
KEY = ("c", "r", "s1")
HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def aware(hours: int) -> datetime:
    return (T0 + hours * HOUR).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = database()
    put(connection, "project", "p1", name="old name", domain_id="d1", valid_to=T0 + HOUR)
    put(connection, "project", "p1", name="acme", domain_id="d1", valid_from=T0 + HOUR)
    put(connection, "domain", "d1", name="dom")
    common: dict[str, Any] = {"project_id": "p1", "image_id": None, "flavor_disk_gb": 0}
    put(connection, "server", "s1", **common, name="one", volume_ids=[], valid_to=T0 + 2 * HOUR)
    doc = '{"id": "s1", "name": "two"}'
    more = {"host": None, "denied": ["host"], "doc": doc, "addresses": ["10.0.0.1", "203.0.113.5"]}
    put(connection, "server", "s1", **common, **more, name="two", volume_ids=["v1", "v2"], valid_from=T0 + 2 * HOUR)
    put(connection, "server", "s2", **common, name="gone", volume_ids=[], valid_to=T0 + HOUR)
    put(connection, "server", "s3", **common, name="other", host="cmp", vcpus=3, volume_ids=[])
    put(connection, "server", "s4", project_id="p1", name="img", host="cmp", vcpus=4, image_id="i", flavor_disk_gb=9)
    for id, size, servers in (("v1", 10, ["s1"]), ("v2", 5, ["s1", "s3"]), ("v3", 1, [])):
        put(connection, "volume", id, size_gb=size, server_ids=servers, project_id="p1")
    for number in (1, 2):  # two hypervisors that report one name
        put(connection, "hypervisor", f"h{number}", name="cmp", vcpus=32)
    return connection


def test_now(connection: duckdb.DuckDBPyConnection) -> None:
    one = single.read_one(connection, SERVER, KEY, None)
    assert one is not None
    assert (one["row"]["name"], one["doc"], one["denied"]) == ("two", {"id": "s1", "name": "two"}, ["host"])
    assert "host" not in one["row"] and one["row"]["project_name"] == "acme"
    assert one["row"]["disk_gb"] == 15 and one["row"]["ips"] == "10.0.0.1, 203.0.113.5"
    assert (one["valid_from"], one["valid_to"]) == (T0 + 2 * HOUR, None)


@pytest.mark.parametrize(
    ("hours", "name", "project"), [(0, "one", "old name"), (1, "one", "acme"), (2, "two", "acme"), (-1, None, None)]
)
def test_as_of(connection: duckdb.DuckDBPyConnection, hours: int, name: str | None, project: str | None) -> None:
    """Names of other resources are those of the same time."""
    one = single.read_one(connection, SERVER, KEY, aware(hours))
    assert (one and (one["row"]["name"], one["row"]["project_name"])) == (name and (name, project))


def test_gone_is_answered_as_it_was_last(connection: duckdb.DuckDBPyConnection) -> None:
    one = single.read_one(connection, SERVER, ("c", "r", "s2"), None)
    assert one is not None and (one["valid_to"], one["row"]["project_name"]) == (T0 + HOUR, "old name")
    assert single.read_one(connection, SERVER, ("c", "r", "s2"), aware(3)) is None
    assert single.read_one(connection, SERVER, ("c", "r", "none"), None) is None


def test_scope(connection: duckdb.DuckDBPyConnection) -> None:
    assert single.read_one(connection, SERVER, KEY, None, Scope(projects=("p2",))) is None
    assert single.keys_of(connection, SERVER, "s1", None, Scope(domains=("d2",))) == []
    assert single.keys_of(connection, SERVER, "s1", None, Scope(domains=("d1",))) == [KEY]
    assert single.versions(connection, SERVER, KEY, Scope(projects=("p2",))) == []


def test_versions(connection: duckdb.DuckDBPyConnection) -> None:
    found = single.versions(connection, SERVER, KEY)
    assert [(one["row"]["name"], one["valid_to"]) for one in found] == [("two", None), ("one", T0 + 2 * HOUR)]


@pytest.mark.parametrize(("domain", "seen"), [("d1", 2), ("d2", 0)])
def test_a_role_limited_to_a_domain_sees_the_past_of_its_projects(
    connection: duckdb.DuckDBPyConnection, domain: str, seen: int
) -> None:
    """The limit is judged by the domain that the project is in now: nothing was known at the beginning of time."""
    scope = Scope(domains=(domain,))
    assert len(single.versions(connection, SERVER, KEY, scope)) == seen
    assert len(history.versions_of(connection, SERVER, ("c", "r"), ["s1"], scope)) == seen
    linked = history.ever_linked(connection, registry.ALL["volume"], ("c", "r"), "server_ids", "s1", scope)
    assert sorted(linked) == (["v1", "v2"] if seen else [])


def test_links_list_what_they_count(connection: duckdb.DuckDBPyConnection) -> None:
    for type, id in (("server", "s1"), ("volume", "v2"), ("project", "p1"), ("hypervisor", "h1")):
        declared = registry.ALL[type]
        one = single.read_one(connection, declared, ("c", "" if type == "project" else "r", id), None)
        assert one is not None
        links = single.links(connection, one, None)
        assert links
        for link in links:
            listed = read_window(connection, Window(link["type"], filter=link["filter"], after=50), NOW)
            assert len(listed["rows"]) == link["count"], link
    titles = {link["title"]: link["count"] for link in links}
    assert titles["servers"] == 2


def test_host_totals_are_not_doubled_by_two_hosts_of_one_name(connection: duckdb.DuckDBPyConnection) -> None:
    columns = ("name", "host_vcpus_total", "host_vcpus_used", "host_disk_used_gb")
    answer = read_window(connection, Window("server", columns=columns, filter="host:cmp"), NOW)
    assert [row[3:] for row in answer["rows"]] == [["img", 32, 7, 9], ["other", 32, 7, 9]]


def test_views_say_what_lists_say(connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute("SELECT name, project_name, domain_name, disk_gb FROM servers ORDER BY name").fetchall()
    assert rows == [("img", "acme", "dom", 9), ("other", "acme", "dom", 0), ("two", "acme", "dom", 15)]
    then = connection.execute("SELECT name, project_name FROM servers_at(?) ORDER BY name", [T0]).fetchall()
    assert then == [(name, "old name") for name in ("gone", "img", "one", "other")]


@pytest.mark.parametrize("type", registry.ALL.values(), ids=lambda type: type.name)
def test_every_column_of_every_type_can_be_read(connection: duckdb.DuckDBPyConnection, type: Any) -> None:
    """Sorted by, filtered by and shown: the SQL of each joined and computed column holds."""
    names = [column.name for column in type.view_columns]
    read_window(connection, Window(type.name, columns=tuple(names)), NOW)
    connection.execute(f"SELECT * FROM {type.plural}")
    for column in (*type.joined, *type.computed):
        window = Window(type.name, sort=((column.name, True),), filter=f"{column.name}:any", columns=(column.name,))
        read_window(connection, window, NOW)


def test_views_are_made_once(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DROP VIEW servers")
    views.create(connection)
    with pytest.raises(duckdb.CatalogException):
        connection.execute("SELECT * FROM servers")
    connection.execute("UPDATE meta SET value = 'older' WHERE key = 'views'")
    views.create(connection)
    connection.execute("SELECT * FROM servers")
