"""A machine's volumes as one restore point, made by Cinder: one snapshot of the group that they are in.

Only where the policy names a group type, and all of the machine's volumes, and no others, are in one group of that
type. Whoever owns the volumes made the group: nothing here makes one, or puts a volume into one. Until it is made the
register has such a point with the kind "group"; its members are then snapshots that have the group snapshot's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.gate.refusals import NotDone, Refused
from engine.snapshots import group_snapshots, making
from engine.snapshots.models import Volume
from engine.snapshots.runs.creating import (
    AGAIN_SECONDS,
    FORESEEN,
    LOST_SECONDS,
    Creator,
    over_quota,
    ready,
)
from engine.snapshots.runs.machines import CONFLICT
from engine.snapshots.runs.steps import NotMade, Work

if TYPE_CHECKING:
    from engine.snapshots.runs.register import Register
    from engine.snapshots.runs.sources import Gate
    from store.ops.ops import Ops

KIND = "group"
# Cinder does not take this group as it is: the volumes can still be taken otherwise.
_NOT_SO = (400, 404, 405, 406, 409)


class Groups:
    """Thread-safe."""

    def __init__(self, ops: Ops, register: Register, creator: Creator, gate: Gate) -> None:
        self._ops, self._register, self._creator, self._gate = ops, register, creator, gate

    def fits(self, work: Work, volumes: list[Volume]) -> bool:
        """Whether they are one group of the type that the policy names; why not is in `work.ungrouped`."""
        wanted = str(work.step.args.get("group_type") or "")
        if not wanted or not work.machine:
            return False
        try:
            work.group = self._group(work, volumes, wanted)
        except FORESEEN as problem:
            work.ungrouped = f"no group snapshot: {getattr(problem, 'detail', None) or problem}"
            return False
        return True

    def begun(self, work: Work) -> bool:
        """Whether an earlier attempt of this step asked for a group snapshot."""
        return any(row["kind"] == KIND and row["state"] == "begun" for row in self._register.of_token(work.token))

    def make(self, work: Work, volumes: list[Volume]) -> None:
        """Make the group snapshot, or find what an earlier attempt made. Raises NotMade, and what the gate does."""
        found = None
        if self.begun(work):
            found = work.context.wait(lambda: group_snapshots.find(work.get, work.token), AGAIN_SECONDS)
            if found is None and not self.fits(work, volumes):
                self._creator.unsent(work)
                raise NotMade(CONFLICT, work.ungrouped)
        at = self._begin(work, volumes)
        id = self._ask(work, volumes, at) if found is None else str(found["id"])
        document = self._ready(work, id)
        self._settle(work, volumes, document)

    def left_over(self, work: Work, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """A volume's row of an earlier step that never heard what came of it: as it is now, None for no point."""
        found = group_snapshots.find(work.get, row["token"])
        part = found and group_snapshots.member(work.get, str(found["id"]), row["volume_id"])
        if not found or not part:
            self._ops.finish(lambda c: self._register.failed(c, row["token"], "it was never made", row["volume_id"]))
            return None
        if str(found.get("status") or "").lower() != "available":
            return None
        facts = _facts(found)
        self._ops.finish(lambda c: self._register.made(c, row["token"], row["volume_id"], str(part["id"]), **facts))
        return {**row, "state": "made", "point_id": str(part["id"]), **facts}

    # Whether

    def _group(self, work: Work, volumes: list[Volume], wanted: str) -> str:
        """The id of the group. Raises NotMade, and what reading does."""
        attached = {str(one.get("id")) for one in work.server.get("os-extended-volumes:volumes_attached") or ()}
        ids = {volume.id for volume in volumes}
        if attached != ids or len(volumes) != len(work.volumes):
            raise NotMade(CONFLICT, "not all volumes of the machine get a point now")
        if any(row["state"] == "begun" and row["kind"] != KIND for row in self._register.of_token(work.token)):
            raise NotMade(CONFLICT, "an earlier attempt asked for its volumes otherwise")
        id = group_snapshots.group_of(work.get, volumes[0].id)
        document = group_snapshots.group(work.get, id) if id else None
        if document is None:
            raise NotMade(CONFLICT, f"the volume {volumes[0].name or volumes[0].id} is in no group")
        said = str(document.get("name") or id)
        if {str(one) for one in document.get("volumes") or ()} != ids:
            raise NotMade(CONFLICT, f"the group {said} is not exactly the volumes of the machine")
        if document.get("status") != "available":
            raise NotMade(CONFLICT, f"the group {said} is {document.get('status') or 'in an unknown state'}")
        self._type(work, said, str(document.get("group_type") or ""), wanted)
        return id

    def _type(self, work: Work, group: str, id: str, wanted: str) -> None:
        """Raises NotMade unless the group's type is the one that is wanted, and takes all at one instant."""
        # Cinder shows the specs of a type to administrators alone, so they are read with the account's widest token.
        get = self._gate.reader(work.cloud, work.region, work.project_id, "read")
        document = group_snapshots.group_type(get, id) if id else None
        if document is None or wanted not in (document.get("id"), document.get("name")):
            name = (document or {}).get("name") or id or "none"
            raise NotMade(CONFLICT, f"the group {group} has the type {name}, not {wanted}")
        specs = document.get("group_specs")
        if not isinstance(specs, Mapping):
            raise NotMade(CONFLICT, f"whether the group type {wanted} is consistent is shown to administrators alone")
        if not group_snapshots.is_consistent(specs):
            raise NotMade(CONFLICT, f"the group type {wanted} does not say {group_snapshots.CONSISTENT} = <is> True")

    # Making

    def _begin(self, work: Work, volumes: list[Volume]) -> datetime:
        """Note the point of each volume before Cinder is asked; answers when that was."""
        known = [row for row in self._register.of_token(work.token) if row["state"] == "begun"]
        at: datetime = known[0]["taken_at"] if known else self._creator.clock()
        first = volumes[0]
        facts = {"policy": work.policy, "occurrence": work.occurrence, "run_id": work.run["id"], "taken_at": at,
                 "server_id": work.step.args["server_id"], "kind": KIND}  # fmt: skip
        name = self._name(work, first, at)
        rows = [{"volume_id": volume.id, "size_gb": volume.size_gb, "name": name} for volume in volumes]
        place = (first.cloud, first.region, first.project_id)
        with self._ops.begin() as connection:
            fine = self._register.begin(connection, work.token, place, rows, **facts)
        if not fine:
            raise NotMade("made", "has a restore point of this occurrence already")
        return at

    def _name(self, work: Work, volume: Volume, at: datetime) -> str:
        server = str(work.server.get("name") or volume.server_name)
        return making.snapshot_name(work.policy, at, tenant=volume.project_name, server=server)

    def _ask(self, work: Work, volumes: list[Volume], at: datetime) -> str:
        first = volumes[0]
        server = (first.cloud, first.region, str(work.step.args["server_id"]))
        name = self._name(work, first, at)
        call = group_snapshots.create(server, first.project_id, work.group, name, work.policy, work.token)
        try:
            answer = work.perform(call)
        except NotDone as error:
            return self._unheard(work, error)
        except FORESEEN:  # nothing was sent
            self._creator.unsent(work)
            raise
        work.request_ids.extend(answer.request_ids)
        made = answer.document.get("group_snapshot")
        id = made.get("id") if isinstance(made, Mapping) else None
        id = id or (group_snapshots.find(work.get, work.token) or {}).get("id")
        if not id:
            raise NotMade("failed", "Cinder took the request and did not say which group snapshot it makes")
        return str(id)

    def _unheard(self, work: Work, error: NotDone) -> str:
        """Cinder refused it, or no answer came: then what there is says whether it was made."""
        if error.uncertain:
            found = work.context.wait(lambda: group_snapshots.find(work.get, work.token), LOST_SECONDS)
            if found is not None:
                return str(found["id"])
            # It may still come: the register keeps it as begun, and the volumes' next step looks for it.
            raise NotMade("failed", error.detail) from error
        if over_quota(error):
            self._creator.give_up(work, error.detail)
            raise NotMade("quota", error.detail) from error
        if error.cloud_status in _NOT_SO:
            self._creator.unsent(work)
            work.ungrouped = f"no group snapshot: {error.detail}"
            raise NotMade(CONFLICT, error.detail) from error
        self._creator.give_up(work, error.detail)
        raise NotMade("failed", error.detail) from error

    def _ready(self, work: Work, id: str) -> dict[str, Any]:
        """The group snapshot's document once it can be used. Raises NotMade."""
        document = ready(work, lambda: group_snapshots.show(work.get, id), f"the group snapshot {id}")
        if document.get("status") != "available":
            raise self._broken(work, id, document)
        return document

    def _broken(self, work: Work, id: str, document: Mapping[str, Any]) -> NotMade:
        """Our own attempt, of no use to anybody: it goes, so that it takes no quota."""
        why = f"Cinder made the group snapshot {id}, and it is {document.get('status')}"
        if document.get("status") == "error" and group_snapshots.has_token(document, work.token):
            try:
                work.perform(group_snapshots.delete((work.cloud, work.region, id), work.project_id))
            except Refused as error:
                why += f" (it could not be removed: {error.detail})"
        self._creator.give_up(work, why)
        return NotMade("failed", why)

    def _settle(self, work: Work, volumes: list[Volume], document: Mapping[str, Any]) -> None:
        """Note the member of each volume that was asked for, also of one that is left out by now: it is there."""
        id, facts = str(document["id"]), _facts(document)
        asked = [row["volume_id"] for row in self._register.of_token(work.token)]
        parts = {volume: group_snapshots.member(work.get, id, volume) for volume in asked}
        run, records = work.run, self._creator.records

        def act(connection: Any) -> None:
            for volume, part in parts.items():
                if part is None:
                    self._register.failed(connection, work.token, "not in the group snapshot", volume)
                    continue
                name = str(part.get("name") or "")
                self._register.made(connection, work.token, volume, str(part["id"]), **facts, name=name)
            for volume in volumes:
                if part := parts.get(volume.id):
                    records.settled(connection, run["id"], volume.id, work.policy)
                    records.note(
                        connection, run, volume, "created", policy=work.policy, keep=work.keep, step=work.step.seq,
                        point_id=str(part["id"]), point_name=str(part.get("name") or ""), detail=facts["proof"],
                    )  # fmt: skip

        self._ops.finish(act)
        for volume in volumes:
            if part := parts.get(volume.id):
                work.made[volume.id] = str(part["id"])
            else:
                problem = NotMade("failed", f"the group snapshot {id} has no snapshot of the volume")
                self._creator.note(work, volume, problem)


def _facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the register keeps of each member."""
    id = str(document["id"])
    proof = (
        f"group snapshot {id} of the group {document.get('group_id')}, whose type takes all volumes at the same instant"
    )
    return {"kind": "snapshot", "group": id, "consistency": "group-consistent", "proof": proof}
