"""When a dead worker is replaced."""

from hypothesis import given
from hypothesis import strategies as st

from engine.process.backoff import LONGEST_PAUSE, MOST_FAILED_STARTS, Backoff


def test_a_worker_that_served_is_replaced_at_once_however_often() -> None:
    backoff = Backoff()
    assert [backoff.pause(2.0) for _ in range(100)] == [0.0] * 100


def test_early_deaths_wait_longer_each_time() -> None:
    backoff = Backoff()
    pauses = [backoff.pause(0.1) for _ in range(12)]
    assert pauses[:4] == [0.0, 0.1, 0.2, 0.4]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


def test_a_long_service_forgives() -> None:
    backoff = Backoff()
    for _ in range(6):
        backoff.pause(0.1)
    assert backoff.pause(60.0) == 0.0
    assert backoff.pause(0.1) == 0.0


def test_starts_that_never_serve_end() -> None:
    backoff = Backoff()
    pauses = [backoff.pause(None) for _ in range(MOST_FAILED_STARTS)]
    assert pauses[-1] is None
    assert None not in pauses[:-1]


def test_one_that_served_gives_new_chances() -> None:
    backoff = Backoff()
    for _ in range(MOST_FAILED_STARTS - 1):
        backoff.pause(None)
    backoff.pause(0.5)
    assert backoff.pause(None) is not None


@given(st.lists(st.none() | st.floats(0, 1000), max_size=60))
def test_pauses_are_bounded(lives: list[float | None]) -> None:
    backoff = Backoff()
    for served in lives:
        pause = backoff.pause(served)
        if pause is None:
            assert served is None
            break
        assert 0 <= pause <= LONGEST_PAUSE
