"""Jobs that write what was decided to the metadata of volumes, begun by a person (`qdeck snapshot assign --write`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.gate import rules
from engine.gate.refusals import Refused
from engine.snapshots.models import Volume
from engine.snapshots.runs import metadata_runner, planning

if TYPE_CHECKING:
    from engine.settings.models import CloudRules
    from engine.snapshots.runs.sources import Jobs


class MetadataJobs:
    """See the module.

    own        the configuration's rules for a cloud
    forbidden  the sentence why policies may not change a cloud now, or None
    """

    def __init__(self, jobs: Jobs, own: Callable[[str], CloudRules], forbidden: Callable[[str], str | None]) -> None:
        self._jobs, self._own, self._forbidden = jobs, own, forbidden

    def begin(self, caller: Caller, found: Sequence[Volume], reason: str, ticket: str) -> list[dict[str, Any]]:
        """A job for each cloud and region that the volumes are in, as GET /q/jobs/{id} answers them.

        Raises Refused before anything is begun: read-only mode, a missing reason or ticket.
        """
        places: dict[tuple[str, str], list[Volume]] = {}
        for volume in found:
            places.setdefault((volume.cloud, volume.region), []).append(volume)
        for cloud in sorted({cloud for cloud, _ in places}):
            if problem := self._forbidden(cloud):
                raise Refused("read_only", problem, cloud=cloud)
            if problem := rules.reason_problem(self._own(cloud), cloud, reason):
                raise Refused("reason", problem)
            if problem := rules.ticket_problem(self._own(cloud), cloud, ticket):
                raise Refused("ticket", problem)
        return [self._submit(caller, *place, some, reason, ticket) for place, some in sorted(places.items())]

    def _submit(
        self, caller: Caller, cloud: str, region: str, found: Sequence[Volume], reason: str, ticket: str
    ) -> dict[str, Any]:
        steps = [
            {
                "name": "policies in its metadata",
                "key": list(volume.key),
                "target": volume.name or volume.id,
                "args": {"region": region, "volumes": [planning.volume_args(volume)]},
            }
            for volume in found
        ]
        title = f"Snapshot policies in the metadata of {len(steps)} volume{'s' if len(steps) > 1 else ''} of {cloud}"
        plan = {"version": 1, "cloud": cloud, "region": region, "steps": steps}
        options = {"cloud": cloud, "reason": reason, "ticket": ticket}
        return self._jobs.submit(metadata_runner.KIND, title, caller, plan, options)
