"""What a limited role sees of sets and exclusions, and may change: the rule as a table."""

from __future__ import annotations

from typing import Any

import pytest

from engine.snapshots.policies.visible import Part

MINE = {("prod", "p1"): "shop", ("prod", "p2"): "Lab"}


def row(cloud: str = "", tenant_id: str = "", tenant_name: str = "", **match: Any) -> dict[str, Any]:
    return {"cloud": cloud, "tenant_id": tenant_id, "tenant_name": tenant_name, "match": match}


@pytest.mark.parametrize(
    ("clouds", "projects", "what", "sees", "changes"),
    [
        (None, None, row(), True, True),
        (("prod",), None, row(), True, False),
        (("prod",), None, row("prod"), True, True),
        (("prod",), None, row("test"), False, False),
        (("prod",), MINE, row(), True, False),
        (("prod",), MINE, row("prod"), True, False),
        (("prod",), MINE, row("prod", "p1"), True, True),
        (("prod",), MINE, row("", "p1"), True, False),
        (None, MINE, row("", "p1"), True, True),
        (None, MINE, row("test", "p1"), False, False),  # another cloud's project of that id
        (None, MINE, row("", "p9"), False, False),
        (None, MINE, row("", "p9", "shop"), False, False),
        (None, MINE, row("", "", "SHOP"), True, False),  # names are given twice; an id is not
        (None, MINE, row("", "", "other"), False, False),
        (None, MINE, row(tenant_name="", bootable=True), True, False),
        (None, MINE, {**row(), "match": {"tenant_name": "lab"}}, True, False),
        (None, MINE, {**row(), "match": {"tenant_name": "web"}}, False, False),
        (None, {}, row("prod", "p1"), False, False),
    ],
)
def test_parts(clouds: Any, projects: Any, what: dict[str, Any], sees: bool, changes: bool) -> None:
    part = Part(clouds, projects)
    assert (part.sees(what), part.may_change(what)) == (sees, changes)
