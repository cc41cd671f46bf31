"""ML2 mechanism driver that binds every port and wires nothing."""

from __future__ import annotations

from typing import Any

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api

BINDABLE = (portbindings.VNIC_NORMAL, portbindings.VNIC_DIRECT, portbindings.VNIC_MACVTAP)


class LabMechanismDriver(api.MechanismDriver):
    """Looks like Open vSwitch to Nova; a bound port is ACTIVE at once."""

    resource_provider_uuid5_namespace = None

    def initialize(self) -> None:
        pass

    @property
    def connectivity(self) -> str:
        return portbindings.CONNECTIVITY_L2

    def bind_port(self, context: Any) -> None:
        if context.current.get(portbindings.VNIC_TYPE, portbindings.VNIC_NORMAL) not in BINDABLE:
            return
        details = {
            portbindings.CAP_PORT_FILTER: True,
            portbindings.OVS_HYBRID_PLUG: False,
            "datapath_type": "system",
            "bridge_name": "br-int",
            portbindings.VIF_DETAILS_CONNECTIVITY: self.connectivity,
        }
        for segment in context.segments_to_bind[:1]:
            context.set_binding(
                segment[api.ID], portbindings.VIF_TYPE_OVS, details, status=constants.PORT_STATUS_ACTIVE
            )
