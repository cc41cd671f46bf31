"""Machines of the lab that are restored by an engine which is killed and disturbed meanwhile: five at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from engine.process.models import Home
from engine.restore.models import JOB
from tests.contract.wire import Actor, wait_for
from tests.faults.restore_scene import QUICK, Scripted
from tests.faults.restoring import Doc, Tenant
from tests.faults.test_gate import patiently
from tests.live import comparing
from tests.live.comparing import Whole
from tests.live.keeping import REGION
from tests.live.machines import Machines
from tests.live.projects import Project
from tests.live.restoring import Outcome, roles
from tui.api.client import SyncClient

CLOUD = "lab"
REPLACED = ("replaced", "back", "disturbed")
# What happens to whose restore. The middle of a call: the cloud did it, and nobody saw the answer.
RULES: Mapping[str, dict[str, Any]] = {
    "replaced": {"kill": ["middle", "PARK_OLD_MACHINE before", "CREATE_SERVER before",
                          "MOVE_ADDRESSES after", "FINALIZE end"]},
    "rebuilt": {"kill": ["middle", "REBUILD_SERVER before"]},
    "copied": {"kill": ["middle", "CREATE_PORTS before"]},
    "back": {"cancel": "PROVE_IT_ANSWERS", "faults": {"500 done": "do"},
             "kill": ["undo middle", "UNDO_PARK before", "UNDO_ADDRESSES after"]},
    "disturbed": {"faults": dict.fromkeys(("503", "429", "no answer", "lost"), "all")},
}  # fmt: skip


class Yard(Machines):
    """The five, and a volume and a port that nobody restores."""

    def make(self) -> None:
        self.ground()
        kinds: list[Callable[[], None]] = [
            *(lambda kind=kind, last=last: self._to_replace(kind, last) for last, kind in enumerate(REPLACED, 60)),
            *(lambda kind=kind: self._plain(kind) for kind in ("rebuilt", "copied")),
        ]
        self._port(name="foreign")
        self.project.volume("foreign", 1)
        with ThreadPoolExecutor(len(kinds)) as pool:
            for done in [pool.submit(kind) for kind in kinds]:
                done.result()

    def _to_replace(self, kind: str, last: int) -> None:
        """Two ports, one of them Nova's, a floating IP, a data disk that stays."""
        address = f"10.98.0.{last}"
        given = self._port(
            name=f"{kind}-front", fixed_ips=[{"subnet_id": self.v4, "ip_address": address}, {"subnet_id": self.v6}]
        )
        data = [self.project.volume(f"{kind}-data", 1)["id"]]
        self._boot(kind, "debian-12", data, nics=[{"port": given}, {"uuid": self.second}])
        self._float(given, address)
        self._snapshots(kind, self.volumes[kind][:1])

    def _plain(self, kind: str) -> None:
        self._boot(kind, "debian-12", [self.project.volume(f"{kind}-data", 1)["id"]])
        self._snapshots(kind, self.volumes[kind])

    def wish(self, kind: str) -> Doc:
        """What is asked for, for the API."""
        body = {"cloud": CLOUD, "region": REGION, "project_id": self.project.id, "server_id": self.ids[kind], **QUICK}
        if kind in REPLACED:
            root, data = self.volumes[kind]
            disks = {root: f"point:{self.points[kind][root]}", data: "keep_current"}
            return body | {"way": "REPLACE", "ip_strategy": "SAME_IPS_OR_FAIL", "disks": disks}
        return body | ({"way": "IN_PLACE"} if kind == "rebuilt" else {"way": "NEW", "ip_strategy": "NEW_IPS"})


class LabTenant(Tenant):
    """What the lab has in all its projects."""

    def __init__(self, project: Project) -> None:
        self.admin, self.member, self.project = project.admin, project.member, project.id


class Killed(Scripted):
    """The restores, each with what its machine was before, and what it was when its job ended."""

    def __init__(self, home: Home, client: SyncClient, yard: Yard, user: str) -> None:
        super().__init__(home, client, LabTenant(yard.project))
        self.yard, self.user, self.admin = yard, user, yard.admin
        self.ended_as: dict[str, Outcome] = {}
        self.after: dict[str, Whole] = {}
        self.lent: list[str] = []
        self.seconds = 0.0

    def run(self) -> None:
        """Plan all, carry all out, and wait for their ends while the engine dies and comes back."""
        before = {kind: comparing.read(self.admin.get, id) for kind, id in self.yard.ids.items()}
        self.foreign = {type: set(rows) for type, rows in self.tenant.all().items()}
        plans = {kind: self._planned(kind) for kind in RULES}
        began = time.monotonic()
        jobs = {kind: self.ruled(plan, **RULES[kind]) for kind, plan in plans.items()}
        self.go()
        self.lent = wait_for(lambda: roles(self.admin, self.user, self.yard.project), bool, 120)
        for kind, id in jobs.items():
            self.ended_as[kind] = Outcome(before[kind], plans[kind], self.ended(id))
        self.seconds = time.monotonic() - began
        for kind, outcome in self.ended_as.items():
            new = outcome.made("server") if kind in ("replaced", "disturbed", "copied") else ""
            self.after[kind] = comparing.read(self.admin.get, new or self.yard.ids[kind])

    def _planned(self, kind: str) -> Doc:
        plan = patiently(lambda: self.client.post("/q/restore/plans", self.yard.wish(kind)))
        assert plan["eligible"], (kind, plan["problems"])
        return dict(plan)

    def of(self, kind: str, status: str) -> Outcome:
        """The restore, which has to have ended so."""
        found = self.ended_as[kind]
        assert found.job["status"] == status and not found.job["incomplete"], found.told()
        return found

    def places(self, what: str, kind: str = "", moments: Collection[str] = ()) -> list[list[str]]:
        """[step, call, moment or fault] of each kill or fault that there was; of one restore, of some moments."""
        job = self.ended_as[kind].job["id"] if kind else ""
        return [
            line[2:] for line in self.happened()
            if line[0] == what and job in ("", line[1]) and (not moments or line[4] in moments)
        ]  # fmt: skip

    def own(self) -> dict[str, dict[str, Doc]]:
        """{type: {id: document}} of what is in the project now, and was not before."""

        def mine(row: Doc) -> bool:
            owners = (row.get(name) for name in ("tenant_id", "project_id", "owner", "os-vol-tenant-attr:tenant_id",
                                                 "os-extended-snapshot-attributes:project_id"))  # fmt: skip
            return self.yard.project.id in owners and not str(row.get("device_owner")).startswith("network:")

        return {
            type: {id: row for id, row in rows.items() if id not in self.foreign[type] and mine(row)}
            for type, rows in self.tenant.all().items()
        }


def owners_job(port: Doc) -> str:
    """Id of the job whose tag a port carries; "" for none."""
    return next((tag.partition(":")[2] for tag in port.get("tags") or () if tag.startswith(f"{JOB}:")), "")


def addresses(actor: Actor, server: str) -> list[tuple[str, str]]:
    """(MAC, address) of all ports of a server."""
    ports = actor.get("network", f"/v2.0/ports?device_id={server}")["ports"]
    return sorted((port["mac_address"], fixed["ip_address"]) for port in ports for fixed in port["fixed_ips"])
