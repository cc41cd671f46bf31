"""Problems of snapshot policies: what is raised, once for what belongs together, and what is no problem."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.dashboard.problems_snapshots import Facts, judge
from engine.snapshots.compliance.facts import Promise
from engine.snapshots.compliance.service import Row
from engine.snapshots.models import ComplianceStatus, Volume

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def row(
    id: str, status: ComplianceStatus, project: str = "p1", policy: str = "daily_5", cloud: str = "prod", **more: Any
) -> Row:
    newest = more.pop("newest", NOW - 50 * HOUR)
    about = {"project_id": project, "project_name": f"name of {project}", "domain_id": "d1", **more}
    promise = Promise(Volume(cloud, "R", id, id, **about), policy, 5, "set", newest, 1, 0, "snapshots", None, None)
    return Row(promise, status, 30 * HOUR, "lost" if status in ("missing", "quota_blocked") else "ok")


def run(id: int, status: str, ended: datetime | None, region: str = "R", **more: Any) -> dict[str, Any]:
    return {"id": id, "cloud": "prod", "region": region, "status": status, "dry_run": False, "finished_at": ended,
            "detail": "34 made, 2 failed", **more}  # fmt: skip


def test_what_is_kept_or_waited_for_is_no_problem() -> None:
    assert judge(Facts([row("a", "compliant"), row("b", "pending"), row("c", "excluded", policy="")]), NOW) == []


def test_overdue_volumes_of_a_tenant_are_one_problem() -> None:
    rows = [row("a", "missing", server_ids=("s1",)), row("b", "missing", policy="weekly_4", newest=NOW - 900 * HOUR),
            row("b", "quota_blocked"), row("c", "compliant"), row("d", "missing", project="p2")]  # fmt: skip
    first, second = judge(Facts(rows), NOW)
    assert (first.project_id, first.domain_id, first.cloud, first.count, first.machines) == ("p1", "d1", "prod", 2, 1)
    assert first.title == "name of p1: 2 volumes have no restore point in time"
    assert first.detail == "of daily_5, weekly_4; quota has no room for 1 volume"
    assert (first.since, first.since_exact, first.key) == (NOW - 900 * HOUR, False, None)
    assert (second.project_id, second.key) == ("p2", ("prod", "R", "d"))
    again = judge(Facts([row("z", "missing"), *rows]), NOW)[0]
    assert again.id == first.id, "the same problem with one volume more"


def test_a_cloud_full_of_overdue_tenants_is_one_problem() -> None:
    rows = [row(f"v{n}", "missing", project=f"p{n}") for n in range(40)] + [row("x", "missing", cloud="other")]
    found = judge(Facts(rows), NOW)
    assert [(one.cloud, one.count, one.project_id) for one in found] == [("other", 1, "p1"), ("prod", 40, None)]
    assert found[1].title == "prod, 40 tenants: 40 volumes have no restore point in time"


def test_since_is_not_told_where_something_never_was() -> None:
    (one,) = judge(Facts([row("a", "missing"), row("b", "missing", newest=None)]), NOW)
    assert one.since is None


def test_a_cloud_that_is_not_enabled_is_the_only_problem_of_it() -> None:
    rows = [row("a", "missing"), row("a", "missing", policy="weekly_4"), row("b", "compliant", cloud="other")]
    (one,) = judge(Facts(rows, closed={"prod": "prod is read-only", "empty": "so is that"}), NOW)
    assert (one.rule, one.cloud, one.count, one.detail) == ("snapshots_closed", "prod", 1, "prod is read-only")


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], []),
        ([run(1, "completed", NOW - HOUR)], []),
        ([run(2, "failed", NOW - HOUR), run(1, "completed", NOW - 2 * HOUR)], [("critical", "snapshot run 2")]),
        ([run(2, "completed", NOW - HOUR), run(1, "failed", NOW - 2 * HOUR)], []),  # it is over: the next one went well
        ([run(3, "running", None), run(2, "partial", NOW - HOUR)], [("warning", "snapshot run 2")]),
        ([run(2, "failed", NOW - 25 * HOUR)], []),
        ([run(2, "failed", NOW - HOUR, dry_run=True), run(1, "completed", NOW - 2 * HOUR)], []),
        ([run(2, "failed", NOW - HOUR), run(1, "partial", NOW - HOUR, "S")],
         [("critical", "snapshot run 2"), ("warning", "snapshot run 1")]),
        ([run(2, "cancelled", NOW - HOUR)], []),
    ],
)  # fmt: skip
def test_the_newest_run_of_a_place_that_failed(runs: list[dict[str, Any]], expected: list[tuple[str, str]]) -> None:
    found = judge(Facts(runs=runs), NOW)
    assert [(one.severity, one.title[:14]) for one in found] == expected
    assert all(one.opens == "runs" for one in found)


def test_what_the_room_could_not_do() -> None:
    (one,) = judge(Facts(errors=("the nightly compliance report could not be written to /x: No space left",)), NOW)
    assert one.title == "the nightly compliance report could not be written to /x"
