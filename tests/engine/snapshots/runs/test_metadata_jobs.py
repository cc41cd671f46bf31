"""Jobs that a person begins to write policies to volumes: one for each place, and only where that is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from engine.access.models import Caller
from engine.gate.refusals import Refused
from engine.settings.models import CloudRules
from engine.snapshots.runs.metadata_jobs import MetadataJobs
from tests.engine.snapshots.policies.said import volume

ANNA = Caller("anna", 1001, role="admin")


class Jobs:
    """Keeps what is submitted."""

    def __init__(self) -> None:
        self.submitted: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = []

    def submit(self, kind: str, title: str, caller: Caller, plan: Any, options: Any = None) -> dict[str, Any]:
        assert caller is ANNA
        self.submitted.append((kind, title, plan, options))
        return {"number": len(self.submitted)}


def begun(jobs: Jobs, rules: CloudRules, forbidden: str | None = None, **why: str) -> list[dict[str, Any]]:
    found = [volume(), volume(id="v2"), volume(id="v3", region="two")]
    given: Any = jobs
    made = MetadataJobs(given, lambda cloud: rules, lambda cloud: forbidden)
    return made.begin(ANNA, found, why.get("reason", ""), why.get("ticket", ""))


def test_one_job_for_each_region() -> None:
    jobs = Jobs()
    assert begun(jobs, CloudRules(), reason="CHG-7") == [{"number": 1}, {"number": 2}]
    kind, title, plan, options = jobs.submitted[0]
    assert (kind, title) == ("snapshot-metadata", "Snapshot policies in the metadata of 2 volumes of prod")
    assert (plan["cloud"], plan["region"], options["reason"]) == ("prod", "one", "CHG-7")
    assert [step["key"] for step in plan["steps"]] == [["prod", "one", "v1"], ["prod", "one", "v2"]]
    assert plan["steps"][0]["args"]["volumes"][0]["project_id"] == "p1"


@pytest.mark.parametrize(
    ("rules", "forbidden", "why", "code"),
    [
        ({}, "prod is read-only", {}, "read_only"),
        ({"reason_required": True}, None, {}, "reason"),
        ({"ticket_required": True}, None, {"reason": "x"}, "ticket"),
        ({"ticket_pattern": "CHG.*"}, None, {"ticket": "x"}, "ticket"),
    ],
)
def test_nothing_begins_where_it_is_not_allowed(
    rules: dict[str, Any], forbidden: str | None, why: dict[str, str], code: str
) -> None:
    jobs = Jobs()
    with pytest.raises(Refused) as refused:
        begun(jobs, CloudRules(**rules), forbidden, **why)
    assert refused.value.code == code and jobs.submitted == []
