"""What the engine may do for a machine: roles, the key pair, user data."""

from __future__ import annotations

from typing import Any

import pytest

from engine.clouds.errors import CloudError
from engine.restore.planning.reading_rights import KeyReading, access_of, rights_of
from tests.engine.restore.planning.clouds import ADMIN, MEMBER, Cloud, refused

MINE, THEIRS = "ssh-rsa AAAAmine me@host", "ssh-rsa AAAAtheirs"


def keys(**owners: str) -> Any:
    """Key pairs named k by their owners' ids; what is asked without an owner is the asking user's."""

    def answer(query: dict[str, str]) -> Any:
        found = owners.get(query.get("user_id", MEMBER).replace("-", "_"))
        return None if found is None else {"keypair": {"name": "k", "public_key": found}}

    return answer


@pytest.mark.parametrize(
    ("admin", "acting", "owners", "expected"),
    [
        (True, ADMIN, {"u_owner": THEIRS}, "copied"),
        # The same key in another form of words is the same key.
        (True, ADMIN, {"u_owner": MINE, "u_admin": "ssh-rsa AAAAmine other words"}, "own"),
        (True, ADMIN, {"u_owner": THEIRS, "u_admin": MINE}, "clash"),
        (True, ADMIN, {}, "unreadable"),
        # The owner's is gone: one of the same name may be another key.
        (True, ADMIN, {"u_admin": MINE}, "clash"),
        (True, "u-owner", {"u_owner": THEIRS}, "own"),
        (False, MEMBER, {"u_member": MINE}, "clash"),
        (False, MEMBER, {}, "unreadable"),
        (True, "", {"u_owner": THEIRS}, "copied"),
    ],
)
def test_whose_key_the_new_machine_would_have(admin: bool, acting: str, owners: Any, expected: str) -> None:
    cloud = Cloud(admin=admin)
    cloud.put("compute", "/os-keypairs/k", keys(**owners))
    reading = KeyReading(cloud.asking(), {"key_name": "k", "user_id": "u-owner"}, acting)
    assert reading.done() == expected


def test_the_acting_users_own_machine_has_his_own_key() -> None:
    cloud = Cloud(admin=False)
    cloud.put("compute", "/os-keypairs/k", keys(u_member=MINE))
    assert KeyReading(cloud.asking(), {"key_name": "k", "user_id": MEMBER}, MEMBER).done() == "own"


def test_a_machine_without_a_key_asks_for_none() -> None:
    cloud = Cloud()
    assert KeyReading(cloud.asking(), {"key_name": None, "user_id": "u"}, ADMIN).done() == ""
    assert cloud.asked == []


def test_a_key_that_may_not_be_read_is_unreadable() -> None:
    cloud = Cloud()
    cloud.put("compute", "/os-keypairs/k", refused())
    assert KeyReading(cloud.asking(), {"key_name": "k", "user_id": "u-owner"}, ADMIN).done() == "unreadable"


@pytest.mark.parametrize("name", ["my key", "a/b", "schlüssel", "../x"])
def test_a_name_that_cannot_be_in_a_path_is_looked_for_in_the_list(name: str) -> None:
    cloud = Cloud()
    row = {"keypair": {"name": name, "public_key": THEIRS}}

    def answer(query: dict[str, str]) -> Any:
        return {"keypairs": [{"keypair": {"name": "k"}}, "x", row] if query["user_id"] == "u-owner" else []}

    cloud.put("compute", "/os-keypairs", answer)
    assert KeyReading(cloud.asking(), {"key_name": name, "user_id": "u-owner"}, ADMIN).done() == "copied"
    assert set(cloud.paths("compute")) == {"/os-keypairs"}


@pytest.mark.parametrize(
    ("admin", "members", "lends", "expected"),
    [
        (True, ("p1",), False, ("role", "", ADMIN)),
        (False, ("p1",), True, ("role", "", MEMBER)),
        (True, (), True, ("lend", "X", ADMIN)),
        (True, (), False, ("none", "X", "")),
        # A member cannot give roles, whatever the configuration allows.
        (False, ("p2",), True, ("none", "X", "")),
    ],
)
def test_how_the_engine_acts(admin: bool, members: tuple[str, ...], lends: bool, expected: Any) -> None:
    cloud = Cloud(admin=admin, members=members)
    how, command, problem, user = access_of(cloud.asking(), lambda name: lends)
    assert (how, command, user) == expected
    assert problem == ("no account has a role in p1" if how == "none" else "")


def test_a_login_that_is_not_answered_is_no_role() -> None:
    cloud = Cloud()
    ask = cloud.asking()

    def who(*args: Any) -> Any:
        raise CloudError("timeout", "identity did not answer")

    object.__setattr__(ask._sources, "who", who)
    how, command, problem, _ = access_of(ask, lambda name: True)
    assert (how, command) == ("none", "")
    assert "identity did not answer" in problem


def test_user_data_are_read_by_administrators_of_machines_that_are_there() -> None:
    document = {"OS-EXT-SRV-ATTR:user_data": None}
    role: Any = ("role", "", "", ADMIN)
    assert rights_of(Cloud().asking(), role, "own", document).user_data
    assert not rights_of(Cloud().asking(), role, "own", document, gone=True).user_data
    assert not rights_of(Cloud(admin=False).asking(), role, "own", {}).user_data
