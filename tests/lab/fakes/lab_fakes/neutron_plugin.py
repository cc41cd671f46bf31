"""Stands in for the network agents, inside the API process.

- keeps agent records alive (L2 per compute host, DHCP, L3, metadata);
- binds router and DHCP ports to the network host, so they become ACTIVE;
- moves floating IPs between ACTIVE and DOWN as they are associated;
- makes one DHCP port per network that has a DHCP subnet;
- lets the trunk plugin load, which wants a driver.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

from neutron.db import models_v2  # noqa: F401  (loads the tables)
from neutron.services.trunk.drivers import base as trunk_base
from neutron_lib import constants
from neutron_lib import context as n_context
from neutron_lib.api.definitions import portbindings
from neutron_lib.callbacks import events, registry, resources
from neutron_lib.plugins import constants as plugin_constants
from neutron_lib.plugins import directory
from neutron_lib.services import base as service_base
from neutron_lib.services.trunk import constants as trunk_constants
from oslo_config import cfg
from oslo_log import log as logging
from oslo_utils import timeutils

LOG = logging.getLogger(__name__)

OPTS = [
    cfg.ListOpt("compute_hosts", default=[], help="Hosts that get a pretend L2 agent"),
    cfg.StrOpt("network_host", help="Host that gets the pretend DHCP, L3 and metadata agents"),
    cfg.IntOpt("heartbeat", default=20, help="Seconds between reports"),
]
cfg.CONF.register_opts(OPTS, group="qdecklab")

ROUTER_OWNERS = (
    constants.DEVICE_OWNER_ROUTER_INTF,
    constants.DEVICE_OWNER_ROUTER_GW,
    constants.DEVICE_OWNER_DHCP,
)


class LabTrunkDriver(trunk_base.DriverBase):
    """Accepts trunks of VLAN subports on any port that the lab binds."""

    def __init__(self) -> None:
        super().__init__(
            "qdecklab",
            (portbindings.VIF_TYPE_OVS,),
            (trunk_constants.SEGMENTATION_TYPE_VLAN,),
            can_trunk_bound_port=True,
        )

    @property
    def is_loaded(self) -> bool:
        return True

    @registry.receives(resources.TRUNK_PLUGIN, [events.AFTER_INIT])
    def register(self, resource: str, event: str, trigger: Any, payload: Any = None) -> None:
        super().register(resource, event, trigger, payload=payload)
        trigger.register_driver(self)


TRUNK_DRIVER = LabTrunkDriver()


@registry.has_registry_receivers
class LabServicePlugin(service_base.ServicePluginBase):
    """A service plugin only because Neutron loads those; it offers no extension."""

    supported_extension_aliases: list[str] = []

    def __init__(self) -> None:
        super().__init__()
        self._thread: threading.Thread | None = None

    @classmethod
    def get_plugin_type(cls) -> str:
        return "qdecklab"

    def get_plugin_description(self) -> str:
        return "Pretend network agents"

    # -- agents --------------------------------------------------------------
    @registry.receives(resources.PROCESS, [events.AFTER_INIT])
    def _start(self, resource: str, event: str, trigger: Any, payload: Any = None) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat, daemon=True)
            self._thread.start()

    @staticmethod
    def _agents() -> Iterator[dict[str, Any]]:
        conf = cfg.CONF.qdecklab
        switch = {
            "bridge_mappings": {"physnet1": "br-ex"},
            "tunnel_types": ["vxlan"],
            "datapath_type": "system",
            "tunneling_ip": "127.0.0.1",
            "extensions": ["qos"],
        }
        for host in [*conf.compute_hosts, conf.network_host]:
            yield agent("neutron-openvswitch-agent", host, constants.AGENT_TYPE_OVS, switch)
        counted = {"routers": 0, "ex_gw_ports": 0, "interfaces": 0, "floating_ips": 0}
        router = {"agent_mode": "legacy", "interface_driver": "null", "handle_internal_only_routers": True}
        for binary, kind, topic, zone, settings in (
            ("neutron-l3-agent", constants.AGENT_TYPE_L3, "l3_agent", "nova", router | counted),
            ("neutron-dhcp-agent", constants.AGENT_TYPE_DHCP, "dhcp_agent", "nova", {"networks": 0}),
            ("neutron-metadata-agent", constants.AGENT_TYPE_METADATA, "N/A", None, {}),
        ):
            yield agent(binary, conf.network_host, kind, settings, topic, zone)

    def _beat(self) -> None:
        first = {"start_flag": True}
        while True:
            core = directory.get_plugin()
            context = n_context.get_admin_context()
            for state in self._agents():
                try:
                    core.create_or_update_agent(context, state | first, timeutils.utcnow())
                except Exception:
                    LOG.exception("agent report failed")
            first = {}
            time.sleep(cfg.CONF.qdecklab.heartbeat)

    # -- ports ---------------------------------------------------------------
    @registry.receives(resources.PORT, [events.AFTER_CREATE])
    def _bind_router_port(self, resource: str, event: str, trigger: Any, payload: Any) -> None:
        port = payload.latest_state
        if port["device_owner"] not in ROUTER_OWNERS or port.get(portbindings.HOST_ID):
            return
        change = {"port": {portbindings.HOST_ID: cfg.CONF.qdecklab.network_host}}
        try:
            directory.get_plugin().update_port(n_context.get_admin_context(), port["id"], change)
        except Exception:
            LOG.exception("port %s stays unbound", port["id"])

    @registry.receives(resources.SUBNET, [events.AFTER_CREATE])
    def _dhcp_port(self, resource: str, event: str, trigger: Any, payload: Any) -> None:
        subnet = payload.latest_state
        if not subnet.get("enable_dhcp"):
            return
        core = directory.get_plugin()
        context = n_context.get_admin_context()
        network = {"network_id": [subnet["network_id"]], "device_owner": [constants.DEVICE_OWNER_DHCP]}
        port = {
            "name": "",
            "network_id": subnet["network_id"],
            "tenant_id": subnet["tenant_id"],
            "project_id": subnet["project_id"],
            "mac_address": constants.ATTR_NOT_SPECIFIED,
            "fixed_ips": [{"subnet_id": subnet["id"]}],
            "admin_state_up": True,
            "device_id": f"dhcp-{subnet['network_id']}",
            "device_owner": constants.DEVICE_OWNER_DHCP,
            portbindings.HOST_ID: cfg.CONF.qdecklab.network_host,
        }
        try:
            if not core.get_ports(context, filters=network):
                core.create_port(context, {"port": port})
        except Exception:
            LOG.exception("no DHCP port for subnet %s", subnet["id"])

    # -- floating IPs --------------------------------------------------------
    @registry.receives(resources.FLOATING_IP, [events.AFTER_CREATE, events.AFTER_UPDATE])
    def _floating_ip(self, resource: str, event: str, trigger: Any, payload: Any) -> None:
        l3 = directory.get_plugin(plugin_constants.L3)
        context = n_context.get_admin_context()
        try:
            current = l3.get_floatingip(context, payload.resource_id)
            active = constants.FLOATINGIP_STATUS_ACTIVE
            wanted = active if current.get("port_id") else constants.FLOATINGIP_STATUS_DOWN
            if current["status"] != wanted:
                l3.update_floatingip_status(context, current["id"], wanted)
        except Exception:
            LOG.exception("floating IP status not updated")


def agent(
    binary: str, host: str, kind: str, settings: dict[str, Any], topic: str = "N/A", zone: str | None = None
) -> dict[str, Any]:
    """A report as a real agent would send it."""
    return {
        "binary": binary,
        "host": host,
        "topic": topic,
        "availability_zone": zone,
        "agent_type": kind,
        "configurations": settings,
    }
