"""Machines that a restore has to think about: made of some that are there, so that the rest of a seed stays as it was.

Several addresses and IPv6, allowed pairs, port security off, quality of service, a config drive with long user data, a
pinned zone, data volumes that go with their machine, backups in chains, a flavor and an image that are no more, one
that is parked.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace

from engine.demo.lifecycle_moves import held_status
from engine.demo.network_records import Subnet
from engine.demo.records import Backup, Server, Volume
from engine.demo.state import Dice, State
from engine.demo.tenants import DAY

LEAST = 30  # servers, below which a cloud is too small to have odd ones
USER_DATA = "#cloud-config\nruncmd:\n  - mkfs.ext4 /dev/vdb\n"


def make_special(state: State) -> None:
    """One of each kind, and one more of each for every 2,000 machines."""
    if len(state.servers) < LEAST:
        return
    dice = Dice(f"{state.seed}/special")
    plain = list(_plain(state))
    for _ in range(1 + len(state.servers) // 2000):
        for make in KINDS:
            server = next((row for row in plain if make is not _image_shut or row.image is not None), None)
            if server is None:
                return
            plain.remove(server)
            make(state, dice, server)


def _plain(state: State) -> Iterator[Server]:
    """Running machines that nothing is odd about yet, the eldest of all tenants first, one of a tenant at a time."""
    waiting = [
        server
        for server in sorted(state.servers, key=lambda row: row.number)
        if server.status == "ACTIVE"
        and server.host is not None
        and server.host.up
        and server.volumes
        and not (server.locked or server.user_data or server.config_drive or server.pinned_zone)
        and server.ports[0].security
        and len(server.ports[0].fixed_ips) == 1
    ]
    while waiting:
        seen: set[str] = set()
        later = []
        for server in waiting:
            if server.project in seen:
                later.append(server)
            else:
                seen.add(server.project)
                yield server
        waiting = later


def _several_addresses(state: State, dice: Dice, server: Server) -> None:
    port = server.ports[0]
    subnet = state.subnets.get(port.fixed_ips[0][0])
    if subnet is not None and subnet.next_host + 2 < subnet.size:
        port.fixed_ips += [(subnet.id, subnet.address()) for _ in range(2)]
        port.pairs = ((subnet.address(), ""), ("10.250.0.0/24", ""))


def _version_6(state: State, dice: Dice, server: Server) -> None:
    port = server.ports[0]
    network = port.network
    subnet = next((row for row in network.subnets if row.version == 6), None)
    if subnet is None:
        block = f"fd00:{int(network.id[:4], 16):x}::"
        made = network.created + 60
        subnet = Subnet(
            dice.uuid(), f"{network.name}-v6", network.project, network, f"{block}/64", block, f"{block}1", made, made,
            next_host=0, pools=[(f"{block}10", f"{block}ffff:ffff")],
        )  # fmt: skip
        # Ports that are made on this network from now on get an address of each version.
        network.subnets.append(subnet)
        state.subnets.add(subnet)
    port.fixed_ips.append((subnet.id, subnet.address()))


def _open_port(state: State, dice: Dice, server: Server) -> None:
    port = server.ports[-1]
    port.security, port.groups, port.pairs = False, (), ()


def _initialised(state: State, dice: Dice, server: Server) -> None:
    text = USER_DATA + "# " + "x" * 40_000
    server.user_data, server.config_drive = base64.b64encode(text.encode()).decode(), True
    server.description = "its first start formatted a disk"


def _pinned(state: State, dice: Dice, server: Server) -> None:
    server.pinned_zone = server.zone


def _goes_with_its_volumes(state: State, dice: Dice, server: Server) -> None:
    for attachment in server.volumes:
        attachment.delete_on_termination = True
    server.volumes[-1].tag = "data"


def _backed_up(state: State, dice: Dice, server: Server) -> None:
    """A full backup of every volume, and two that build on it."""
    for attachment in server.volumes:
        volume: Volume | None = state.volumes.get(attachment.volume)
        if volume is None:
            continue
        parent = None
        for back in (6, 4, 2):
            made = max(state.epoch - back * DAY, volume.created + 3600 * (8 - back))
            backup = Backup(
                dice.uuid(), f"{server.name}-{back}-days", volume.project, volume.user, volume.id, volume.size,
                "available", made, made + 300, incremental=parent is not None, parent=parent,
            )  # fmt: skip
            parent = state.backups.add(backup).id


def _flavor_gone(state: State, dice: Dice, server: Server) -> None:
    """It runs on with what its flavor was."""
    server.flavor = replace(server.flavor, id=dice.uuid(), name=f"{server.flavor.name}.2019")


def _image_shut(state: State, dice: Dice, server: Server) -> None:
    """Nothing can be made from its image any more."""
    assert server.image is not None
    image = replace(
        server.image, id=dice.uuid(), name=f"{server.image.name}-withdrawn", status="deactivated",
        created=state.epoch - 500 * DAY, updated=state.epoch - 40 * DAY,
    )  # fmt: skip
    server.image = state.images.add(image)


def _parked(state: State, dice: Dice, server: Server) -> None:
    """Shelved for good, with its volumes reserved and its ports nowhere."""
    when = max(state.epoch - 9 * DAY, server.created + 900)
    if server.host is not None:
        server.host.leave(server)
    server.host, server.zone, server.status, server.updated = None, "", "SHELVED_OFFLOADED", when
    for port in server.ports:
        port.host, port.status = "", "DOWN"
    for attachment in server.volumes:
        attachment.host, attachment.status = None, "reserved"
        volume = state.volumes.get(attachment.volume)
        if volume is not None:
            volume.status = held_status(volume)


KINDS: tuple[Callable[[State, Dice, Server], None], ...] = (
    _several_addresses, _version_6, _open_port, _initialised, _pinned, _goes_with_its_volumes, _backed_up,
    _flavor_gone, _image_shut, _parked,
)  # fmt: skip
