"""One step of a run as its code sees it: what to make, the live documents it needs, and how it ended.

The documents are read with a token of the volume's own project, so that what is seen is what its owner sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from engine.gate.models import Actor, Answer, Call
from engine.jobs.models import Step, StepContext, StepResult
from engine.snapshots.models import Volume
from engine.snapshots.runs import telling
from store import times

STANDING = "snapshots"  # the standing permission under which runs may work on a cloud that is read-only
PERMISSION = "snapshots:admin"
ACTION = "snapshot.policy"


class NotMade(Exception):
    """No point of this volume is made. `code` for programs; "quota" and "failed" are no skips."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(slots=True)
class Work:
    """A step under way.

    get      get(service, path, microversion="", query=()) with a token of the project
    perform  perform(call) -> Answer, through the gate
    made     {volume id: point id} that this step made; `problems` {volume id: why not}
    keeps    {volume id: points to keep}, as decided in this attempt
    group    the id of the Cinder group that the volumes are, where the policy wants one; `ungrouped`: why they are none
    """

    step: Step
    context: StepContext
    cloud: str
    region: str
    run: Mapping[str, Any]
    policy: str
    occurrence: datetime
    volumes: tuple[Volume, ...]
    get: Callable[..., dict[str, Any] | None]
    perform: Callable[[Call], Answer]
    server: dict[str, Any] = field(default_factory=dict)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    problems: dict[str, NotMade] = field(default_factory=dict)
    keeps: dict[str, int] = field(default_factory=dict)
    group: str = ""
    ungrouped: str = ""
    removed: int = 0
    stuck: list[str] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)

    @property
    def keep(self) -> int:
        """How many points are kept, as it was last decided; of a machine's volumes the greatest number counts."""
        return max(self.keeps.values(), default=int(self.step.args["keep"]))

    @property
    def project_id(self) -> str:
        """Whose volumes they are."""
        return self.volumes[0].project_id

    @property
    def token(self) -> str:
        """The same at every attempt, and in whatever is made."""
        return self.context.token

    @property
    def machine(self) -> bool:
        """Whether all volumes of a machine are one point."""
        return self.step.args["method"] == "server" and bool(self.step.args["server_id"])

    def told(self, proof: str) -> str:
        """What a record says of a point that was made."""
        return "; ".join(part for part in (proof, self.ungrouped) if part)

    def actor(self) -> Actor:
        """On whose behalf the calls are sent."""
        context = self.context
        return Actor(
            context.caller, PERMISSION, ACTION, job=context.job_id, step=self.step.seq, reason=context.reason,
            ticket=context.ticket, standing=STANDING,
        )  # fmt: skip

    def result(self) -> StepResult:
        """How the step ended, in a sentence."""
        count = len(self.made)
        said = []
        if count:
            said.append("made" if len(self.volumes) == 1 else f"{count} of {len(self.volumes)} volumes made")
        said += [str(problem) for problem in dict.fromkeys(self.problems.values())]
        if self.removed:
            said.append(f"{self.removed} older removed")
        said += self.stuck
        ok = all(problem.code not in ("failed", "quota", "no_role", "read_only") for problem in self.problems.values())
        return StepResult(
            ok, "; ".join(said)[:1000] or "nothing to do", tuple(dict.fromkeys(self.request_ids)),
            next(iter(self.made.values()), ""), {"made": count, "removed": self.removed},
        )  # fmt: skip


def volumes_of(step: Step, cloud: str, region: str) -> tuple[Volume, ...]:
    """The volumes that the step is about, as they were when the run was planned."""
    return tuple(telling.volume_of(cloud, region, one) for one in step.args["volumes"])


def as_it_is(volume: Volume, document: Mapping[str, Any]) -> Volume:
    """The volume with what its live document says."""
    metadata = document.get("metadata")
    attachments = document.get("attachments")
    servers = tuple(
        str(one["server_id"]) for one in attachments or () if isinstance(one, Mapping) and one.get("server_id")
    )
    size = document.get("size")
    created = document.get("created_at")
    return replace(
        volume,
        name=str(document.get("name") or volume.name),
        status=str(document.get("status") or "").lower(),
        size_gb=size if isinstance(size, int) else volume.size_gb,
        volume_type=str(document.get("volume_type") or volume.volume_type),
        metadata={str(key): str(value) for key, value in metadata.items()} if isinstance(metadata, Mapping) else {},
        server_ids=servers,
        created_at=_time(created) or volume.created_at,
    )


def _time(value: Any) -> datetime | None:
    try:
        return times.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None
