"""Retention of one step's volumes: what is beyond `keep` goes, and nothing else.

A point goes only when the register has it, its live document has the register's token (or it is a part of an image of
ours), it is quiet, and nothing works on it. What the cloud refuses to remove, such as a snapshot with clones, stays and
is said. Never `cascade`, never a forced delete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.gate.refusals import NotDone
from engine.snapshots import group_snapshots, making
from engine.snapshots.models import TOKEN, Volume
from engine.snapshots.runs.creating import FORESEEN
from engine.snapshots.runs.grouping import KIND
from engine.snapshots.runs.planning import Own, surplus
from engine.snapshots.runs.register import THERE, unit
from engine.snapshots.runs.steps import Work
from store.ops.errors import OpsError

if TYPE_CHECKING:
    from engine.snapshots.runs.grouping import Groups
    from engine.snapshots.runs.records import Records
    from engine.snapshots.runs.register import Register
    from engine.snapshots.runs.sources import Gate
    from store.ops.ops import Ops

GONE_SECONDS = 300.0  # the longest that a deletion is waited for
UNHEARD_SECONDS = 20.0  # the same, where no answer came
_QUIET = ("available", "error", "active")
_KNOWN = ("begun", "made", "deleting")

Row = Mapping[str, Any]


class Pruner:
    """Thread-safe."""

    def __init__(
        self,
        ops: Ops,
        records: Records,
        register: Register,
        gate: Gate,
        groups: Groups,
        freed: Callable[[Work], None],
    ) -> None:
        self._groups = groups
        self._ops, self._records, self._register, self._gate, self._freed = ops, records, register, gate, freed

    def prune(self, work: Work, volumes: list[Volume]) -> None:
        """Bring our points of these volumes down to `work.keep`; what could not be removed is in `work.stuck`."""
        try:
            self._prune(work, {volume.id: volume for volume in volumes})
        except FORESEEN as error:
            # What was made stays made; the next run of the policy comes here again.
            work.stuck.append(f"older points were not looked at: {getattr(error, 'detail', None) or error}")

    def _prune(self, work: Work, volumes: Mapping[str, Volume]) -> None:
        rows = self._register.rows(work.cloud, work.region, list(volumes), work.policy, _KNOWN)
        units: dict[str, set[str]] = {id: set() for id in volumes}
        for row in rows:
            units[row["volume_id"]].add(unit(row))
        odd = any(row["state"] == "deleting" or _left(row, work) for row in rows)
        if not odd and all(len(found) <= work.keep for found in units.values()):
            return
        there = [row for id in volumes for row in self._there(work, id, [r for r in rows if r["volume_id"] == id])]
        own = [Own(unit(row), row["volume_id"], row["taken_at"]) for row in there]
        for name in surplus(own, work.keep):
            self._remove(work, volumes, [row for row in there if unit(row) == name])

    def _there(self, work: Work, volume_id: str, rows: list[Row]) -> list[Row]:
        """The rows of a volume that the cloud still has; what became of the others is noted."""
        live = {str(one.get("id")): one for one in making.snapshots_of(work.get, volume_id)}
        tokens = {str((one.get("metadata") or {}).get(TOKEN)): id for id, one in live.items()}
        found: list[Row] = []
        for row in rows:
            if row["state"] == "begun":
                if not _left(row, work):
                    continue  # of this very step: it is being made
                if row["kind"] == KIND:
                    kept: Row | None = self._groups.left_over(work, row)
                else:
                    kept = self._left_over(work, row, live, tokens)
                found += [] if kept is None else [kept]
            elif row["point_id"] in live:
                found.append(row)
            else:
                gone = self._register.deleted if row["state"] == "deleting" else self._register.lost
                self._ops.finish(lambda c, row=row, gone=gone: gone(c, row["token"], row["volume_id"]))  # type: ignore[misc]
                if row["state"] == "deleting":
                    self._note(work, row, work.volumes[0], "OK", "removed by an earlier attempt")
        return found

    def _left_over(self, work: Work, row: Row, live: Mapping[str, Row], tokens: Mapping[str, str]) -> Row | None:
        """What an earlier step asked for and never heard of: it is there after all, or it is not."""
        id, group = tokens.get(row["token"]), ""
        image = next((one for one in self._register.of_token(row["token"]) if one["kind"] == "image"), None)
        if image is not None and image["state"] in ("begun", "made"):
            found = making.find_image(work.get, row["token"])
            if found is not None and str(found.get("status") or "").lower() != "active":
                return None
            if found is not None:
                group = str(found["id"])
                id = next((part.snapshot_id for part in making.image_parts(found) if part.snapshot_id in live), None)
                self._ops.finish(lambda c: self._register.made(c, row["token"], "", group, group=group))
        if id is None:
            self._ops.finish(lambda c: self._register.failed(c, row["token"], "it was never made", row["volume_id"]))
            return None
        if str(live[id].get("status") or "").lower() != "available":
            return None
        self._ops.finish(lambda c: self._register.made(c, row["token"], row["volume_id"], id, group=group))
        return {**row, "state": "made", "point_id": id, "group": group}

    def _remove(self, work: Work, volumes: Mapping[str, Volume], rows: list[Row]) -> None:
        """Remove one unit: an image before its snapshots, a group snapshot with its members."""
        group = rows[0]["group"]
        if group:
            image = [row for row in self._register.of_token(rows[0]["token"]) if row["kind"] == "image"]
            if not image:
                return self._whole(work, volumes, rows)
            if any(row["state"] in _KNOWN and not self._one(work, row, next(iter(volumes.values()))) for row in image):
                return
        for row in rows:
            self._one(work, row, volumes[row["volume_id"]])

    def _whole(self, work: Work, volumes: Mapping[str, Volume], rows: list[Row]) -> None:
        """Remove a group snapshot, never a member alone."""
        id, token = rows[0]["group"], rows[0]["token"]
        every = [row for row in self._register.of_token(token) if row["group"] == id and row["state"] in THERE]
        of = {row["volume_id"]: volumes.get(row["volume_id"]) or _volume(row) for row in every}
        document = group_snapshots.show(work.get, id)
        seconds = GONE_SECONDS
        if document is not None and document.get("status") != "deleting":
            if problem := self._may_stay(work, volumes, every, document):
                for row in rows:
                    self._stays(work, row, of[row["volume_id"]], problem)
                return
            with self._ops.begin() as connection:
                for row in every:
                    self._register.deleting(connection, token, row["volume_id"])
            every = [{**row, "state": "deleting"} for row in every]
            try:
                call = group_snapshots.delete((work.cloud, work.region, id), rows[0]["project_id"], rows[0]["name"])
                work.request_ids.extend(work.perform(call).request_ids)
            except NotDone as error:
                if not error.uncertain and error.cloud_status != 404:
                    for row in every:
                        self._stays(work, row, of[row["volume_id"]], error.detail)
                    return
                seconds = UNHEARD_SECONDS
        gone = document is None or work.context.wait(lambda: self._gone(work, {"kind": KIND, "point_id": id}), seconds)
        if gone is None:
            work.stuck.append(f"the group snapshot {id} is still being removed")
        for row in every if gone is not None else ():
            if gone:
                self._over(work, row, of[row["volume_id"]], by_us=row["state"] == "deleting")
            else:
                why = "the cloud took the deletion, and the group snapshot is there again"
                self._stays(work, row, of[row["volume_id"]], why)

    def _may_stay(
        self, work: Work, volumes: Mapping[str, Volume], every: Sequence[Row], document: Mapping[str, Any]
    ) -> str | None:
        """Why a group snapshot may not go; None when it may."""
        if not group_snapshots.has_token(document, every[0]["token"]):
            return "its token is not the register's"
        if (status := str(document.get("status") or "").lower()) not in _QUIET:
            return f"its group snapshot is {status or 'in an unknown state'}"
        for row in every:
            if held := self._gate.held("snapshot", (row["cloud"], row["region"], row["point_id"])):
                return held
            if row["volume_id"] in volumes:
                continue
            # A volume that has left the machine, or the policy: what it has goes only when it has enough newer ones.
            own = self._register.rows(work.cloud, work.region, [row["volume_id"]], work.policy, ("made",))
            if sum(one["taken_at"] > row["taken_at"] for one in own) < work.keep:
                return f"its group snapshot also has the volume {row['volume_id']}, which keeps its points"
        return None

    def _one(self, work: Work, row: Row, volume: Volume) -> bool:
        """Remove one image or snapshot; True when it is gone."""
        image = row["kind"] == "image"
        document = self._document(work, row)
        if document is None:
            return self._over(work, row, volume, by_us=row["state"] == "deleting")
        if problem := self._foreign(row, document):
            return self._stays(work, row, volume, problem)
        status, seconds = str(document.get("status") or "").lower(), GONE_SECONDS
        if status != "deleting":
            if status not in _QUIET:
                return self._stays(work, row, volume, f"it is {status or 'in an unknown state'}")
            key = (row["cloud"], row["region"], row["point_id"])
            if held := self._gate.held("image" if image else "snapshot", key):
                return self._stays(work, row, volume, held)
            with self._ops.begin() as connection:
                self._register.deleting(connection, row["token"], row["volume_id"])
            delete = making.delete_image if image else making.delete_snapshot
            try:
                answer = work.perform(delete(key, row["project_id"], row["name"]))
                work.request_ids.extend(answer.request_ids)
            except NotDone as error:
                if not error.uncertain and error.cloud_status != 404:
                    return self._stays(work, row, volume, error.detail)
                seconds = UNHEARD_SECONDS
        gone = work.context.wait(lambda: self._gone(work, row), seconds)
        if gone is True:
            return self._over(work, row, volume, by_us=True)
        if gone is False:
            return self._stays(work, row, volume, "the cloud took the deletion, and the snapshot is there again")
        work.stuck.append(f"{row['name'] or row['point_id']} is still being removed")
        return False

    def _gone(self, work: Work, row: Row) -> bool | None:
        """True when it is gone, False when the deletion failed, None while it goes on."""
        try:
            document = self._document(work, row)
        except OpsError:
            raise
        except FORESEEN:  # asked again until the time is over
            return None
        if document is None:
            return True
        return False if str(document.get("status") or "").lower() in ("error_deleting", "error") else None

    def _document(self, work: Work, row: Row) -> dict[str, Any] | None:
        if row["kind"] == "image":
            return work.get("image", f"/images/{row['point_id']}")
        if row["kind"] == KIND:
            return group_snapshots.show(work.get, row["point_id"])
        found = work.get("block-storage", f"/snapshots/{row['point_id']}")
        return None if found is None else (found.get("snapshot") or {})

    def _foreign(self, row: Row, document: Mapping[str, Any]) -> str | None:
        """Why what is there is not what the register means, or may not go."""
        if row["kind"] == "image":
            return None if document.get(TOKEN) == row["token"] else "its token is not the register's"
        if document.get("volume_id") != row["volume_id"]:
            return "it is of another volume"
        if document.get("group_snapshot_id"):
            return "it belongs to a snapshot of a group"
        # Nova writes nothing of ours into the snapshots of an image: there the image has the token.
        if not row["group"] and (document.get("metadata") or {}).get(TOKEN) != row["token"]:
            return "its token is not the register's: somebody changed its metadata"
        return None

    def _over(self, work: Work, row: Row, volume: Volume, *, by_us: bool) -> bool:
        def act(connection: Any) -> None:
            if by_us:
                self._register.deleted(connection, row["token"], row["volume_id"])
                self._write(connection, work, row, volume, "OK", "")
            else:
                self._register.lost(connection, row["token"], row["volume_id"])

        self._ops.finish(act)
        if by_us:
            work.removed += 1
            self._freed(work)
        return True

    def _stays(self, work: Work, row: Row, volume: Volume, why: str) -> bool:
        sentence = f"{row['name'] or row['point_id']} stays: {why}"
        work.stuck.append(sentence)

        def act(connection: Any) -> None:
            self._register.kept(connection, row["token"], row["volume_id"], why)
            self._write(connection, work, row, volume, "SKIPPED", sentence)

        self._ops.finish(act)
        return False

    def _note(self, work: Work, row: Row, volume: Volume, status: str, detail: str) -> None:
        of = next((one for one in work.volumes if one.id == row["volume_id"]), volume)
        self._ops.finish(lambda connection: self._write(connection, work, row, of, status, detail))

    def _write(self, connection: Any, work: Work, row: Row, volume: Volume, status: str, detail: str) -> None:
        self._records.note(
            connection, work.run, volume, "deleted", policy=work.policy, keep=work.keep, point_id=row["point_id"],
            point_name=row["name"], size_gb=row["size_gb"], status=status, code="" if status == "OK" else "stuck",
            detail=detail, step=work.step.seq,
        )  # fmt: skip


def _left(row: Row, work: Work) -> bool:
    """Whether a row was begun by another step, which has ended: one run at a time works on a cloud."""
    return row["state"] == "begun" and row["token"] != work.token


def _volume(row: Row) -> Volume:
    """What the register knows of a volume that the step is not about."""
    return Volume(row["cloud"], row["region"], row["volume_id"], size_gb=row["size_gb"], project_id=row["project_id"])
