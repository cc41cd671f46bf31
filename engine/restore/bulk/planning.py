"""From the marked machines to the lines of one plan: every machine is planned by itself, several side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.api.errors import ApiError
from engine.inventory.reads import scope_of
from engine.restore import rules as restore_rules
from engine.restore.bulk import rules, telling
from engine.restore.kept import to_json
from engine.restore.models import Key, Plan, Prove, Request
from engine.restore.planning import steps
from store.estate.reading import single
from store.types import registry

if TYPE_CHECKING:
    from engine.inventory.reads import InventoryReads
    from engine.restore.service import RestoreService
    from engine.restore.sources import Planning

AT_ONCE = 8  # machines that are planned side by side
SHARED_SECONDS = 10.0  # that an answer of a cloud serves for all of them


@dataclass(frozen=True, slots=True)
class Line:
    """One machine: its row for the records, and its plan where there is one."""

    row: Mapping[str, Any]
    plan: Plan | None


class Lines:
    """Thread-safe; blocks as long as the clouds take."""

    def __init__(self, service: RestoreService, planning: Planning, reads: InventoryReads) -> None:
        self._service, self._planning, self._reads = service, planning, reads

    def made(
        self,
        caller: Caller,
        bulk_id: str,
        keys: Sequence[Key],
        order: Sequence[str],
        wanted: Request,
        prove: Callable[[Prove], Prove] = lambda settled: settled,
    ) -> list[Line]:
        """A line for each machine, in the order of their turns. `wanted`: what is asked for all of them.

        A machine that cannot be planned is a line that says why; nothing is raised for one.
        """

        planning = self._planning.sharing(SHARED_SECONDS)

        def one(key: Key) -> Line:
            return self._line(caller, bulk_id, key, order, wanted, prove, planning)

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="restore-many") as pool:
            found = list(pool.map(one, dict.fromkeys(keys)))
        found.sort(key=lambda line: (line.row["place"], line.row["server_name"], line.row["server_id"]))
        return [Line({**line.row, "seq": seq}, line.plan) for seq, line in enumerate(found)]

    def request(self, wanted: Request, key: Key, project_id: str, prove: Callable[[Prove], Prove]) -> Request:
        """What is asked for one of them."""
        section = self._service.section(key[0])
        days = wanted.keep_days or section.keep_days
        return replace(
            wanted, cloud=key[0], region=key[1], server_id=key[2], project_id=project_id, keep_days=days,
            prove=prove(restore_rules.prove(section, wanted.way)),
        )  # fmt: skip

    def back_ends(self, plan: Plan) -> list[str]:
        """Where the volumes that it makes or copies lie: their pools as the store has them, else their types."""
        made, copied = steps.restored(plan), set(steps.safety(plan)["volumes"])
        disks = [disk for disk in plan.disks if disk in made or disk.volume_id in copied]
        cloud, region, _ = plan.machine.key
        pools = self._pools([(cloud, region, disk.volume_id) for disk in disks if disk.volume_id])
        found = {pools.get(disk.volume_id) or disk.volume_type for disk in disks}
        return sorted(f"{cloud}/{region}/{name}" for name in found if name)

    # Inside

    def _line(
        self, caller: Caller, bulk_id: str, key: Key, order: Sequence[str], wanted: Request,
        prove: Callable[[Prove], Prove], planning: Planning,
    ) -> Line:  # fmt: skip
        known = self._known(caller, key)
        row: dict[str, Any] = {
            "cloud": key[0], "region": key[1], "server_id": key[2], "server_name": known.get("name") or key[2],
            "project_id": known.get("project_id") or "", "project_name": "", "place": 0, "back_ends": [],
            "eligible": False, "plan_id": None, "turn_id": None, "content": {}, "state": "", "detail": "",
        }  # fmt: skip
        plan = None
        try:
            request = self.request(wanted, key, row["project_id"], prove)
            plan = self._service.make(caller, request, bulk_id=bulk_id, planning=planning)
        except ApiError as error:
            row["detail"] = error.detail
        if plan is not None:
            machine = plan.machine
            row |= {
                "server_name": machine.name or key[2], "project_id": machine.project_id,
                "project_name": machine.project_name, "back_ends": self.back_ends(plan), "eligible": plan.eligible,
                "plan_id": plan.id, "turn_id": plan.id, "detail": "; ".join(plan.problems)[:2000],
                # A plan that is made again comes from the very same points.
                "content": {**telling.line(plan), "request": to_json(restore_rules.again(plan, None))},
            }  # fmt: skip
        row["place"] = rules.place_of(row["server_name"], order)
        return Line(row, plan)

    def _known(self, caller: Caller, key: Key) -> Mapping[str, Any]:
        """The machine's row in the store; {} when it does not have it, or not for the caller."""
        declared, scope = registry.ALL["server"], scope_of(caller)
        found = self._reads.read(lambda connection: single.read_one(connection, declared, key, None, scope))
        return {} if found is None else found["row"]

    def _pools(self, keys: Sequence[Key]) -> dict[str, str]:
        declared = registry.ALL["volume"]

        def work(connection: Any) -> dict[str, str]:
            rows = {key[2]: single.read_one(connection, declared, key, None) for key in keys}
            return {id: str(found["row"].get("host") or "") for id, found in rows.items() if found is not None}

        return self._reads.read(work) if keys else {}
