"""Carrying out one item of a plan, as a step of a job: at least once, and effectively once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from engine.access.models import Caller
from engine.gate import live, planning
from engine.gate.models import Actor, Answer, Context, Operation, Outcome, Sessions, Settled, Target
from engine.gate.performing import Performer
from engine.gate.planning import Judge
from engine.gate.refusals import NotDone, Refused
from engine.gate.targets import with_doc

if TYPE_CHECKING:
    from engine.audit.service import AuditService

_QUIET_SECONDS = 60.0  # the longest that is waited for what an interrupted attempt began

# changed(cloud, region, types): something of these types was changed
Changed = Callable[[str, str, Sequence[str]], None]


class Item(Protocol):
    """One step of a job (engine/jobs/actions.py)."""

    @property
    def plan(self) -> Mapping[str, Any]: ...
    @property
    def args(self) -> Mapping[str, Any]: ...
    @property
    def job_id(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def attempt(self) -> int: ...
    @property
    def token(self) -> str: ...
    @property
    def caller(self) -> Caller: ...
    @property
    def reason(self) -> str: ...
    @property
    def ticket(self) -> str: ...
    @property
    def wait(self) -> Callable[[Callable[[], Any], float], Any]: ...


@dataclass(frozen=True, slots=True)
class _Work:
    """What one item is about."""

    item: Item
    operation: Operation
    options: Mapping[str, Any]
    target: Target
    actor: Actor
    context: Context


class Carrier:
    """See the module. Thread-safe."""

    def __init__(
        self, sessions: Sessions, performer: Performer, judge: Judge, audit: AuditService, changed: Changed
    ) -> None:
        self._sessions = sessions
        self._performer = performer
        self._judge = judge
        self._audit = audit
        self._changed = changed

    def carry_out(self, item: Item, operation: Operation) -> Outcome:
        """Look again, call, and wait until it has settled. Raises Refused, NotDone, Forbidden, OpsError."""
        work = self._work(item, operation)
        if not work.target.id:
            return self._create(work)
        return self._act(work)

    def _work(self, item: Item, operation: Operation) -> _Work:
        target = planning.target_of(item.args)
        override = {tuple(key) for key in item.plan.get("override") or ()}
        actor = Actor(
            caller=item.caller,
            permission=operation.declaration.permission,
            action=operation.id,
            plan_id=str(item.plan.get("plan_id") or ""),
            job=item.job_id,
            step=item.seq,
            reason=item.reason,
            ticket=item.ticket,
            override=frozenset(key for key in override if len(key) == 3),
        )
        context = self._judge.context(
            target,
            int(item.args.get("number", item.seq)),
            int(item.args.get("of", 1)),
            token=item.token,
            attempt=item.attempt,
            reason=item.reason,
            ticket=item.ticket,
            by=item.caller.name,
        )
        return _Work(item, operation, item.plan.get("options") or {}, target, actor, context)

    # On something that is there

    def _act(self, work: _Work) -> Outcome:
        work, over = self._looked(work)
        if over is not None:
            return over
        by_call = work.operation.made
        done = self._done_before(work) if work.item.attempt > 1 and by_call is None else 0
        if done < 0:
            return Outcome(
                False,
                "the engine ended between asking the cloud and hearing its answer, so nobody knows whether it was "
                "done: look at it, then try again",
            )
        calls = list(work.operation.calls(work.context, work.target, work.options))
        if work.item.attempt > 1 and by_call is not None:
            calls = [call for call in calls if not by_call(work.context, work.target, work.options, call)]
        ids: list[str] = []
        try:
            for number, call in enumerate(calls):
                if number >= done:
                    # What was looked at a moment ago is not looked at again for the first call.
                    fresh = number == done
                    answer = self._performer.perform(work.actor, call, work.operation, work.target, looked=fresh)
                    ids += answer.request_ids
        except NotDone as error:
            if not error.uncertain or work.operation.already is None:
                self._told(work)
                raise
            # No answer came. What there is now says whether it was done.
            if not work.item.wait(lambda: self._is_so(work), min(work.operation.seconds, _QUIET_SECONDS)):
                self._told(work)
                raise
        return self._settled(work, tuple(ids))

    def _looked(self, work: _Work) -> tuple[_Work, Outcome | None]:
        """The work with the target's fresh document, or how it ended without a call. Raises Refused."""
        again = work.item.attempt > 1
        if again:
            # What an earlier attempt began is left to end first.
            work.item.wait(lambda: self._is_quiet(work), _QUIET_SECONDS)
        doc = self._document(work)
        work = replace(work, target=with_doc(work.target, doc or {}))
        already = work.operation.already
        if already is not None and already(work.context, work.target, work.options):
            self._told(work)
            return work, Outcome(True, "done" if again else "was so already")
        if doc is None:
            raise Refused("changed", f"{work.target.name} is gone")
        self._performer.look_again(work.actor, work.operation, work.target, doc)
        check = work.operation.check(work.context, work.target, work.options)
        if check.problem and not again:
            raise Refused("changed", check.problem)
        return work, None

    def _done_before(self, work: _Work) -> int:
        """How many calls of this step an earlier attempt has made; -1 when one is in doubt that may not be repeated."""
        _, records = self._audit.page(action=work.operation.id, text=work.item.job_id, limit=1000)
        own = [record for record in records if record["detail"].get("step") == work.item.seq]
        begun = sum(record["outcome"] == "intent" for record in own)
        ended = sum(record["outcome"] in ("ok", "failed") for record in own)
        if begun > ended and work.operation.already is None:
            return -1
        return sum(record["outcome"] == "ok" for record in own)

    # What is to be made

    def _create(self, work: _Work) -> Outcome:
        check = work.operation.check(work.context, work.target, work.options)
        find = work.operation.find
        made = find(work.context, work.target, work.options) if find is not None and work.item.attempt > 1 else None
        ids: list[str] = []
        if not made:
            if work.item.attempt > 1 and find is None and self._done_before(work):
                return Outcome(
                    False,
                    "an earlier attempt may have made it: look for it, and make it again only when it is not there",
                )
            if check.problem:
                raise Refused("changed", check.problem)
            made = self._make(work, ids)
        work = replace(work, target=replace(work.target, key=(work.target.cloud, work.target.region, made)))
        outcome = self._settled(work, tuple(ids))
        return replace(outcome, created=made)

    def _make(self, work: _Work, ids: list[str]) -> str:
        made = ""
        try:
            for call in work.operation.calls(work.context, work.target, work.options):
                answer = self._performer.perform(work.actor, call, work.operation, work.target)
                ids += answer.request_ids
                made = made or made_id(answer)
        except NotDone as error:
            find = work.operation.find
            if not error.uncertain or find is None:
                raise
            found = work.item.wait(
                lambda: find(work.context, work.target, work.options) or None, min(work.operation.seconds, 15.0)
            )
            if not found:
                raise
            made = str(found)
        return made

    # How it ended

    def _settled(self, work: _Work, ids: tuple[str, ...]) -> Outcome:
        settled = work.operation.settled
        try:
            if settled is None:
                return Outcome(True, "done", ids)
            ended = work.item.wait(lambda: self._ask_settled(work), work.operation.seconds)
            if isinstance(ended, Settled):
                return Outcome(ended.ok, ended.detail, ids)
            return Outcome(
                False,
                f"the cloud took it, but it has not settled within {work.operation.seconds:g} s: look at it later",
                ids,
            )
        finally:
            self._told(work)

    def _ask_settled(self, work: _Work) -> Settled | None:
        try:
            doc = self._document(work)
        except Exception:  # asked again until the time is over: what was done stays done
            return None
        assert work.operation.settled is not None
        return work.operation.settled(work.context, with_doc(work.target, doc or {}), work.options)

    def _is_so(self, work: _Work) -> bool | None:
        try:
            doc = self._document(work)
        except Exception:  # asked again until the time is over
            return None
        assert work.operation.already is not None
        return work.operation.already(work.context, with_doc(work.target, doc or {}), work.options) or None

    def _is_quiet(self, work: _Work) -> bool | None:
        try:
            doc = self._document(work)
        except Exception:  # asked again until the time is over
            return None
        return True if not doc or not doc.get("OS-EXT-STS:task_state") else None

    def _document(self, work: _Work) -> dict[str, Any] | None:
        return live.read(self._sessions, work.operation, work.target)

    def _told(self, work: _Work) -> None:
        types = (work.operation.declaration.type, *work.operation.touches)
        self._changed(work.target.cloud, work.target.region, types)


def made_id(answer: Answer) -> str:
    """The id of what a create made, from the cloud's answer; "" when it says none."""
    document = answer.document
    for inner in (document, *(value for value in document.values() if isinstance(value, Mapping))):
        if isinstance(id := inner.get("id"), str):
            return id
    return ""
