"""The counter of the room: finds out which cloud is meant, asks the services, and answers in the documented words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.api.errors import ApiError, Conflict, NotFound
from engine.gate.refusals import Refused
from engine.inventory.documented import equal_to, fields, items_of
from engine.inventory.reads import in_region, scope_of
from engine.restore import rules, telling
from engine.restore.models import Key, Request, Source
from engine.restore.service import told
from store.estate.reading import single
from store.estate.reading.models import Window
from store.types import registry

if TYPE_CHECKING:
    from engine.inventory.reads import InventoryReads
    from engine.restore import bodies
    from engine.restore.cleaning import Cleaner
    from engine.restore.keeping import Keeping
    from engine.restore.service import RestoreService
    from engine.restore.sources import Planning, Windows
    from engine.restore.storage import Storage

At = tuple[str, str | None]
Item = dict[str, Any]
MOST_SNAPSHOTS = 10_000


class Desk:
    """See the module. Thread-safe; blocks."""

    def __init__(
        self,
        service: RestoreService,
        cleaner: Cleaner,
        storage: Storage,
        keeping: Keeping,
        planning: Planning,
        reads: InventoryReads,
        windows: Windows,
        clouds: Callable[[], Sequence[str]],
        regions: Callable[[str], Sequence[str]],
    ) -> None:
        """`clouds()`: names of all clouds; `regions(cloud)`: [] when they are not known."""
        self.service, self.keeping = service, keeping
        self._cleaner, self._storage, self._planning, self._reads = cleaner, storage, planning, reads
        self._windows, self._clouds, self._regions = windows, clouds, regions

    # Looking

    def config(self, caller: Caller, cloud: str) -> Item:
        """The switches."""
        names = ("enabled", "dry_run", "cleanup_volumes")

        def switches(place: str) -> Item:
            section = self.service.section(place)
            return {name: getattr(section, name) for name in names}

        own = switches(cloud)
        seen = [name for name in self._clouds() if caller.clouds is None or name in caller.clouds]
        differ = {name: found for name in seen if (found := switches(name)) != own} if not cloud else {}
        return {**own, "clouds": differ}

    def snapshots(self, caller: Caller, tenant: str, cloud: str, region: str | None) -> Item:
        """Available snapshots of a tenant, as they were collected last."""
        self.service.enabled(cloud)
        declared = registry.ALL["snapshot"]
        window = Window(
            type="snapshot",
            columns=tuple(fields(declared, False).values()),
            filter=equal_to({"project_name": tenant, "status": "available"}),
            sort=(("created_at", True),),
            scope=in_region(scope_of(caller, [cloud] if cloud else None), region),
        )
        total, names, rows = self._reads.page(window, 0, MOST_SNAPSHOTS)
        return {"tenant_name": tenant, "total": total, "items": items_of(declared, names, rows, False)}

    def restore_points(self, caller: Caller, vm_id: str, project_id: str, cloud: str, region: str | None) -> Item:
        """What the machine's root can be restored from, newest first; read live."""
        key = self._server(caller, vm_id, cloud, region)
        self.service.enabled(key[0])
        facts = told(lambda: self._planning.facts(caller, Request(project_id, vm_id, key[0], key[1])))
        machine = facts.machine
        self.service.check_visible(caller, machine, project_id)
        root = next((disk for disk in facts.disks if disk.root), None)
        points = facts.points.get(root.volume_id if root is not None else "", ())
        return {
            "vm_id": machine.key[2],
            "vm_name": machine.name,
            "project_id": machine.project_id,
            "boot_mode": machine.boot,
            "boot_volume_id": root.volume_id if root is not None and root.volume_id else None,
            "total": len(points),
            "restore_points": [_point(one) for one in points],
            "cloud": key[0],
            "region": key[1],
        }

    def addresses(self, caller: Caller, network: str, project: str, cloud: str, region: str | None) -> Item:
        """Free addresses, as documented."""
        key = self._key(caller, "network", network, cloud, region)
        self.service.enabled(key[0])
        # As documented nobody says for whose machine: then it is for one of the network's own project.
        project = project or self._project(caller, "network", key)
        if not self.service.sees(caller, key[0], project):
            raise NotFound(f"there is no project {project!r:.80}")
        found = told(lambda: self._planning.addresses(key[0], key[1], network, project))
        return {
            "network_id": network,
            "network_name": found.name,
            "known": found.known,
            "why": found.why,
            "subnets": [
                {
                    "subnet_id": subnet.id, "subnet_name": subnet.name, "cidr": subnet.cidr,
                    "gateway_ip": subnet.gateway or None, "available_ips": list(subnet.free),
                    "available_count": subnet.count,
                }
                for subnet in found.subnets
            ],
            "cloud": key[0],
            "region": key[1],
        }  # fmt: skip

    def start(self, caller: Caller, key: Key) -> Any:
        """The wizard's first answer."""
        self.service.enabled(key[0])
        key = self._server(caller, key[2], key[0], key[1] or None)
        return told(lambda: self._planning.start(caller, key))

    def user_data(self, caller: Caller, key: Key) -> Item:
        """The first lines of a machine's user data."""
        self.service.enabled(key[0])
        return self.service.user_data.look(caller, self._server(caller, key[2], key[0], key[1] or None))

    def jobs(
        self, caller: Caller, status: str, vm_id: str, limit: int, offset: int, cloud: str, region: str | None
    ) -> Item:
        """A page of restores."""
        self.service.enabled(cloud)
        total, items = self.service.page(
            caller, status=status, vm_id=vm_id, limit=limit, offset=offset, cloud=cloud, region=region or ""
        )
        return {"total": total, "page": offset // limit + 1, "page_size": limit, "items": items}

    def detail(self, caller: Caller, job_id: str, at: At) -> Item:
        """One restore."""
        self._row(caller, job_id, at)
        return self.service.detail(caller, job_id)

    def left(self, caller: Caller, job_id: str) -> list[Item]:
        """What a restore left, looked at live."""
        row = self._row(caller, job_id, ("", None))
        job = self.service.job_of(row)
        if problem := rules.cleanup_problem(row, job):
            raise Conflict(problem)
        return self._cleaner.look(caller, self.service.plan_in(row), quotas_only=rules.status(row, job) == "SUCCEEDED")

    # Doing

    def documented_plan(self, caller: Caller, body: bodies.PlanBody, cloud: str | None, region: str | None) -> Item:
        """The documented plan: a restore job with status PLANNED."""
        place = body.cloud or cloud or ""
        seen = [name for name in self._clouds() if caller.clouds is None or name in caller.clouds]
        if not place and len(seen) > 1:
            raise ApiError(f"there are several clouds ({', '.join(seen)}): name one with cloud", 422)
        key = self._server(caller, body.vm_id, place, body.region or region)
        section = self.service.section(key[0])
        settled = rules.prove(section, body.mode)
        made = self.service.make(caller, body.request(key[0], key[1], section.keep_days, settled))
        return self.service.detail(caller, made.id)

    def plan(self, caller: Caller, body: bodies.RequestBody) -> Item:
        """Our plan."""
        key = self._server(caller, body.server_id, body.cloud, body.region)
        section = self.service.section(key[0])
        request = body.request(key[0], key[1], section.keep_days, rules.prove(section, body.way))
        if not request.project_id:
            request = replace(request, project_id=self._project(caller, "server", key))
        return self.service.plan(caller, request)

    def documented_execute(self, caller: Caller, body: bodies.ExecuteBody, at: At) -> Item:
        """Carry a plan out; the answer is the job as it was begun."""
        row = self._row(caller, body.plan_id, at)
        plan = self.service.plan_in(row)
        if plan.phrase and (body.confirm_destructive or "") != plan.phrase:
            raise Refused("typed", f"confirm_destructive must be exactly {plan.phrase!r}", typed=plan.phrase)
        production = self._windows.rules(row["cloud"]).production
        if production and body.confirm_cloud != row["cloud"]:
            raise Refused(
                "typed", f"{row['cloud']} is a production cloud: name it in confirm_cloud", typed=row["cloud"]
            )
        # What was not asked for is not looked at: NEW takes no phrase.
        typed = rules.phrase(plan, self._windows.rules(row["cloud"])) or ""
        found = self.service.execute(caller, body.plan_id, body.reason, body.ticket, typed)
        return {**found, "status": "PENDING"}

    def cancel(self, caller: Caller, job_id: str, reason: str, at: At) -> Item:
        """End a restore, or give a plan up."""
        self._row(caller, job_id, at)
        return self.service.cancel(caller, job_id, reason)

    def retry(self, caller: Caller, job_id: str, typed: str, strategy: str | None, at: At) -> Item:
        """Go on from the failed step with a new job; the documented answer."""
        row = self._row(caller, job_id, at)
        old = self.service.job_of(row)
        made = self.service.retry(caller, job_id, typed, strategy)
        plan = made["plan_json"]
        reused = plan.get("reused") or {}
        root = next((disk["volume_id"] for disk in plan.get("disks") or () if disk.get("root")), "")
        return {
            "job_id": made["id"],
            "original_job_id": row["id"],
            "status": "PENDING",
            "resumed_from_step": rules.resumed_from(self.service.plan_in(row), old, reused) if old is not None else "",
            "reused_resources": {
                **({"volume_id": reused[root]} if root in reused else {}),
                **({"volumes": dict(reused)} if reused else {}),
            },
            "ip_strategy": made["ip_strategy"],
            "message": "Retry execution started. Poll /restore/jobs/{job_id} for progress.",
            "job": made,
        }

    def cleanup(self, caller: Caller, job_id: str, delete_volume: bool, typed: str, at: At) -> Item:
        """Delete what a restore left; the documented answer."""
        row = self._ready(caller, job_id, typed, at, rules.cleanup_problem)
        job = self.service.job_of(row) or {}
        cleaned = self._cleaner.clean(
            caller, self.service.plan_in(row), delete_volume, str(job.get("reason") or ""),
            str(job.get("ticket") or ""), quotas_only=rules.status(row, job) == "SUCCEEDED",
        )  # fmt: skip
        detail = {"delete_volume": delete_volume, "removed": cleaned["removed"], "errors": cleaned["errors"]}
        self.service.note(caller, row, "restore.cleanup", detail)
        return {"job_id": row["id"], "cleaned": cleaned, "message": _cleaned(cleaned)}

    def cleanup_storage(
        self, caller: Caller, job_id: str, old_volume: bool, source_snapshot: bool, typed: str, at: At
    ) -> Item:
        """Delete old storage of a restore that succeeded; the documented answer."""
        row = self._ready(caller, job_id, typed, at, rules.storage_problem)
        result = self._storage.clean(caller, self.service.plan_in(row), old_volume, source_snapshot)
        self.service.note(caller, row, "restore.cleanup_storage", result)
        message = "Storage cleanup completed" if not result["errors"] else "Storage cleanup completed with errors"
        return {"job_id": row["id"], "result": result, "message": message}

    # Inside

    def _ready(
        self, caller: Caller, job_id: str, typed: str, at: At, problem: Callable[[Any, Any], str | None]
    ) -> Mapping[str, Any]:
        """The row of a restore whose clean-up may begin. Raises NotFound, Conflict, Refused."""
        row = self._row(caller, job_id, at)
        self.service.enabled(row["cloud"])
        if said := problem(row, self.service.job_of(row)):
            raise Conflict(said)
        self._windows.check(row["cloud"])
        if self._windows.rules(row["cloud"]).production and typed != row["cloud"]:
            raise Refused("typed", f"{row['cloud']} is a production cloud: type its name", typed=row["cloud"])
        return row

    def _row(self, caller: Caller, job_id: str, at: At) -> Mapping[str, Any]:
        row = self.service.row(caller, job_id)
        self.service.enabled(row["cloud"])
        if (at[0] and at[0] != row["cloud"]) or (at[1] is not None and at[1] != row["region"]):
            raise NotFound(f"there is no restore {job_id!r:.80} there")
        return row

    def _project(self, caller: Caller, type: str, key: Key) -> str:
        """The project of a resource, as the store has it; "" when it does not."""
        declared, scope = registry.ALL[type], scope_of(caller)
        found = self._reads.read(lambda connection: single.read_one(connection, declared, key, None, scope))
        return str(found["row"].get("project_id") or "") if found is not None else ""

    def _server(self, caller: Caller, id: str, cloud: str, region: str | None) -> Key:
        return self._key(caller, "server", id, cloud, region)

    def _key(self, caller: Caller, type: str, id: str, cloud: str, region: str | None) -> Key:
        """Where the resource with this id is. Raises NotFound, and 422 where several clouds have one."""
        scope = in_region(scope_of(caller, [cloud] if cloud else None), region)
        found = self._reads.keys(registry.ALL[type], id, None, scope)
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            places = ", ".join(" ".join(filter(None, key[:2])) for key in found)
            raise ApiError(f"{type} {id!r:.80} is in several places ({places}): name one with cloud and region", 422)
        # It may be younger than the last collection: then it has to be said where it is.
        if cloud in self._clouds() and (caller.clouds is None or cloud in caller.clouds) and not caller.limited:
            known = list(self._regions(cloud))
            if region is not None and region in (*known, *([""] if not known else [])):
                return (cloud, region, id)
            if region is None and len(known) <= 1:
                return (cloud, known[0] if known else "", id)
        raise NotFound(f"{type.capitalize()} {id!r:.80} not found")


def _point(source: Source) -> Item:
    return {
        **{
            name: getattr(source, name)
            for name in ("id", "name", "kind", "volume_id", "size_gb", "status", "project_id")
        },
        "created_at": telling.text(source.taken_at),
        "policy": source.policy or None,
        "consistency": source.consistency or "unknown",
        "proof": source.proof,
        "back_end": source.back_end,
        "own": source.own,
    }


def _cleaned(cleaned: Mapping[str, Any]) -> str:
    if cleaned["errors"]:
        return "Cleanup completed with errors"
    return "Cleanup completed" if not cleaned["left"] else "Cleanup completed; some of it was left, with the reasons"
