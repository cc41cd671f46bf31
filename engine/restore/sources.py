"""What the service of restores is told by others, as far as it needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from engine.access.models import Caller
from engine.gate.models import Key, SessionKind, Target
from engine.restore.models import Plan, Request
from engine.restore.planning.facts import Facts, NetworkAddresses
from engine.settings.cloud_rules import CloudRules


class Planning(Protocol):
    """Reads live and judges (engine/restore/planning/service.py). Raises ApiError, CloudError."""

    def plan(
        self,
        caller: Caller,
        request: Request,
        *,
        id: str = "",
        reused: Mapping[str, str] | None = None,
        retry_of: str = "",
    ) -> Plan:
        """A plan, not stored; `reused`: {volume: one that an earlier job made of the same point}."""
        ...

    def sharing(self, seconds: float) -> Planning:
        """The same, for plans that are made together: answers serve all of them for so long."""
        ...

    def facts(self, caller: Caller, request: Request) -> Facts:
        """All that is known of the machine, read live."""
        ...

    def again(self, plan: Plan) -> tuple[str, ...]:
        """What the plan relies on and is not so any more, read live: a sentence each."""
        ...

    def fits(self, plan: Plan) -> tuple[Any, ...]:
        """Quotas and hosts, read live again."""
        ...

    def start(self, caller: Caller, key: Key) -> Mapping[str, Any]:
        """The wizard's first answer."""
        ...

    def addresses(self, cloud: str, region: str, network_id: str, project_id: str) -> NetworkAddresses:
        """What is free on a network, read live."""
        ...


class Jobs(Protocol):
    """The jobs (engine/jobs/service.py)."""

    def submit(
        self, kind: str, title: str, caller: Caller, plan: Mapping[str, Any], options: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Begin a job."""
        ...

    def open(self, job_id: str) -> bool:
        """Whether it has not ended."""
        ...

    def exists(self, job_id: str) -> bool:
        """Whether there is one."""
        ...

    def job(self, reference: str | int, caller: Caller | None = None) -> dict[str, Any]:
        """It, with its steps. Raises NotFound."""
        ...

    def cancel(self, reference: str | int, caller: Caller) -> dict[str, Any]:
        """End it between two steps. Raises NotFound, Conflict."""
        ...


class Windows(Protocol):
    """Read-only mode and the rules of clouds (engine/gate/windows.py)."""

    def check(self, cloud: str) -> None:
        """Raises Refused("read_only")."""
        ...

    def rules(self, cloud: str) -> CloudRules:
        """The configuration's rules for changes of the cloud."""
        ...


class Gate(Protocol):
    """The write gate, as far as the service needs it (engine/gate/for_jobs.py)."""

    @property
    def windows(self) -> Windows: ...

    def hold(self, caller: Caller, plan_id: str, job_id: str, title: str, targets: Sequence[Target]) -> None:
        """Hold what a job is about to work on. Raises Refused("held")."""
        ...

    def submitted(self, plan_id: str) -> None:
        """The job is on disk, or will never be."""
        ...

    def release(self, plan: Mapping[str, Any], job_id: str) -> None:
        """The job has ended."""
        ...

    def hands_off(self, target: Target) -> str | None:
        """The sentence for what the configuration says not to touch."""
        ...

    def reader(
        self, cloud: str, region: str, project_id: str, kind: SessionKind = "tenant"
    ) -> Callable[..., dict[str, Any] | None]:
        """`get(service, path, microversion)`: a document without secrets; None for 404. Raises NoRole."""
        ...

    def user_data(self, cloud: str, region: str, server_id: str) -> str:
        """A machine's user data as Nova has it (base64), read by an administrator; "" for none."""
        ...
