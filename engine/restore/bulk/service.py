"""Restores of many machines, as people plan them, begin them, pause, resume and cancel them.

One plan has a line for each machine and sums for all; carrying it out hands it to the driver, which begins an ordinary
restore for each machine at its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from engine.access import rules as access_rules
from engine.access.models import Caller
from engine.api.errors import Conflict, Forbidden, NotFound
from engine.gate.refusals import Refused
from engine.gate.rules import sealed
from engine.restore import rules as restore_rules
from engine.restore.bulk import rules, telling
from engine.restore.bulk.records import ENDED, PAUSED, PLANNED, RUNNING, BulkRecords, Member
from engine.restore.models import PLAN_MINUTES, Key, Plan, Prove, Request
from engine.restore.service import told
from store import times
from store.ids import uuid7

if TYPE_CHECKING:
    from datetime import datetime

    from engine.audit.service import AuditService
    from engine.restore.bulk.driving import Driver
    from engine.restore.bulk.models import Limits, Place
    from engine.restore.bulk.planning import Lines
    from engine.restore.models import Fit
    from engine.restore.service import RestoreService
    from engine.restore.sources import Jobs, Planning, Windows
    from engine.settings.models import Settings
    from store.ops.ops import Ops

Item = dict[str, Any]
MOST = 50  # that a list answers
PARALLEL, STOP_AFTER = 16, 3  # where nothing is said
OPEN_PHASES = (RUNNING, PAUSED)


class BulkService:
    """Thread-safe. All methods block."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        records: BulkRecords,
        restores: RestoreService,
        lines: Lines,
        planning: Planning,
        jobs: Jobs,
        windows: Windows,
        driver: Driver,
        settings: Callable[[], Settings],
        visible: Callable[[Caller, str, str], bool],
        changed: Callable[[str], None],
        wake: Callable[[], None],
        clock: Callable[[], datetime] = times.utcnow,
    ) -> None:
        """`visible(caller, cloud, project id)`; `changed(id)`: one moved; `wake()`: the driver has something to do."""
        self._ops, self._audit, self._records, self._restores, self._lines = ops, audit, records, restores, lines
        self._planning, self._jobs, self._windows, self._driver = planning, jobs, windows, driver
        self._settings, self._visible, self._changed, self._wake, self._clock = settings, visible, changed, wake, clock

    # Doing

    def plan(
        self,
        caller: Caller,
        keys: Sequence[Key],
        wanted: Request,
        order: Sequence[str] = (),
        limits: Limits | None = None,
        prove: Callable[[Prove], Prove] = lambda settled: settled,
    ) -> Item:
        """One plan for all these machines; changes nothing. `wanted`: what is asked for each of them; `prove` changes
        what shows that they answer.

        Raises NotFound where restores are switched off or a cloud is not the caller's.
        """
        for cloud in {key[0] for key in keys}:
            self._restores.enabled(cloud)
            if caller.clouds is not None and cloud not in caller.clouds:
                raise NotFound(f"there is no cloud {cloud!r:.80} here")
        limits = limits or self.limits()
        id, now = uuid7(), self._clock()
        lines = self._lines.made(caller, id, keys, order, wanted, prove)
        plans = [line.plan for line in lines if line.plan is not None and line.plan.eligible]
        machines = [line.row for line in lines]
        standings = [Member(row, "WAITING").standing() for row in machines if row["eligible"]]
        lasting = {row["seq"]: row["content"].get("seconds") for row in machines}
        content = {
            "sums": telling.sums(rules.sums(plans)),
            "seconds": rules.seconds(standings, lasting, limits) if standings else None,
        }
        asked = {
            "at": telling.text(wanted.at), "ip_strategy": wanted.ip_strategy, "keep_days": wanted.keep_days or None,
            "order": list(order), "limits": asdict(limits),
        }  # fmt: skip
        hashes = [[row["server_id"], row["content"].get("hash", "")] for row in machines]
        row = {
            "id": id, "created_at": now, "expires_at": now + timedelta(minutes=PLAN_MINUTES), "way": wanted.way,
            "phase": PLANNED, "asked": asked, "content": content, "owner": caller.owner, "made_by": caller.name[:255],
            "hash": sealed([wanted.way, asked, hashes]),
        }  # fmt: skip
        detail = {"bulk": id, "way": wanted.way, "machines": len(machines), "eligible": len(plans), "at": asked["at"]}
        with self._ops.begin() as connection:
            self._records.keep(connection, row, machines)
            self._audit.record(caller, "restore.bulk_plan", _named(wanted.way, len(machines)), detail, "ok", connection)
        self._changed(id)
        return self.get(caller, id)

    def execute(
        self,
        caller: Caller,
        id: str,
        reason: str = "",
        ticket: str = "",
        typed: str = "",
        hash: str | None = None,
        leave_out: Collection[Key] = (),
    ) -> Item:
        """Begin it, without some of its machines. Raises Refused, Forbidden, NotFound, Conflict: then nothing began."""
        row, members = self._found(caller, id)
        if row["phase"] != PLANNED:
            raise Refused("executed", "this plan was carried out or given up before; make a new one")
        if self._clock() >= row["expires_at"] or (hash is not None and hash != row["hash"]):
            raise Refused("expired", "this plan is older than 30 minutes, or another one: make a new one")
        out = {tuple(key) for key in leave_out}
        if unknown := out - {_key(member) for member in members}:
            raise Refused("targets", f"the machine {min(unknown)[2]!r:.80} is not in this plan")
        chosen = [member for member in members if member.row["eligible"] and _key(member) not in out]
        self._check(caller, row, chosen, reason, ticket, typed)
        if problems := [one.text for one in self._sums(chosen) if not one.ok]:
            raise Refused("refused", f"all of them together do not fit: {'; '.join(problems[:3])}; leave some out")
        detail = {"bulk": id, "way": row["way"], "machines": len(chosen), "reason": reason, "ticket": ticket,
                  "left_out": [key[2] for key in sorted(out)][:100]}  # fmt: skip
        values = {
            "phase": RUNNING, "caller": asdict(caller), "reason": reason, "ticket": ticket,
            "executed_at": self._clock(), "executed_by": caller.name[:255],
        }  # fmt: skip
        with self._ops.begin() as connection:
            if not self._records.change(connection, id, (PLANNED,), **values):
                raise Refused("executed", "this plan is being carried out this moment")
            for member in members:
                if _key(member) in out:
                    self._records.change_member(connection, id, member.row["seq"], state="LEFT_OUT")
            name = _named(row["way"], len(chosen))
            self._audit.record(caller, "restore.bulk_execute", name, detail, "ok", connection)
        return self._moved(caller, id)

    def pause(self, caller: Caller, id: str) -> Item:
        """No further machine begins; those that run go on."""
        row, members = self._found(caller, id)
        self._may(caller, row)
        self._set(caller, row, members, "restore.bulk_pause", (RUNNING,), phase=PAUSED, paused_why=f"by {caller.name}")
        return self._moved(caller, id)

    def resume(self, caller: Caller, id: str) -> Item:
        """Go on, whatever has failed so far: that counts no more."""
        row, members = self._found(caller, id)
        self._may(caller, row)
        passed, forgiven = rules.resumed([member.standing() for member in members])
        values = {"phase": RUNNING, "paused_why": "", "passed": max(passed, row["passed"]), "forgiven": forgiven}
        self._set(caller, row, members, "restore.bulk_resume", (PAUSED,), **values)
        return self._moved(caller, id)

    def cancel(self, caller: Caller, id: str, running: bool = False) -> Item:
        """Begin none of those that have not begun; `running`: end also those that run, and take back what they did."""
        row, members = self._found(caller, id)
        if row["phase"] == PLANNED:
            values: Item = {"phase": ENDED, "outcome": "CANCELED", "detail": f"given up by {caller.name}",
                            "ended_at": self._clock(), "cancelled_by": caller.name[:255]}  # fmt: skip
            self._set(caller, row, members, "restore.bulk_cancel", (PLANNED,), **values)
            return self.get(caller, id)
        values = {"cancelled_by": row["cancelled_by"] or caller.name[:255]}
        values["cancel_running"] = running or row["cancel_running"]
        self._set(caller, row, members, "restore.bulk_cancel", OPEN_PHASES, **values)
        return self._moved(caller, id)

    # Looking

    def page(self, caller: Caller) -> list[Item]:
        """All of which the caller may see every machine, newest first."""
        found = []
        for row in self._records.page(MOST):
            members = self._records.members(row["id"])
            if self._covers(caller, members):
                found.append(telling.head(row, members, self._clock()))
        return found

    def open(self) -> list[Item]:
        """Those that were begun and have not ended, whoever may see them."""
        return [telling.head(row, self._records.members(row["id"]), self._clock()) for row in self._records.open()]

    def get(self, caller: Caller, id: str) -> Item:
        """One with a line for each machine, and what carrying it out asks for. Raises NotFound."""
        row, members = self._found(caller, id)
        problem = self._driver.trouble
        return {
            **telling.head(row, members, self._clock()),
            **{name: row["asked"].get(name) for name in ("at", "ip_strategy", "keep_days", "order", "limits")},
            "hash": row["hash"],
            "sums": row["content"]["sums"],
            "machines": [telling.machine(one, self._jobs.job, problem(id, one.row["seq"])) for one in members],
            "requires": self._requires(row["way"], [one for one in members if one.row["eligible"]]),
            "refused": self._refused(caller, row["way"]),
        }

    def limits(self, **given: int | None) -> Limits:
        """The settings' limits with those that were given."""
        from engine.restore.bulk.models import Limits

        section = self._restores.section()
        settled = {
            "parallel": PARALLEL, "per_backend": section.parallel_per_backend,
            "per_project": section.parallel_per_project, "stop_after": STOP_AFTER,
        }  # fmt: skip
        return Limits(**{name: given.get(name) or value for name, value in settled.items()})

    # Inside

    def _found(self, caller: Caller, id: str) -> tuple[Mapping[str, Any], list[Member]]:
        row = self._records.row(id)
        members = self._records.members(id) if row is not None else []
        if row is None or not self._covers(caller, members):
            raise NotFound(f"there is no restore of many machines {id!r:.80}")
        return row, members

    def _covers(self, caller: Caller, members: Sequence[Member]) -> bool:
        places = {(member.row["cloud"], member.row["project_id"]) for member in members if member.row["project_id"]}
        return all(self._visible(caller, cloud, project) for cloud, project in places)

    def _refused(self, caller: Caller, way: str) -> str | None:
        """Why the caller may not carry out such a plan; None when he may."""
        if not access_rules.allows(caller.role, restore_rules.WRITE):
            return f"Permission denied: requires {restore_rules.WRITE}"
        return restore_rules.role_problem(way, caller.role, self._settings())

    def _may(self, caller: Caller, row: Mapping[str, Any]) -> None:
        if refused := self._refused(caller, row["way"]):
            raise Forbidden(refused)

    def _check(
        self, caller: Caller, row: Mapping[str, Any], chosen: Sequence[Member], reason: str, ticket: str, typed: str
    ) -> None:
        """Permission, switches, read-only mode, reason, ticket and phrase."""
        self._may(caller, row)
        if not chosen:
            raise Refused("refused", "none of these machines can be restored so: look at their lines")
        clouds = sorted({member.row["cloud"] for member in chosen})
        for cloud in clouds:
            self._restores.enabled(cloud)
            if self._restores.section(cloud).dry_run:
                raise Conflict(f"restores are planned and not carried out in {cloud} (restore.dry_run)")
            self._windows.check(cloud)
            if wrong := restore_rules.given_problem(self._windows.rules(cloud), cloud, reason, ticket):
                raise Refused(*wrong)
        wanted = self._phrase(row["way"], chosen)
        if problem := restore_rules.typed_problem(wanted, typed):
            raise Refused("typed", problem, typed=wanted)

    def _requires(self, way: Any, chosen: Sequence[Member]) -> Item:
        own = [self._windows.rules(cloud) for cloud in sorted({member.row["cloud"] for member in chosen})]
        return {
            "reason": any(one.reason_required for one in own),
            "ticket": any(one.ticket_required for one in own),
            "ticket_pattern": next((one.ticket_pattern for one in own if one.ticket_pattern), None),
            "typed": self._phrase(way, chosen),
        }

    def _phrase(self, way: Any, chosen: Sequence[Member]) -> str | None:
        clouds = {member.row["cloud"] for member in chosen}
        return rules.phrase(way, len(chosen), [cloud for cloud in clouds if self._windows.rules(cloud).production])

    def _sums(self, chosen: Sequence[Member]) -> list[Any]:
        """Quotas with the sum of what those chosen need, as they are used now."""
        plans = [plan for plan in (self._stored(member) for member in chosen) if plan is not None]
        firsts: dict[Place, Plan] = {}
        for plan in plans:
            firsts.setdefault((*plan.machine.key[:2], plan.machine.project_id), plan)
        return rules.sums(plans, {place: self._fits(plan) for place, plan in firsts.items()})

    def _fits(self, plan: Plan) -> Sequence[Fit]:
        found: Sequence[Fit] = told(lambda: self._planning.fits(plan))
        return found

    def _stored(self, member: Member) -> Plan | None:
        from engine.access.models import ENGINE

        id = member.row["plan_id"]
        return None if id is None else self._restores.plan_in(self._restores.row(ENGINE, id))

    def _set(
        self, caller: Caller, row: Mapping[str, Any], members: Sequence[Member], action: str, phases: Sequence[str],
        **values: Any,
    ) -> None:  # fmt: skip
        """Change it and note who did. Raises Conflict when it is past that."""
        with self._ops.begin() as connection:
            if not self._records.change(connection, row["id"], phases, **values):
                raise Conflict(f"this is not possible now: it is {telling.status(row).lower()}")
            detail = {"bulk": row["id"], **{name: values[name] for name in ("cancel_running",) if name in values}}
            self._audit.record(caller, action, _named(row["way"], len(members)), detail, "ok", connection)
        self._changed(row["id"])

    def _moved(self, caller: Caller, id: str) -> Item:
        self._changed(id)
        self._wake()
        return self.get(caller, id)


def _key(member: Member) -> Key:
    row = member.row
    return (row["cloud"], row["region"], row["server_id"])


def _named(way: str, count: int) -> str:
    return f"{way} of {count} {'machine' if count == 1 else 'machines'}"
