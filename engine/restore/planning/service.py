"""Planning restores: reads what is known of a machine live, within what the caller may see, and has the plan made.

Nothing here changes a cloud. What is read is never kept: a plan that is executed is read again (`again`, `fits`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.access import rules as access_rules
from engine.access.models import ENGINE, Caller
from engine.api.errors import BadRequest, Forbidden, NotFound
from engine.gate.models import SessionKind
from engine.gate.refusals import Refused
from engine.inventory.reads import scope_of
from engine.restore.models import Fit, Key, Plan, Request
from engine.restore.planning import fitting, planner, reading_fit, reading_gone, relying, timeline, triage, ways
from engine.restore.planning import reading_network as network
from engine.restore.planning.asking import Asking, Sources, Who, text
from engine.restore.planning.facts import Facts, NetworkAddresses
from engine.restore.planning.planner import Limits
from engine.restore.planning.reading import Lineage, Purpose, Reading, Room
from engine.restore.planning.reading_points import Seconds
from engine.restore.planning.sharing import Shared
from engine.restore.raised import PERMISSION
from store.estate.reading import single
from store.ids import uuid7
from store.types import registry

if TYPE_CHECKING:
    from engine.gate.service import Gate
    from engine.inventory.reads import InventoryReads
    from engine.snapshots.points import Journal

READERS = 24  # questions of all plans that are asked side by side
CONSOLES = 4
WHOLE = Purpose()


class Planning:
    """See the module. Thread-safe. All methods block, and raise ApiError and CloudError with one sentence each."""

    def __init__(
        self,
        gate: Gate,
        reads: InventoryReads,
        journal: Journal,
        lineage: Lineage,
        who: Callable[[str, SessionKind, str], Who],
        limits: Callable[[str], Limits] = lambda cloud: Limits(),
        seconds: Seconds = lambda cloud, region, point: None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """
        journal  of our own restore points (engine/snapshots/runs/register.py)
        who      who(cloud, kind, project id): the account that asks then (engine/clouds/writing.py: session)
        limits   limits(cloud): settings that plans obey
        seconds  how long it takes until a volume of a point is there (engine/restore/measured.py)
        """
        self._reads, self._limits = reads, limits
        self._clock = clock or (lambda: reads.clock())
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="planning")
        self._consoles = ThreadPoolExecutor(CONSOLES, thread_name_prefix="console")
        self._sources = Sources(gate.reader, who, self._pool)
        self._room = Room(gate, self._sources, journal, lineage, self._consoles, seconds)

    def sharing(self, seconds: float) -> Planning:
        """The same, for plans that are made together: what was asked less than so long ago is not asked again. What is
        carried out is read anew by whoever did not share."""
        twin = copy.copy(self)
        twin._sources = replace(self._sources, reader=Shared(self._sources.reader, seconds))
        twin._room = replace(self._room, sources=twin._sources)
        return twin

    def close(self) -> None:
        """Ask nothing more."""
        for pool in (self._pool, self._consoles):
            pool.shutdown(wait=False, cancel_futures=True)

    # For people

    def start(self, caller: Caller, key: Key) -> dict[str, Any]:
        """The wizard's first answer: machine, findings, ways, points, disks, nics, rights; times are datetimes."""
        facts = self.facts(caller, Request("", key[2], key[0], key[1]))
        now = self._clock()
        return {
            "machine": asdict(facts.machine),
            "findings": [asdict(one) for one in triage.findings(facts, now)],
            "ways": [asdict(one) for one in ways.offers(facts, now)],
            "points": timeline.points(facts, now),
            "disks": [asdict(disk) for disk in facts.disks],
            "nics": [asdict(nic) for nic in facts.nics],
            "rights": asdict(facts.rights),
            "events": None if facts.events is None else [asdict(one) for one in facts.events],
            "console": None if facts.console is None else list(facts.console),
            "references": list(facts.references),
            "unread": list(facts.unread),
            "survived": list(facts.survived),
            "read_at": now,
        }

    def facts(self, caller: Caller, request: Request, purpose: Purpose = WHOLE) -> Facts:
        """Everything that is known of the machine, read now.

        Raises NotFound for a machine that there never was, or that the caller may not see; Refused("no_role") when no
        account sees the machine's project, so that nobody knows whether it is there; NotDone, CloudError.
        """
        key, project = self._locate(caller, request)
        if project:
            self._visible(caller, key, project)
        ask = Asking(self._sources, key[0], key[1], project)
        reading = Reading(self._room, ask, key, request, purpose)
        server = reading.server
        if server is None:
            return self._deleted(caller, ask, reading, key)
        owner = text(server.get("tenant_id"))
        if owner != project:  # the store did not have it yet
            self._visible(caller, key, owner)
            ask = Asking(self._sources, key[0], key[1], owner)
            reading = Reading(self._room, ask, key, request, purpose)
            server = reading.server or server
        return reading.live(caller, server, self._names(key[0], owner))

    def plan(
        self,
        caller: Caller,
        request: Request,
        *,
        id: str = "",
        reused: Mapping[str, str] | None = None,
        retry_of: str = "",
    ) -> Plan:
        """A plan of what is asked for, not stored. Raises what `facts` does, and Forbidden for a quota that the caller
        may not have raised."""
        if request.raise_quota and not access_rules.allows(caller.role, PERMISSION):
            raise Forbidden(f"Permission denied: to raise a quota requires {PERMISSION}")
        facts = self.facts(caller, request)
        return planner.make_plan(
            facts,
            request,
            self._clock(),
            self._limits(facts.key[0]),
            id=id or uuid7(),
            reused=dict(reused or {}),
            retry_of=retry_of,
        )

    def addresses(self, cloud: str, region: str, network_id: str, project_id: str) -> NetworkAddresses:
        """What is free on a network for a machine of that project. Raises NotFound where it may not use it."""
        ask = Asking(self._sources, cloud, region, project_id)
        may = ask.later(network.may_use, ask, network_id)
        reading = network.NetworkReading(ask, (), [network_id])
        if not may.result():
            raise NotFound(f"the project has no network {network_id!r:.80}")
        return network.addresses_of(reading.done(), project_id, admin=ask.admin)[network_id]

    # For the execution

    def again(self, plan: Plan) -> tuple[str, ...]:
        """What the plan relies on and is not so any more, read live: a sentence each."""
        cloud, region, id = plan.machine.key
        request = replace(plan.request, cloud=cloud, region=region, server_id=id)
        of = {disk.volume_id for disk in plan.disks if disk.source is not None}
        of |= {plan.point.volume_id} if plan.point is not None else set()
        try:
            facts = self.facts(ENGINE, request, Purpose(plan.id, frozenset(of), whole=False))
        except NotFound as error:
            return (error.detail,)
        return relying.differences(plan.relied, relying.relied(plan, facts, self._clock()))

    def fits(self, plan: Plan) -> tuple[Fit, ...]:
        """Quotas with what is used, and hosts, read live."""
        machine = plan.machine
        ask = Asking(self._sources, *machine.key[:2], machine.project_id)
        quotas = reading_fit.quotas(ask, machine.project_id)
        hosts = reading_fit.hosts_now(ask, machine, reading_fit.zone_of(machine, plan.request))
        return fitting.fits(
            plan,
            Facts(
                machine,
                hosts=hosts,
                compute_quota=quotas["compute"].result(),
                storage_quota=quotas["storage"].result(),
                network_quota=quotas["network"].result(),
            ),
        )

    # Inside

    def _locate(self, caller: Caller, request: Request) -> tuple[Key, str]:
        """(key, project) of the machine; the project is "" when the store does not have the machine."""
        clouds = [request.cloud] if request.cloud else None
        regions = [request.region] if request.region else None
        scope = scope_of(caller, clouds, regions)
        type = registry.ALL["server"]
        keys = self._reads.keys(type, request.server_id, None, scope)
        if len(keys) > 1:
            places = ", ".join("/".join(filter(None, key[:2])) for key in keys)
            raise BadRequest(f"the machine {request.server_id!r:.80} is in {places}: say in which cloud and region")
        if keys:
            key = keys[0]
            found = self._reads.read(lambda connection: single.read_one(connection, type, key, None, scope))
            return key, text((found or {"row": {}})["row"].get("project_id"))
        # It may be younger than the last listing: then the cloud says whose it is.
        if not request.cloud or (caller.clouds is not None and request.cloud not in caller.clouds):
            raise NotFound(f"there is no machine {request.server_id!r:.80}")
        return (request.cloud, request.region, request.server_id), ""

    def _visible(self, caller: Caller, key: Key, project_id: str) -> None:
        """Raises NotFound for a project that the caller's role does not cover."""
        if (caller.projects is None and caller.domains is None) or self._project(key[0], project_id, caller):
            return
        raise NotFound(f"there is no machine {key[2]!r:.80}")

    def _project(self, cloud: str, project_id: str, caller: Caller = ENGINE) -> Mapping[str, Any]:
        type, key = registry.ALL["project"], (cloud, "", project_id)
        found = self._reads.read(lambda connection: single.read_one(connection, type, key, None, scope_of(caller)))
        return {} if found is None else found["row"]

    def _names(self, cloud: str, project_id: str) -> tuple[str, str]:
        row = self._project(cloud, project_id)
        return text(row.get("name")), text(row.get("domain_name"))

    def _deleted(self, caller: Caller, ask: Asking, reading: Reading, key: Key) -> Facts:
        """The facts of a machine that the cloud does not have, where the asking account would see it."""
        if not ask.sees:
            raise Refused(
                "no_role",
                f"no account of {key[0]} sees the project of the machine {key[2]!r:.80}, so nobody knows whether it is "
                "there: add an administrator's account, or one of that project",
            )
        kept = reading_gone.remembered(self._reads, key, scope_of(caller))
        if kept is None:
            raise NotFound(f"there is no machine {key[2]!r:.80}, and there was none that was ever listed")
        return reading.deleted(kept, self._names(key[0], text(kept.server.get("tenant_id"))))
