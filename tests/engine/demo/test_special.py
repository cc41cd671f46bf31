"""The machines that a restore has to think about are there, each of them, in a cloud of any size but the smallest."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from engine.demo.records import Server
from engine.demo.special import LEAST
from engine.demo.state import State
from tests.engine.demo.harness import Wire

Test = Callable[[State, Server], bool]


def _chained(state: State, server: Server) -> bool:
    found = [row for place in server.volumes for row in state.backups.having("volume", place.volume)]
    return any(row.parent for row in found) and all(row.parent is None or row.parent in state.backups for row in found)


KINDS: dict[str, Test] = {
    "several addresses": lambda state, row: any(len(port.fixed_ips) > 2 and port.pairs for port in row.ports),
    "two cards": lambda state, row: len(row.ports) > 1,
    "version 6": lambda state, row: any(":" in ip for port in row.ports for _, ip in port.fixed_ips),
    "floating IP": lambda state, row: any(port.floating for port in row.ports),
    "no port security": lambda state, row: any(not port.security for port in row.ports),
    "long user data": lambda state, row: row.config_drive and len(base64.b64decode(row.user_data or "")) > 40_000,
    "pinned zone": lambda state, row: row.pinned_zone is not None,
    "volumes that go too": lambda state, row: (
        all(place.delete_on_termination for place in row.volumes) and bool(row.volumes)
    ),
    "backups in a chain": _chained,
    "a flavor that is gone": lambda state, row: row.flavor.id not in state.flavors,
    "an image that is shut": lambda state, row: row.image is not None and row.image.status == "deactivated",
    "parked": lambda state, row: row.status == "SHELVED_OFFLOADED" and row.host is None,
    "locked": lambda state, row: row.locked,
    "a dead host": lambda state, row: row.host is not None and not row.host.up,
    "a group": lambda state, row: row.server_group is not None,
    "a key": lambda state, row: any(pair.name == row.key and pair.user == row.user for pair in state.keypairs),
    "a local disk and volumes": lambda state, row: not row.from_volume and len(row.volumes) > 0,
}


@pytest.fixture(scope="module")
def state() -> State:
    return Wire.new(servers=60, seed="1").cloud.state


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_one(state: State, kind: str) -> None:
    assert any(KINDS[kind](state, server) for server in state.servers)


def test_what_is_parked_holds_its_volumes(state: State) -> None:
    parked = next(row for row in state.servers if row.status == "SHELVED_OFFLOADED")
    for place in parked.volumes:
        volume = state.volumes.rows[place.volume]
        assert (place.status, volume.status) == ("reserved", "reserved") and volume.attachments == [place]


def test_a_small_cloud_is_plain() -> None:
    state = Wire.new(servers=LEAST - 1, seed="1").cloud.state
    assert not any(row.pinned_zone or row.config_drive for row in state.servers)


def test_it_is_the_same_each_time() -> None:
    one, other = (Wire.new(servers=60, seed="x").cloud.state for _ in range(2))
    assert sorted(row.id for row in one.backups) == sorted(row.id for row in other.backups)
    assert sorted(row.id for row in one.subnets) == sorted(row.id for row in other.subnets)
