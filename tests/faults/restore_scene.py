"""Many restores at once of machines in a demo cloud, by an engine with a script, and what must hold of all of them."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.process.models import Home
from tests.engine.process.running import Engine, wait_for
from tests.faults.restoring import Doc, Machine, Tenant, marked
from tests.faults.test_gate import patiently
from tui.api.client import SyncClient
from tui.api.errors import EngineUnavailable

ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "INTERRUPTED")
QUICK = {"prove": {"seconds": 5, "ask": False}}

# name: how the machine boots, and what is asked for
VARIANTS: Mapping[str, tuple[str, Doc]] = {
    "NEW": ("volume", {"way": "NEW"}),
    "NEW of an image": ("image", {"way": "NEW"}),
    "REPLACE": ("volume", {"way": "REPLACE", "ip_strategy": "SAME_IPS_OR_FAIL"}),
    "REPLACE with new addresses": ("volume", {"way": "REPLACE", "ip_strategy": "NEW_IPS"}),
    "REPLACE of an image": ("image", {"way": "REPLACE", "ip_strategy": "TRY_SAME_IPS"}),
    "IN_PLACE": ("volume", {"way": "IN_PLACE"}),
    "IN_PLACE of an image": ("image", {"way": "IN_PLACE"}),
    "DISK_BESIDE": ("volume", {"way": "DISK_BESIDE"}),
    "DATA_VOLUME_BACK": ("volume", {"way": "DATA_VOLUME_BACK"}),
    "DATA_VOLUME_BACK, stopped": ("image", {"way": "DATA_VOLUME_BACK", "stop": True}),
}


class Scripted:
    """Restores by an engine with a script, and a cloud that outlives every engine, as `tenant` sees it."""

    def __init__(self, home: Home, client: SyncClient, tenant: Tenant) -> None:
        self.home, self.client, self.tenant = home, client, tenant
        self.script: dict[str, dict[str, Any]] = {name: {} for name in ("go", "kill", "faults", "refuse", "cancel")}
        self.foreign: dict[str, set[str]] = {}
        self.between = threading.Event()
        self.noted: set[str] = set()  # ids of what the records have as made by jobs

    def execute(self, plan: Doc) -> str:
        """Carry it out; the job's id."""
        body = {"reason": "this is tried", "ticket": "", "typed": plan["requires"]["typed"] or "", "hash": plan["hash"]}
        return str(self.client.post(f"/q/restore/plans/{plan['id']}/execute", body)["job_id"])

    def go(self, on: bool = True) -> None:
        """From now on workers are killed, or no more."""
        self.script["go"] = {"go": on}
        self.write()

    def ruled(self, plan: Doc, **rules: Any) -> str:
        """Put the rules on the script, carry the plan out; the job's id."""
        for name, rule in rules.items():
            self.script[name][plan["id"]] = rule
        self.write()
        return self.execute(plan)

    def write(self) -> None:
        """The script, whole at any moment."""
        file = self.home.path / "script.json"
        file.with_suffix(".new").write_text(json.dumps(self.script))
        file.with_suffix(".new").rename(file)

    def job(self, id: str) -> Doc:
        """As the API tells it."""
        return dict(patiently(lambda: self.client.get(f"/q/restore/jobs/{id}")))

    def ended(self, id: str, seconds: float = 600.0) -> Doc:
        """The job once it has ended."""

        def look() -> Any:
            with contextlib.suppress(EngineUnavailable):
                found = self.client.get(f"/q/restore/jobs/{id}")
                if found["status"] in ENDED:
                    return found
            self.between.wait(0.2)  # asked all the time, the engine would have little time for anything else
            return None

        return dict(wait_for(look, seconds))

    def happened(self) -> list[list[str]]:
        """What the script did, one line each."""
        file = self.home.path / "happened"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def nothing_is_lost(self, jobs: Sequence[str]) -> None:
        """What carries a mark is noted, and there once; nothing that others made is gone."""
        there = self.tenant.all()
        for type, ids in self.foreign.items():
            assert ids <= set(there[type]), f"a {type} that no job made is gone"
        self.noted |= {row["id"] for job in jobs for row in self.job(job)["resources"] if row["id"]}
        for type, rows in there.items():
            marks = [marked(row) for id, row in rows.items() if id not in self.foreign.get(type, ())]
            twice = [mark for mark, count in Counter(mark for mark in marks if mark).items() if count > 1]
            assert not twice, f"a {type} was made twice: {twice}"
            for id, row in rows.items():
                if marked(row) and id not in self.foreign.get(type, ()):
                    assert id in self.noted, f"the {type} {row.get('name')} is no job's"


class Scene(Scripted):
    """The machines of a demo cloud, and what is asked of them."""

    def __init__(self, home: Home, client: SyncClient, tenant: Tenant) -> None:
        super().__init__(home, client, tenant)
        self.free: dict[str, list[Machine]] = {}
        self.variants: dict[str, str] = {}  # {job: variant}

    # Machines

    def machine(self, variant: str) -> Machine:
        """One that no job works on, as it was made."""
        boot = VARIANTS[variant][0]
        waiting = self.free.setdefault(boot, [])
        return waiting.pop() if waiting else self.tenant.machine(boot=boot)

    def give_back(self, variant: str, machine: Machine) -> None:
        """It is as it was: another restore may have it."""
        self.free[VARIANTS[variant][0]].append(machine)

    def portrait(self, machine: Machine) -> Doc:
        """All of a machine that a restore which failed must have given back."""
        server = self.tenant.server(machine.server)
        names = ("id", "name", "status", "locked", "user_id", "tenant_id", "metadata", "description")
        volumes = [self.tenant.volume(id) for id in machine.volumes]
        attached = self.tenant.get("compute", f"/servers/{machine.server}/os-volume_attachments", "2.89")
        ports = self.tenant.ports_of(machine.server)
        return {
            "server": {name: server.get(name) for name in names},
            "image": (server.get("image") or {}).get("id") if isinstance(server.get("image"), dict) else "",
            "volumes": [(one.get("id"), one.get("status"), len(one.get("attachments") or ())) for one in volumes],
            "attachments": sorted(
                (one["volumeId"], bool(one.get("delete_on_termination"))) for one in attached["volumeAttachments"]
            ),
            "ports": sorted((one["id"], one["mac_address"], one["description"]) for one in ports),
            "addresses": sorted(self.tenant.addresses(machine.server)),
        }

    # Restores

    def plan(self, machine: Machine, variant: str) -> Doc:
        """A plan that can be carried out."""
        asked = {**VARIANTS[variant][1], **QUICK}
        body = {"cloud": "demo", "project_id": self.tenant.project, "server_id": machine.server, **asked}
        if asked["way"] == "DATA_VOLUME_BACK":
            body["volume_id"] = machine.volumes[-1]
        plan = patiently(lambda: self.client.post("/q/restore/plans", body))
        assert plan["eligible"], (variant, plan["problems"])
        return dict(plan)

    def begin(self, machine: Machine, variant: str, **rules: Any) -> str:
        """Plan, put the rules on the script, execute."""
        plan = self.plan(machine, variant)
        self.variants[plan["id"]] = variant
        return self.ruled(plan, **rules)

    def calls(self) -> dict[str, list[list[str]]]:
        """{variant: [[step, call] ...]} of what its restores changed in the cloud on their way there."""
        found: dict[str, list[list[str]]] = {}
        for kind, job, step, call, *_ in (one for one in self.happened() if len(one) >= 4):
            own = found.setdefault(self.variants[job], [])
            if kind in ("kill", "fault") and call and not step.startswith("UNDO_") and [step, call] not in own:
                own.append([step, call])
        return found

    def steps(self) -> dict[str, list[str]]:
        """{variant: names of the steps that its restores did, up to the one after the commit}."""
        found = {}
        for job, variant in self.variants.items():
            names = [step["name"] for step in self.job(job)["steps"] if step["phase"] == "do"]
            commit = self.client.get(f"/q/restore/plans/{job}")["commit"]
            found[variant] = names[: names.index(commit) + 2]
        return found

    # What must hold

    def plant(self, job: str) -> None:
        """What looks like the job's own: the same names and marks, in its project and in another."""
        for row in self.job(job)["resources"]:
            if row["type"] != "volume" or not row["id"]:
                continue
            like = self.tenant.volume(row["id"])
            body = {"volume": {"size": 1, "name": row["name"], "metadata": like.get("metadata") or {}}}
            for actor in (self.tenant.member, self.tenant.admin):
                answer = actor("block-storage", "/volumes", "POST", json=body)
                assert answer.status_code == 202, answer.text
                self.foreign["volume"].add(answer.json()["volume"]["id"])

    def nothing_is_left(self, jobs: Sequence[str]) -> None:
        """Clean-up took all that the jobs made but their safety snapshots, which are restore points."""
        there = self.tenant.all()
        for job in jobs:
            for row in self.job(job)["resources"]:
                if row["id"] and row["id"] in there.get(row["type"], {}):
                    assert row["purpose"].startswith("safety:"), f"{row['purpose']} of a failed job is still there"


@contextlib.contextmanager
def running(
    home: Home, clouds_yaml: Path, account: str = "demo", cloud: str = "demo", **env: str
) -> Iterator[SyncClient]:
    """An engine with a script that may change the cloud, and lend itself a role there."""
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = home.path / "qdeck.toml"
    file.write_text(f"[clouds.{cloud}]\ngrant_member = true\n[restore]\nstop_seconds = 60\n")
    file.chmod(0o600)
    env["QDECK_TEST_SCRIPT"] = str(home.path)
    one = Engine(home, application="tests.faults.restore_app", env=env)
    try:
        one.until_running()
        with one.client() as client:
            client.post("/q/clouds", {"account": account, "name": cloud, "file": str(clouds_yaml)})
            client.post(f"/q/writes/{cloud}", {"minutes": 240, "reason": "this is tried"})
            yield client
    finally:
        one.close()


def collect(client: SyncClient, *types: str) -> None:
    """Read all of the cloud, or of some types."""
    (started,) = client.post("/q/collections", {"full": True} | ({"types": list(types)} if types else {}))["items"]
    wait_for(lambda: client.get(f"/q/collections/{started['id']}")["ended_at"], 120)


def prepared(scene: Scene, variants: Sequence[str]) -> dict[str, Machine]:
    """A machine for each."""
    return {variant: scene.machine(variant) for variant in variants}


def failures(job: Doc) -> list[str]:
    return [f"{step['name']}: {step['detail']}" for step in job["steps"] if step["status"] == "FAILED"]


def restarts(scene: Scripted) -> int:
    return int(patiently(lambda: scene.client.get("/q/engine"))["restarts"])


def worked(scene: Scene, variant: str, machine: Machine, before: Doc, job: Doc) -> None:
    """The machine is what the restore was for."""
    way = VARIANTS[variant][1]["way"]
    made = {row["purpose"]: row["id"] for row in job["resources"] if row["state"] == "handed_over"}
    now = scene.portrait(machine)
    if way == "NEW":
        assert now == before
        assert scene.tenant.server(made["server"])["status"] == "ACTIVE"
    elif way == "REPLACE":
        new = scene.tenant.server(made["server"])
        assert new["status"] == "ACTIVE" and new["name"] == machine.name
        old = now["server"]
        # Stopped where the machine boots from an image, or where shelving was refused.
        assert old["status"] in ("SHELVED_OFFLOADED", "SHUTOFF")
        # What is refused after the commit is told, and nothing is taken back for it.
        assert failures(job) or (old["locked"] and old["name"] != machine.name)
        if VARIANTS[variant][1]["ip_strategy"] != "NEW_IPS":
            assert sorted(scene.tenant.addresses(made["server"])) == before["addresses"]
            assert not now["addresses"]
    elif way == "IN_PLACE":
        assert {**now, "image": ""} == {**before, "image": ""}
    else:
        assert now["server"] == before["server"]
        assert scene.tenant.volume(next(id for purpose, id in made.items() if purpose.startswith("volume:")))[
            "attachments"
        ]
