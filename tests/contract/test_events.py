"""What a cloud tells of the past of one resource: Nova's actions with their steps, console logs, Cinder's messages."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.contract.conftest import Cloud
from tests.contract.test_states import act, states_until
from tests.contract.wire import Actor, error_of, wait_for
from tests.live.projects import COMPUTE, Project

LIST = {"action", "instance_uuid", "request_id", "user_id", "project_id", "start_time", "message"}
STEP = {"event", "start_time", "finish_time", "result"}
STEPS = {
    "create": "compute__do_build_and_run_instance",
    "stop": "compute_stop_instance",
    "lock": "api_lock",
    "unlock": "api_unlock",
}
CONSOLE = "os-getConsoleOutput"


def actions(actor: Actor, id: str, version: str = COMPUTE, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = actor.get("compute", f"/servers/{id}/os-instance-actions{query}", version)[
        "instanceActions"
    ]
    return rows


def steps(actor: Actor, id: str, request: str, version: str = COMPUTE) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = actor.get("compute", f"/servers/{id}/os-instance-actions/{request}", version)[
        "instanceAction"
    ]["events"]
    return found


def console(actor: Actor, id: str, **parameters: Any) -> Any:
    return actor("compute", f"/servers/{id}/action", "POST", json={CONSOLE: parameters}, version=COMPUTE)


def _over(told: list[dict[str, Any]]) -> bool:
    return all(step["result"] for step in told)


@pytest.fixture
def stopped(tenant: Project) -> str:
    """A server that was locked, unlocked and stopped, one after the other."""
    server = tenant.server()
    for action in ({"lock": {}}, {"unlock": None}, {"os-stop": None}):
        assert act(tenant, server, action).status_code == 202
    path = f"/servers/{server['id']}"
    states_until(tenant.member, "compute", path, "server", COMPUTE, "SHUTOFF")
    return str(server["id"])


def test_actions_and_their_steps(tenant: Project, cloud: Cloud, stopped: str) -> None:
    def done() -> list[str | None]:
        return [row["message"] for row in actions(tenant.member, stopped)]

    wait_for(done, lambda messages: messages == [None] * 4)
    rows = actions(tenant.member, stopped)
    assert {frozenset(row) for row in rows} == {frozenset(LIST | {"updated_at"})}
    # Within a second the order of two actions is not told.
    assert {row["action"] for row in rows} == set(STEPS) and rows[-1]["action"] == "create"
    member = tenant.users["member"]
    assert {(row["instance_uuid"], row["user_id"], row["project_id"]) for row in rows} == {(stopped, member, tenant.id)}
    for row in rows:
        for actor, fields in (
            (tenant.member, {"hostId"}),
            (tenant.reader, {"hostId"}),
            (cloud.admin, {"hostId", "host", "traceback", "details"}),
        ):
            # The status may be told a moment before the step is said to be over.
            told = wait_for(partial(steps, actor, stopped, row["request_id"]), _over)
            assert {frozenset(step) for step in told} == {frozenset(STEP | fields)}
            assert STEPS[row["action"]] in {step["event"] for step in told}
            assert {step["result"] for step in told} == {"Success"}


@pytest.mark.parametrize(
    ("version", "listed", "told"),
    [
        ("2.1", LIST, None),
        ("2.51", LIST, STEP),
        ("2.58", LIST | {"updated_at"}, STEP),
        ("2.62", None, STEP | {"hostId"}),
    ],
)
def test_fields_by_microversion(
    tenant: Project, version: str, listed: set[str] | None, told: set[str] | None, stopped: str
) -> None:
    row = actions(tenant.member, stopped, version)[-1]
    if listed is not None:
        assert set(row) == listed
    path = f"/servers/{stopped}/os-instance-actions/{row['request_id']}"
    action = tenant.member.get("compute", path, version)["instanceAction"]
    assert (set(action["events"][0]) if "events" in action else None) == told


def test_pages_of_actions(tenant: Project, stopped: str) -> None:
    every = [row["request_id"] for row in actions(tenant.member, stopped)]
    first = actions(tenant.member, stopped, query="?limit=3")
    assert [row["request_id"] for row in first] == every[:3]
    rest = actions(tenant.member, stopped, query=f"?limit=3&marker={every[2]}")
    assert [row["request_id"] for row in rest] == every[3:]
    path = f"/servers/{stopped}/os-instance-actions"
    refused = tenant.member("compute", f"{path}?changes-since=soon", version=COMPUTE)
    assert refused.status_code == 400
    unknown = tenant.member("compute", f"{path}/req-none", version=COMPUTE)
    assert (unknown.status_code, error_of(unknown)) == (404, ("itemNotFound", "Action req-none not found"))


def test_the_request_of_an_answer_is_that_of_the_action(tenant: Project) -> None:
    server = tenant.server()
    request = act(tenant, server, {"lock": {}}).headers["x-openstack-request-id"]
    assert request in [row["request_id"] for row in actions(tenant.member, server["id"])]


def test_a_deleted_server_keeps_its_actions(tenant: Project, cloud: Cloud) -> None:
    server = tenant.server()
    path = f"/servers/{server['id']}"
    assert tenant.member("compute", path, "DELETE", version=COMPUTE).status_code == 204
    states_until(tenant.member, "compute", path, "server", COMPUTE, "gone")
    for actor in (cloud.admin, tenant.member):
        assert actions(actor, server["id"])[0]["action"] == "delete"
    old = cloud.admin("compute", f"{path}/os-instance-actions", version="2.20")
    assert old.status_code == 404
    assert console(tenant.member, server["id"]).status_code == 404


def test_console_output(tenant: Project, cloud: Cloud) -> None:
    server = tenant.server()
    answer = console(tenant.member, server["id"])
    assert answer.status_code == 200
    output = answer.json()["output"]
    assert "Linux version" in output and "login:" in output and "\x1b" not in output
    assert console(cloud.admin, server["id"], length=2).json()["output"].count("\n") <= 2
    refused = console(tenant.reader, server["id"])
    assert refused.status_code == 403
    assert error_of(refused) == (
        "forbidden",
        "Policy doesn't allow os_compute_api:os-console-output to be performed.",
    )
    assert console(tenant.member, server["id"], length="many").status_code == 400


def test_messages_are_asked_for_by_resource(cloud: Cloud) -> None:
    """Everybody gets a list, of those who may see nothing an empty one."""
    none = "00000000-0000-4000-8000-000000000000"
    for actor in (cloud.admin, cloud.member, cloud.reader):
        assert actor.get("block-storage", f"/messages?resource_uuid={none}&limit=5", "3.65") == {"messages": []}
