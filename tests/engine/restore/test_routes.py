"""The documented routes of restores as they are documented, and ours; who may ask what, and where."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from engine.access.models import Caller
from engine.access.service import CALLER, AccessService
from engine.api import errors
from engine.restore import documented, routes
from engine.restore.cleaning import Cleaner
from engine.restore.desk import Desk
from engine.restore.keeping import Keeping
from engine.restore.models import Key
from engine.restore.planning.facts import Facts, NetworkAddresses, Subnet
from engine.restore.storage import Storage
from engine.settings.cloud_rules import CloudRules
from engine.settings.models import Settings
from engine.settings.restore_section import CloudRestore, Restore
from store.estate.reading.models import Scope
from store.ops.ops import Ops
from store.types.declaration import ResourceType
from tests.engine.restore import small_cloud
from tests.engine.restore.serving import ADMIN, ANNA, PHRASE, VIEWER, World
from tests.engine.restore.small_cloud import PROJECT

BODY = {"project_id": PROJECT, "vm_id": "old", "restore_point_id": "snap-1"}


class Reads:
    """Where resources are; `places` may have one id in several clouds."""

    def __init__(self) -> None:
        self.places: dict[str, list[Key]] = {id: [("lab", "one", id)] for id in ("old", "net")}

    def keys(self, type: ResourceType, id: str, at: Any, scope: Scope) -> list[Key]:
        return [key for key in self.places.get(id, []) if scope.in_clouds is None or key[0] in scope.in_clouds]

    def read(self, work: Callable[..., Any]) -> Any:
        return {"row": {"project_id": PROJECT}}

    def page(self, window: Any, offset: int, limit: int) -> tuple[int, list[str], list[list[Any]]]:
        assert window.type == "snapshot"
        columns = [*window.columns, "cloud", "region"]
        return 1, columns, [["snap-1" if name == "id" else name for name in columns]]


class Api:
    """The routes over the world of the service's tests; asked as `caller`."""

    def __init__(self, ops: Ops) -> None:
        self.world = world = World(ops)
        self.caller, self.reads = ANNA, Reads()
        self.clouds: Sequence[str] = ("lab",)
        gate, records, planner = world.gate, world.records, world.planner
        planner.facts = self.facts  # type: ignore[attr-defined]
        planner.start = lambda caller, key: {"machine": {"key": list(key)}}  # type: ignore[attr-defined]
        planner.addresses = self.addresses  # type: ignore[attr-defined]
        keeping = Keeping(
            ops, world.audit, records, world.plans, gate, gate.windows, lambda *one: True, lambda *one: None,
            lambda: world.clock, lambda seconds: None,
        )  # fmt: skip
        desk = Desk(
            world.service, Cleaner(records, gate, lambda: world.clock, lambda seconds: None),
            Storage(records, gate, lambda seconds: None), keeping, planner, self.reads, gate.windows,  # type: ignore[arg-type]
            lambda: self.clouds, lambda cloud: ["one"],
        )  # fmt: skip
        access = AccessService(ops, Settings())
        self.app = FastAPI()
        errors.install(self.app)
        for router in (documented.routes(desk, access), routes.routes(desk, access)):
            self.app.include_router(router)

    @staticmethod
    def facts(caller: Caller, request: Any) -> Facts:
        made = small_cloud.plan()
        sources = tuple(disk.source for disk in made.disks if disk.source is not None)
        return Facts(made.machine, made.disks, points={"root": sources, "data": ()})

    @staticmethod
    def addresses(cloud: str, region: str, network: str, project: str) -> NetworkAddresses:
        subnet = Subnet("sub", "office", "10.0.0.0/24", "10.0.0.1", free=("10.0.0.50",), count=1)
        return NetworkAddresses(network, "net", subnets=(subnet,))

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[CALLER] = self.caller
            await self.app(scope, receive, send)

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=application)
            async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
                return await client.request(method, path, json=body)

        return asyncio.run(asked())

    def good(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.ask(method, path, body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def planned(self, mode: str = "NEW") -> dict[str, Any]:
        made: dict[str, Any] = self.good("POST", "/restore/plan", {**BODY, "mode": mode})
        return made


@pytest.fixture
def api(tmp_path: Path):
    with closing(Ops.open(tmp_path / "ops.sqlite")) as ops:
        yield Api(ops)


def test_the_documented_way_from_a_plan_to_a_job(api: Api) -> None:
    made = api.planned()
    assert (made["status"], made["vm_id"], made["mode"], made["restore_point_id"]) == (
        "PLANNED",
        "old",
        "NEW",
        "snap-1",
    )
    plan = made["plan_json"]
    assert plan["actions"] == [
        "VALIDATE_LIVE_STATE", "CREATE_VOLUME_FROM_SNAPSHOT", "PROVE_IT_ANSWERS", "FINALIZE",
    ]  # fmt: skip
    assert (plan["vm"]["name"], plan["restore_point"]["id"], plan["quota_check"]["ok"]) == ("web-1", "snap-1", True)
    assert plan["network_plan"] == [
        {"network_id": "net", "network_name": "", "subnet_id": "sub", "original_port_id": "nic",
         "original_ip": "10.0.0.5", "will_request_fixed_ip": False, "requested_ip": None, "note": ""}
    ]  # fmt: skip
    assert {step["status"] for step in made["steps"]} == {"PENDING"}
    begun = api.good("POST", "/restore/execute", {"plan_id": made["id"], "confirm_destructive": None})
    assert (begun["id"], begun["status"]) == (made["id"], "PENDING")
    assert [one["id"] for one in api.good("GET", "/restore/jobs?status=PENDING&vm_id=old")["items"]] == [made["id"]]
    assert api.good("GET", "/restore/jobs?vm_id=other")["items"] == []
    api.world.went(made["id"], "failed", VALIDATE_LIVE_STATE="done", CREATE_VOLUME_FROM_SNAPSHOT="failed")
    job = api.good("GET", f"/restore/jobs/{made['id']}")
    assert job["status"] == "FAILED"
    assert [(step["step_order"], step["step_name"], step["status"]) for step in job["steps"]] == [
        (1, "VALIDATE_LIVE_STATE", "SUCCEEDED"), (2, "CREATE_VOLUME_FROM_SNAPSHOT", "FAILED"),
        (3, "PROVE_IT_ANSWERS", "SKIPPED"), (4, "FINALIZE", "SKIPPED"), (5, "UNDO_VOLUMES", "SKIPPED"),
    ]  # fmt: skip
    assert api.good("GET", "/q/restore/jobs/1")["id"] == made["id"], "by its number"


@pytest.mark.parametrize("typed", [None, "", "delete and restore web-1", f"{PHRASE} "])
def test_replace_is_executed_with_the_exact_phrase_only(api: Api, typed: str | None) -> None:
    made = api.planned("REPLACE")
    body = {"plan_id": made["id"], "confirm_destructive": typed}
    answer = api.ask("POST", "/restore/execute", body)
    assert (answer.status_code, answer.json()["code"], answer.json()["typed"]) == (422, "typed", PHRASE)
    assert api.good("POST", "/restore/execute", {**body, "confirm_destructive": PHRASE})["status"] == "PENDING"


def test_a_production_cloud_is_named_too(api: Api) -> None:
    api.world.gate.windows.own = CloudRules(production=True)
    made = api.planned("REPLACE")
    body = {"plan_id": made["id"], "confirm_destructive": PHRASE}
    assert api.ask("POST", "/restore/execute", body).status_code == 422
    assert api.good("POST", "/restore/execute", {**body, "confirm_cloud": "lab"})["status"] == "PENDING"


def test_retry_and_cleanup_as_documented(api: Api) -> None:
    made = api.planned("REPLACE")
    api.good("POST", "/restore/execute", {"plan_id": made["id"], "confirm_destructive": PHRASE})
    path = f"/restore/jobs/{made['id']}"
    assert api.ask("POST", f"{path}/cleanup").status_code == 409, "it runs"
    api.world.volume(made["id"])
    api.world.gate.volume("v-new", "t-v-new")
    done = {"VALIDATE_LIVE_STATE": "done", "CREATE_VOLUME_FROM_SNAPSHOT": "done", "PROVE_IT_ANSWERS": "failed"}
    api.world.went(made["id"], "failed", **done)
    assert api.good("GET", f"/q{path}/left")["items"][0]["can_go"] is True
    kept = api.good("POST", f"{path}/cleanup", {"delete_volume": False})
    assert kept["cleaned"]["volume"] == "v-new (preserved — use delete_volume=true to remove)"
    assert {name: kept["cleaned"][name] for name in ("ports", "server", "errors")} == {
        "ports": [], "server": None, "errors": [],
    }  # fmt: skip
    assert api.ask("POST", f"{path}/retry", {}).status_code == 422
    again = api.good("POST", f"{path}/retry", {"confirm_destructive": PHRASE, "ip_strategy_override": "TRY_SAME_IPS"})
    assert (again["original_job_id"], again["status"], again["resumed_from_step"]) == (
        made["id"], "PENDING", "PROVE_IT_ANSWERS",
    )  # fmt: skip
    assert again["reused_resources"] == {"volume_id": "v-new", "volumes": {"root": "v-new"}}
    api.world.went(again["job_id"], "failed")
    gone = api.good("POST", f"/restore/jobs/{again['job_id']}/cleanup", {"delete_volume": True})
    assert (gone["cleaned"]["volume"], gone["message"]) == ("v-new", "Cleanup completed")
    assert api.world.gate.sent == ["DELETE /volumes/v-new"]
    assert api.world.actions("restore.cleanup") == ["ok", "ok"]


def test_storage_is_cleaned_up_after_what_succeeded(api: Api) -> None:
    made = api.planned("REPLACE")
    api.good("POST", "/restore/execute", {"plan_id": made["id"], "confirm_destructive": PHRASE})
    path = f"/restore/jobs/{made['id']}/cleanup-storage"
    assert api.ask("POST", path).status_code == 409
    api.world.records.begin(made["id"], 3, "server", "server", "t", "web-1", ("lab", "one", ""), PROJECT)
    api.world.records.made(made["id"], "server", "new")
    api.world.records.handed_over(made["id"])
    api.world.gate.server("new")
    api.world.gate.volume("root")
    api.world.went(made["id"], "done")
    api.world.records.keep(made["id"], "machine", ("lab", "one", "old"), PROJECT, "web-1-old", None)
    answer = api.good("POST", f"{path}?delete_source_snapshot=true")
    assert answer["result"]["deleted_volumes"] == answer["result"]["errors"] == []
    assert ["kept" in one["reason"] or "gone" in one["reason"] for one in answer["result"]["skipped"]] == [True, True]
    [row] = api.good("GET", "/q/restore/kept")["items"]
    api.good("POST", f"/q/restore/kept/{row['id']}/extend", {"days": 3})
    api.world.records.change_kept(row["id"], state="released")
    assert api.good("POST", path)["result"]["deleted_volumes"] == ["root"]


def test_cancel_as_documented(api: Api) -> None:
    made = api.planned()
    api.good("POST", "/restore/execute", {"plan_id": made["id"]})
    assert api.good("POST", f"/restore/cancel/{made['id']}", {"reason": "wrong"})["status"] in ("PENDING", "RUNNING")
    assert api.world.jobs.job(made["id"])["cancel_asked"]
    api.world.went(made["id"], "cancelled")
    assert api.ask("POST", f"/restore/cancel/{made['id']}").status_code == 409


def test_reads_as_documented(api: Api) -> None:
    points = api.good("GET", f"/restore/vm/old/restore-points?project_id={PROJECT}")
    assert (points["boot_volume_id"], [one["id"] for one in points["restore_points"]]) == ("root", ["snap-1"])
    assert api.ask("GET", "/restore/vm/old/restore-points?project_id=p2").status_code == 404
    free = api.good("GET", "/restore/networks/net/available-ips")
    assert free["subnets"] == [
        {"subnet_id": "sub", "subnet_name": "office", "cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.1",
         "available_ips": ["10.0.0.50"], "available_count": 1}
    ]  # fmt: skip
    api.caller = Caller("eve", role="admin", projects=("p2",))
    assert api.ask("GET", "/restore/networks/net/available-ips").status_code == 404, "the network is another project's"
    assert api.ask("GET", f"/q/restore/addresses?cloud=lab&network=net&project={PROJECT}").status_code == 404
    api.caller = ANNA
    assert api.good("GET", "/restore/snapshots?tenant_name=shop")["items"][0]["snapshot_id"] == "snap-1"
    assert api.good("GET", "/q/restore/start?cloud=lab&region=one&id=old")["machine"]["key"] == ["lab", "one", "old"]


DOCUMENTED: list[tuple[str, str, Any, str]] = [
    ("GET", "/restore/snapshots?tenant_name=x", None, "read"),
    ("GET", f"/restore/vm/old/restore-points?project_id={PROJECT}", None, "read"),
    ("GET", "/restore/networks/net/available-ips", None, "read"),
    ("GET", "/restore/jobs", None, "read"),
    ("GET", "/restore/jobs/{id}", None, "read"),
    ("POST", "/restore/plan", BODY, "write"),
    ("POST", "/restore/execute", {"plan_id": "{id}"}, "write"),
    ("POST", "/restore/cancel/{id}", {}, "write"),
    ("POST", "/restore/jobs/{id}/cleanup", {}, "admin"),
    ("POST", "/restore/jobs/{id}/retry", {}, "admin"),
    ("POST", "/restore/jobs/{id}/cleanup-storage", None, "admin"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "level"), DOCUMENTED)
def test_each_route_is_off_where_restores_are_and_asks_for_its_permission(
    api: Api, method: str, path: str, body: Any, level: str
) -> None:
    id = api.planned()["id"]
    path = path.replace("{id}", id)
    body = {name: id if value == "{id}" else value for name, value in body.items()} if body else body
    for caller, levels in ((VIEWER, ("read",)), (ADMIN, ("read", "write"))):
        api.caller = caller
        assert (api.ask(method, path, body).status_code == 403) is (level not in levels)
    api.caller = ANNA
    api.world.settings = Settings(restore=Restore(enabled=False))
    answer = api.ask(method, path, body)
    assert (answer.status_code, "switched off" in answer.text) == (404, True)
    assert api.good("GET", "/restore/config")["enabled"] is False, "but this one answers"


def test_a_dry_run_answers_409(api: Api) -> None:
    made = api.planned()
    api.world.settings = Settings(restore=Restore(dry_run=True))
    assert api.ask("POST", "/restore/execute", {"plan_id": made["id"]}).status_code == 409
    assert api.world.jobs.page()[0] == 0


def test_the_switches_may_differ_by_cloud(api: Api) -> None:
    api.clouds = ("lab", "prod")
    own = CloudRules(restore=CloudRestore(dry_run=True))
    api.world.settings = Settings(clouds={"prod": own})
    general = {"enabled": True, "dry_run": False, "cleanup_volumes": False}
    assert api.good("GET", "/restore/config") == {**general, "clouds": {"prod": {**general, "dry_run": True}}}
    assert api.good("GET", "/restore/config?cloud=prod")["dry_run"] is True


def test_a_documented_plan_is_proven_as_the_settings_say(api: Api) -> None:
    api.world.settings = Settings(restore=Restore(prove_seconds=11, prove_console=("ready",), prove_command=("x",)))
    for mode, asks in (("NEW", False), ("REPLACE", True)):
        api.planned(mode)
        proven = api.world.planner.asked[-1].prove
        assert (proven.seconds, proven.console, proven.command, proven.ask) == (11, ("ready",), True, asks)


def test_where_there_are_several_clouds_a_documented_plan_names_one(api: Api) -> None:
    api.clouds = ("lab", "prod")
    answer = api.ask("POST", "/restore/plan", BODY)
    assert (answer.status_code, "lab, prod" in answer.text) == (422, True)
    assert api.good("POST", "/restore/plan", {**BODY, "cloud": "lab"})["cloud"] == "lab"
    api.caller = Caller("eve", role="admin", clouds=("lab",))
    assert api.good("POST", "/restore/plan", BODY)["cloud"] == "lab", "who sees one cloud has nothing to choose"


def test_a_machine_that_is_in_two_regions_has_to_be_named_with_one(api: Api) -> None:
    api.reads.places["old"] = [("lab", "one", "old"), ("lab", "two", "old")]
    assert api.ask("POST", "/q/restore/plans", {"server_id": "old"}).status_code == 422
    assert api.ask("POST", "/restore/plan", BODY).status_code == 422


def test_a_machine_that_is_in_two_clouds_has_to_be_named_with_one(api: Api) -> None:
    api.reads.places["old"] = [("lab", "one", "old"), ("prod", "one", "old")]
    assert api.ask("POST", "/restore/plan", BODY).status_code == 422
    assert api.good("POST", "/restore/plan?cloud=lab", BODY)["cloud"] == "lab"
    assert api.good("POST", "/restore/plan", {**BODY, "cloud": "lab", "region": "one"})["region"] == "one"


def test_a_machine_that_nobody_knows_is_not_found_unless_it_is_said_where_it_is(api: Api) -> None:
    body = {**BODY, "vm_id": "young"}
    assert api.ask("POST", "/restore/plan", body).status_code == 404
    assert api.ask("POST", "/restore/plan", {**body, "cloud": "nowhere"}).status_code == 404
    assert api.good("POST", "/restore/plan", {**body, "cloud": "lab"})["region"] == "one"
    api.caller = Caller("eve", role="admin", projects=(PROJECT,))
    assert api.ask("POST", "/restore/plan", {**body, "cloud": "lab"}).status_code == 404


def test_a_job_is_only_where_it_is(api: Api) -> None:
    id = api.planned()["id"]
    assert api.ask("GET", f"/restore/jobs/{id}?cloud=prod").status_code == 404
    assert api.ask("GET", f"/restore/jobs/{id}?cloud=lab&region=two").status_code == 404
    assert api.good("GET", f"/restore/jobs/{id}?cloud=lab&region=one")["id"] == id
    assert api.ask("GET", "/restore/jobs/unknown").status_code == 404
    assert api.ask("GET", "/restore/jobs/99").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {**BODY, "mode": "IN_PLACE"}, {**BODY, "ip_strategy": "ANY"}, {**BODY, "vm_id": "../x"}, {**BODY, "extra": 1},
        {**BODY, "manual_ips": {"net": "not an address"}}, {**BODY, "new_vm_name": "a\x1b[31m"},
        {"vm_id": "old"}, {**BODY, "restore_point_id": ""},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.ask("POST", "/restore/plan", body).status_code == 422


def test_our_plan_and_its_execution(api: Api) -> None:
    api.world.settings = Settings(restore=Restore(keep_days=3, prove_seconds=11))
    made = api.good("POST", "/q/restore/plans", {"server_id": "old", "way": "IN_PLACE", "disks": {"root": "point:s1"}})
    request = api.world.planner.asked[-1]
    assert (request.project_id, request.keep_days, request.prove.seconds, request.prove.ask) == (PROJECT, 3, 11, True)
    assert api.good("GET", f"/q/restore/plans/{made['id']}") == made
    body = {"reason": "r", "ticket": "t", "typed": "", "hash": made["hash"]}
    begun = api.good("POST", f"/q/restore/plans/{made['id']}/execute", body, 202)
    assert (begun["number"], begun["can"], begun["asks"]) == (1, ["cancel"], None)
    assert api.ask("POST", f"/q/restore/plans/{made['id']}/execute", body).json()["code"] == "executed"
