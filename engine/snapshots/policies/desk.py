"""Policies put together: the service, what changes it, what lists it, what is tried out, what is written to volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.access.models import Caller
from engine.api.errors import Conflict, NotFound
from engine.inventory.reads import scope_of
from engine.snapshots.models import Volume
from engine.snapshots.policies import schedule
from engine.snapshots.policies.changing import Changing
from engine.snapshots.policies.giving import Giving
from engine.snapshots.policies.listing import Listing
from engine.snapshots.policies.models import WriteBody
from engine.snapshots.policies.preview import Previewer
from engine.snapshots.policies.service import PolicyService
from engine.snapshots.volumes import find

# (caller, volumes, reason, ticket) -> the jobs that write it down.
Writing = Callable[[Caller, Sequence[Volume], str, str], list[dict[str, Any]]]


class PolicyDesk:
    """What the routes of policies need. `writing` is given by the room: it begins jobs."""

    def __init__(self, service: PolicyService) -> None:
        self.service = service
        self.changing = Changing(service)
        self.giving = Giving(service)
        self.listing = Listing(service)
        self.previewer = Previewer(service)
        self.writing: Writing | None = None

    def remove_policy(self, caller: Caller, name: str) -> str:
        """Remove a policy; answers what its name means from now on."""
        self.changing.remove_policy(caller, name)
        return schedule.words(self.service.policy(name))

    def write(self, caller: Caller, body: WriteBody) -> list[dict[str, Any]]:
        """Begin to write what was decided for volumes to their metadata; answers the jobs. Raises NotFound, and what
        beginning a job does."""
        if self.writing is None:
            raise Conflict("this engine changes no clouds: metadata cannot be written")
        scope = scope_of(caller, [body.cloud] if body.cloud else None, [body.region] if body.region else None)
        found = find(self.service.reads, scope, body.volume_ids)
        if missing := set(body.volume_ids) - {volume.id for volume in found}:
            raise NotFound(f"there is no volume {min(missing)!r:.80}")
        return self.writing(caller, found, body.reason, body.ticket)
