"""What answers must not hide: others as large, older rows that were not read, of what a thing without name is."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from copilot.answering.answer import answer
from copilot.answering.phrases import Said
from copilot.execution.run import run
from copilot.query import Measure, Query, Test
from tests.copilot.execution.estates import NOW, Handed
from tests.store.estate.reading.tables import T0, database, put

WEB = "11111111-aaaa-4aaa-8aaa-000000000001"
DISK = "2184ef84-1f8c-4b61-a6a3-bb1d0d0a5a01"


class Listed(list[dict[str, Any]]):
    """Rows beside which there are older ones."""

    left_out = 12_345


@pytest.fixture(scope="module")
def handed() -> Handed:
    connection = database()
    for name, host, vcpus in (("web-01", "cmp-1", 2), ("web-02", "cmp-1", 8), ("db-01", "cmp-2", 8)):
        id = WEB if name == "web-01" else name
        put(connection, "server", id, name=name, host=host, vcpus=vcpus, created_at=T0, status="ACTIVE")
    put(connection, "volume", DISK, name="", size_gb=20, server_ids=[WEB], server_id=WEB, status="in-use")
    put(connection, "volume", "loose", name=None, size_gb=20, server_ids=[], status="available")
    events = [
        {"what": f"server {name}: stopped", "resource_name": name, "severity": "critical", "resource_type": "server"}
        for name in ("web-01", "web-01", "web-01", "db-01")
    ]
    return Handed(connection, lists={"drift_event": Listed(events)})


def text(handed: Handed, query: Query, **said: Any) -> str:
    return answer(query, run(query, handed, NOW), said=Said(**said), now=NOW).text


def test_others_that_are_as_large_are_named(handed: Handed) -> None:
    most = Query("server", order=(("vcpus", True),), limit=1)
    result = run(most, handed, NOW)
    assert len(result.rows) == 1 and [row["name"] for row in result.tied] == ["web-02"]
    assert text(handed, most) == "db-01 and web-02 have the most vCPUs of 3 servers: 8 each."
    assert text(handed, Query("server", order=(("vcpus", False),), limit=1)).startswith("web-01 has the fewest vCPUs")
    by_host = Query("server", measure=Measure("count"), group=("status",), limit=1)
    assert run(by_host, handed, NOW).tied == ()


def test_groups_that_are_as_large_are_named(handed: Handed) -> None:
    query = Query("drift_event", measure=Measure("count"), group=("severity", "resource_name"), limit=1)
    assert run(query, handed, NOW).tied == ()
    query = Query("server", Test("vcpus", "=", (8,)), Measure("count"), group=("host",), limit=1)
    assert text(handed, query) == "cmp-1 and cmp-2 have the most servers: 1 each."


def test_two_that_began_together_are_no_tie(handed: Handed) -> None:
    assert run(Query("server", order=(("created_at", True),), limit=1), handed, NOW).tied == ()


def test_what_has_no_name_is_told_by_what_it_belongs_to(handed: Handed) -> None:
    said = text(handed, Query("volume", columns=("size_gb", "server_name")))
    assert "2184ef84… (of web-01)" in said and "loose" in said and DISK not in said


def test_what_is_there_several_times_is_said_once(handed: Handed) -> None:
    said = text(handed, Query("drift_event"))
    assert "server web-01: stopped (3 times)" in said and "db-01" in said and said.count("web-01") == 1


@pytest.mark.parametrize(
    "query",
    [Query("drift_event"), Query("drift_event", measure=Measure("count")),
     Query("drift_event", measure=Measure("count"), group=("severity",))],
)  # fmt: skip
def test_rows_that_were_not_read_are_said(handed: Handed, query: Query) -> None:
    assert text(handed, query).endswith(" 12,345 older drift events were not looked at.")


def test_words_that_stand_alone_stand_before(handed: Handed) -> None:
    assert "open drift events" in text(handed, Query("drift_event"), limits=("open",))
    assert "drift events that are open to all" in text(handed, Query("drift_event"), limits=("open to all",))


def test_instants_are_told_in_the_zone_of_who_asks(handed: Handed) -> None:
    query = Query("server", Test("name", "=", ("web-01",)), columns=("created_at",))
    there = NOW.astimezone(ZoneInfo("America/New_York"))
    said = answer(query, run(query, handed, NOW), said=Said("lookup"), now=there).text
    assert said.endswith("(31 Oct 2026 20:00 EDT).")


def test_one_amount_of_several_is_added_up(handed: Handed) -> None:
    query = Query("server", columns=("vcpus",))
    found = answer(query, run(query, handed, NOW), said=Said(), now=NOW)
    assert found.value == 18 and found.text.endswith("Together, their number of vCPUs is 18.")
    for other in (Query("server", columns=("vcpus", "host")), Query("server", columns=("status",)), Query("server")):
        assert "Together" not in text(handed, other)
