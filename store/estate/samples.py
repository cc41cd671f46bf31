"""Measurements: numbers that move all the time, kept raw for a short while and by the hour for longer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from store.estate.rows import to_arrow
from store.times import naive

if TYPE_CHECKING:
    import duckdb

RAW_DAYS = 7
HOURLY_DAYS = 400

_COLUMNS = [
    ("cloud", "VARCHAR"),
    ("region", "VARCHAR"),
    ("type", "VARCHAR"),
    ("id", "VARCHAR"),
    ("metric", "VARCHAR"),
    ("taken_at", "TIMESTAMP"),
    ("value", "DOUBLE"),
]

Sample = tuple[str, str, str, str, str, datetime, float]


def add(connection: duckdb.DuckDBPyConnection, rows: Iterable[Sample]) -> int:
    """Store samples (cloud, region, type, id, metric, at, value); answers how many."""
    prepared: list[tuple[Any, ...]] = [(*row[:5], naive(row[5]), float(row[6])) for row in rows]
    if not prepared:
        return 0
    connection.register("arriving", to_arrow(_COLUMNS, prepared))
    try:
        connection.execute("INSERT INTO samples SELECT * FROM arriving")
    finally:
        connection.unregister("arriving")
    return len(prepared)


def roll_up(
    connection: duckdb.DuckDBPyConnection, now: datetime, *, raw_days: int = RAW_DAYS, hourly_days: int = HOURLY_DAYS
) -> int:
    """Sum whole hours older than `raw_days` up into `samples_hourly` and drop them raw; drop old hours.
    Answers samples rolled up.

    An hour that was rolled up before and got late samples is merged, so it may run at any time and again after a crash.
    """
    horizon = (naive(now) - timedelta(days=raw_days)).replace(minute=0, second=0, microsecond=0)
    late = connection.execute("SELECT count(*) FROM samples WHERE taken_at < ?", [horizon]).fetchall()[0][0]
    if late:
        connection.execute(
            """CREATE TEMP TABLE rolled AS
            SELECT cloud, region, type, id, metric, hour, sum(count)::BIGINT AS count, min(minimum) AS minimum,
                   max(maximum) AS maximum, sum(total) AS total, max(last_at) AS last_at, arg_max(last, last_at) AS last
            FROM (SELECT cloud, region, type, id, metric, date_trunc('hour', taken_at) AS hour, 1 AS count,
            value AS minimum,
                         value AS maximum, value AS total, taken_at AS last_at, value AS last
                  FROM samples WHERE taken_at < ?
                  UNION ALL BY NAME
                  SELECT h.* FROM samples_hourly h WHERE h.hour IN (
                      SELECT DISTINCT date_trunc('hour', taken_at) FROM samples WHERE taken_at < ?))
            GROUP BY cloud, region, type, id, metric, hour""",
            [horizon, horizon],
        )
        connection.execute("DELETE FROM samples_hourly WHERE hour IN (SELECT DISTINCT hour FROM rolled)")
        connection.execute("INSERT INTO samples_hourly BY NAME SELECT * FROM rolled")
        connection.execute("DELETE FROM samples WHERE taken_at < ?", [horizon])
        connection.execute("DROP TABLE rolled")
    connection.execute("DELETE FROM samples_hourly WHERE hour < ?", [naive(now) - timedelta(days=hourly_days)])
    return late
