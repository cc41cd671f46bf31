"""A query as a filter: the list in the app has the same rows as the answer."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from copilot.execution.filtering import as_filter
from copilot.execution.run import run
from copilot.model import registry
from copilot.query import All, AnyOf, Condition, Measure, Not, Query, Related, Test
from store.estate.reading.models import Window
from store.estate.reading.windows import read_window
from tests.copilot.execution.estates import NOW, Handed
from tests.copilot.execution.test_both import CONDITIONS, sources  # noqa: F401
from tests.store.estate.reading.tables import T0

WEB = Test("name", "=", ("web-01",))
DAY = T0.replace(tzinfo=UTC) + timedelta(days=1, microseconds=5)
SAID: list[tuple[Condition, str | None]] = [
    (All(()), ""),
    (Test("status", "=", ("active", "error")), "status:active,error"),
    (Test("status", "contains", ("act",)), 'status:~"act"'),
    (WEB, 'name:~"^web-01$"'),
    (Test("name", "ends", ("a--b.c",)), 'name:~"a\\\\-\\\\-b\\\\.c$"'),
    (Test("name", "contains", ("web",)), "name:web"),
    (Test("name", "contains", ("a b",)), 'name:"a b"'),
    (Test("name", "contains", ("none",)), 'name:"none"'),
    (Test("addresses", "=", ("10.0.0.1",)), "addresses:=10.0.0.1"),
    (Test("vcpus", ">", (4,)), "vcpus:>4"),
    (Test("ram_mb", ">=", (8192.0,)), "ram_mb:>=8192"),
    (Test("created_at", "<", (DAY,)), "created_at:<2026-11-02T00:00:00.000005Z"),
    (Test("locked", "=", (True,)), "locked:true"),
    (Test("host", "none"), "host:none"),
    (Not(AnyOf((Test("host", "none"), Test("vcpus", ">", (4,))))), "!(host:none or vcpus:>4)"),
    (All((Test("host", "any"), Test("vcpus", "<", (4,)))), "host:any vcpus:<4"),
    (Related("volume"), None),
    (Not(Related("volume")), None),
    (All(()), ""),
    (AnyOf((All(()), WEB)), None),
    (Test("valid_from", ">", (DAY,)), None),
    (Test("colour", "=", ("red",)), None),
    (Test("name", "=", ("\x1b[31m",)), None),
    (Test("name", "contains", ("x" * 3000,)), None),
    (Test("vcpus", "<", (1e300,)), None),
]


@pytest.mark.parametrize(("where", "text"), SAID, ids=str)
def test_texts(where: Condition, text: str | None) -> None:
    assert as_filter(Query("server", where)) == text


def test_what_no_list_shows() -> None:
    assert as_filter(Query("server", WEB, gone=(None, None))) is None
    assert as_filter(Query("drift_event")) is None
    assert as_filter(Query("nothing")) is None
    assert as_filter(Query("server", measure=Measure("count"))) == ""


MORE: list[Condition] = [
    Test("name", "=", ("WEB-01", "a.b", "a|b", "(x)", "a--b", "[x]", "a&&b", "50%", "a\\b", 'a"b', "")),
    Test("name", "starts", ("web-",)),
    Test("name", "contains", (".", "..", "=", ">x", "or", "1..2")),
    Test("status", "contains", ("t",)),
    Test("tags", "contains", ("PRO",)),
    Test("created_at", ">=", (DAY,)),
    Not(Test("created_at", ">=", (DAY,))),
    Test("vcpus", "<", (2.5,)),
    Not(All((Test("vcpus", "none"), Test("host", "any")))),
]
ASKED = [(entity, where) for entity, where, _ in CONDITIONS] + [("server", where) for where in MORE]


@pytest.mark.parametrize(("entity", "where"), ASKED, ids=str)
def test_the_list_has_the_same_rows(sources: Handed, entity: str, where: Condition) -> None:  # noqa: F811
    query = Query(entity, where)
    text = as_filter(query)
    if text is None:
        assert "Related" in str(where) or "items=()" in str(where) or "values=()" in str(where)
        return
    type = registry.entity(entity).type
    assert type is not None
    window = read_window(sources.connection, Window(type.name, filter=text), NOW)
    assert sorted(tuple(row[:3]) for row in window["rows"]) == sorted(key for _, key in run(query, sources, NOW).keys)
