"""What is kept after restores: old machines, old volumes, copies of disks. Kept longer, let go of, removed.

When its time is over it is told, and nothing else happens, unless its restore was asked to delete it then. Removing
follows the rules of clean-up: what is certainly what it was, unused, and in its own project; and a machine only while
the one that took its place is there.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from engine.access.models import ENGINE, Caller
from engine.api.errors import ApiError, Conflict, NotFound
from engine.clouds.errors import CloudError
from engine.gate.models import Actor, Call, NoRole, SessionKind
from engine.gate.refusals import Refused
from engine.gate.rules import typable
from engine.jobs.looking import Looking
from engine.restore import rules, telling
from engine.restore.cleaning import GONE_SECONDS, wait_gone
from engine.restore.records import KEPT, RELEASED, REMOVED
from engine.restore.steps.attaching import DETACHES_SHELVED
from engine.restore.using import Get, Unsure, attachments, owner, port_list, read, volume_used
from engine.snapshots.models import AUTO_SNAPSHOT
from store.ops.errors import OpsError

if TYPE_CHECKING:
    from engine.audit.service import AuditService
    from engine.restore.cleaning import Gate
    from engine.restore.plans import Plans
    from engine.restore.records import Records
    from engine.restore.sources import Windows
    from store.ops.ops import Ops

Row = dict[str, Any]
LOOK_SECONDS = 60.0  # between two looks at what is due
AGAIN = timedelta(minutes=15)  # after a removal that did not work
# States of a kept machine in which nobody uses it.
ASLEEP = ("SHELVED", "SHELVED_OFFLOADED", "SHUTOFF", "ERROR")
OUR_LOCK = re.compile(r"\brestore job \d+")  # in the reason of the locks that restores put on (steps/old_machine.py)

_log = structlog.get_logger("qdeck.restore")


class Keeping:
    """See the module. Thread-safe; blocks as long as the cloud takes."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        records: Records,
        plans: Plans,
        gate: Gate,
        windows: Windows,
        visible: Callable[[Caller, str, str], bool],
        changed: Callable[[str, str], None],
        clock: Callable[[], datetime],
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """visible(caller, cloud, project id); changed(job id, cloud): something of that restore moved."""
        self._ops, self._audit, self._records, self._plans = ops, audit, records, plans
        self._gate, self._windows, self._visible, self._changed = gate, windows, visible, changed
        self._clock, self._sleep = clock, sleep
        self._looking = Looking("restore-keeping", self._look)
        self._one = threading.Lock()  # one removal at a time: what is looked at stays so

    # By itself

    def begin(self) -> None:
        """Start to look at what is due."""
        self._looking.begin()

    def close(self) -> None:
        """End it."""
        self._looking.close()

    def wake(self) -> None:
        """Look now."""
        self._looking.wake()

    def tick(self, now: datetime) -> list[str]:
        """Remove what is due and was asked to go then, on this thread; ids of what went. Raises OpsError."""
        gone = []
        for row in self._records.kept(due=now):
            waits = row["tried_at"] is not None and now - row["tried_at"] < AGAIN
            if row["at_end"] != "delete" or waits or self._looking.ending:
                continue
            try:
                self._remove(ENGINE, row, "its time is over, as was asked when it was restored")
                gone.append(row["id"])
            except (ApiError, CloudError, Unsure) as error:
                sentence = str(getattr(error, "detail", None) or error)
                self._records.change_kept(row["id"], problem=sentence[:2000], tried_at=now)
                self._changed(row["job_id"], row["cloud"])
        return gone

    def _look(self) -> float:
        try:
            self.tick(self._clock())
        except OpsError as error:
            _log.error("what restores keep could not be looked at", reason=str(error))
        except Exception:
            _log.exception("looking at what restores keep failed")
        return LOOK_SECONDS

    # For people

    def page(self, caller: Caller, *, state: str = KEPT, cloud: str = "", region: str = "") -> list[dict[str, Any]]:
        """What is kept, as GET /q/restore/kept answers it; what ends first before the rest."""
        now = self._clock()
        return [
            telling.kept(row, self._plans.row(row["job_id"]), now)
            for row in self._records.kept(state=state)
            if cloud in ("", row["cloud"])
            and region in ("", row["region"])
            and self._visible(caller, row["cloud"], row["project_id"])
        ]

    def extend(self, caller: Caller, id: str, days: int) -> dict[str, Any]:
        """Keep it so many days longer, from now on when its time is over. Raises NotFound, Conflict."""
        row = self._open(caller, id)
        until = max(row["until"] or self._clock(), self._clock()) + timedelta(days=days)
        detail = {"kept": id, "cloud": row["cloud"], "days": days, "job": row["job_id"]}
        with self._ops.begin() as connection:
            self._records.change_kept(id, connection, until=until, problem="", tried_at=None, changed_by=caller.name)
            self._audit.record(caller, "restore.kept_extend", _named(row), detail, connection=connection)
        return self._told(row)

    def release(self, caller: Caller, id: str, rename: bool = False) -> dict[str, Any]:
        """Keep it no longer and leave it where it is: a machine is unlocked, and gets its name back with `rename`.
        Policies see its volumes again as they did before.

        Raises NotFound, Conflict, Refused, and what the cloud does; then it is still kept.
        """
        row = self._open(caller, id)
        with self._one:
            retired = self._retired(row)
            if row["kind"] == "machine" or retired:
                self._windows.check(row["cloud"])
                try:
                    self._let_go(caller, row, rename, retired)
                finally:
                    self._gate.release({}, row["job_id"])
            self._settle(caller, row, RELEASED, "restore.kept_release", {"rename": rename})
        return self._told(row)

    def remove(self, caller: Caller, id: str, typed: str, reason: str = "") -> dict[str, Any]:
        """Delete it. Raises NotFound, Conflict, Refused, and what the cloud does; then it is still kept."""
        row = self._open(caller, id)
        own = self._windows.rules(row["cloud"])
        wanted = " ".join([*([row["cloud"]] if own.production else []), typable(row["name"], row["resource_id"])])
        if problem := rules.typed_problem(wanted, typed):
            raise Refused("typed", problem, typed=wanted)
        try:
            self._remove(caller, row, reason)
        except Unsure as error:
            raise Conflict(str(error)) from error
        return self._told(row)

    # Removing

    def _remove(self, caller: Caller, row: Row, reason: str) -> None:
        """Look, delete, and wait until it is gone. Raises Conflict with the reason to leave it, and what is sent."""
        self._windows.check(row["cloud"])
        with self._one:
            actor = self._actor(caller, row, "restore.kept_remove", reason)
            try:
                get = self._reader(row, actor)
                type = "server" if row["kind"] == "machine" else "volume"
                document = read(get, type, row["resource_id"])
                if document is not None:
                    if (its := owner(type, document)) != row["project_id"]:
                        raise Conflict(
                            f"{row['name']} belongs to the project {its or 'of nobody'} now: it is left alone"
                        )
                    if held := self._gate.held(type, (row["cloud"], row["region"], row["resource_id"])):
                        raise Conflict(f"{row['name']}: {held}")
                    {"machine": self._machine, "volume": self._volume, "disk_beside": self._copy}[row["kind"]](
                        actor, get, row, document
                    )
                    if not wait_gone(get, type, row["resource_id"], self._sleep):
                        raise Conflict(f"{row['name']} is being deleted, and still there after {GONE_SECONDS:g} s")
            finally:
                self._gate.release({}, row["job_id"])
            self._settle(caller, row, REMOVED, "restore.kept_remove", {"reason": reason})

    def _machine(self, actor: Actor, get: Get, row: Row, document: Mapping[str, Any]) -> None:
        name = row["name"]
        if document.get("status") not in ASLEEP:
            raise Conflict(f"{name} is {document.get('status')}: somebody uses it; release it instead")
        self._successor(get, row)
        for one in attachments(get, row["resource_id"]):
            if one.get("delete_on_termination") is not False:
                raise Conflict(f"the volume {one.get('volumeId')} would be deleted with {name}: detach it first")
        for port in port_list(get, row["resource_id"]):
            if self._made(row, str(port.get("id"))):
                raise Conflict(f"the port {port.get('id')} on {name} was made for its successor: take it off first")
        self._unlock(actor, row, document)
        self._send(actor, row, "DELETE", f"/servers/{row['resource_id']}", None, f"delete the old machine {name}")

    def _made(self, row: Row, id: str) -> bool:
        """Whether the restore made it."""
        return any(one["job_id"] == row["job_id"] for one in self._records.by_id(row["cloud"], row["region"], id))

    def _successor(self, get: Get, row: Row) -> None:
        """The machine that took its place has to be there. Raises Conflict."""
        made = self._records.found(row["job_id"], "server")
        new = read(get, "server", made["id"]) if made is not None and made["id"] else None
        if new is None or new.get("status") in ("ERROR", "DELETED", "BUILD"):
            word = "is not there" if new is None else f"is {new.get('status')}"
            raise Conflict(
                f"the machine that took the place of {row['name']} {word}: this may be all that is left of it"
            )

    def _volume(self, actor: Actor, get: Get, row: Row, document: Mapping[str, Any]) -> None:
        if problem := volume_used(get, document):
            raise Conflict(f"{row['name'] or row['resource_id']}: {problem}")
        self._send(
            actor, row, "DELETE", f"/volumes/{row['resource_id']}", None, f"delete the old volume {row['name']}",
        )  # fmt: skip

    def _copy(self, actor: Actor, get: Get, row: Row, document: Mapping[str, Any]) -> None:
        """A copy beside: only one that the job made, and attached to nothing but the machine that it was for."""
        id = row["resource_id"]
        if not self._made(row, id):
            raise Conflict(f"the records do not say that a restore made {row['name']}: it is left alone")
        servers = [str(one.get("server_id")) for one in document.get("attachments") or () if isinstance(one, Mapping)]
        for server in servers:
            # Or what took its place: a copy that was beside it is moved along like its other disks.
            line = {server, *self._records.before(row["cloud"], row["region"], server)}
            if not line & self._meant(row):
                raise Conflict(f"{row['name']} is attached to {server}, which it was not made for: it is left alone")
            path = f"/servers/{server}/os-volume_attachments/{id}"
            self._send(actor, row, "DELETE", path, None, f"detach {row['name']}", "server", server, at=DETACHES_SHELVED)
        if servers:
            document = self._at_rest(get, row)
        self._volume(actor, get, row, document)

    def _meant(self, row: Row) -> set[str]:
        """Ids of the machines that a copy was made for."""
        plan = (self._plans.row(row["job_id"]) or {}).get("content") or {}
        helper = plan.get("helper")
        return {str(helper[2])} if helper else {str(plan["machine"]["key"][2])} if plan else set()

    def _at_rest(self, get: Get, row: Row) -> Mapping[str, Any]:
        waited, pause = 0.0, 0.1
        while True:
            document = read(get, "volume", row["resource_id"])
            if document is None:
                raise Conflict(f"{row['name']} is gone")
            if not document.get("attachments") and document.get("status") == "available":
                return document
            if waited >= GONE_SECONDS:
                raise Conflict(f"{row['name']} is {document.get('status')}, and not detached after {GONE_SECONDS:g} s")
            self._sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, 3.0)

    def _let_go(self, caller: Caller, row: Row, rename: bool, retired: Sequence[Mapping[str, Any]]) -> None:
        """Unlock a kept machine, and name it as it was; have policies look after what may be used again."""
        actor = self._actor(caller, row, "restore.kept_release", "")
        get = self._reader(row, actor)
        if row["kind"] == "machine":
            self._free(actor, get, row, rename)
        for disk in retired:
            self._seen_again(actor, get, row, disk)

    def _free(self, actor: Actor, get: Get, row: Row, rename: bool) -> None:
        document = read(get, "server", row["resource_id"])
        if document is None:
            return
        if owner("server", document) != row["project_id"]:
            raise Conflict(f"{row['name']} belongs to another project now: it is left alone")
        path = f"/servers/{row['resource_id']}"
        self._unlock(actor, row, document)
        was = (self._plans.row(row["job_id"]) or {}).get("server_name") or ""
        if rename and was and document.get("name") != was:
            body = {"server": {"name": was}}
            self._send(actor, row, "PUT", path, body, f"give {row['name']} its name {was} back")

    def _retired(self, row: Row) -> list[Mapping[str, Any]]:
        """The disks that policies leave alone since they were replaced (steps/protecting.py), as they were planned."""
        disks = ((self._plans.row(row["job_id"]) or {}).get("content") or {}).get("disks") or ()
        found = [disk for disk in disks if disk.get("choice") == "restore_point" and disk.get("volume_id")]
        return [one for one in found if row["kind"] == "machine" or one["volume_id"] == row["resource_id"]]

    def _seen_again(self, actor: Actor, get: Get, row: Row, disk: Mapping[str, Any]) -> None:
        """Give a volume the word about policies back that it had, unless somebody has changed it since."""
        id, was = str(disk["volume_id"]), (disk.get("metadata") or {}).get(AUTO_SNAPSHOT)
        document = read(get, "volume", id)
        now = ((document or {}).get("metadata") or {}).get(AUTO_SNAPSHOT)
        if document is None or owner("volume", document) != row["project_id"] or now != "false" or now == was:
            return
        path, body = f"/volumes/{id}/metadata", {"metadata": {AUTO_SNAPSHOT: was}}
        what = f"have policies look after {disk.get('name') or id} again"
        if was is None:
            self._send(actor, row, "DELETE", f"{path}/{AUTO_SNAPSHOT}", None, what, "volume", id)
        else:
            self._send(actor, row, "POST", path, body, what, "volume", id)

    def _unlock(self, actor: Actor, row: Row, document: Mapping[str, Any]) -> None:
        """Take our lock off; raises Conflict for somebody else's."""
        if document.get("locked") is False:
            return
        reason = str(document.get("locked_reason") or "")
        if not OUR_LOCK.search(reason):
            raise Conflict(f"{row['name']} is locked by somebody else ({reason or 'no reason was given'})")
        path = f"/servers/{row['resource_id']}/action"
        # Whoever locked it as an administrator is the only one who may unlock it.
        self._send(actor, row, "POST", path, {"unlock": None}, f"unlock {row['name']}", session="admin")

    # Inside

    def _send(
        self, actor: Actor, row: Row, method: Any, path: str, body: Mapping[str, Any] | None, what: str, type: str = "",
        id: str = "", session: SessionKind = "tenant", at: str = "",
    ) -> None:  # fmt: skip
        service = "compute" if path.startswith("/servers") else "block-storage"
        kind = type or ("server" if service == "compute" else "volume")
        key = (row["cloud"], row["region"], id or row["resource_id"])
        call = Call(
            row["cloud"], row["region"], service, method, path, body, at, session=session, project_id=row["project_id"],
            what=what, key=key, type=kind,
        )  # fmt: skip
        self._gate.perform(actor, call)

    def _reader(self, row: Row, actor: Actor) -> Get:
        about = Call(
            row["cloud"], row["region"], "compute", "GET", "/servers", session="tenant", project_id=row["project_id"],
            what="look at what a restore keeps", type="server",
        )  # fmt: skip
        try:
            self._gate.hold_role(actor, about)
            return self._gate.reader(row["cloud"], row["region"], row["project_id"])
        except NoRole as error:
            raise Refused("no_role", str(error), command=error.command) from error

    @staticmethod
    def _actor(caller: Caller, row: Row, action: str, reason: str) -> Actor:
        return Actor(caller, rules.WRITE, action, plan_id=row["job_id"], job=row["job_id"], reason=reason)

    def _settle(self, caller: Caller, row: Row, state: str, action: str, more: Mapping[str, Any]) -> None:
        detail = {"kept": row["id"], "cloud": row["cloud"], "job": row["job_id"], **more}

        def act(connection: Any) -> None:
            self._records.change_kept(row["id"], connection, state=state, problem="", changed_by=caller.name[:255])
            self._audit.record(caller, action, _named(row), detail, connection=connection)

        self._ops.finish(act)
        self._changed(row["job_id"], row["cloud"])

    def _open(self, caller: Caller, id: str) -> Row:
        row = self._records.kept_row(id)
        if row is None or not self._visible(caller, row["cloud"], row["project_id"]):
            raise NotFound(f"nothing is kept under {id!r:.80}")
        if row["state"] != KEPT:
            raise Conflict(f"{row['name'] or row['resource_id']} is {row['state']} already")
        return row

    def _told(self, row: Row) -> dict[str, Any]:
        now = self._records.kept_row(row["id"]) or row
        return telling.kept(now, self._plans.row(row["job_id"]), self._clock())


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['cloud']} {row['kind']} {row['name'] or row['resource_id']}"
