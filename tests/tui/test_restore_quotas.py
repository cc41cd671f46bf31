"""Raising quotas can be chosen where a quota is too small, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from tui.dialogs.restore_choose import changed_request, option_fields

FULL = {"what": "volumes", "ok": False, "used": 10, "limit": 10}
ROOM = {"what": "volumes", "ok": True, "used": 3, "limit": 10}
HOSTS = {"what": "hosts", "ok": False, "used": None, "limit": 0}


@pytest.mark.parametrize(
    ("fits", "asked", "offered"),
    [([ROOM], False, False), ([HOSTS], False, False), ([ROOM, FULL], False, True), ([ROOM], True, True)],
)
@pytest.mark.parametrize("way", ["NEW", "DISK_BESIDE"])
def test_where_it_is_offered(way: str, fits: list[Any], asked: bool, offered: bool) -> None:
    request = {"way": way, "raise_quota": asked}
    fields = option_fields({"way": way, "machine": {}, "fits": fits}, request, lambda *one: None, lambda one: None)
    assert ("raise_quota" in [field.option.name for field in fields]) == offered


def test_it_goes_into_the_request() -> None:
    found = changed_request({"way": "NEW"}, {"raise_quota": True}, ["raise_quota"])
    assert found == {"way": "NEW", "raise_quota": True}
