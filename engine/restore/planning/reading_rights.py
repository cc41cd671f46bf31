"""What the engine may do for a machine: an administrator's session, a role in its project, the machine's key pair.

A key pair belongs to a user, and a machine is started with one of the acting user's. Of another user's only an
administrator can read the public key; one of the same name with another key is never taken for it.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.gate.models import NoRole
from engine.gate.rules import path_problem
from engine.inventory.events_rules import items
from engine.restore.models import Access
from engine.restore.planning.asking import FORESEEN, Asking, Doc, Tried, text
from engine.restore.planning.facts import Rights
from engine.restore.planning.reading_machine import readable_user_data

KEYS = "2.10"  # of another user


def access_of(ask: Asking, lends: Callable[[str], bool]) -> tuple[Access, str, str, str]:
    """(how the engine acts in the project, the command for an administrator, what is wrong, id of the acting user)."""
    try:
        return "role", "", "", ask.who("tenant").user_id
    except NoRole as error:
        if ask.admin and lends(ask.cloud):
            # The administrator's user is who gets the role.
            return "lend", error.command, "", ask.who("admin").user_id
        # The command is said beside it.
        return "none", error.command, str(error).partition("; an administrator")[0], ""
    except FORESEEN as error:
        return "none", "", f"nobody knows whether anything can be made there: {error}", ""


class KeyReading:
    """The questions about the machine's key pair, sent at once."""

    def __init__(self, ask: Asking, server: Doc, acting: str) -> None:
        """`acting`: id of the user who would start the machine; "" when nobody could."""
        name, self._owner = text(server.get("key_name")), text(server.get("user_id"))
        self._name, self._acting = name, acting
        self._theirs: Tried[Doc | None] | None = None
        self._own: Tried[Doc | None] | None = None
        if not name:
            return
        if ask.admin or self._owner == acting:
            self._theirs = ask.try_later(_key, ask, name, self._owner if ask.admin else "")
        if acting and acting != self._owner:
            # As an administrator by the user's id; else it is the asking user's own anyway.
            self._own = ask.try_later(_key, ask, name, acting if ask.admin else "")

    def done(self) -> str:
        """As Rights.key."""
        if not self._name:
            return ""
        theirs = self._theirs.result() if self._theirs is not None else None
        if self._acting and self._acting == self._owner:
            return "own" if isinstance(theirs, dict) else "unreadable"
        own = self._own.result() if self._own is not None else None
        public = text(theirs.get("public_key")) if isinstance(theirs, dict) else ""
        if isinstance(own, dict):
            return "own" if public and text(own.get("public_key")).split()[:2] == public.split()[:2] else "clash"
        return "copied" if public else "unreadable"


def _key(ask: Asking, name: str, user: str) -> Doc | None:
    query = [("user_id", user)] if user else []
    if path_problem(f"/{name}") is None and "/" not in name:
        return ask.one("compute", f"/os-keypairs/{name}", "keypair", KEYS, query)
    # A name that cannot be in a path is looked for in the list.
    rows = items((ask.get("compute", "/os-keypairs", KEYS, query) or {}).get("keypairs"))
    found = (one["keypair"] for one in rows if isinstance(one.get("keypair"), dict))
    return next((one for one in found if one.get("name") == name), None)


def rights_of(
    ask: Asking, access: tuple[Access, str, str, str], key: str, server: Doc, *, gone: bool = False
) -> Rights:
    """All of it. The user data of a machine that is `gone` are, too: only their digest was kept."""
    how, command, problem, user = access
    return Rights(
        admin=ask.admin,
        access=how,
        access_command=command,
        access_problem=problem,
        user_id=user,
        key=key,
        user_data=ask.admin and not gone and readable_user_data(server),
    )
