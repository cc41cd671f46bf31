"""Restore points by hand, as operations of the gate: a snapshot of a volume, one point of all volumes of a machine.

What a person makes carries `created_by` quarterdeck and the person's name, and never a name or metadata that a policy's
would have: no retention ever counts or removes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.gate.models import Call, Change, Check, Context, Operation, Settled, Target
from engine.snapshots import facts as known
from engine.snapshots import making
from engine.snapshots.facts import Facts, Need
from engine.snapshots.models import Volume
from store import times
from store.types.actions import ACTIONS

Options = Mapping[str, Any]
Doc = Mapping[str, Any]

USABLE = ("available", "in-use")
LOOKED_AT = 50  # targets of one plan up to which the machines of volumes are looked at too
SETTLE_SECONDS = 900.0
_NOVA_STATES = ("active", "stopped", "suspended")
_STATUS = {"active": "active", "shutoff": "stopped"}


def operations(facts: Facts, clock: Callable[[], datetime] = times.utcnow) -> list[Operation]:
    """What makes restore points."""
    volumes, machines = VolumeSnapshots(facts, clock), MachinePoints(facts, clock)
    return [
        Operation(
            ACTIONS["volume.snapshot"],
            volumes.check,
            volumes.calls,
            commands=volumes.commands,
            already=volumes.already,
            settled=volumes.settled,
            seconds=SETTLE_SECONDS,
            relies_on=("size", "os-vol-tenant-attr:tenant_id"),
            touches=("snapshot",),
            together=lambda found, options: known.room(_needs(found), facts.quotas),
        ),
        Operation(
            ACTIONS["server.snapshot"],
            machines.check,
            machines.calls,
            commands=machines.commands,
            already=machines.already,
            settled=machines.settled,
            seconds=SETTLE_SECONDS,
            relies_on=("tenant_id", "os-extended-volumes:volumes_attached"),
            touches=("snapshot", "image"),
            made=machines.made,
            together=lambda found, options: known.room(_needs(found), facts.quotas),
        ),
    ]


def name_of(ctx: Context, name: str, options: Options, at: datetime) -> str:
    """The name pattern filled in, at most 255 characters."""
    pattern = str(options.get("name") or "snap-{name}-{time}").replace("{n}", str(ctx.number))
    return pattern.replace("{time}", making.stamp(at)).replace("{name}", name).strip()[: making.MOST]


def description_of(ctx: Context, options: Options) -> str:
    """Who made it, and what they say of it."""
    words = str(options.get("description") or ctx.reason)
    return f"Made by {ctx.by} (Quarterdeck){f': {words}' if words else ''}"[: making.MOST]


def name_problem(name: str) -> str | None:
    """Why a person may not give that name; None when he may."""
    if not making.is_policy_name(name):
        return None
    return (
        f"names that begin with {making.PREFIX}- are those of what policies make: {name!r:.80} would be taken for one"
    )


def volume_of(cloud: str, region: str, doc: Doc, project_id: str = "", project_name: str = "") -> Volume:
    """A volume from Cinder's live document."""
    size = doc.get("size")
    attached = [one for one in doc.get("attachments") or () if isinstance(one, Mapping)]
    return Volume(
        cloud=cloud,
        region=region,
        id=str(doc.get("id") or ""),
        name=str(doc.get("name") or ""),
        status=str(doc.get("status") or "").lower(),
        size_gb=size if isinstance(size, int) and not isinstance(size, bool) else 0,
        volume_type=str(doc.get("volume_type") or ""),
        bootable=str(doc.get("bootable")).lower() == "true",
        project_id=str(doc.get("os-vol-tenant-attr:tenant_id") or project_id),
        project_name=project_name,
        server_ids=tuple(str(one["server_id"]) for one in attached if one.get("server_id")),
    )


def _needs(found: Sequence[tuple[Target, Check]]) -> list[Need]:
    return [need for _, check in found for need in check.facts.get("needs", ())]


def _need(volume: Volume, project_name: str = "") -> Need:
    return Need(
        volume.cloud, volume.region, volume.project_id, project_name, volume.size_gb, volume.volume_type
    )  # fmt: skip


def _unusable(volume: Volume) -> str | None:
    if volume.status in USABLE:
        return None
    state = volume.status or "in an unknown state"
    return f"{volume.name or volume.id} is {state}: a snapshot needs it available or in use"


def _made(doc: Doc) -> str:
    return f"{doc.get('name') or doc.get('id')} ({doc.get('id')})"


@dataclass(frozen=True, slots=True)
class VolumeSnapshots:
    """volume.snapshot."""

    facts: Facts
    clock: Callable[[], datetime]

    def check(self, ctx: Context, target: Target, options: Options) -> Check:
        """States, names, roles; what it will be."""
        volume = volume_of(target.cloud, target.region, target.doc, target.project_id)
        name = name_of(ctx, target.name, options, self.clock())
        if problem := name_problem(name) or _unusable(volume):
            return Check(problem)
        if volume.project_id != target.project_id:
            return Check(f"{target.name} belongs to another project now: read the volumes again")
        problem, said = self.facts.reach(target.cloud, target.project_id, target.project_name)
        what, proof = self._consistency(ctx, target, volume)
        changes = (
            Change("snapshot", None, f"{name}, {volume.size_gb} GB"),
            Change("consistency", None, f"{what}: {proof}"),
        )
        facts = {"needs": (_need(volume, target.project_name),)}
        return Check(problem, changes, warnings=(said,) if said else (), facts=facts)

    def calls(self, ctx: Context, target: Target, options: Options) -> list[Call]:
        """One snapshot, in the volume's project."""
        at = self.clock()
        volume = volume_of(target.cloud, target.region, target.doc, target.project_id)
        what, _ = self._consistency(ctx, target, volume)
        metadata = making.hand_metadata(volume.project_id, ctx.token, at, volume_id=volume.id, consistency=what)
        name = name_of(ctx, target.name, options, at)
        return [making.create_snapshot(volume, name, description_of(ctx, options), metadata)]

    def commands(self, ctx: Context, target: Target, options: Options) -> list[tuple[str, ...]]:
        """The same by hand; with a token of the volume's project."""
        name = name_of(ctx, target.name, options, self.clock())
        return [("volume", "snapshot", "create", "--volume", target.id, "--force", name)]

    def already(self, ctx: Context, target: Target, options: Options) -> bool:
        """Whether this step has made it; its token says so."""
        return making.find_by_token(ctx.get, target.id, ctx.token) is not None

    def settled(self, ctx: Context, target: Target, options: Options) -> Settled | None:
        """Until the snapshot can be used."""
        found = making.find_by_token(ctx.get, target.id, ctx.token)
        status = str((found or {}).get("status") or "").lower()
        if found is None or status == "creating":
            return None
        return (
            Settled(f"made {_made(found)}")
            if status == "available"
            else Settled(f"{_made(found)} is {status}", ok=False)
        )

    def _consistency(self, ctx: Context, target: Target, volume: Volume) -> Any:
        server: Doc = {}
        if volume.server_ids:
            server = {"status": "unknown"}
            if ctx.count <= LOOKED_AT:
                found = ctx.get("compute", f"/servers/{volume.server_ids[0]}") or {}
                server = found.get("server") or server
        image = target.doc.get("volume_image_metadata")
        return making.consistency(server, image if isinstance(image, Mapping) else {}, by_nova=False)


@dataclass(frozen=True, slots=True)
class MachinePoints:
    """server.snapshot: Nova's createImage where the machine boots from a volume, else a snapshot of every volume."""

    facts: Facts
    clock: Callable[[], datetime]

    def check(self, ctx: Context, target: Target, options: Options) -> Check:
        """States, names, roles; what the point will be, why, and what is not in it."""
        docs = self._volumes(ctx, target)
        volumes = [volume_of(target.cloud, target.region, doc) for doc in docs]
        problem = name_problem(name_of(ctx, target.name, options, self.clock())) or self._problem(target, volumes)
        if problem:
            return Check(problem)
        warnings = list(_left_out(target))
        for project in dict.fromkeys(volume.project_id for volume in volumes):
            problem, said = self.facts.reach(
                target.cloud, project, target.project_name if project == target.project_id else ""
            )
            if problem:
                return Check(problem)
            warnings += [said] if said else []
        what, proof = self._consistency(target, docs)
        size = sum(volume.size_gb for volume in volumes)
        count = f"{len(volumes)} snapshot{'' if len(volumes) == 1 else 's'}, {size:,} GB"
        changes = (
            Change("restore point", None, f"one image of {count}" if boots_from_volume(target.doc) else count),
            Change("consistency", None, f"{what}: {proof}"),
        )
        facts = {"needs": tuple(_need(volume, target.project_name) for volume in volumes)}
        return Check(changes=changes, warnings=tuple(warnings), facts=facts)

    def calls(self, ctx: Context, target: Target, options: Options) -> list[Call]:
        """One createImage, or a snapshot of each volume, one right after the other."""
        at, docs = self.clock(), self._volumes(ctx, target)
        what, _ = self._consistency(target, docs)
        name = name_of(ctx, target.name, options, at)
        project = str(target.doc.get("tenant_id") or target.project_id)
        if boots_from_volume(target.doc):
            metadata = making.hand_metadata(project, ctx.token, at, consistency=what)
            metadata["description"] = description_of(ctx, options)
            return [making.create_image(target.key, project, name, metadata, target.name)]
        calls = []
        for number, doc in enumerate(docs, 1):
            volume = volume_of(target.cloud, target.region, doc, project)
            metadata = making.hand_metadata(volume.project_id, ctx.token, at, volume_id=volume.id, consistency=what)
            own = f"{name[:240]}-{number}" if len(docs) > 1 else name
            calls.append(making.create_snapshot(volume, own, description_of(ctx, options), metadata))
        return calls

    def made(self, ctx: Context, target: Target, options: Options, call: Call) -> bool:
        """Whether an earlier attempt has done that very call."""
        if call.type == "server":
            return making.find_image(ctx.get, ctx.token) is not None
        return call.key is not None and making.find_by_token(ctx.get, call.key[2], ctx.token) is not None

    def already(self, ctx: Context, target: Target, options: Options) -> bool:
        """Whether this step has made all of it."""
        if not ctx.token or not target.doc:
            return False
        if boots_from_volume(target.doc):
            return making.find_image(ctx.get, ctx.token) is not None
        ids = volume_ids(target.doc)
        return bool(ids) and all(making.find_by_token(ctx.get, id, ctx.token) is not None for id in ids)

    def settled(self, ctx: Context, target: Target, options: Options) -> Settled | None:
        """Until every snapshot of it can be used."""
        if not target.doc:
            return Settled("it is gone", ok=False)
        if boots_from_volume(target.doc):
            image = making.find_image(ctx.get, ctx.token)
            if image is None or image.get("status") in ("queued", "saving"):
                return None
            if image.get("status") != "active":
                return Settled(f"the image {_made(image)} is {image.get('status')}", ok=False)
            parts = [self._part(ctx, part.snapshot_id) for part in making.image_parts(image)]
            return _ended(parts, f"made the image {_made(image)} of {len(parts)} snapshots")
        found = [making.find_by_token(ctx.get, id, ctx.token) for id in volume_ids(target.doc)]
        return _ended(found, f"made {', '.join(_made(one) for one in found if one)}"[:900])

    def commands(self, ctx: Context, target: Target, options: Options) -> list[tuple[str, ...]]:
        """The same by hand; with a token of the machine's project."""
        name = name_of(ctx, target.name, options, self.clock())
        if boots_from_volume(target.doc):
            return [("server", "image", "create", "--name", name, target.id)]
        many = len(volume_ids(target.doc)) > 1
        return [
            ("volume", "snapshot", "create", "--volume", id, "--force", f"{name[:240]}-{number}" if many else name)
            for number, id in enumerate(volume_ids(target.doc), 1)
        ]

    def _problem(self, target: Target, volumes: Sequence[Volume]) -> str | None:
        doc = target.doc
        if not volumes:
            return f"{target.name} has no volumes: its disks are local, and no snapshot can be made of them"
        if boots_from_volume(doc):
            status = str(doc.get("status") or "").lower()
            state = str(doc.get("OS-EXT-STS:vm_state") or _STATUS.get(status, status))
            if task := doc.get("OS-EXT-STS:task_state"):
                return f"{target.name} is busy ({task}): wait until that is done"
            if state not in _NOVA_STATES:
                return f"{target.name} is {state}: Nova makes a point only of a machine that runs, is off or suspended"
            if any(volume.project_id not in ("", doc.get("tenant_id")) for volume in volumes):
                return f"{target.name} has a volume of another project: make a snapshot of each volume instead"
            return None
        return next((problem for volume in volumes if (problem := _unusable(volume))), None)

    def _volumes(self, ctx: Context, target: Target) -> list[Doc]:
        """Live documents of the machine's volumes, in the order that Nova has them."""
        found = (ctx.get("block-storage", f"/volumes/{id}") or {} for id in volume_ids(target.doc))
        return [inner for one in found if isinstance(inner := one.get("volume"), Mapping)]

    def _consistency(self, target: Target, docs: Sequence[Doc]) -> Any:
        by_nova = boots_from_volume(target.doc)
        root = next((doc for doc in docs if str(doc.get("bootable")).lower() == "true"), {})
        image = root.get("volume_image_metadata")
        properties = image if isinstance(image, Mapping) else {}
        return making.consistency(target.doc, properties, by_nova=by_nova, volumes=len(docs))

    def _part(self, ctx: Context, id: str) -> Doc | None:
        found = (ctx.get("block-storage", f"/snapshots/{id}") or {}).get("snapshot")
        return found if isinstance(found, Mapping) else None


def boots_from_volume(server: Doc) -> bool:
    """Nova names no image for a machine that boots from a volume."""
    return not server.get("image")


def volume_ids(server: Doc) -> list[str]:
    """Ids of the volumes that hang on a machine."""
    attached = server.get("os-extended-volumes:volumes_attached")
    found = [one.get("id") for one in attached if isinstance(one, Mapping)] if isinstance(attached, list) else []
    return [id for id in found if isinstance(id, str)]


def _left_out(target: Target) -> list[str]:
    """What of the machine is not in its point."""
    flavor = target.doc.get("flavor")
    sizes = flavor if isinstance(flavor, Mapping) else {}
    local = {"disk": sizes.get("disk"), "ephemeral disk": sizes.get("ephemeral")}
    if boots_from_volume(target.doc):
        del local["disk"]
    return [
        f"the local {what} of {target.name} ({size} GB) is not in it: only volumes have snapshots"
        for what, size in local.items()
        if isinstance(size, int) and size > 0
    ]


def _ended(parts: Sequence[Doc | None], words: str) -> Settled | None:
    """How it ended once every part has a last state."""
    states = [str((part or {}).get("status") or "missing").lower() for part in parts]
    if not states or any(state in ("creating", "missing") for state in states):
        return None
    if bad := [state for state in states if state != "available"]:
        return Settled(f"{len(bad)} of {len(states)} snapshots are {bad[0]}", ok=False)
    begun = sorted(instant for part in parts if part and (instant := _instant(part.get("created_at"))))
    spread = f" within {(begun[-1] - begun[0]).total_seconds():.1f} s" if len(begun) > 1 else ""
    return Settled(words + spread)


def _instant(value: Any) -> datetime | None:
    try:
        return times.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None
