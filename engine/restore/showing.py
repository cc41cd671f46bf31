"""Restores as they are looked at: lists, and one with all that is known of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.access.models import ENGINE, Caller
from engine.api.errors import Conflict, NotFound
from engine.restore import rules, telling
from engine.restore.kept import UnknownPlan, plan_of, to_json
from engine.restore.models import Plan
from engine.restore.plans import Plans, chosen
from engine.restore.records import is_safety

if TYPE_CHECKING:
    from engine.restore.records import Records
    from engine.restore.sources import Jobs

MOST_OPEN = 1000
NUMBER = re.compile(r"[0-9]{1,9}")
Visible = Callable[[Caller, str, str], bool]
Item = dict[str, Any]


def plan_in(row: Mapping[str, Any]) -> Plan:
    """The stored plan of a row. Raises Conflict for one that this release cannot read."""
    try:
        return plan_of(row["content"])
    except UnknownPlan as error:
        raise Conflict(str(error)) from error


class Showing:
    """Thread-safe. All methods block."""

    def __init__(
        self, plans: Plans, records: Records, jobs: Jobs, visible: Visible, clock: Callable[[], datetime]
    ) -> None:
        """`visible(caller, cloud, project id)`: whether the caller's role covers it."""
        self._plans, self._records, self._jobs, self._visible, self._clock = plans, records, jobs, visible, clock

    def row(self, caller: Caller, id: str) -> dict[str, Any]:
        """The row of a plan that the caller may see, by its id or its job's number. Raises NotFound."""
        row = self._plans.numbered(int(id)) if NUMBER.fullmatch(id) else self._plans.row(id)
        if row is None or not (caller is ENGINE or self._visible(caller, row["cloud"], row["project_id"])):
            raise NotFound(f"there is no restore {id!r:.80}")
        return row

    def job(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The plan's job; None when it was not carried out."""
        if row["executed_at"] is None or not self._jobs.exists(row["id"]):
            return None
        return self._jobs.job(row["id"])

    def page(
        self,
        caller: Caller,
        status: str = "",
        vm_id: str = "",
        limit: int = 100,
        offset: int = 0,
        cloud: str = "",
        region: str = "",
        projects: Collection[str] | None = None,
    ) -> tuple[int, list[Item]]:
        """(total, restores newest first)."""
        limited = caller.projects if caller.domains is None else self._projects(caller)
        where = chosen(
            clouds=caller.clouds, projects=limited, cloud=cloud, region=region, server_id=vm_id, status=status
        )
        now = self._clock()
        if status not in ("PENDING", "RUNNING", "INTERRUPTED"):
            total, rows = self._plans.page(where, limit, offset)
            return total, [telling.head(row, self.job(row), now) for row in rows]
        # Which of the three an open job is, its row does not say; there are few of them.
        _, rows = self._plans.page(where, MOST_OPEN)
        found = [telling.head(row, self.job(row), now) for row in rows]
        found = [one for one in found if one["status"] == status]
        return len(found), found[offset : offset + limit]

    def recent(self, caller: Caller, most: int, also: Sequence[str] = ()) -> list[Item]:
        """The newest restores that were carried out, and these; beside the head `asks`, `old_machine`, `retried`."""
        _, rows = self._plans.page(chosen(clouds=caller.clouds, executed=True), most)
        known = {row["id"] for row in rows}
        rows += [row for id in also if id not in known and (row := self._plans.row(id)) is not None]
        found = []
        for row in rows:
            job, plan = self.job(row), plan_in(row)
            told = telling.head(row, job, self._clock())
            told["asks"] = telling.question(job, plan)
            told["retried"] = any(self.job(one) is not None for one in self._plans.retries(row["id"]))
            told["old_machine"] = telling.old_machine(plan, job) if told["status"] == "FAILED" else None
            found.append(told)
        return found

    def detail(self, row: Mapping[str, Any]) -> Item:
        """One restore with its plan, steps, resources, and what may be asked of it."""
        job_id = row["id"]
        plan, job, now = plan_in(row), self.job(row), self._clock()
        made = self._records.of_job(job_id)
        later = [(one, self.job(one)) for one in self._plans.retries(job_id)]
        left = any(one["state"] in ("begun", "made") and not is_safety(one) for one in made)
        old_root = plan.way == "REPLACE" and any(disk.root and disk.source is not None for disk in plan.disks)
        return {
            **telling.head(row, job, now, plan),
            "plan_json": telling.plan_json(plan, to_json(plan)),
            "steps": telling.steps(plan, job, self._plans.usual(row["cloud"]), now),
            "old_machine": telling.old_machine(plan, job, self._records.kept(state="", job_id=job_id)),
            "asks": telling.question(job, plan),
            "resources": telling.resources(made),
            "retried_by": [one["id"] for one, its in later if its is not None],
            "can": rules.can(row, job, later, left, old_root),
        }

    def _projects(self, caller: Caller) -> Collection[str]:
        """Ids of the projects of restores that the caller may see: a domain is told by its projects."""
        _, rows = self._plans.page(chosen(clouds=caller.clouds), MOST_OPEN)
        pairs = {(row["cloud"], row["project_id"]) for row in rows}
        return {project for cloud, project in pairs if self._visible(caller, cloud, project)}
