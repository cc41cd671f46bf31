"""Plans and holds on disk: a plan is carried out at most once; what it works on is held until its job has ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select, update

from engine.access.models import Caller
from engine.gate.models import Key, Target
from engine.gate.refusals import Refused
from store import times
from store.ids import uuid7
from store.ops.gate_tables import holds, plans

if TYPE_CHECKING:
    from store.ops.ops import Ops

_UNUSED = timedelta(days=1)  # plans that nobody carried out are forgotten
_USED = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Stored:
    """A plan as it was stored. `request`: action, options, keys; `relied`: by key, what must not have changed."""

    id: str
    owner: str
    action: str
    expires_at: datetime
    hash: str
    request: Mapping[str, Any]
    content: Mapping[str, Any]
    relied: Mapping[str, Mapping[str, Any]]
    executed_at: datetime | None
    job_id: str | None

    def answer(self) -> dict[str, Any]:
        """As GET /q/plans/{id} answers it."""
        executed = times.text(self.executed_at) if self.executed_at else None
        return {**self.content, "executed_at": executed, "job_id": self.job_id}


class PlanStore:
    """See the module. Thread-safe."""

    def __init__(self, ops: Ops, clock: Callable[[], datetime]) -> None:
        self._ops = ops
        self._clock = clock
        # Whether a job has not ended yet, and whether there is one of that id; given once there are jobs.
        self.open: Callable[[str], bool] = lambda job_id: False
        self.exists: Callable[[str], bool] = lambda job_id: False
        self._starting: set[str] = set()  # plans that are taken, and whose job is being submitted this moment

    def keep(
        self, caller: Caller, request: Mapping[str, Any], content: Mapping[str, Any], relied: Mapping[str, Any]
    ) -> None:
        """Store a plan whose `content` has id, action, created_at, expires_at (aware) and hash."""
        now = self._clock()
        with self._ops.begin() as connection:
            connection.execute(delete(plans).where(plans.c.created_at < now - _UNUSED, plans.c.executed_at.is_(None)))
            connection.execute(delete(plans).where(plans.c.created_at < now - _USED))
            connection.execute(
                insert(plans).values(
                    id=content["id"],
                    owner=caller.owner,
                    made_by=caller.name,
                    action=content["action"],
                    created_at=content["created_at"],
                    expires_at=content["expires_at"],
                    hash=content["hash"],
                    request=_json(request),
                    content=_json(content),
                    relied=_json(relied),
                )
            )

    def get(self, caller: Caller, plan_id: str) -> Stored:
        """A plan of the caller's own. Raises Refused("unknown")."""
        with self._ops.read() as connection:
            row = connection.execute(select(plans).where(plans.c.id == plan_id)).mappings().first()
        if row is None or row["owner"] != caller.owner:
            raise Refused("unknown", f"there is no plan {plan_id!r:.80} of yours")
        names = ("id", "owner", "action", "expires_at", "hash", "executed_at", "job_id")
        documents = {name: json.loads(row[name]) for name in ("request", "content", "relied")}
        found = Stored(**{name: row[name] for name in names}, **documents)
        job = found.job_id
        if job is not None and plan_id not in self._starting and not self.exists(job):
            # The engine ended between taking the plan and submitting its job: nothing was done.
            self.undo(plan_id)
            return replace(found, executed_at=None, job_id=None)
        return found

    def begin(self, caller: Caller, plan: Stored, targets: Sequence[Target]) -> str:
        """Take the plan and hold its targets, in one transaction; answers the id for its job.

        Raises Refused("executed") when it was taken before, Refused("held") when another plan works on a target.
        """
        now, job_id = self._clock(), uuid7()
        self._starting.add(plan.id)
        try:
            self._take(caller, plan, targets, job_id, now)
        except BaseException:
            self._starting.discard(plan.id)
            raise
        return job_id

    def submitted(self, plan_id: str) -> None:
        """The job of the plan is on disk."""
        self._starting.discard(plan_id)

    def _take(self, caller: Caller, plan: Stored, targets: Sequence[Target], job_id: str, now: datetime) -> None:
        with self._ops.begin() as connection:
            taken = connection.execute(
                update(plans)
                .where(plans.c.id == plan.id, plans.c.executed_at.is_(None))
                .values(executed_at=now, job_id=job_id)
            ).rowcount
            if not taken:
                raise Refused("executed", "this plan was carried out before; make a new one", job_id=plan.job_id)
            for target in targets:
                if target.id:
                    self._hold(connection, caller, plan.id, str(plan.content["title"]), target, job_id, now)

    def hold(self, caller: Caller, plan_id: str, job_id: str, title: str, targets: Sequence[Target]) -> None:
        """Hold targets for a job of another room, all or none. Raises Refused("held").

        Until that job is on disk they are held by `submitted` not having been told.
        """
        self._starting.add(plan_id)
        try:
            with self._ops.begin() as connection:
                for target in targets:
                    self._hold(connection, caller, plan_id, title, target, job_id, self._clock())
        except BaseException:
            self._starting.discard(plan_id)
            raise

    def undo(self, plan_id: str) -> None:
        """The plan's job did not begin: nothing was done."""

        def act(connection: Connection) -> None:
            connection.execute(update(plans).where(plans.c.id == plan_id).values(executed_at=None, job_id=None))
            connection.execute(delete(holds).where(holds.c.plan_id == plan_id))

        self._ops.finish(act)
        self._starting.discard(plan_id)

    def release(self, plan_id: str) -> None:
        """Let go of what the plan's job held. Harmless when it was before."""
        self._ops.finish(lambda connection: connection.execute(delete(holds).where(holds.c.plan_id == plan_id)))

    def held(self, type: str, key: Key, but: str) -> str | None:
        """The sentence for a resource that another plan than `but` works on; None when none does."""
        with self._ops.read() as connection:
            row = connection.execute(select(holds).where(*_at(type, key))).mappings().first()
        return self._said(dict(row), but) if row is not None else None

    def _said(self, row: Mapping[str, Any], but: str) -> str | None:
        if row["plan_id"] == but or not self._in_force(row):
            return None
        return f"a job of {row['held_by']} works on it: {row['title']}"

    def _hold(
        self,
        connection: Connection,
        caller: Caller,
        plan_id: str,
        title: str,
        target: Target,
        job_id: str,
        now: datetime,
    ) -> None:
        where = _at(target.type, target.key)
        row = connection.execute(select(holds).where(*where)).mappings().first()
        if row is not None:
            if said := self._said(dict(row), plan_id):
                raise Refused("held", f"{target.name}: {said}")
            connection.execute(delete(holds).where(*where))
        cloud, region, id = target.key
        connection.execute(
            insert(holds).values(
                type=target.type,
                cloud=cloud,
                region=region,
                resource_id=id,
                plan_id=plan_id,
                job_id=job_id,
                title=title,
                held_by=caller.name,
                since=now,
            )
        )

    def _in_force(self, row: Mapping[str, Any]) -> bool:
        # A crash between taking the plan and submitting its job leaves holds that nobody will ever let go.
        return row["plan_id"] in self._starting or (row["job_id"] is not None and self.open(row["job_id"]))


def _at(type: str, key: Key) -> Iterable[Any]:
    cloud, region, id = key
    return (holds.c.type == type, holds.c.cloud == cloud, holds.c.region == region, holds.c.resource_id == id)


def _json(value: Any) -> str:
    return json.dumps(value, default=_other, ensure_ascii=False)


def _other(value: Any) -> str:
    return times.text(value) if isinstance(value, datetime) else str(value)
