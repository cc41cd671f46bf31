"""Nova's actions with their steps, console logs, and Cinder's messages, as the demo cloud tells them."""

from __future__ import annotations

from typing import Any

import pytest

from engine.demo import names
from engine.demo.compute_events_console import trouble
from engine.demo.records import Server
from tests.engine.demo.harness import Wire

CONSOLE = "os-getConsoleOutput"


def mine(wire: Wire, **wanted: Any) -> Server:
    """A server of the member's project with these attributes."""
    project = wire.token("member").project_id
    return next(
        row
        for row in wire.cloud.state.servers
        if row.project == project and row.host and all(getattr(row, name) == value for name, value in wanted.items())
    )


def actions(wire: Wire, id: str, role: str = "admin", query: str = "", **headers: str) -> Any:
    return wire("compute", f"/v2.1/servers/{id}/os-instance-actions{query}", role, **headers)


def console(wire: Wire, id: str, role: str = "member", value: Any = None) -> Any:
    return wire("compute", f"/v2.1/servers/{id}/action", role, "POST", {CONSOLE: value or {}})


def test_actions_are_told_newest_first_with_their_steps(own: Wire) -> None:
    server = mine(own, status="ACTIVE")
    path = f"/v2.1/servers/{server.id}/action"
    for action in ({"lock": {}}, {"unlock": None}, {"os-stop": None}):
        assert own("compute", path, "member", "POST", action).status == 202
        own.advance(3)
    rows = actions(own, server.id).json["instanceActions"]
    assert [row["action"] for row in rows] == ["stop", "unlock", "lock", "create"]
    assert {row["message"] for row in rows} == {None}
    seen = {}
    for row in rows:
        (step,) = own("compute", f"/v2.1/servers/{server.id}/os-instance-actions/{row['request_id']}").json[
            "instanceAction"
        ]["events"]
        assert step["result"] == "Success" and step["finish_time"] >= step["start_time"]
        seen[row["action"]] = step["event"]
    assert seen == {
        "stop": "compute_stop_instance",
        "unlock": "api_unlock",
        "lock": "api_lock",
        "create": "compute__do_build_and_run_instance",
    }


@pytest.mark.parametrize(
    ("version", "role", "fields"),
    [
        ("2.50", "member", None),
        ("2.51", "member", {"event", "start_time", "finish_time", "result"}),
        ("2.50", "admin", {"event", "start_time", "finish_time", "result", "traceback"}),
        ("2.62", "member", {"event", "start_time", "finish_time", "result", "hostId"}),
        ("2.84", "reader", {"event", "start_time", "finish_time", "result", "hostId"}),
        (
            "2.84",
            "admin",
            {"event", "start_time", "finish_time", "result", "traceback", "host", "hostId", "details"},
        ),
    ],
)
def test_steps_by_microversion_and_role(wire: Wire, version: str, role: str, fields: set[str] | None) -> None:
    server = mine(wire)
    (row, *_) = actions(wire, server.id, role, OpenStack_API_Version=f"compute {version}").json["instanceActions"]
    assert ("updated_at" in row) == (version >= "2.58")
    target = f"/v2.1/servers/{server.id}/os-instance-actions/{row['request_id']}"
    action = wire("compute", target, role, OpenStack_API_Version=f"compute {version}").json["instanceAction"]
    assert (set(action["events"][0]) if "events" in action else None) == fields


def test_the_list_has_pages_and_times(own: Wire) -> None:
    server = mine(own, status="ACTIVE")
    for action in ({"lock": {}}, {"unlock": None}) * 3:
        own("compute", f"/v2.1/servers/{server.id}/action", "member", "POST", action)
        own.advance(60)
    every = [row["request_id"] for row in actions(own, server.id).json["instanceActions"]]
    first = actions(own, server.id, query="?limit=3").json
    assert [row["request_id"] for row in first["instanceActions"]] == every[:3]
    assert f"marker={every[2]}" in first["links"][0]["href"]
    rest = actions(own, server.id, query=f"?marker={every[2]}").json
    assert [row["request_id"] for row in rest["instanceActions"]] == every[3:]
    assert "links" not in rest
    last = first["instanceActions"][1]["updated_at"]
    assert len(actions(own, server.id, query=f"?changes-since={last}").json["instanceActions"]) == 2
    assert actions(own, server.id, query="?changes-since=soon").status == 400
    assert actions(own, server.id, query="?marker=req-none").status == 400


def test_a_server_without_a_host_says_why(wire: Wire) -> None:
    broken = next(row for row in wire.cloud.state.servers if row.status == "ERROR")
    (row,) = actions(wire, broken.id).json["instanceActions"]
    assert (row["action"], row["message"]) == ("create", "Error")
    action = wire("compute", f"/v2.1/servers/{broken.id}/os-instance-actions/{row['request_id']}").json
    (step,) = action["instanceAction"]["events"]
    assert (step["event"], step["result"]) == ("conductor_schedule_and_build_instances", "Error")
    assert step["details"] == names.NOVALID
    assert step["traceback"].strip().splitlines()[-1].endswith(names.NOVALID)
    assert console(wire, broken.id, "admin").status == 409


def test_a_deleted_server_keeps_its_actions(own: Wire) -> None:
    server = mine(own)
    assert own("compute", f"/v2.1/servers/{server.id}", "member", "DELETE").status == 204
    own.advance(2)
    assert actions(own, server.id).json["instanceActions"][0]["action"] == "delete"
    assert actions(own, server.id, "member").status == 200
    assert actions(own, server.id, OpenStack_API_Version="compute 2.20").status == 404
    assert console(own, server.id, "admin").status == 404
    assert actions(own, "0" * 8).status == 404


def test_console_logs(own: Wire) -> None:
    server = mine(own, status="ACTIVE")
    output = console(own, server.id).json["output"]
    assert f"{server.hostname} login: " in output
    assert "\x1b" not in output and "[0;32m  OK  " in output
    assert console(own, server.id, "reader").status == 403
    assert console(own, server.id, value={"length": 5}).json["output"].count("\n") == 4
    assert console(own, server.id, value={"length": "5"}).json["output"].count("\n") == 4
    assert console(own, server.id, value={"length": -1}).json["output"] == output
    assert console(own, server.id, value={"length": "many"}).status == 400
    own.advance(3600)
    later = console(own, server.id, value={"length": 2000}).json["output"]
    grown = later.splitlines()
    assert grown[-1] != output.splitlines()[-1] and later != output


def test_some_machines_did_not_come_up(wire: Wire) -> None:
    found: dict[str, str] = {}
    for server in wire.cloud.state.servers:
        if server.host and (wrong := trouble(server)):
            found[wrong] = console(wire, server.id, "admin").json["output"]
    assert {"panic", "cloud-init", "full", "memory"} <= set(found)
    assert "Kernel panic - not syncing" in found["panic"] and "login:" not in found["panic"]
    assert "No active metadata service found" in found["cloud-init"]


def test_messages_of_snapshots_and_volumes(wire: Wire) -> None:
    state = wire.cloud.state
    stuck = next(row for row in state.volumes if row.status == "attaching")
    (told,) = wire("volume", f"/messages?resource_uuid={stuck.id}").json["messages"]
    assert (told["resource_type"], told["event_id"]) == ("VOLUME", "VOLUME_VOLUME_002_021")
    refusing = next(row for row in state.snapshots if row.status == "error_deleting")
    (told,) = wire("volume", f"/messages?resource_uuid={refusing.id}").json["messages"]
    assert told["user_message"] == "delete snapshot:Snapshot failed to delete."
    assert wire("volume", f"/messages?resource_uuid={refusing.id}", "member").json["messages"] == []
    assert wire("volume", f"/messages/{told['id']}").status == 404  # of another project, and not asked for by resource
