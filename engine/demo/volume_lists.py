"""Cinder's listings: all_tenants that silently shrinks for others, filters, times, pages, counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer
from engine.demo.clock import read_time
from engine.demo.compute import FALSE, TRUE
from engine.demo.routing import Call, Test, keep, next_url, take, where
from engine.demo.serving import Response
from engine.demo.tables import Table, newest_first
from engine.demo.volume import require_reader, sees
from engine.demo.volume_render import (
    attachment_document,
    backup_document,
    brief,
    snapshot_document,
    volume_document,
)

if TYPE_CHECKING:
    from engine.demo.volume import BlockStorage

MAX_LIMIT = 1000
SORT_KEYS: dict[str, Callable[[Any], Any]] = {
    "created_at": lambda row: row.created,
    "updated_at": lambda row: row.updated or 0,
    "id": lambda row: row.id,
    "name": lambda row: row.name,
    "display_name": lambda row: row.name,
    "size": lambda row: row.size,
    "status": lambda row: row.status,
}
COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gte": lambda value, wanted: value >= wanted,
    "gt": lambda value, wanted: value > wanted,
    "lte": lambda value, wanted: value <= wanted,
    "lt": lambda value, wanted: value < wanted,
    "eq": lambda value, wanted: value == wanted,
    "neq": lambda value, wanted: value != wanted,
}
PAGING = {"limit", "marker", "offset", "sort", "sort_key", "sort_dir", "all_tenants", "with_count", "consumes_quota"}


@dataclass
class Kind:
    """One of Cinder's collections."""

    key: str
    single: str
    table: Table[Any]
    rule: str
    missing: str
    columns: dict[str, Callable[[Any], Any]]
    times: tuple[str, ...] = ()
    links: bool = True


COLUMNS: dict[str, Callable[[Any], Any]] = {
    "id": lambda row: row.id,
    "name": lambda row: row.name,
    "status": lambda row: row.status,
    "size": lambda row: str(row.size),
    "project_id": lambda row: row.project,
    "user_id": lambda row: row.user,
    "volume_id": lambda row: row.volume,
    "description": lambda row: row.description,
    "availability_zone": lambda row: "nova",
    "snapshot_id": lambda row: getattr(row, "snapshot", None),
}


def _columns(*names: str, **more: Callable[[Any], Any]) -> dict[str, Callable[[Any], Any]]:
    return {name: COLUMNS[name] for name in names} | more


def add_lists(storage: BlockStorage) -> None:
    """Route the lists of volumes, snapshots, backups and attachments, and each of them alone."""
    lists = Lists(storage)
    on = storage.routes.on
    for key, kind in lists.kinds.items():
        on("GET", f"/{key}")(lambda call, kind=kind: lists.listing(call, kind, False))
        on("GET", f"/{key}/detail")(lambda call, kind=kind: lists.listing(call, kind, True))
        on("GET", f"/{key}/{{id}}")(lambda call, id, kind=kind: lists.show(call, id, kind))


class Lists:
    """Cinder's long lists: pages, filters, order and counts, as a token may see them."""

    def __init__(self, storage: BlockStorage) -> None:
        self.storage, self.state = storage, storage.state
        state = storage.state
        common = ("id", "name", "status", "size", "project_id", "user_id", "description", "availability_zone")
        self.kinds = {
            "volumes": Kind(
                "volumes", "volume", state.volumes, "volume:get_all", "Volume {id} could not be found.",
                _columns(
                    *common,
                    volume_type=lambda row: row.type,
                    bootable=lambda row: str(row.bootable).lower(),
                    host=lambda row: row.pool,
                    snapshot_id=lambda row: row.snapshot,
                    encrypted=lambda row: str(row.encrypted).lower(),
                ),
                ("created_at", "updated_at"),
            ),
            "snapshots": Kind(
                "snapshots", "snapshot", state.snapshots, "volume:get_all_snapshots",
                "Snapshot {id} could not be found.",
                _columns(*common, "volume_id"),
            ),
            "backups": Kind(
                "backups", "backup", state.backups, "backup:get_all", "Backup {id} could not be found.",
                _columns(*common, "volume_id"),
            ),
            "attachments": Kind(
                "attachments", "attachment", state.attachments, "volume:attachment_list",
                "Volume attachment could not be found with filter: attachment_id = {id}.",
                _columns("id", "project_id", volume_id=lambda row: row.volume, instance_id=lambda row: row.server,
                         status=lambda row: row.status, attach_status=lambda row: row.status),
                links=False,
            ),
        }  # fmt: skip

    # Pages

    def listing(self, call: Call, kind: Kind, detail: bool) -> Response:
        require_reader(call, kind.rule)
        if kind.key == "attachments" and call.version < (3, 27):
            raise Refusal(404, "The resource could not be found.")
        tests = self._tests(call, kind)
        limit = self._limit(call)
        rows = take(keep(self._rows(call, kind), tests), limit)
        body: dict[str, Any] = {kind.key: [self._document(call, kind, row, detail) for row in rows]}
        if rows and len(rows) == limit and kind.links:
            path = call.path if call.path.startswith("/v3/") else f"/v3{call.path}"
            link = next_url(self.storage.url, path, call.request.query, rows[-1].id)
            body[f"{kind.key}_links"] = [{"rel": "next", "href": link}]
        counts = {"volumes": (3, 45), "snapshots": (3, 45), "backups": (3, 45)}
        if call.request.first("with_count") and call.version >= counts.get(kind.key, (9, 0)):
            body["count"] = sum(1 for _ in keep(iter(kind.table), tests))
        return answer(body)

    @staticmethod
    def _limit(call: Call) -> int:
        text = call.request.first("limit")
        if text is None:
            return MAX_LIMIT
        try:
            limit = int(text)
        except ValueError:
            raise Refusal(400, "limit param must be an integer") from None
        if limit < 0:
            raise Refusal(400, "limit param must be positive")
        return min(limit, MAX_LIMIT)

    def _rows(self, call: Call, kind: Kind) -> Any:
        marker = call.request.first("marker")
        mark = kind.table.get(marker) if marker else None
        if marker and (mark is None or not sees(call, mark.project)):
            raise Refusal(404, kind.missing.format(id=marker))
        key_name, direction = self._sort(call)
        if kind.key == "attachments":
            return kind.table.after("attached", _attached, _attached(mark) if mark else None, descending=True)
        if key_name is None:
            return kind.table.after("newest", newest_first, newest_first(mark) if mark else None, descending=True)
        part = SORT_KEYS[key_name]

        def key(row: Any) -> Any:
            return (part(row), row.id)

        rows = sorted(kind.table, key=key, reverse=direction == "desc")
        if mark is None:
            return iter(rows)
        place = key(mark)
        return (row for row in rows if (key(row) < place if direction == "desc" else key(row) > place))

    @staticmethod
    def _sort(call: Call) -> tuple[str | None, str]:
        sort = call.request.first("sort")
        name, direction = call.request.first("sort_key"), call.request.first("sort_dir") or "desc"
        if sort:
            name, _, given = sort.split(",")[0].partition(":")
            direction = given or "desc"
        if name is not None and name not in SORT_KEYS:
            raise Refusal(400, "Invalid input received: Invalid sort key")
        return name, direction

    # Filters

    def _tests(self, call: Call, kind: Kind) -> list[Callable[[Any], bool]]:
        tests: list[Callable[[Any], bool]] = []
        everybody = _truth(call.request.first("all_tenants"))
        # The trap: for anyone but an administrator all_tenants is dropped without a word.
        if not (everybody and call.token.admin):
            project = call.token.project_id
            tests.append(lambda row: row.project == project)
        for name, value in call.request.query:
            if name in PAGING:
                continue
            if name in kind.times and call.version >= (3, 31):
                tests += self._time(name, value)
            elif name in kind.times:
                continue
            elif name in kind.columns:
                column = kind.columns[name]
                tests.append(where(column, value))
            elif name.endswith("~") and name[:-1] in kind.columns and call.version >= (3, 31):
                column = kind.columns[name[:-1]]
                tests.append(_contains(column, value))
            else:
                # Cinder knows no such column: it answers 200 with nothing.
                tests.append(lambda row: False)
        return tests

    @staticmethod
    def _time(name: str, text: str) -> list[Callable[[Any], bool]]:
        tests: list[Callable[[Any], bool]] = []
        for part in text.split(","):
            operator, colon, value = part.partition(":")
            if not colon:
                raise Refusal(400, f"Invalid {part} value")
            if operator not in COMPARE:
                raise Refusal(400, f"Invalid {operator} operator")
            wanted = read_time(value)
            if wanted is None:
                raise Refusal(400, f"Invalid {value} value")
            compare = COMPARE[operator]
            read = (lambda row: row.created) if name == "created_at" else (lambda row: row.updated)
            tests.append(_compared(read, compare, wanted))
        return tests

    # Documents

    def _document(self, call: Call, kind: Kind, row: Any, detail: bool) -> dict[str, Any]:
        admin = call.token.admin
        if kind.key == "volumes":
            if detail:
                return volume_document(row, call.version, admin, call.base, self.state)
            return brief(row, "volumes", call.base)
        if kind.key == "snapshots":
            return snapshot_document(row, call.version, detail=detail)
        if kind.key == "backups":
            if not detail:
                return brief(row, "backups", call.base)
            dependent = bool(self.state.backups.having("parent", row.id))
            return backup_document(row, call.version, admin, call.base, dependent)
        return attachment_document(row, detail=detail)

    def find(self, call: Call, id: str, kind: str) -> Any:
        """A row the token may see. Raises Refusal(404)."""
        row = self.kinds[kind].table.get(id)
        if row is None or not sees(call, row.project):
            raise Refusal(404, self.kinds[kind].missing.format(id=id))
        return row

    def show(self, call: Call, id: str, kind: Kind) -> Response:
        require_reader(call, kind.rule)
        return answer({kind.single: self._document(call, kind, self.find(call, id, kind.key), True)})


def _contains(read: Callable[[Any], Any], part: str) -> Test:
    return lambda row: part in str(read(row))


def _compared(read: Callable[[Any], int | None], compare: Callable[[int, int], bool], wanted: int) -> Test:
    """Rows with the time, compared; a row that was never changed has none."""

    def test(row: Any) -> bool:
        value = read(row)
        return value is not None and compare(value, wanted)

    return test


def _attached(attachment: Any) -> tuple[int, str]:
    return (attachment.attached, attachment.id)


def _truth(text: str | None) -> bool:
    if text is None:
        return False
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise Refusal(400, f"Invalid value '{text}' for all_tenants.")
