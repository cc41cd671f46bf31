"""What is asked of Keystone before a role is given for a job, and the sessions that it is asked with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from engine.clouds.errors import CloudError
from engine.gate.models import SessionKind, WriteSession

ROLES = ("member", "_member_")  # the second is what clouds called it before Rocky


class Sessions(Protocol):
    """The gate's sessions (engine/clouds/writing.py), as far as roles need them."""

    def session(self, cloud: str, kind: SessionKind, project_id: str = "") -> WriteSession:
        """Raises NoRole, CloudError."""
        ...

    def always_writable(self, cloud: str) -> bool:
        """A cloud without read-only mode: the demo."""
        ...

    def forget_project(self, cloud: str, project_id: str) -> None:
        """Close the sessions of that project."""
        ...

    def user(self, cloud: str, account: str) -> str:
        """Name of the user that an account logs in as."""
        ...

    def role_command(self, cloud: str, project_id: str) -> str:
        """What an administrator runs so that a session of the project can be had."""
        ...


def role(session: WriteSession, cloud: str, region: str) -> tuple[str, str]:
    """(id, name) of the role that lets its holder make things in a project, and no more. Raises CloudError."""
    for name in ROLES:
        for found in _listed(session.get("identity", region, "/roles", "", (("name", name),)), "roles"):
            if str(found.get("name")).lower() == name and isinstance(found.get("id"), str):
                return found["id"], name
    raise CloudError("not_found", f"{cloud} has no role called {ROLES[0]}")


def held(session: WriteSession, region: str, project_id: str) -> dict[str, str]:
    """{id: name} of the roles that the session's user was given in the project itself. Raises CloudError."""
    path = f"/projects/{project_id}/users/{session.user_id}/roles"
    found = _listed(session.get("identity", region, path), "roles")
    return {str(one.get("id")): str(one.get("name") or one.get("id")) for one in found}


def _listed(raw: Any, key: str) -> list[Mapping[str, Any]]:
    """The list in an answer of Keystone. Raises CloudError for anything else."""
    if raw.status != 200:
        raise CloudError(
            "denied" if raw.status == 403 else "broken", f"Keystone answered {raw.status} to a look at {key}"
        )
    try:
        found = orjson.loads(raw.body)[key]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise CloudError("broken", f"Keystone answered without {key}") from None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
