"""Nova's other lists: flavors, hosts, services, aggregates, zones, server groups, key pairs."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer
from engine.demo.clock import micro_time
from engine.demo.compute import denied, require_admin, require_reader, yes
from engine.demo.compute_render import flavor_document, links
from engine.demo.records import Host, ServerGroup
from engine.demo.routing import Call, next_url
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.compute import Compute

CONTROLLERS = (("nova-scheduler", "ctl-1"), ("nova-conductor", "ctl-1"), ("nova-conductor", "ctl-2"))
CPU = {
    "arch": "x86_64",
    "model": "EPYC-Rome",
    "vendor": "AMD",
    "features": ["aes", "avx2", "sse4_2"],
    "topology": {"cores": 16, "threads": 2, "sockets": 2},
}


def add_lists(compute: Compute) -> None:
    """Route Nova's short lists: flavors, hypervisors, services, aggregates, zones, groups, key pairs, migrations."""
    lists = Lists(compute)
    on = compute.routes.on
    on("GET", "/flavors")(lambda call: lists.flavors(call, brief=True))
    on("GET", "/flavors/detail")(lists.flavors)
    on("GET", "/flavors/{id}")(lists.flavor)
    on("GET", "/flavors/{id}/os-extra_specs")(lists.extra_specs)
    on("GET", "/os-hypervisors")(lambda call: lists.hypervisors(call, detail=False))
    on("GET", "/os-hypervisors/detail")(lists.hypervisors)
    on("GET", "/os-hypervisors/{id}")(lists.hypervisor)
    on("GET", "/os-services")(lists.services)
    on("GET", "/os-aggregates")(lists.aggregates)
    on("GET", "/os-aggregates/{id}")(lists.aggregate)
    on("GET", "/os-availability-zone")(lists.zones)
    on("GET", "/os-availability-zone/detail")(lambda call: lists.zones(call, detail=True))
    on("GET", "/os-server-groups")(lists.server_groups)
    on("GET", "/os-server-groups/{id}")(lists.server_group)
    on("GET", "/os-keypairs")(lists.keypairs)
    on("GET", "/os-keypairs/{name}")(lists.keypair)
    on("GET", "/os-migrations")(lists.migrations)


class Lists:
    """Nova's lists other than servers; each answers whole or in pages, as Nova does for that list."""

    def __init__(self, compute: Compute) -> None:
        self.compute, self.state = compute, compute.state

    def _page(self, call: Call, key: str, rows: list[Any], id: Any = lambda row: row["id"]) -> tuple[list[Any], Any]:
        """Rows of a short list after the marker, and the links entry for the next page."""
        marker, text = call.request.first("marker"), call.request.first("limit")
        if marker:
            ids = [str(id(row)) for row in rows]
            if marker not in ids:
                raise Refusal(400, f"marker [{marker}] not found")
            rows = rows[ids.index(marker) + 1 :]
        if text and not text.isdigit():
            raise Refusal(
                400, f"Invalid input for query parameters limit. Value: {text}. '{text}' does not match '^[0-9]*$'"
            )
        limit = min(int(text), 1000) if text else 1000
        rows = rows[:limit]
        if not rows or len(rows) < limit:
            return rows, None
        href = next_url(call.base, call.path, call.request.query, str(id(rows[-1])), ordered=True)
        return rows, [{"rel": "next", "href": href}]

    # Flavors

    def flavors(self, call: Call, *, brief: bool = False) -> Response:
        public = call.request.first("is_public")
        admin = call.token.project_admin
        rows = sorted(self.state.flavors, key=lambda flavor: (flavor.created, flavor.id))
        if not admin or public is None:
            rows = [flavor for flavor in rows if flavor.public]
        elif public.lower() != "none":
            rows = [flavor for flavor in rows if flavor.public == yes(public)]
        rows, next_links = self._page(call, "flavors", rows, lambda row: row.id)
        if brief:
            documents = [{"id": row.id, "name": row.name, "links": links("flavors", row.id, call.base)} for row in rows]
        else:
            documents = [flavor_document(row, call.version, call.base, call.token.reads) for row in rows]
        body: dict[str, Any] = {"flavors": documents}
        if next_links:
            body["flavors_links"] = next_links
        return answer(body)

    def _flavor(self, call: Call, id: str) -> Any:
        flavor = self.state.flavors.get(id)
        if flavor is None or not (flavor.public or call.token.project_admin):
            raise Refusal(404, f"Flavor {id} could not be found.")
        return flavor

    def flavor(self, call: Call, id: str) -> Response:
        flavor = self._flavor(call, id)
        return answer({"flavor": flavor_document(flavor, call.version, call.base, call.token.reads)})

    def extra_specs(self, call: Call, id: str) -> Response:
        return answer({"extra_specs": self._flavor(call, id).extra_specs})

    # Hosts

    def _hypervisor(self, host: Host, call: Call, detail: bool) -> dict[str, Any]:
        new = call.version >= (2, 53)
        document: dict[str, Any] = {
            "id": host.id if new else host.number,
            "hypervisor_hostname": host.name,
            "state": "up" if host.up else "down",
            "status": "enabled" if host.enabled else "disabled",
        }
        if not detail:
            return document
        document |= {
            "hypervisor_type": "QEMU",
            "hypervisor_version": 8002000,
            "host_ip": host.ip,
            "service": {
                "id": host.service_id if new else host.number + 10,
                "host": host.name,
                "disabled_reason": host.reason,
            },
        }
        if call.version >= (2, 88):
            up = " 09:31:33 up 112 days,  3:02,  0 users,  load average: 4.42, 4.37, 4.31"
            return {**document, "uptime": up if host.up else None}
        used = host.disk_used
        return document | {
            "vcpus": host.vcpus,
            "memory_mb": host.ram,
            "local_gb": host.disk,
            "vcpus_used": host.vcpus_used,
            "memory_mb_used": host.ram_used + 4096,
            "local_gb_used": used,
            "free_ram_mb": host.ram - host.ram_used - 4096,
            "free_disk_gb": host.disk - used,
            "current_workload": 0,
            "running_vms": host.vms,
            "disk_available_least": host.disk - used - 40,
            "cpu_info": CPU if call.version >= (2, 28) else json.dumps(CPU),
        }

    def hypervisors(self, call: Call, *, detail: bool = True) -> Response:
        require_admin(call, f"os_compute_api:os-hypervisors:{'list-detail' if detail else 'list'}")
        if self.state.down_hosts:
            raise Refusal(500, "Unexpected API Error. A cell does not answer.")
        rows = sorted(self.state.hosts, key=lambda host: host.number)
        paged = call.version >= (2, 33)
        id = (lambda row: row.id) if call.version >= (2, 53) else (lambda row: row.number)
        next_links = None
        if paged:
            rows, next_links = self._page(call, "hypervisors", rows, id)
        body: dict[str, Any] = {"hypervisors": [self._hypervisor(row, call, detail) for row in rows]}
        if call.version >= (2, 53) and yes(call.request.first("with_servers")):
            self._with_servers(rows, body["hypervisors"])
        if next_links:
            body["hypervisors_links"] = next_links
        return answer(body)

    def _with_servers(self, rows: list[Host], documents: list[dict[str, Any]]) -> None:
        held: dict[str, list[dict[str, str]]] = {host.id: [] for host in rows}
        for server in self.state.servers:
            if server.host and server.host.id in held:
                held[server.host.id].append({"uuid": server.id, "name": f"instance-{server.number:08x}"})
        for host, document in zip(rows, documents, strict=True):
            if held[host.id]:
                document["servers"] = held[host.id]

    def hypervisor(self, call: Call, id: str) -> Response:
        require_admin(call, "os_compute_api:os-hypervisors:show")
        host = next((row for row in self.state.hosts if id in (row.id, str(row.number))), None)
        if host is None:
            raise Refusal(404, f"Hypervisor with ID '{id}' could not be found.")
        return answer({"hypervisor": self._hypervisor(host, call, True)})

    def services(self, call: Call) -> Response:
        require_admin(call, "os_compute_api:os-services:list")
        rows: list[dict[str, Any]] = []
        now = call.now - call.now % 10
        for number, (binary, controller) in enumerate(CONTROLLERS, 1):
            id = str(uuid.UUID(self.state.named_id(f"service/{binary}/{controller}")))
            rows.append(self._service(call, binary, controller, id, number, "internal", now))
        wanted = {name: call.request.first(name) for name in ("binary", "host")}
        told = call.version >= (2, 69) and not any(wanted.values())
        for host in sorted(self.state.hosts, key=lambda row: row.number):
            if host.id in self.state.down_hosts:
                # Its cell does not answer: all that is known of it is its name, and that only in the whole list.
                if told:
                    rows.append({"binary": "nova-compute", "host": host.name, "status": "UNKNOWN"})
                continue
            seen = now if host.up else host.stopped_at or now
            row = self._service(call, "nova-compute", host.name, host.service_id, host.number + 10, host.zone, seen)
            row["state"] = "up" if host.up else "down"
            row["status"] = "enabled" if host.enabled else "disabled"
            row["disabled_reason"] = host.reason
            rows.append(row)
        for name, value in wanted.items():
            if value:
                rows = [row for row in rows if row[name] == value]
        return answer({"services": rows})

    @staticmethod
    def _service(call: Call, binary: str, host: str, id: str, number: int, zone: str, seen: int) -> dict[str, Any]:
        row: dict[str, Any] = {
            "binary": binary,
            "host": host,
            "id": id if call.version >= (2, 53) else number,
            "zone": zone,
            "status": "enabled",
            "state": "up",
            "updated_at": micro_time(seen),
            "disabled_reason": None,
        }
        if call.version >= (2, 11):
            row["forced_down"] = False
        return row

    # Zones and aggregates

    def _aggregates(self, call: Call) -> list[dict[str, Any]]:
        rows = []
        zones = {"zone-b": lambda host: host.zone == "zone-b", "ssd": lambda host: host.number % 3 == 0}
        for number, (name, test) in enumerate(zones.items(), 1):
            hosts = [host.name for host in sorted(self.state.hosts, key=lambda row: row.number) if test(host)]
            zone = name if name.startswith("zone") else None
            row: dict[str, Any] = {"id": number}
            if call.version >= (2, 41):
                row["uuid"] = str(uuid.UUID(self.state.named_id(f"aggregate/{name}")))
            rows.append(
                row
                | {
                    "name": name,
                    "hosts": hosts,
                    "metadata": {"availability_zone": zone} if zone else {"storage": "ssd"},
                    "created_at": micro_time(self.state.epoch - 390 * 86400),
                    "updated_at": None,
                    "deleted_at": None,
                    "deleted": False,
                    "availability_zone": zone,
                }
            )
        return rows

    def aggregates(self, call: Call) -> Response:
        require_admin(call, "os_compute_api:os-aggregates:index")
        return answer({"aggregates": self._aggregates(call)})

    def aggregate(self, call: Call, id: str) -> Response:
        require_admin(call, "os_compute_api:os-aggregates:show")
        for row in self._aggregates(call):
            if str(row["id"]) == id:
                return answer({"aggregate": row})
        raise Refusal(404, f"Aggregate {id} could not be found.")

    def zones(self, call: Call, *, detail: bool = False) -> Response:
        if detail:
            require_admin(call, "os_compute_api:os-availability-zone:detail")
        require_reader(call, "os_compute_api:os-availability-zone:list")
        names = ["nova", "zone-b"]
        rows: list[dict[str, Any]] = []
        seen = micro_time(call.now - call.now % 10)
        if detail:
            hosts: dict[str, Any] = {}
            for binary, host in CONTROLLERS:
                hosts.setdefault(host, {})[binary] = {"available": True, "active": True, "updated_at": seen}
            rows.append({"zoneName": "internal", "zoneState": {"available": True}, "hosts": hosts})
        for name in names:
            held = {
                host.name: {"nova-compute": {"available": host.up, "active": host.enabled, "updated_at": seen}}
                for host in self.state.hosts
                if host.zone == name
            }
            rows.append({"zoneName": name, "zoneState": {"available": True}, "hosts": held if detail else None})
        return answer({"availabilityZoneInfo": rows})

    # Server groups and key pairs

    def _group(self, group: ServerGroup, call: Call) -> dict[str, Any]:
        document: dict[str, Any] = {"id": group.id, "name": group.name}
        if call.version >= (2, 64):
            document |= {"policy": group.policy, "rules": group.rules or {}}
        else:
            document |= {"policies": [group.policy], "metadata": {}}
        document["members"] = [id for id in group.members if id in self.state.servers]
        if call.version >= (2, 13):
            document |= {"project_id": group.project, "user_id": group.user}
        return document

    def server_groups(self, call: Call) -> Response:
        require_reader(call, "os_compute_api:os-server-groups:index")
        everybody = call.request.first("all_projects") is not None and call.token.project_admin
        rows = [row for row in self.state.server_groups if everybody or row.project == call.token.project_id]
        offset, limit = call.request.first("offset") or "0", call.request.first("limit") or "1000"
        if not (offset.isdigit() and limit.isdigit()):
            raise Refusal(400, "Invalid input for query parameters limit.")
        rows = rows[int(offset) :][: min(int(limit), 1000)]
        return answer({"server_groups": [self._group(row, call) for row in rows]})

    def server_group(self, call: Call, id: str) -> Response:
        require_reader(call, "os_compute_api:os-server-groups:show")
        group = self.state.server_groups.get(id)
        if group is None or not (group.project == call.token.project_id or call.token.project_admin):
            raise Refusal(404, f"Instance group {id} could not be found.")
        return answer({"server_group": self._group(group, call)})

    def keypairs(self, call: Call) -> Response:
        require_reader(call, "os_compute_api:os-keypairs:index")
        user = self._key_owner(call, "index")
        rows = [pair for pair in self.state.keypairs if pair.user == user]
        next_links = None
        if call.version >= (2, 35):
            rows, next_links = self._page(call, "keypairs", rows, lambda pair: pair.name)
        pairs = []
        for row in rows:
            pair = {"name": row.name, "public_key": row.public_key, "fingerprint": row.fingerprint}
            pairs.append({"keypair": {**pair, "type": row.kind} if call.version >= (2, 2) else pair})
        body: dict[str, Any] = {"keypairs": pairs}
        if next_links:
            body["keypairs_links"] = next_links
        return answer(body)

    @staticmethod
    def _key_owner(call: Call, rule: str) -> str:
        user = call.request.first("user_id") if call.version >= (2, 10) else None
        if user and user != call.token.user.id and not call.token.project_admin:
            raise denied(f"os_compute_api:os-keypairs:{rule}")
        return user or call.token.user.id

    def keypair(self, call: Call, name: str) -> Response:
        require_reader(call, "os_compute_api:os-keypairs:show")
        user = self._key_owner(call, "show")
        for number, row in enumerate(self.state.keypairs, 1):
            if row.name == name and row.user == user:
                document = {
                    "name": row.name,
                    "public_key": row.public_key,
                    "fingerprint": row.fingerprint,
                    "type": row.kind,
                    "user_id": row.user,
                    "id": number,
                    "created_at": micro_time(row.created),
                    "deleted": False,
                    "deleted_at": None,
                    "updated_at": None,
                }
                return answer({"keypair": document})
        raise Refusal(404, f"Keypair {name} not found for user {user}")

    def migrations(self, call: Call) -> Response:
        require_admin(call, "os_compute_api:os-migrations:index")
        return answer({"migrations": []})
