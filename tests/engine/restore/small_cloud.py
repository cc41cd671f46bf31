"""A cloud of plain documents for what is done after restores, which is the gate, too; and a plan to go with it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.gate.models import Actor, Answer, Call, Key
from engine.gate.refusals import NotDone, Refused
from engine.restore.models import MARK, Disk, FixedIp, Machine, Nic, Plan, Request, Source, Way
from engine.settings.cloud_rules import CloudRules

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
PROJECT, OTHER = "p1", "p2"
_PLURALS = {"servers": "server", "ports": "port", "volumes": "volume", "snapshots": "snapshot", "images": "image"}
Doc = dict[str, Any]


class Windows:
    """Read-only mode and rules, as a test sets them."""

    def __init__(self) -> None:
        self.closed = False
        self.own = CloudRules()

    def check(self, cloud: str) -> None:
        if self.closed:
            raise Refused("read_only", f"{cloud} is read-only")

    def rules(self, cloud: str) -> CloudRules:
        return self.own


class SmallCloud:
    """`docs[type][id]`; every change that was sent is in `sent` as "METHOD path"."""

    def __init__(self) -> None:
        self.docs: dict[str, dict[str, Doc]] = {type: {} for type in _PLURALS.values()}
        self.floating: list[Doc] = []
        self.attached: dict[str, list[Doc]] = {}
        self.sent: list[str] = []
        self.calls: list[Call] = []
        self.actors: list[Actor] = []
        self.released: list[str] = []
        self.holds: dict[str, str] = {}
        self.stays: set[str] = set()  # ids that a DELETE does not remove
        self.problems: dict[str, Exception] = {}  # by "METHOD path"
        self.windows = Windows()

    # What is there

    def server(self, id: str, token: str = "", **more: Any) -> str:
        self.docs["server"][id] = {
            "id": id, "name": id, "status": "ACTIVE", "tenant_id": PROJECT, "locked": False,
            "OS-EXT-STS:task_state": None, "metadata": {MARK: token} if token else {}, **more,
        }  # fmt: skip
        self.attached.setdefault(id, [])
        return id

    def volume(self, id: str, token: str = "", **more: Any) -> str:
        self.docs["volume"][id] = {
            "id": id, "name": id, "status": "available", "attachments": [], "os-vol-tenant-attr:tenant_id": PROJECT,
            "metadata": {MARK: token} if token else {}, **more,
        }  # fmt: skip
        return id

    def port(self, id: str, token: str = "", **more: Any) -> str:
        self.docs["port"][id] = {
            "id": id, "description": token, "device_id": "", "device_owner": "", "project_id": PROJECT,
            "tenant_id": PROJECT, "fixed_ips": [], **more,
        }  # fmt: skip
        return id

    def image(self, id: str, token: str = "", **more: Any) -> str:
        mark = {MARK: token} if token else {}
        self.docs["image"][id] = {
            "id": id, "name": id, "owner": PROJECT, "protected": False, "visibility": "private", "status": "active",
            **mark, **more,
        }  # fmt: skip
        return id

    def snapshot(self, id: str, volume: str, **more: Any) -> str:
        self.docs["snapshot"][id] = {
            "id": id, "volume_id": volume, "status": "available", "os-extended-snapshot-attributes:project_id": PROJECT,
            "metadata": {}, **more,
        }  # fmt: skip
        return id

    def attach(self, server: str, volume: str, with_it: bool = False) -> None:
        self.attached[server].append({"volumeId": volume, "delete_on_termination": with_it})
        self.docs["volume"][volume] |= {"status": "in-use", "attachments": [{"server_id": server}]}

    @property
    def ids(self) -> set[str]:
        return {id for found in self.docs.values() for id in found}

    # The gate

    def reader(self, cloud: str, region: str, project_id: str, kind: str = "tenant") -> Callable[..., Doc | None]:
        def get(service: str, path: str, microversion: str = "", query: Sequence[tuple[str, str]] = ()) -> Doc | None:
            if f"GET {path}" in self.problems:
                raise self.problems[f"GET {path}"]
            return copy.deepcopy(self._get(path, dict(query)))

        return get

    def _get(self, path: str, query: Mapping[str, str]) -> Doc | None:
        parts = path.strip("/").split("/")
        if parts == ["floatingips"]:
            return {"floatingips": [one for one in self.floating if one["port_id"] == query["port_id"]]}
        if len(parts) == 3 and parts[2] == "os-volume_attachments":
            return {"volumeAttachments": self.attached.get(parts[1], [])}
        type = _PLURALS[parts[0]]
        if len(parts) == 2 and parts[1] != "detail":
            found = self.docs[type].get(parts[1])
            return None if found is None else found if type == "image" else {type: found}
        rows = list(self.docs[type].values())
        for name, field in (("volume_id", "volume_id"), ("device_id", "device_id"), ("description", "description")):
            rows = [row for row in rows if row.get(field) == query[name]] if name in query else rows
        if "image" in query:
            rows = [row for row in rows if (row.get("image") or {}).get("id") == query["image"]]
        if MARK in query:
            rows = [row for row in rows if row.get(MARK) == query[MARK]]
        if type == "image" and "name" in query:
            rows = [row for row in rows if row["name"] == query["name"]]
        return {parts[0]: rows}

    def perform(self, actor: Actor, call: Call) -> Answer:
        self.windows.check(call.cloud)
        what = f"{call.method} {call.path}"
        assert "cascade" not in what and "force" not in str(call.body), "nothing is forced"
        assert actor.job, "only a job's own calls are lent a role"
        if what in self.problems:
            raise self.problems[what]
        self.sent.append(what)
        self.calls.append(call)
        self.actors.append(actor)
        if found := re.fullmatch(r"DELETE /servers/([^/]+)/os-volume_attachments/(.+)", what):
            server, volume = found.groups()
            self.attached[server] = [one for one in self.attached[server] if one["volumeId"] != volume]
            self.docs["volume"][volume] |= {"status": "available", "attachments": []}
        elif found := re.fullmatch(r"DELETE /volumes/(.+)/metadata/(.+)", what):
            del self.docs["volume"][found[1]]["metadata"][found[2]]
        elif found := re.fullmatch(r"POST /volumes/(.+)/metadata", what):
            self.docs["volume"][found[1]]["metadata"] |= (call.body or {})["metadata"]
        elif found := re.fullmatch(r"DELETE /(\w+)/(.+)", what):
            self._remove(_PLURALS[found[1]], found[2])
        elif call.body == {"unlock": None}:
            self.docs["server"][call.path.split("/")[2]]["locked"] = False
        elif call.method == "PUT":
            self.docs["server"][call.path.split("/")[2]] |= (call.body or {})["server"]
        else:
            raise AssertionError(f"the small cloud does not know {what}")
        return Answer(202)

    def _remove(self, type: str, id: str) -> None:
        if id not in self.docs[type]:
            raise NotDone("not found", status=404)
        if id in self.stays:
            return
        del self.docs[type][id]
        if type == "server":
            for one in self.attached.pop(id, []):
                self.docs["volume"][one["volumeId"]] |= {"status": "available", "attachments": []}
            for port in self.docs["port"].values():
                if port["device_id"] == id:
                    port |= {"device_id": "", "device_owner": ""}

    def hold_role(self, actor: Actor, call: Call) -> None:
        assert actor.job and call.project_id == PROJECT

    def held(self, type: str, key: Key) -> str | None:
        return self.holds.get(key[2])

    def release(self, plan: Mapping[str, Any], job_id: str) -> None:
        self.released.append(job_id)


def plan(way: Way = "NEW", **more: Any) -> Plan:
    """The restore j1 of the machine old, which boots from the volume root and has the volume data and the port nic."""
    machine = Machine(("lab", "one", "old"), "web-1", PROJECT, status="ACTIVE", vm_state="active")
    source = Source("snapshot", "snap-1", volume_id="root", project_id=PROJECT, status="available", taken_at=NOW)
    disks = (
        Disk("root", root=True, source=source),
        Disk("data", order=1, choice="keep_current"),
    )
    given: dict[str, Any] = {
        "id": "j1", "way": way, "machine": machine, "created_at": NOW, "expires_at": NOW + timedelta(minutes=30),
        "request": Request(PROJECT, "old", "lab", "one", way), "eligible": True, "point": source, "disks": disks,
        "nics": (Nic("nic", "net", fixed=(FixedIp("10.0.0.5", "sub"),)),), "new_name": "web-1", "hash": "h" * 64,
        "phrase": "DELETE AND RESTORE web-1" if way == "REPLACE" else None,
    }  # fmt: skip
    return Plan(**(given | more))
