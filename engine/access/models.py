"""Who is calling. Standard library only, so that the client and every room may import it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.settings.roles import Role

Via = Literal["socket", "tcp", "embedded"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The person or program behind one request.

    name        user name: of the peer's uid on the socket, of the login or API key over TCP
    uid         the peer's uid as the kernel reports it; None over TCP
    login_uid   the uid that logged in to the host, which sudo does not change; None where the kernel has none
    login_name  its user name, when it has one
    role        decides what is permitted (engine/access/rules.py)
    clouds      names of the clouds the caller may see; None is no limit. `domains` and `projects` likewise
    via         how the request came in
    token_id    the login session or API key used over TCP
    """

    name: str
    uid: int | None = None
    login_uid: int | None = None
    login_name: str | None = None
    role: Role = "viewer"
    clouds: tuple[str, ...] | None = None
    domains: tuple[str, ...] | None = None
    projects: tuple[str, ...] | None = None
    via: Via = "socket"
    token_id: str | None = None

    @property
    def owner(self) -> str:
        """Key of what belongs to this person: "uid:<n>" on the socket, "user:<name>" elsewhere."""
        return f"user:{self.name}" if self.uid is None else f"uid:{self.uid}"

    @property
    def limited(self) -> bool:
        """Whether the role covers a part of what the engine knows only: some clouds, domains or projects."""
        return (self.clouds, self.domains, self.projects) != (None, None, None)


# The engine itself, in audit records of what it does unasked (schedules, retention).
ENGINE = Caller(name="engine", role="superadmin", via="embedded")
