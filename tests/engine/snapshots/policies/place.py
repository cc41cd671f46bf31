"""The small company of tests/engine/tenants with the routes of policies, and a Cinder that keeps volumes' metadata."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.access.models import Caller
from engine.gate.models import Actor, Answer, Call
from engine.gate.refusals import NotDone
from engine.snapshots.models import Key, Volume
from engine.snapshots.policies import documented, routes
from engine.snapshots.policies.desk import PolicyDesk
from engine.snapshots.policies.models import AssignmentBody, ExclusionBody, PolicyBody, SetBody
from engine.snapshots.policies.service import PolicyService
from engine.snapshots.policies.writing import MetadataWriter
from engine.snapshots.runs.metadata_runner import ACTION, PERMISSION
from engine.snapshots.volumes import volumes
from store.estate.reading.models import Scope
from tests.engine.api.furniture import ADMIN
from tests.engine.inventory.reading import take_in
from tests.engine.tenants.company import NOW, Company, documents, volume

__all__ = ["ADMIN", "ANNA", "BOB", "NOW", "OF_CLOUD", "OF_D2", "OF_P1", "Place", "documents", "volume"]

ANNA = Caller("anna", 1001, role="admin")
BOB = Caller("bob", 1002, role="viewer")
OF_P1 = Caller("tess", 1003, role="admin", clouds=("prod",), projects=("p1",))
OF_D2 = Caller("dora", 1004, role="admin", clouds=("prod",), domains=("d2",))
OF_CLOUD = Caller("carl", 1005, role="admin", clouds=("prod",))


class Cinder:
    """Stands where the gate does. `metadata`: by the volume's id; `sent`: what changed something."""

    def __init__(self) -> None:
        self.metadata: dict[str, dict[str, str]] = {}
        self.sent: list[tuple[str, str, Any]] = []
        self.broken = False

    def ask(self, caller: Caller, call: Call) -> Answer:
        return Answer(200, (), {"metadata": dict(self.metadata.get(str(call.key and call.key[2]), {}))})

    def perform(self, actor: Actor, call: Call) -> Answer:
        assert call.session == "tenant" and call.project_id and call.key is not None
        self.sent.append((call.method, call.path, call.body))
        if self.broken:
            raise NotDone("the cloud does not answer", uncertain=True)
        known = self.metadata.setdefault(call.key[2], {})
        if call.method == "POST" and call.body is not None:
            known.update(call.body["metadata"])
        else:
            known.pop(call.path.rsplit("/", 1)[1], None)
        return Answer(200)


class Place(Company):
    """Volumes 1, 2 (p1, acme-prod) and 5 (p2, labs-dev) ask for daily_5 by their metadata; 3, 4 (p1) for nothing."""

    def __init__(self, home: Path, given: dict[str, list[dict[str, Any]]] | None = None) -> None:
        super().__init__(home, given)
        self.moves = 0
        self.policies = PolicyService(self.ops, self.audit, self.reads, self._moved, lambda: self.now)
        self.cinder = Cinder()
        self.writer = MetadataWriter(self.policies, self.cinder.perform, self.cinder.ask)
        self.desk = PolicyDesk(self.policies)
        self.desk.writing = self._write
        for router in (routes.routes(self.desk, self.access), documented.routes(self.desk, self.access)):
            self.app.include_router(router)
        self.access.check_routes(self.app)

    def _moved(self) -> None:
        self.moves += 1

    def _write(self, caller: Caller, found: Sequence[Volume], reason: str, ticket: str) -> list[dict[str, Any]]:
        """Stands where jobs do: one that has ended when it is answered."""
        actor, steps = Actor(caller, PERMISSION, ACTION, reason=reason, ticket=ticket), []
        for one in found:
            try:
                done = {"state": "done", "detail": self.writer.write(actor, one)}
            except NotDone as error:
                done = {"state": "failed", "detail": error.detail}
            steps.append({"target": one.name or one.id, "key": list(one.key), **done})
        self.policies.moved()
        return [{"id": "j1", "number": 1, "ended_at": "2026-11-20T15:30:00Z", "steps": steps}]

    def volumes(self, *rows: dict[str, Any]) -> None:
        """These are all the volumes there are."""
        take_in(self.estate, "volume", list(rows), self.now)

    def volume(self, id: str) -> Volume:
        return volumes(self.reads, Scope(), [self.key(id)])[0]

    @staticmethod
    def key(id: str) -> Key:
        return ("prod", "RegionOne", id)

    def held(self, id: str) -> dict[str, int]:
        """policy -> how many are kept, of one volume."""
        decision = self.policies.decide([self.volume(id)], self.now)[self.key(id)]
        return {held.policy: held.keep for held in decision.held}

    def add(self, *bodies: PolicyBody | SetBody | AssignmentBody | ExclusionBody) -> list[Any]:
        """Keep them, by Anna."""
        made: list[Any] = []
        for body in bodies:
            if isinstance(body, PolicyBody):
                made.append(self.desk.changing.add_policy(ANNA, body))
            elif isinstance(body, SetBody):
                made.append(self.desk.changing.add_set(ANNA, body))
            elif isinstance(body, AssignmentBody):
                made.append(self.desk.giving.assign(ANNA, body)[0])
            else:
                made.append(self.desk.giving.exclude(ANNA, body))
        return made

    async def ask(
        self, method: str, path: str, caller: Caller = ADMIN, expect: int = 200, body: Any = None, **query: Any
    ) -> Any:
        async with self.as_(caller) as asking:
            answer = await asking.request(method, path, params=query, json=body)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None
