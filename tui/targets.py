"""What an action would be done to, and why it can't be done now as far as the console knows. Pure.

The engine checks everything again, with live data; here it is only said early.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from store.types import registry
from store.types.actions import ActionDeclaration
from tui.table.cells import clean
from tui.table.format import moment_of
from tui.times import age

# Column and value with which an action has nothing to do, by its id.
_DONE: Mapping[str, tuple[str, Any]] = {
    "server.start": ("status", "ACTIVE"),
    "server.stop": ("status", "SHUTOFF"),
    "server.lock": ("locked", True),
    "server.unlock": ("locked", False),
}
COUNTED = 120  # seconds before an end from which on every one is counted
_ADMINS = ("admin", "superadmin")


@dataclass(frozen=True, slots=True)
class Targets:
    """Chosen resources of one type.

    body   as `POST /q/plans` takes them
    count  how many; None when "all that pass" was not counted
    name   of the one resource; "" for several
    row    known values of the one resource by column
    past   the list shows the past
    """

    type: str
    body: Mapping[str, Any]
    count: int | None
    clouds: tuple[str, ...]
    name: str = ""
    row: Mapping[str, Any] = field(default_factory=dict)
    past: bool = False

    def words(self) -> str:
        """db-primary (ERROR, acme-prod); 3 marked servers."""
        type = registry.ALL[self.type]
        if self.count == 1:
            facts = [clean(self.row[name]) for name in ("status", "project_name") if self.row.get(name)]
            return clean(self.name or self.body["keys"][0][-1]) + (f" ({', '.join(facts)})" if facts else "")
        number = "all" if self.count is None else f"{self.count:,}"
        return f"{number} marked {type.plural.replace('_', ' ')}"


def reason_against(
    declaration: ActionDeclaration, targets: Targets | None, clouds: Sequence[Mapping[str, Any]], role: str
) -> str:
    """Why the action can't be done now; "" as far as is known.

    clouds  those that it would be done in, as GET /q/clouds tells them (for a create: those that may be chosen)
    role    the caller's; "" when it is not known
    """
    if targets is not None and targets.past:
        return "this is the past; u, enter leads back to now"
    if role and declaration.permission.endswith(":admin") and role not in _ADMINS:
        return f"your role is {role}, it needs {' or '.join(_ADMINS)}"
    if not declaration.creates:
        if targets is None or targets.count == 0:
            return "there is no row for it"
        if not declaration.many and targets.count != 1:
            return "only for one at a time"
    now = datetime.now(UTC)
    closed = [clean(cloud.get("name") or "") for cloud in clouds if not is_writable(cloud, now)]
    if closed and (not declaration.creates or len(closed) == len(clouds)):
        return (
            f"{', '.join(closed[:2])}{' …' if len(closed) > 2 else ''} {'is' if len(closed) == 1 else 'are'} READ-ONLY"
        )
    if targets is not None and targets.count == 1 and not declaration.creates:
        column, value = _DONE.get(declaration.id, ("", None))
        if column and targets.row.get(column) == value:
            word = clean(value) if isinstance(value, str) else "locked" if value else "not locked"
            return f"it is {word} already"
    return ""


def is_writable(cloud: Mapping[str, Any], now: datetime) -> bool:
    """Whether the cloud may be changed at that time, as far as it was told."""
    return bool(cloud.get("writable")) and writable_seconds(cloud, now) != 0


def writable_seconds(cloud: Mapping[str, Any], now: datetime) -> int | None:
    """Seconds until the cloud is read-only again; None for no end."""
    moment = moment_of(str(cloud.get("writable_until") or ""))
    return None if moment is None else max(0, int((moment - now).total_seconds()))


def left_words(seconds: int) -> str:
    """41m; under two minutes every second: 1m12s."""
    if seconds >= COUNTED:
        return age(seconds)
    return f"{seconds // 60}m{seconds % 60:02d}s" if seconds >= 60 else f"{seconds}s"


def writable_words(cloud: Mapping[str, Any], now: datetime) -> str:
    """A cloud's write state: READ-ONLY, writable, writable 41m."""
    if not is_writable(cloud, now):
        return "READ-ONLY"
    seconds = writable_seconds(cloud, now)
    return "writable" if seconds is None else f"writable {left_words(seconds)}"
