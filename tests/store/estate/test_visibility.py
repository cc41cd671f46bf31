"""Who sees at least as much as whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from store.estate.visibility import Visibility

ADMIN = Visibility("https://c/compute", "u1", "project:a", ("admin",), True)
MEMBER = Visibility("https://c/compute", "u2", "project:p", ("member",), False)

CASES = [
    (ADMIN, ADMIN, "same"),
    (ADMIN, replace(ADMIN, user_id="u9"), "same"),
    (ADMIN, MEMBER, "wider"),
    (MEMBER, ADMIN, "narrower"),
    (replace(ADMIN, endpoint="https://d/compute"), ADMIN, "different"),
    (replace(ADMIN, endpoint="https://d/compute"), MEMBER, "different"),
    (replace(ADMIN, roles=("admin", "reader")), ADMIN, "wider"),
    (ADMIN, replace(ADMIN, roles=("admin", "reader")), "narrower"),
    (replace(ADMIN, roles=("reader",)), ADMIN, "different"),
    (replace(ADMIN, scope="system"), ADMIN, "different"),
    (replace(ADMIN, all_projects=False), ADMIN, "narrower"),
    (replace(MEMBER, roles=("member", "reader")), MEMBER, "wider"),
    (replace(MEMBER, roles=()), MEMBER, "narrower"),
    (replace(MEMBER, scope="project:q"), MEMBER, "different"),
    (replace(MEMBER, user_id="u3"), MEMBER, "different"),
    (replace(MEMBER, roles=("member", "member")), MEMBER, "same"),
]
OPPOSITE = {"same": "same", "wider": "narrower", "narrower": "wider", "different": "different"}


@pytest.mark.parametrize(("mine", "theirs", "expected"), CASES)
def test_covers(mine: Visibility, theirs: Visibility, expected: str) -> None:
    assert mine.covers(theirs) == expected
    assert theirs.covers(mine) == OPPOSITE[expected]


def test_roles_are_a_set() -> None:
    assert Visibility("e", "u", "system", ("b", "a", "b"), True) == Visibility("e", "u", "system", ("a", "b"), True)
