"""A change in one request, as the documented administrator's calls are: planned, carried out as a job, awaited.

Nothing is done here that the gate does not do: the same plan, the same refusals, the same audit. What the list of the
type says afterwards is already the new state.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from engine.api.errors import NotFound, Unavailable
from engine.clouds.errors import CloudError
from engine.gate.bodies import ExecuteBody, PlanBody, TargetsBody
from engine.gate.models import Call, Key
from engine.gate.refusals import NotDone, Refused
from engine.inventory.documented import item_of
from engine.inventory.reads import in_region, scope_of
from engine.jobs.models import OPEN
from store.types import registry
from store.types.actions import ACTIONS
from store.types.extract import extractor

if TYPE_CHECKING:
    from engine.access.models import Caller
    from engine.compute.models import Given
    from engine.gate.service import Gate
    from engine.inventory.collect import CollectionService
    from engine.inventory.reads import InventoryReads
    from engine.jobs.service import JobService
    from store.types.declaration import ResourceType

JOB_SECONDS = 120.0  # that a request waits for its job
LIST_SECONDS = 10.0  # and then for the list to be read again
_LOOK_SECONDS = 0.05
_REFUSED = re.compile(r"refused it \(4\d\d\)")


class Changes:
    """See the module. All methods block; thread-safe."""

    def __init__(
        self,
        gate: Gate,
        jobs: JobService,
        reads: InventoryReads,
        collections: CollectionService,
        own_project: Callable[[str], str],
    ) -> None:
        """`own_project(cloud)`: id of the project that the configured account works in."""
        self._gate, self._jobs, self._reads, self._collections = gate, jobs, reads, collections
        self._own_project = own_project

    def create(self, caller: Caller, action: str, options: Mapping[str, Any], given: Given) -> dict[str, Any]:
        """Make something; answers it in the shape of its type's list, with `job`.

        Without a project it belongs to the configured account's, as in the cloud itself. Raises what the gate does.
        """
        declared = ACTIONS[action]
        wanted = {name: value for name, value in options.items() if value is not None}
        if any(option.creates_in for option in declared.options) and not wanted.get("project"):
            wanted["project"] = self._own(self._cloud(caller, given))
        body = PlanBody(action=action, cloud=given.cloud, region=given.region, options=wanted)
        plan = self._gate.plan(caller, body)
        job = self._carried_out(caller, plan, given)
        cloud, region, _ = plan["items"][0]["key"]
        key = (cloud, region, str(job["steps"][0]["created"]))
        return {**self._made(caller, registry.ALL[declared.type], key, plan), "job": job["number"]}

    def delete(self, caller: Caller, action: str, id: str, given: Given) -> dict[str, Any]:
        """Delete something; answers {ID FIELD: id, deleted, cloud, region, job}. Raises NotFound, and as `create`."""
        type = registry.ALL[ACTIONS[action].type]
        key = self._key(caller, type, id, given)
        plan = self._gate.plan(caller, PlanBody(action=action, targets=TargetsBody.model_validate({"keys": [key]})))
        job = self._carried_out(caller, plan, given)
        self._listed(type, key, lambda: self._stored(caller, type, key) is None)
        field = next((name for name, column in type.documented.items() if column == "id"), "id")
        return {field: id, "deleted": True, "cloud": key[0], "region": key[1], "job": job["number"]}

    # Inside

    def _own(self, cloud: str) -> str:
        try:
            return self._own_project(cloud)
        except CloudError as error:
            raise NotDone(f"{cloud} could not be asked whose it should be: {error}") from error

    def _cloud(self, caller: Caller, given: Given) -> str:
        """The cloud that is meant. Raises Refused("targets") when several could be."""
        clouds = [one["cloud"] for one in self._gate.writes(caller)]
        if given.cloud is None and len(clouds) != 1:
            raise Refused("targets", f"say in which cloud: {', '.join(clouds) or 'there is none'}")
        if given.cloud is not None and given.cloud not in clouds:
            raise Refused("unknown", f"there is no cloud {given.cloud!r:.80} here")
        return given.cloud or clouds[0]

    def _key(self, caller: Caller, type: ResourceType, id: str, given: Given) -> Key:
        cloud = self._cloud(caller, given)
        scope = in_region(scope_of(caller, [cloud]), given.region)
        keys = [key for key in self._reads.keys(type, id, None, scope) if self._stored(caller, type, key) is not None]
        if not keys:
            raise NotFound(f"{type.name.replace('_', ' ').capitalize()} {id!r:.80} not found")
        if len(keys) > 1:
            raise Refused("targets", f"{id!r:.80} is in the regions {', '.join(key[1] for key in keys)}: say which")
        return keys[0]

    def _carried_out(self, caller: Caller, plan: Mapping[str, Any], given: Given) -> dict[str, Any]:
        """The job of a plan with one item, once it is done. Raises Refused, NotDone, NotFound."""
        (item,) = plan["items"]
        if item["problem"]:
            if item["code"] == "changed":
                raise NotFound(item["problem"])
            raise Refused(item["code"] or "refused", item["problem"])
        # The path or body of the request names what is meant; a production cloud asks for more than that.
        production = self._gate.windows.rules(item["cloud"]).production
        typed = given.typed if production else plan["requires"]["typed"] or ""
        execute = ExecuteBody.model_validate({"reason": given.reason, "ticket": given.ticket, "typed": typed})
        job = self._awaited(self._gate.execute(caller, plan["id"], execute)["id"])
        if job["state"] != "done":
            detail = str(job["steps"][0]["detail"] or job["detail"] or job["state"])
            if _REFUSED.search(detail):
                raise Refused("refused", detail, job=job["number"])
            raise NotDone(detail)
        return job

    def _awaited(self, id: str) -> dict[str, Any]:
        deadline = time.monotonic() + JOB_SECONDS
        while (job := self._jobs.job(id))["state"] in OPEN:
            if time.monotonic() > deadline:
                raise Unavailable(f"job {job['number']} goes on: {job['detail'] or job['title']}; look at it later")
            time.sleep(_LOOK_SECONDS)
        return job

    def _stored(self, caller: Caller, type: ResourceType, key: Key) -> dict[str, Any] | None:
        """The resource as the store has it; None when it is not there now."""
        try:
            one = self._reads.resource(type, key, None, scope_of(caller))
        except NotFound:
            return None
        return one if one["valid_to"] is None else None

    def _listed(self, type: ResourceType, key: Key, seen: Callable[[], bool]) -> bool:
        """Have the type read again until the list says so, but not for long; whether it does."""
        deadline = time.monotonic() + LIST_SECONDS
        # A collection that runs already may have read the list before the change: then a second one is needed.
        for _ in range(2):
            if seen():
                return True
            started = self._collections.start(clouds=[key[0]], types=[type.name])
            for one in started:
                self._collections.wait(one["id"], max(0.0, deadline - time.monotonic()))
        return seen()

    def _made(self, caller: Caller, type: ResourceType, key: Key, plan: Mapping[str, Any]) -> dict[str, Any]:
        """What was made, from the list; from the cloud itself when the list could not be read so soon."""
        if self._listed(type, key, lambda: self._stored(caller, type, key) is not None):
            stored = self._stored(caller, type, key)
            if stored is not None:
                return item_of(type, stored)
        listing = type.listing
        path = f"{listing.path.removesuffix('/detail')}/{key[2]}"
        call = Call(key[0], key[1], listing.service, "GET", path, None, listing.microversion, type=type.name)
        document = self._gate.ask(caller, call).document
        inner = document.get(type.name)
        doc = dict(inner) if isinstance(inner, Mapping) else dict(document)
        row = {column.name: value for column, value in zip(type.columns, extractor(type)(doc), strict=True)}
        for column in type.columns:
            if column.sql == "TIMESTAMP" and row[column.name] is not None:
                row[column.name] = datetime.fromtimestamp(row[column.name] / 1_000_000, UTC)
        row["project_name"] = plan["items"][0]["project_name"]
        return item_of(type, {"row": row, "key": key})
