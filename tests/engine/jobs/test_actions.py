"""Jobs over a gate's plan: items are handed on, refusals are told, a retry is a new plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from engine.access.models import Caller
from engine.api.errors import Conflict
from engine.jobs.actions import KIND, ActionsRunner, Item
from tests.engine.jobs.backend import CALLER
from tests.engine.jobs.test_service import opened
from tests.engine.process.running import wait_for


class Gate:
    def __init__(self) -> None:
        self.items: list[Item] = []
        self.released: list[tuple[str, str]] = []
        self.planned: list[Any] = []

    def carry_out(self, item: Item) -> Any:
        self.items.append(item)
        if item.args["name"] == "locked":
            raise Conflict("web-2 is locked: ask Anna")
        settled = item.wait(lambda: "SHUTOFF", 1.0)
        return SimpleNamespace(ok=True, detail=settled, request_ids=("req-1", "req-2"), created="")

    def release(self, plan: Mapping[str, Any], job_id: str) -> None:
        self.released.append((plan["id"], job_id))

    def again(
        self,
        plan: Mapping[str, Any],
        items: Sequence[Mapping[str, Any]],
        caller: Caller,
        stop_after: int | None,
        retry_of: str,
    ) -> dict[str, Any]:
        self.planned.append((items, stop_after, retry_of))
        return {"id": "new", "by": caller.name, "plan_id": plan["id"]}


def test_a_plan_of_the_gate(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        gate = Gate()
        room.jobs.register(KIND, ActionsRunner(gate))
        steps = [{"name": f"stop {name}", "key": ["lab", "", name], "args": {"name": name}} for name in ("a", "locked")]
        plan = {"version": 1, "id": "p-1", "cloud": "lab", "steps": steps}
        job = room.ended(
            room.jobs.submit(
                KIND, "Stop 2 servers", CALLER, plan, {"reason": "why", "plan_id": "p-1", "stop_after": 2}
            )["id"]
        )
        assert job["state"] == "partial" and job["cloud"] == "lab"
        first, second = job["steps"]
        assert (first["detail"], first["request_id"], first["key"]) == ("SHUTOFF", "req-1, req-2", ["lab", "", "a"])
        assert (second["state"], second["detail"]) == ("failed", "web-2 is locked: ask Anna")
        assert wait_for(lambda: gate.released) == [("p-1", job["id"])]
        assert {(item.reason, item.count, item.caller) for item in gate.items} == {("why", 2, CALLER)}
        assert room.jobs.retry(job["id"], CALLER)["plan_id"] == "p-1"
        assert gate.planned == [([{"name": "locked"}], 2, job["id"])]
