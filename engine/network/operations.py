"""Everything that can be done in the network, for the gate to register."""

from __future__ import annotations

from engine.gate.models import Operation
from engine.network import networks, security_groups


def operations() -> list[Operation]:
    """The operations on networks, security groups and their rules."""
    return [*networks.operations(), *security_groups.operations()]
