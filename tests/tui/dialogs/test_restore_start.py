"""Where a restore begins: the point that is chosen when a time was asked for."""

from __future__ import annotations

import pytest

from tests.tui.restore_fake import RestoreClient
from tui import restore
from tui.dialogs.restore_start import StartPage


def page(at: str, point: str = "") -> StartPage:
    """The first page over the fake's points: 16, 40, 64 and 88 hours old."""
    answer = RestoreClient().start
    return StartPage(answer, plan=lambda *_: None, back=lambda: None, log=lambda: None, point=point, at=at)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_newest_point_taken_by_then_is_chosen(number: int) -> None:
    taken = restore.local_time(RestoreClient().start["points"][number]["taken_at"])
    chosen = page(taken)
    assert chosen.at == number and not chosen.saying


def test_where_none_was_taken_by_then_it_is_said() -> None:
    chosen = page("1999-01-01 00:00")
    assert chosen.at == 0 and "no restore point that fits was taken by 1999-01-01 00:00" in chosen.saying


def test_a_point_that_is_named_goes_before_a_time() -> None:
    named = RestoreClient().start["points"][1]["id"]
    assert page("1999-01-01 00:00", point=named).at == 1
