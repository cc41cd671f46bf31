"""Nova's server listings: pages, filters, changes-since, all_tenants; and one server."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer
from engine.demo.clock import read_time
from engine.demo.compute import denied, require_reader, yes
from engine.demo.compute_render import VM_STATES, bare_brief, bare_server, brief_server, server_document
from engine.demo.records import Server
from engine.demo.routing import Call, keep, next_url, take, where
from engine.demo.serving import Response
from engine.demo.tables import newest_first

if TYPE_CHECKING:
    from engine.demo.compute import Compute

MAX_LIMIT = 1000
SORT_KEYS = (
    "created_at",
    "updated_at",
    "display_name",
    "uuid",
    "vm_state",
    "host",
    "project_id",
    "user_id",
    "launched_at",
)
FILTERS = {
    "all_tenants", "changes-since", "changes-before", "deleted", "flavor", "host", "image", "ip", "ip6",
    "limit", "marker", "name", "project_id", "reservation_id", "sort_dir", "sort_key", "status",
    "tenant_id", "user_id", "uuid", "vm_state", "power_state", "task_state", "node", "hostname",
    "availability_zone", "key_name", "description", "locked", "tags", "tags-any", "not-tags",
    "not-tags-any", "created_at", "launched_at", "terminated_at", "config_drive", "progress",
    "root_device_name", "launch_index", "kernel_id", "ramdisk_id", "access_ip_v4", "access_ip_v6",
    "auto_disk_config", "disk_config", "block_device_mapping", "services", "metadata", "system_metadata",
    "info_cache", "security_groups", "soft_deleted", "instance_type_id",
}  # fmt: skip
SORTS: dict[str, Callable[[Server], Any]] = {
    "created_at": lambda server: server.created,
    "updated_at": lambda server: server.updated,
    "display_name": lambda server: server.name,
    "uuid": lambda server: server.id,
    "vm_state": lambda server: VM_STATES.get(server.status, ""),
    "host": lambda server: server.host.name if server.host else "",
    "project_id": lambda server: server.project,
    "user_id": lambda server: server.user,
    "launched_at": lambda server: server.launched or 0,
}


def add_servers(compute: Compute) -> None:
    """Route Nova's server lists and GET of one server."""
    servers = Servers(compute)
    on = compute.routes.on
    on("GET", "/servers")(servers.brief)
    on("GET", "/servers/detail")(servers.detail)
    on("GET", "/servers/{id}")(servers.show)


class Servers:
    """Nova's server lists and single servers, as a token may see them."""

    def __init__(self, compute: Compute) -> None:
        self.compute, self.state = compute, compute.state

    def brief(self, call: Call) -> Response:
        rows, link = self.page(call, "index")
        down, url = self.state.down_servers, call.base
        return self._answer([bare_brief(row, url) if row.id in down else brief_server(row, url) for row in rows], link)

    def detail(self, call: Call) -> Response:
        rows, link = self.page(call, "detail")
        admin, version, url = call.token.project_admin, call.version, call.base
        # Rows of a down cell reach this place only where Nova would show them: see `page`.
        down = self.state.down_servers
        documents = [
            bare_server(row, url) if row.id in down else server_document(row, version, admin, url) for row in rows
        ]
        return self._answer(documents, link)

    @staticmethod
    def _answer(documents: list[dict[str, Any]], link: str | None) -> Response:
        body: dict[str, Any] = {"servers": documents}
        if link:
            body["servers_links"] = [{"rel": "next", "href": link}]
        return answer(body)

    def page(self, call: Call, rule: str) -> tuple[list[Server], str | None]:
        """The rows of the asked page and the address of the next one, None when this is the last."""
        require_reader(call, f"os_compute_api:servers:{rule}")
        request = call.request
        self._check(call)
        everybody = yes(request.first("all_tenants"))
        admin = call.token.project_admin
        if everybody and not admin:
            raise denied(f"os_compute_api:servers:{rule}:get_all_tenants")
        limit = self._limit(call)
        tests = self._tests(call, everybody)
        if self.state.down_servers and not self._shows_down_cells(call):
            down = self.state.down_servers
            tests.append(lambda row: row.id not in down)
        rows = take(keep(self._rows(call), tests), limit)
        if not rows or len(rows) < limit:
            return rows, None
        return rows, next_url(self.compute.bookmark, call.path, request.query, rows[-1].id, ordered=True)

    @staticmethod
    def _shows_down_cells(call: Call) -> bool:
        """From 2.69, and in a list asked for without page, order or filter; any other leaves those servers out."""
        return call.version >= (2, 69) and all(name == "all_tenants" for name, _ in call.request.query)

    @staticmethod
    def _check(call: Call) -> None:
        for name, value in call.request.query:
            if name not in FILTERS and not name.startswith("_"):
                raise Refusal(400, f"'{name}' does not match any of the regexes: '^_'")
            if name == "limit" and not re.fullmatch(r"[0-9]*", value):
                raise Refusal(
                    400,
                    f"Invalid input for query parameters limit. Value: {value}. '{value}' does not match '^[0-9]*$'",
                )
            if name == "sort_key" and value not in SORT_KEYS:
                keys = ", ".join(f"'{key}'" for key in SORT_KEYS)
                raise Refusal(
                    400,
                    f"Invalid input for query parameters sort_key. Value: {value}. '{value}' is not one of [{keys}]",
                )
            if name in ("changes-since", "changes-before") and read_time(value) is None:
                raise Refusal(
                    400, f"Invalid input for query parameters {name}. Value: {value}. '{value}' is not a 'date-time'"
                )

    @staticmethod
    def _limit(call: Call) -> int:
        text = call.request.first("limit")
        return min(int(text), MAX_LIMIT) if text else MAX_LIMIT

    def _rows(self, call: Call) -> Iterator[Server]:
        """All rows after the marker in the asked order; deleted ones too where the call wants them."""
        request = call.request
        marker = request.first("marker")
        mark = self.state.servers.get(marker or "") or self.state.deleted_servers.get(marker or "")
        if marker and mark is None:
            raise Refusal(400, f"marker [{marker}] not found")
        sort_key = request.first("sort_key")
        deleted = yes(request.first("deleted")) and call.token.project_admin
        since = request.first("changes-since")
        tables = []
        if not deleted:
            tables.append(self.state.servers)
        if deleted or since:
            tables.append(self.state.deleted_servers)
        if sort_key:
            return self._sorted(tables, sort_key, request.first("sort_dir") or "desc", mark)
        key = newest_first(mark) if mark else None
        parts = [table.after("newest", newest_first, key, descending=True) for table in tables]
        if len(parts) == 1:
            return parts[0]
        return _merge(parts)

    @staticmethod
    def _sorted(tables: list[Any], sort_key: str, direction: str, mark: Server | None) -> Iterator[Server]:
        part = SORTS[sort_key]

        def key(server: Server) -> Any:
            return (part(server), server.created, server.id)

        rows = sorted(itertools.chain(*tables), key=key, reverse=direction == "desc")
        if mark is None:
            return iter(rows)
        place = key(mark)
        beyond = (lambda row: key(row) < place) if direction == "desc" else (lambda row: key(row) > place)
        return (row for row in rows if beyond(row))

    def _tests(self, call: Call, everybody: bool) -> list[Callable[[Server], bool]]:
        request, admin = call.request, call.token.project_admin
        tests: list[Callable[[Server], bool]] = []
        if not everybody:
            project = call.token.project_id
            tests.append(lambda row: row.project == project)
        for name in ("project_id", "tenant_id"):
            wanted = request.first(name)
            if wanted is not None and everybody:
                tests.append(where(lambda row: row.project, wanted))
        since, before = request.first("changes-since"), request.first("changes-before")
        if since:
            low = read_time(since) or 0
            tests.append(lambda row: row.updated >= low)
        if before:
            high = read_time(before) or 0
            tests.append(lambda row: row.updated <= high)
        statuses = [value.upper() for value in request.all("status")]
        if statuses:
            tests.append(lambda row: row.status in statuses)
        if request.first("host") is not None:
            if not admin:
                raise denied("os_compute_api:servers:allow_all_filters")
            host = request.first("host")
            tests.append(lambda row: row.host is not None and row.host.name == host)
        for name, read in _SIMPLE.items():
            wanted = request.first(name)
            if wanted is not None:
                tests.append(where(read, wanted))
        name_like = request.first("name")
        if name_like is not None:
            try:
                pattern = re.compile(name_like)
            except re.error:
                raise Refusal(400, f"Invalid input for query parameters name. Value: {name_like}.") from None
            tests.append(lambda row: pattern.search(row.name) is not None)
        tag_texts = request.first("tags")
        if tag_texts:
            wanted_tags = set(tag_texts.split(","))
            tests.append(lambda row: wanted_tags <= set(row.tags))
        return tests

    def find(self, call: Call, id: str, message: str = "Instance {id} could not be found.") -> Server:
        """The server, if the token may know of it. Raises Refusal(404)."""
        server = self.state.servers.get(id)
        if server is None or (server.project != call.token.project_id and not call.token.project_admin):
            raise Refusal(404, message.format(id=id))
        return server

    def show(self, call: Call, id: str) -> Response:
        require_reader(call, "os_compute_api:servers:show")
        server = self.find(call, id)
        if id in self.state.down_servers:
            if call.version < (2, 69):
                raise Refusal(404, f"Instance {id} could not be found.")
            return answer({"server": bare_server(server, call.base)})
        document = server_document(server, call.version, call.token.project_admin, call.base, single=True)
        return answer({"server": document})


_SIMPLE: dict[str, Callable[[Server], Any]] = {
    "user_id": lambda row: row.user,
    "uuid": lambda row: row.id,
    "image": lambda row: row.image.id if row.image else "",
    "flavor": lambda row: row.flavor.id,
    "vm_state": lambda row: VM_STATES.get(row.status, "active"),
    "task_state": lambda row: row.task,
    "availability_zone": lambda row: row.zone,
    "key_name": lambda row: row.key,
    "hostname": lambda row: row.hostname,
    "node": lambda row: row.host.name if row.host else "",
}


def _merge(parts: list[Iterator[Server]]) -> Iterator[Server]:
    import heapq

    return heapq.merge(*parts, key=newest_first, reverse=True)
