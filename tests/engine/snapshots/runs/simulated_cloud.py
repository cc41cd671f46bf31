"""The cloud of the simulation: volumes, snapshots, machines and images, and what goes wrong with them."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.gate.models import Actor, Answer, Call
from engine.gate.refusals import NotDone
from engine.snapshots.models import POLICY, TOKEN


class Crash(BaseException):
    """The engine dies here."""


@dataclass
class Faults:
    """What goes wrong next: counted down at every point where something can."""

    crash_in: int | None = None
    refuse: list[str] = field(default_factory=list)  # of the next changes of the cloud: "500", "lost", "unsent"

    def point(self) -> None:
        """A place where the engine may die."""
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.crash_in = None
                raise Crash


@dataclass
class Cloud:
    """Volumes and snapshots. `made` and `removed`: what the engine did, in order."""

    faults: Faults
    clock: Callable[[], datetime]
    volumes: dict[str, dict[str, Any]] = field(default_factory=dict)
    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    servers: dict[str, dict[str, Any]] = field(default_factory=dict)
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    group_types: dict[str, dict[str, Any]] = field(default_factory=dict)
    group_snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    freezes: bool = True  # whether Nova makes images of machines
    cloned: set[str] = field(default_factory=set)
    limits: dict[str, int] = field(default_factory=dict)
    made: list[dict[str, Any]] = field(default_factory=list)
    removed: list[dict[str, Any]] = field(default_factory=list)
    on_remove: Callable[[dict[str, Any]], None] = lambda document: None
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def add_volume(self, size: int = 1, project: str = "p1", **more: Any) -> str:
        id = f"v{next(self.numbers)}"
        self.volumes[id] = {"id": id, "name": f"disk-{id}", "status": "available", "size": size, "project": project,
                            "volume_type": "ssd", "metadata": {}, "attachments": [], **more}  # fmt: skip
        return id

    def add_snapshot(self, volume: str, metadata: Mapping[str, str], **more: Any) -> dict[str, Any]:
        id = f"s{next(self.numbers)}"
        of = self.volumes[volume]
        made = {"id": id, "volume_id": volume, "status": "available", "size": of["size"], "project": of["project"],
                "name": f"snap-{id}", "metadata": dict(metadata), **more}  # fmt: skip
        self.snapshots[id] = made
        return made

    def add_server(self, volumes: list[str], **more: Any) -> str:
        """A machine that boots from the first of these volumes and uses the others."""
        id = f"m{next(self.numbers)}"
        attached = [{"id": one} for one in volumes]
        state = {"image": "", "status": "ACTIVE", "OS-EXT-STS:vm_state": "active"}
        of = {"id": id, "name": f"vm-{id}", "os-extended-volumes:volumes_attached": attached}
        self.servers[id] = {**of, **state, **more}
        for one in volumes:
            self.volumes[one] |= {"status": "in-use", "attachments": [{"server_id": id}]}
        return id

    def add_group(self, volumes: list[str], consistent: str = "<is> True", type_name: str = "ledger") -> str:
        """A group of these volumes, of a type of its own."""
        id, type = f"g{next(self.numbers)}", f"t{next(self.numbers)}"
        specs = {"consistent_group_snapshot_enabled": consistent}
        self.group_types[type] = {"id": type, "name": type_name, "group_specs": specs}
        self.groups[id] = {"id": id, "name": f"group-{id}", "status": "available", "group_type": type,
                           "volumes": list(volumes)}  # fmt: skip
        for one in volumes:
            self.volumes[one]["group_id"] = id
        return id

    def used(self, project: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for one in self.snapshots.values():
            if one["project"] == project:
                found["snapshots"] += 1
                found["gigabytes"] += one["size"]
        return found

    def get(
        self, service: str, path: str, microversion: str = "", query: Sequence[tuple[str, str]] = ()
    ) -> dict[str, Any] | None:
        self.faults.point()
        kind, _, id = path.strip("/").partition("/")
        if path == "/snapshots/detail":
            volume = dict(query)["volume_id"]
            return {"snapshots": [dict(one) for one in self.snapshots.values() if one["volume_id"] == volume]}
        if path == "/group_snapshots/detail":
            return {"group_snapshots": [dict(one) for one in self.group_snapshots.values()]}
        if path == "/images":
            token = dict(query)[TOKEN]
            return {"images": [dict(one) for one in self.images.values() if one.get(TOKEN) == token]}
        found = getattr(self, kind).get(id)
        return None if found is None else dict(found) if kind == "images" else {kind.rstrip("s"): dict(found)}

    def perform(self, actor: Actor, call: Call) -> Answer:
        assert actor.standing == "snapshots"
        assert call.session == "tenant" and call.project_id
        self.faults.point()
        refused = self.faults.refuse.pop(0) if self.faults.refuse else ""
        if refused == "500":
            raise NotDone("the cloud says 500", status=500)
        if refused == "unsent":
            raise NotDone("no answer; nobody knows whether it was done", uncertain=True)
        answer = self._create(call) if call.method == "POST" else self._delete(call)
        self.faults.point()
        if refused == "lost":
            raise NotDone("no answer; nobody knows whether it was done", uncertain=True)
        return answer

    def _create(self, call: Call) -> Answer:
        assert call.body is not None
        if "createImage" in call.body:
            return self._image(self.servers[call.path.split("/")[2]], call.body["createImage"])
        if call.path == "/group_snapshots":
            return self._group_snapshot(call, call.body["group_snapshot"])
        assert call.path == "/snapshots"
        body = call.body["snapshot"]
        volume = self.volumes.get(body["volume_id"])
        if volume is None:
            raise NotDone("no such volume", status=404)
        assert volume["project"] == call.project_id
        used = self.used(volume["project"])
        for name, needed in (("snapshots", 1), ("gigabytes", volume["size"])):
            limit = self.limits.get(f"{volume['project']}/{name}", -1)
            if limit >= 0 and used[name] + needed > limit:
                raise NotDone(f"quota of {name} exceeded", status=413)
        made = self.add_snapshot(volume["id"], body["metadata"], name=body["name"])
        self.made.append({**made, "policy": body["metadata"][POLICY], "token": body["metadata"][TOKEN]})
        return Answer(202, ("req-1",), {"snapshot": {**made, "status": "creating"}})

    def _image(self, server: dict[str, Any], asked: dict[str, Any]) -> Answer:
        if not self.freezes:
            raise NotDone("quiescing is not supported", status=409)
        volumes = [one["id"] for one in server["os-extended-volumes:volumes_attached"]]
        made = [self.add_snapshot(one, {}, created_at=f"2026-03-01T00:00:00.{place}00000")
                for place, one in enumerate(volumes)]  # fmt: skip
        self.made += made
        id = f"i{next(self.numbers)}"
        mapping = json.dumps([{"snapshot_id": one["id"], "boot_index": None} for one in made])
        self.images[id] = {"id": id, "status": "active", "block_device_mapping": mapping, **asked["metadata"]}
        return Answer(202, ("req-3",), {"image_id": id})

    def _group_snapshot(self, call: Call, asked: dict[str, Any]) -> Answer:
        assert call.microversion == "3.14" and call.creates
        group = self.groups[asked["group_id"]]
        sizes = [self.volumes[one]["size"] for one in group["volumes"]]
        limit = self.limits.get(f"{call.project_id}/snapshots", -1)
        if 0 <= limit < self.used(call.project_id)["snapshots"] + len(sizes):
            raise NotDone("SnapshotLimitExceeded: no quota left", status=413)
        id = f"gs{next(self.numbers)}"
        self.group_snapshots[id] = {"id": id, "status": "available", "project": call.project_id, **asked}
        self.made += [self.add_snapshot(one, {}, group_snapshot_id=id, name=asked["name"]) for one in group["volumes"]]
        return Answer(202, ("req-5",), {"group_snapshot": {"id": id, "name": asked["name"]}})

    def _delete(self, call: Call) -> Answer:
        id = call.path.rpartition("/")[2]
        if call.path.startswith("/group_snapshots/"):
            assert call.microversion == "3.14"
            self.removed.append(self.group_snapshots.pop(id))
            for one in [one for one in self.snapshots.values() if one.get("group_snapshot_id") == id]:
                self.removed.append(self.snapshots.pop(one["id"]))
            return Answer(202, ("req-6",))
        if call.service == "image":
            self.removed.append(self.images.pop(id))
            return Answer(204, ("req-4",))
        found = self.snapshots.get(id)
        if found is None:
            raise NotDone("gone", status=404)
        if found.get("group_snapshot_id"):
            raise NotDone("Snapshot status must be available and must not be part of a group", status=400)
        if id in self.cloned:
            raise NotDone("the snapshot has clones", status=400)
        self.on_remove(found)
        self.removed.append(self.snapshots.pop(id))
        return Answer(202, ("req-2",))
