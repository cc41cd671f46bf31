"""Making the points of one step: each volume once, whatever ended in between.

The register has the token before the cloud is asked, and what is made has it in its metadata. A second attempt looks
for it first; so does a first one whose answer did not come.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.api.errors import ApiError
from engine.clouds.errors import CloudError
from engine.gate.models import Target
from engine.gate.refusals import NotDone, Refused
from engine.snapshots import making
from engine.snapshots.models import TOKEN, Volume
from engine.snapshots.runs import planning
from engine.snapshots.runs.planning import Limits
from engine.snapshots.runs.quota import REASONS, Block
from engine.snapshots.runs.steps import NotMade, Work, as_it_is
from store.ops.errors import OpsError

if TYPE_CHECKING:
    from engine.snapshots.runs.records import Records
    from engine.snapshots.runs.register import Register
    from engine.snapshots.runs.sources import Gate, Policies
    from store.ops.ops import Ops

READY_SECONDS = 900.0  # the longest that a snapshot is waited for
LOST_SECONDS = 15.0  # that one is looked for whose answer did not come
AGAIN_SECONDS = 3.0  # the same at a second attempt: the cloud may still be at it
# What goes wrong with one volume, and not with the engine.
FORESEEN = (NotMade, ApiError, CloudError)
# Why nothing that was begun can be there any more.
_OVER = ("gone", "excluded", "unassigned", "size")
_COMING = ("creating", "", "queued", "saving")


class Creator:
    """Thread-safe."""

    def __init__(
        self,
        ops: Ops,
        records: Records,
        register: Register,
        policies: Policies,
        gate: Gate,
        limits: Callable[[], Limits],
        clock: Callable[[], datetime],
    ) -> None:
        self.ops, self.records, self.register, self._policies, self._gate = ops, records, register, policies, gate
        self._limits, self.clock = limits, clock
        self._lock = threading.Lock()
        # Projects whose quota was found full in a run: (run, project) -> (resource kind, size in GB, sentence).
        self._full: dict[tuple[int, str], tuple[str, int, str]] = {}

    # Judging

    def judge(self, work: Work, volume: Volume) -> Volume:
        """The volume as it is now. Raises NotMade when there is to be no point of it."""
        document = (work.get("block-storage", f"/volumes/{volume.id}") or {}).get("volume")
        if not isinstance(document, dict):
            raise NotMade("gone", "the volume is gone")
        work.documents[volume.id] = document
        live, now = as_it_is(volume, document), self.clock()
        if problem := planning.unfit(live, None, work.occurrence, self._limits()):
            raise NotMade(*problem)
        work.keeps[volume.id] = self._keep(work, live, now)
        self._untouched(live, document)
        self._room(work, live)
        return live

    def _keep(self, work: Work, live: Volume, now: datetime) -> int:
        """How many points of the volume are kept, as is decided now. Raises NotMade when it has the policy no more."""
        decision = self._policies.decide([live], now)[live.key]
        if decision.excluded is not None:
            raise NotMade("excluded", decision.excluded)
        held = next((held for held in decision.held if held.policy == work.policy), None)
        if held is None:
            raise NotMade("unassigned", f"the volume no longer has the policy {work.policy}")
        return held.keep

    def still_held(self, work: Work, volume: Volume) -> bool:
        """Whether retention may work on a volume whose point an earlier attempt made: decisions change."""
        if volume.id in work.keeps:
            return True
        try:
            document = (work.get("block-storage", f"/volumes/{volume.id}") or {}).get("volume")
            if not isinstance(document, dict):
                return False
            work.keeps[volume.id] = self._keep(work, as_it_is(volume, document), self.clock())
        except FORESEEN:
            return False
        return True

    def _untouched(self, volume: Volume, document: Mapping[str, Any]) -> None:
        """Raises NotMade for what is under a hands-off mark, or what a job works on."""
        targets = [Target("volume", volume.key, volume.name, volume.project_id, volume.project_name, volume.host,
                          doc=document)]  # fmt: skip
        for server in volume.server_ids:
            key = (volume.cloud, volume.region, server)
            targets.append(Target("server", key, volume.server_name, volume.project_id, volume.project_name))
        for target in targets:
            if freeze := self._gate.hands_off(target):
                raise NotMade("hands_off", freeze)
            if held := self._gate.held(target.type, target.key):
                raise NotMade("held", f"{target.name or target.id}: {held}")

    def _room(self, work: Work, volume: Volume) -> None:
        full = self._full.get((work.run["id"], volume.project_id))
        if full is not None and (full[0] == "snapshots" or volume.size_gb >= full[1]):
            raise NotMade("quota", f"not tried: {full[2]}")

    def freed(self, work: Work) -> None:
        """Retention removed something: there may be room again."""
        with self._lock:
            self._full.pop((work.run["id"], work.project_id), None)

    def forget(self, run_id: int) -> None:
        """The run is over."""
        with self._lock:
            for key in [key for key in self._full if key[0] == run_id]:
                del self._full[key]

    # Making

    def take_up(self, work: Work) -> list[Volume]:
        """The volumes that still need a point, as they are now; what an earlier attempt made is in `work.made`.

        Why there is to be none of a volume is in `work.problems`.
        """
        rows = self.register.of_token(work.token)
        # What was asked for as one is found by its image or group snapshot, whose members have no token.
        asked = any(row["kind"] in ("image", "group") and row["state"] == "begun" for row in rows)
        known = {} if asked else {row["volume_id"]: row for row in rows}
        todo: list[Volume] = []
        for volume in work.volumes:
            row = known.get(volume.id)
            try:
                if not self._made_before(work, volume, row):
                    todo.append(self.judge(work, volume))
            except FORESEEN as problem:
                if row is not None and row["state"] == "begun" and getattr(problem, "code", "") in _OVER:
                    self._failed(work, str(problem), volume.id)
                self.note(work, volume, problem)
        return todo

    def make(self, work: Work, volumes: list[Volume]) -> None:
        """Make their points; what came of each is in `work.made` and `work.problems`."""
        volumes = self._begin(work, volumes)
        if volumes:
            self._each(work, volumes)

    def _made_before(self, work: Work, volume: Volume, row: Mapping[str, Any] | None) -> bool:
        """Whether an earlier attempt of this step made it; what it began is waited for."""
        if row is None or row["state"] == "failed":
            return False
        if row["state"] != "begun":
            work.made[volume.id] = row["point_id"]
            return True
        found = work.context.wait(lambda: making.find_by_token(work.get, volume.id, work.token), AGAIN_SECONDS)
        if found is None:
            return False
        self._settle(work, volume, str(found["id"]), row["taken_at"], row)
        return True

    def _begin(self, work: Work, volumes: list[Volume]) -> list[Volume]:
        """Note in the register what is about to be made; answers those that no other step has made."""
        now, going = self.clock(), []
        facts = {"policy": work.policy, "occurrence": work.occurrence, "run_id": work.run["id"], "taken_at": now,
                 "kind": "snapshot", "server_id": work.step.args["server_id"]}  # fmt: skip
        with self.ops.begin() as connection:
            for volume in volumes:
                place = (volume.cloud, volume.region, volume.project_id)
                row = {"volume_id": volume.id, "size_gb": volume.size_gb, "name": self.name(work, volume, now)}
                if self.register.begin(connection, work.token, place, [row], **facts):
                    going.append(volume)
        for volume in volumes:
            if volume not in going:
                self.note(work, volume, NotMade("made", "has a restore point of this occurrence already"))
        return going

    def name(self, work: Work, volume: Volume, at: datetime) -> str:
        """What the point is called."""
        return making.snapshot_name(
            work.policy, at, tenant=volume.project_name, server=volume.server_name, volume=volume.name or volume.id
        )

    def machine(self, work: Work, volumes: list[Volume]) -> None:
        """The machine that uses the volumes, for what its state proves; not knowing it proves nothing."""
        id = work.step.args["server_id"] or next(iter(volumes[0].server_ids), "")
        if id:
            found = work.get("compute", f"/servers/{id}", "2.47") or {}
            work.server = found.get("server") or {}

    def _each(self, work: Work, volumes: list[Volume]) -> None:
        """All of them at once; how far apart they were asked for is part of what the point is."""
        sent: dict[str, float] = {}

        def one(volume: Volume) -> tuple[str, datetime] | Exception:
            try:
                return self._ask(work, volume, sent, len(volumes))
            except FORESEEN as problem:
                return problem

        if len(volumes) == 1:
            answers = [one(volumes[0])]
        else:
            with ThreadPoolExecutor(len(volumes), thread_name_prefix="points") as pool:
                answers = list(pool.map(one, volumes))
        spread = round((max(sent.values()) - min(sent.values())) * 1000) if len(sent) > 1 else None
        for volume, answer in zip(volumes, answers, strict=True):
            try:
                if isinstance(answer, Exception):
                    raise answer
                self._settle(work, volume, answer[0], answer[1], self._proof(work, volume, len(volumes), spread))
            except FORESEEN as problem:
                self.note(work, volume, problem)

    def _proof(self, work: Work, volume: Volume, count: int, spread: int | None) -> dict[str, Any]:
        image = work.documents.get(volume.id, {}).get("volume_image_metadata") or {}
        server = work.server or ({"status": "unknown"} if volume.server_ids else {})
        what, proof = making.consistency(server, image, by_nova=False, volumes=count)
        return {"consistency": what, "proof": proof, "spread_ms": spread}

    def _ask(self, work: Work, volume: Volume, sent: dict[str, float], count: int) -> tuple[str, datetime]:
        """Send the request for one snapshot: (id, when). Raises NotMade."""
        at = self.clock()
        consistency = self._proof(work, volume, count, None)["consistency"]
        metadata = making.policy_metadata(
            work.policy, volume.project_id, work.token, at, volume_id=volume.id, consistency=consistency
        )
        call = making.create_snapshot(
            volume, self.name(work, volume, at), making.policy_description(work.policy), metadata
        )
        sent[volume.id] = time.monotonic()
        try:
            answer = work.perform(call)
        except NotDone as error:
            return self._unheard(work, volume, error), at
        except FORESEEN:  # nothing was sent
            self.ops.finish(lambda connection: self.register.forget(connection, work.token, volume.id))
            raise
        work.request_ids.extend(answer.request_ids)
        made = answer.document.get("snapshot")
        id = made.get("id") if isinstance(made, Mapping) else None
        if not isinstance(id, str):
            found = making.find_by_token(work.get, volume.id, work.token)
            if found is None:
                raise NotMade("failed", "the cloud took the request and did not say what it made")
            id = str(found["id"])
        return id, at

    def _unheard(self, work: Work, volume: Volume, error: NotDone) -> str:
        """The cloud refused it, or no answer came: then what there is says whether it was made."""
        if error.uncertain:
            found = work.context.wait(lambda: making.find_by_token(work.get, volume.id, work.token), LOST_SECONDS)
            if found is not None:
                return str(found["id"])
            # It may still come: the register keeps it as begun, and the next step of this volume looks for it.
            raise NotMade("failed", error.detail)
        self._failed(work, error.detail, volume.id)
        if over_quota(error):
            kind = "gigabytes" if "gigabyte" in error.detail.lower() else "snapshots"
            with self._lock:
                self._full[work.run["id"], volume.project_id] = (kind, volume.size_gb, error.detail)
            raise NotMade("quota", error.detail)
        raise NotMade("gone" if error.cloud_status == 404 else "failed", error.detail)

    def _failed(self, work: Work, detail: str, volume_id: str) -> None:
        self.ops.finish(lambda connection: self.register.failed(connection, work.token, detail, volume_id))

    def _settle(self, work: Work, volume: Volume, id: str, at: datetime, facts: Mapping[str, Any]) -> None:
        """Wait until it can be used, then note it. Raises NotMade."""
        document = self.ready(work, id)
        status = document.get("status")
        if status != "available":
            raise self._broken(work, volume, id, str(status))
        proof = {name: facts[name] for name in ("consistency", "proof", "spread_ms") if facts.get(name) is not None}
        size = document.get("size")
        name = str(document.get("name") or "")

        def act(connection: Any) -> None:
            self.register.made(
                connection, work.token, volume.id, id, taken_at=at, name=name,
                size_gb=size if isinstance(size, int) else volume.size_gb, **proof,
            )  # fmt: skip
            self.records.settled(connection, work.run["id"], volume.id, work.policy)
            self.records.note(
                connection, work.run, volume, "created", policy=work.policy, keep=work.keep, point_id=id,
                point_name=name, step=work.step.seq, detail=work.told(str(proof.get("proof", ""))),
            )  # fmt: skip

        self.ops.finish(act)
        work.made[volume.id] = id

    def ready(self, work: Work, id: str) -> dict[str, Any]:
        """A snapshot's document once the cloud is done with it; {"status": "gone"} for one that is not there.

        Raises NotMade when it takes too long: it stays noted as begun, and is found again.
        """

        def read() -> Mapping[str, Any] | None:
            found = work.get("block-storage", f"/snapshots/{id}")
            return None if found is None else (found.get("snapshot") or {})

        return ready(work, read, f"the snapshot {id}")

    def give_up(self, work: Work, detail: str) -> None:
        """Nothing came of the step's token."""
        self.ops.finish(lambda connection: self.register.failed(connection, work.token, detail))

    def unsent(self, work: Work) -> None:
        """Nothing was sent with the step's token: the register forgets what it was to become."""

        def act(connection: Any) -> None:
            for row in self.register.of_token(work.token):
                self.register.forget(connection, work.token, row["volume_id"])

        self.ops.finish(act)

    def _broken(self, work: Work, volume: Volume, id: str, status: str) -> NotMade:
        """Our own attempt, of no use to anybody: it goes, so that it takes no quota."""
        why = f"the cloud made the snapshot {id}, and it is {status}"
        if status == "error":
            document = work.get("block-storage", f"/snapshots/{id}") or {}
            if ((document.get("snapshot") or {}).get("metadata") or {}).get(TOKEN) == work.token:
                try:
                    work.perform(making.delete_snapshot((volume.cloud, volume.region, id), volume.project_id))
                except Refused as error:
                    why += f" (it could not be removed: {error.detail})"
        self._failed(work, why, volume.id)
        return NotMade("failed", why)

    # Noting

    def note(self, work: Work, volume: Volume, problem: Exception) -> None:
        """Write down why there is no point of a volume."""
        if not isinstance(problem, NotMade):
            sentence = getattr(problem, "detail", None) or str(problem)
            code = getattr(problem, "code", "")
            problem = NotMade(code if code in ("no_role", "read_only", "held", "hands_off") else "failed", sentence)
        work.problems[volume.id] = problem
        facts = {"policy": work.policy, "keep": work.keep, "code": problem.code, "step": work.step.seq,
                 "detail": str(problem)}  # fmt: skip

        def act(connection: Any) -> None:
            if problem.code == "quota":
                self.records.block(connection, work.run, blocked(work, volume, str(problem)))
            else:
                action = "failed" if problem.code in ("failed", "no_role", "read_only") else "skipped"
                self.records.note(connection, work.run, volume, action, **facts)

        self.ops.finish(act)


def blocked(work: Work, volume: Volume, sentence: str) -> Block:
    """A volume that the cloud's own quota kept out half-way; its numbers are in the cloud's sentence."""
    kind = "gigabytes" if "gigabyte" in sentence.lower() else "snapshots"
    needed = volume.size_gb if kind == "gigabytes" else 1
    return Block(volume, work.policy, work.keep, REASONS[kind], kind, needed=needed, text=sentence)


def ready(work: Work, read: Callable[[], Mapping[str, Any] | None], what: str) -> dict[str, Any]:
    """What `read` answers once the cloud is done with it; {"status": "gone"} when it answers None.

    Raises NotMade when it takes too long: it stays noted as begun, and is found again.
    """

    def look() -> dict[str, Any] | None:
        try:
            found = read()
        except OpsError:
            raise
        except Exception:  # asked again until the time is over
            return None
        if found is None:
            return {"status": "gone"}
        return None if str(found.get("status") or "").lower() in _COMING else dict(found)

    document = work.context.wait(look, READY_SECONDS)
    if document is None:
        raise NotMade("failed", f"{what} was not ready after {READY_SECONDS / 60:g} minutes")
    return document


def over_quota(error: NotDone) -> bool:
    """Whether the cloud refused for want of quota: 413 as Cinder says it, or 403 with the word in it, as Nova does."""
    words = error.detail.lower()
    return error.cloud_status == 413 or (
        error.cloud_status in (400, 403, 409) and ("quota" in words or "limitexceeded" in words.replace(" ", ""))
    )
