"""What a run is told by others, as far as it needs them: policies, listings, quotas, jobs and the gate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from engine.access.models import Caller
from engine.gate.models import Actor, Answer, Call, SessionKind, Target
from engine.snapshots.models import Decision, Key, Policy, Volume
from engine.snapshots.runs.quota import Quota


class Policies(Protocol):
    """The policies (engine/snapshots/policies/service.py)."""

    def decide(self, volumes: Iterable[Volume], now: datetime) -> dict[Key, Decision]:
        """What holds for each volume."""
        ...

    def policy(self, name: str) -> Policy:
        """A policy, made or made up from its name."""
        ...

    def due(self, cloud: str, region: str, now: datetime) -> dict[str, datetime]:
        """Policies whose occurrence should be made now and was not taken up by a run."""
        ...

    def handled(
        self, cloud: str, region: str, occurrences: Mapping[str, datetime], run_id: int, connection: Connection
    ) -> None:
        """A run has taken these up."""
        ...


class Estate(Protocol):
    """What was observed."""

    def regions(self, cloud: str) -> list[str]:
        """Regions of the cloud that have volumes."""
        ...

    def volumes(self, cloud: str, region: str, keys: Sequence[Key] | None = None) -> list[Volume]:
        """The current volumes."""
        ...

    def begin(self, cloud: str) -> str:
        """Begin to list what a run needs; answers the collection's id."""
        ...

    def ended(self, cloud: str, region: str, collection: str) -> str | None:
        """None while it goes on; "" when everything was listed whole; else the sentence why not (fails closed).

        Raises KeyError when the collection is not known: the engine was started anew.
        """
        ...


class Quotas(Protocol):
    """Live quotas."""

    def storage(self, cloud: str, region: str, projects: Sequence[str]) -> dict[str, Quota | str]:
        """The block storage quota of each project with its usage, or the reason why it cannot be read."""
        ...


class Gate(Protocol):
    """The write gate, as far as steps use it."""

    def perform(self, actor: Actor, call: Call) -> Answer:
        """Send one call. Raises Refused, NotDone, Forbidden, OpsError."""
        ...

    def reader(
        self, cloud: str, region: str, project_id: str, kind: SessionKind = "tenant"
    ) -> Callable[..., dict[str, Any] | None]:
        """`get(service, path, microversion="", query=())` with a token of the project, or as the account reads."""
        ...

    def hands_off(self, target: Target) -> str | None:
        """The sentence for a target that the configuration says not to touch now."""
        ...

    def held(self, type: str, key: Key) -> str | None:
        """The sentence for a resource that a job works on."""
        ...


class Grants(Protocol):
    """Roles given to the engine's own user for a job (engine/clouds/grants.py)."""

    def hold(self, cloud: str, project_id: str, job_id: str) -> None:
        """Have a role in the project until the job ends. Raises NoRole."""
        ...

    def release(self, job_id: str) -> list[str]:
        """The job has ended."""
        ...


class Jobs(Protocol):
    """The jobs."""

    def submit(
        self, kind: str, title: str, caller: Caller, plan: Mapping[str, Any], options: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Start a job; with `job_id` among the options it exists once."""
        ...

    def open(self, job_id: str) -> bool:
        """Whether it has not ended."""
        ...

    def exists(self, job_id: str) -> bool:
        """Whether there is one, ended or not."""
        ...

    def job(self, reference: str | int, caller: Caller | None = None) -> dict[str, Any]:
        """It with its steps."""
        ...

    def arguments(self, job_id: str) -> dict[int, Mapping[str, Any]]:
        """seq -> `args` of its steps."""
        ...

    def cancel(self, reference: str | int, caller: Caller) -> dict[str, Any]:
        """Begin no further step."""
        ...


class Inventory(Protocol):
    """Whole collections, for the pipeline on demand."""

    def sync(self, cloud: str) -> str:
        """Begin to collect everything of a cloud; answers the collection's id."""
        ...

    def synced(self, collection: str) -> str | None:
        """None while it goes on; "" when it ended well; else the sentence. Raises KeyError when it is not known."""
        ...
