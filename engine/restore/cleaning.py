"""Removing what a restore left behind that failed, was cancelled or broke off: only what is certainly its own.

Something is deleted when all of this holds at the moment before it is:

    the records have it as made by this job (or begun, and found by its token), and by no other
    it carries the token of that record, and belongs to the machine's project
    nothing uses it: a port has no device, a volume is attached to nothing and has no snapshots, no machine runs from an
    image, a machine has nothing but what the job made
    for a machine that was to take another's place: the other one is back as it was

A quota that is still raised is given back, by what the job added, where nobody changed it since.

Everything else is left and told, with the reason. No request here has `cascade` or `force`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from engine.access.models import Caller
from engine.api.errors import ApiError
from engine.clouds.errors import CloudError
from engine.gate.models import Actor, Answer, Call, Key, NoRole, SessionKind
from engine.gate.refusals import NotDone, Refused
from engine.restore import raised, rules
from engine.restore.models import Plan
from engine.restore.records import BEGUN, HANDED_OVER, MADE, is_safety
from engine.restore.steps import finding
from engine.restore.using import Get, Unsure, carries, owner, read, why_used

if TYPE_CHECKING:
    from engine.restore.records import Records

Row = Mapping[str, Any]  # of restore_resources
ACTION = "restore.cleanup"
GONE_SECONDS = 60.0  # that a deletion is waited for
NEVER_MADE = timedelta(minutes=10)  # after which what was asked for, and is not there, never will be
# What is deleted here, in this order: a machine lets go of its ports and volumes.
ORDER = ("server", "port", "image", "volume")
_PATHS: Mapping[str, tuple[str, str]] = {
    "server": ("compute", "/servers/{id}"),
    "port": ("network", "/ports/{id}"),
    "image": ("image", "/images/{id}"),
    "volume": ("block-storage", "/volumes/{id}"),
}
PRESERVED = "{id} (preserved — use delete_volume=true to remove)"


class Gate(Protocol):
    """What is asked of the write gate (engine/gate/for_jobs.py)."""

    def perform(self, actor: Actor, call: Call) -> Answer:
        """Send a call that changes something."""
        ...

    def reader(
        self, cloud: str, region: str, project_id: str, kind: SessionKind = "tenant"
    ) -> Callable[..., dict[str, Any] | None]:
        """`get(service, path, microversion="", query=())` of a session of that kind."""
        ...

    def hold_role(self, actor: Actor, call: Call) -> None:
        """Have a session of the call's project for the actor's job."""
        ...

    def held(self, type: str, key: Key) -> str | None:
        """The sentence for what a job works on; None when none does."""
        ...

    def release(self, plan: Mapping[str, Any], job_id: str) -> None:
        """Give back what was lent for the job."""
        ...


@dataclass(frozen=True, slots=True)
class Left:
    """Something that a job made: `why` it stays; "" = it can go, or went."""

    row: Row
    id: str
    why: str

    def told(self) -> dict[str, Any]:
        """As the API answers it."""
        names = ("type", "purpose", "name")
        return {**{name: self.row[name] for name in names}, "id": self.id, "can_go": not self.why, "reason": self.why}


class Cleaner:
    """See the module. Thread-safe; blocks as long as the cloud takes."""

    def __init__(
        self,
        records: Records,
        gate: Gate,
        clock: Callable[[], datetime],
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._records, self._gate, self._clock, self._sleep = records, gate, clock, sleep
        self._busy: set[str] = set()
        self._guard = threading.Lock()

    def look(
        self, caller: Caller, plan: Plan, delete_volume: bool = True, *, quotas_only: bool = False
    ) -> list[dict[str, Any]]:
        """What the job left, and what of it would be deleted. Changes nothing. Raises ApiError when it cannot look.

        quotas_only  the job has succeeded: what it made is in use
        """
        get = self._reader(caller, plan)
        rows = self._rows(plan.id, quotas_only=quotas_only)
        return [self._judge(get, plan, row, delete_volume, rows).told() for row in rows]

    def clean(
        self, caller: Caller, plan: Plan, delete_volume: bool, reason: str = "", ticket: str = "", *,
        quotas_only: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        """Delete what can go; as documented, with `removed` and `left` beside it.

        Raises Refused when the job is being cleaned up this moment, and ApiError when nothing can be looked at.
        """
        with self._guard:
            if plan.id in self._busy:
                raise Refused("held", "what this restore left is being cleaned up this moment")
            self._busy.add(plan.id)
        actor = Actor(caller, rules.ADMIN, ACTION, plan_id=plan.id, job=plan.id, reason=reason, ticket=ticket)
        try:
            return self._clean(actor, plan, delete_volume, quotas_only)
        finally:
            with self._guard:
                self._busy.discard(plan.id)
            self._gate.release({}, plan.id)

    def _clean(self, actor: Actor, plan: Plan, delete_volume: bool, quotas_only: bool) -> dict[str, Any]:
        get = self._reader(actor.caller, plan, actor)
        errors: list[str] = []
        removed: list[Left] = []
        left: list[Left] = []
        for row in self._rows(plan.id, quotas_only=quotas_only):
            # Looked at one by one, and this moment: what goes before may have changed what comes after.
            found = self._judge(get, plan, row, delete_volume, self._rows(plan.id))
            if found.why:
                left.append(found)
                continue
            try:
                if row["type"] == raised.TYPE:
                    removed.append(Left({**row, "name": self._lower(actor, plan, row)}, "", ""))
                    continue
                problem = self._delete(actor, get, plan, found)
            except (ApiError, CloudError) as error:
                problem = str(getattr(error, "detail", None) or error)
            if problem:
                errors.append(problem)
                left.append(Left(row, found.id, problem))
            else:
                removed.append(found)
        return _answer(removed, left, errors)

    def _reader(self, caller: Caller, plan: Plan, actor: Actor | None = None) -> Get:
        """Reads with a token of the machine's project; `actor` may be lent a role there. Raises Refused."""
        cloud, region, _ = plan.machine.key
        try:
            if actor is not None:
                about = Call(
                    cloud, region, "compute", "GET", "/servers", project_id=plan.machine.project_id,
                    what="look at what a restore left", type="server", session="tenant",
                )  # fmt: skip
                self._gate.hold_role(actor, about)
            return self._gate.reader(cloud, region, plan.machine.project_id)
        except NoRole as error:
            raise Refused("no_role", str(error), command=error.command) from error

    def _rows(self, job_id: str, *, quotas_only: bool = False) -> list[dict[str, Any]]:
        """What the job made or began and has not handed over, in the order of deletion."""
        rows = [row for row in self._records.of_job(job_id) if row["state"] in (BEGUN, MADE)]
        rows = [row for row in rows if row["type"] == raised.TYPE] if quotas_only else rows
        return sorted(rows, key=lambda row: ORDER.index(row["type"]) if row["type"] in ORDER else len(ORDER))

    # Judging

    def _judge(self, get: Get, plan: Plan, row: Row, delete_volume: bool, rows: Sequence[Row]) -> Left:
        """What becomes of one; reads it live."""
        try:
            return self._judged(get, plan, row, delete_volume, rows)
        except Unsure as error:
            return Left(row, row["id"], str(error))
        except (ApiError, CloudError) as error:
            return Left(row, row["id"], f"could not be looked at: {getattr(error, 'detail', None) or error}")

    def _judged(self, get: Get, plan: Plan, row: Row, delete_volume: bool, rows: Sequence[Row]) -> Left:
        type, id = row["type"], row["id"]
        if type == raised.TYPE:
            raised.place_of(row).read(self._wide(plan))
            return Left(row, "", "")
        if type not in ORDER:
            return Left(row, id, f"a {type} is not deleted here: {_kept_word(type)}")
        if is_safety(row):
            return Left(row, id, f"it is the safety copy: {_kept_word('snapshot')}")
        if not id:
            document = _find(get, type, row)
            if document is None:
                return self._missing(row)
            id = str(document["id"])
        document = read(get, type, id)
        if document is None:
            return self._missing(row)
        return Left(row, id, self._why(get, plan, {**row, "id": id}, document, delete_volume, rows) or "")

    def _missing(self, row: Row) -> Left:
        """It is not there: forgotten once it is certain that it never will be."""
        if row["state"] == BEGUN and self._clock() - row["changed_at"] < NEVER_MADE:
            return Left(row, "", "it was asked for a moment ago and is not there (yet): look again in some minutes")
        return Left(row, row["id"], "")

    def _why(
        self, get: Get, plan: Plan, row: Row, document: Mapping[str, Any], delete_volume: bool, rows: Sequence[Row]
    ) -> str | None:
        """The reason to leave it; None: it may be deleted."""
        type, id = row["type"], row["id"]
        machine = plan.machine
        if id in _own_ids(plan):
            return "it belongs to the machine that was to be restored: that the records name it must be an error"
        if not carries(type, document, row["token"]):
            return "it does not carry the mark of this job: it is not certain that the job made it"
        if (its := owner(type, document)) != row["project_id"] or its != machine.project_id:
            return f"it belongs to the project {its or 'of nobody'}, not to that of {machine.name}"
        key = (machine.key[0], machine.key[1], id)
        if said := self._gate.held(type, key):
            return said
        if self._records.keeps(*key) is not None:
            return "it is kept: release or remove it there"
        if any(line["new_id"] == id for line in self._records.line(*key)):
            return "it took the place of an older one: it is in use"
        others = [one for one in self._records.by_id(*key) if one["job_id"] != row["job_id"]]
        if any(one["state"] in (BEGUN, MADE, HANDED_OVER) for one in others):
            return "another restore has it"
        if row["purpose"].startswith("volume:") and not delete_volume:
            return "preserved: use delete_volume=true to remove it"
        own = {(one["type"], one["id"]) for one in rows}
        return why_used(get, plan, type, document, own, delete_volume)

    # Deleting

    def _delete(self, actor: Actor, get: Get, plan: Plan, found: Left) -> str | None:
        """Delete one and wait until it is gone; the sentence when it is not."""
        row, id = found.row, found.id
        type = row["type"]
        if id and read(get, type, id) is not None:
            if row["state"] == BEGUN:
                self._records.made(row["job_id"], row["purpose"], id)
            self._gate.perform(actor, deletion(plan, type, id, row["name"]))
            if not self._gone(get, type, id):
                return f"the {type} {row['name'] or id} ({id}) is being deleted, and still there: look again later"
        self._records.removed(row["job_id"], row["purpose"])
        return None

    def _lower(self, actor: Actor, plan: Plan, row: Row) -> str:
        """Give back what a quota was raised by; what was done. Raises NotDone, and what the gate does."""
        place, get = raised.place_of(row), self._wide(plan)
        what = f"set the quota {place.name} back that a restore raised"

        def send(wanted: int, lower: bool) -> None:
            call = Call(
                place.cloud, place.region, place.service, "PUT", place.path, place.body(wanted, lower=lower),
                session="admin", project_id=place.project, what=what,
            )  # fmt: skip
            self._gate.perform(actor, call)
            if limit.now() != wanted:
                raise NotDone(f"{what}: the cloud took it, but it is not {wanted}")

        limit = raised.Limit(place, self._records, get, send, lambda check: check())
        if not place.lock.acquire(timeout=GONE_SECONDS):
            raise NotDone(f"{what}: another restore is at it, try again")
        try:
            return limit.lowered(row["job_id"]) or f"{place.name} was not raised"
        finally:
            place.lock.release()

    def _wide(self, plan: Plan) -> Get:
        """Reads with an administrator's session. Raises Refused."""
        try:
            return self._gate.reader(*plan.machine.key[:2], plan.machine.project_id, "admin")
        except NoRole as error:
            raise Refused("no_role", str(error), command=error.command) from error

    def _gone(self, get: Get, type: str, id: str) -> bool:
        return wait_gone(get, type, id, self._sleep)


def wait_gone(get: Get, type: str, id: str, sleep: Callable[[float], object]) -> bool:
    """Whether it is gone within GONE_SECONDS."""
    waited, pause = 0.0, 0.1
    while read(get, type, id) is not None:
        if waited >= GONE_SECONDS:
            return False
        sleep(pause)
        waited, pause = waited + pause, min(pause * 1.5, 3.0)
    return True


def deletion(plan: Plan, type: str, id: str, name: str) -> Call:
    """The plain DELETE of something in the machine's project, with a token of that project."""
    cloud, region, _ = plan.machine.key
    service, path = _PATHS[type]
    return Call(
        cloud, region, service, "DELETE", path.format(id=id), session="tenant", project_id=plan.machine.project_id,
        what=f"delete the {type} {name or id} that a restore made", key=(cloud, region, id), type=type,
    )  # fmt: skip


def _own_ids(plan: Plan) -> set[str]:
    """What was there before: whatever the records say, it is never deleted here."""
    ids = {plan.machine.key[2], *(disk.volume_id for disk in plan.disks), *(nic.port_id for nic in plan.nics)}
    ids |= {disk.source.id for disk in plan.disks if disk.source is not None}
    ids |= {plan.point.id} if plan.point is not None else set()
    ids |= {plan.helper[2]} if plan.helper is not None else set()
    return (ids | {plan.machine.image_id, plan.root_image}) - {""}


def _find(get: Get, type: str, row: Row) -> dict[str, Any] | None:
    look: Mapping[str, Callable[[Get, str], dict[str, Any] | None]] = {
        "server": finding.server, "port": finding.port, "image": finding.image, "volume": finding.volume,
    }  # fmt: skip
    return look[type](get, row["token"])


def _kept_word(type: str) -> str:
    if type == "snapshot":
        return "it is a restore point now, and deleted as any other"
    return "it goes when its job ends, or with its own list"


def _answer(removed: Sequence[Left], left: Sequence[Left], errors: Sequence[str]) -> dict[str, Any]:
    """The documented `cleaned`, with all of it beside."""

    def gone(type: str) -> list[str]:
        return [one.id for one in removed if one.row["type"] == type and one.id]

    volumes = gone("volume")
    volumes += [PRESERVED.format(id=one.id) for one in left if one.why.startswith("preserved")]
    servers = gone("server")
    return {
        "ports": gone("port"),
        "volume": ", ".join(volumes) or None,
        "server": servers[0] if servers else None,
        "errors": list(errors),
        "removed": [one.told() for one in removed],
        "left": [one.told() for one in left],
    }
