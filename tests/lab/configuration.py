"""Writes the configuration file of every service. Standard library only.

The values are what the lab needs and nothing else: one worker each, short
report intervals, the fake back ends, no notifications.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Mapping
from typing import Any

from tests.lab.places import (
    ADDRESS,
    BACKENDS,
    COMPUTES,
    DATA,
    ETC,
    HOME,
    LOG,
    NETWORK_HOST,
    PORT,
    REGION,
    VENV,
    binary,
    url,
)

Options = dict[str, Any]
Secrets = Mapping[str, str]

QUIET: dict[str, Options] = {"oslo_messaging_notifications": {"driver": "noop"}}
FOLDERS = [
    "keystone",
    "glance",
    "placement",
    "nova",
    "cinder",
    "neutron",
    "mariadb",
    "rabbitmq",
    "volumes",
    "backups",
]


def database(name: str, known: Secrets) -> str:
    """SQLAlchemy address of one of the lab's databases."""
    return f"mysql+pymysql://lab:{known['db']}@{ADDRESS}:{PORT['mariadb']}/{name}?charset=utf8mb4"


def ini(sections: Mapping[str, Options]) -> str:
    """Text of an oslo.config file; a list becomes one line per item."""
    lines = []
    for section, options in sections.items():
        lines.append(f"[{section}]")
        for key, value in options.items():
            values = value if isinstance(value, list | tuple) else [value]
            lines += [f"{key} = {item}" for item in values]
        lines.append("")
    return "\n".join(lines)


def write(name: str, text: str, mode: int = 0o600) -> None:
    """Write a file below the lab's home; configuration holds passwords, so 0600 by default."""
    target = HOME / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as handle:
        handle.write(text)


def account(user: str, known: Secrets) -> Options:
    """How a service signs in with its own account."""
    return {
        "auth_type": "password",
        "auth_url": url("keystone", "/v3"),
        "username": user,
        "password": known["service"],
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": REGION,
    }


def authtoken(user: str, known: Secrets) -> Options:
    """Section keystone_authtoken: how a service checks its callers' tokens.

    The cache is short because tests take roles away and expect it to be noticed.
    """
    return account(user, known) | {
        "www_authenticate_uri": url("keystone", "/v3"),
        "service_token_roles": "service",
        "service_token_roles_required": "true",
        "token_cache_time": 5,
    }


def service_user(user: str, known: Secrets) -> Options:
    """Section service_user: the token that goes with a user's token between services."""
    return account(user, known) | {"send_service_user_token": "true"}


def connection(name: str, known: Secrets, pool: int = 6) -> Options:
    """Section database."""
    return {
        "connection": database(name, known),
        "max_pool_size": pool,
        "max_overflow": 20,
        "connection_recycle_time": 280,
        # The database is there before the services are; when a test takes it away they should notice at once.
        "max_retries": 1,
        "retry_interval": 1,
    }


def defaults(name: str, known: Secrets, **more: object) -> Options:
    """Section DEFAULT of a service that uses the message queue."""
    return {
        "debug": "false",
        "transport_url": f"rabbit://lab:{known['rabbit']}@{ADDRESS}:{PORT['rabbitmq']}/",
        "log_file": LOG / f"{name}-api.log",
        "use_stderr": "false",
        "rpc_response_timeout": 60,
        "state_path": DATA / name,
        **more,
    }


def write_all(known: Secrets) -> None:
    """Write every file, and make the folders that the services expect."""
    for folder in ("log", "run", "state", "bin"):
        (HOME / folder).mkdir(parents=True, exist_ok=True)
    for folder in FOLDERS:
        (DATA / folder).mkdir(parents=True, exist_ok=True)
    for part in (stores, keystone, glance, placement, nova, cinder, neutron):
        part(known)
    # Some code paths insist on sudo; the lab already runs as root.
    write("bin/sudo", '#!/bin/sh\nwhile [ "${1#-}" != "$1" ]; do shift; done\nexec "$@"\n', 0o755)


def stores(known: Secrets) -> None:
    """MariaDB without durability (a lab is thrown away), RabbitMQ with small limits."""
    server: Options = {
        "user": "root",
        "datadir": DATA / "mariadb",
        "socket": HOME / "run" / "mariadb.sock",
        "pid-file": DATA / "mariadb" / "server.pid",
        "bind-address": ADDRESS,
        "port": PORT["mariadb"],
        "log-error": LOG / "mariadb.log",
        "character-set-server": "utf8mb3",
        "collation-server": "utf8mb3_general_ci",
        "innodb_buffer_pool_size": "192M",
        "innodb_log_file_size": "64M",
        "innodb_flush_log_at_trx_commit": 0,
        "innodb_doublewrite": 0,
        "performance_schema": "OFF",
        "max_connections": 500,
        "skip-name-resolve": "ON",
        "skip-log-bin": "ON",
        "table_open_cache": 2000,
    }
    write("etc/mariadb.cnf", ini({"mariadbd": server}))
    write("etc/rabbitmq/env.conf", "# set through the environment\n", 0o644)
    write("etc/rabbitmq/enabled_plugins", "[].\n", 0o644)
    lines = [
        f"listeners.tcp.default = {ADDRESS}:{PORT['rabbitmq']}",
        "default_user = lab",
        f"default_pass = {known['rabbit']}",
        "loopback_users.guest = true",
        "log.file = rabbitmq.log",
        "log.file.level = warning",
        "log.console = false",
        "vm_memory_high_watermark.absolute = 512MB",
        "disk_free_limit.absolute = 50MB",
    ]
    write("etc/rabbitmq/rabbitmq.conf", "\n".join(lines) + "\n")


def keystone(known: Secrets) -> None:
    """Identity: Fernet tokens of 12 hours, cheap password hashes."""
    root = DATA / "keystone"
    conf = {
        "DEFAULT": defaults("keystone", known, public_endpoint=url("keystone"), max_token_size=512),
        "database": connection("keystone", known),
        "token": {"provider": "fernet", "expiration": 43200},
        "fernet_tokens": {"key_repository": root / "fernet-keys"},
        "credential": {"key_repository": root / "credential-keys"},
        "fernet_receipts": {"key_repository": root / "fernet-keys"},
        "cache": {"enabled": "true", "backend": "oslo_cache.dict", "expiration_time": 5},
        "identity": {"password_hash_rounds": 4, "password_hash_algorithm": "bcrypt"},
        **QUIET,
    }
    write("etc/keystone/keystone.conf", ini(conf))


def glance(known: Secrets) -> None:
    """Images in a folder."""
    data = DATA / "glance"
    for folder in ("images", "staging", "tasks", "lock"):
        (data / folder).mkdir(parents=True, exist_ok=True)
    conf = {
        "DEFAULT": defaults(
            "glance",
            known,
            enabled_backends="file:file",
            bind_host=ADDRESS,
            bind_port=PORT["glance"],
            worker_self_reference_url=url("glance"),
            show_multiple_locations="false",
        ),
        "database": connection("glance", known),
        "glance_store": {"default_backend": "file"},
        "file": {"filesystem_store_datadir": data / "images"},
        "os_glance_staging_store": {"filesystem_store_datadir": data / "staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": data / "tasks"},
        "keystone_authtoken": authtoken("glance", known),
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": VENV / "etc" / "glance" / "glance-api-paste.ini",
        },
        "oslo_concurrency": {"lock_path": data / "lock"},
        **QUIET,
    }
    write("etc/glance/glance-api.conf", ini(conf))


def placement(known: Secrets) -> None:
    """Placement, which knows no message queue."""
    conf = defaults("placement", known)
    del conf["transport_url"], conf["rpc_response_timeout"]
    sections = {
        "DEFAULT": conf,
        "placement_database": connection("placement", known),
        "keystone_authtoken": authtoken("placement", known),
        "api": {"auth_strategy": "keystone"},
    }
    write("etc/placement/placement.conf", ini(sections))


def nova(known: Secrets) -> None:
    """Nova: API, conductor and scheduler on lab-ctl-1, and the compute hosts."""
    data = DATA / "nova"
    paste = VENV / "etc" / "nova" / "api-paste.ini"
    conf = {
        "DEFAULT": defaults(
            "nova",
            known,
            my_ip=ADDRESS,
            host="lab-ctl-1",
            compute_driver="qdecklab.LabDriver",
            allow_resize_to_same_host="false",
            vif_plugging_is_fatal="false",
            vif_plugging_timeout=0,
            report_interval=10,
            service_down_time=40,
            initial_cpu_allocation_ratio=4.0,
            initial_ram_allocation_ratio=1.0,
            initial_disk_allocation_ratio=1.0,
            block_device_allocate_retries_interval=1,
            reserved_host_memory_mb=4096,
        ),
        "api": {"auth_strategy": "keystone"},
        "wsgi": {"api_paste_config": paste},
        "keystone_authtoken": authtoken("nova", known),
        "service_user": service_user("nova", known),
        "neutron": account("nova", known)
        | {"service_metadata_proxy": "true", "metadata_proxy_shared_secret": known["metadata"]},
        "placement": account("nova", known),
        "cinder": account("nova", known) | {"os_region_name": REGION, "catalog_info": "block-storage::publicURL"},
        "glance": {"api_servers": url("glance")},
        "conductor": {"workers": 1},
        "scheduler": {
            "workers": 1,
            "discover_hosts_in_cells_interval": 30,
            "query_placement_for_image_type_support": "false",
        },
        "compute": {"live_migration_wait_for_vif_plug": "false"},
        "vnc": {
            "enabled": "true",
            "server_listen": ADDRESS,
            "server_proxyclient_address": ADDRESS,
            "novncproxy_base_url": url("novnc", "/vnc_lite.html"),
        },
        "oslo_concurrency": {"lock_path": data / "lock"},
        **QUIET,
    }
    write("etc/nova/nova.conf", ini(conf))
    # In a file of its own, because nova-compute must not see the databases.
    databases = {"database": connection("nova", known), "api_database": connection("nova_api", known)}
    write("etc/nova/nova-db.conf", ini(databases))
    shutil.copy(paste, ETC / "nova" / "api-paste.ini")
    for number, host in enumerate(COMPUTES, 11):
        state = data / host
        # Nova keeps the node's identity here; the driver derives the same one.
        write(f"data/nova/{host}/compute_id", str(uuid.uuid5(uuid.NAMESPACE_DNS, f"qdeck-lab.{host}")))
        own = {"host": host, "state_path": state, "my_ip": f"127.0.0.{number}"}
        sections: dict[str, Options] = {"DEFAULT": own, "oslo_concurrency": {"lock_path": state / "lock"}}
        write(f"etc/nova/{host}.conf", ini(sections))


def cinder(known: Secrets) -> None:
    """Cinder with two back ends, `ssd` (one pool) and `hdd` (two pools)."""
    data = DATA / "cinder"
    share = VENV / "etc" / "cinder"
    (data / "convert").mkdir(parents=True, exist_ok=True)
    helper = {"helper_command": f"{binary('privsep-helper')} --config-file {ETC / 'cinder' / 'cinder.conf'}"}
    conf = {
        "DEFAULT": defaults(
            "cinder",
            known,
            my_ip=ADDRESS,
            host="lab-storage",
            enabled_backends=",".join(BACKENDS),
            default_volume_type="standard",
            auth_strategy="keystone",
            api_paste_config=share / "api-paste.ini",
            resource_query_filters_file=share / "resource_filters.json",
            rootwrap_config=share / "rootwrap.conf",
            glance_api_servers=url("glance"),
            osapi_volume_workers=1,
            backup_workers=1,
            enable_force_upload="true",
            image_conversion_dir=data / "convert",
            report_interval=10,
            service_down_time=60,
            allow_availability_zone_fallback="true",
            backup_driver="lab_fakes.cinder_backup.LabBackupDriver",
            lab_backup_dir=DATA / "backups",
        ),
        "database": connection("cinder", known),
        "keystone_authtoken": authtoken("cinder", known),
        "service_user": service_user("cinder", known),
        "nova": account("cinder", known) | {"interface": "public"},
        "oslo_concurrency": {"lock_path": data / "lock"},
        "coordination": {"backend_url": f"file://{data / 'coordination'}"},
        # Already root: no sudo and no rootwrap in between.
        "privsep_osbrick": helper,
        "cinder_sys_admin": helper,
        **QUIET,
    }
    for backend, pools in BACKENDS.items():
        conf[backend] = {
            "volume_driver": "lab_fakes.cinder_volume.LabVolumeDriver",
            "volume_backend_name": backend,
            "lab_volume_dir": DATA / "volumes",
            "lab_pools": ",".join(pools),
            "backend_availability_zone": "nova",
        }
    write("etc/cinder/cinder.conf", ini(conf))


def neutron(known: Secrets) -> None:
    """Neutron with ML2 and a mechanism driver that binds every port and wires none."""
    data = DATA / "neutron"
    share = VENV / "etc" / "neutron"
    conf = {
        "DEFAULT": defaults(
            "neutron",
            known,
            host="lab-ctl-1",
            core_plugin="ml2",
            # The trunk plugin looks for a driver when it loads, so ours comes first.
            service_plugins="router,qos,port_forwarding,qdecklab,trunk",
            auth_strategy="keystone",
            api_paste_config=share / "api-paste.ini",
            bind_host=ADDRESS,
            api_workers=1,
            rpc_workers=0,
            notify_nova_on_port_status_changes="true",
            notify_nova_on_port_data_changes="true",
            dhcp_agents_per_network=1,
            agent_down_time=75,
            network_auto_schedule="true",
            router_auto_schedule="true",
            enable_dvr="false",
            vlan_transparent="false",
        ),
        "database": connection("neutron", known, 10),
        "keystone_authtoken": authtoken("neutron", known),
        "nova": account("neutron", known),
        "placement": account("neutron", known),
        "oslo_concurrency": {"lock_path": data / "lock"},
        "qdecklab": {"compute_hosts": ",".join(COMPUTES), "network_host": NETWORK_HOST, "heartbeat": 20},
        **QUIET,
    }
    write("etc/neutron/neutron.conf", ini(conf))
    ml2: dict[str, Options] = {
        "ml2": {
            "type_drivers": "flat,vlan,vxlan,local",
            "tenant_network_types": "vxlan",
            "mechanism_drivers": "qdecklab",
            "extension_drivers": "port_security,qos",
        },
        "ml2_type_flat": {"flat_networks": "physnet1"},
        "ml2_type_vlan": {"network_vlan_ranges": "physnet1:100:999"},
        "ml2_type_vxlan": {"vni_ranges": "1000:9999"},
        "securitygroup": {"enable_security_group": "true"},
    }
    write("etc/neutron/ml2_conf.ini", ini(ml2))
