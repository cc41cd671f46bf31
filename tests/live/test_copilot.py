"""What the copilot answers over a real cloud is what the cloud's own services say at that moment."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import Caller
from engine.access.service import CALLER
from engine.app import create_app
from engine.process.control import Control
from engine.process.status import Status
from store import times
from tests.contract.operating import CLOUD, OPS, Operator
from tests.contract.wire import Actor, Login, rows_of
from tests.engine.api.furniture import client
from tests.lab import company, places
from tests.live.keeping import limit
from tests.live.lab_cloud import LabCloud
from tests.live.projects import COMPUTE, STORAGE, Project

pytestmark = pytest.mark.live
Row = dict[str, Any]
TENANT = "retail-web"
NAMED = f"{TENANT}-db-01"


def _stays(message: str) -> None:
    raise RuntimeError(message)


class Desk:
    """An engine that has collected the lab, whose API is asked."""

    def __init__(self, home: Path, auth: Row) -> None:
        self.operator = Operator(home, auth)
        self.began = times.utcnow()
        collections = self.operator.parts.collections
        for started in collections.start(clouds=[CLOUD], full=True):
            assert collections.wait(started["id"], 120)["ended_at"], "the collection did not end"
        self.ended = times.utcnow()
        control = Control(Status(home=str(home), socket="", demo=False), _stays)
        self.app = create_app(self.operator.parts, control)
        self._numbers = itertools.count()

    async def post(self, path: str, body: Row, caller: Caller = OPS) -> Row:
        """What a route answers."""
        async with client(self.app, {CALLER: caller}) as asking:
            answer = await asking.post(path, json=body)
        assert answer.status_code == 200, answer.text
        told: Row = answer.json()
        return told

    async def ask(self, question: str, caller: Caller = OPS) -> Row:
        """The answer to a question without any before it; it must be a sure one."""
        body = {"question": question, "conversation": str(next(self._numbers))}
        told = await self.post("/q/copilot/questions", body, caller)
        assert told["state"] == "done"
        answer: Row = told["answer"]
        assert answer["sure"], f"{question}: {answer['text']} {answer['understood']} {answer['unknown']}"
        return answer


class Truth:
    """What the services say now, to the administrator of the cloud or to somebody else."""

    def __init__(self, actor: Actor, every: str = "all_tenants=1&") -> None:
        self.actor, self._every = actor, every

    def servers(self) -> list[Row]:
        """Nova's."""
        return rows_of(self.actor.get("compute", f"/servers/detail?{self._every}limit=1000", COMPUTE))

    def server(self, name: str) -> Row:
        """The one of that name."""
        (found,) = (one for one in self.servers() if one["name"] == name)
        return found

    def volumes(self) -> list[Row]:
        """Cinder's."""
        return rows_of(self.actor.get("block-storage", f"/volumes/detail?{self._every}limit=1000", STORAGE))

    def projects(self) -> dict[str, str]:
        """Keystone's: name -> id."""
        return {one["name"]: one["id"] for one in rows_of(self.actor.get("identity", "/projects"))}

    def limits(self, project: str) -> Row:
        """Limits of Nova and Cinder, by their own names."""
        nova = self.actor.get("compute", f"/os-quota-sets/{project}", "2.90")["quota_set"]
        return nova | dict(self.actor.get("block-storage", f"/os-quota-sets/{project}", STORAGE)["quota_set"])


@pytest.fixture(scope="module")
def desk(lab: LabCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("home"), lab.entries["lab-admin"]["auth"])
    with made.operator:
        yield made


@pytest.fixture(scope="module")
def truth(lab: LabCloud) -> Truth:
    return Truth(lab.actor("lab-admin"))


def ids(answer: Row, type: str) -> set[str]:
    """What the rows of an answer are about."""
    assert {one["type"] for one in answer["table"]["keys"]} <= {type}
    return {one["key"][2] for one in answer["table"]["keys"]}


def as_column(answer: Row, name: str) -> list[Any]:
    """A column of the answer's rows."""
    return [row[name] for row in answer["table"]["rows"]]


async def test_machines_are_counted_as_nova_counts_them(desk: Desk, truth: Truth) -> None:
    servers = truth.servers()
    states = Counter(one["status"] for one in servers)
    assert states["SHUTOFF"] and states["ERROR"], "the lab has lost its machines"
    for question, number in (
        ("how many servers are there?", len(servers)),
        ("how many vms are stopped?", states["SHUTOFF"]),
        ("number of machines in error", states["ERROR"]),
        ("how many servers are running", states["ACTIVE"]),
        (f"how many vms does project {TENANT} have?", sum(one["name"].startswith(TENANT) for one in servers)),
    ):
        answer = await desk.ask(question)
        assert answer["value"] == number, f"{question}: {answer['text']}"
        assert str(number) in answer["text"]
        assert not answer["live"] and desk.began <= times.parse(answer["data_at"]) <= desk.ended


async def test_machines_of_each_project(desk: Desk, truth: Truth) -> None:
    names = {id: name for name, id in truth.projects().items()}
    expected = Counter(names[one["tenant_id"]] for one in truth.servers())
    answer = await desk.ask("vms per project")
    found = dict(zip(as_column(answer, "project_name"), as_column(answer, "#"), strict=True))
    assert found == expected
    broken = await desk.ask("which vms are in error")
    assert ids(broken, "server") == {one["id"] for one in truth.servers() if one["status"] == "ERROR"}


async def test_volumes_as_cinder_has_them(desk: Desk, truth: Truth) -> None:
    volumes = truth.volumes()
    loose = {one["id"] for one in volumes if not one["attachments"]}
    assert loose, "the lab has lost its volumes"
    assert (await desk.ask("how many volumes are not attached?"))["value"] == len(loose)
    assert ids(await desk.ask("list unattached volumes"), "volume") == loose
    total = await desk.ask("total size of all volumes")
    assert (total["value"], total["unit"]) == (sum(one["size"] for one in volumes), "GB")


async def test_one_machine_and_one_project(desk: Desk, truth: Truth) -> None:
    server = truth.server(NAMED)
    assert (await desk.ask(f"flavor of {NAMED}"))["value"] == server["flavor"]["original_name"]
    where = await desk.ask(f"where is {NAMED} running?")
    assert as_column(where, "host") == [server["OS-EXT-SRV-ATTR:host"]] and as_column(where, "host")[0] in where["text"]
    networks = rows_of(truth.actor.get("network", f"/v2.0/networks?project_id={server['tenant_id']}"))
    assert ids(await desk.ask(f"networks of project {TENANT}"), "network") == {one["id"] for one in networks} != set()


async def test_who_has_an_address_and_who_had_it(desk: Desk, truth: Truth, project: Project) -> None:
    server = truth.server(NAMED)
    (port,) = rows_of(truth.actor.get("network", f"/v2.0/ports?device_id={server['id']}"))
    answer = await desk.ask(f"who had {port['fixed_ips'][0]['ip_address']}?")
    assert NAMED in answer["text"]
    assert ("server", server["id"]) in {(one["type"], one["key"][2]) for one in answer["table"]["keys"]}
    body = {"name": "given-up", "network_id": project.network_id, "fixed_ips": [{"ip_address": "10.99.0.77"}]}
    gone = project.create("network", "/v2.0/ports", {"port": body})["port"]["id"]
    desk.operator.collect("project", "network", "subnet", "port")
    project.delete("network", f"/v2.0/ports/{gone}")
    desk.operator.collect("port")
    answer = await desk.ask("who had 10.99.0.77?")
    assert (
        answer["value"] is None and f"was port given-up, which nothing uses, on {project.name} until" in answer["text"]
    )
    assert gone in ids(await desk.ask("which ports were deleted in the last hour"), "port")


async def test_quota_is_asked_of_the_cloud_at_that_moment(desk: Desk, truth: Truth, project: Project) -> None:
    desk.operator.collect("project")
    asked = {"instances": "instances", "cores": "cores", "ram": "ram", "volumes": "volumes",
             "gigabytes": "gigabytes", "snapshots": "snapshots"}  # fmt: skip

    async def told() -> Row:
        answer = await desk.ask(f"quota of project {project.name}")
        assert answer["live"] and answer["queries"][0]["kind"] == "live"
        return dict(zip(as_column(answer, "resource"), as_column(answer, "limit"), strict=True))

    before, said = truth.limits(project.id), await told()
    assert {name: said[name] for name in asked} == {name: before[own] for name, own in asked.items()}
    body = {"quota_set": {"cores": before["cores"] + 3, "ram": before["ram"] + 512}}
    changed = project.admin("compute", f"/os-quota-sets/{project.id}", "PUT", json=body)
    assert changed.status_code == 200, changed.text
    limit(project, gigabytes=before["gigabytes"] + 77)
    now, said = truth.limits(project.id), await told()
    assert now["cores"] == before["cores"] + 3 and now["gigabytes"] == before["gigabytes"] + 77
    assert {name: said[name] for name in asked} == {name: now[own] for name, own in asked.items()}
    assert (await desk.ask(f"ram quota of {project.name}"))["value"] == now["ram"]


async def test_who_is_limited_to_a_project_sees_what_its_member_sees(desk: Desk, lab: LabCloud, truth: Truth) -> None:
    auth = lab.entries["lab-admin"]["auth"]
    login = Login(auth["auth_url"], f"{TENANT}-member", places.load_secrets()["member"], "retail", TENANT, "retail")
    own = Truth(Actor(login), "")
    caller = replace(OPS, name="tenant", uid=1001, role="viewer", projects=(truth.projects()[TENANT],))
    mine = {one["id"] for one in own.servers()}
    assert len(mine) == len(company.SERVERS[TENANT]) < len(truth.servers())
    assert (await desk.ask("how many servers are there?", caller))["value"] == len(mine)
    assert ids(await desk.ask("list vms", caller), "server") == mine
    assert ids(await desk.ask("list volumes", caller), "volume") == {one["id"] for one in own.volumes()}
    total = await desk.ask("total size of all volumes", caller)
    assert total["value"] == sum(one["size"] for one in own.volumes())
    other = "retail-pay-db-01"
    body = {"question": f"status of {other}"}
    told = (await desk.post("/q/copilot/questions", body, caller))["answer"]
    assert not told["sure"] and truth.server(other)["id"] not in str(told)
    assert truth.server(other)["status"] not in told["text"]
    body = {"question": "quota of project retail-pay"}
    told = (await desk.post("/q/copilot/questions", body, caller))["answer"]
    assert not told["sure"] and not told["live"] and told["table"] is None


async def test_an_action_is_proposed_and_not_done(desk: Desk, truth: Truth) -> None:
    name = f"{TENANT}-web-01"
    server = truth.server(name)
    done = f"/servers/{server['id']}/os-instance-actions"
    before = truth.actor.get("compute", done, COMPUTE)
    answer = await desk.ask(f"stop {name}")
    assert answer["outcome"] == "proposal"
    (form,) = (one for one in answer["proposals"] if one["kind"] == "prefill")
    assert (form["name"], form["keys"]) == ("server.stop", [[CLOUD, places.REGION, server["id"]]])
    assert truth.actor.get("compute", done, COMPUTE) == before
    assert (truth.server(name)["status"], truth.server(name)["updated"]) == ("ACTIVE", server["updated"])
    assert desk.operator.parts.jobs.page(OPS)[0] == 0


async def test_the_documented_route_and_going_on(desk: Desk, truth: Truth) -> None:
    machines = {one["name"]: one["status"] for one in truth.servers() if one["name"].startswith(TENANT)}
    count = await desk.post("/api/copilot/ask", {"question": "how many vms are there?"})
    assert (count["intent"], count["backend_used"]) == ("count_vms", "builtin")
    assert f"**{len(truth.servers())}**" in count["answer"] and not count["data_sent_external"]
    await desk.post("/api/copilot/ask", {"question": f"list vms in project {TENANT}"})
    fewer = await desk.post("/api/copilot/ask", {"question": "only the stopped ones"})
    assert {name for name in machines if name in fewer["answer"]} == {
        name for name, status in machines.items() if status == "SHUTOFF"
    }
