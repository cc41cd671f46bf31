"""What the gate does to a cloud, through the whole engine: plan, job, calls, audit, and what the cloud says then."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from engine.gate.refusals import Refused
from tests.contract.conftest import Cloud
from tests.contract.operating import CLOUD, OPS, Operator, nova_actions, states
from tests.contract.wire import wait_for
from tests.live.projects import COMPUTE, Project


@pytest.fixture(scope="module")
def operator(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An engine that works as an administrator; the cloud may be written."""
    with Operator(tmp_path_factory.mktemp("operator"), cloud.admin_auth) as made:
        made.collect()
        made.lift()
        yield made


def machines(operator: Operator, tenant: Project, *names: str) -> list[tuple[str, str, str]]:
    """New machines, collected."""
    made = [tenant.server(name) for name in names]
    operator.collect("project", "server")
    return [operator.key("server", one["id"]) for one in made]


def now(tenant: Project, key: tuple[str, str, str]) -> dict[str, Any]:
    """The machine as its member sees it."""
    server: dict[str, Any] = tenant.member.get("compute", f"/servers/{key[2]}", COMPUTE)["server"]
    return server


def test_a_machine_goes_through_every_action(operator: Operator, tenant: Project) -> None:
    (key,) = machines(operator, tenant, "web-1")
    for action, options, detail, after, own in (
        ("server.stop", {}, "stopped", {"status": "SHUTOFF"}, "stop"),
        ("server.start", {}, "running", {"status": "ACTIVE"}, "start"),
        ("server.reboot", {"type": "SOFT"}, "rebooted", {"status": "ACTIVE"}, "reboot"),
        ("server.reboot", {"type": "HARD"}, "rebooted", {"status": "ACTIVE"}, "reboot"),
        ("server.rename", {"name": "{name}-{n}"}, "renamed to web-1-1", {"name": "web-1-1"}, None),
        (
            "server.lock",
            {"reason": "month end"},
            "locked",
            {"locked": True, "locked_reason": "CHG7: month end"},
            "lock",
        ),
        ("server.unlock", {}, "unlocked", {"locked": False, "locked_reason": None}, "unlock"),
    ):
        job = operator.do(action, key, options=options)
        (step,) = job["steps"]
        assert (step["state"], step["detail"]) == ("done", detail), (action, step)
        server = now(tenant, key)
        assert {name: server[name] for name in after} == after, action
        intent, end = operator.records(action, job)
        assert (intent["outcome"], end["outcome"], end["detail"]["intent"]) == ("intent", "ok", intent["id"])
        assert (end["detail"]["reason"], end["detail"]["ticket"]) == ("night shift", "CHG7")
        assert step["request_id"] == ", ".join(end["detail"]["request_ids"])
        if own is not None:
            # The cloud's own list knows the request by the same id.
            (id,) = end["detail"]["request_ids"]
            assert nova_actions(tenant.member, key[2])[id] == own
    wait_for(lambda: operator.row("server", key[2]), lambda row: row is not None and row["name"] == "web-1-1", 60)


def test_a_lock_holds_against_an_administrator(cloud: Cloud, operator: Operator, tenant: Project) -> None:
    (key,) = machines(operator, tenant, "ledger")
    path = f"/servers/{key[2]}/action"
    lock = {"lock": {"locked_reason": "month end"}}
    assert cloud.admin("compute", path, "POST", json=lock, version=COMPUTE).status_code == 202
    before = nova_actions(tenant.member, key[2])
    made = operator.plan("server.stop", key)
    assert (made["items"][0]["code"], made["refused"]) == ("locked", 1), made["items"][0]["problem"]
    assert made["items"][0]["problem"] == "ledger is locked: month end"
    with pytest.raises(Refused):
        operator.begin(made)
    assert nova_actions(tenant.member, key[2]) == before
    # The cloud itself would have let this account through, as it does now that a person has said so.
    job = operator.ended(operator.begin(made, override=[list(key)], typed="ledger"))
    assert states(job) == ["done"], job["steps"]
    assert (now(tenant, key)["status"], now(tenant, key)["locked"]) == ("SHUTOFF", True)
    assert operator.records("server.stop", job)[-1]["detail"]["lock_passed"] is True


def test_one_of_many_fails_and_the_rest_is_tried_again(cloud: Cloud, operator: Operator, tenant: Project) -> None:
    keys = machines(operator, tenant, "db-1", "db-2", "db-3")
    path = f"/servers/{keys[1][2]}/action"
    plan = operator.plan("server.stop", *keys)
    begun = operator.begin(plan, stop_after=1)
    # The first takes its time; meanwhile somebody locks the second.
    lock = {"lock": {"locked_reason": "mine"}}
    assert cloud.admin("compute", path, "POST", json=lock, version=COMPUTE).status_code == 202
    job = operator.ended(begun)
    assert states(job) == ["done", "failed", "skipped"], job["steps"]
    assert (job["state"], job["steps"][1]["detail"]) == ("partial", "db-2 is locked: mine")
    assert [now(tenant, key)["status"] for key in keys] == ["SHUTOFF", "ACTIVE", "ACTIVE"]
    assert cloud.admin("compute", path, "POST", json={"unlock": None}, version=COMPUTE).status_code == 202
    again = operator.ended(operator.parts.jobs.retry(job["id"], OPS))
    assert (states(again), again["retry_of"]) == (["done", "done"], job["id"])
    assert {now(tenant, key)["status"] for key in keys} == {"SHUTOFF"}


def test_read_only_means_that_nothing_is_sent(operator: Operator, tenant: Project) -> None:
    (key,) = machines(operator, tenant, "still")
    before = nova_actions(tenant.member, key[2])
    operator.parts.gate.end(OPS, CLOUD)
    try:
        plan = operator.plan("server.reboot", key)
        assert any("read-only" in warning for warning in plan["warnings"])
        with pytest.raises(Refused) as refused:
            operator.begin(plan)
        assert refused.value.code == "read_only", refused.value.detail
    finally:
        operator.lift()
    assert nova_actions(tenant.member, key[2]) == before
    # The same plan, once it is lifted.
    assert states(operator.ended(operator.begin(plan))) == ["done"]


def test_networks_groups_and_rules_are_made_and_deleted(cloud: Cloud, operator: Operator, tenant: Project) -> None:
    operator.collect("project")

    def made(action: str, path: str, **options: Any) -> tuple[tuple[str, str, str], dict[str, Any]]:
        job = operator.do(action, options=options)
        assert states(job) == ["done"], job["steps"]
        id = job["steps"][0]["created"]
        type = action.partition(".")[0]
        (document,) = cloud.admin.get("network", f"/v2.0/{path}/{id}").values()
        end = operator.records(action, job)[-1]
        assert (end["outcome"], end["detail"]["status"]) == ("ok", 201)
        assert end["detail"]["request_ids"][0].startswith("req-")
        wait_for(lambda: operator.row(type, id), lambda row: row is not None, 60)
        return operator.key(type, id), document

    network, document = made("network.create", "networks", name="web", project=tenant.id, mtu=1400)
    assert (document["project_id"], document["mtu"], document["name"]) == (tenant.id, 1400, "web")
    assert document["description"].startswith("(CHG7: night shift) [qdeck ")
    group, document = made("security_group.create", "security-groups", name="web", project=tenant.id)
    assert document["project_id"] == tenant.id
    rule, document = made(
        "security_group_rule.create", "security-group-rules", security_group=group[2], protocol="tcp",
        port_range_min=443, port_range_max=443, remote_ip_prefix="10.0.0.0/8",
    )  # fmt: skip
    assert (document["project_id"], document["remote_ip_prefix"]) == (tenant.id, "10.0.0.0/8")

    for action, path, key in (
        ("security_group_rule.delete", "security-group-rules", rule),
        ("security_group.delete", "security-groups", group),
        ("network.delete", "networks", network),
    ):
        job = operator.do(action, key)
        assert (states(job), job["steps"][0]["detail"]) == (["done"], "deleted"), job["steps"]
        assert cloud.admin("network", f"/v2.0/{path}/{key[2]}").status_code == 404
        type = action.partition(".")[0]
        wait_for(lambda type=type, key=key: operator.row(type, key[2]), lambda row: row is None, 60)


def test_a_network_that_is_in_use_is_refused_with_who_uses_it(operator: Operator, tenant: Project) -> None:
    tenant.create("network", "/v2.0/ports", {"port": {"network_id": tenant.network_id}})
    operator.collect("project", "network")
    (item,) = operator.plan("network.delete", operator.key("network", tenant.network_id))["items"]
    assert (item["ok"], item["code"]) == (False, "refused")
    assert item["problem"] == f"1 port is in use on {tenant.name} (nobody's): take them away first"


def test_a_flavor_comes_and_goes(cloud: Cloud, operator: Operator) -> None:
    name = f"contract-{secrets.token_hex(4)}"
    options = {"name": name, "vcpus": 2, "ram": 256, "disk": 1, "public": False}
    job = operator.do("flavor.create", options=options)
    assert states(job) == ["done"], job["steps"]
    id = job["steps"][0]["created"]
    flavor = cloud.admin.get("compute", f"/flavors/{id}", "2.87")["flavor"]
    assert (flavor["name"], flavor["vcpus"], flavor["os-flavor-access:is_public"]) == (name, 2, False)
    twin = operator.plan("flavor.create", options=options)
    assert twin["items"][0]["problem"] == f"there is a flavor called {name} already (id {id})"
    wait_for(lambda: operator.row("flavor", id), lambda row: row is not None, 60)
    plan = operator.plan("flavor.delete", operator.key("flavor", id))
    assert plan["requires"]["typed"] == name
    with pytest.raises(Refused, match=name):
        operator.begin(plan, typed="another")
    job = operator.ended(operator.begin(plan))
    assert job["steps"][0]["detail"] == "deleted"
    assert cloud.admin("compute", f"/flavors/{id}", version="2.87").status_code == 404
