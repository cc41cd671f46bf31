"""The demo's diagnostics: what our own measuring makes of them, who may ask, and which machines answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.dashboard.diagnostics import counter, cpu_percent, memory_percent
from engine.demo.records import Server
from tests.engine.demo.harness import Wire


def running(wire: Wire) -> list[Server]:
    return [row for row in wire.cloud.state.servers if row.status == "ACTIVE"]


def ask(wire: Wire, id: str, role: str = "admin", **headers: str) -> Any:
    return wire("compute", f"/v2.1/servers/{id}/diagnostics", role, **headers)


def test_counters_give_a_percentage_of_the_vcpus(own: Wire) -> None:
    loads = []
    for server in running(own):
        first = ask(own, server.id).json
        assert first["num_cpus"] == len(first["cpu_details"]) == server.flavor.vcpus
        own.advance(300)
        second = ask(own, server.id).json
        before, now = (counter(body, datetime.fromtimestamp(at, UTC)) for body, at in ((first, 0), (second, 300)))
        load = cpu_percent(second, now, before)
        assert load is not None and 0.5 < load < 100
        assert second["uptime"] == first["uptime"] + 300
        assert memory_percent(second) is None, "libvirt tells the balloon's size"
        loads.append(round(load, 1))
    assert len(set(loads)) > 1, "they do not all do the same"


def test_who_may_ask_and_of_what(own: Wire) -> None:
    server = running(own)[0]
    assert ask(own, server.id, "member").status == 403
    assert ask(own, "nothing").status == 404
    server.status = "SHUTOFF"
    assert ask(own, server.id).status == 409


@pytest.mark.parametrize(("version", "field"), [("compute 2.47", "cpu0_time"), ("compute 2.48", "cpu_details")])
def test_forms(own: Wire, version: str, field: str) -> None:
    assert field in ask(own, running(own)[0].id, **{"OpenStack-API-Version": version}).json
