"""Generated data for benchmarks: seeded, lifelike in shape and size, made without a cloud.

documents("server", 20_000)          raw documents as the services' lists answer them
fill(estate, 1_000_000, 300_000)     a large `server_versions` table, made by SQL inside the store
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from store.times import naive, utcnow

if TYPE_CHECKING:
    import duckdb

    from store.estate.estate import Estate

PROJECTS = 200
HOSTS = 500
_WORDS = ("web", "db", "cache", "queue", "batch", "ci", "mail", "api", "node", "store", "auth", "proxy", "log", "etl")
_STATUS = ("ACTIVE",) * 90 + ("SHUTOFF",) * 8 + ("ERROR",) * 2


def _id(kind: str, number: int) -> str:
    return str(uuid.UUID(int=random.Random(f"{kind}{number}").getrandbits(128), version=4))


def _hex(kind: str, number: int) -> str:
    return _id(kind, number).replace("-", "")


def _time(chance: random.Random) -> str:
    return (datetime(2025, 1, 1) + timedelta(seconds=chance.randrange(30_000_000))).isoformat() + "Z"


def _name(chance: random.Random, number: int) -> str:
    return f"{chance.choice(_WORDS)}-{chance.choice(_WORDS)}-{number:06d}"


def server(number: int, chance: random.Random) -> dict[str, Any]:
    """A row of `/servers/detail` at 2.96 as an administrator sees it; about 2 kB."""
    id, host = _id("server", number), f"compute-{chance.randrange(HOSTS):04d}"
    name, status = _name(chance, number), chance.choice(_STATUS)
    vcpus = chance.choice((1, 2, 4, 8, 16))
    address = f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"
    mac = f"fa:16:3e:{chance.randrange(256):02x}:{chance.randrange(256):02x}:{chance.randrange(256):02x}"
    attachments = [{"id": _id("volume", number), "delete_on_termination": False}]
    flavor = {"vcpus": vcpus, "ram": vcpus * 4096, "disk": 40, "ephemeral": 0, "swap": 0}
    return {
        "id": id,
        "name": name,
        "status": status,
        "tenant_id": _hex("project", chance.randrange(PROJECTS)),
        "user_id": _hex("user", chance.randrange(PROJECTS)),
        "metadata": {"owner": chance.choice(_WORDS), "cost-centre": str(chance.randrange(9999))},
        "hostId": f"{chance.getrandbits(224):056x}",
        "image": {
            "id": _id("image", chance.randrange(40)),
            "links": [{"rel": "bookmark", "href": "http://c/images/x"}],
        },
        "flavor": {**flavor, "original_name": f"m1.{vcpus}", "extra_specs": {"hw:cpu_policy": "shared"}},
        "created": _time(chance),
        "updated": _time(chance),
        "addresses": {
            f"net-{chance.randrange(PROJECTS)}": [
                {"version": 4, "addr": address, "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": mac}
            ]
        },
        "accessIPv4": "",
        "accessIPv6": "",
        "links": [
            {"rel": "self", "href": f"http://cloud.example/compute/v2.1/servers/{id}"},
            {"rel": "bookmark", "href": f"http://cloud.example/compute/servers/{id}"},
        ],
        "OS-DCF:diskConfig": "MANUAL",
        "progress": 0,
        "OS-EXT-AZ:availability_zone": f"az-{chance.randrange(3)}",
        "pinned_availability_zone": None,
        "config_drive": "",
        "key_name": chance.choice(("ops", "deploy", None)),
        "OS-SRV-USG:launched_at": _time(chance).rstrip("Z"),
        "OS-SRV-USG:terminated_at": None,
        "security_groups": [{"name": "default"}, {"name": chance.choice(_WORDS)}],
        "OS-EXT-SRV-ATTR:host": host,
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{number:08x}",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": f"{host}.example",
        "OS-EXT-SRV-ATTR:reservation_id": f"r-{chance.getrandbits(40):08x}",
        "OS-EXT-SRV-ATTR:launch_index": 0,
        "OS-EXT-SRV-ATTR:hostname": name,
        "OS-EXT-SRV-ATTR:kernel_id": "",
        "OS-EXT-SRV-ATTR:ramdisk_id": "",
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:vm_state": {"ACTIVE": "active", "SHUTOFF": "stopped", "ERROR": "error"}[status],
        "OS-EXT-STS:power_state": 1 if status == "ACTIVE" else 4,
        "os-extended-volumes:volumes_attached": attachments,
        "host_status": "UP",
        "locked": False,
        "locked_reason": None,
        "description": None,
        "tags": [],
        "trusted_image_certificates": None,
        "server_groups": [],
    }


def volume(number: int, chance: random.Random) -> dict[str, Any]:
    """A row of `/volumes/detail`; about 1.3 kB."""
    id, attached = _id("volume", number), number % 3 != 2
    attachments = [
        {
            "id": id,
            "attachment_id": _id("attachment", number),
            "volume_id": id,
            "server_id": _id("server", number),
            "host_name": None,
            "device": "/dev/vda",
            "attached_at": _time(chance).rstrip("Z") + ".000000",
        }
    ]
    return {
        "id": id,
        "name": _name(chance, number),
        "status": "in-use" if attached else "available",
        "size": chance.choice((10, 40, 100, 500)),
        "availability_zone": "nova",
        "created_at": _time(chance).rstrip("Z") + ".000000",
        "updated_at": _time(chance).rstrip("Z") + ".000000",
        "description": "",
        "volume_type": chance.choice(("ssd", "hdd")),
        "volume_type_id": _id("volume_type", 1),
        "snapshot_id": None,
        "source_volid": None,
        "metadata": {},
        "links": [{"rel": "self", "href": f"http://cloud.example/volume/v3/volumes/{id}"}],
        "user_id": _hex("user", chance.randrange(PROJECTS)),
        "bootable": "true",
        "encrypted": False,
        "replication_status": None,
        "consistencygroup_id": None,
        "multiattach": False,
        "attachments": attachments if attached else [],
        "migration_status": None,
        "group_id": None,
        "provider_id": None,
        "shared_targets": False,
        "service_uuid": _id("service", 1),
        "cluster_name": None,
        "consumes_quota": True,
        "os-vol-tenant-attr:tenant_id": _hex("project", chance.randrange(PROJECTS)),
        "os-vol-host-attr:host": "cinder-1@ceph#rbd",
        "os-vol-mig-status-attr:migstat": None,
        "os-vol-mig-status-attr:name_id": None,
    }


def port(number: int, chance: random.Random) -> dict[str, Any]:
    """A row of `/ports`; about 1.3 kB."""
    project = _hex("project", chance.randrange(PROJECTS))
    address = f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"
    mac = f"fa:16:3e:{chance.randrange(256):02x}:{chance.randrange(256):02x}:{chance.randrange(256):02x}"
    return {
        "id": _id("port", number),
        "name": "",
        "network_id": _id("network", chance.randrange(PROJECTS)),
        "tenant_id": project,
        "project_id": project,
        "mac_address": mac,
        "admin_state_up": True,
        "status": "ACTIVE" if number % 20 else "DOWN",
        "device_id": _id("server", number),
        "device_owner": "compute:nova",
        "fixed_ips": [{"subnet_id": _id("subnet", chance.randrange(PROJECTS)), "ip_address": address}],
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "security_groups": [_id("security_group", chance.randrange(PROJECTS))],
        "description": "",
        "binding:vnic_type": "normal",
        "binding:profile": {},
        "binding:host_id": f"compute-{chance.randrange(HOSTS):04d}",
        "binding:vif_type": "ovs",
        "binding:vif_details": {"port_filter": True, "bridge_name": "br-int", "datapath_type": "system"},
        "port_security_enabled": True,
        "qos_policy_id": None,
        "qos_network_policy_id": None,
        "dns_name": "",
        "dns_assignment": [],
        "tags": [],
        "created_at": _time(chance),
        "updated_at": _time(chance),
        "revision_number": chance.randrange(1, 9),
    }


def snapshot(number: int, chance: random.Random) -> dict[str, Any]:
    """A row of `/snapshots/detail`; about 0.6 kB."""
    return {
        "id": _id("snapshot", number),
        "name": _name(chance, number),
        "status": "available",
        "size": chance.choice((10, 40, 100)),
        "volume_id": _id("volume", chance.randrange(30_000)),
        "created_at": _time(chance).rstrip("Z") + ".000000",
        "updated_at": _time(chance).rstrip("Z") + ".000000",
        "description": None,
        "metadata": {},
        "user_id": _hex("user", chance.randrange(PROJECTS)),
        "group_snapshot_id": None,
        "consumes_quota": True,
        "os-extended-snapshot-attributes:progress": "100%",
        "os-extended-snapshot-attributes:project_id": _hex("project", chance.randrange(PROJECTS)),
    }


_MAKERS: dict[str, Callable[[int, random.Random], dict[str, Any]]] = {
    "server": server,
    "volume": volume,
    "port": port,
    "snapshot": snapshot,
}


def documents(type: str, count: int, *, seed: int = 1) -> Iterator[dict[str, Any]]:
    """`count` documents of "server", "volume", "port" or "snapshot"; the same seed makes the same ones."""
    chance, make = random.Random(f"{type}{seed}"), _MAKERS[type]
    return (make(number, chance) for number in range(count))


# One server as SQL over a number `n`: the shape of `server()`, fast enough for a million rows.
_SERVER_COLUMNS = {
    "name": "format('{}-{}-{:06d}', word(n), word(n * 7 + 3), n)",
    "status": "CASE WHEN hash(n) % 100 < 90 THEN 'ACTIVE' WHEN hash(n) % 100 < 98 THEN 'SHUTOFF' ELSE 'ERROR' END",
    "project_id": "md5('p' || hash(n + 1) % 200)",
    "user_id": "md5('u' || hash(n + 2) % 200)",
    "vm_state": "'active'",
    "power_state": "1",
    "host": "format('compute-{:04d}.example', hash(n + 3) % 500)",
    "service_host": "format('compute-{:04d}', hash(n + 3) % 500)",
    "instance_name": "format('instance-{:08x}', n)",
    "hostname": "format('{}-{}-{:06d}', word(n), word(n * 7 + 3), n)",
    "flavor_name": "'m1.' || (1 << (hash(n + 4) % 5)::INTEGER)",
    "vcpus": "1 << (hash(n + 4) % 5)::INTEGER",
    "ram_mb": "4096 << (hash(n + 4) % 5)::INTEGER",
    "flavor_disk_gb": "40",
    "image_id": "md5('i' || hash(n + 5) % 40)",
    "addresses": "['10.' || hash(n) % 256 || '.' || hash(n + 9) % 256 || '.' || hash(n + 8) % 256]",
    "fixed_ips": "['10.' || hash(n) % 256 || '.' || hash(n + 9) % 256 || '.' || hash(n + 8) % 256]",
    "availability_zone": "'az-' || hash(n + 6) % 3",
    "locked": "false",
    "created_at": "TIMESTAMP '2025-01-01' + to_seconds((hash(n + 7) % 30000000)::BIGINT)",
}


def fill(estate: Estate, current: int, closed: int, *, cloud: str = "bench", region: str = "one") -> None:
    """Put `current` current and `closed` closed versions of servers into an empty estate, documents of 1.5 kB included.

    As a listing and later changes leave them: the closed ones lie among those that never changed, their successors at
    the end. What was current 30 days ago is made of closed and current ones. `closed` is at most `current`.
    """
    type = estate.types["server"]
    listed = naive(utcnow()) - timedelta(days=60)

    def work(connection: duckdb.DuckDBPyConnection) -> None:
        words = ", ".join(f"'{word}'" for word in _WORDS)
        connection.execute(f"CREATE TEMP MACRO word(n) AS ([{words}])[1 + (hash(n) % {len(_WORDS)})::INTEGER]")
        connection.execute(
            "INSERT INTO visibilities VALUES (1, 'http://cloud/compute', 'admin', 'project:a', ['admin'], true, 'all')"
        )
        columns = ", ".join(f'{_SERVER_COLUMNS.get(column.name, "NULL")} AS "{column.name}"' for column in type.columns)
        document = (
            'format(\'{{"id": "{}", "name": "{}", "status": "{}", "filler": "{}"}}\', id, name, status,'
            " repeat(md5('' || n), 44))"
        )
        for first in range(0, current + closed, 100_000):
            connection.execute(
                f"""INSERT INTO {type.table} BY NAME
                SELECT * EXCLUDE (n), concat_ws(' ', lower(name), lower(status), host, id) AS search, {document} AS doc
                FROM (SELECT *, {columns} FROM (
                    SELECT CASE WHEN i < $current THEN i ELSE (i - $current) * $step END AS n,
                           $cloud AS cloud, $region AS region, md5('p' || hash(n + 1) % 200) AS scope,
                           md5('s' || n)::UUID::VARCHAR AS id,
                           $listed + to_days(CASE WHEN i < $current THEN 0 ELSE 50 END) AS valid_from,
                           CASE WHEN i < $closed * $step AND i % $step = 0 THEN $listed + to_days(50) END AS valid_to,
                           1 AS seen_visibility, unhex(md5('h' || i)) AS hash, []::VARCHAR[] AS denied
                    FROM range($first, least($first + 100000, $total)) r(i)))""",
                {
                    "closed": closed,
                    "current": current,
                    "step": current // max(closed, 1),
                    "cloud": cloud,
                    "region": region,
                    "listed": listed,
                    "first": first,
                    "total": current + closed,
                },
            )
        connection.execute("DROP MACRO word")

    estate.write(work).result()
    estate.checkpoint()
