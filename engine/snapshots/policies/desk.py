"""Policies put together: the service, what changes it, what lists it, what is tried out, what is written to volumes."""

from __future__ import annotations

from typing import Any

from engine.access.models import Caller
from engine.api.errors import ApiError, Conflict, NotFound
from engine.clouds.errors import CloudError
from engine.gate.models import Actor, NoRole
from engine.gate.refusals import NotDone
from engine.inventory.reads import scope_of
from engine.snapshots.policies import schedule
from engine.snapshots.policies.changing import Changing
from engine.snapshots.policies.giving import Giving
from engine.snapshots.policies.listing import Listing
from engine.snapshots.policies.models import WriteBody
from engine.snapshots.policies.preview import Previewer
from engine.snapshots.policies.service import PolicyService
from engine.snapshots.policies.writing import ACTION, PERMISSION, MetadataWriter
from engine.snapshots.volumes import find


class PolicyDesk:
    """What the routes of policies need. `writer` is missing where there is no gate."""

    def __init__(self, service: PolicyService, writer: MetadataWriter | None = None) -> None:
        self.service = service
        self.changing = Changing(service)
        self.giving = Giving(service)
        self.listing = Listing(service)
        self.previewer = Previewer(service)
        self.writer = writer

    def remove_policy(self, caller: Caller, name: str) -> str:
        """Remove a policy; answers what its name means from now on."""
        self.changing.remove_policy(caller, name)
        return schedule.words(self.service.policy(name))

    def write(self, caller: Caller, body: WriteBody) -> list[dict[str, Any]]:
        """Write what was decided for volumes to their metadata: what became of each. Raises NotFound, Conflict."""
        if self.writer is None:
            raise Conflict("this engine changes no clouds: metadata cannot be written")
        scope = scope_of(caller, [body.cloud] if body.cloud else None, [body.region] if body.region else None)
        found = find(self.service.reads, scope, body.volume_ids)
        if missing := set(body.volume_ids) - {volume.id for volume in found}:
            raise NotFound(f"there is no volume {min(missing)!r:.80}")
        actor = Actor(caller, PERMISSION, ACTION, reason=body.reason, ticket=body.ticket)
        rows = []
        for volume in found:
            try:
                ok, text = True, self.writer.write(actor, volume)
            except ApiError as error:
                ok, text = False, error.detail
            except (NotDone, NoRole, CloudError) as error:
                ok, text = False, str(error)
            rows.append({"cloud": volume.cloud, "region": volume.region, "volume_id": volume.id,
                         "volume_name": volume.name, "ok": ok, "text": text})  # fmt: skip
        self.service.moved()
        return rows
