"""Things take time: the states on the way, and what is refused meanwhile."""

from __future__ import annotations

from typing import Any

from tests.contract.wire import Actor, error_of, wait_for
from tests.live.projects import COMPUTE, STORAGE, Project

DELETE_VOLUME_REFUSED = (
    "Invalid volume: Volume status must be available or error or error_restoring or error_extending or "
    "error_managing and must not be migrating, attached, belong to a group, have snapshots, awaiting a "
    "transfer, or be disassociated from snapshots after volume transfer."
)


def states_until(
    actor: Actor, service: str, path: str, key: str, version: str, end: str
) -> tuple[list[str], dict[str, Any]]:
    """The different states seen on the way to `end`, and the document at the end; "gone" is 404."""
    seen: list[str] = []
    last: dict[str, Any] = {}

    def read() -> str:
        answer = actor(service, path, version=version)
        if answer.status_code == 404:
            return "gone"
        last.clear()
        last.update(answer.json()[key])
        return str(last["status"])

    def done(state: str) -> bool:
        if not seen or seen[-1] != state:
            seen.append(state)
        return state == end

    wait_for(read, done, 120)
    return seen, last


def start_server(tenant: Project, **more: Any) -> Any:
    """Ask for a server and do not wait."""
    image = min(tenant.member.get("image", "/v2/images")["images"], key=lambda item: item["min_disk"])
    flavors = tenant.member.get("compute", "/flavors/detail")["flavors"]
    flavor = next(item for item in flavors if item["disk"] >= max(1, image["min_disk"]))
    body = {
        "name": "fresh",
        "imageRef": image["id"],
        "flavorRef": flavor["id"],
        "networks": [{"uuid": tenant.network_id}],
        **more,
    }
    return tenant.member("compute", "/servers", "POST", json={"server": body}, version=COMPUTE)


def act(tenant: Project, server: dict[str, Any], action: dict[str, Any]) -> Any:
    """POST an action on a server."""
    return tenant.member("compute", f"/servers/{server['id']}/action", "POST", json=action, version=COMPUTE)


def test_a_server_builds_then_runs_then_goes(tenant: Project) -> None:
    answer = start_server(tenant, metadata={"purpose": "contract"})
    assert answer.status_code == 202
    made = answer.json()["server"]
    assert {"id", "links", "adminPass", "OS-DCF:diskConfig", "security_groups"} <= set(made)
    path = f"/servers/{made['id']}"
    first = tenant.member.get("compute", path, COMPUTE)["server"]
    assert (first["status"], first["OS-EXT-STS:vm_state"]) == ("BUILD", "building")
    assert first["OS-SRV-USG:launched_at"] is None
    seen, server = states_until(tenant.member, "compute", path, "server", COMPUTE, "ACTIVE")
    assert seen == ["BUILD", "ACTIVE"]
    assert (server["OS-EXT-STS:power_state"], server["OS-EXT-STS:task_state"]) == (1, None)
    assert server["OS-SRV-USG:launched_at"]
    assert server["metadata"] == {"purpose": "contract"}
    (address,) = server["addresses"][tenant.name]
    assert {"addr", "version", "OS-EXT-IPS:type", "OS-EXT-IPS-MAC:mac_addr"} == set(address)
    assert tenant.member("compute", path, "DELETE", version=COMPUTE).status_code == 204
    seen, _ = states_until(tenant.member, "compute", path, "server", COMPUTE, "gone")
    assert set(seen) <= {"ACTIVE", "DELETED", "gone"}


def test_a_server_is_stopped_and_started(tenant: Project) -> None:
    server = tenant.server()
    path = f"/servers/{server['id']}"
    assert act(tenant, server, {"os-stop": None}).status_code == 202
    _, stopped = states_until(tenant.member, "compute", path, "server", COMPUTE, "SHUTOFF")
    assert (stopped["OS-EXT-STS:vm_state"], stopped["OS-EXT-STS:power_state"]) == ("stopped", 4)
    wait_for(
        lambda: tenant.member.get("compute", path, COMPUTE)["server"],
        lambda now: now["OS-EXT-STS:task_state"] is None,
    )
    again = act(tenant, server, {"os-stop": None})
    assert again.status_code == 409
    assert error_of(again) == (
        "conflictingRequest",
        f"Cannot 'stop' instance {server['id']} while it is in vm_state stopped",
    )
    assert act(tenant, server, {"os-start": None}).status_code == 202
    states_until(tenant.member, "compute", path, "server", COMPUTE, "ACTIVE")


def test_a_locked_server_refuses_its_member(tenant: Project) -> None:
    server = tenant.server()
    assert act(tenant, server, {"lock": {"locked_reason": "month end"}}).status_code == 202
    locked = tenant.member.get("compute", f"/servers/{server['id']}", COMPUTE)["server"]
    assert (locked["locked"], locked["locked_reason"]) == (True, "month end")
    answer = act(tenant, server, {"os-stop": None})
    assert answer.status_code == 409
    assert error_of(answer)[1] == f"Instance {server['id']} is locked"
    assert act(tenant, server, {"unlock": None}).status_code == 202


def test_renaming_moves_the_updated_time_and_nothing_else(tenant: Project) -> None:
    server = tenant.server()
    path = f"/servers/{server['id']}"
    answer = tenant.member("compute", path, "PUT", json={"server": {"name": "renamed"}}, version=COMPUTE)
    assert answer.status_code == 200
    now = tenant.member.get("compute", path, COMPUTE)["server"]
    changed = {key for key in now if now[key] != server[key]}
    assert changed <= {"name", "updated"}
    assert now["name"] == "renamed"


def test_a_volume_is_created_then_available_then_gone(tenant: Project) -> None:
    body = {"volume": {"name": "fresh", "size": 1, "metadata": {"k": "v"}}}
    answer = tenant.member("block-storage", "/volumes", "POST", json=body, version=STORAGE)
    assert answer.status_code == 202
    made = answer.json()["volume"]
    assert (made["status"], made["size"], made["attachments"]) == ("creating", 1, [])
    path = f"/volumes/{made['id']}"
    seen, volume = states_until(tenant.member, "block-storage", path, "volume", STORAGE, "available")
    assert seen in (["creating", "available"], ["available"])
    assert volume["bootable"] == "false"
    assert volume["metadata"] == {"k": "v"}
    assert tenant.member("block-storage", path, "DELETE", version=STORAGE).status_code == 202
    seen, _ = states_until(tenant.member, "block-storage", path, "volume", STORAGE, "gone")
    assert seen in (["deleting", "gone"], ["gone"])


def test_a_volume_with_snapshots_is_not_deleted(tenant: Project) -> None:
    volume = tenant.volume()
    snapshot = tenant.snapshot(volume["id"])
    answer = tenant.member("block-storage", f"/volumes/{volume['id']}", "DELETE", version=STORAGE)
    assert answer.status_code == 400
    assert error_of(answer) == ("badRequest", DELETE_VOLUME_REFUSED)
    path = f"/snapshots/{snapshot['id']}"
    assert tenant.member("block-storage", path, "DELETE", version=STORAGE).status_code == 202
    states_until(tenant.member, "block-storage", path, "snapshot", STORAGE, "gone")
    answer = tenant.member("block-storage", f"/volumes/{volume['id']}", "DELETE", version=STORAGE)
    assert answer.status_code == 202


def test_a_snapshot_knows_its_volume(tenant: Project) -> None:
    volume = tenant.volume(size=2)
    snapshot = tenant.snapshot(volume["id"], "nightly")
    assert (snapshot["volume_id"], snapshot["size"]) == (volume["id"], 2)
    assert snapshot["os-extended-snapshot-attributes:project_id"] == tenant.id
    assert snapshot["os-extended-snapshot-attributes:progress"] == "100%"


def test_an_attached_volume_is_in_use_and_refuses(tenant: Project) -> None:
    server, volume = tenant.server(), tenant.volume()
    path = f"/servers/{server['id']}/os-volume_attachments"
    body = {"volumeAttachment": {"volumeId": volume["id"]}}
    answer = tenant.member("compute", path, "POST", json=body, version=COMPUTE)
    assert answer.status_code == 200
    _, used = states_until(tenant.member, "block-storage", f"/volumes/{volume['id']}", "volume", STORAGE, "in-use")
    assert used["attachments"][0]["server_id"] == server["id"]
    listed = tenant.member.get("compute", f"/servers/{server['id']}", COMPUTE)["server"]
    assert [item["id"] for item in listed["os-extended-volumes:volumes_attached"]] == [volume["id"]]
    refused = tenant.member("block-storage", f"/volumes/{volume['id']}", "DELETE", version=STORAGE)
    assert refused.status_code == 400
    assert error_of(refused) == ("badRequest", DELETE_VOLUME_REFUSED)
    snapshot = {"snapshot": {"volume_id": volume["id"], "name": "x"}}
    forced = tenant.member("block-storage", "/snapshots", "POST", json=snapshot, version="3.0")
    assert forced.status_code == 400
    assert "must be available" in error_of(forced)[1]
    detached = tenant.member("compute", f"{path}/{volume['id']}", "DELETE", version=COMPUTE)
    assert detached.status_code == 202
    states_until(tenant.member, "block-storage", f"/volumes/{volume['id']}", "volume", STORAGE, "available")


def test_networks_and_ports(tenant: Project) -> None:
    network = tenant.network_id
    made = tenant.create("network", "/v2.0/ports", {"port": {"network_id": network, "name": "spare"}})["port"]
    assert (made["status"], made["device_id"], made["project_id"]) == ("DOWN", "", tenant.id)
    assert made["fixed_ips"][0]["ip_address"].startswith("10.99.0.")
    server = tenant.server()
    ports = tenant.member.get("network", f"/v2.0/ports?device_id={server['id']}")["ports"]
    assert [port["device_owner"].split(":")[0] for port in ports] == ["compute"]
