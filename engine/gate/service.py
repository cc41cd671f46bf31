"""The write gate: the only way to change a cloud. Other rooms register operations; people make plans and execute them.

plan      resolve the targets, read each live, judge it, store what was shown and what it relies on
execute   role, read-only mode, reason, ticket, phrase, and everything read again; then a job over the plan
carry_out one item in a step of that job, which looks at it once more before each call
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.access import rules as access_rules
from engine.access.models import Caller
from engine.api.errors import Forbidden
from engine.gate import planning, rules
from engine.gate.bodies import ExecuteBody, PlanBody
from engine.gate.carrying import Carrier, Changed, Item
from engine.gate.for_jobs import ForJobs
from engine.gate.models import Actor, Call, Operation, Outcome, Runner, Sessions
from engine.gate.performing import Performer
from engine.gate.planning import Judge, Judged
from engine.gate.plans import PlanStore, Stored
from engine.gate.refusals import Refused
from engine.gate.targets import Rows, Seen, Targeting
from engine.gate.windows import WriteWindows
from engine.settings.models import Settings
from store import times
from store.ids import uuid7
from store.types.actions import ACTIONS

if TYPE_CHECKING:
    from engine.api.changes import ChangeFeed
    from engine.audit.service import AuditService
    from store.ops.ops import Ops

KIND = "actions"  # of the jobs that carry plans out
READERS = 8  # targets that are read side by side
# A retry by the person who executed the plan takes the typed phrase over for so long.
_CONFIRMED = timedelta(hours=8)
# Refusals of an execution that the audit does not need: something was not typed, or nothing could be done anyway.
_SLIPS = ("reason", "ticket", "typed", "override", "refused")


class Gate(ForJobs):
    """See the module. All methods block; thread-safe."""

    def __init__(
        self,
        ops: Ops,
        settings: Callable[[], Settings],
        audit: AuditService,
        feed: ChangeFeed,
        sessions: Sessions,
        rows: Rows,
        changed: Changed,
        clock: Callable[[], datetime] = times.utcnow,
    ) -> None:
        """`changed(cloud, region, types)` is told what has to be collected again."""
        self._audit = audit
        self._clock = clock
        self._sessions = sessions
        self._operations: dict[str, Operation] = {}
        self._runner: Runner | None = None
        self._give_back: Callable[[str], object] | None = None
        # Whether a job may be given a role for its length in that cloud.
        self.lends: Callable[[str], bool] = lambda cloud: False
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="gate")
        self.windows = WriteWindows(ops, settings, audit, feed, sessions, clock)
        self._plans = PlanStore(ops, clock)
        self._targeting = Targeting(sessions, rows, self._pool)
        self._judge = Judge(sessions, self.windows, self._plans.held)
        self._performer = Performer(sessions, self.windows, audit, self._plans.held, clock)
        self._carrier = Carrier(sessions, self._performer, self._judge, audit, changed)

    # Wiring

    def register(self, *operations: Operation) -> None:
        """Teach the gate actions; each of them once. Raises ValueError for one that is not declared, or twice."""
        for operation in operations:
            if operation.id not in ACTIONS or operation.id in self._operations:
                raise ValueError(f"the action {operation.id} is not declared, or registered twice")
            access_rules.check_permission(operation.declaration.permission)
            self._operations[operation.id] = operation

    def attach(self, runner: Runner) -> None:
        """Give it the jobs, which lie above the gate."""
        self._runner = runner
        self._plans.open = runner.open
        self._plans.exists = runner.exists

    def lend(
        self,
        hold: Callable[[Actor, Call], None],
        release: Callable[[str], object],
        allowed: Callable[[str], bool],
        share: Callable[[Actor, Call], None],
    ) -> None:
        """Have jobs given a role in projects that no account reaches, and give it back when they have ended.

        `hold(actor, call)` raises NoRole when that may not be; `share(actor, call)`: what was given for another job is
        kept for this one, too; `release(job id)`; `allowed(cloud)` (engine/clouds/grants.py).
        """
        self._performer.hold, self._performer.share = hold, share
        self._give_back, self.lends = release, allowed

    def close(self) -> None:
        """Stop reading targets and waiting for the ends of write windows."""
        self.windows.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # What there is

    def actions(self, caller: Caller, type: str | None = None) -> list[dict[str, Any]]:
        """The actions that can be carried out, as GET /q/actions answers them; in the order of menus."""
        names = ("name", "title", "kind", "choices", "default", "required", "help", "type", "minimum", "maximum")
        return [
            {
                **{name: getattr(declared, name) for name in ("id", "type", "title", "danger", "many", "creates")},
                "permission": declared.permission,
                "allowed": access_rules.allows(caller.role, declared.permission),
                "help": declared.help,
                "options": [{name: getattr(option, name) for name in names} for option in declared.options],
            }
            for declared in ACTIONS.values()
            if declared.id in self._operations and type in (None, declared.type)
        ]

    def writes(self, caller: Caller) -> list[dict[str, Any]]:
        """The clouds that the caller may see, as GET /q/writes answers them."""
        names = [name for name in self._sessions.names() if caller.clouds is None or name in caller.clouds]
        return [self.windows.item(name) for name in names]

    def lift(self, caller: Caller, cloud: str, minutes: int | None, reason: str, typed: str) -> dict[str, Any]:
        """Let a cloud be changed for a time; answers its item. Raises Refused."""
        self._known(caller, cloud)
        return self.windows.lift(caller, cloud, minutes, reason, typed)

    def end(self, caller: Caller, cloud: str) -> dict[str, Any]:
        """Back to read-only; answers its item. Raises Refused."""
        self._known(caller, cloud)
        return self.windows.end(caller, cloud)

    # Plans

    def plan(self, caller: Caller, body: PlanBody, places: Sequence[tuple[int, int]] = ()) -> dict[str, Any]:
        """Make a plan and store it; changes nothing. Raises Forbidden, Refused, BadRequest.

        `places`: (number, count) of each target, where they do not count from 1.
        """
        operation = self._operation(caller, body.action)
        options, wrong = operation.declaration.values(body.options)
        if wrong:
            raise Refused("option", "; ".join(wrong[:5]))
        warnings: list[str] = []
        if operation.declaration.creates:
            found = [Seen(self._targeting.create(caller, operation.declaration, body.cloud, body.region, options))]
        else:
            chosen, warnings = self._targeting.chosen(caller, operation.declaration, body.targets)
            place = (chosen[0].target.cloud, chosen[0].target.region)
            self._targeting.resolve(caller, operation.declaration, place, options)
            found = self._targeting.read(operation, chosen)
        judged = self._judged(operation, self._targeting.owned(caller, found), options, places=places)
        return self._store(caller, operation, options, judged, warnings, places)

    def get(self, caller: Caller, plan_id: str) -> dict[str, Any]:
        """A plan of the caller's own. Raises Refused("unknown")."""
        return self._plans.get(caller, plan_id).answer()

    def execute(self, caller: Caller, plan_id: str, body: ExecuteBody, retry_of: str | None = None) -> dict[str, Any]:
        """Begin the plan's job; answers it. Raises Forbidden, Refused; nothing has been changed then.

        `retry_of`: the job whose rest it does.
        """
        plan = self._plans.get(caller, plan_id)
        operation = self._operation(caller, plan.action)
        if plan.executed_at is not None:
            raise Refused("executed", "this plan was carried out before; make a new one", job_id=plan.job_id)
        if self._clock() >= plan.expires_at or (body.hash is not None and body.hash != plan.hash):
            raise Refused("expired", "this plan is older than 30 minutes, or another one: make a new one")
        passed = [tuple(key) for key in body.override]
        try:
            self._check_given(plan, body, passed)
            judged = self._as_planned(caller, operation, plan, passed)
        except Refused as refusal:
            if refusal.code not in _SLIPS:
                self._note_refusal(caller, plan, body, refusal)
            raise
        return self._begin(caller, operation, plan, judged, body, passed, retry_of)

    # What the jobs ask for (engine/jobs/actions.py)

    def carry_out(self, item: Item) -> Outcome:
        """Carry out one item of a plan. Raises Refused, NotDone, Forbidden, OpsError."""
        return self._carrier.carry_out(item, self._operation(item.caller, str(item.plan.get("action"))))

    def release(self, plan: Mapping[str, Any], job_id: str) -> None:
        """The job has ended."""
        self._plans.release(str(plan.get("plan_id") or ""))
        if self._give_back is not None:
            self._give_back(job_id)

    def again(
        self,
        plan: Mapping[str, Any],
        items: Sequence[Mapping[str, Any]],
        caller: Caller,
        stop_after: int | None = None,
        retry_of: str | None = None,
    ) -> dict[str, Any]:
        """Plan the same for these items anew and execute it; answers the new job. Raises what planning does.

        What was typed for the old plan holds for a retry of the same person for some hours; locks are not passed.
        The items keep their numbers, which new names may have in them.
        """
        places = [tuple(item["key"]) for item in items]
        options = dict(plan.get("options") or {})
        body: dict[str, Any] = {"action": plan["action"], "options": options}
        if all(key[2] for key in places):
            body["targets"] = {"keys": places}
        else:
            body |= {"cloud": places[0][0], "region": places[0][1]}
        numbers = [(int(item["number"]), int(item["of"])) for item in items]
        made = self.plan(caller, PlanBody.model_validate(body), numbers)
        typed = made["requires"]["typed"]
        executed = times.parse(str(plan["executed_at"]))
        if typed and (plan.get("owner") != caller.owner or self._clock() - executed > _CONFIRMED):
            raise Refused("typed", f"this asks to type {typed!r}: make a new plan for what failed", typed=typed)
        given: dict[str, Any] = {name: str(plan.get(name) or "") for name in ("reason", "ticket")}
        given |= {"typed": typed or "", "stop_after": stop_after}
        return self.execute(caller, made["id"], ExecuteBody.model_validate(given), retry_of)

    # Inside

    def _known(self, caller: Caller, cloud: str) -> None:
        if cloud not in self._sessions.names() or (caller.clouds is not None and cloud not in caller.clouds):
            raise Refused("unknown", f"there is no cloud {cloud!r:.80} here")

    def _operation(self, caller: Caller, action: str) -> Operation:
        operation = self._operations.get(action)
        if operation is None:
            raise Refused("unknown", f"there is no action {action!r:.80}: `qdeck actions` lists them")
        if not access_rules.allows(caller.role, operation.declaration.permission):
            raise Forbidden(f"Permission denied: requires {operation.declaration.permission}")
        return operation

    def _judged(
        self,
        operation: Operation,
        found: Sequence[Seen],
        options: Mapping[str, Any],
        passed: Sequence[tuple[str, ...]] = (),
        plan_id: str = "",
        places: Sequence[tuple[int, int]] = (),
    ) -> list[Judged]:
        now = self._clock()
        numbered = planning.numbered(found, places)

        def one(seen: Seen, place: tuple[int, int]) -> Judged:
            through = seen.target.key in passed
            return self._judge.judge(operation, seen, options, place, now, passed=through, plan_id=plan_id)

        return list(self._pool.map(one, found, numbered))

    def _store(
        self,
        caller: Caller,
        operation: Operation,
        options: Mapping[str, Any],
        judged: Sequence[Judged],
        warnings: Sequence[str],
        places: Sequence[tuple[int, int]],
    ) -> dict[str, Any]:
        now = self._clock()
        plan_id = uuid7()
        doing = [one for one in judged if one.ok or planning.passable(operation, judged)]
        warnings = [*warnings, *planning.together(operation, judged, options)]
        relied = {planning.key_text(one.target.key): planning.plain(one.relied) for one in doing}
        args = planning.steps(operation, judged, doing, places)
        content = {
            "id": plan_id,
            "action": operation.id,
            "type": operation.declaration.type,
            "title": planning.title(operation, judged),
            "danger": operation.declaration.danger,
            "made_by": caller.name,
            "created_at": now,
            "expires_at": now + timedelta(minutes=rules.PLAN_MINUTES),
            "items": planning.items(operation, judged),
            "count": len(judged),
            "refused": sum(not one.ok for one in judged),
            "options": dict(options),
            "commands": planning.commands(operation, judged, options, self._sessions, self._judge, places),
            "warnings": planning.warnings(judged, self.windows, warnings),
            "requires": planning.requires(operation, judged, self.windows),
            "hash": rules.sealed([operation.id, dict(options), args, relied]),
        }
        request = {"options": dict(options), "steps": args}
        self._plans.keep(caller, request, content, relied)
        return self._plans.get(caller, plan_id).answer()

    def _check_given(self, plan: Stored, body: ExecuteBody, passed: Sequence[tuple[str, ...]]) -> None:
        """Read-only mode, reason, ticket and phrase. Raises Refused."""
        required = plan.content["requires"]
        allowed = {tuple(item["key"]) for item in plan.content["items"] if item["override"]}
        if any(key not in allowed for key in passed):
            raise Refused("override", "a lock can only be passed in a plan for that one resource")
        steps = plan.request["steps"]
        if not any(item["ok"] for item in plan.content["items"]) and not passed:
            raise Refused("refused", "nothing of this plan can be done: every target is refused")
        for cloud in sorted({step["key"][0] if step["key"] else step["args"]["key"][0] for step in steps}):
            self.windows.check(cloud)
            own = self.windows.rules(cloud)
            if problem := rules.reason_problem(own, cloud, body.reason):
                raise Refused("reason", problem)
            if problem := rules.ticket_problem(own, cloud, body.ticket):
                raise Refused("ticket", problem)
        typed = required["override"] if passed else required["typed"]
        if typed and not rules.same_phrase(body.typed, typed):
            raise Refused("override" if passed else "typed", f"type {typed!r} to carry this out", typed=typed)

    def _as_planned(
        self, caller: Caller, operation: Operation, plan: Stored, passed: Sequence[tuple[str, ...]]
    ) -> list[Judged]:
        """The targets read and judged again. Raises Refused when anything is not as it was."""
        args = [step["args"] for step in plan.request["steps"]]
        targets = [planning.target_of(one) for one in args]
        found = [Seen(target) for target in targets]
        if not operation.declaration.creates:
            found = self._targeting.read(operation, found)
        places = [(int(one["number"]), int(one["of"])) for one in args]
        found = self._targeting.owned(caller, found)
        judged = self._judged(operation, found, plan.request["options"], passed, plan.id, places)
        told = planning.differences(plan.relied, judged)
        if not told:
            return judged
        code = judged[0].code if len(judged) == 1 and judged[0].code in ("locked", "hands_off", "held") else "changed"
        first = told[0] if len(told) == 1 else f"{len(told)} things have changed since this plan was made"
        raise Refused(code, f"{first}: make a new plan", differences=told)

    def _begin(
        self,
        caller: Caller,
        operation: Operation,
        plan: Stored,
        judged: Sequence[Judged],
        body: ExecuteBody,
        passed: Sequence[tuple[str, ...]],
        retry_of: str | None,
    ) -> dict[str, Any]:
        if self._runner is None:
            raise Refused("jobs", "the engine has no jobs to carry this out with")
        clouds = sorted({one.target.cloud for one in judged})
        job_id = self._plans.begin(caller, plan, [one.target for one in judged])
        submitted = {
            "version": 1,
            "steps": plan.request["steps"],
            "plan_id": plan.id,
            "action": operation.id,
            "options": plan.request["options"],
            "override": [list(key) for key in passed],
            "reason": body.reason,
            "ticket": body.ticket,
            "owner": caller.owner,
            "executed_at": times.text(self._clock()),
            "cloud": clouds[0] if len(clouds) == 1 else None,
        }
        try:
            options = {"job_id": job_id, "stop_after": body.stop_after, "retry_of": retry_of}
            # What was refused is left out of the job, and of what it is called.
            return self._runner.submit(KIND, planning.title(operation, judged), caller, submitted, options)
        except BaseException:
            if not self._runner.exists(job_id):
                self._plans.undo(plan.id)
            raise
        finally:
            self._plans.submitted(plan.id)

    def _note_refusal(self, caller: Caller, plan: Stored, body: ExecuteBody, refusal: Refused) -> None:
        clouds = sorted({item["cloud"] for item in plan.content["items"]})
        detail: dict[str, Any] = {
            "plan_id": plan.id,
            "reason": body.reason,
            "ticket": body.ticket,
            "problem": refusal.detail,
        }
        detail |= {"cloud": clouds[0]} if len(clouds) == 1 else {"clouds": clouds}
        self._audit.record(caller, plan.action, str(plan.content["title"]), detail, "refused")
