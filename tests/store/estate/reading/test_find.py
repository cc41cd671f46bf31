"""Find anything: what fits, how well, since when, within the scope."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from store.estate.reading import find
from store.estate.reading.find_around import around
from store.estate.reading.find_match import match, searched
from store.estate.reading.find_rows import Period, periods
from store.estate.reading.find_terms import understand
from store.estate.reading.models import Scope
from store.types import registry
from tests.store.estate.reading.tables import T0, database, put

TAGS = ["web", "db", "10.0.0.1", "10.0.0.12", "fa:16:3e:00:11:22", "10.0.0.0/24", "a=web"]
HOUR = timedelta(hours=1)
EVERYWHERE = Scope()
VOLUME = "77aa0000-1111-2222-3333-444455556666"
REQUEST = "req-8f1c2d3e-0000-4000-8000-000000000001"


def search_text(type: str, id: str, values: dict[str, Any]) -> str:
    """As the ingest makes it."""
    words: list[str] = []
    for column in registry.ALL[type].columns:
        value = values.get(column.name)
        if column.search and value is not None:
            words += [str(item) for item in value] if isinstance(value, list) else [str(value)]
    return f"{' '.join(words).lower()} {id.lower()}"


def store(connection: duckdb.DuckDBPyConnection, type: str, id: str, **values: Any) -> None:
    put(connection, type, id, search=search_text(type, id, values), **values)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = database()
    store(connection, "project", "p1", name="acme", domain_id="d1")
    store(connection, "project", "p2", name="retail", domain_id="d2")
    store(connection, "domain", "d1", name="dom")
    store(connection, "user", "u1", name="m.levi")
    store(connection, "network", "n1", name="blue", project_id="p1")
    store(connection, "network", "n2", name="red", project_id="p2")
    store(connection, "subnet", "sub1", name="blue-v4", cidr="10.20.0.0/24", network_id="n1", project_id="p1")
    store(connection, "router", "r1", name="edge", external_ips=["203.0.113.1"], project_id="p1")
    store(connection, "hypervisor", "h1", name="cmp-02")
    store(connection, "keypair", "k1", name="ops-key")
    store(connection, "image", "i1", name="ubuntu-24.04", tags=["golden"])
    store(connection, "volume", VOLUME, name="data-1", server_id="s1", project_id="p1", user_id="u1")
    store(connection, "cinder_message", "m1", user_message="no backend", request_id=REQUEST)
    server: dict[str, Any] = {"project_id": "p1", "user_id": "u1"}
    one = {**server, "name": "web-3", "host": "cmp-02", "metadata": ["owner=dba", "tier=gold"], "key_name": "ops-key"}
    # web-3 had the address for four hours, in two versions, then web-3-new got it.
    store(connection, "server", "s1", **one, addresses=["10.20.0.7"], status="ACTIVE", valid_to=T0 + 2 * HOUR)
    store(
        connection,
        "server",
        "s1",
        **one,
        addresses=["10.20.0.7"],
        status="SHUTOFF",
        valid_from=T0 + 2 * HOUR,
        valid_to=T0 + 4 * HOUR,
    )
    store(connection, "server", "s1", **one, addresses=[], status="SHUTOFF", valid_from=T0 + 4 * HOUR)
    store(connection, "server", "s2", **server, name="web-3-new", addresses=["10.20.0.7"], valid_from=T0 + 5 * HOUR)
    store(connection, "server", "s3", project_id="p2", name="other", addresses=["10.20.0.70", "10.20.0.7"])
    store(connection, "server", "s4", **server, name="gone-1", addresses=["10.9.9.9"], valid_to=T0 + HOUR)
    port = {"project_id": "p1", "network_id": "n1"}
    store(
        connection,
        "port",
        "port1",
        **port,
        mac_address="fa:16:3e:00:11:22",
        fixed_ips=["10.20.0.7"],
        device_id="s1",
        device_owner="compute:nova",
        valid_to=T0 + 4 * HOUR,
    )
    store(connection, "port", "port2", **port, fixed_ips=["10.20.0.2"], device_owner="network:dhcp", device_id="dhcp")
    store(
        connection,
        "port",
        "port3",
        **port,
        fixed_ips=["10.20.0.1"],
        device_owner="network:router_interface",
        device_id="r1",
    )
    allowed = {"allowed_addresses": ["10.77.0.0/24", "10.20.9.9"], "allowed_macs": ["00:00:5e:00:01:2a"]}
    store(connection, "port", "port4", **port, fixed_ips=["10.20.0.8"], **allowed)
    store(connection, "port", "port5", network_id="n2", project_id="p2", fixed_ips=["fd00:1::5"])
    store(
        connection, "floating_ip", "f1", address="203.0.113.40", fixed_ip="10.20.0.7", server_id="s2", project_id="p1"
    )
    return connection


def ask(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    at: datetime | None = None,
    scope: Scope = EVERYWHERE,
    limit: int = 50,
) -> list[Period]:
    term = understand(text)
    assert term is not None
    hits, _ = find.hits(connection, term, registry.ALL.values(), at, scope, limit)
    found = periods(connection, term, hits, at, scope)
    return sorted(found, key=lambda one: (one.match.rank, one.end is not None, find.place_of(one.type), one.start))


def short(found: list[Period]) -> list[tuple[str, str]]:
    return [(one.key[2], one.match.column) for one in found]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("web-3", ("s1", "name")),
        ("WEB-3", ("s1", "name")),
        ("data-1", (VOLUME, "name")),
        (VOLUME, (VOLUME, "id")),
        (VOLUME[:20], (VOLUME, "id")),
        (f"virtio-{VOLUME[:20]}", (VOLUME, "id")),
        (VOLUME[:6], (VOLUME, "id")),
        ("2222-3333", (VOLUME, "id")),
        ("FA16.3E00.1122", ("port1", "mac_address")),
        ("fa163e001122", ("port1", "mac_address")),
        ("3e:00:11", ("port1", "mac_address")),
        ("00-00-5e-00-01-2a", ("port4", "allowed_macs")),
        ("cmp-02", ("h1", "name")),
        ("dba", ("s1", "metadata")),
        ("tier=gold", ("s1", "metadata")),
        ("golden", ("i1", "tags")),
        ("ops-key", ("k1", "name")),
        (REQUEST, ("m1", "request_id")),
        ("203.0.113.40", ("f1", "address")),
        ("203.0.113.1", ("r1", "external_ips")),
        ("10.20.0.2", ("port2", "fixed_ips")),
        ("10.20.9.9", ("port4", "allowed_addresses")),
        ("10.77.0.3", ("port4", "allowed_addresses")),
        ("10.20.0.0/24", ("sub1", "cidr")),
        ("fd00:1::/48", ("port5", "fixed_ips")),
        ("FD00:0001::5", ("port5", "fixed_ips")),
        ("10.9.9.9", ("s4", "addresses")),
    ],
)
def test_first_answer(connection: duckdb.DuckDBPyConnection, text: str, first: tuple[str, str]) -> None:
    found = ask(connection, text)
    assert found and short(found)[0] == first


def test_who_had_an_address(connection: duckdb.DuckDBPyConnection) -> None:
    """Versions in which nothing of it changed are one period; equal addresses on several networks are all there."""
    found = [one for one in ask(connection, "10.20.0.7") if one.type.name == "server"]
    assert [(one.key[2], one.start, one.end, one.gone) for one in found] == [
        ("s3", T0, None, False),
        ("s2", T0 + 5 * HOUR, None, False),
        ("s1", T0, T0 + 4 * HOUR, False),
    ]
    (port,) = [one for one in ask(connection, "10.20.0.7") if one.type.name == "port"]
    assert (port.gone, port.end, port.machine_id) == (True, T0 + 4 * HOUR, "s1")


@pytest.mark.parametrize(("hours", "servers"), [(1, {"s1", "s3"}), (3, {"s1", "s3"}), (4, {"s3"}), (6, {"s2", "s3"})])
def test_at_a_time(connection: duckdb.DuckDBPyConnection, hours: int, servers: set[str]) -> None:
    at = (T0 + hours * HOUR).replace(tzinfo=UTC)
    found = ask(connection, "10.20.0.7", at)
    assert {one.key[2] for one in found if one.type.name == "server"} == servers


def test_an_address_is_no_piece_of_another(connection: duckdb.DuckDBPyConnection) -> None:
    assert {one.key[2] for one in ask(connection, "10.20.0.70") if one.type.name == "server"} == {"s3"}
    assert {one.match.value for one in ask(connection, "10.20.0.7") if one.type.name == "server"} == {"10.20.0.7"}


def test_a_prefix(connection: duckdb.DuckDBPyConnection) -> None:
    assert {one.key[2] for one in ask(connection, "10.20.0.0/30") if one.type.name == "port"} == {"port2", "port3"}
    assert ("sub1", "cidr") in short(ask(connection, "10.20.0.0/30"))
    assert ("sub1", "cidr") in short(ask(connection, "10.0.0.0/8"))


def test_a_short_word_is_not_looked_for_in_ids(connection: duckdb.DuckDBPyConnection) -> None:
    assert ask(connection, "66") == []
    assert short(ask(connection, "h1")) == [("h1", "id")], "but it may be the whole id"


def test_current_before_gone_and_exact_before_the_rest(connection: duckdb.DuckDBPyConnection) -> None:
    assert short(ask(connection, "web-3")) == [("s1", "name"), ("s2", "name")]
    found = ask(connection, "web")
    assert [one.match.rank for one in found] == sorted(one.match.rank for one in found)


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (Scope(projects=("p2",)), {"s3"}),
        (Scope(domains=("d1",)), {"s1", "s2"}),
        (Scope(clouds=("elsewhere",)), set()),
        (Scope(projects=()), set()),
    ],
)
def test_scope(connection: duckdb.DuckDBPyConnection, scope: Scope, seen: set[str]) -> None:
    found = ask(connection, "10.20.0.7", scope=scope)
    assert {one.key[2] for one in found if one.type.name == "server"} == seen
    assert {one.row.get("project_id") for one in found} <= ({"p2"} if scope.projects else {"p1"})


def test_limit_and_more(connection: duckdb.DuckDBPyConnection) -> None:
    term = understand("10.20.0.7")
    assert term is not None
    types = list(registry.ALL.values())
    hits, more = find.hits(connection, term, types, None, EVERYWHERE, 2)
    assert len(hits) == 2 and more
    every, more = find.hits(connection, term, types, None, EVERYWHERE, 50)
    assert not more and hits == every[:2]


def test_names_around(connection: duckdb.DuckDBPyConnection) -> None:
    found = ask(connection, "10.20.0.7")
    names = around(connection, found, EVERYWHERE)
    (port,) = [one for one in found if one.type.name == "port"]
    machine = names.machine(port)
    assert machine is not None and machine.row["name"] == "web-3" and machine.row["metadata"][0] == "owner=dba"
    assert machine.start == T0 + 2 * HOUR, "as it was when the port went"
    assert names.projects["c", "p1"] == ("acme", "dom")
    assert names.users["c", "u1"] == "m.levi"
    assert names.networks["c", "n1"] == "blue"
    assert around(connection, ask(connection, "10.20.0.1"), EVERYWHERE).routers["c", "r1"] == "edge"
    assert around(connection, found, Scope(projects=("p2",))).machine(port) is None


TAGGED = [list(tags) for count in range(4) for tags in itertools.product(TAGS, repeat=count)]


@pytest.fixture(scope="module")
def tagged() -> Iterator[duckdb.DuckDBPyConnection]:
    """A row for every list of up to three tags, numbered as in TAGGED: all of them are few enough to be tried."""
    words = [search_text("network", "s999-1", {"name": "x", "tags": tags}) for tags in TAGGED]
    with duckdb.connect(":memory:", config={"threads": 1}) as memory:
        memory.execute("CREATE TABLE t (n INTEGER, id VARCHAR, search VARCHAR)")
        marks = "unnest(range(?)), 's999-1', unnest(?)"
        memory.execute(f"INSERT INTO t SELECT {marks}", [len(words), words])
        yield memory


@pytest.mark.parametrize(
    "text", ["web", "web db", "10.0.0.1", "10.0.0.0/28", "fa163e001122", "16:3e", "s999", "a=web", "s9", "99 x"]
)
def test_sql_and_values_judge_alike(tagged: duckdb.DuckDBPyConnection, text: str) -> None:
    """Whatever the statement lets through, a value explains; and it lets through whatever a value would explain."""
    term, type = understand(text), registry.ALL["network"]
    assert term is not None
    sql, values = find.condition(term, type)
    fit = {number for (number,) in tagged.execute(f"SELECT n FROM t WHERE {sql}", values).fetchall()}
    for number, tags in enumerate(TAGGED):
        explained = match(term, type, {"id": "s999-1", "name": "x", "tags": tags}) is not None
        # A wider prefix begins like an address of the one looked for: the values decide.
        assert (number in fit) is explained or (term.kind == "prefix" and number in fit), tags


def test_every_type_can_be_searched(connection: duckdb.DuckDBPyConnection) -> None:
    """A statement of each type runs, and its columns are its own."""
    for text in ("10.20.0.7", "web", "fd00::/8"):
        term = understand(text)
        assert term is not None
        for type in registry.ALL.values():
            sql, values = find._statement(term, type, None, Scope(domains=("d1",)), 5)
            connection.execute(sql, values)
            assert all(column.search for column in searched(type))
