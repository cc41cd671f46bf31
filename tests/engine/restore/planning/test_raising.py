"""What of a quota that is full is raised for a restore, for whom, and how its plan says it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from engine.access.models import Caller
from engine.api.errors import Forbidden
from engine.restore import kept
from engine.restore.models import WAYS, Fit, Plan, Raise, Request
from engine.restore.planning import dry_run
from engine.restore.planning.facts import Hosts, Rights
from engine.restore.planning.fitting import amount, raised
from engine.restore.planning.service import Planning
from tests.engine.restore.planning.given import DATA, LIMITED, ROOM, facts, names, plan

FULL = {"limit": 10, "in_use": 9, "reserved": 1}
TIGHT: dict[str, Any] = {
    "storage_quota": {"volumes": FULL, "gigabytes": ROOM, "snapshots": FULL, "volumes_ssd": {"limit": 0, "in_use": 0}},
    "compute_quota": {"instances": FULL, "cores": ROOM, "ram": {"limit": 50_000, "in_use": 4096, "reserved": 0}},
}


def test_what_does_not_fit_is_raised_and_said() -> None:
    assert not plan(facts(**TIGHT)).eligible
    found = plan(facts(**TIGHT), raise_quota=True)
    assert found.eligible, found.problems
    assert [(one.service, one.name, one.was, one.needed) for one in found.raises if one.name != "volumes_ssd"] == [
        ("block-storage", "volumes", 10, 12), ("compute", "instances", 10, 11),
    ]  # fmt: skip
    assert all(one.project == found.machine.project_id for one in found.raises)
    volumes = next(one for one in found.fits if one.what == "volumes")
    assert volumes.ok and volumes.text.endswith("; raised from 10 to 12 for the job, and given back")
    assert any("instances is raised from 10 to 11 for the job, and given back" in text for text in found.warnings)
    assert [amount(found, one) for one in found.raises if one.name in ("volumes", "instances")] == [2, 1]


def test_steps_around_everything_that_takes_of_it() -> None:
    found = plan(facts(**TIGHT), raise_quota=True)
    does = names(found)
    assert does[:4] == ["VALIDATE_LIVE_STATE", "ENSURE_SERVICE_USER", "RAISE_QUOTA", "QUOTA_CHECK"]
    assert does[-2:] == ["LOWER_QUOTA", "FINALIZE"]
    assert does.index(found.commit) < does.index("LOWER_QUOTA")
    assert names(found, "undo")[-1] == "UNDO_RAISE_QUOTA"
    said = {one["step"]: one["would"] for one in dry_run.render(found)}
    assert "the quota instances from 10 to 11" in said["RAISE_QUOTA"]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_it_back(way: Any) -> None:
    more = {"volume_id": DATA} if way == "DATA_VOLUME_BACK" else {}
    found = plan(facts(**TIGHT), way=way, raise_quota=True, **more)
    assert found.eligible, found.problems
    does = names(found)
    assert does.index("RAISE_QUOTA") < does.index("QUOTA_CHECK")
    # What commits is done by then: a quota that cannot be given back takes nothing else back.
    assert does.index(found.commit) < does.index("LOWER_QUOTA")
    assert names(found, "undo")[-1] == "UNDO_RAISE_QUOTA"


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        (TIGHT, False),
        ({**TIGHT, "rights": Rights(admin=False, user_id="engine", key="copied")}, True),
        ({"network_quota": {"port": FULL}}, True),
        ({"hosts": Hosts(0)}, True),
        ({"storage_quota": {"volumes": LIMITED, "gigabytes": ROOM, "snapshots": LIMITED,
                            "per_volume_gigabytes": {"limit": 1, "in_use": 0}}}, True),
        ({"compute_quota": {"instances": {"limit": 0, "in_use": None}}}, True),
    ],
)  # fmt: skip
def test_what_stays_a_problem(changes: Any, asked: bool) -> None:
    found = plan(facts(**changes), raise_quota=asked)
    assert not found.eligible and found.raises == ()
    assert any(text.startswith("it does not fit: ") for text in found.problems)


def test_not_when_it_fits() -> None:
    found = plan(raise_quota=True)
    assert (found.eligible, found.raises) == (True, ())
    assert not {"RAISE_QUOTA", "LOWER_QUOTA", "UNDO_RAISE_QUOTA"} & {step.name for step in found.steps}


def test_limits_of_a_volume_type() -> None:
    (fits, raises) = raised((Fit("gigabytes_fast ssd", False, "", 5, 1, 2), Fit("hosts", False, "", 1, None, 0)), "p1")
    assert raises == (Raise("block-storage", "gigabytes_fast ssd", "p1", 2, 6),)
    assert [one.ok for one in fits] == [True, False]


def test_plans_of_earlier_releases_are_read() -> None:
    stored = kept.to_json(plan(facts(**TIGHT), raise_quota=True))
    assert kept.plan_of(stored).raises[0] == Raise("block-storage", "volumes", stored["machine"]["project_id"], 10, 12)
    del stored["raises"], stored["request"]["raise_quota"]
    found: Plan = kept.plan_of(stored)
    assert (found.raises, found.request.raise_quota) == ((), False)
    assert isinstance(found.request, Request)


def test_only_who_may_change_quotas_may_have_one_raised() -> None:
    asked = Request("p1", "old", "demo", raise_quota=True)
    with pytest.raises(Forbidden, match="project_quotas:write"):
        Planning.plan(cast(Planning, None), Caller("bob", uid=7, role="admin"), asked)  # nothing is read before that
