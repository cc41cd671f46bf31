"""What the gate offers to jobs that have no plan of its own: policies and restores plan for themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from engine.access import rules as access_rules
from engine.access.models import Caller
from engine.gate import live, rules
from engine.gate.models import Actor, Answer, Call, Key, NoRole, SessionKind, Sessions, Target
from engine.gate.performing import Performer
from engine.gate.plans import PlanStore
from engine.gate.windows import WriteWindows
from store.types import registry


class ForJobs:
    """See the module. A part of the gate (engine/gate/service.py), which has what it works with."""

    windows: WriteWindows
    _sessions: Sessions
    _performer: Performer
    _plans: PlanStore
    _clock: Callable[[], datetime]

    def perform(self, actor: Actor, call: Call) -> Answer:
        """Send one call of a job that has no plan of the gate (restores, policies). As Performer.perform."""
        return self._performer.perform(actor, call)

    def ask(self, caller: Caller, call: Call) -> Answer:
        """Send a request that changes nothing. As Performer.ask, with the permission to read the call's type."""
        plural = registry.ALL[call.type].plural if call.type in registry.ALL else "resources"
        return self._performer.ask(caller, call, f"{access_rules.resource_of_type(plural)}:read")

    def reader(
        self, cloud: str, region: str, project_id: str, kind: SessionKind = "tenant"
    ) -> Callable[..., dict[str, Any] | None]:
        """`get(service, path, microversion="", query=())` as engine/gate/live.py: getter.

        With a token of the project, else with an administrator's; "read": with what the account sees most by. Raises
        NoRole where there is neither.
        """
        return live.getter(self._sessions, cloud, region, project_id, kind)

    def reaches(self, cloud: str, project_id: str) -> None:
        """Whether something can be made in the project. Raises NoRole, and what the session does."""
        self._sessions.session(cloud, "tenant", project_id)

    def hold_role(self, actor: Actor, call: Call) -> None:
        """Have a session of the call's project for the actor's job: a role is lent for it where that is allowed.

        One that is lent for another job just now is this one's, too: it stays as long as either needs it. Raises
        NoRole, and what the session does.
        """
        try:
            self._performer.share(actor, call)
            self._sessions.session(call.cloud, "tenant", call.project_id)
        except NoRole:
            if self._performer.hold is None:
                raise
            self._performer.hold(actor, call)

    def user_id(self, cloud: str, project_id: str) -> str:
        """Id of the user who acts in the project, and to whom what Nova makes there belongs. Raises NoRole."""
        return self._sessions.session(cloud, "tenant", project_id).user_id

    def user_data(self, cloud: str, region: str, server_id: str) -> str:
        """See live.user_data: with an administrator's session, which alone may read a tenant's."""
        return live.user_data(self._sessions.session(cloud, "admin"), region, server_id)

    def hold(self, caller: Caller, plan_id: str, job_id: str, title: str, targets: Sequence[Target]) -> None:
        """Hold what a job of another room is about to work on, as the gate's own plans do; `release` lets it go.

        `submitted` is to be told when the job is on disk, or will never be. Raises Refused("held") when something else
        works on one of them.
        """
        self._plans.hold(caller, plan_id, job_id, title, targets)

    def submitted(self, plan_id: str) -> None:
        """The job of the plan is on disk, or was given up: what it holds counts as long as it is open."""
        self._plans.submitted(plan_id)

    def hands_off(self, target: Target) -> str | None:
        """The sentence for what the configuration says not to touch just now; None when it may be."""
        return rules.hands_off_problem(self.windows.rules(target.cloud), target, self._clock())

    def held(self, type: str, key: Key, but: str = "") -> str | None:
        """The sentence for what another plan's job than `but`'s works on; None when none does."""
        return self._plans.held(type, key, but)
