"""Values as they look in lists."""

from datetime import UTC, datetime
from typing import Any

import pytest

from store.types import registry
from tui.table.format import level, size, value_text

NOW = datetime(2026, 2, 8, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "role", "text"),
    [
        (None, "name", "-"),
        ("", "text", "-"),
        ([], "list", "-"),
        (True, "bool", "yes"),
        (False, "bool", "no"),
        (8192, "size_mb", "8G"),
        (1536, "size_mb", "1.5G"),
        (512, "size_mb", "512M"),
        (2150, "size_gb", "2.1T"),
        (80, "size_gb", "80G"),
        (0, "size_gb", "0G"),
        (1048576, "size_bytes", "1M"),
        (float("nan"), "size_gb", "-"),
        (float("inf"), "size_gb", "-"),
        (4, "number", "4"),
        ("2026-02-08T11:57:00Z", "time", "3m"),
        ("2026-02-03T12:00:00Z", "time", "5d"),
        ("2026-02-08T12:00:30Z", "time", "0s"),
        ("2026-02-08T14:00:00Z", "time", "in 2h"),
        ("soon", "time", "soon"),
        (["10.0.0.1"], "address", "10.0.0.1"),
        (["10.0.0.1", "10.0.0.2", "fd00::1"], "address", "10.0.0.1 +2"),
        ("10.0.0.1, 10.0.0.2", "address", "10.0.0.1 +1"),
        (["a", "b"], "list", "a, b"),
        ({"unexpected": 1}, "name", "{'unexpected': 1}"),
        ("a\x1b]0;title\x07", "name", "a\N{REPLACEMENT CHARACTER}]0;title\N{REPLACEMENT CHARACTER}"),
        ("not a size", "size_mb", "not a size"),
    ],
)
def test_value(value: Any, role: str, text: str) -> None:
    assert value_text(value, role, NOW) == text


@pytest.mark.parametrize("amount", [0, 1, 1023, 1024, 1025, 10**6, 10**9, 99.96, 999.4])
def test_a_size_takes_at_most_five_characters(amount: float) -> None:
    assert len(size(amount, 3)) <= 5


@pytest.mark.parametrize(
    ("status", "faults", "expected"),
    [
        ("ACTIVE", ("error",), "ok"),
        ("in-use", ("error",), "ok"),
        ("SHUTOFF", ("error",), "idle"),
        ("ERROR", ("error",), "bad"),
        ("error_deleting", ("error",), "bad"),
        ("down", (), "bad"),
        ("disabled", ("disabled",), "bad"),
        ("attaching", (), "busy"),
        ("VERIFY_RESIZE", (), "warn"),
        (None, (), "none"),
        ("whatever", (), "none"),
        (True, (), "ok"),
    ],
)
def test_level(status: Any, faults: tuple[str, ...], expected: str) -> None:
    assert level(status, faults) == expected


def test_every_status_word_that_a_type_calls_a_fault_is_bad() -> None:
    for type in registry.ALL.values():
        assert all(level(word.upper(), type.faults) == "bad" for word in type.faults)
