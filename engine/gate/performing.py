"""The only place that sends what changes a cloud: everything is looked at again, noted durably, then sent once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from engine.access import rules as access_rules
from engine.access.models import Caller
from engine.api.errors import Forbidden
from engine.gate import live, rules
from engine.gate.models import Actor, Answer, Call, Key, NoRole, Operation, Raw, Sessions, Target, WriteSession
from engine.gate.refusals import NotDone, Refused
from engine.gate.windows import WriteWindows
from store import times
from store.redact import redact

if TYPE_CHECKING:
    from engine.audit.service import AuditService

_log = structlog.get_logger("qdeck.gate")
_MOST_BODY = 16_384  # bytes of a request that the audit keeps


class Performer:
    """Sends calls. Thread-safe."""

    def __init__(
        self,
        sessions: Sessions,
        windows: WriteWindows,
        audit: AuditService,
        held: Callable[[str, Key, str], str | None],
        clock: Callable[[], datetime] = times.utcnow,
    ) -> None:
        """`held(type, key, but)`: the sentence for what another plan than `but` works on."""
        self._sessions = sessions
        self._windows = windows
        self._audit = audit
        self._held = held
        self._clock = clock
        # Gives a job a role in a project that no account reaches, or raises NoRole (engine/clouds/grants.py).
        self.hold: Callable[[Actor, Call], None] | None = None
        self.share: Callable[[Actor, Call], None] = lambda actor, call: None

    def perform(
        self,
        actor: Actor,
        call: Call,
        operation: Operation | None = None,
        target: Target | None = None,
        *,
        looked: bool = False,
    ) -> Answer:
        """Send a call that changes something; answers once the outcome is in the audit.

        operation, target  what the call is part of: the target is read live once more and refused when it is locked,
                           protected, held by another job or under a hands-off mark; without them only permission,
                           window and project count
        looked             the caller has called `look_again` this moment
        Raises Forbidden, Refused (nothing was sent), NotDone (the cloud refused, or nobody knows), OpsError (no audit:
        nothing was sent, or its outcome is not noted).
        """
        self._permitted(actor.caller, actor.permission, call)
        # Only a job's own calls stand on it: what comes in from outside has no job yet.
        self._windows.check(call.cloud, actor.standing if actor.job else "", call)
        if problem := rules.path_problem(call.path):
            raise Refused("refused", problem)
        if operation is not None and target is not None and not looked:
            self.look_again(actor, operation, target)
        session = self._session(call, actor)
        if problem := rules.project_problem(call, session.project_id):
            self._refused(actor, call, problem)
            raise Refused("wrong_project", problem)
        intent = self._audit.record(
            actor.caller, actor.action, _named(call, target), self._detail(actor, call, session), "intent"
        )
        try:
            raw = session.send(call.method, call.service, call.region, call.path, call.body, call.microversion)
        except Exception as error:
            # No answer is not "no": it may have been done.
            self._note(actor, call, session, target, intent, {"problem": str(error)[:400], "uncertain": True}, "failed")
            raise NotDone(f"{call.what}: {error}; nobody knows whether it was done", uncertain=True) from error
        return self._ended(actor, call, session, target, intent, raw)

    def ask(self, caller: Caller, call: Call, permission: str) -> Answer:
        """Send a request that only asks: a GET, or one of the few POSTs that change nothing (rules.ASKS).

        No plan and no lifted read-only mode, but the caller's permission, and a line in the log. Raises Forbidden,
        Refused for any other request, NotDone for an answer that is an error, and what the session raises.
        """
        if not rules.is_ask(call):
            raise Refused("refused", f"{call.method} {call.path:.80} changes something: it needs a plan")
        if problem := rules.path_problem(call.path):
            raise Refused("refused", problem)
        self._permitted(caller, permission, call)
        session = self._session(call)
        if call.method == "GET":
            raw = session.get(call.service, call.region, call.path, call.microversion)
        else:
            raw = session.send(call.method, call.service, call.region, call.path, call.body, call.microversion)
        ids = rules.request_ids(raw.headers)
        _log.info("asked", caller=caller.name, cloud=call.cloud, what=call.what, status=raw.status, request_ids=ids)
        if raw.status >= 300:
            raise NotDone(live.said(raw, f"the {call.service} service of {call.cloud}"), status=raw.status)
        return Answer(raw.status, ids, live.document(raw))

    def look_again(
        self, actor: Actor, operation: Operation, target: Target, doc: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The target's document as it is now; raises Refused when it may not be touched any more (or is gone).

        `doc`: when it was read this moment. Of what is still to be made only the hands-off marks count.
        """
        freeze = rules.hands_off_problem(self._windows.rules(target.cloud), target, self._clock())
        if freeze:
            raise Refused("hands_off", freeze)
        if not target.id:
            return {}
        doc = doc if doc is not None else live.read(self._sessions, operation, target)
        if doc is None:
            raise Refused("changed", f"{target.name} is gone")
        passes = operation.passes_locks or target.key in actor.override
        if not passes and (locked := rules.lock_problem(doc, target.name)):
            raise Refused("locked", locked)
        if operation.declaration.danger == "destructive" and (kept := rules.protection_problem(doc, target.name)):
            raise Refused("protected", kept)
        if held := self._held(target.type, target.key, actor.plan_id):
            raise Refused("held", f"{target.name}: {held}")
        return doc

    def _permitted(self, caller: Caller, permission: str, call: Call) -> None:
        if not access_rules.allows(caller.role, permission):
            raise Forbidden(f"Permission denied: requires {permission}")
        if caller.clouds is not None and call.cloud not in caller.clouds:
            raise Refused("unknown", f"there is no cloud {call.cloud!r:.80} here")
        # What belongs to no project is everybody's: it may be asked for, and not changed.
        outside = caller.projects is not None and call.project_id not in caller.projects
        if outside and (call.project_id or not rules.is_ask(call)):
            raise Forbidden("Permission denied: it belongs to no project of the caller's")

    def _session(self, call: Call, actor: Actor | None = None) -> WriteSession:
        """Raises Refused("no_role") when nobody has a role there, and none may be given for the actor's job."""
        try:
            try:
                return self._sessions.session(call.cloud, call.session, call.project_id)
            except NoRole:
                if self.hold is None or actor is None or not actor.job:
                    raise
                self.hold(actor, call)
                return self._sessions.session(call.cloud, call.session, call.project_id)
        except NoRole as error:
            raise Refused("no_role", str(error), command=error.command) from error

    def _ended(
        self, actor: Actor, call: Call, session: WriteSession, target: Target | None, intent: str, raw: Raw
    ) -> Answer:
        ids = rules.request_ids(raw.headers)
        facts: dict[str, Any] = {"status": raw.status, "request_ids": list(ids), "request_id": ", ".join(ids)}
        done = raw.status < 300
        if not done:
            facts["problem"] = live.said(raw, f"the {call.service} service of {call.cloud}")
        self._note(actor, call, session, target, intent, facts, "ok" if done else "failed")
        if not done:
            wanted = rules.retry_after(raw.headers)
            raise NotDone(f"{call.what}: {facts['problem']}", status=raw.status, retry_after=wanted)
        return Answer(raw.status, ids, live.document(raw))

    def _note(
        self,
        actor: Actor,
        call: Call,
        session: WriteSession,
        target: Target | None,
        intent: str,
        facts: Mapping[str, Any],
        outcome: str,
    ) -> None:
        detail = {**self._detail(actor, call, session), **facts, "intent": intent}
        detail.pop("body", None)
        self._audit.record(actor.caller, actor.action, _named(call, target), detail, outcome, ending=True)

    def _refused(self, actor: Actor, call: Call, problem: str) -> None:
        detail = {**self._detail(actor, call, None), "problem": problem}
        self._audit.record(actor.caller, actor.action, _named(call, None), detail, "refused")

    def _detail(self, actor: Actor, call: Call, session: WriteSession | None) -> dict[str, Any]:
        """What an auditor asks for: who, why, under which change, and exactly what was sent; no secrets."""
        body = redact(copy.deepcopy(dict(call.body or {})))
        found: dict[str, Any] = {
            "what": call.what,
            "cloud": call.cloud,
            "region": call.region,
            "service": call.service,
            "call": {"method": call.method, "path": call.path},
            "key": list(call.key) if call.key else None,
            "type": call.type,
            "project": call.project_id,
            "plan_id": actor.plan_id,
            "job": actor.job,
            "step": actor.step,
            "reason": actor.reason,
            "ticket": actor.ticket,
            "standing": actor.standing,
            "lock_passed": call.key in actor.override if call.key else False,
            "body": body if len(str(body)) <= _MOST_BODY else "(longer than the audit keeps)",
        }
        if session is not None:
            found |= {"account": session.account, "session": call.session, "token_project": session.project_id}
        return {name: value for name, value in found.items() if value or name == "reason"}


def _named(call: Call, target: Target | None) -> str:
    where = "/".join(part for part in (call.cloud, call.region) if part)
    return f"{where} {call.type or call.service} {target.name if target is not None else call.what}"[:500]
