"""Times: aware UTC datetimes inside, RFC 3339 with Z outside, microseconds since 1970 (naive TIMESTAMP) in DuckDB."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def utcnow() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def parse(text: str) -> datetime:
    """An RFC 3339 time as an aware UTC datetime; a time without a zone is UTC, as OpenStack writes it.

    Raises ValueError when the text is not a time.
    """
    try:
        value = datetime.fromisoformat(text.strip())
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError, AttributeError, TypeError):
        raise ValueError(f"{text!r:.60} is not a time; write it like 2026-02-08T09:00:00Z") from None


def text(value: datetime) -> str:
    """RFC 3339 with Z: `2026-02-08T09:00:00Z`, microseconds only when there are any; a naive datetime is UTC."""
    value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value.replace(tzinfo=None).isoformat() + "Z"


def micros(value: datetime) -> int:
    """Microseconds since 1970 in UTC, as DuckDB's TIMESTAMP holds them; a naive datetime is UTC."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return (value - _EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return _EPOCH + value * _MICROSECOND


def naive(value: datetime) -> datetime:
    """The same instant as a naive datetime in UTC: the form in which a TIMESTAMP parameter is bound."""
    return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
