"""Our ids sort in the order in which they were made."""

from __future__ import annotations

import threading
import uuid

from store.ids import uuid7


def test_form() -> None:
    value = uuid.UUID(uuid7())
    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    assert str(value) == str(value).lower()


def test_time_is_now(monkeypatch) -> None:
    from store import ids

    monkeypatch.setattr(ids, "_last", 0)
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_700_000_000_123_456_789)
    assert uuid.UUID(uuid7()).int >> 80 == 1_700_000_000_123


def test_strictly_growing_even_when_the_clock_steps_back(monkeypatch) -> None:
    from store import ids

    made = [uuid7() for _ in range(3)]
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000_000)
    made += [uuid7() for _ in range(3)]
    assert made == sorted(set(made))


def test_unique_over_threads() -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend([uuid7() for _ in range(2000)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8000
