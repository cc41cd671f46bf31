"""A machine's volumes as one restore point, made by Nova: an image of no bytes that lists a snapshot of each volume.

Only of a machine that boots from a volume, and only when the policy holds for every volume it uses: Nova takes all of
them. The image has the step's token; its snapshots are known by the image alone, and are removed with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.gate.refusals import NotDone
from engine.snapshots import making
from engine.snapshots.models import Volume
from engine.snapshots.runs.creating import FORESEEN, LOST_SECONDS, Creator, over_quota, ready
from engine.snapshots.runs.steps import NotMade, Work
from store import times

if TYPE_CHECKING:
    from engine.snapshots.runs.register import Register
    from store.ops.ops import Ops

# Nova makes an image of a machine in these states; of any other the volumes are taken by Cinder.
_STATES = ("active", "stopped", "suspended", "shutoff")

CONFLICT = "conflict"  # Nova does not make an image of this machine as it is


class Machines:
    """Thread-safe."""

    def __init__(self, ops: Ops, register: Register, creator: Creator) -> None:
        self._ops, self._register, self._creator = ops, register, creator

    def fits(self, work: Work, volumes: list[Volume]) -> bool:
        """Whether Nova can take all of the volumes as one point, and takes no other with them."""
        server = work.server
        if not work.machine or not server or server.get("image") or len(volumes) != len(work.volumes):
            return False
        attached = {str(one.get("id")) for one in server.get("os-extended-volumes:volumes_attached") or ()}
        state = str(server.get("OS-EXT-STS:vm_state") or server.get("status") or "").lower()
        return state in _STATES and attached == {volume.id for volume in volumes}

    def begun(self, work: Work) -> bool:
        """Whether an earlier attempt of this step asked Nova."""
        return any(row["kind"] == "image" and row["state"] == "begun" for row in self._register.of_token(work.token))

    def make(self, work: Work, volumes: list[Volume]) -> None:
        """Make the image, or find what an earlier attempt made. Raises NotMade, and what the gate does."""
        image = making.find_image(work.get, work.token) if work.context.attempt > 1 else None
        at = self._begin(work, volumes)
        if image is None:
            image = {"id": self._ask(work, volumes, at)}
        document = self._ready(work, str(image["id"]))
        parts = self._parts(work, document)
        self._settle(work, volumes, document, parts, at)

    def _begin(self, work: Work, volumes: list[Volume]) -> datetime:
        """Note image and snapshots before Nova is asked; answers when that was."""
        known = self._register.of_token(work.token)
        at: datetime = known[0]["taken_at"] if known else self._creator.clock()
        first = volumes[0]
        place = (first.cloud, first.region, first.project_id)
        facts = {"policy": work.policy, "occurrence": work.occurrence, "run_id": work.run["id"], "taken_at": at,
                 "server_id": work.step.args["server_id"]}  # fmt: skip
        name = self._name(work, first, at)
        with self._ops.begin() as connection:
            rows = [{"volume_id": volume.id, "size_gb": volume.size_gb, "name": name} for volume in volumes]
            fine = self._register.begin(connection, work.token, place, rows, kind="snapshot", **facts)
            if fine:
                self._register.begin(
                    connection, work.token, place, [{"volume_id": "", "name": name}], kind="image", **facts
                )
        if not fine:
            raise NotMade("made", "has a restore point of this occurrence already")
        return at

    def _name(self, work: Work, volume: Volume, at: datetime) -> str:
        server = str(work.server.get("name") or volume.server_name)
        return making.snapshot_name(work.policy, at, tenant=volume.project_name, server=server)

    def _ask(self, work: Work, volumes: list[Volume], at: datetime) -> str:
        first = volumes[0]
        key = (first.cloud, first.region, str(work.step.args["server_id"]))
        what, _ = self._consistency(work, volumes)
        metadata = making.policy_metadata(work.policy, first.project_id, work.token, at, consistency=what)
        call = making.create_image(
            key, first.project_id, self._name(work, first, at), metadata, str(work.server.get("name") or "")
        )
        try:
            answer = work.perform(call)
        except NotDone as error:
            if error.uncertain:
                found = work.context.wait(lambda: making.find_image(work.get, work.token), LOST_SECONDS)
                if found is not None:
                    return str(found["id"])
                raise NotMade("failed", error.detail) from error
            if error.cloud_status == 409:  # it may not be frozen, or not now: Cinder can still take its volumes
                self._creator.unsent(work)
                raise NotMade(CONFLICT, error.detail) from error
            self._creator.give_up(work, error.detail)
            raise NotMade("quota" if over_quota(error) else "failed", error.detail) from error
        except FORESEEN:  # nothing was sent
            self._creator.unsent(work)
            raise
        work.request_ids.extend(answer.request_ids)
        id = making.image_of(answer.document) or str((making.find_image(work.get, work.token) or {}).get("id") or "")
        if not id:
            raise NotMade("failed", "Nova took the request and did not say which image it makes")
        return id

    def _ready(self, work: Work, id: str) -> dict[str, Any]:
        """The image's document once Nova has listed its snapshots in it. Raises NotMade."""
        document = ready(work, lambda: work.get("image", f"/images/{id}"), f"the image {id}")
        if str(document.get("status")).lower() != "active":
            self._creator.give_up(work, f"the image {id} is {document.get('status')}")
            raise NotMade("failed", f"Nova made the image {id}, and it is {document.get('status')}")
        return document

    def _parts(self, work: Work, image: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """{volume id: its snapshot's document}, each ready. Raises NotMade."""
        found: dict[str, dict[str, Any]] = {}
        for part in making.image_parts(image):
            document = self._creator.ready(work, part.snapshot_id)
            if document.get("status") == "available":
                found[str(document.get("volume_id"))] = document
        return found

    def _settle(
        self,
        work: Work,
        volumes: list[Volume],
        image: Mapping[str, Any],
        parts: Mapping[str, dict[str, Any]],
        at: datetime,
    ) -> None:
        id = str(image["id"])
        what, proof = self._consistency(work, volumes)
        facts = {"group": id, "taken_at": at, "consistency": what, "proof": proof, "spread_ms": _spread(parts.values())}
        run, records = work.run, self._creator.records

        def act(connection: Any) -> None:
            self._register.made(connection, work.token, "", id, **facts)
            for volume in volumes:
                document = parts.get(volume.id)
                if document is None:
                    continue
                name = str(document.get("name") or "")
                self._register.made(connection, work.token, volume.id, str(document["id"]), **facts, name=name)
                records.settled(connection, run["id"], volume.id, work.policy)
                records.note(
                    connection, run, volume, "created", policy=work.policy, keep=work.keep, point_name=name,
                    point_id=str(document["id"]), step=work.step.seq, detail=work.told(f"image {id}: {proof}"),
                )  # fmt: skip

        self._ops.finish(act)
        for volume in volumes:
            if volume.id in parts:
                work.made[volume.id] = str(parts[volume.id]["id"])
            else:
                self._ops.finish(
                    lambda c, volume=volume: self._register.failed(c, work.token, "not in the image", volume.id)  # type: ignore[misc]
                )
                problem = NotMade("failed", f"Nova's image {id} has no usable snapshot of the volume")
                self._creator.note(work, volume, problem)

    def _consistency(self, work: Work, volumes: list[Volume]) -> tuple[Any, str]:
        boots = [one for one in work.documents.values() if one.get("volume_image_metadata")]
        image = boots[0].get("volume_image_metadata") if boots else {}
        return making.consistency(work.server, image or {}, by_nova=True, volumes=len(volumes))


def _spread(parts: Any) -> int | None:
    """Milliseconds between the first and the last snapshot, as Cinder says."""
    moments = []
    for document in parts:
        try:
            moments.append(times.parse(str(document.get("created_at"))))
        except ValueError:
            return None
    return round((max(moments) - min(moments)).total_seconds() * 1000) if len(moments) > 1 else None
