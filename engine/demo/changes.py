"""Life in the cloud: machines made, removed, stopped, resized and broken while the clock runs.

The n-th change depends on the seed, on n and on what there is, on nothing else: two clouds of one seed that were
left alone live the same life.
"""

from __future__ import annotations

from engine.demo import names
from engine.demo.lifecycle import Lifecycle
from engine.demo.records import Server, Volume
from engine.demo.state import Dice, State
from engine.demo.tenants import DAY

# What happens, and how often.
WEIGHTS = {
    "create": 13, "remove": 13, "stop": 12, "start": 12, "reboot": 8, "rename": 4, "resize": 7, "label": 8,
    "snapshot": 12, "prune": 9, "fail": 2, "recover": 3, "extend": 4, "float": 3, "rule": 2, "host": 1,
}  # fmt: skip


class Changes:
    """Makes `per_day` changes a day of the cloud's clock; 0 makes none by itself."""

    def __init__(self, state: State, lifecycle: Lifecycle, per_day: float) -> None:
        self.state, self.lifecycle, self.per_day = state, lifecycle, per_day
        self.count = 0
        self.log: list[tuple[int, str, str]] = []
        self._kinds = [kind for kind, weight in WEIGHTS.items() for _ in range(weight)]
        self._generation = 0
        self._size = len(state.servers)

    def start(self) -> None:
        """Begins at the epoch: what lies between it and now happens at the next settling."""
        if self.per_day:
            self._plan(float(self.state.epoch))

    def set_pace(self, per_day: float) -> None:
        """Another number of changes a day, from now on. Raises ValueError."""
        if not 0 <= per_day <= 1_000_000:
            raise ValueError("per_day must be between 0 and 1,000,000")
        self.per_day = per_day
        self._generation += 1
        if per_day:
            self._plan(self.state.clock.now())

    def _plan(self, since: float) -> None:
        generation = self._generation

        def happen(due: float) -> None:
            if generation == self._generation and self.per_day:
                self.one(due)
                self._plan(due)

        self.state.clock.after(DAY / self.per_day, happen, since=since)

    def make(self, count: int, kind: str | None = None) -> list[dict[str, str]]:
        """`count` changes now, of one kind or as they come; what they were. Raises ValueError."""
        if kind is not None and kind not in WEIGHTS:
            raise ValueError(f"there is no change {kind!r}; there are {', '.join(WEIGHTS)}")
        if not 0 <= count <= 100_000:
            raise ValueError("count must be between 0 and 100,000")
        before = len(self.log)
        now = self.state.clock.now()
        for _ in range(count):
            self.one(now, kind)
        return [{"kind": done, "id": id} for _, done, id in self.log[before:]]

    def one(self, when: float, kind: str | None = None) -> None:
        """The next change, as if at `when` (seconds)."""
        self.count += 1
        dice = Dice(f"{self.state.seed}/change/{self.count}")
        # Ids of what a change makes come from the change, not from how often somebody asked for an id before.
        self.state.dice.seed(f"{self.state.seed}/made-by/{self.count}")
        kind = kind or self._balanced(dice.choice(self._kinds), dice)
        id = getattr(self, f"_{kind}")(dice, when)
        if id:
            self.log.append((int(when), kind, id))
            if len(self.log) > 10_000:
                del self.log[:5_000]

    # Choosing

    def _balanced(self, kind: str, dice: Dice) -> str:
        """Machines come and go, and a cloud that people use keeps its size: the further from it, the likelier back."""
        if kind not in ("create", "remove"):
            return kind
        over = (len(self.state.servers) - self._size) / max(2, self._size // 25)
        return "create" if dice.random() > 0.5 + over / 2 else "remove"

    def _server(self, dice: Dice, *statuses: str) -> Server | None:
        """One of the servers that are at rest in one of the statuses; tries a few before it gives up."""
        _, rows = self.state.servers.order("newest", lambda row: (row.created, row.id))
        for _ in range(40):
            if not rows:
                return None
            server = rows[dice.randrange(len(rows))]
            if server.task is None and not server.locked and (not statuses or server.status in statuses):
                return server
        return None

    def _volume(self, dice: Dice) -> Volume | None:
        _, rows = self.state.volumes.order("newest", lambda row: (row.created, row.id))
        for _ in range(40):
            if not rows:
                return None
            volume = rows[dice.randrange(len(rows))]
            if volume.status in ("in-use", "available"):
                return volume
        return None

    # What happens

    def _create(self, dice: Dice, when: float) -> str | None:
        nets = list(self.lifecycle.nets.values())
        net = nets[min(dice.randrange(len(nets)), dice.randrange(len(nets)))]
        server = self.lifecycle.maker.server(net, int(when), full=False)
        if server.host:
            server.host.leave(server)
        server.host, server.zone = None, "nova"
        for port in server.ports:
            port.host, port.status = "", "DOWN"
        self.state.record(server, "create", net.user, net.project.id, int(when))
        self.lifecycle.start_build(server, when, fails=names.NOVALID if dice.random() < 0.03 else None)
        return server.id

    def _remove(self, dice: Dice, when: float) -> str | None:
        server = self._server(dice)
        if server is None or len(self.state.servers) < 10:
            return None
        self.state.record(server, "delete", server.user, server.project, int(when))
        self.lifecycle.delete(server, when)
        return server.id

    def _power(self, server: Server | None, action: str, task: str, status: str, when: float) -> str | None:
        if server is None:
            return None
        self.state.record(server, action, server.user, server.project, int(when))
        self.lifecycle.change_power(server, task, status, when, 0.8)
        return server.id

    def _stop(self, dice: Dice, when: float) -> str | None:
        return self._power(self._server(dice, "ACTIVE"), "stop", "powering-off", "SHUTOFF", when)

    def _start(self, dice: Dice, when: float) -> str | None:
        # Found by luck: the fewer are stopped, the rarer one of them is started again.
        return self._power(self._server(dice, "SHUTOFF"), "start", "powering-on", "ACTIVE", when)

    def _reboot(self, dice: Dice, when: float) -> str | None:
        return self._power(self._server(dice, "ACTIVE"), "reboot", "rebooting", "ACTIVE", when)

    def _rename(self, dice: Dice, when: float) -> str | None:
        server = self._server(dice, "ACTIVE", "SHUTOFF")
        if server is None:
            return None
        server.name = server.name.removesuffix("-old") if server.name.endswith("-old") else f"{server.name[:250]}-old"
        server.updated = int(when)
        return server.id

    def _resize(self, dice: Dice, when: float) -> str | None:
        server = self._server(dice, "ACTIVE")
        if server is None:
            return None
        same = [
            flavor
            for flavor in self.state.flavors
            if (flavor.disk == 0) == (server.flavor.disk == 0) and flavor is not server.flavor and flavor.public
        ]
        self.state.record(server, "resize", server.user, server.project, int(when))
        self.lifecycle.resize(server, dice.choice(sorted(same, key=lambda flavor: flavor.name)), when)
        return server.id

    def _label(self, dice: Dice, when: float) -> str | None:
        server = self._server(dice, "ACTIVE", "SHUTOFF")
        if server is None:
            return None
        server.metadata = {**(server.metadata or {}), "ticket": f"CHG{dice.randrange(10000, 99999)}"}
        server.updated = int(when)
        return server.id

    def _snapshot(self, dice: Dice, when: float) -> str | None:
        volume = self._volume(dice)
        net = self.lifecycle.nets.get(volume.project) if volume else None
        if volume is None or net is None:
            return None
        if 0 <= net.project.volume_quota["snapshots"] <= len(self.state.snapshots.having("project", net.project.id)):
            return None
        # What people make by hand; the nightly ones come from engine.demo.automation.
        return self.lifecycle.maker.by_hand(net, f"before-change-{dice.randrange(100, 999)}", volume, int(when)).id

    def _prune(self, dice: Dice, when: float) -> str | None:
        _, rows = self.state.snapshots.order("newest", lambda row: (row.created, row.id))
        for _ in range(40 if rows else 0):
            snapshot = rows[dice.randrange(max(1, len(rows) // 4))]
            if snapshot.status == "available" and not snapshot.metadata:
                self.lifecycle.delete_snapshot(snapshot, when)
                return snapshot.id
        return None

    def _fail(self, dice: Dice, when: float) -> str | None:
        server = self._server(dice, "ACTIVE")
        if server is None:
            return None
        words = "Unexpected error while running command: libvirt: QEMU Driver error"
        self.state.record(server, "reboot", server.user, server.project, int(when), result="Error", message=words)
        self.lifecycle.fail(server, words, int(when))
        return server.id

    def _recover(self, dice: Dice, when: float) -> str | None:
        server = self._server(dice, "ERROR")
        if server is None or server.host is None:
            return None
        server.status, server.fault, server.updated = "ACTIVE", None, int(when)
        return server.id

    def _extend(self, dice: Dice, when: float) -> str | None:
        volume = self._volume(dice)
        if volume is None:
            return None
        volume.size += 10
        volume.updated = int(when)
        return volume.id

    def _float(self, dice: Dice, when: float) -> str | None:
        server = self._server(dice, "ACTIVE")
        net = self.lifecycle.nets.get(server.project) if server else None
        if server is None or net is None or not server.ports or server.ports[0].floating:
            return None
        floating = self.lifecycle.maker.wiring.float(net, server.ports[0], int(when))
        return floating.id if floating else None

    def _rule(self, dice: Dice, when: float) -> str | None:
        nets = list(self.lifecycle.nets.values())
        net = dice.choice(nets)
        group = net.groups["app"]
        self.lifecycle.maker.wiring.open_port(group, dice.randrange(1024, 65000), int(when))
        group.updated, group.revision = int(when), group.revision + 1
        return group.id

    def _host(self, dice: Dice, when: float) -> str | None:
        """A host is closed for maintenance, or the one that was closed is opened again."""
        hosts = sorted((row for row in self.state.hosts if row.up), key=lambda row: row.number)
        host = next((row for row in hosts if not row.enabled), None) or dice.choice(hosts)
        host.enabled = not host.enabled
        host.reason = None if host.enabled else "maintenance window"
        self.lifecycle.maker.hosts = [row for row in self.state.hosts if row.enabled]
        return host.id
