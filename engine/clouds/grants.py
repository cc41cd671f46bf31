"""A role for the length of a job: the engine's own user made a member of a project, and taken out again.

Nova and Cinder make things in the project of the token, so what a job makes for a tenant needs a token of the tenant's
project. Where no account has a role there, and the cloud's configuration allows it (`clouds.NAME.grant_member`), the
administrator's user is given `member` (never `admin`) in that project:

    noted before it is given, one row for each job that uses it, so that a crash at any moment leaves a row
    given by the gate, in the administrator's session, with its audit record
    taken back when the last job that uses it has ended; by `tidy` where a crash or a cloud that was away came between

A role that was there before is never given, and so never taken: only what has a row is.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, delete, insert, select, update

from engine.access.models import ENGINE, Caller
from engine.api.errors import ApiError, NotFound
from engine.clouds import grant_asking
from engine.clouds.errors import CloudError
from engine.clouds.grant_asking import Sessions
from engine.gate.models import Actor, Answer, Call, NoRole, WriteSession
from store import times
from store.ids import uuid7
from store.ops.errors import OpsError
from store.ops.grant_tables import role_grants as table

if TYPE_CHECKING:
    from engine.audit.service import AuditService
    from engine.settings.models import Settings
    from store.ops.ops import Ops

STANDING = "grants"  # the permission under which roles are given and taken (engine/gate/rules.py: STANDING)
WORKS_SECONDS = 15.0  # the longest that is waited for a token with a role that was just given
TIDY_SECONDS = 60.0  # between two looks for what has to be taken back
_LONGEST = timedelta(hours=6)  # between two attempts to take a role back
_log = structlog.get_logger("qdeck.clouds")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Use:
    """What a grant is for: a job's step, in a project of a cloud. `region` only says whom to ask.

    permission  under which the job does what it needs the role for
    """

    cloud: str
    project_id: str
    job_id: str
    region: str = ""
    step: int = 0
    caller: Caller = ENGINE
    permission: str = "snapshots:admin"
    reason: str = ""
    ticket: str = ""


class Grants:
    """See the module. Thread-safe; methods block as long as the cloud takes."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        sessions: Sessions,
        perform: Callable[[Actor, Call], Answer],
        settings: Callable[[], Settings],
        *,
        clock: Callable[[], datetime] = times.utcnow,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """`perform`: the gate's."""
        self._ops, self._audit, self._sessions = ops, audit, sessions
        self._perform, self._settings = perform, settings
        self._clock, self._sleep = clock, sleep
        self._locks: defaultdict[tuple[str, str], threading.RLock] = defaultdict(threading.RLock)
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        # Whether jobs of policy runs may change that cloud although it is read-only (engine/snapshots/standing.py).
        self.enabled: Callable[[str], bool] = lambda cloud: False

    # What jobs ask for

    def allowed(self, cloud: str) -> bool:
        """Whether the configuration allows it for that cloud; a demo, which has no read-only mode, always does."""
        rules = self._settings().clouds.get(cloud)
        return (rules is not None and rules.grant_member) or self._sessions.always_writable(cloud)

    def hold(self, cloud: str, project_id: str, job_id: str) -> None:
        """Have a token of the project for the job: give the role, or note that one more job uses it.

        Returns once a token works. Raises NoRole when it is not allowed, not possible, or not needed: a role that is
        there already is nobody's to take back. OpsError: nothing was given.
        """
        self.hold_for(Use(cloud, project_id, job_id))

    def hold_for(self, use: Use) -> None:
        """As `hold`, with what the audit is told."""
        if not self.allowed(use.cloud):
            raise self._no_role(use, "no account of {cloud} has a role in the project {project}")
        with self._lock(use.cloud, use.project_id):
            rows = self._rows(table.c.cloud == use.cloud, table.c.project_id == use.project_id)
            own = next((row for row in rows if row["job_id"] == use.job_id), None)
            if own is None:
                # What could not be taken back is ours, too: it is not taken for somebody else's.
                known = next((row for row in rows if row["state"] == "given"), rows[0] if rows else None)
                own = self._note(use, known) if known is not None else self._begin(use)
            if own["state"] != "given":
                self._give(use, own)
            self._await_token(use)

    def for_call(self, actor: Actor, call: Call) -> None:
        """As `hold`, for a job's call that found nobody with a role; what the gate asks for (`Gate.lend`)."""
        self.hold_for(
            Use(
                call.cloud, call.project_id, actor.job, call.region, actor.step, actor.caller, actor.permission,
                actor.reason, actor.ticket,
            )
        )  # fmt: skip

    def share(self, actor: Actor, call: Call) -> None:
        """Note that the actor's job uses a role, too, that was given for another: it stays until both have ended.

        Nothing where no role was given. Raises NoRole when it is being taken back and cannot be given anew.
        """
        if self._rows(table.c.cloud == call.cloud, table.c.project_id == call.project_id):
            self.for_call(actor, call)

    def release(self, job_id: str) -> list[str]:
        """The job has ended: take back what no other uses. Answers a sentence for each role that is still there."""
        problems = []
        for row in self._rows(table.c.job_id == job_id):
            with self._lock(row["cloud"], row["project_id"]):
                if problem := self._let_go(row):
                    problems.append(problem)
        return problems

    def recover(self, open: Callable[[str], bool]) -> list[str]:
        """Take back what jobs left behind that are not open any more; sentences as `release`."""
        now = self._clock()
        jobs = dict.fromkeys(row["job_id"] for row in self._rows() if _is_time(row, now))
        return [problem for job in jobs if not open(job) for problem in self.release(job)]

    # By itself

    def begin(self, open: Callable[[str], bool]) -> None:
        """Recover now, and from time to time what could not be taken back."""
        self._thread = threading.Thread(target=self._tidy, args=(open,), name="grants", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def _tidy(self, open: Callable[[str], bool]) -> None:
        while True:
            try:
                self.recover(open)
            except OpsError as error:
                _log.error("roles given for jobs could not be looked at", reason=str(error))
            except Exception:
                _log.exception("looking for roles to take back failed")
            if self._stop.wait(TIDY_SECONDS):
                return

    # For people

    def page(self, caller: Caller) -> list[dict[str, Any]]:
        """The roles that are given just now, as GET /q/grants answers them; those of the caller's clouds."""
        return [
            {name: row[name] for name in _SHOWN} | {"command": _command(row)}
            for row in self._rows()
            if caller.clouds is None or row["cloud"] in caller.clouds
            if caller.projects is None or row["project_id"] in caller.projects
        ]

    def take_back(self, caller: Caller, id: str, *, forget: bool = False) -> dict[str, Any]:
        """Try again to take a role back; `forget`: somebody else did. Raises NotFound, ApiError with the problem."""
        found = next((item for item in self.page(caller) if item["id"] == id), None)
        if found is None:
            raise NotFound("there is no such role that was given for a job")
        with self._lock(found["cloud"], found["project_id"]):
            if forget:
                self._ops.finish(lambda connection: self._forget(connection, caller, found))
            elif (rows := self._rows(table.c.id == id)) and (problem := self._let_go(rows[0], caller)):
                raise ApiError(problem, 502)
        return found

    def problems(self) -> list[dict[str, Any]]:
        """Rows whose role could not be taken back, with the sentence."""
        return [{**row, "command": _command(row)} for row in self._rows(table.c.problem.is_not(None))]

    # What stands while a cloud is read-only

    def problem(self, call: Call) -> str | None:
        """Why the gate may not send a call of ours to a cloud that is read-only; None when it may.

        Taken back is always what was given, and given only what is noted, for policy runs that may work there.
        """
        _, _, project, _, user, _, role = call.path.split("/")
        rows = self._rows(
            table.c.cloud == call.cloud,
            table.c.project_id == project,
            table.c.user_id == user,
            table.c.role_id == role,
        )
        if not rows:
            return f"{call.cloud} is read-only, and no such role is noted as given for a job"
        if call.method == "DELETE" or self.enabled(call.cloud):
            return None
        return f"{call.cloud} is read-only, and not enabled for policy runs: no role is given there"

    # Giving

    def _begin(self, use: Use) -> Row:
        """Note that the role is about to be given, once it is certain that nobody has given it before."""
        try:
            session = self._sessions.session(use.cloud, "admin")
            role_id, role = grant_asking.role(session, use.cloud, use.region)
            held = grant_asking.held(session, use.region, use.project_id)
        except CloudError as error:
            raise self._no_role(use, "no role can be given in the project {project}: " + _plain(str(error))) from error
        if held:
            names = ", ".join(sorted(held.values()))
            raise self._no_role(
                use,
                "the engine's user has the role " + _plain(names) + " in the project {project} already: that is not "
                "the engine's to change",
            )
        values = {
            "id": uuid7(),
            "cloud": use.cloud,
            "region": use.region,
            "project_id": use.project_id,
            "user_id": session.user_id,
            "user_name": self._user_name(use.cloud, session),
            "role_id": role_id,
            "role_name": role,
            "account": session.account,
            "job_id": use.job_id,
            "asked_by": use.caller.name[:255],
            "state": "giving",
            "problem": None,
            "attempts": 0,
            "since": self._clock(),
            "tried_at": None,
        }
        with self._ops.begin() as connection:
            connection.execute(insert(table).values(values))
        return values

    def _note(self, use: Use, known: Row) -> Row:
        """One more job uses a role that was given; one that was about to be taken back is given anew."""
        values = {**known, "id": uuid7(), "job_id": use.job_id, "asked_by": use.caller.name[:255], "problem": None}
        values |= {"attempts": 0, "since": self._clock(), "tried_at": None}
        values["state"] = "given" if known["state"] == "given" else "giving"
        with self._ops.begin() as connection:
            connection.execute(insert(table).values(values))
        return values

    def _give(self, use: Use, row: Row) -> None:
        try:
            self._perform(self._actor("grant.give", use), self._call("PUT", row))
        except (ApiError, CloudError) as error:
            if getattr(error, "uncertain", False):
                self._let_go(row)  # it may have been given all the same
            else:
                self._drop(row)
            raise self._no_role(
                use, "no role could be given in the project {project}: " + _plain(str(error))
            ) from error
        self._set(row, state="given")
        self._sessions.forget_project(use.cloud, use.project_id)

    def _await_token(self, use: Use) -> None:
        """Until a token of the project can be had: Keystone may answer from its caches for some seconds."""
        deadline, pause = time.monotonic() + WORKS_SECONDS, 0.1
        while True:
            try:
                self._sessions.session(use.cloud, "tenant", use.project_id)
                return
            except NoRole as error:
                if time.monotonic() + pause > deadline:
                    for row in self._rows(table.c.job_id == use.job_id, table.c.project_id == use.project_id):
                        self._let_go(row)
                    raise self._no_role(
                        use,
                        "the engine's user was given a role in the project {project}, and got no token with it (an "
                        "application credential cannot change its project); it was taken back",
                    ) from error
            self._sleep(pause)
            self._sessions.forget_project(use.cloud, use.project_id)
            pause = min(pause * 2, 2.0)

    # Taking

    def _let_go(self, row: Row, caller: Caller = ENGINE) -> str | None:
        """Drop one use; the last one takes the role back. The sentence when that did not work."""
        others = [
            other
            for other in self._rows(table.c.cloud == row["cloud"], table.c.project_id == row["project_id"])
            if other["id"] != row["id"]
        ]
        if not any(other["user_id"] == row["user_id"] and other["role_id"] == row["role_id"] for other in others):
            use = Use(row["cloud"], row["project_id"], row["job_id"], row["region"], caller=caller)
            try:
                self._set(row, state="taking", attempts=row["attempts"] + 1, tried_at=self._clock())
                self._perform(self._actor("grant.take", use), self._call("DELETE", row))
            except ApiError as error:
                if getattr(error, "cloud_status", None) != 404:  # 404: it is not there, as wanted
                    return self._failed(row, str(error.detail))
            except CloudError as error:
                return self._failed(row, str(error))
            self._sessions.forget_project(row["cloud"], row["project_id"])
        self._drop(row)
        return None

    def _drop(self, row: Row) -> None:
        self._ops.finish(lambda connection: connection.execute(delete(table).where(table.c.id == row["id"])).rowcount)

    def _failed(self, row: Row, why: str) -> str:
        problem = (
            f"the role {row['role_name']} that {row['user_name']} was given in the project {row['project_id']} of "
            f"{row['cloud']} for a job could not be taken back: {why}; an administrator takes it back with: "
            f"{_command(row)}"
        )
        _log.error("a role could not be taken back", cloud=row["cloud"], project=row["project_id"], reason=why)
        self._set(row, problem=problem[:2000])
        return problem

    def _forget(self, connection: Connection, caller: Caller, row: Row) -> int:
        detail = {name: row[name] for name in ("project_id", "user_name", "role_name", "job_id")}
        self._audit.record(caller, "grant.forget", row["cloud"], detail, connection=connection)
        return connection.execute(delete(table).where(table.c.id == row["id"])).rowcount

    # Names and words

    def _user_name(self, cloud: str, session: WriteSession) -> str:
        return (self._sessions.user(cloud, session.account) or session.user_id)[:255]

    def _no_role(self, use: Use, sentence: str) -> NoRole:
        command = self._sessions.role_command(use.cloud, use.project_id)
        told = sentence.format(cloud=use.cloud, project=use.project_id)
        return NoRole(f"{told}; an administrator gives it with: {command}", command)

    # Journal

    def _lock(self, cloud: str, project_id: str) -> threading.RLock:
        with self._guard:
            return self._locks[cloud, project_id]

    def _rows(self, *where: Any) -> list[Row]:
        with self._ops.read() as connection:
            return [
                dict(row) for row in connection.execute(select(table).where(*where).order_by(table.c.since)).mappings()
            ]

    def _set(self, row: Row, **values: Any) -> None:
        self._ops.finish(
            lambda connection: (
                connection.execute(update(table).where(table.c.id == row["id"]).values(**values)).rowcount
            )
        )

    @staticmethod
    def _actor(action: str, use: Use) -> Actor:
        return Actor(
            use.caller, use.permission, action, job=use.job_id, step=use.step, reason=use.reason, ticket=use.ticket,
            standing=STANDING,
        )  # fmt: skip

    @staticmethod
    def _call(method: Any, row: Row) -> Call:
        path = f"/projects/{row['project_id']}/users/{row['user_id']}/roles/{row['role_id']}"
        verb = "give" if method == "PUT" else "take"
        return Call(
            row["cloud"],
            row["region"],
            "identity",
            method,
            path,
            session="admin",
            project_id=row["project_id"],
            what=f"{verb} {row['user_name']} the role {row['role_name']} in the project {row['project_id']}",
            key=(row["cloud"], "", row["project_id"]),
            type="project",
        )


_SHOWN = (
    "id", "cloud", "project_id", "user_id", "user_name", "role_name", "account", "job_id", "asked_by", "state",
    "problem", "attempts", "since",
)  # fmt: skip


def _command(row: Row) -> str:
    """What takes the role back by hand."""
    parts = ["--user", row["user_id"], "--project", row["project_id"], row["role_name"]]
    return shlex.join(["openstack", "role", "remove", *parts])


def _is_time(row: Row, now: datetime) -> bool:
    """Whether it is time to try again: after a minute, then twice as long each time."""
    wait = min(timedelta(seconds=TIDY_SECONDS) * 2 ** min(row["attempts"], 12), _LONGEST)
    return row["tried_at"] is None or row["tried_at"] + wait <= now


def _plain(text: str) -> str:
    """Safe inside a sentence that is formatted."""
    return text.replace("{", "(").replace("}", ")")
