"""Read-only mode: on for every real cloud; lifted for one of them, for a time; it comes back by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, delete, insert, select

from engine.access.models import ENGINE, Caller
from engine.gate import rules
from engine.gate.models import Call
from engine.gate.refusals import Refused
from engine.settings.cloud_rules import CloudRules
from engine.settings.models import Settings
from store import times
from store.ops.errors import OpsError
from store.ops.gate_tables import write_windows

if TYPE_CHECKING:
    from engine.api.changes import ChangeFeed
    from engine.audit.service import AuditService
    from engine.gate.models import Sessions
    from store.ops.ops import Ops

MOST_MINUTES = 1440
_RETRY_SECONDS = 30.0
_log = structlog.get_logger("qdeck.gate")


class WriteWindows:
    """Which clouds may be written just now. Feed topic "writes" {cloud} at every change."""

    def __init__(
        self,
        ops: Ops,
        settings: Callable[[], Settings],
        audit: AuditService,
        feed: ChangeFeed,
        sessions: Sessions,
        clock: Callable[[], datetime] = times.utcnow,
    ) -> None:
        self._ops = ops
        self._settings = settings
        self._audit = audit
        self._feed = feed
        self._sessions = sessions
        self._clock = clock
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closed = False
        self._standing: dict[str, Callable[[Call], str | None]] = {}
        self._arm()

    def rules(self, cloud: str) -> CloudRules:
        """The configuration's rules for changes of the cloud."""
        return self._settings().clouds.get(cloud) or CloudRules()

    def state(self, cloud: str) -> tuple[bool, datetime | None]:
        """(whether the cloud may be written now, until when); no end for one that has no read-only mode."""
        if self._sessions.always_writable(cloud):
            return True, None
        with self._ops.read() as connection:
            until = connection.scalar(select(write_windows.c.until).where(write_windows.c.cloud == cloud))
        return (True, until) if until is not None and self._clock() < until else (False, None)

    def stand(self, name: str, problem: Callable[[Call], str | None]) -> None:
        """Have `problem(call)` say why the standing permission of that name does not cover a call; None: it does.

        It is asked about the calls of rules.STANDING only. Raises ValueError for another name, or one told twice.
        """
        if name not in rules.STANDING or name in self._standing:
            raise ValueError(f"there is no standing permission {name!r}, or it was told of before")
        self._standing[name] = problem

    def check(self, cloud: str, standing: str = "", call: Call | None = None) -> None:
        """Raise Refused("read_only") unless the cloud may be written now, or a standing permission covers the call."""
        if self.state(cloud)[0]:
            return
        given = self._standing.get(standing)
        if given is not None and call is not None and call.cloud == cloud and rules.stands(standing, call):
            if (problem := given(call)) is None:
                return
            raise Refused("read_only", problem, cloud=cloud)
        raise Refused(
            "read_only",
            f"{cloud} is read-only: nothing is changed there until somebody lifts it (`qdeck writes lift {cloud}`)",
            cloud=cloud,
        )

    def item(self, cloud: str) -> dict[str, Any]:
        """One cloud as GET /q/writes answers it."""
        writable, until = self.state(cloud)
        own = self.rules(cloud)
        now = self._clock()
        return {
            "cloud": cloud,
            "writable": writable,
            "until": until,
            "production": own.production,
            "reason_required": own.reason_required,
            "ticket_required": own.ticket_required,
            "ticket_pattern": own.ticket_pattern,
            "minutes": own.write_minutes,
            "demo": self._sessions.always_writable(cloud),
            "hands_off": [
                {**entry.model_dump(), "in_force": rules.in_force(entry, now)}
                for entry in own.hands_off
                if entry.until is None or now < entry.until
            ],
        }

    def lift(self, caller: Caller, cloud: str, minutes: int | None, reason: str, typed: str) -> dict[str, Any]:
        """Let the cloud be written for a time (a later call sets a new end). Raises Refused."""
        own = self.rules(cloud)
        if self._sessions.always_writable(cloud):
            return self.item(cloud)
        if own.production and not rules.same_phrase(typed, cloud):
            raise Refused("typed", f"{cloud} is a production cloud: type its name to lift read-only mode", typed=cloud)
        if problem := rules.reason_problem(own, cloud, reason):
            raise Refused("reason", problem)
        length = min(minutes or own.write_minutes, MOST_MINUTES)
        now = self._clock()
        until = now + timedelta(minutes=length)
        row = {"began_at": now, "until": until, "minutes": length, "lifted_by": caller.name, "reason": reason}
        with self._ops.begin() as connection:
            connection.execute(delete(write_windows).where(write_windows.c.cloud == cloud))
            connection.execute(insert(write_windows).values(cloud=cloud, **row))
            detail = {"minutes": length, "until": times.text(until), "reason": reason}
            self._audit.record(caller, "writes.lift", cloud, detail, connection=connection)
        self._changed(cloud)
        return self.item(cloud)

    def end(self, caller: Caller, cloud: str) -> dict[str, Any]:
        """Back to read-only at once. Harmless when it is."""
        self._end(caller, cloud, "writes.end")
        return self.item(cloud)

    def forget(self, cloud: str) -> None:
        """The cloud is no longer watched."""
        self._end(ENGINE, cloud, "writes.end")

    def close(self) -> None:
        """Stop waiting for ends; they hold all the same."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()

    def _end(self, caller: Caller, cloud: str, action: str, over: datetime | None = None) -> None:
        """`over`: only a window whose end is not later: somebody may have lifted it anew meanwhile."""
        where = [write_windows.c.cloud == cloud, *([] if over is None else [write_windows.c.until <= over])]

        def act(connection: Connection) -> int:
            found = connection.execute(delete(write_windows).where(*where)).rowcount
            if found:
                self._audit.record(caller, action, cloud, connection=connection)
            return found

        if self._ops.finish(act):
            self._changed(cloud)

    def _changed(self, cloud: str) -> None:
        self._feed.publish("writes", cloud=cloud)
        self._arm()

    def _arm(self) -> None:
        """Wake up at the next end, to tell the clients and the audit; the end itself needs nobody awake."""
        with self._ops.read() as connection:
            untils = connection.execute(select(write_windows.c.until)).scalars().all()
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
            if untils and not self._closed:
                wait = max(0.05, (min(untils) - self._clock()).total_seconds())
                self._timer = threading.Timer(min(wait, 3600.0), self._ring)
                self._timer.daemon = True
                self._timer.start()

    def _ring(self) -> None:
        try:
            with self._ops.read() as connection:
                rows = connection.execute(select(write_windows.c.cloud, write_windows.c.until)).all()
            for cloud, until in rows:
                if until <= (now := self._clock()):
                    self._end(ENGINE, cloud, "writes.expire", now)
            self._arm()
        except OpsError as error:
            _log.error("the end of a write window could not be noted", reason=str(error))
            with self._lock:
                if not self._closed:
                    self._timer = threading.Timer(_RETRY_SECONDS, self._ring)
                    self._timer.daemon = True
                    self._timer.start()
