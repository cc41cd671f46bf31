"""A dry run tells every step of every plan, and has no way to write."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from engine.restore.models import WAYS
from engine.restore.planning import dry_run, steps
from engine.restore.planning.planner import make_plan
from tests.engine.restore.planning.given import (
    DATA,
    NOW,
    ROOT,
    facts,
    floating,
    image_facts,
    machine,
    nic,
    plan,
    request,
)  # fmt: skip

# What could reach a cloud, or does the work of a step.
WRITES = (
    "engine.gate", "engine.clouds", "engine.jobs", "engine.restore.steps", "engine.restore.runner",
    "engine.restore.planning.planner", "requests", "httpx", "urllib3", "keystoneauth1", "openstack", "socket",
)  # fmt: skip


def test_it_loads_nothing_that_can_write() -> None:
    code = "import sys, engine.restore.planning.dry_run; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "engine.restore.planning.dry_run" in loaded
    assert not [name for name in loaded if any(name == word or name.startswith(word + ".") for word in WRITES)]


def test_every_step_has_a_rendering_of_its_own() -> None:
    assert dry_run.RENDERED == steps.NAMES


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        *((facts(nics=(nic(floating=floating()),)), {"way": way, "stop": True}) for way in WAYS),
        *((image_facts(), {"way": way}) for way in WAYS),
        (facts(nics=()), {}),
        (facts(), {"way": "REPLACE", "end": "delete", "cleanup_old_storage": True, "delete_source_snapshot": True}),
        (facts(), {"way": "REPLACE", "disks": {DATA: "keep_current"}, "ip_strategy": "SAME_IPS_OR_FAIL"}),
        (facts(machine=machine(host_status="DOWN")), {"way": "REPLACE", "fenced": "the old host c1 is fenced"}),
    ],
)
def test_every_step_is_told(known: Any, asked: dict[str, Any]) -> None:
    found = plan(known, **asked)
    assert found.eligible, found.problems
    told = dry_run.render(found)
    assert [line["step"] for line in told] == [step.name for step in found.steps]
    assert all(line["would"].strip() and "  " not in line["would"] for line in told)


def test_it_says_what_exactly() -> None:
    asked: dict[str, Any] = {"way": "REPLACE", "disks": {DATA: "keep_current"}, "ip_strategy": "SAME_IPS_OR_FAIL"}
    told = {line["step"]: line["would"] for line in dry_run.render(plan(**asked))}
    assert told["CREATE_VOLUME_FROM_SNAPSHOT"] == (
        "make a volume of 20 GB from the snapshot daily-r1 for the root disk web-root"
    )
    assert told["MOVE_VOLUMES"] == "take the disk web-data off web-01"
    assert told["MOVE_ADDRESSES"] == "take 10.0.0.5 and fa:16:3e:00:00:00 from the old machine's ports"
    assert told["CREATE_PORTS"] == "make a port on private with 10.0.0.5 and the MAC address fa:16:3e:00:00:00"
    assert told["KEEP_OLD_MACHINE"] == "keep web-01 shelved, renamed and locked, for 7 days"
    assert told["CREATE_SERVER"].endswith("without the user data")


def test_a_retry_tells_which_volumes_it_uses_again() -> None:
    found = make_plan(facts(), request(), NOW, id="p", reused={ROOT: "made-1"})
    told = {line["step"]: line["would"] for line in dry_run.render(found)}
    assert "use the volume made-1 again for the root disk web-root" in told["CREATE_VOLUME_FROM_SNAPSHOT"]


def test_a_plan_that_is_not_eligible_would_do_nothing() -> None:
    assert dry_run.render(plan(facts(points={}))) == []
