"""Restores, as people plan them, carry them out, and look at them.

A plan is made from what is read live, kept for 30 minutes, and carried out at most once; everything that it relies on
is read again then. Its job has its id. While that runs no other restore touches the machine or its volumes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.access import rules as access_rules
from engine.access.models import Caller
from engine.api.errors import Conflict, Forbidden, NotFound
from engine.clouds.errors import CloudError
from engine.gate.models import Target
from engine.gate.refusals import NotDone, Refused
from engine.restore import rules, telling
from engine.restore.kept import to_json
from engine.restore.models import Machine, Plan, Request
from engine.restore.plans import KIND, PLANNED, RUNNING, Plans
from engine.restore.runner import submitted
from engine.restore.showing import Showing, Visible, plan_in
from engine.restore.user_data import UserData
from store import times

if TYPE_CHECKING:
    from engine.audit.service import AuditService
    from engine.restore.records import Records
    from engine.restore.sources import Gate, Jobs, Planning
    from engine.settings.models import Settings
    from engine.settings.restore_section import Restore
    from store.ops.ops import Ops

# Refusals of an execution that the audit does not need: something was not typed, or nothing could be done anyway.
_SLIPS = ("reason", "ticket", "typed", "refused", "expired", "executed")
Item = dict[str, Any]


class RestoreService:
    """See the module. Thread-safe. All methods block."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        plans: Plans,
        records: Records,
        planning: Planning,
        jobs: Jobs,
        gate: Gate,
        settings: Callable[[], Settings],
        visible: Visible,
        changed: Callable[[str, str], None],
        would: Callable[[Plan], Any],
        clock: Callable[[], datetime] = times.utcnow,
    ) -> None:
        """visible   visible(caller, cloud, project id): whether the caller's role covers it
        changed   changed(id, cloud): a restore moved
        would     would(plan): what each step would do, from the plan alone
        """
        self._ops, self._audit, self._plans, self._records = ops, audit, plans, records
        self._planning, self._jobs, self._gate, self._settings = planning, jobs, gate, settings
        self._visible, self._changed, self._would, self._clock = visible, changed, would, clock
        self._showing = Showing(plans, records, jobs, visible, clock)
        self.user_data = UserData(gate, audit, visible)
        self._starting: set[str] = set()
        self._lock = threading.Lock()

    # What holds

    def section(self, cloud: str = "") -> Restore:
        """The section [restore], as it is for that cloud."""
        return rules.at(self._settings(), cloud)

    def enabled(self, cloud: str = "") -> None:
        """Raises NotFound where restores are switched off, as documented."""
        if not self.section(cloud).enabled:
            where = f" in {cloud}" if cloud else ""
            raise NotFound(f"restores are switched off{where} (restore.enabled)")

    # Plans

    def plan(
        self, caller: Caller, request: Request, *, retry_of: str = "", reused: Mapping[str, str] | None = None,
        bulk_id: str = "",
    ) -> Item:  # fmt: skip
        """Make a plan and store it; changes nothing. As GET /q/restore/plans/{id} answers it.

        Raises NotFound for what is not there or not the caller's, and what reading the cloud does.
        """
        made = self.make(caller, request, retry_of=retry_of, reused=reused, bulk_id=bulk_id)
        return self.get(caller, made.id)

    def make(
        self, caller: Caller, request: Request, *, retry_of: str = "", reused: Mapping[str, str] | None = None,
        bulk_id: str = "", planning: Planning | None = None,
    ) -> Plan:  # fmt: skip
        """The same, and the plan itself. `planning`: one that shares what it reads with others."""
        self.enabled(request.cloud)
        if caller.clouds is not None and request.cloud not in caller.clouds:
            raise NotFound(f"there is no cloud {request.cloud!r:.80} here")
        planning = planning or self._planning
        made = told(lambda: planning.plan(caller, request, reused=reused, retry_of=retry_of))
        machine = made.machine
        self.check_visible(caller, machine, request.project_id)
        self._plans.keep(caller, made, bulk_id)
        detail = {"plan_id": made.id, "cloud": machine.key[0], "way": made.way, "server": machine.key[2],
                  "point": made.point.id if made.point else "", "eligible": made.eligible}  # fmt: skip
        self._audit.record(caller, "restore.plan", rules.title(made), detail)
        self._changed(made.id, machine.key[0])
        return made

    def get(self, caller: Caller, plan_id: str) -> Item:
        """A plan as it was made, with what carrying it out asks for. Raises NotFound, Conflict."""
        row = self.row(caller, plan_id)
        plan = plan_in(row)
        own = self._gate.windows.rules(row["cloud"])
        refused = rules.role_problem(plan.way, caller.role, self._settings())
        if not access_rules.allows(caller.role, rules.WRITE):
            refused = f"Permission denied: requires {rules.WRITE}"
        return {
            **to_json(plan),
            "status": rules.status(row, self._showing.job(row)),
            "expired": rules.expired(row, self._clock()),
            "executed_at": telling.text(row["executed_at"]),
            "requires": rules.requires(plan, own),
            "may_execute": refused is None,
            "refused": refused,
            "dry_run_only": self.section(row["cloud"]).dry_run,
            "dry_run": self._would(plan),
        }

    def execute(
        self, caller: Caller, plan_id: str, reason: str = "", ticket: str = "", typed: str = "", hash: str | None = None
    ) -> Item:
        """Begin the plan's job; answers it as `detail` does. Raises Refused, Forbidden, NotFound; nothing was done."""
        row = self.row(caller, plan_id)
        plan_id = row["id"]
        self.enabled(row["cloud"])
        if self.section(row["cloud"]).dry_run:
            raise Conflict("restores are planned and not carried out here (restore.dry_run)")
        self._is_open(row, hash)
        plan = plan_in(row)
        try:
            self._check(caller, plan, reason, ticket, typed)
            self._check_live(plan)
            self._begin(caller, row, plan, reason, ticket)
        except (Refused, Forbidden) as refusal:
            if getattr(refusal, "code", "") not in _SLIPS:
                detail = {"plan_id": plan_id, "cloud": row["cloud"], "reason": reason, "ticket": ticket,
                          "problem": refusal.detail}  # fmt: skip
                self._audit.record(caller, "restore.execute", rules.title(plan), detail, "refused")
            raise
        self._changed(plan_id, row["cloud"])
        return self.detail(caller, plan_id)

    def cancel(self, caller: Caller, job_id: str, reason: str = "") -> Item:
        """Give up a plan, or end its job: what it changed is taken back. Raises NotFound, Conflict."""
        row = self.row(caller, job_id)
        job_id = row["id"]
        self.enabled(row["cloud"])
        job = self._showing.job(row)
        detail = {"plan_id": job_id, "cloud": row["cloud"], "reason": reason}
        if job is None:
            with self._ops.begin() as connection:
                if not self._plans.cancel(connection, job_id):
                    raise Conflict("this plan was given up before, or is being carried out this moment")
                self._audit.record(caller, "restore.cancel", _named(row), detail, connection=connection)
        else:
            self._jobs.cancel(job_id, caller)
            self._audit.record(caller, "restore.cancel", _named(row), detail)
        self._changed(job_id, row["cloud"])
        return self.detail(caller, job_id)

    def retry(self, caller: Caller, job_id: str, typed: str = "", strategy: str | None = None) -> Item:
        """Plan the same again with what is left of it, and begin it; the new job. Raises what `plan` and `execute` do,
        Conflict when there is nothing to retry."""
        row = self.row(caller, job_id)
        job_id = row["id"]
        self.enabled(row["cloud"])
        if not access_rules.allows(caller.role, rules.ADMIN):
            raise Forbidden(f"Permission denied: requires {rules.ADMIN}")
        old = self._showing.job(row)
        later = [(one, self._showing.job(one)) for one in self._plans.retries(job_id)]
        if problem := rules.retry_problem(row, old, later):
            raise Conflict(problem)
        assert old is not None
        plan = plan_in(row)
        own = self._gate.windows.rules(row["cloud"])
        if problem := rules.typed_problem(wanted := rules.phrase(plan, own), typed):
            raise Refused("typed", problem, typed=wanted)
        made = self.make(caller, rules.again(plan, strategy), retry_of=job_id, reused=self._reusable(plan))
        if not _same_points(plan, made):
            raise Conflict("a restore point that it came from is gone: make a new plan; clean up what this one left")
        return self.execute(caller, made.id, old["reason"], old["ticket"], typed, made.hash)

    def answer(self, caller: Caller, job_id: str, answer: Any) -> Item:
        """What a person says when a job asks whether the machine answers. Raises NotFound, Conflict."""
        row = self.row(caller, job_id)
        job_id = row["id"]
        self.enabled(row["cloud"])
        job = self._showing.job(row)
        if job is None or not rules.asks(job):
            raise Conflict("this restore asks nothing just now")
        with self._ops.begin() as connection:
            if not self._records.say(connection, job_id, answer, caller.name):
                raise Conflict("somebody answered before")
            detail = {"plan_id": job_id, "cloud": row["cloud"], "answer": answer}
            self._audit.record(caller, "restore.answer", _named(row), detail, connection=connection)
        self._changed(job_id, row["cloud"])
        return self.detail(caller, job_id)

    def ended(self, job: Mapping[str, Any]) -> None:
        """A restore's job is over (may be told twice)."""
        self._plans.ended(job["id"])
        self._gate.release({"plan_id": job["id"]}, job["id"])
        self._changed(job["id"], job["cloud"] or "")

    def retry_job(self, job: Mapping[str, Any], caller: Caller) -> Item:
        """A retry that was asked of the jobs. Raises Conflict where a phrase has to be typed."""
        row = self.row(caller, job["id"])
        if rules.phrase(plan_in(row), self._gate.windows.rules(row["cloud"])):
            raise Conflict(
                "this restore asks to type a phrase: retry it in its own pane, or with `qdeck restore retry`"
            )
        return self._jobs.job(self.retry(caller, job["id"])["id"])

    def note(self, caller: Caller, row: Mapping[str, Any], action: str, detail: Mapping[str, Any]) -> None:
        """Note in the audit what was done after a restore, and tell whoever looks at it."""
        self._audit.record(caller, action, _named(row), {"plan_id": row["id"], "cloud": row["cloud"], **detail})
        self._changed(row["id"], row["cloud"])

    # Looking

    def sees(self, caller: Caller, cloud: str, project_id: str) -> bool:
        """Whether the caller's role covers a project."""
        return self._visible(caller, cloud, project_id)

    def check_visible(self, caller: Caller, machine: Machine, project_id: str = "") -> None:
        """Raises NotFound for a machine that the caller's role does not cover, or that is in another project."""
        if not self.sees(caller, machine.key[0], machine.project_id):
            raise NotFound(f"there is no machine {machine.key[2]!r:.80}")
        if project_id and project_id != machine.project_id:
            raise NotFound(f"the machine {machine.key[2]!r:.80} is not in the project {project_id!r:.80}")

    def page(self, caller: Caller, **chosen: Any) -> tuple[int, list[Item]]:
        """(total, restores newest first); see Showing.page."""
        return self._showing.page(caller, **chosen)

    def recent(self, caller: Caller, most: int, also: Sequence[str] = ()) -> list[Item]:
        """The newest that were carried out, and these: as lists have them, with what they ask and leave."""
        return self._showing.recent(caller, most, also)

    def detail(self, caller: Caller, job_id: str) -> Item:
        """One restore with its plan, steps, resources, and what may be asked of it. Raises NotFound."""
        return self._showing.detail(self.row(caller, job_id))

    def row(self, caller: Caller, id: str) -> dict[str, Any]:
        """The row of a plan that the caller may see. Raises NotFound."""
        row = self._showing.row(caller, id)
        if row["status"] == RUNNING and row["id"] not in self._starting and not self._jobs.exists(row["id"]):
            # The engine ended between taking the plan and submitting its job: nothing was done.
            self._give_back(row)
            row = self._showing.row(caller, id)
        return row

    def plan_in(self, row: Mapping[str, Any]) -> Plan:
        """The stored plan. Raises Conflict for one that this release cannot read."""
        return plan_in(row)

    def job_of(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The plan's job; None when it was not carried out."""
        return self._showing.job(row)

    # Inside

    def _is_open(self, row: Mapping[str, Any], hash: str | None) -> None:
        """Raises Refused for a plan that was carried out, given up, or is too old, or another."""
        if row["status"] != PLANNED:
            raise Refused("executed", "this plan was carried out or given up before; make a new one", job_id=row["id"])
        if rules.expired(row, self._clock()) or (hash is not None and hash != row["hash"]):
            raise Refused("expired", "this plan is older than 30 minutes, or another one: make a new one")

    def _check(self, caller: Caller, plan: Plan, reason: str, ticket: str, typed: str) -> None:
        """Permission, read-only mode, reason, ticket and phrase. Raises Forbidden, Refused."""
        cloud = plan.machine.key[0]
        if not access_rules.allows(caller.role, rules.WRITE):
            raise Forbidden(f"Permission denied: requires {rules.WRITE}")
        if problem := rules.role_problem(plan.way, caller.role, self._settings()):
            raise Forbidden(problem)
        if not plan.eligible:
            raise Refused("refused", "; ".join(plan.problems[:3]) or "this restore is not possible")
        self._gate.windows.check(cloud)
        own = self._gate.windows.rules(cloud)
        if wrong := rules.given_problem(own, cloud, reason, ticket):
            raise Refused(*wrong)
        wanted = rules.phrase(plan, own)
        if problem := rules.typed_problem(wanted, typed):
            raise Refused("typed", problem, typed=wanted)

    def _check_live(self, plan: Plan) -> None:
        """Everything that the plan relies on, read again. Raises Refused when anything is not as it was."""
        for target in _targets(plan):
            if problem := self._gate.hands_off(target):
                raise Refused("hands_off", problem)
        if changes := told(lambda: self._planning.again(plan)):
            first = changes[0] if len(changes) == 1 else f"{len(changes)} things have changed since this plan was made"
            raise Refused("changed", f"{first}: make a new plan", differences=list(changes))

    def _begin(self, caller: Caller, row: Mapping[str, Any], plan: Plan, reason: str, ticket: str) -> None:
        """Hold, take and submit: all of it or nothing."""
        title = rules.title(plan)
        with self._lock:
            if plan.id in self._starting:
                raise Refused("executed", "this plan is being carried out this moment", job_id=plan.id)
            self._starting.add(plan.id)
        try:
            self._gate.hold(caller, plan.id, plan.id, title, _targets(plan))
            self._take(caller, row, plan, reason, ticket)
            values = {**submitted(plan), "reason": reason, "ticket": ticket}
            options = {"job_id": plan.id, "stop_after": 1, "parallel": 1, "retry_of": plan.retry_of or None}
            self._jobs.submit(KIND, title, caller, values, options)
        except BaseException as error:
            if not self._jobs.exists(plan.id):
                held = isinstance(error, Refused) and error.code == "executed"
                if not held:
                    self._give_back(row)
            raise
        finally:
            self._gate.submitted(plan.id)
            with self._lock:
                self._starting.discard(plan.id)

    def _take(self, caller: Caller, row: Mapping[str, Any], plan: Plan, reason: str, ticket: str) -> None:
        detail = {"plan_id": plan.id, "cloud": row["cloud"], "way": plan.way, "server": row["server_id"],
                  "reason": reason, "ticket": ticket, "retry_of": plan.retry_of}  # fmt: skip
        with self._lock:
            starting = self._starting - {plan.id}
        with self._ops.begin() as connection:
            self._plans.take(connection, row, caller.name, starting)
            if plan.reused:
                purposes = [purpose for volume in plan.reused for purpose in _purposes(volume)]
                self._records.adopt(connection, plan.id, plan.retry_of, purposes)
            self._audit.record(caller, "restore.execute", rules.title(plan), detail, connection=connection)

    def _give_back(self, row: Mapping[str, Any]) -> None:
        self._gate.release({"plan_id": row["id"]}, row["id"])
        if row["retry_of"]:
            self._records.return_adopted(row["id"], row["retry_of"])
        self._plans.give_back(row["id"])

    def _reusable(self, old: Plan) -> dict[str, str]:
        """{original volume: volume that the job made of its point, and that nobody removed}."""
        found = {}
        for disk in old.disks:
            for row in (self._records.found(old.id, purpose) for purpose in _purposes(disk.volume_id)):
                if row is not None and row["state"] == "made" and row["id"]:
                    found[disk.volume_id] = str(row["id"])
        return found


def _purposes(volume_id: str) -> tuple[str, ...]:
    """What the records call the volume that is made for a disk."""
    return (f"volume:{volume_id}", f"temporary:{volume_id}")


def _same_points(old: Plan, new: Plan) -> bool:
    """Whether every volume that is used again was made of the very point that the new plan restores."""
    was = {disk.volume_id: disk.source.id for disk in old.disks if disk.source is not None}
    now = {disk.volume_id: disk.source.id for disk in new.disks if disk.source is not None}
    return all(volume in was and was[volume] == now.get(volume) for volume in new.reused)


def _targets(plan: Plan) -> list[Target]:
    """What a restore works on, and holds meanwhile."""
    machine = plan.machine
    cloud, region, _ = machine.key
    about: dict[str, Any] = {"project_id": machine.project_id, "project_name": machine.project_name}
    found = [Target("server", machine.key, machine.name or machine.key[2], host=machine.host, **about)]
    found += [
        Target("volume", (cloud, region, disk.volume_id), disk.name or disk.volume_id, **about)
        for disk in plan.disks
        if disk.volume_id
    ]
    if plan.helper is not None:
        found.append(Target("server", plan.helper, plan.helper_name or plan.helper[2], **about))
    return found


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['cloud']} restore {row['id']} of {row['server_name']}"


def told(ask: Callable[[], Any]) -> Any:
    """What `ask` answers; what a cloud's session raises becomes an answer of the API."""
    try:
        return ask()
    except CloudError as error:
        raise NotDone(str(error)) from error
