"""Restores of many machines over the service of restores of the tests: many machines, whose jobs go as a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from engine.access.models import Caller
from engine.restore.bulk.driving import Driver
from engine.restore.bulk.models import Limits, State
from engine.restore.bulk.planning import Lines
from engine.restore.bulk.records import BulkRecords
from engine.restore.bulk.service import BulkService
from engine.restore.models import Fit, Key, Plan, Request, Way
from store.ids import uuid7
from store.ops.ops import Ops
from tests.engine.restore import small_cloud
from tests.engine.restore.serving import ANNA, STEPS, Planner, World
from tests.engine.restore.small_cloud import NOW, PROJECT

LIMITS = Limits(100, 100, 100, 3)


class ManyPlanner(Planner):
    """Plans of any machine: `ill[id]` are its problems, `gone` has no plan, `points[id]` is another restore point."""

    def __init__(self) -> None:
        super().__init__()
        self.ill: dict[str, str] = {}
        self.points: dict[str, str] = {}
        self.fit = Fit("instances", True, "so", 1, 0, 1000)
        self.changed: dict[str, tuple[str, ...]] = {}
        self.now = NOW

    def plan(
        self, caller: Caller, request: Request, *, id: str = "", reused: Mapping[str, str] | None = None,
        retry_of: str = "",
    ) -> Plan:  # fmt: skip
        self.asked.append(request)
        if self.broken is not None:
            raise self.broken
        server = request.server_id
        made = small_cloud.plan(request.way, id=uuid7(), steps=STEPS, commit="PROVE_IT_ANSWERS")
        problems = (self.ill[server],) if server in self.ill else ()
        root = made.disks[0].source
        assert root is not None
        source = replace(root, id=self.points.get(server, "snap-1"))
        disks = (
            replace(made.disks[0], volume_id=f"root-{server}", source=source, volume_type="ceph"),
            replace(made.disks[1], volume_id=f"data-{server}"),
        )
        return replace(
            made, request=request, machine=replace(made.machine, key=("lab", "one", server), name=server),
            eligible=not problems, problems=problems, point=source, fits=(self.fit,), seconds=60, disks=disks,
            hash=f"hash of {server}", phrase=f"DELETE AND RESTORE {server}" if request.way == "REPLACE" else None,
            created_at=self.now, expires_at=self.now + timedelta(minutes=30), retry_of=retry_of,
            reused=dict(reused or {}),
        )  # fmt: skip

    def sharing(self, seconds: float) -> ManyPlanner:
        return self

    def again(self, plan: Plan) -> tuple[str, ...]:
        return self.changed.pop(plan.machine.key[2], ())

    def fits(self, plan: Plan) -> tuple[Fit, ...]:
        return (self.fit,)


class ManyLines(Lines):
    """Without a store."""

    def _known(self, caller: Caller, key: Key) -> Mapping[str, Any]:
        return {"name": key[2], "project_id": PROJECT}

    def _pools(self, keys: Sequence[Key]) -> dict[str, str]:
        return {}


class Many(World):
    def __init__(self, ops: Ops) -> None:
        super().__init__(ops)
        self.planner: ManyPlanner = ManyPlanner()
        self.service._planning = self.planner  # type: ignore[assignment]
        self.moved: list[str] = []
        self.live()

    def live(self) -> None:
        """An engine begins: what it had in memory is gone."""
        self.many = BulkRecords(self.ops, lambda: self.clock)
        self.driver = Driver(
            self.ops, self.audit, self.many, self.plans, self.service, self.jobs, self.gate.windows,
            self.moved.append, lambda: self.clock,
        )  # fmt: skip
        lines = ManyLines(self.service, self.planner, None)  # type: ignore[arg-type]
        self.bulk = BulkService(
            self.ops, self.audit, self.many, self.service, lines, self.planner, self.jobs,  # type: ignore[arg-type]
            self.gate.windows, self.driver, lambda: self.settings,
            lambda caller, cloud, project: caller.projects is None or project in caller.projects,
            self.moved.append, lambda: None, lambda: self.clock,
        )  # fmt: skip

    def later(self, **more: float) -> None:
        self.clock += timedelta(**more)
        self.planner.now = self.clock

    def planned(self, count: int = 3, way: Way = "NEW", order: Sequence[str] = (), limits: Limits = LIMITS) -> str:
        keys = [("lab", "one", f"m{number}") for number in range(count)]
        return str(self.bulk.plan(ANNA, keys, Request("", "", way=way, keep_days=0), order, limits)["id"])

    def started(self, count: int = 3, way: Way = "NEW", **more: Any) -> str:
        id = self.planned(count, way, **more)
        self.bulk.execute(ANNA, id, typed=self.bulk.get(ANNA, id)["requires"]["typed"] or "")
        return id

    def look(self) -> None:
        """Until nothing moves."""
        while self.driver.tick(self.clock)[0]:
            pass

    def states(self, id: str) -> dict[str, State]:
        return {one["name"]: one["state"] for one in self.bulk.get(ANNA, id)["machines"]}

    def job_of_machine(self, id: str, name: str) -> str:
        return next(str(one["job_id"]) for one in self.bulk.get(ANNA, id)["machines"] if one["name"] == name)

    def ends(self, id: str, name: str, state: str = "done") -> None:
        self.went(self.job_of_machine(id, name), state)

    def jobs_of(self, name: str) -> list[str]:
        """Jobs that there ever were for a machine."""
        _, rows = self.jobs.page(limit=500)
        return [row["id"] for row in rows if self.service.row(ANNA, row["id"])["server_id"] == name]
