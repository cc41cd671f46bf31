"""A cloud of ready bytes for benchmarks: every page is made before the clock starts and written as it is.

`python -m benchmarks.page_server --servers 20000 ... [--delay 0.2]` prints one JSON line {"auth_url", "port"} and
serves until its
standard input closes. It speaks just enough of Keystone (token, catalog), Nova, Cinder, Neutron and Glance to be
collected whole.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
import threading
import uuid
from urllib.parse import parse_qs, urlsplit

PAGE = 1000
PROJECTS = 200
TOKEN = "benchmark-token"


def _id(kind: str, number: int) -> str:
    return str(uuid.UUID(bytes=hashlib.blake2b(f"{kind}{number}".encode(), digest_size=16).digest(), version=4))


def _project(number: int) -> str:
    return _id("project", number % PROJECTS).replace("-", "")


def server(n: int) -> dict[str, object]:
    """A server as Nova 2.96 shows it to an administrator; about 1.7 kB of JSON."""
    own = _id("server", n)
    net = f"net-{n % 50}"
    mac = f"fa:16:3e:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}"
    return {
        "id": own,
        "name": f"app-{n % 977:03d}-{n:05d}",
        "status": "ACTIVE" if n % 50 else "SHUTOFF",
        "tenant_id": _project(n),
        "user_id": _id("user", n % 300).replace("-", ""),
        "metadata": {"role": f"role-{n % 7}", "owner": f"team-{n % 31}"},
        "hostId": hashlib.sha224(str(n % 400).encode()).hexdigest(),
        "image": {"id": _id("image", n % 20), "links": [{"rel": "bookmark", "href": f"http://cloud/images/{n % 20}"}]},
        "flavor": {
            "vcpus": 2 << n % 4,
            "ram": 2048 << n % 4,
            "disk": 20,
            "ephemeral": 0,
            "swap": 0,
            "original_name": f"m1.{n % 8}",
            "extra_specs": {"hw:cpu_policy": "shared"},
        },
        "created": f"2026-0{1 + n % 9}-0{1 + n % 8}T09:00:00Z",
        "updated": f"2026-0{1 + n % 9}-0{1 + n % 8}T09:00:30Z",
        "addresses": {
            net: [
                {
                    "version": 4,
                    "addr": f"10.{n >> 14 & 63}.{n >> 6 & 255}.{n & 63}",
                    "OS-EXT-IPS:type": "fixed",
                    "OS-EXT-IPS-MAC:mac_addr": mac,
                }
            ]
        },
        "accessIPv4": "",
        "accessIPv6": "",
        "links": [
            {"rel": "self", "href": f"http://cloud/v2.1/servers/{own}"},
            {"rel": "bookmark", "href": f"http://cloud/servers/{own}"},
        ],
        "OS-DCF:diskConfig": "AUTO",
        "progress": 0,
        "OS-EXT-AZ:availability_zone": f"az{n % 3}",
        "pinned_availability_zone": None,
        "config_drive": "",
        "key_name": "ops" if n % 3 else None,
        "OS-SRV-USG:launched_at": "2026-02-03T09:00:20.000000",
        "OS-SRV-USG:terminated_at": None,
        "OS-EXT-SRV-ATTR:host": f"cmp-{n % 400:03d}",
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{n:08x}",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": f"cmp-{n % 400:03d}.example.org",
        "OS-EXT-SRV-ATTR:reservation_id": f"r-{n:08x}",
        "OS-EXT-SRV-ATTR:launch_index": 0,
        "OS-EXT-SRV-ATTR:hostname": f"app-{n:05d}",
        "OS-EXT-SRV-ATTR:kernel_id": "",
        "OS-EXT-SRV-ATTR:ramdisk_id": "",
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
        "OS-EXT-SRV-ATTR:user_data": None,
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:power_state": 1,
        "os-extended-volumes:volumes_attached": [{"id": _id("volume", n), "delete_on_termination": False}],
        "host_status": "UP",
        "security_groups": [{"name": "default"}],
        "locked": False,
        "locked_reason": None,
        "description": None,
        "tags": [],
        "trusted_image_certificates": None,
        "server_groups": [],
    }


def volume(n: int) -> dict[str, object]:
    """A volume as Cinder shows it; about 1.2 kB."""
    own = _id("volume", n)
    attachments = (
        [
            {
                "id": own,
                "attachment_id": _id("attachment", n),
                "volume_id": own,
                "server_id": _id("server", n),
                "host_name": f"cmp-{n % 400:03d}",
                "device": "/dev/vda",
                "attached_at": "2026-02-03T09:00:20.000000",
            }
        ]
        if n % 3
        else []
    )
    return {
        "id": own,
        "status": "in-use" if attachments else "available",
        "size": 10 + n % 90,
        "availability_zone": "nova",
        "created_at": "2026-02-03T09:00:00.000000",
        "updated_at": "2026-02-03T09:00:30.000000",
        "name": f"vol-{n:05d}",
        "description": None,
        "volume_type": f"type-{n % 4}",
        "snapshot_id": None,
        "source_volid": None,
        "metadata": {},
        "links": [{"rel": "self", "href": f"http://cloud/v3/volumes/{own}"}],
        "user_id": _id("user", n % 300).replace("-", ""),
        "bootable": "true" if n % 2 else "false",
        "encrypted": False,
        "replication_status": None,
        "consistencygroup_id": None,
        "multiattach": False,
        "attachments": attachments,
        "migration_status": None,
        "group_id": None,
        "provider_id": None,
        "shared_targets": False,
        "service_uuid": None,
        "cluster_name": None,
        "volume_type_id": _id("type", n % 4),
        "consumes_quota": True,
        "os-vol-tenant-attr:tenant_id": _project(n),
        "os-vol-host-attr:host": f"store@rbd#pool{n % 4}",
        "os-vol-mig-status-attr:migstat": None,
        "os-vol-mig-status-attr:name_id": None,
    }


def port(n: int) -> dict[str, object]:
    """A port as Neutron shows it to an administrator; about 1.2 kB."""
    return {
        "id": _id("port", n),
        "name": "",
        "network_id": _id("network", n % 50),
        "tenant_id": _project(n),
        "project_id": _project(n),
        "mac_address": f"fa:16:3e:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}",
        "admin_state_up": True,
        "status": "ACTIVE",
        "device_id": _id("server", n),
        "device_owner": "compute:nova",
        "fixed_ips": [{"subnet_id": _id("subnet", n % 50), "ip_address": f"10.{n >> 14 & 63}.{n >> 6 & 255}.{n & 63}"}],
        "security_groups": [_id("group", n % 200)],
        "binding:vnic_type": "normal",
        "binding:profile": {},
        "binding:host_id": f"cmp-{n % 400:03d}",
        "binding:vif_type": "ovs",
        "binding:vif_details": {"port_filter": True, "connectivity": "l2", "bridge_name": "br-int"},
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "description": "",
        "port_security_enabled": True,
        "qos_policy_id": None,
        "tags": [],
        "created_at": "2026-02-03T09:00:00Z",
        "updated_at": "2026-02-03T09:00:30Z",
        "revision_number": 4,
    }


def snapshot(n: int) -> dict[str, object]:
    """A volume snapshot as Cinder shows it."""
    return {
        "id": _id("snapshot", n),
        "created_at": "2026-02-03T09:00:00.000000",
        "updated_at": "2026-02-03T09:00:30.000000",
        "name": f"nightly-{n:05d}",
        "description": None,
        "volume_id": _id("volume", n),
        "status": "available",
        "size": 10 + n % 90,
        "metadata": {"policy": "daily_5"},
        "user_id": _id("user", n % 300).replace("-", ""),
        "group_snapshot_id": None,
        "consumes_quota": True,
        "os-extended-snapshot-attributes:project_id": _project(n),
        "os-extended-snapshot-attributes:progress": "100%",
    }


def network(n: int) -> dict[str, object]:
    """A tenant network."""
    return {
        "id": _id("network", n),
        "name": f"net-{n}",
        "tenant_id": _project(n),
        "project_id": _project(n),
        "admin_state_up": True,
        "status": "ACTIVE",
        "shared": False,
        "router:external": False,
        "subnets": [_id("subnet", n)],
        "mtu": 1450,
        "availability_zones": ["nova"],
        "provider:network_type": "geneve",
        "provider:physical_network": None,
        "provider:segmentation_id": n,
        "port_security_enabled": True,
        "created_at": "2026-02-03T09:00:00Z",
        "updated_at": "2026-02-03T09:00:30Z",
        "revision_number": 2,
        "tags": [],
    }


class Pages:
    """Every list's pages as ready HTTP answers, found by (path, marker)."""

    def __init__(self, counts: dict[str, int], base: str) -> None:
        self.ready: dict[tuple[str, str], bytes] = {}
        self.base = base
        lists = (
            ("/compute/v2.1/servers/detail", "servers", server, counts["servers"]),
            ("/volume/v3/volumes/detail", "volumes", volume, counts["volumes"]),
            ("/network/v2.0/ports", "ports", port, counts["ports"]),
            ("/volume/v3/snapshots/detail", "snapshots", snapshot, counts["snapshots"]),
            ("/network/v2.0/networks", "networks", network, 50),
        )
        for path, key, make, count in lists:
            self._list(path, key, [make(n) for n in range(count)])

    def _list(self, path: str, key: str, rows: list[dict[str, object]]) -> None:
        marker = ""
        for start in range(0, max(len(rows), 1), PAGE):
            page = rows[start : start + PAGE]
            body: dict[str, object] = {key: page}
            after = ""
            if start + PAGE < len(rows):
                after = str(page[-1]["id"])
                body[f"{key}_links"] = [{"rel": "next", "href": f"{self.base}{path}?limit={PAGE}&marker={after}"}]
            self.ready[(path, marker)] = answer(200, body)
            marker = after


def answer(status: int, body: object, headers: str = "") -> bytes:
    """A whole HTTP/1.1 answer with a JSON body."""
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{headers}\r\n"
    return head.encode() + data


KEYS = {
    "os-hypervisors": "hypervisors",
    "os-services": "services",
    "os-aggregates": "aggregates",
    "os-availability-zone": "availabilityZoneInfo",
    "os-server-groups": "server_groups",
    "os-keypairs": "keypairs",
    "types": "volume_types",
    "scheduler-stats": "pools",
    "security-groups": "security_groups",
    "security-group-rules": "security_group_rules",
}


class Cloud:
    """Answers for everything that is not a ready page: token, catalog, versions, empty lists."""

    def __init__(self, pages: Pages, base: str) -> None:
        self.pages = pages
        self.base = base
        self.empty: dict[str, bytes] = {}

    def find(self, method: str, target: str) -> bytes:
        """The answer to one request."""
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        path = parts.path.rstrip("/")
        ready = self.pages.ready.get((path, query.get("marker", [""])[0]))
        if ready is not None:
            return ready
        key = f"{method} {path}"
        if key not in self.empty:
            self.empty[key] = self._other(method, path)
        return self.empty[key]

    def _other(self, method: str, path: str) -> bytes:
        if path == "/identity/v3/auth/tokens":
            status = 201 if method == "POST" else 200
            return answer(status, {"token": self._token()}, f"X-Subject-Token: {TOKEN}\r\n")
        if path == "/identity/v3":
            link = [{"rel": "self", "href": f"{self.base}/identity/v3/"}]
            return answer(200, {"version": {"id": "v3.14", "status": "stable", "links": link}})
        versions = {"/compute/v2.1": ("v2.1", "2.96"), "/volume/v3": ("v3.0", "3.70")}
        if path in versions:
            name, top = versions[path]
            one = {"id": name, "status": "CURRENT", "version": top, "min_version": name[1:], "links": []}
            return answer(200, {"version": one, "versions": [one]})
        words = [word for word in path.split("/") if word not in ("detail", "get_pools")]
        key = next((KEYS[word] for word in words if word in KEYS), words[-1])
        return answer(200, {key: []})

    def _token(self) -> dict[str, object]:
        paths = {
            "identity": "/identity/v3",
            "compute": "/compute/v2.1",
            "block-storage": "/volume/v3",
            "network": "/network",
            "image": "/image",
        }
        domain = {"id": "default", "name": "Default"}
        return {
            "methods": ["password"],
            "user": {"id": "u1", "name": "bench", "domain": domain},
            "project": {"id": _project(0), "name": "admin", "domain": domain},
            "roles": [{"id": "r1", "name": "admin"}],
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "catalog": [
                {
                    "type": kind,
                    "name": kind,
                    "id": kind,
                    "endpoints": [
                        {
                            "id": kind,
                            "interface": "public",
                            "region": "one",
                            "region_id": "one",
                            "url": self.base + path,
                        }
                    ],
                }
                for kind, path in paths.items()
            ],
        }


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests have no body worth reading but its length."""

    def __init__(self, cloud: Cloud, delay: float) -> None:
        self.cloud = cloud
        self.delay = delay
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1")
            lengths = [line for line in head.split("\r\n") if line.lower().startswith("content-length:")]
            whole = end + 4 + (int(lengths[0].split(":")[1]) if lengths else 0)
            if len(self.buffer) < whole:
                return
            self.buffer = self.buffer[whole:]
            method, target, _ = head.split(" ", 2)
            ready = self.cloud.find(method, target)
            write = self.transport.write  # type: ignore[attr-defined]
            if self.delay:
                asyncio.get_running_loop().call_later(self.delay, write, ready)
            else:
                write(ready)


async def serve(counts: dict[str, int], delay: float) -> None:
    """Serve until standard input closes."""
    loop = asyncio.get_running_loop()
    cloud = Cloud.__new__(Cloud)
    listener = await loop.create_server(lambda: Connection(cloud, delay), "127.0.0.1", 0)
    port_number = listener.sockets[0].getsockname()[1]
    base = f"http://127.0.0.1:{port_number}"
    cloud.__init__(Pages(counts, base), base)  # type: ignore[misc]
    sys.stdout.write(json.dumps({"auth_url": f"{base}/identity/v3", "port": port_number}) + "\n")
    sys.stdout.flush()
    done = asyncio.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(done.set)), daemon=True).start()
    await done.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, count in (("servers", 20_000), ("volumes", 30_000), ("ports", 40_000), ("snapshots", 10_000)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds added to every answer")
    options = vars(parser.parse_args())
    delay = options.pop("delay")
    asyncio.run(serve(options, delay))


if __name__ == "__main__":
    main()
