"""Restore points removed by people, as operations of the gate: one snapshot, or a machine's image with its snapshots.

Each is a plain DELETE: `cascade` and forced deletes do not exist here. What a point is to others is said before: the
newest or last of its volume, a policy's own, part of a machine's point, the base of volumes made from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.gate.models import Call, Change, Check, Context, Operation, Settled, Target
from engine.snapshots import making
from engine.snapshots.facts import Facts
from engine.snapshots.models import CREATED_BY, CREATED_BY_POLICY, POLICY
from store.types.actions import ACTIONS

Options = Mapping[str, Any]
Doc = Mapping[str, Any]

DELETABLE = ("available", "error", "error_deleting")
SETTLE_SECONDS = 600.0
_GROUP = "group_snapshot_id"


def operations(facts: Facts) -> list[Operation]:
    """What removes restore points."""
    snapshots, images = Snapshots(facts), MachineImages(facts)
    return [
        Operation(
            ACTIONS["snapshot.delete"],
            snapshots.check,
            snapshots.calls,
            commands=lambda ctx, target, options: [("volume", "snapshot", "delete", target.id)],
            already=_gone,
            settled=snapshots.settled,
            seconds=SETTLE_SECONDS,
            relies_on=("volume_id", "os-extended-snapshot-attributes:project_id"),
            touches=("volume",),
        ),
        Operation(
            ACTIONS["image.delete"],
            images.check,
            images.calls,
            commands=images.commands,
            already=_gone,
            settled=images.settled,
            seconds=SETTLE_SECONDS,
            relies_on=("owner", "block_device_mapping", "protected", "visibility"),
            touches=("snapshot",),
            made=images.made,
        ),
    ]


def _gone(ctx: Context, target: Target, options: Options) -> bool:
    return not target.doc


@dataclass(frozen=True, slots=True)
class Snapshots:
    """snapshot.delete."""

    facts: Facts

    def check(self, ctx: Context, target: Target, options: Options) -> Check:
        """States and roles; what goes with it."""
        doc = target.doc
        status = str(doc.get("status") or "").lower()
        if status not in DELETABLE:
            return Check(f"{target.name} is {status or 'in an unknown state'}: it cannot be deleted now")
        if doc.get(_GROUP):
            return Check(f"{target.name} is part of a group snapshot of Cinder: only the whole group can be deleted")
        volume = str(doc.get("volume_id") or "")
        problem, said = self.facts.reach(target.cloud, target.project_id, target.project_name)
        size = doc.get("size")
        return Check(
            problem,
            changes=(Change("snapshot", f"{target.name}, {size} GB, {doc.get('created_at') or ''}", None),),
            lost=tuple(self._lost(ctx, target, volume)),
            warnings=(*([said] if said else ()), *self._warnings(target, volume)),
        )

    def calls(self, ctx: Context, target: Target, options: Options) -> list[Call]:
        """One DELETE, in the snapshot's project."""
        return [making.delete_snapshot(target.key, target.project_id, target.name)]

    def settled(self, ctx: Context, target: Target, options: Options) -> Settled | None:
        """Until it is gone. A back end that cannot let go of it puts it back."""
        if not target.doc:
            return Settled("deleted")
        status = str(target.doc.get("status") or "").lower()
        if status == "deleting":
            return None
        why = " (volumes made from it keep it)" if self.facts.clones(target.key) else ""
        return Settled(f"the cloud did not delete it: it is {status} again{why}", ok=False)

    def _lost(self, ctx: Context, target: Target, volume: str) -> list[str]:
        """What it is to its volume: told from what Cinder has now."""
        made = target.doc.get("created_at")
        usable = [row for row in making.snapshots_of(ctx.get, volume) if row.get("status") == "available"]
        others = [row for row in usable if row.get("id") != target.id]
        if not others:
            return [f"the last snapshot of its volume {volume}"]
        newest = max(str(row.get("created_at") or "") for row in others)
        if newest < str(made or ""):
            return [f"the newest snapshot of its volume {volume}: the one before it is of {newest}"]
        return [f"the state of its volume {volume} at {made}"]

    def _warnings(self, target: Target, volume: str) -> list[str]:
        found = []
        point = self.facts.point(target.key, volume)
        metadata = target.doc.get("metadata")
        metadata = metadata if isinstance(metadata, Mapping) else {}
        if point is not None and point.own and point.policy:
            found.append(f"{target.name} is what policy {point.policy} made: compliance with it may be lost")
        elif metadata.get(CREATED_BY) == CREATED_BY_POLICY:
            policy = str(metadata.get(POLICY) or "another tool's")
            found.append(f"{target.name} says that policy {policy} made it: another tool may rely on it")
        if point is not None and point.group:
            found.append(f"{target.name} is part of a machine's point ({point.group}), which is broken without it")
        if count := self.facts.clones(target.key):
            volumes = "1 volume was" if count == 1 else f"{count} volumes were"
            found.append(f"{volumes} made from {target.name}: the back end may not let go of it")
        return found


@dataclass(frozen=True, slots=True)
class MachineImages:
    """image.delete: only of what createImage made of a volume-booted machine, by us or by hand.

    The snapshots go first and the image last: whatever is interrupted is found again by the image.
    """

    facts: Facts
    # What steps that run now have asked for, by their token: nothing else says so once the image is gone.
    asked: dict[str, list[str]] = field(default_factory=dict)

    def check(self, ctx: Context, target: Target, options: Options) -> Check:
        """What it is, and every snapshot that goes with it."""
        doc = target.doc
        parts = making.image_parts(doc)
        if not parts or doc.get("size"):
            return Check(f"{target.name} is no point of a volume-booted machine: other images are not deleted here")
        if doc.get("visibility") in ("public", "community"):
            return Check(f"{target.name} is {doc['visibility']}: others may boot from it")
        live = self._live(ctx, target)
        for part in live:
            status = str(part.get("status") or "").lower()
            if status not in DELETABLE:
                return Check(f"its snapshot {part.get('id')} is {status}: it cannot be deleted now")
        problem, said = self.facts.reach(target.cloud, target.project_id, target.project_name)
        lost = [_named(part) for part in live] or ["no snapshots: they are gone already"]
        return Check(
            problem,
            changes=(Change("machine point", f"{target.name}, {len(live)} snapshots", None),),
            lost=tuple(lost),
            warnings=(*([said] if said else ()), *self._warnings(target, live)),
        )

    def calls(self, ctx: Context, target: Target, options: Options) -> list[Call]:
        """DELETE of each snapshot, then of the image."""
        cloud, region, _ = target.key
        deletes = [
            making.delete_snapshot((cloud, region, str(part["id"])), target.project_id, str(part.get("name") or ""))
            for part in self._live(ctx, target)
        ]
        self.asked[ctx.token] = [call.path for call in deletes]
        return [*deletes, making.delete_image(target.key, target.project_id, target.name)]

    def settled(self, ctx: Context, target: Target, options: Options) -> Settled | None:
        """Until all of it is gone; a snapshot that the cloud puts back is told."""
        if target.doc:
            return None
        states = []
        for path in self.asked.get(ctx.token, ()):
            if (document := ctx.get("block-storage", path)) is not None:
                states.append(str((document.get("snapshot") or {}).get("status") or "").lower())
        if "deleting" in states:
            return None
        self.asked.pop(ctx.token, None)
        if states:
            return Settled(
                f"the image is deleted; the cloud kept {len(states)} of its snapshots ({states[0]})", ok=False
            )
        return Settled("deleted with its snapshots")

    def made(self, ctx: Context, target: Target, options: Options, call: Call) -> bool:
        """Whether an earlier attempt has deleted that very part; the image itself is the target."""
        return call.service == "block-storage" and ctx.get(call.service, call.path) is None

    def commands(self, ctx: Context, target: Target, options: Options) -> list[tuple[str, ...]]:
        """The same by hand."""
        ids = [part.snapshot_id for part in making.image_parts(target.doc)]
        return [*(("volume", "snapshot", "delete", id) for id in ids), ("image", "delete", target.id)]

    def _live(self, ctx: Context, target: Target) -> list[Doc]:
        """The snapshots in it that are there, of its own project: a mapping is a tenant's text."""
        found = []
        for part in making.image_parts(target.doc):
            document = (ctx.get("block-storage", f"/snapshots/{part.snapshot_id}") or {}).get("snapshot")
            if isinstance(document, Mapping):
                owner = document.get("os-extended-snapshot-attributes:project_id")
                if owner in (None, target.project_id):
                    found.append(document)
        return found

    def _warnings(self, target: Target, parts: Sequence[Doc]) -> list[str]:
        found = []
        if target.doc.get(CREATED_BY) == CREATED_BY_POLICY:
            policy = target.doc.get(POLICY) or ""
            found.append(f"{target.name} is what policy {policy} made: compliance with it may be lost")
        count = sum(self.facts.clones((target.cloud, target.region, str(part.get("id")))) for part in parts)
        if count:
            found.append(f"{count} volumes were made from its snapshots: the back end may not let go of them")
        return found


def _named(part: Doc) -> str:
    return f"{part.get('name') or part.get('id')} ({part.get('id')}), {part.get('size')} GB"
