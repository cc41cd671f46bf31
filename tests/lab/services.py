"""What runs in the lab, in the order in which it starts. Standard library only."""

from __future__ import annotations

from tests.lab.places import ADDRESS, COMPUTES, DATA, ETC, LOG, PORT, binary
from tests.lab.processes import Service


def _api(name: str, *, threads: int, config: str | None = None, **env: str) -> Service:
    command = [binary("python"), "-m", "lab_fakes.serve", name, str(PORT[name])]
    command += ["--threads", str(threads), "--access-log", str(LOG / f"{name}-access.log")]
    if config:
        command += ["--config", str(ETC / config)]
    return Service(f"{name}-api", command, PORT[name], env)


def _worker(name: str, program: str, *configs: str) -> Service:
    command = [binary(program)]
    for config in configs:
        command += ["--config-file", str(ETC / config)]
    return Service(name, [*command, "--log-file", str(LOG / f"{name}.log")])


def _rabbit_env() -> dict[str, str]:
    return {
        "HOME": str(DATA / "rabbitmq"),
        "ERL_EPMD_ADDRESS": ADDRESS,
        "ERL_EPMD_PORT": str(PORT["epmd"]),
        "RABBITMQ_NODENAME": "lab@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": ADDRESS,
        "RABBITMQ_NODE_PORT": str(PORT["rabbitmq"]),
        "RABBITMQ_DIST_PORT": str(PORT["rabbit-dist"]),
        "RABBITMQ_BASE": str(DATA / "rabbitmq"),
        "RABBITMQ_MNESIA_BASE": str(DATA / "rabbitmq" / "mnesia"),
        "RABBITMQ_LOG_BASE": str(LOG),
        "RABBITMQ_PID_FILE": str(DATA / "rabbitmq" / "pid"),
        "RABBITMQ_CONF_ENV_FILE": str(ETC / "rabbitmq" / "env.conf"),
        "RABBITMQ_CONFIG_FILE": str(ETC / "rabbitmq" / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(ETC / "rabbitmq" / "none.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(ETC / "rabbitmq" / "enabled_plugins"),
        # Busy waiting of the Erlang schedulers would cost a core of two.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
        ),
        "LANG": "C.UTF-8",
    }


def stores() -> list[Service]:
    """Name server of Erlang, database, message queue."""
    maria = ["/usr/sbin/mariadbd", f"--defaults-file={ETC / 'mariadb.cnf'}"]
    return [
        Service("epmd", ["epmd", "-address", ADDRESS, "-port", str(PORT["epmd"])], PORT["epmd"]),
        Service("mariadb", maria, PORT["mariadb"]),
        Service("rabbitmq", ["/usr/lib/rabbitmq/bin/rabbitmq-server"], PORT["rabbitmq"], _rabbit_env()),
    ]


def keystone() -> Service:
    """The identity API, which the others need before they start."""
    return _api("keystone", threads=6, OS_KEYSTONE_CONFIG_DIR=str(ETC / "keystone"))


def apis() -> list[Service]:
    """The APIs besides Keystone."""
    return [
        _api("placement", threads=4, OS_PLACEMENT_CONFIG_DIR=str(ETC / "placement")),
        _api("glance", threads=4, OS_GLANCE_CONFIG_DIR=str(ETC / "glance")),
        _api(
            "neutron",
            threads=6,
            OS_NEUTRON_CONFIG_DIR=str(ETC / "neutron"),
            OS_NEUTRON_CONFIG_FILES="neutron.conf;ml2_conf.ini",
        ),
        _api("cinder", threads=6, config="cinder/cinder.conf"),
        _api(
            "nova",
            threads=8,
            OS_NOVA_CONFIG_DIR=str(ETC / "nova"),
            OS_NOVA_CONFIG_FILES="api-paste.ini;nova.conf;nova-db.conf",
        ),
    ]


def workers() -> list[Service]:
    """Conductors, schedulers, computes, volume and backup services."""
    return [
        _worker("nova-conductor", "nova-conductor", "nova/nova.conf", "nova/nova-db.conf"),
        _worker("nova-scheduler", "nova-scheduler", "nova/nova.conf", "nova/nova-db.conf"),
        *(_worker(f"nova-compute-{host}", "nova-compute", "nova/nova.conf", f"nova/{host}.conf") for host in COMPUTES),
        *(_worker(name, name, "cinder/cinder.conf") for name in ("cinder-scheduler", "cinder-volume", "cinder-backup")),
    ]


def everything() -> list[Service]:
    """All services, in starting order."""
    return [*stores(), keystone(), *apis(), *workers()]
