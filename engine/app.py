"""The composition root: opens the stores, builds the services in their order, mounts the routes.

The one place where every room is known. Nothing here decides anything.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI

import engine.access.routes
import engine.audit.access_log
import engine.audit.routes
import engine.clouds.grants_routes
import engine.clouds.routes
import engine.compute.routes
import engine.gate.routes
import engine.history.routes
import engine.inventory.events_routes
import engine.inventory.find_routes
import engine.inventory.routes
import engine.jobs.routes
import engine.monitoring.routes
import engine.network.routes
import engine.notes.routes
import engine.process.routes
import engine.settings.routes
import engine.shift.routes
import engine.views.routes
from engine.access.models import Caller
from engine.access.service import AccessService
from engine.access.users import UserService
from engine.api import errors
from engine.api.changes import ChangeFeed
from engine.api.middleware import RequestLayer
from engine.api.mounting import first, mount
from engine.api.statistics import Statistics
from engine.audit.service import AuditService
from engine.clouds.grants import STANDING, Grants
from engine.clouds.quota import LiveQuota
from engine.clouds.service import CloudService
from engine.clouds.writing import WriteSessions
from engine.compute import operations as compute
from engine.compute.service import Changes
from engine.copilot.room import CopilotRoom
from engine.copilot.rooms import Rooms
from engine.dashboard import problems_grants, problems_restores, problems_snapshots
from engine.dashboard.room import DashboardRoom
from engine.demonstration.arranging import arrange
from engine.demonstration.service import Demonstration
from engine.drift.room import DriftRoom
from engine.gate.service import Gate
from engine.history.service import HistoryService
from engine.inventory.acting import Recollector, TargetRows
from engine.inventory.collect import CollectionService
from engine.inventory.console_log import ConsoleLogs, through_gate
from engine.inventory.courtesy import step_aside
from engine.inventory.events import Timeline
from engine.inventory.events_cloud import CloudLines
from engine.inventory.find import Finder
from engine.inventory.reads import InventoryReads, scope_of
from engine.inventory.schedule import Schedule
from engine.jobs.actions import KIND, ActionsRunner
from engine.jobs.service import JobService
from engine.network import operations as network
from engine.notes.service import NoteService, Visible
from engine.process.models import PROTOCOL, VERSION, Home
from engine.restore.measured import Durations
from engine.restore.planning.service import Planning
from engine.restore.records import Records
from engine.restore.room import RestoreRoom
from engine.settings import loading
from engine.settings.service import SettingsService
from engine.shift import sections
from engine.shift.service import HandoverService, ShiftService
from engine.snapshots.room import SnapshotsRoom
from engine.tenants.room import TenantsRoom
from engine.views.service import ViewService
from store.estate.errors import EstateError
from store.estate.estate import Estate
from store.estate.reading import single
from store.ops.errors import OpsError
from store.ops.ops import Ops
from store.ops.reserve import MEGABYTE, Reserve
from store.types import registry

if TYPE_CHECKING:
    from engine.process.control import Control


_log = structlog.get_logger("qdeck.storage")

# What every open console asks, many times a minute.
OFTEN = ("/q/changes", "/q/windows", "/q/windows/position", "/q/listings", "/q/collections")


@dataclass(slots=True)
class EngineParts:
    """The services of one open engine. `close` ends them in the reverse order; it may be called twice."""

    home: Home
    demonstration: Demonstration | None
    ops: Ops
    estate: Estate
    settings: SettingsService
    access: AccessService
    users: UserService
    audit: AuditService
    feed: ChangeFeed
    statistics: Statistics
    jobs: JobService
    clouds: CloudService
    collections: CollectionService
    reads: InventoryReads
    schedule: Schedule
    notes: NoteService
    shifts: ShiftService
    handover: HandoverService
    views: ViewService
    timeline: Timeline
    history: HistoryService
    gate: Gate
    grants: Grants
    drift: DriftRoom
    snapshots: SnapshotsRoom
    restore: RestoreRoom
    tenants: TenantsRoom
    dashboard: DashboardRoom
    changes: Changes
    copilot: CopilotRoom
    closing: contextlib.ExitStack

    def close(self) -> None:
        """Stop the schedule and the collections, answer the waiting clients, close the stores."""
        self.closing.close()

    def begin(self) -> None:
        """Start what works by itself: the schedule, and in a demo the demo cloud with its past."""
        if self.demonstration is not None:
            self.demonstration.begin()
        else:
            self.schedule.open()
        self.jobs.begin()
        self.grants.begin(self.jobs.open)
        self.drift.begin()
        self.snapshots.begin()
        self.restore.begin()
        self.dashboard.begin()

    def refusal(self) -> str | None:
        """Why nothing new is begun, for `/health`; None when all is well."""
        return self.ops.reserve.refusal() if self.ops.reserve is not None else None

    def status(self) -> dict[str, Any]:
        """What `qdeck engine status` shows of the services: clouds, jobs, reserve, collections, a demo's progress."""
        demo = {} if self.demonstration is None else {"demo": self.demonstration.status()}
        return {
            **demo,
            "clouds": [
                {name: cloud[name] for name in ("name", "state", "reason", "age_seconds")}
                for cloud in self.clouds.clouds()
            ],
            "jobs": self.jobs.status(),
            "reserve": None if self.ops.reserve is None else asdict(self.ops.reserve.status()),
            "collecting": list(self.collections.busy()),
        }


def open_engine(home: Home, *, demo: bool = False, servers: int | None = None, past: int | None = None) -> EngineParts:
    """Open the stores of `home` and build the services; nothing runs by itself yet (`EngineParts.begin`).

    `servers`: size of the demo cloud, where `demo` is set; `past`: days of its history. None is what it was, or the
    default.

    Raises SettingsError, OpsError and EstateError: each one clear sentence; what was opened before is closed again.
    """
    with contextlib.ExitStack() as closing:
        loaded = loading.load(loading.find(home.path, only_home=demo))
        ops = closing.enter_context(contextlib.closing(Ops.open(home.ops)))
        estate = closing.enter_context(contextlib.closing(Estate.open(home.estate)))
        estate.give_way(step_aside)
        settings = SettingsService(ops, loaded)
        # What a demo changes is nobody's loss.
        ops.reserve = Reserve(home.reserve, 0 if demo else loaded.settings.storage.reserve_mb * MEGABYTE)
        if problem := ops.reserve.make():
            _log.warning("the reserve for records is not whole", reason=problem)
        access = AccessService(ops, loaded.settings)
        audit = AuditService(ops)
        feed = ChangeFeed()
        closing.callback(feed.close)

        def changed(cloud: str, type: str, version: int) -> None:
            feed.publish("data", cloud=cloud, type=type, version=version)

        estate.on_change(changed)
        jobs = JobService(ops, audit, feed)
        clouds = CloudService(ops, lambda: settings.current, audit, estate)
        reads = InventoryReads(estate)
        closing.callback(reads.close)
        collections = CollectionService(estate, clouds, lambda: settings.current, feed, audit)
        closing.callback(collections.close)
        lines = CloudLines(clouds)
        closing.callback(lines.close)
        sessions = WriteSessions(ops, clouds)
        closing.callback(sessions.close)
        again = Recollector(collections)
        closing.callback(again.close)
        gate = Gate(ops, lambda: settings.current, audit, feed, sessions, TargetRows(reads), again.changed)
        closing.callback(gate.close)
        gate.register(*compute.operations(), *network.operations())
        gate.attach(jobs)
        jobs.register(KIND, ActionsRunner(gate))
        grants = Grants(ops, audit, sessions, gate.perform, lambda: settings.current)
        closing.callback(grants.close)
        gate.windows.stand(STANDING, grants.problem)
        gate.lend(grants.for_call, grants.release, grants.allowed, grants.share)
        clouds.tell_writes(gate.windows.state)
        clouds.on_remove(gate.windows.forget)
        notes = NoteService(ops, audit, _visible(reads), lambda: feed.publish("notes"))
        shifts = ShiftService(ops, audit)
        handover = HandoverService(shifts)
        drift = DriftRoom(
            ops, audit, feed, reads, lines, lambda: settings.current,
            lambda: demonstration is not None and demonstration.busy,
        )  # fmt: skip
        closing.callback(drift.close)
        history = HistoryService(reads)
        history.tell_who(drift.service.who)
        quota = LiveQuota(clouds)
        snapshots = SnapshotsRoom(
            ops, audit, feed, reads, clouds, collections, jobs, gate, quota, lambda: settings.current, again.changed,
            home.path,
        )  # fmt: skip
        closing.callback(snapshots.close)
        grants.enabled = snapshots.standing.enabled
        records = Records(ops)
        durations = Durations(ops)
        planning = Planning(gate, reads, snapshots.register, records, sessions.session, seconds=durations.seconds)
        closing.callback(planning.close)
        restore = RestoreRoom(
            ops, audit, feed, reads, jobs, gate, planning, snapshots.policies, lambda: settings.current, clouds.names,
            sessions.regions, again.changed, records,
        )  # fmt: skip
        closing.callback(restore.close)
        history.lineage = snapshots.compliance.points.lineage = records.lines
        course = snapshots.compliance.course
        tenants = TenantsRoom(reads, quota, drift.service, lambda: settings.current, course)
        dashboard = DashboardRoom(
            ops, audit, feed, reads, clouds, jobs, notes, lambda: settings.current, home.path, course
        )
        closing.callback(dashboard.close)
        dashboard.problems.register("roles given for jobs", problems_grants.provider(grants.problems))
        dashboard.problems.register("snapshot policies", problems_snapshots.provider(snapshots))
        dashboard.problems.register("restores", problems_restores.provider(restore))
        handover.register(sections.problems(lambda caller: dashboard.problems.page(caller)["items"]))
        handover.register(sections.changes(audit))
        handover.register(sections.notes_written(notes))
        handover.register(sections.jobs(jobs))
        handover.register(sections.writes(gate.writes))
        handover.register(sections.kept(restore.keeping.page))
        users = UserService(ops, access.tokens)
        finder = Finder(reads, audit, records.lines)
        rooms = Rooms(
            reads, finder, history, drift.service, snapshots, restore, jobs, dashboard.problems, tenants.health, audit,
            notes, users, clouds, quota,
        )  # fmt: skip
        copilot = CopilotRoom(ops, audit, settings, rooms)
        closing.callback(copilot.close)
        feed.on_close(copilot.service.questions.release)
        schedule = Schedule(estate, clouds, collections, lambda: settings.current)
        closing.callback(schedule.close)
        demonstration = None
        if demo:
            demonstration = Demonstration(
                home.path, servers, estate, clouds, collections, schedule, past, lambda: arrange(snapshots.desk)
            )
            closing.callback(demonstration.close)
        closing.callback(jobs.close)  # first of all: their steps use everything else
        return EngineParts(
            home=home,
            demonstration=demonstration,
            ops=ops,
            estate=estate,
            settings=settings,
            access=access,
            users=users,
            audit=audit,
            feed=feed,
            statistics=Statistics(),
            jobs=jobs,
            clouds=clouds,
            collections=collections,
            reads=reads,
            schedule=schedule,
            notes=notes,
            shifts=shifts,
            handover=handover,
            views=ViewService(ops, audit, lambda: feed.publish("views")),
            timeline=Timeline(reads, lines, audit, notes.about),
            history=history,
            gate=gate,
            grants=grants,
            drift=drift,
            snapshots=snapshots,
            restore=restore,
            tenants=tenants,
            dashboard=dashboard,
            changes=Changes(gate, jobs, reads, collections, lambda cloud: sessions.session(cloud, "admin").project_id),
            copilot=copilot,
            closing=closing.pop_all(),
        )
    raise AssertionError("unreachable: the stack does not swallow")


def _visible(reads: InventoryReads) -> Visible:
    """Whether a caller may see a resource, for rooms that know resources by their keys only."""

    def visible(caller: Caller, type: str, key: Sequence[str]) -> bool:
        cloud, region, id = key
        scope, declared = scope_of(caller), registry.ALL[type]
        found = reads.read(lambda connection: single.read_one(connection, declared, (cloud, region, id), None, scope))
        return found is not None

    return visible


def create_app(parts: EngineParts, control: Control) -> FastAPI:
    """The HTTP API over the parts. Raises RuntimeError when a route states no permission."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        parts.begin()
        yield

    app = FastAPI(
        title="Quarterdeck",
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # the monitoring room serves it, with a permission
    )
    access, record = parts.access, parts.audit.record
    mount(app, engine.access.routes.routes(access, parts.users, record))
    mount(app, engine.settings.routes.routes(parts.settings, access.requires, record))
    mount(app, engine.audit.routes.routes(parts.audit, access))
    mount(app, engine.jobs.routes.routes(parts.jobs, access))
    mount(app, engine.audit.access_log.routes(engine.audit.access_log.AccessLog(parts.ops), access))
    mount(app, engine.notes.routes.routes(parts.notes, access))
    mount(app, engine.shift.routes.routes(parts.shifts, parts.handover, access))
    mount(app, engine.views.routes.routes(parts.views, access))
    mount(app, engine.clouds.routes.routes(parts.clouds, access))
    mount(app, engine.clouds.grants_routes.routes(parts.grants, access))
    mount(app, engine.gate.routes.routes(parts.gate, access))
    for router in (*parts.drift.routes(access), *parts.snapshots.routes(access), *parts.restore.routes(access)):
        mount(app, router)
    for router in (*parts.tenants.routes(access), *parts.dashboard.routes(access)):
        mount(app, router)
    mount(app, engine.compute.routes.routes(parts.changes, access))
    mount(app, engine.network.routes.routes(parts.changes, access))
    # Before `/q/resources/{type}/{id}`, whose ids may hold slashes.
    mount(app, engine.inventory.events_routes.routes(parts.reads, parts.timeline, access))
    logs = ConsoleLogs(parts.reads, through_gate(parts.gate.ask))
    mount(app, engine.inventory.events_routes.console_routes(parts.reads, logs, access))
    mount(app, engine.inventory.routes.routes(parts.reads, parts.collections, access, parts.feed, parts.audit))
    mount(app, engine.history.routes.routes(parts.history, access))
    mount(app, engine.inventory.find_routes.routes(parts.reads, access, parts.audit, parts.restore.records.lines))
    mount(app, parts.copilot.routes(access))
    mount(app, engine.monitoring.routes.routes(parts.statistics, access, parts.home.logs, (parts.refusal,)))
    mount(app, engine.process.routes.routes(control, access))
    first(app, OFTEN)
    errors.install(app, {EstateError: 503, OpsError: 503})
    app.add_middleware(RequestLayer, statistics=parts.statistics, protocol=PROTOCOL, version=VERSION)
    access.check_routes(app)
    return app
