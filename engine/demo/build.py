"""Builds the whole demo cloud from a seed: the same seed, size and epoch give the same cloud, byte for byte."""

from __future__ import annotations

import gc

from engine.demo import names
from engine.demo.clock import Clock
from engine.demo.keys import fingerprint, public_key
from engine.demo.machines import Maker, protection
from engine.demo.network_records import Trunk
from engine.demo.records import Image, Keypair, Server, Volume
from engine.demo.special import make_special
from engine.demo.state import Dice, State
from engine.demo.tenants import DAY, make_catalogue, make_hosts, make_tenants, project_owner
from engine.demo.wiring import TenantNet, Wiring


def build(seed: str, servers: int, epoch: int, clock: Clock) -> tuple[State, Maker, list[TenantNet]]:
    """A cloud of `servers` machines as it stood at `epoch` (seconds). Raises ValueError unless 1..50,000."""
    if not 1 <= servers <= 50_000:
        raise ValueError(f"the demo cloud can have 1 to 50,000 servers, not {servers}")
    state = State(seed, clock, Dice(f"{seed}/{servers}"), epoch)
    # Hundreds of thousands of objects that all live on: collecting garbage meanwhile only costs time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        sizes = make_tenants(state, servers)
        flavors, images = make_catalogue(state)
        hosts = make_hosts(state, servers)
        wiring = Wiring(state)
        maker = Maker(state, wiring, flavors, images, hosts)
        nets = []
        for project, count in sizes:
            nets.append(_tenant(state, maker, wiring, project, count))
        for project in state.projects:
            wiring.default_group(project.id, epoch - 300 * DAY)
        _break_things(state, maker, nets)
        make_special(state)
        _quotas(state, nets)
    finally:
        if collecting:
            gc.enable()
    return state, maker, nets


def _tenant(state: State, maker: Maker, wiring: Wiring, project, count: int) -> TenantNet:
    dice, epoch = state.dice, state.epoch
    made = epoch - dice.randrange(200, 500) * DAY
    net = wiring.tenant(project, project_owner(state, project), made)
    public = public_key(project.key, project.name)
    for user in {net.user, *(user.id for user in state.users if user.login and project.name == "demo")}:
        state.keypairs.append(Keypair(project.key, user, public, fingerprint(public), made))
    state.keypairs.sort(key=lambda pair: (pair.user, pair.name))
    span = epoch - made - 2 * DAY
    machines = [maker.server(net, made + DAY + int(span * dice.random() ** 0.6)) for _ in range(count)]
    state.images.add(
        Image(dice.uuid(), f"{project.name}-golden", project.id, "private" if count % 2 else "shared",
              2_147_483_648, 20 << 30,
              "qcow2", 20, 1024, {"os_distro": "ubuntu", "os_version": "24.04", "image_type": "snapshot"},
              made + DAY, made + DAY + 40)
    )  # fmt: skip
    webs = [server for server in machines if "-web-" in server.name][:3]
    if len(webs) > 1:
        maker.group(net, "anti-affinity" if count % 2 else "soft-anti-affinity", webs)
    if count > 5 and count % 3 == 0:
        _trunk(state, maker, net, machines[0], made + 3 * DAY)
    return net


def _trunk(state: State, maker: Maker, net: TenantNet, server: Server, made: int) -> None:
    parent = server.ports[0]
    made = max(made, parent.created)
    subnet = maker.wiring.subnet_for(net, "storage", made)
    children = [
        maker.wiring.plug(net, subnet, parent.groups[:1], made, name=f"{server.name}-vlan-{tag}") for tag in (101, 102)
    ]
    for child in children:
        child.device_owner, child.status, child.host = "trunk:subport", "ACTIVE", parent.host
    pairs = [(child, 101 + index) for index, child in enumerate(children)]
    state.trunks.add(Trunk(state.dice.uuid(), f"{server.name}-trunk", net.project.id, parent, pairs, made, made + 2))


def _break_things(state: State, maker: Maker, nets: list[TenantNet]) -> None:
    """No cloud is whole: some of everything that goes wrong, a little more in a larger cloud."""
    dice, epoch = state.dice, state.epoch
    servers = sorted(state.servers, key=lambda server: server.number)
    some = max(1, len(servers) // 400)
    for server in dice.sample(servers, min(len(servers), 4 * some)):
        _stop(server, epoch - dice.randrange(1, 60) * DAY)
    for server in dice.sample(servers, min(len(servers), some)):
        _fail(state, server, epoch - dice.randrange(1, 20) * DAY)
    for server, name in zip(
        dice.sample(servers, min(len(servers) // 25, len(names.HOSTILE))), names.HOSTILE, strict=False
    ):
        server.name = name
        if server.metadata:
            server.metadata["note"] = name
    for server in dice.sample(servers, min(len(servers), 2 * some)):
        server.locked, server.locked_reason = True, "hands off until the audit is over"
    for server in dice.sample(servers, min(len(servers), 2 * some)):
        # What tenants put where everybody with a token can read it; none of it opens anything.
        server.user_data = "I2Nsb3VkLWNvbmZpZwpwYWNrYWdlczogW25naW54XQo="
        server.metadata = {**(server.metadata or {}), "db_password": f"demo-only-{server.number}"}
    free = [volume for volume in state.volumes if not volume.attachments]
    for volume, status in zip(free, ("error", "error_deleting", "deleting", "maintenance") * some, strict=False):
        volume.status, volume.updated = status, epoch - 3 * DAY
        if status == "error":
            volume.pool = None
    _strange_volumes(state, maker, nets)


def _strange_volumes(state: State, maker: Maker, nets: list[TenantNet]) -> None:
    """A volume that has been attaching for days, one on two machines, and snapshots nobody remembers."""
    epoch = state.epoch
    net = nets[1]
    stuck: Volume = maker.volume(net, f"{net.project.name}-stuck", 10, "standard", epoch - 6 * DAY)
    stuck.status = "attaching"
    stale = maker.volume(net, f"{net.project.name}-forgotten", 20, "archive", epoch - 380 * DAY)
    for count in range(2):
        snapshot = maker.nightly(net, None, stale, "monthly_1st", epoch - (370 - count) * DAY)
        snapshot.status = "available" if count else "error_deleting"
    mine = [server for server in state.servers if server.project == net.project.id and server.host][:2]
    if len(mine) == 2:
        shared = maker.volume(net, f"{net.project.name}-cluster-disk", 100, "shared", epoch - 90 * DAY)
        shared.multiattach = True
        for server in mine:
            maker.attach(shared, server, "/dev/vdz", epoch - 80 * DAY)
    _cloned_volume(maker, net, epoch)
    maker.wiring.float(net, None, epoch - 50 * DAY)


def _cloned_volume(maker: Maker, net: TenantNet, epoch: int) -> None:
    """A snapshot that can't be deleted: a volume was made from it, on a back end where it shares the blocks."""
    ledger = maker.volume(net, f"{net.project.name}-ledger", 40, "premium", epoch - 60 * DAY)
    ledger.metadata = protection(0.2, 3)[1]
    night = epoch - epoch % DAY - 22 * 3600
    copy = maker.volume(net, f"{net.project.name}-ledger-copy", 40, "premium", epoch - DAY)
    copy.snapshot = maker.nightly(net, None, ledger, "daily_3", night - 2 * DAY).id
    for back in (1, 0):
        maker.nightly(net, None, ledger, "daily_3", night - back * DAY)


def _stop(server: Server, when: int) -> None:
    when = max(when, server.created + 600)
    server.status, server.updated = "SHUTOFF", when


def _fail(state: State, server: Server, when: int) -> None:
    """A machine that never came up: no host, no address, and the reason Nova gives."""
    when = max(when, server.created + 600)
    server.status, server.updated, server.launched = "ERROR", when, None
    server.fault = (500, names.NOVALID, when)
    if server.host:
        server.host.leave(server)
        server.host, server.zone = None, ""
    for port in server.ports:
        port.host, port.status = "", "DOWN"
    for attachment in server.volumes:
        attachment.host = None


def _quotas(state: State, nets: list[TenantNet]) -> None:
    """Quotas fit what is used and what the nights add; the third tenant has nearly used its own up.

    The fifth has no room for half of the snapshots that the nights would add. Some tenants have limits of one volume
    type too: the second has room there, the fourth has none left.
    """
    from engine.demo.automation import growth
    from engine.demo.quotas import compute_usage, network_usage, volume_usage

    compute, volumes, network = compute_usage(state), volume_usage(state), network_usage(state)
    more = growth(state)
    for index, net in enumerate(nets):
        project = net.project
        tight = index == 2
        for quota, usage in (
            (project.compute_quota, compute.get(project.id, {})),
            (project.volume_quota, volumes.get(project.id, {})),
            (project.network_quota, network.get(project.id, {})),
        ):
            for name, limit in quota.items():
                used = usage.get(name, 0)
                if limit >= 0 and ((tight and used > 5) or used > limit * 0.6):
                    quota[name] = used + max(1, used // 50) if tight else -(-used * 15 // 100) * 10
        mine, have, added = project.volume_quota, volumes.get(project.id, {}), more.get(project.id, {})
        for name in ("snapshots", "gigabytes"):
            mine[name] = max(mine[name], have.get(name, 0) + 2 * added.get(name, 0) + 10)
            if index in (1, 3):
                full = f"{name}_premium"
                mine[full] = have.get(full, 0) + (2 * added.get(full, 0) + 100 if index == 1 else 0)
        if index == 4:
            mine["snapshots"] = have.get("snapshots", 0) + added.get("snapshots", 0) // 2
