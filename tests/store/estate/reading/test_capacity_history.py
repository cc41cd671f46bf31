"""Daily series out of versions, against a naive reading of every day's end."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from store.estate.reading import capacity_history, capacity_protection
from store.estate.reading.models import Scope, Window
from store.estate.reading.windows import read_page
from tests.store.estate.reading.tables import database, put

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
DAYS = capacity_history.days_of(NOW, 6)
ENDS = capacity_history.ends(DAYS, NOW)
EVERYTHING = Scope()


def listed(connection: duckdb.DuckDBPyConnection, type: str, at: datetime, region: str = "r") -> None:
    """A whole listing of the type at that time."""
    connection.execute(
        "INSERT INTO listings (id, cloud, region, type, kind, scope, state, started_at, ended_at)"
        " VALUES (uuid(), 'c', ?, ?, 'full', 'all', 'ok', ?, ?)",
        [region, type, at.replace(tzinfo=None), at.replace(tzinfo=None)],
    )


def versions(changes: list[tuple[int, dict[str, Any] | None]]) -> list[dict[str, Any]]:
    """(hour, values or None for gone), in order, as versions with their times."""
    start = datetime.combine(DAYS[0] - timedelta(days=1), time())
    found: list[dict[str, Any]] = []
    for hour, values in changes:
        at = start + timedelta(hours=hour)
        if found and found[-1]["valid_to"] is None:
            found[-1]["valid_to"] = at
        if values is not None:
            found.append({"valid_from": at, "valid_to": None, **values})
    return found


# Hours from the day before the first one to now, midnights among them; one size a version.
TIMES = st.lists(st.one_of(st.integers(0, 158), st.sampled_from((24, 48, 72, 96))), min_size=1, max_size=6, unique=True)
HISTORY = st.builds(
    lambda hours, sizes: list(zip(sorted(hours), sizes, strict=False)),
    TIMES,
    st.lists(st.one_of(st.none(), st.integers(0, 50)), min_size=6, max_size=6),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(HISTORY, max_size=4))
def test_each_day_is_what_was_there_at_its_end(histories: list[list[tuple[int, int | None]]]) -> None:
    connection = database()
    listed(connection, "volume", datetime.combine(DAYS[1], time(12), UTC))
    made = []
    for number, history in enumerate(histories):
        for version in versions([(hour, None if size is None else {"size_gb": size}) for hour, size in history]):
            put(connection, "volume", f"v{number}", project_id="p", **version)
            made.append(version)
    found = capacity_history.daily(connection, "volume", {"n": "1", "gb": "t.size_gb"}, DAYS, NOW, EVERYTHING)
    for index, end in enumerate(ENDS):
        at = end.replace(tzinfo=None)
        there = [v for v in made if v["valid_from"] <= at and (v["valid_to"] is None or v["valid_to"] > at)]
        for series in found:
            expected = (len(there), sum(v["size_gb"] for v in there))
            # Nobody looked before noon of the second day.
            assert (series.values["n"][index], series.values["gb"][index]) == (expected if index else (None, None))
        total, _, _ = read_page(connection, Window(type="volume", at=end), 0, 1, NOW)
        assert total == len(there)
    assert len(found) == 1, "also of a place where there is nothing"
    connection.close()


PROTECTED = st.tuples(
    st.booleans(),  # governed
    st.lists(st.tuples(st.integers(0, 150), st.integers(1, 60), st.booleans()), max_size=3),  # made, kept hours, usable
)


@settings(max_examples=30, deadline=None)
@given(st.lists(PROTECTED, max_size=4), st.integers(1, 3))
def test_kept_promises_are_the_lists_of_those_days(
    volumes: list[tuple[bool, list[tuple[int, int, bool]]]], window: int
) -> None:
    connection = database()
    for type in ("volume", "snapshot"):
        listed(connection, type, datetime.combine(DAYS[0], time(), UTC) - timedelta(days=1))
    for number, (governed, snapshots) in enumerate(volumes):
        (version,) = versions([(0, {"metadata": ["auto_snapshot=true"] if governed else []})])
        put(connection, "volume", f"v{number}", project_id="p", **version)
        for made, kept, usable in snapshots:
            for snapshot in versions([(made, {"status": "available" if usable else "error"}), (made + kept, None)]):
                put(connection, "snapshot", f"s{number}-{made}-{kept}", volume_id=f"v{number}",
                    created_at=snapshot["valid_from"], **snapshot)  # fmt: skip
    found = capacity_protection.kept_promises(connection, EVERYTHING, DAYS, NOW, window)
    for end, kept in zip(ENDS, found, strict=True):
        since = (end - timedelta(days=window)).isoformat()
        young = f"last_snapshot_at:>{since}"
        rows = [
            read_page(connection, Window(type="volume", at=end, filter=text), 0, 1, NOW)[0]
            for text in ("auto_snapshot:yes", f"auto_snapshot:yes {young}")
        ]
        assert kept == tuple(rows)
    connection.close()


def test_days_before_the_first_listing_are_not_known() -> None:
    connection = database()
    put(connection, "volume", "v", metadata=["auto_snapshot=true"], valid_from=datetime(2026, 11, 18, 8))
    assert capacity_protection.kept_promises(connection, EVERYTHING, DAYS, NOW, 2) == [None] * 6
    listed(connection, "volume", datetime(2026, 11, 17, 8, tzinfo=UTC))
    assert capacity_protection.kept_promises(connection, EVERYTHING, DAYS, NOW, 2) == [None] * 6
    listed(connection, "snapshot", datetime(2026, 11, 18, 8, tzinfo=UTC))
    found = capacity_protection.kept_promises(connection, EVERYTHING, DAYS, NOW, 2)
    assert found == [None, None, None, (1, 0), (1, 0), (1, 0)]
    assert capacity_protection.first_known(connection, Scope(clouds=("other",)), ("volume",)) is None


def test_snapshots_count_on_the_day_they_were_made_also_when_gone() -> None:
    connection = database()
    for number, (hour, gone) in enumerate([(1, True), (23, False), (25, False)]):
        at = datetime.combine(DAYS[2], time()) + timedelta(hours=hour)
        put(connection, "snapshot", f"s{number}", project_id="p" if number else "q", created_at=at, valid_from=at,
            valid_to=at + timedelta(hours=1) if gone else None)  # fmt: skip
    assert capacity_history.created(connection, "snapshot", DAYS, EVERYTHING) == [0, 0, 2, 1, 0, 0]
    assert capacity_history.created(connection, "snapshot", DAYS, Scope(projects=("p",))) == [0, 0, 1, 1, 0, 0]


def test_measurements_by_the_day_from_raw_and_rolled_up_ones() -> None:
    connection = database()
    place = ("c", "r", "hypervisor", "h")
    noon = datetime.combine(DAYS[1], time(12))
    for value in (10.0, 30.0):
        connection.execute("INSERT INTO samples VALUES (?, ?, ?, ?, 'cpu', ?, ?)", [*place, noon, value])
    connection.execute(
        "INSERT INTO samples_hourly (cloud, region, type, id, metric, hour, count, minimum, maximum, total)"
        " VALUES (?, ?, ?, ?, 'cpu', ?, 2, 50, 70, 120)",
        [*place, noon - timedelta(hours=3)],
    )
    other = ("c", "r", "hypervisor", "h2")
    connection.execute("INSERT INTO samples VALUES (?, ?, ?, ?, 'cpu', ?, 80)", [*other, noon])
    found = capacity_history.sampled(connection, ["cpu", "memory"], DAYS, EVERYTHING, "hypervisor")
    assert found == {place: {DAYS[1]: {"cpu": 40.0}}, other: {DAYS[1]: {"cpu": 80.0}}}
    assert capacity_history.sampled(connection, ["cpu"], DAYS, EVERYTHING, "server") == {}
    assert capacity_history.sampled(connection, ["cpu"], DAYS, Scope(clouds=("other",)), "hypervisor") == {}
    means = capacity_history.sampled_means(connection, "cpu", DAYS, EVERYTHING, "hypervisor")
    assert means == [None, 60.0, None, None, None, None], "each host counts alike, however often it was measured"
    assert isinstance(next(iter(found[place])), date)
