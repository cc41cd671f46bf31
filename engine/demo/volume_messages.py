"""Cinder's messages to users: why something on a volume, snapshot or backup failed; kept for thirty days."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer
from engine.demo.clock import micro_time
from engine.demo.records import Backup, Snapshot, Volume
from engine.demo.routing import Call
from engine.demo.serving import Response
from engine.demo.tenants import DAY
from engine.demo.volume import require_reader

if TYPE_CHECKING:
    from engine.demo.volume import BlockStorage

KEPT = 30 * DAY
Row = Volume | Snapshot | Backup

# Cinder's own numbers and words: what was being done, what came of it.
DOING = {
    "001": "schedule allocate volume",
    "002": "attach volume",
    "007": "extend volume",
    "010": "delete snapshot",
    "013": "create backup",
}
CAME = {
    "003": "Could not find any available weighted backend.",
    "010": "Driver failed to extend volume.",
    "016": "Snapshot failed to delete.",
    "018": "Backup service is down.",
    "021": "Attaching volume failed: the host did not answer.",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message about a row."""

    row: Row
    kind: str
    doing: str
    came: str
    at: int

    @property
    def id(self) -> str:
        """Made from the row's id, so that it is the same at every question."""
        head, digits = self.row.id[:-12], self.row.id[-12:]
        return f"{head}{self.doing[-1]}{digits[::-1][1:]}"

    def document(self, base: str) -> dict[str, Any]:
        """As Cinder writes it."""
        return {
            "id": self.id,
            "request_id": f"req-{self.row.id[:-1]}{self.doing[-1]}",
            "event_id": f"VOLUME_{self.kind}_{self.doing}_{self.came}",
            "message_level": "ERROR",
            "resource_type": self.kind,
            "resource_uuid": self.row.id,
            "created_at": micro_time(self.at),
            "guaranteed_until": micro_time(self.at + KEPT),
            "user_message": f"{DOING[self.doing]}:{CAME[self.came]}",
            "links": [{"rel": "self", "href": f"{base}/messages/{self.id}"}],
        }


def add_messages(storage: BlockStorage) -> None:
    """Route the messages."""
    messages = Messages(storage)
    storage.routes.on("GET", "/messages")(messages.all)
    storage.routes.on("GET", "/messages/{id}")(messages.one)


class Messages:
    """Messages of the token's project; an administrator also gets those about a resource that he names."""

    def __init__(self, storage: BlockStorage) -> None:
        self.state = storage.state

    def all(self, call: Call) -> Response:
        require_reader(call, "message:get_all")
        wanted = call.request.first("resource_uuid") or ""
        found = [message.document(call.base) for message in self._visible(call, wanted)]
        found.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
        limit = call.request.first("limit") or ""
        return answer({"messages": found[: int(limit)] if limit.isdigit() else found})

    def one(self, call: Call, id: str) -> Response:
        for message in self._visible(call, ""):
            if message.id == id:
                return answer({"message": message.document(call.base)})
        raise Refusal(404, f"Message {id} could not be found.")

    def _visible(self, call: Call, wanted: str) -> Iterator[Message]:
        admin, project = call.token.project_admin, call.token.project_id
        for row in self._rows(wanted):
            if row.project == project or (wanted and admin):
                yield from (one for one in about(row, call.now) if one.at <= call.now < one.at + KEPT)

    def _rows(self, wanted: str) -> Iterator[Row]:
        tables = (self.state.volumes, self.state.snapshots, self.state.backups)
        for table in tables:
            if not wanted:
                yield from table
            elif (row := table.get(wanted)) is not None:
                yield row


def about(row: Row, now: int) -> Iterator[Message]:
    """What there is to tell of a row: of most nothing."""
    at = _lately(row.updated or row.created, now)
    if isinstance(row, Snapshot):
        if row.status == "error_deleting":
            yield Message(row, "VOLUME_SNAPSHOT", "010", "016", at)
        return
    if isinstance(row, Backup):
        if row.status == "error":
            yield Message(row, "VOLUME_BACKUP", "013", "018", at)
        return
    if row.status == "error":
        yield Message(row, "VOLUME", "001", "003", at)
    if row.status == "attaching":
        yield Message(row, "VOLUME", "002", "021", at)
    dice = random.Random(row.id)
    if row.status in ("available", "in-use") and dice.random() < 0.02:
        # A day of the month on which somebody wanted more than the pool had.
        yield Message(row, "VOLUME", "007", "010", max(row.created, now - now % DAY - dice.randrange(1, 25) * DAY))


def _lately(at: int, now: int) -> int:
    """When it failed last: what is stuck is tried again by somebody every few days."""
    return at if now < at + KEPT else now - now % DAY - 2 * DAY
