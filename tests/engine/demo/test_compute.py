"""Nova: microversions, policies, changes-since, and operations that take their time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.demo.harness import EPOCH, Wire

DETAIL = "/v2.1/servers/detail?all_tenants=1&limit=1"


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ("2.1", 200, "2.1"),
        ("2.87", 200, "2.87"),
        ("2.100", 200, "2.100"),
        ("latest", 200, "2.100"),
        ("2.101", 406, "2.101"),
        ("2.0", 406, "2.0"),
        ("1.9", 406, "1.9"),
        ("2", 400, None),
        ("abc", 400, None),
        ("2.01", 400, None),
    ],
)
def test_negotiation(wire: Wire, sent: str, status: int, said: str | None) -> None:
    answer = wire("compute", DETAIL, OpenStack_API_Version=f"compute {sent}")
    assert answer.status == status
    assert answer.headers.get("x-openstack-nova-api-version") == said
    assert answer.headers.get("openstack-api-version") == (f"compute {said}" if said else None)
    if status == 406:
        message = f"Version {sent} is not supported by the API. Minimum is 2.1 and maximum is 2.100."
        assert answer.json == {"computeFault": {"code": 406, "message": message}}
    if status == 400:
        message = f"API Version String {sent} is of invalid format. Must be of format MajorNum.MinorNum."
        assert answer.json == {"badRequest": {"code": 400, "message": message}}


def test_the_older_header_and_none(wire: Wire) -> None:
    old = wire("compute", DETAIL, OpenStack_API_Version="", X_OpenStack_Nova_API_Version="2.50")
    assert old.headers["x-openstack-nova-api-version"] == "2.50"
    assert wire("compute", DETAIL, OpenStack_API_Version="").headers["openstack-api-version"] == "compute 2.1"
    # The other services' entries in the header are not ours.
    assert (
        wire("compute", DETAIL, OpenStack_API_Version="volume 3.71").headers["openstack-api-version"] == "compute 2.1"
    )


@pytest.mark.parametrize(
    ("before", "since", "field"),
    [
        ("2.2", "2.3", "OS-EXT-SRV-ATTR:user_data"),
        ("2.8", "2.9", "locked"),
        ("2.15", "2.16", "host_status"),
        ("2.18", "2.19", "description"),
        ("2.25", "2.26", "tags"),
        ("2.62", "2.63", "trusted_image_certificates"),
        ("2.72", "2.73", "locked_reason"),
        ("2.95", "2.96", "pinned_availability_zone"),
        ("2.99", "2.100", "scheduler_hints"),
    ],
)
def test_fields_come_with_their_microversion(wire: Wire, before: str, since: str, field: str) -> None:
    for version, there in ((before, False), (since, True)):
        (server,) = wire("compute", DETAIL, OpenStack_API_Version=f"compute {version}").json["servers"]
        assert (field in server) == there


def test_the_flavor_loses_its_id_at_2_47(wire: Wire) -> None:
    old = wire("compute", DETAIL, OpenStack_API_Version="compute 2.46").json["servers"][0]["flavor"]
    new = wire("compute", DETAIL, OpenStack_API_Version="compute 2.47").json["servers"][0]["flavor"]
    assert set(old) == {"id", "links"}
    assert set(new) == {"vcpus", "ram", "disk", "ephemeral", "swap", "original_name", "extra_specs"}


def test_hypervisors_lose_their_capacity_at_2_88(wire: Wire) -> None:
    target = "/v2.1/os-hypervisors/detail"
    old = wire("compute", target, OpenStack_API_Version="compute 2.87").json["hypervisors"]
    new = wire("compute", target, OpenStack_API_Version="compute 2.88").json["hypervisors"]
    assert "vcpus" in old[0] and "uptime" not in old[0]
    assert "vcpus" not in new[0] and "uptime" in new[0]
    assert {row["state"] for row in old} == {"up", "down"}
    assert isinstance(wire("compute", target, OpenStack_API_Version="compute 2.52").json["hypervisors"][0]["id"], int)


ADMINS = ["host_status", "OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:instance_name", "OS-EXT-SRV-ATTR:user_data"]


def test_members_see_their_own_and_less_of_it(wire: Wire) -> None:
    mine = wire("compute", "/v2.1/servers/detail", "member").json["servers"]
    assert mine
    assert {row["tenant_id"] for row in mine} == {wire.token("member").project_id}
    assert not {field for row in mine for field in ADMINS if field in row}
    all_rows = wire.rows("compute", "/v2.1/servers/detail?all_tenants=1", "servers")
    assert len(all_rows) > len(mine)
    assert all(field in row for row in all_rows for field in ADMINS)
    other = next(row["id"] for row in all_rows if row["tenant_id"] != wire.token("member").project_id)
    answer = wire("compute", f"/v2.1/servers/{other}", "member")
    assert (answer.status, answer.json["itemNotFound"]["message"]) == (404, f"Instance {other} could not be found.")


@pytest.mark.parametrize(
    ("target", "admin", "member", "reader", "system"),
    [
        ("/servers", 200, 200, 200, 403),
        ("/servers/detail", 200, 200, 200, 403),
        ("/servers?all_tenants=1", 200, 403, 403, 403),
        ("/servers/detail?all_tenants=1", 200, 403, 403, 403),
        ("/servers/detail?host=cmp-001&all_tenants=0", 200, 403, 403, 403),
        ("/flavors/detail?is_public=None", 200, 200, 200, 200),
        ("/os-hypervisors", 200, 403, 403, 403),
        ("/os-hypervisors/detail", 200, 403, 403, 403),
        ("/os-services", 200, 403, 403, 403),
        ("/os-aggregates", 200, 403, 403, 403),
        ("/os-availability-zone", 200, 200, 200, 403),
        ("/os-availability-zone/detail", 200, 403, 403, 403),
        ("/os-server-groups?all_projects=true", 200, 200, 200, 403),
        ("/os-keypairs", 200, 200, 200, 403),
        ("/limits", 200, 200, 200, 403),
        ("/os-migrations", 200, 403, 403, 403),
        ("/os-simple-tenant-usage", 200, 403, 403, 403),
        ("/os-quota-sets/{demo}/detail", 200, 200, 200, 403),
        ("/os-quota-sets/{admin}/detail", 200, 403, 403, 403),
    ],
)
def test_policies(wire: Wire, target: str, admin: int, member: int, reader: int, system: int) -> None:
    ids = {"demo": wire.token("member").project_id, "admin": wire.token("admin").project_id}
    path = "/v2.1" + target.format(**ids)
    got = [wire("compute", path, role).status for role in ("admin", "member", "reader", "system")]
    assert got == [admin, member, reader, system]


def test_words_of_a_refusal(wire: Wire) -> None:
    answer = wire("compute", "/v2.1/servers/detail?all_tenants=1", "member")
    message = "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be performed."
    assert answer.json == {"forbidden": {"code": 403, "message": message}}


def server_of(own: Wire, role: str = "member", status: str = "ACTIVE") -> dict[str, Any]:
    rows = own("compute", f"/v2.1/servers/detail?status={status}", role).json["servers"]
    return next(row for row in rows if row["OS-EXT-STS:task_state"] is None and not row["locked"])


def show(own: Wire, id: str) -> dict[str, Any]:
    return own("compute", f"/v2.1/servers/{id}").json["server"]


def create(own: Wire, **more: Any) -> Any:
    flavor = next(row for row in own("compute", "/v2.1/flavors/detail").json["flavors"] if row["name"] == "m1.small")
    image = own("image", "/v2/images?name=debian-12").json["images"][0]
    body = {"name": "new", "flavorRef": flavor["id"], "imageRef": image["id"], "networks": "auto", **more}
    return own("compute", "/v2.1/servers", "member", "POST", {"server": body})


@pytest.fixture
def roomy(own: Wire) -> Wire:
    project = own.token("member").project
    assert project is not None
    for quota in (project.compute_quota, project.volume_quota, project.network_quota):
        quota.update(dict.fromkeys(quota, 10_000_000))
    return own


def test_a_server_is_built_in_its_time(roomy: Wire) -> None:
    answer = create(roomy, metadata={"a": "b"})
    assert answer.status == 202
    made = answer.json["server"]
    assert set(made) == {"id", "links", "OS-DCF:diskConfig", "security_groups", "adminPass"}
    row = show(roomy, made["id"])
    assert (row["status"], row["OS-EXT-STS:task_state"], row["OS-EXT-SRV-ATTR:host"]) == ("BUILD", "scheduling", None)
    roomy.advance(1)
    assert show(roomy, made["id"])["status"] == "BUILD"
    roomy.advance(2)
    row = show(roomy, made["id"])
    assert (row["status"], row["OS-EXT-STS:vm_state"], row["OS-EXT-STS:power_state"]) == ("ACTIVE", "active", 1)
    assert row["OS-EXT-SRV-ATTR:host"] and row["addresses"] and row["tenant_id"] == roomy.token("member").project_id
    ports = roomy("network", f"/v2.0/ports?device_id={made['id']}").json["ports"]
    assert [port["status"] for port in ports] == ["ACTIVE"]


def test_a_build_that_fails_says_why(roomy: Wire) -> None:
    id = create(roomy, metadata={"lab_fault": "boot"}).json["server"]["id"]
    roomy.advance(5)
    row = show(roomy, id)
    assert (row["status"], row["fault"]["code"]) == ("ERROR", 500)
    assert "details" in row["fault"]
    assert "details" not in roomy("compute", f"/v2.1/servers/{id}", "member").json["server"]["fault"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"flavorRef": "nope"}, 400),
        ({"imageRef": "nope"}, 400),
        ({"key_name": "not mine"}, 400),
        ({"zzz": 1}, 400),
        ({"name": ""}, 400),
        ({"name": "x" * 256}, 400),
        ({"min_count": 100_000}, 403),
        ({"networks": [{"uuid": "nope"}]}, 400),
    ],
)
def test_creates_that_are_refused(own: Wire, body: dict[str, Any], status: int) -> None:
    if not body:
        assert own("compute", "/v2.1/servers", "member", "POST", {}).status == status
    else:
        assert create(own, **body).status == status


@pytest.mark.parametrize(
    ("action", "before", "task", "between", "after"),
    [
        ({"os-stop": None}, "ACTIVE", "powering-off", "ACTIVE", "SHUTOFF"),
        ({"os-start": None}, "SHUTOFF", "powering-on", "SHUTOFF", "ACTIVE"),
        ({"reboot": {"type": "SOFT"}}, "ACTIVE", "rebooting", "REBOOT", "ACTIVE"),
        ({"reboot": {"type": "HARD"}}, "ACTIVE", "rebooting_hard", "HARD_REBOOT", "ACTIVE"),
        ({"pause": None}, "ACTIVE", "pausing", "ACTIVE", "PAUSED"),
        ({"suspend": None}, "ACTIVE", "suspending", "ACTIVE", "SUSPENDED"),
    ],
)
def test_actions_take_their_time(
    own: Wire, action: dict[str, Any], before: str, task: str, between: str, after: str
) -> None:
    server = next(row for row in own.cloud.state.servers if row.status == "ACTIVE" and not row.locked)
    server.status = before
    path = f"/v2.1/servers/{server.id}/action"
    assert own("compute", path, method="POST", body=action).status == 202
    row = show(own, server.id)
    assert (row["status"], row["OS-EXT-STS:task_state"]) == (between, task)
    assert own("compute", path, method="POST", body=action).status == 409
    own.advance(5)
    row = show(own, server.id)
    assert (row["status"], row["OS-EXT-STS:task_state"]) == (after, None)
    history = own("compute", f"/v2.1/servers/{server.id}/os-instance-actions").json["instanceActions"]
    assert history[0]["action"] in next(iter(action))
    entry = own("compute", f"/v2.1/servers/{server.id}/os-instance-actions/{history[0]['request_id']}")
    assert entry.json["instanceAction"]["events"][0]["result"] == "Success"


def test_refused_actions(own: Wire) -> None:
    id = server_of(own)["id"]
    path = f"/v2.1/servers/{id}/action"
    answer = own("compute", path, "member", "POST", {"os-start": None})
    message = f"Cannot 'start' instance {id} while it is in vm_state active"
    assert (answer.status, answer.json) == (409, {"conflictingRequest": {"code": 409, "message": message}})
    answer = own("compute", path, "member", "POST", {"os-dance": None})
    assert answer.json["badRequest"]["message"] == "There is no such action: os-dance"
    assert own("compute", path, "reader", "POST", {"os-stop": None}).status == 403
    assert own("compute", path, "member", "POST", {"lock": {"locked_reason": "audit"}}).status == 202
    assert show(own, id)["locked_reason"] == "audit"
    answer = own("compute", path, "member", "POST", {"os-stop": None})
    assert answer.json["conflictingRequest"]["message"] == f"Instance {id} is locked"
    # An administrator walks through the lock.
    assert own("compute", path, "admin", "POST", {"os-stop": None}).status == 202
    assert own("compute", path, "member", "POST", {"unlock": None}).status == 202
    assert show(own, id)["locked"] is False


def test_a_deleted_server_is_told_by_changes_since(own: Wire) -> None:
    id = server_of(own)["id"]
    own.advance(100)
    since = "2026-02-02T02:41:00Z"
    assert own("compute", f"/v2.1/servers/detail?changes-since={since}", "member").json["servers"] == []
    assert own("compute", f"/v2.1/servers/{id}", "reader", "DELETE").status == 403
    assert own("compute", f"/v2.1/servers/{id}", "member", "DELETE").status == 204
    assert show(own, id)["OS-EXT-STS:task_state"] == "deleting"
    own.advance(1)
    assert own("compute", f"/v2.1/servers/{id}").status == 404
    for role in ("admin", "member"):
        target = f"/v2.1/servers/detail?changes-since={since}" + ("&all_tenants=1" if role == "admin" else "")
        (row,) = own("compute", target, role).json["servers"]
        assert (row["id"], row["status"], row["addresses"]) == (id, "DELETED", {})
        assert row["OS-SRV-USG:terminated_at"]
    assert all(row["id"] != id for row in own.rows("compute", "/v2.1/servers?all_tenants=1", "servers"))
    assert own("network", f"/v2.0/ports?device_id={id}").json["ports"] == []
    assert own("compute", "/v2.1/servers?all_tenants=1&changes-since=2099-01-01T00:00:00Z").json["servers"] == []


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01T00:00:00Z", "1"])
def test_changes_since_wants_a_time(wire: Wire, time: str) -> None:
    assert wire("compute", f"/v2.1/servers?changes-since={time}").status == 400


def test_rename(own: Wire) -> None:
    id = server_of(own)["id"]
    own.advance(60)
    answer = own("compute", f"/v2.1/servers/{id}", "member", "PUT", {"server": {"name": "fresh"}})
    assert (answer.status, answer.json["server"]["name"]) == (200, "fresh")
    assert show(own, id)["updated"] == "2026-02-02T02:41:00Z"
    assert own("compute", f"/v2.1/servers/{id}", "member", "PUT", {"server": {"name": " "}}).status == 400


def test_a_volume_is_attached_and_detached(roomy: Wire) -> None:
    server = server_of(roomy)
    made = roomy("volume", "/volumes", "member", "POST", {"volume": {"size": 3, "name": "extra"}}).json["volume"]
    roomy.advance(2)
    path = f"/v2.1/servers/{server['id']}/os-volume_attachments"
    body = {"volumeAttachment": {"volumeId": made["id"]}}
    assert roomy("compute", path, "member", "POST", body).status == 200
    roomy.advance(2)
    volume = roomy("volume", f"/volumes/{made['id']}").json["volume"]
    assert (volume["status"], volume["attachments"][0]["server_id"]) == ("in-use", server["id"])
    answer = roomy("compute", path, "member", "POST", body)
    assert answer.status == 400 and "already attached" in answer.json["badRequest"]["message"]
    assert made["id"] in [row["volumeId"] for row in roomy("compute", path, "member").json["volumeAttachments"]]
    assert roomy("compute", f"{path}/{made['id']}", "member", "DELETE").status == 202
    roomy.advance(2)
    assert roomy("volume", f"/volumes/{made['id']}").json["volume"]["status"] == "available"


def test_a_down_host_shows_in_its_servers(wire: Wire) -> None:
    rows = wire.rows("compute", "/v2.1/servers/detail?all_tenants=1", "servers")
    down = {host.name for host in wire.cloud.state.hosts if not host.up}
    assert {row["host_status"] for row in rows if row["OS-EXT-SRV-ATTR:host"] in down} == {"DOWN"}
    services = wire("compute", "/v2.1/os-services").json["services"]
    assert {row["host"] for row in services if row["state"] == "down"} == down


def test_limits_and_quotas_agree_with_the_servers(wire: Wire) -> None:
    mine = wire("compute", "/v2.1/servers/detail", "member").json["servers"]
    absolute = wire("compute", "/v2.1/limits", "member").json["limits"]["absolute"]
    assert absolute["totalInstancesUsed"] == len(mine)
    assert absolute["totalCoresUsed"] == sum(row["flavor"]["vcpus"] for row in mine)
    project = wire.token("member").project_id
    quota = wire("compute", f"/v2.1/os-quota-sets/{project}/detail").json["quota_set"]
    assert quota["ram"]["in_use"] == sum(row["flavor"]["ram"] for row in mine)
    assert wire("compute", f"/v2.1/os-quota-sets/{'0' * 32}").status == 400


def test_keypairs_are_the_users_own(wire: Wire) -> None:
    assert wire("compute", "/v2.1/os-keypairs", "member").json["keypairs"]
    other = wire.token("admin").user.id
    assert wire("compute", f"/v2.1/os-keypairs?user_id={other}", "member").status == 403
    assert wire("compute", f"/v2.1/os-keypairs?user_id={other}").status == 200


def test_times_lie_before_the_clock(wire: Wire) -> None:
    for server in wire.cloud.state.servers:
        assert server.created <= EPOCH and server.updated <= EPOCH + 60
