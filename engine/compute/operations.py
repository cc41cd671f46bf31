"""Everything that can be done in compute, for the gate to register."""

from __future__ import annotations

from engine.compute import flavors, servers
from engine.gate.models import Operation


def operations() -> list[Operation]:
    """The operations on servers and flavors."""
    return [*servers.operations(), *flavors.operations()]
